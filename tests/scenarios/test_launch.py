#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""How the command is started: what it inherits, as whom it runs, its terminal."""
import grp
import json
import os
import pty
import shlex
import signal
import stat
import subprocess
import termios

from expectations import expect, expect_equal
from harness import lab, main, record, scenario, test_user, wait_for
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
    "nice": os.nice(0), "files": resource.getrlimit(resource.RLIMIT_NOFILE),
    "locked": resource.getrlimit(resource.RLIMIT_MEMLOCK), "dumpable": os.access("/proc/self/mem", os.R_OK)}))
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


def sudo_rule():
    """Lets the test user run ipclens as root for as long as the file is there."""
    path = "/etc/sudoers.d/ipclens-test"
    with open(path, "w", encoding="ascii") as file:
        file.write("ipclens-test ALL=(root) NOPASSWD: ALL\n")
    os.chmod(path, 0o440)
    return path


def as_user(user, script, folder, **options):
    """A shell of the test user: its own groups and environment, started as by login."""
    environment = {
        "HOME": user.pw_dir,
        "USER": user.pw_name,
        "LOGNAME": user.pw_name,
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "SHELL": "/bin/sh",
    }
    return call(
        [
            "setpriv",
            f"--reuid={user.pw_uid}",
            f"--regid={user.pw_gid}",
            "--init-groups",
            "--inh-caps=-all",
            "--",
            "sh",
            "-c",
            script,
        ],
        env=environment,
        cwd=folder,
        **options,
    )


def user_folder(user, directory):
    folder = os.path.join(directory, "home of the user")
    os.mkdir(folder, 0o700)
    os.chown(folder, user.pw_uid, user.pw_gid)
    return folder


@scenario("under sudo the command runs as the invoking user, in its environment")
def under_sudo(directory):
    user = test_user()
    folder = user_folder(user, directory)
    prepare = "export EXPORTED='of the user' TERM=dumb; umask 027; trap '' HUP; "
    alone = as_user(user, prepare + shlex.join(probe()), folder)
    wanted = json.loads(alone.stdout)
    rule = sudo_rule()
    try:
        traced = as_user(
            user,
            prepare + shlex.join(["sudo", IPCLENS, "record", "-o", "t.ndjson", "--", *probe()]),
            folder,
        )
    finally:
        os.unlink(rule)
    got = json.loads(traced.stdout)
    for side in (got, wanted):
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


@scenario("the command keeps its controlling terminal, and Ctrl-C reaches it; the trace ends whole")
def ctrl_c(directory):
    program = (
        "import os,signal,sys\n"
        "def end(*_):\n    os.write(1, b'interrupted\\n')\n    sys.exit(5)\n"
        "signal.signal(signal.SIGINT, end)\n"
        "os.write(1, b'ready on %s\\n' % os.ttyname(0).encode())\n"
        "r, w = os.pipe()\nos.read(r, 1)\n"
    )
    output = os.path.join(directory, "trace.ndjson")
    process, master, screen = on_terminal(
        [IPCLENS, "record", "-o", output, "--", "/usr/bin/python3", "-c", program]
    )
    try:
        wait_for(lambda: b"ready on /dev/pts/" in screen(), "the command's start")
        os.write(master, b"\x03")
        status = process.wait(30)
    finally:
        process.kill()
        process.wait()
    seen = screen()
    os.close(master)
    expect(b"interrupted" in seen, "the command got SIGINT", seen)
    expect_equal(status, 5, "its exit status")
    trace = Trace(output)
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
    output = os.path.join(directory, "trace.ndjson")
    process, master, screen = on_terminal(
        [
            IPCLENS,
            "record",
            "-o",
            output,
            "--",
            "sh",
            "-c",
            "echo ready; exec " + shlex.join(lab("deadlock")),
        ]
    )
    try:
        wait_for(lambda: b"ready" in screen(), "the command's start")
        os.write(master, b"\x03")
        status = process.wait(30)
    finally:
        process.kill()
        process.wait()
    seen = screen()
    os.close(master)
    expect_equal(status, 130, f"its exit status; the terminal shows {seen!r}")
    trace = Trace(output)
    expect_equal(trace.trailer().get("signal"), "SIGINT", "the trailer says what ended it")


def on_terminal(arguments):
    """Starts a program in the foreground of a new terminal; screen() is all that it showed."""
    master, slave = pty.openpty()

    def prepare():
        os.setsid()
        import fcntl

        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    os.set_blocking(master, False)
    process = subprocess.Popen(
        arguments, stdin=slave, stdout=slave, stderr=slave, preexec_fn=prepare
    )
    os.close(slave)
    shown = bytearray()

    def screen():
        try:
            while part := os.read(master, 65536):
                shown.extend(part)
        except OSError:
            pass
        return bytes(shown)

    return process, master, screen


if __name__ == "__main__":
    main()
