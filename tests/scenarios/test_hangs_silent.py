#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Sleeps of which no record tells: in vfork(2), at a page of memory, in io_uring_enter(2)."""
import os
import signal

from expectations import expect, expect_equal, expect_in
from findings import diagnose, expect_nothing_rests_on_a_gap, severe
from hangs import PYTHON, TIMED_OUT, asleep, has, looked_at
from harness import each_in_place, main, record, scenario, start, wait_for

MAY_RUN_BESIDE_OTHERS = True

# posix_spawn(3) opens what its file actions say in a child of vfork(2), before that calls exec(2).
SPAWNS = """
import os
os.chdir("PLACE")
os.mkfifo("fifo")
print(os.getpid(), flush=True)
os.posix_spawn("/bin/true", ["true"], {}, file_actions=[(os.POSIX_SPAWN_OPEN, 0, "fifo", WAY, 0)])
os.wait()
"""
WITHOUT_WAITING = "os.O_RDONLY | os.O_NONBLOCK"

# A page that is registered with userfaultfd(2) (UFFDIO_API, UFFDIO_REGISTER), and its child's read.
FAULTS = """
import ctypes, mmap, os, fcntl, struct
libc = ctypes.CDLL(None)
read, write = os.pipe()
if not os.fork():
    os.close(write)
    os.read(read, 1)
    os._exit(0)
os.close(read)
memory = mmap.mmap(-1, 4096)
address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
faults = libc.syscall(323, os.O_CLOEXEC)
print(os.getpid(), flush=True)
fcntl.ioctl(faults, 0xC018AA3F, struct.pack("=3Q", 0xAA, 0, 0))
fcntl.ioctl(faults, 0xC020AA00, struct.pack("=4Q", address, 4096, 1, 0))
memory[0] = 1
os.write(write, b"x")
"""

# It waits for one completion of a ring to which nothing was submitted.
RING = """
import ctypes, os
libc = ctypes.CDLL(None)
ring = libc.syscall(425, 8, ctypes.create_string_buffer(120))
print(os.getpid(), flush=True)
libc.syscall(426, ring, 0, 1, 1, None, 0)
"""

# name: the program, the severity, what its text says, and its advice
SILENT = {
    "page": (FAULTS, "warning", "(page fault)", "UFFDIO_COPY"),
    "ring": (RING, "note", "what was submitted there", "io_uring_submit()"),
}


def recorded(directory, name, script, status):
    place = os.path.join(directory, name)
    os.mkdir(place)
    script = script.replace("PLACE", place)
    return record(place, [PYTHON, "-c", script], "--timeout", "2", status=status, whole=False)


def looked(directory, script, name):
    place = os.path.join(directory, "untraced")
    os.mkdir(place)
    script = script.replace("PLACE", place)
    result = start(place, [PYTHON, "-c", script], start_new_session=True)
    try:
        wait_for(lambda: result.stdout.strip() and asleep(result.process.pid, b"SD"), "its sleep")
        return looked_at(result.process.pid, has(name), name)[0]
    finally:
        os.killpg(result.process.pid, signal.SIGKILL)
        result.process.wait()


def check_spawn(findings):
    found = [finding for finding in findings if finding["id"] == "blocked"]
    expect_equal([finding["severity"] for finding in found], ["warning"], "one wait is told")
    told = " ".join(found[0]["evidence"])
    expect_in("by its exec() or its end", told, "whose exec() ends the wait")
    expect_in("was made by vfork() and has not called exec()", told, "why")
    expect_in("fifo", told, "what the child waits for")
    return found[0]


@scenario("who sleeps in vfork() waits for its child, which opens a FIFO before its exec()")
def spawns(directory):
    run = recorded(directory, "traced", SPAWNS.replace("WAY", "os.O_RDONLY"), TIMED_OUT)
    check_spawn(diagnose(run.trace_path)[0])
    expect_nothing_rests_on_a_gap(run.trace_path, 3)
    check_spawn(looked(directory, SPAWNS.replace("WAY", "os.O_RDONLY"), "blocked"))


@scenario("one that starts a program in that way, and waits for nobody, is sound")
def sound(directory):
    run = recorded(directory, "traced", SPAWNS.replace("WAY", WITHOUT_WAITING), 0)
    expect_equal(severe(diagnose(run.trace_path)[0]), [], "nothing is wrong")


@scenario("where all of a program sleeps at its time limit, it is told, be it in no call of IPC")
def silent(directory):
    for name, (script, severity, text, advice) in SILENT.items():
        run = recorded(directory, name, script, TIMED_OUT)
        found = diagnose(run.trace_path)[0]
        told = [finding for finding in found if finding["id"] == "blocked"]
        expect_equal([finding["severity"] for finding in told], [severity], name)
        expect_in(text, told[0]["text"], name)
        expect_in(advice, told[0]["advice"], name)
        expect(len(told[0]["evidence"]) == (name == "page"), "who waits for it is told", told)
        expect_nothing_rests_on_a_gap(run.trace_path, 3)


@scenario("-p tells the same of them")
def silent_untraced(directory):
    for name, (script, severity, text, _), place in each_in_place(directory, SILENT):
        told = [f for f in looked(place, script, "blocked") if f["id"] == "blocked"]
        expect_equal([finding["severity"] for finding in told], [severity], name)
        expect_in(text, told[0]["text"], name)


if __name__ == "__main__":
    main()
