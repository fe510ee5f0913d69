#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Why the kernel itself killed a process: whose end it was, or all that it may have been."""
import os

from expectations import expect_equal, expect_in
from findings import diagnose
from harness import main, record, scenario

PYTHON = "/usr/bin/python3"

# The child asks for SIGKILL when the thread that forked it ends; the parent goes on, or ends.
ASKS = """
import ctypes, os, signal, subprocess, sys, threading, time
libc = ctypes.CDLL(None)
def start():
    global child
    child = subprocess.Popen(["sleep", "5"], preexec_fn=lambda: libc.prctl(1, signal.SIGKILL))
if sys.argv[1] == "thread":
    thread = threading.Thread(target=start); thread.start(); thread.join()
    child.wait(); time.sleep(0.2)
elif os.fork() == 0:
    start()
    time.sleep(0.2)
    os.kill(os.getpid(), signal.SIGKILL) if sys.argv[1] == "killed" else os._exit(0)
os.wait() if sys.argv[1] != "thread" else None
time.sleep(0.3)
"""

NAMESPACE = "sleep 50 & (sleep 60 | cat) & sleep 0.3; exit 3"

# Only the hard limit of processor time sends SIGKILL; SIGXCPU, of the soft limit, is ignored.
BUSY = """
import resource, signal
signal.signal(signal.SIGXCPU, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_CPU, (1, 1))
while True: pass
"""


def killed(directory, command, **options):
    """What is said of those that died of SIGKILL, by severity and text."""
    result = record(directory, command, **options)
    told = diagnose(result.trace_path, "--lang", "en")[0]
    return [f for f in told if f["id"] == "killed-by-signal" and "of SIGKILL" in f["text"]]


@scenario("a parent-death signal that follows a thread which ended is told so, and is an error")
def thread_ended(directory):
    (told,) = killed(directory, [PYTHON, "-c", ASKS, "thread"])
    expect_equal(told["severity"], "error", "the child was to live on")
    expect_in("ended, which had forked it", told["text"], "whose end it was")
    expect_in("from a thread that lives as long", told["advice"], "the remedy")


@scenario("a parent-death signal at the end of the parent is meant")
def parent_ended(directory):
    (told,) = killed(directory, [PYTHON, "-c", ASKS, "ends"])
    expect_equal(told["severity"], "note", "its parent ended")
    expect_in("as its parent python3[", told["text"], "whose end it was")


@scenario("a parent-death signal of a parent that was killed is meant, too")
def parent_killed(directory):
    told = killed(directory, [PYTHON, "-c", ASKS, "killed"])
    expect_equal([f["severity"] for f in told], ["note", "note"], "parent and child")
    expect_in("as its parent python3[", told[1]["text"], "whose end it was")


@scenario("the end of PID 1 of a pid namespace takes all others of it along: a note")
def namespace_ended(directory):
    command = ["unshare", "-p", "-f", "--mount-proc", "bash", "-c", NAMESPACE]
    told = killed(directory, command, status=3)
    expect_equal(len(told), 4, "two sleeps, a shell and cat")
    for finding in told:
        expect_equal(finding["severity"], "note", "PID 1 ended by itself")
        expect_in("ns:1], PID 1 of its pid namespace, ended", finding["text"], "why")


@scenario("of a SIGKILL whose cause the trace does not show all possible causes are told")
def limit_reached(directory):
    (told,) = killed(directory, [PYTHON, "-c", BUSY], status=128 + 9)
    expect_equal(told["severity"], "error", "nobody is known to have meant it")
    for cause in ("dmesg", "ulimit -Ht", "PR_SET_PDEATHSIG", "namespace"):
        expect_in(cause, told["advice"], "a possible cause")


# The whole group is killed by a write, which sends the signal to each thread.
GROUP = """
cd "$0"; (echo $BASHPID > cgroup.procs; exec sleep 60) & sleep 0.5
echo 1 > cgroup.kill; wait; exit 0
"""


@scenario("of a SIGKILL to a single thread cgroup.kill is told to be a possible cause")
def group_killed(directory):
    for root in ("/sys/fs/cgroup/unified", "/sys/fs/cgroup"):
        folder = os.path.join(root, f"ipclens-kill-{os.getpid()}")
        if not os.path.exists(os.path.join(root, "cgroup.procs")):
            continue
        os.mkdir(folder)
        try:
            if os.path.exists(os.path.join(folder, "cgroup.kill")):
                (told,) = killed(directory, ["bash", "-c", GROUP, folder])
                expect_in("cgroup.kill", told["advice"], "a possible cause")
        finally:
            os.rmdir(folder)
        return


if __name__ == "__main__":
    main()
