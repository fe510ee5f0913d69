#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""How the command is started: what it inherits, as whom it runs, its terminal."""
import grp
import json
import os
import resource
import shlex
import signal
import stat
import subprocess
import sys

from expectations import expect, expect_equal
from harness import lab, main, record, recorder, scenario, test_user, wait_for
from places import as_user, on_terminal, sudo_rule, user_folder
from traces import IPCLENS, Trace, call

# Tells all that a process inherits, as one line of JSON on the descriptor in argv[1].
PROBE = """
import json, os, resource, sys
fds = {}
for fd in os.listdir("/proc/self/fd"):
    try: fds[fd] = os.readlink("/proc/self/fd/" + fd)
    except OSError: pass
status = dict(line.rstrip("\\n").split(":\\t", 1) for line in open("/proc/self/status") if ":\\t" in line)
umask = os.umask(0)
os.umask(umask)
try: terminal = os.ctermid() if os.open("/dev/tty", os.O_RDWR) else None
except OSError: terminal = None
print(json.dumps({
    "uids": os.getresuid(), "gids": os.getresgid(), "groups": sorted(os.getgroups()),
    "umask": umask, "cwd": os.getcwd(), "environment": dict(os.environ), "fds": fds,
    "signals": {k: status[k] for k in ("SigBlk", "SigIgn", "SigCgt", "SigPnd", "ShdPnd")},
    "rights": {k: status[k] for k in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb",
                                      "NoNewPrivs", "Seccomp")},
    "session": os.getsid(0), "group": os.getpgrp(), "terminal": terminal,
    "nice": os.nice(0),
    "limits": {n: resource.getrlimit(getattr(resource, n)) for n in dir(resource)
               if n.startswith("RLIMIT_")},
    "dumpable": os.access("/proc/self/mem", os.R_OK)}))
"""


def probe():
    return ["/usr/bin/python3", "-c", PROBE]


def difference(got, wanted):
    return {key: (got[key], wanted[key]) for key in wanted if got[key] != wanted[key]}


@scenario(
    "the command inherits what it would without ipclens: signals, descriptors, limits, rights"
)
def inherits(directory):
    def prepare():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGQUIT, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
        os.umask(0o037)
        os.nice(3)

    os.mkdir(os.path.join(directory, "alone"))
    environment = dict(os.environ, EXPORTED="with ünïcode and = and\nnewline")
    streams = {}
    for name in ("stdout", "stderr"):
        streams[name] = open(os.path.join(directory, "alone", name), "wb")
    options = {"cwd": directory, "preexec_fn": prepare}
    subprocess.run(
        probe(), check=True, env=environment, stdin=subprocess.DEVNULL, **streams, **options
    )
    for stream in streams.values():
        stream.close()
    with open(os.path.join(directory, "alone", "stdout"), "rb") as file:
        wanted = json.load(file)
    result = record(directory, probe(), environment=dict(environment, IPCLENS_TRUTH=""), **options)
    got = json.loads(result.stdout)
    got["environment"].pop("IPCLENS_TRUTH")
    for fds in (got["fds"], wanted["fds"]):
        for number in "1", "2":
            fds[number] = os.path.basename(fds[number])
        for number in set(fds) - {"0", "1", "2"}:
            fds[number] = fds[number].split(":")[0]
    expect_equal(difference(got, wanted), {}, "what differs with ipclens and without")


@scenario("while it traces ipclens has a higher priority than the command, which has its own")
def priorities(directory):
    words = "import os; print(*(os.getpriority(os.PRIO_PROCESS, p) for p in (os.getppid(), 0)))"
    for nice, wanted in ((0, -15), (4, -15), (-18, -18)):
        def prepare(nice=nice):
            os.setpriority(os.PRIO_PROCESS, 0, nice)
        result = record(directory, [sys.executable, "-c", words], preexec_fn=prepare)
        expect_equal(result.stdout.decode().split(), [str(wanted), str(nice)],
                     f"the tracer's nice value and the command's, begun at {nice}")


def may_raise_limits():
    """CAP_SYS_RESOURCE, which root in a container may lack."""
    with open("/proc/self/status", encoding="ascii") as file:
        rights = next(line.split()[1] for line in file if line.startswith("CapEff"))
    return bool(int(rights, 16) & 1 << 24)


def allow_cores():
    if not may_raise_limits():
        return
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


@scenario("under sudo the command runs as the invoking user, in its environment, with its limits")
def under_sudo(directory):
    user = test_user()
    folder = user_folder(user, directory)
    prepare = (  # sudo allows no core, whatever its caller allowed
        "export EXPORTED='of the user' TERM=dumb; umask 027; trap '' HUP; "
        "ulimit -c 64 2>/dev/null; ulimit -S -n 200; "
    )
    options = {"preexec_fn": allow_cores}
    alone = as_user(user, prepare + shlex.join(probe()), folder, **options)
    wanted = json.loads(alone.stdout)
    rule = sudo_rule()
    try:
        traced = as_user(
            user,
            prepare
            + shlex.join(["sudo", IPCLENS, "record", "-o", "t.ndjson", "--", *probe()])
            + "; exit $?",  # so that the shell is there to be asked
            folder,
            **options,
        )
    finally:
        os.unlink(rule)
    got = json.loads(traced.stdout)
    if may_raise_limits():
        limit = wanted["limits"]["RLIMIT_CORE"]
        expect_equal(limit, [64 * 512, 64 * 512], "the core limit, in bytes")
    for side in (got, wanted):
        if not may_raise_limits():
            side["limits"].pop("RLIMIT_CORE")  # then sudo's limit stays
        for key in ("fds", "session", "group", "dumpable"):  # sudo's own doing
            side.pop(key)
        for name in (
            "_",
            "OLDPWD",
            "PWD",
            "SHLVL",
            "SUDO_UID",
            "SUDO_GID",
            "SUDO_USER",
            "SUDO_COMMAND",
            "MAIL",
            "LOGNAME",
        ):
            side["environment"].pop(name, None)
    expect_equal(
        got["groups"],
        sorted({user.pw_gid} | {g.gr_gid for g in grp.getgrall() if user.pw_name in g.gr_mem}),
        "its groups",
    )
    expect_equal(difference(got, wanted), {}, "what differs with sudo ipclens and without")
    check_owner(os.path.join(folder, "t.ndjson"), user)
    Trace(os.path.join(folder, "t.ndjson")).trailer()


def check_owner(path, user):
    info = os.lstat(path)
    expect(stat.S_ISREG(info.st_mode), "the output is a regular file")
    expect_equal(
        (info.st_uid, info.st_gid, stat.S_IMODE(info.st_mode)),
        (user.pw_uid, user.pw_gid, 0o600),
        "the owner and mode of the output",
    )


@scenario("the picture that run writes to a file belongs to the invoking user too")
def picture_owner(directory):
    user = test_user()
    folder = user_folder(user, directory)
    environment = dict(
        os.environ, SUDO_UID=str(user.pw_uid), SUDO_GID=str(user.pw_gid), SUDO_USER=user.pw_name
    )
    call(
        [
            IPCLENS,
            "run",
            "-o",
            "picture.txt",
            "--trace",
            "t.ndjson",
            "--",
            "sh",
            "-c",
            "id -u | cat",
        ],
        env=environment,
        cwd=folder,
    )
    for name in ("picture.txt", "t.ndjson"):
        check_owner(os.path.join(folder, name), user)


def ctrl_c_once(directory, command, ready):
    """Ctrl-C in its terminal once that shows `ready`: the status, what it showed, the trace."""
    process, master, screen = on_terminal(recorder(directory, command))
    try:
        wait_for(lambda: ready in screen(), "the command's start")
        os.write(master, b"\x03")
        status = process.wait(30)
    finally:
        process.kill()
        process.wait()
    seen = screen()
    os.close(master)
    return status, seen, Trace(os.path.join(directory, "trace.ndjson"))


@scenario("the command keeps its controlling terminal, and Ctrl-C reaches it; the trace ends whole")
def ctrl_c(directory):
    program = (
        "import os,signal,sys\n"
        "def end(*_):\n    os.write(1, b'interrupted\\n')\n    sys.exit(5)\n"
        "signal.signal(signal.SIGINT, end)\n"
        "os.write(1, b'ready on %s\\n' % os.ttyname(0).encode())\n"
        "r, w = os.pipe()\nos.read(r, 1)\n"
    )
    command = ["/usr/bin/python3", "-c", program]
    status, seen, trace = ctrl_c_once(directory, command, b"ready on /dev/pts/")
    expect(b"interrupted" in seen, "the command got SIGINT", seen)
    expect_equal(status, 5, "its exit status")
    expect_equal(trace.trailer()["exit_code"], 5, "the trailer's status")
    sent = trace.of("signal", event="generate", signal="SIGINT")
    expect(sent and "operation" not in sent[0], "the terminal's SIGINT is in the trace", sent)
    expect_equal(
        [s["action"] for s in trace.of("signal", event="deliver", signal="SIGINT")],
        ["handler"],
        "and that it was handled",
    )


@scenario("Ctrl-C that ends the command: status 130, and the trace ends whole")
def ctrl_c_kills(directory):
    command = ["sh", "-c", "echo ready; exec " + shlex.join(lab("deadlock"))]
    status, seen, trace = ctrl_c_once(directory, command, b"ready")
    expect_equal(status, 130, f"its exit status; the terminal shows {seen!r}")
    expect_equal(trace.trailer().get("signal"), "SIGINT", "the trailer says what ended it")


if __name__ == "__main__":
    main()
