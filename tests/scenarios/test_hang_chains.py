#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Hangs of real tools, each told as one chain: who waits for whom, and what the last one waits for.

Each workload tells who its processes are, as "name=pid", in its standard error.
"""
import os
import pty

from expectations import expect, expect_equal, expect_in
from findings import diagnose, severe
from hangs import PYTHON, TIMED_OUT, asleep, hanging, named_parties, traced, untraced
from harness import each_in_place, main, needs, record, scenario

MAY_RUN_BESIDE_OTHERS = True

WAITS = ("blocked", "full-channel", "deadlock")

TEE = """
(echo seq=$BASHPID >&2; exec seq 100000000) | (echo tee=$BASHPID >&2; exec tee /dev/null) |
(echo sleeper=$BASHPID >&2; exec sleep 60)
"""

STOPPED = """
(echo writer=$BASHPID >&2; exec yes) | (echo reader=$BASHPID >&2; kill -STOP $BASHPID)
"""

NODE = """
console.error("node=" + process.pid);
require("child_process").spawn(
    "sh", ["-c", "echo child=$$ >&3; exec head -c 1000000 /dev/zero >&2"],
    {stdio: ["ignore", "pipe", "pipe", 2]},
);
"""

TELL = """
import os, sys
def tell(name):
    os.write(2, b"%s=%d\\n" % (name.encode(), os.getpid()))
"""

POPEN = TELL + """
import subprocess
tell("parent")
child = "echo child=$$ >&2; exec head -c 1000000 /dev/zero"
subprocess.Popen(["sh", "-c", child], stdout=subprocess.PIPE).wait()
"""

# What the loop has not asked for it does not watch: its buffer is full.
ASYNCIO = TELL + """
import asyncio
async def main():
    child = "echo shell=$$ >&2; (echo child=$BASHPID >&2; exec head -c 1000000 /dev/zero); true"
    await (await asyncio.create_subprocess_exec("bash", "-c", child, stdout=-1)).wait()
tell("parent")
asyncio.run(main())
"""

QUEUE = TELL + """
import multiprocessing
def work(queue):
    queue.put(b"x" * 1000000)
    tell("child")
context = multiprocessing.get_context("fork")
queue = context.Queue()
tell("parent")
child = context.Process(target=work, args=[queue])
child.start()
child.join()
"""

FIFOS = """
cd {place}; mkfifo a b
(echo one=$BASHPID >&2; exec 3>a 4<b) & (echo two=$BASHPID >&2; exec 3>b 4<a) & wait
"""

FIFOS_IN_PYTHON = TELL + """
os.chdir("{place}")
os.mkfifo("there")
os.mkfifo("back")
if os.fork():
    tell("one")
    os.open("back", os.O_RDONLY), os.open("there", os.O_WRONLY)
else:
    tell("two")
    os.open("there", os.O_RDONLY), os.open("back", os.O_WRONLY)
"""

# Until the lock is held the waiter asks for it without waiting.
WAIT_FOR_LOCK = "while flock -n {place}/lock true; do :; done;"

LOCK_OF_CHILD = """
flock {place}/lock sh -c 'echo sleeper=$$ >&2; exec sleep 60' & echo holder=$! >&2
""" + WAIT_FOR_LOCK + "flock {place}/lock true & echo waiter=$! >&2; wait"

LOCK_OF_DESCRIPTOR = """
(exec 9>{place}/lock; flock 9; echo holder=$BASHPID >&2; exec sleep 60) &
""" + WAIT_FOR_LOCK + "echo waiter=$$ >&2; exec flock {place}/lock true"

# The shell locks, and starts a job that inherits the descriptor; it closes its own.
LOCK_OF_JOB = """
exec 9>{place}/lock; flock 9; sleep 60 & echo holder=$! >&2; exec 9>&-
echo waiter=$$ >&2; exec flock {place}/lock true"""

# Nobody of those that opened the file or locked it lives on.
LOCK_OF_ORPHAN = """
bash -c 'exec 9>{place}/lock; flock 9; sleep 60 & echo holder=$! >&2'
echo waiter=$$ >&2; exec flock {place}/lock true"""

LOCK_IN_PYTHON = TELL + """
import fcntl, time
file = open("{place}/lock", "w")
ready, locked = os.pipe()
if not os.fork():
    fcntl.lockf(file, fcntl.LOCK_EX)
    tell("holder")
    os.close(ready), os.close(locked)
    time.sleep(60)
os.close(locked)
os.read(ready, 1)
tell("waiter")
fcntl.lockf(file, fcntl.LOCK_EX)
"""

# Name: the command, its parties, the finding, who waits first, what the text says, the advice.
# A trace has who asked for the lock, a look at the machine only who has it.
KEPT = ["sleep[{holder}]", "flock -w 10", ">&- &;"]

CHAINS = {
    "tee": (
        ["bash", "-c", TEE], "full-channel", "seq",
        ["should be read by tee[{tee}]", "tee[{tee}] waits to write to pipe:[",
         "which sleep[{sleeper}] should read; sleep[{sleeper}] sleeps until its time is over",
         "(the pipe holds 65,536 of 65,536 bytes)"],
        "look at sleep[{sleeper}]",
    ),
    "stopped reader": (
        ["bash", "-c", STOPPED], "full-channel", "writer", ["bash[{reader}] is stopped"],
        "kill -CONT {reader}",
    ),
    "node": (
        ["node", "-e", NODE], "full-channel", "child", ["[{node}] waits in epoll_", "and not for"],
        "child.stderr.resume()",
    ),
    "Popen.wait": ([PYTHON, "-c", POPEN], "deadlock", "parent child", [], "communicate()"),
    "asyncio": (
        [PYTHON, "-c", ASYNCIO], "deadlock", "parent child shell", [],
        "await proc.communicate()",
    ),
    "Queue": (
        [PYTHON, "-c", QUEUE], "deadlock", "parent child", [], "get everything before join()",
    ),
    "FIFOs": (
        ["bash", "-c", FIFOS], "deadlock", "one two",
        ["bash[{one}] waits for whoever opens a for reading", "wait for each other ",
         "bash[{two}] waits for whoever opens b for reading", "in the wrong order"],
        "in the same order",
    ),
    "FIFOs in Python": (
        [PYTHON, "-c", FIFOS_IN_PYTHON], "deadlock", "one two",
        ["[{one}] waits for whoever opens back for writing", "in the wrong order",
         "[{two}] waits for whoever opens there for writing"],
        "in the same order",
    ),
    "lock of a child": (
        ["bash", "-c", LOCK_OF_CHILD], "blocked", "waiter",
        ["flock[{holder}] waits for the end of sleep[{sleeper}]", "sleep[{sleeper}] sleeps until"],
        "let flock[{holder}] give the lock back",
    ),
    "lock of a descriptor": (
        ["bash", "-c", LOCK_OF_DESCRIPTOR], "blocked", "waiter",
        ["sleep[{holder}] sleeps until"], KEPT,
    ),
    "lock of a job": (
        ["bash", "-c", LOCK_OF_JOB], "blocked", "waiter",
        ["could be ended by sleep[{holder}]", "; sleep[{holder}] sleeps until"],
        KEPT,
    ),
    "lock of an orphan": (
        ["bash", "-c", LOCK_OF_ORPHAN], "blocked", "waiter",
        ["could be ended by sleep[{holder}]", "; sleep[{holder}] sleeps until"],
        KEPT,
    ),
    "lock in Python": (
        [PYTHON, "-c", LOCK_IN_PYTHON], "blocked", "waiter",
        ["could be ended by python3[{holder}]; python3[{holder}] sleeps until"],
        "let python3[{holder}] unlock",
    ),
}  # fmt: skip


def check_chain(findings, names, wanted, first, texts, advice):
    """One error or warning tells of all: who waits first, the words, what to do."""
    told = [f for f in severe(findings) if f["id"] in WAITS]
    expect_equal([f["id"] for f in told], [wanted], f"one finding: {findings}")
    expect_in(told[0]["processes"][0], [names[name] for name in first.split()], "who waits first")
    expect(set(names.values()) <= set(told[0]["processes"]), f"{names} are named", told)
    for text in texts:
        expect_in(text.format(**names), told[0]["text"], "what it says")
    for part in [advice] if isinstance(advice, str) else advice:
        expect_in(part.format(**names), told[0]["advice"], "what to do")


def chain(directory, name):
    command, wanted, first, texts, advice = CHAINS[name]
    needs(command[0])
    command = [word.replace("{place}", directory) for word in command]
    text, findings, result = traced(directory, command, 4)
    names = named_parties(result)
    check_chain(findings, names, wanted, first, texts, advice)
    expect_in(f" {wanted}  ", text, "run says so")
    for word in texts:
        expect_in(word.format(**names), " ".join(text.split()), "in the same words")
    for left in ("a", "b", "there", "back"):
        if os.path.exists(os.path.join(directory, left)):
            os.unlink(os.path.join(directory, left))
    findings, result = untraced(directory, command, hanging(len(names)), wanted, severe)
    check_chain(findings, named_parties(result), wanted, first, texts, advice)


for each in CHAINS:
    scenario(f"one finding tells of the whole chain: {each}")(
        lambda directory, each=each: chain(directory, each)
    )


# The shell waits for the child that writes, and node for the shell.
NODE_OF_SHELL = """
console.error("node=" + process.pid);
require("child_process").spawn(
    "sh",
    ["-c", "echo shell=$$ >&3; sh -c 'echo child=$$ >&3; exec head -c 999999 /dev/zero' >&2; :"],
    {stdio: ["ignore", "pipe", "pipe", 2]},
);
"""


@scenario("a stream of a shell's child that node does not read: run and -p tell how to read it")
def unread_by_node(directory):
    needs("node")
    command = ["node", "-e", NODE_OF_SHELL]
    ways = (lambda: traced(directory, command, 4)[1:],
            lambda: untraced(directory, command, hanging(3), "deadlock", severe))
    for way in ways:
        findings, result = way()
        check_chain(findings, named_parties(result), "deadlock", "node shell child", [],
                    "child.stderr.resume()")


# Each worker opens a FIFO of its own; what their parent does follows.
WORKERS = TELL + """
import time
os.chdir("{place}")
def work(name):
    os.mkfifo(name)
    if not os.fork():
        tell(name)
        while True:
            os.close(os.open(name, os.O_RDONLY))
"""

WAITS_FOR_ALL = """
try:
    while True: os.wait()
except ChildProcessError: pass
"""

OPENERS = {
    "a parent that will come": (2, 'work("a"), work("b")\ntime.sleep(60)'),
    "many workers": (4, 'for name in "abcd": work(name)' + WAITS_FOR_ALL),
    "clients that came before": (
        2, 'for name in "ab": work(name), os.close(os.open(name, os.O_WRONLY))' + WAITS_FOR_ALL,
    ),
}  # fmt: skip


@scenario("who opens a FIFO for whoever may come is in no circle")
def openers(directory):
    for name, (count, script), place in each_in_place(directory, OPENERS):
        command = [PYTHON, "-c", WORKERS.replace("{place}", place) + script]
        _, findings, result = traced(place, command)
        expect_equal(len(named_parties(result)), count, "all began")
        expect_equal([f for f in findings if f["id"] == "deadlock"], [], name)
        for left in "abcd"[:count]:
            os.unlink(os.path.join(place, left))
        if "before" in name:  # a look at the machine does not tell what was
            continue
        looked, _ = untraced(place, command, hanging(count), "blocked")
        expect_equal([f for f in looked if f["id"] == "deadlock"], [], f"{name}, by -p")


SOUND = {
    "a reader that works": "cat /dev/urandom | tee /dev/null | gzip >/dev/null",
    "a reader whose children work": "yes | xargs -n 1000 python3 -c 'sum(range(3000000))'",
    "lock in turns": """
        for i in 1 2; do
            while :; do flock {place}/lock sleep 0.1; done &
        done; wait""",
    "lock of jobs that end": """
        while :; do
            exec 9>{place}/lock; flock 9; sleep 0.1 & exec 9>&-
            flock {place}/lock true
        done""",
}


@scenario("whose reader works, or who gives a lock back in time, is not accused")
def sound(directory):
    for name, script, place in each_in_place(directory, SOUND):
        script = script.replace("{place}", f"'{place}'")
        _, findings, _ = traced(place, ["bash", "-c", script])
        expect_equal(severe(findings), [], name)


# The last one has read a line and sleeps: no hang, and slow all the same.
SLOW = "{ echo who=$BASHPID >&2; exec yes; } | tee /dev/null | { read -r line; exec sleep 60; }"


@scenario("a sender that waits for a second, by way of tee, for a reader that only sleeps: a warning")
def slow_reader(directory):
    command = ["bash", "-c", SLOW]
    _, findings, result = traced(directory, command, 3)
    looked, run_of = untraced(directory, command, hanging(1), "full-channel")
    for found, run in ((findings, result), (looked, run_of)):
        told = severe(found)
        expect_equal([f["id"] for f in told], ["full-channel"], "one finding")
        expect_equal(told[0]["severity"], "warning", "nobody hangs")
        expect_in(f"yes[{named_parties(run)['who']}] waited", told[0]["text"], "the sender")
        expect_in("sleeps until its time is over", told[0]["text"], "the one at the end")


# Its parent has the master and waits for its end: nobody else could type there.
KEPT_KEYS = """
import os, pty
pid, master = pty.fork()
if not pid:
    os.execlp("cat", "cat")
os.write(2, b"cat=%d\\n" % pid)
os.wait()
"""

TIMERS = {
    "sleep": ["sleep", "60"],
    "poll": [PYTHON, "-c", "import select; select.select([], [], [], 60)"],
}


@scenario("who waits for the clock or a key press: it is named")
def clock(directory):
    for name, command, place in each_in_place(directory, TIMERS):
        _, findings, _ = traced(place, command)
        looked, _ = untraced(place, command, lambda run: asleep(run.process.pid), "blocked")
        for found in (findings, looked):
            told = [f for f in found if f["id"] == "blocked"]
            expect_equal([f["severity"] for f in told], ["note"], name)
            expect_in("could be ended by the clock", told[0]["text"], name)
    master, slave = pty.openpty()
    options = {"status": TIMED_OUT, "whole": False, "stdin": slave}
    result = record(directory, ["cat"], "--timeout", 2, **options)
    told = " ".join(f["text"] for f in diagnose(result.trace_path)[0])
    expect_in("could be ended by a key press at pty:", told, "of a terminal outside the trace")
    os.close(slave)
    os.close(master)


@scenario("whoever has the master of a terminal, and waits for its reader, could type: no key helps")
def kept_keys(directory):
    _, findings, result = traced(directory, [PYTHON, "-c", KEPT_KEYS])
    looked, run_of = untraced(directory, [PYTHON, "-c", KEPT_KEYS], hanging(1), "deadlock")
    for found, names in ((findings, named_parties(result)), (looked, named_parties(run_of))):
        told = " ".join(f["text"] for f in found if f["id"] == "deadlock")
        expect_in(f"cat[{names['cat']}]", told, "whose")
        expect("a key press" not in str(found), "nobody else has the master", found)


# The watcher of a directory tells its pid once it watches.
WATCH = TELL + """
import ctypes, select
libc = ctypes.CDLL(None)
descriptor = libc.inotify_init1(0)
assert libc.inotify_add_watch(descriptor, b"{place}", 0x100) > 0
{prepare}
tell("watcher")
{wait}
"""

WATCHES = {
    "read": ("", "os.read(descriptor, 4096)"),
    "poll": ("way = select.poll(); way.register(descriptor, select.POLLIN)", "way.poll()"),
    "select": ("", "select.select([descriptor], [], [])"),
    "epoll": ("way = select.epoll(); way.register(descriptor, select.EPOLLIN)", "way.poll()"),
}


@scenario("who waits for a change of a file (inotify) is sound, and it is named, by all three ways")
def files(directory):
    for name, (prepare, wait), place in each_in_place(directory, WATCHES):
        code = WATCH.replace("{place}", place).format(prepare=prepare, wait=wait)
        _, findings, result = traced(place, [PYTHON, "-c", code])
        looked, looked_at = untraced(place, [PYTHON, "-c", code], hanging(1), "blocked")
        for found, run_of in ((findings, result), (looked, looked_at)):
            told = [f for f in found if f["id"] == "blocked"]
            expect_equal(severe(found), [], f"{name} is sound")
            expect_equal([f["processes"] for f in told], [[named_parties(run_of)["watcher"]]], name)
            expect_in("could be ended by a change of a file", told[0]["text"], name)
            expect_in("only a change of a file can end that", told[0]["evidence"][0], name)


if __name__ == "__main__":
    main()
