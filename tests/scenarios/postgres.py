# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A PostgreSQL of its own, with something to do."""
import glob
import os

from harness import test_user
from traces import call

# One session holds a lock, and lets go of it once another waits for it; then six write at once.
SCRIPT = """
setpriv --reuid=$USER_ID --regid=$GROUP_ID --clear-groups \\
    $PROGRAMS/postgres -D data -k $PWD -c listen_addresses= -c fsync=off >log 2>&1 & SERVER=$!
export PGHOST=$PWD PGUSER=test PGDATABASE=postgres
until psql -c 'select 1' >/dev/null 2>&1; do kill -0 $SERVER || exit 9; sleep 0.05; done
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
kill -INT $SERVER; wait
"""


def cluster(directory):
    """The environment of SCRIPT: a new cluster that an ordinary user owns."""
    user = test_user()
    programs = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
    os.chown(directory, user.pw_uid, user.pw_gid)
    environment = {
        "USER_ID": str(user.pw_uid),
        "GROUP_ID": str(user.pw_gid),
        "PROGRAMS": programs,
        "PSQLRC": "/dev/null",
    }
    ids = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    data = os.path.join(directory, "data")
    initdb = [f"{programs}/initdb", "-A", "trust", "-N", "-U", "test", data]
    call(["setpriv", *ids, *initdb], cwd=directory)
    return environment
