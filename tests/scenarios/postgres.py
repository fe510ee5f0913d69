# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A PostgreSQL of its own, with something to do."""
import glob
import os
import subprocess

from harness import test_user
from traces import call

# Two lines of a script: the server S of the cluster in this folder, run by its user.
SERVER = """
setpriv --reuid=$USER_ID --regid=$GROUP_ID --clear-groups \\
    $PROGRAMS/postgres -D data -k $PWD -c listen_addresses= -c fsync=off >log 2>&1 & S=$!
"""

# One session holds a lock, and lets go of it once another waits for it; then six write at once.
SCRIPT = SERVER + """
export PGHOST=$PWD PGUSER=test PGDATABASE=postgres
until psql -c 'select 1' >/dev/null 2>&1; do kill -0 $S || exit 9; sleep 0.05; done
cat >first.sql <<'END'
select pg_backend_pid() from pg_advisory_lock(7);
\\! psql -XAt -c "select pg_backend_pid()" -c "select 'got it' from pg_advisory_lock(7)" >second &
\\! until psql -XAt -c "select count(*) from pg_locks where not granted" | grep -q 1; do sleep 0.05; done
select pg_advisory_unlock(7);
END
psql -XAt -f first.sql >first
until grep -q got second; do sleep 0.02; done
pgbench -i -q >/dev/null 2>&1
pgbench -c 6 -t 40 -n >bench 2>&1
kill -INT $S; wait
"""


def cluster(directory):
    """A new cluster that an ordinary user owns; the environment of SERVER and SCRIPT."""
    user = test_user()
    os.chown(directory, user.pw_uid, user.pw_gid)
    environment = {
        "USER_ID": str(user.pw_uid),
        "GROUP_ID": str(user.pw_gid),
        "PROGRAMS": sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1],
        "PSQLRC": "/dev/null",
    }
    initdb = ["-A", "trust", "-N", "-U", "test", os.path.join(directory, "data")]
    call(owned(environment, "initdb", *initdb), cwd=directory)
    return environment


def owned(environment, program, *words):
    """The words that execute a program of PostgreSQL as the cluster's user."""
    ids = [f"--reuid={environment['USER_ID']}", f"--regid={environment['GROUP_ID']}"]
    return ["setpriv", *ids, "--clear-groups", f"{environment['PROGRAMS']}/{program}", *words]


def started(directory):
    """A server of a new cluster that runs already: its environment, and what stops it."""
    environment = cluster(directory)
    options = f"-k {directory} -c listen_addresses= -c fsync=off"
    data, log = os.path.join(directory, "data"), os.path.join(directory, "log")
    server = owned(environment, "pg_ctl", "-w", "-D", data, "-l", log, "-o", options)
    call([*server, "start"], cwd=directory, stdout=subprocess.DEVNULL)
    return environment, lambda: call([*server, "-m", "fast", "stop"], cwd=directory)
