#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Signals that were to end a process which goes on: blocked, ignored, or put off by a shell."""
import joining
from expectations import expect_equal, expect_in
from findings import diagnose
from harness import main, record, scenario

MAY_RUN_BESIDE_OTHERS = True

TIMED_OUT = 124
STARTS = """
import signal, subprocess, time
{before}
p = subprocess.Popen({command})
time.sleep(0.3)
p.terminate()
p.wait()
"""
BLOCKS = "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])"
IGNORES = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"
OWN = '["perl", "-e", "$SIG{TERM} = q(IGNORE); sleep 1000"]'
OWN_MASK = (
    '["perl", "-e", "use POSIX; sigprocmask(SIG_BLOCK, POSIX::SigSet->new(SIGTERM)); sleep 1000"]'
)


def python(before, command='["sleep", "1000"]'):
    return ["/usr/bin/python3", "-c", STARTS.format(before=before, command=command)]


def shell(inner, name="bash"):
    """A shell that runs `inner` in one of its own, signals that one only, and waits for it."""
    return [name, "-c", f"{name} -c '{inner}' & sleep 0.4; kill $!; wait"]


FOREGROUND = 'trap "exit 0" TERM; sleep 1000; :'
# A worker of a program that has a handler of its own.
WORKER = """
import os, signal, time
signal.signal(signal.SIGTERM, lambda *_: None)
child = os.fork()
if not child:
    {inside}
    while True:
        time.sleep(100)
time.sleep(0.3)
os.kill(child, signal.SIGTERM)
os.waitpid(child, 0)
"""
OWN_HANDLER = "signal.signal(signal.SIGTERM, lambda *_: os._exit(0))"
GRACEFUL = "signal.signal(signal.SIGTERM, lambda *_: time.sleep(100))"


def worker(inside):
    return ["/usr/bin/python3", "-c", WORKER.format(inside=inside)]


# The first process of a pid namespace, once it is the program that is meant.
FIRST = """
unshare -pf --kill-child sleep 1000 & waits=$!
first=; until [ "$first" ]; do read -r first </proc/$waits/task/$waits/children; done
until read -r name </proc/$first/comm && [ "$name" = sleep ]; do :; done
kill -TERM "$first"
wait $waits
"""

HELD = {
    "copied handler": (worker("pass"), "by fork(), which ran and did not end it", "SIG_DFL"),
    "blocks": (python(BLOCKS), "exec() keeps the mask", "sigprocmask(SIG_SETMASK)"),
    "blocks itself": (python("", OWN_MASK), "it blocks that signal, which is pending", "sigwait"),
    "ignores": (python(IGNORES), "exec() keeps what is ignored", "SIG_DFL"),
    "ignores itself": (python("", OWN), "it ignores it", "SIGKILL"),
    "int": (
        ["sh", "-c", "sleep 1000 & sleep 0.3; kill -INT $!; wait"],
        "exec() keeps what is ignored",
        "send them SIGTERM",
    ),
    "first": (["bash", "-c", FIRST], "it is PID 1 of its namespace", "docker stop"),
    "bash": (shell(FOREGROUND), "it waits for sleep[", "cmd & wait $!"),
    "dash": (shell(FOREGROUND, "dash"), "it waits for sleep[", "cmd & wait $!"),
}
# The sound way of each; a trap that leaves its shell to wait for a job; nohup; and SIGHUP to it.
SOUND = {
    "own handler": worker(OWN_HANDLER),
    "takes its time": worker(GRACEFUL),
    "ends": python(""),
    "waits": shell('trap "exit 0" TERM; sleep 1 & wait $!'),
    "waits on": [
        "bash",
        "-c",
        "bash -c 'trap got=1 TERM; sleep 1000 & wait $!; wait $!' & sleep 0.4; kill $!; wait",
    ],
    "passes on": [
        "bash",
        "-c",
        "bash -c 'trap \"kill -0 \\$!\" TERM; sleep 1000 & wait $!; wait' & sleep 0.4; kill $!; wait",
    ],
    "nohup": ["bash", "-c", "nohup sleep 1000 >/dev/null 2>&1 & sleep 0.3; kill -HUP $!; sleep 99"],
}


def held(directory, name, command, status):
    folder = joining.folder(directory, name.replace(" ", "-"))
    result = record(folder, command, "--timeout", "2", status=status, whole=False)
    return [f for f in diagnose(result.trace_path)[0] if f["id"] == "signal-held"]


@scenario("a signal that does not end whom somebody waits for: why, and the way out")
def not_ended(directory):
    for name, (command, why, cure) in HELD.items():
        told = held(directory, name, command, TIMED_OUT)
        expect_equal([f["severity"] for f in told], ["warning"], name)
        expect_in(why, told[0]["text"], name)
        expect_in(cure, told[0]["advice"], name)


@scenario("a signal that ended its target, that a wait took, or of which nobody waits: none")
def ended(directory):
    for name, command in SOUND.items():
        status = 0 if name in ("ends", "waits", "own handler") else TIMED_OUT
        expect_equal(held(directory, name, command, status), [], name)


if __name__ == "__main__":
    main()
