#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Waits for what cannot come as they are, in traces and by -p; and sound ones that look alike."""
import os

from expectations import expect, expect_equal, expect_in
from findings import diagnose, severe
from hangs import PYTHON, asleep, traced, untraced
from harness import main, scenario

MAY_RUN_BESIDE_OTHERS = True

BEGIN = """
import ctypes, mmap, os, select, signal, time
libc = ctypes.CDLL(None)
def ready(): os.write(1, b"%d\\n" % os.getpid())
def change(semaphore, by): libc.semop(semaphore, (ctypes.c_short * 3)(0, by, 0), 1)
def writer_pauses(ends):
    if not os.fork():
        os.close(ends[0]); signal.pause()
    os.close(ends[1])
"""

# Each waits in its last call; the words are of its finding, the last ones of its advice.
VAIN = {
    "pending": (
        """
signal.signal(signal.SIGUSR1, lambda *_: None)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
os.kill(os.getpid(), signal.SIGUSR1)
ready(); signal.pause()
""",
        "blocked", "SIGUSR1 was sent to", "sigsuspend()",
    ),
    "pending-other": (
        """
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM, signal.SIGUSR2])
signal.alarm(1)
ready(); signal.sigwait([signal.SIGUSR2])
""",
        "blocked", "SIGALRM was sent to", "of their set",
    ),
    "nfds": (
        """
ends = os.pipe(); writer_pauses(ends)
words = (ctypes.c_ulong * 16)(); words[0] = 1 << ends[0]
ready(); libc.select(ends[0], words, None, None, None)
""",
        "blocked", "and none of those is in a set", "plus 1",
    ),
    "wrong-end": (
        """
ends = os.pipe(); writer_pauses(ends)
poll = select.poll(); poll.register(ends[0], select.POLLOUT)
ready(); poll.poll()
""",
        "blocked", "is a reading end of pipe:[", "POLLIN",
    ),
    "zero": (
        """
semaphore = libc.semget(0, 1, 0o600); libc.semctl(semaphore, 0, 16, 3)
for _ in range(2):
    if not os.fork():
        change(semaphore, -1); os._exit(0)
    os.wait()
ready(); change(semaphore, 0)
""",
        "semaphore-stuck", "to become 0, and nobody will lower it: its value is 1", "take 1 on",
    ),
}  # fmt: skip

# Only a trace, or only a look at the machine, tells these.
TRACED = {
    "set-anew": (
        """
semaphore = libc.semget(0, 1, 0o600)
if not os.fork():
    change(semaphore, 1); os._exit(0)
os.wait(); libc.semctl(semaphore, 0, 16, 0)
ready(); change(semaphore, -1)
""",
        "semaphore-stuck", "had posted it, which took that back", "before fork()",
    ),
    "in-handler": (
        """
memory = mmap.mmap(-1, 4096); semaphore = ctypes.byref(ctypes.c_char.from_buffer(memory))
libc.sem_init(semaphore, 1, 1)
handler = ctypes.CFUNCTYPE(None, ctypes.c_int)(lambda _: libc.sem_wait(semaphore))
libc.signal(signal.SIGALRM, handler)
if not os.fork(): os._exit(0)
libc.sem_wait(semaphore); ready(); signal.alarm(1); libc.sleep(100)
""",
        "semaphore-stuck", "it waits in its handler of SIGALRM", "signal-safety(7)",
    ),
    "left-taken": (
        """
libc.sem_unlink(b"/ipclens-vain"); libc.sem_open.restype = ctypes.c_void_p
semaphore = ctypes.c_void_p(libc.sem_open(b"/ipclens-vain", os.O_CREAT, 0o600, 1))
if not os.fork():
    libc.sem_wait(semaphore); os._exit(1)
os.wait(); ready(); libc.sem_wait(semaphore)
""",
        "blocked", "no new value", "sem_unlink()",
    ),
}  # fmt: skip

LOOKED_AT = {
    "disarmed": (
        """
timer = libc.timerfd_create(1, 0)
libc.timerfd_settime(timer, 0, (ctypes.c_long * 4)(1, 0, 0, 0), None)
ready(); os.read(timer, 8)
""",
        "blocked", "is not armed, so it never expires", "it_value",
    ),
}  # fmt: skip

SOUND = {
    "armed": """
timer = libc.timerfd_create(1, 0)
libc.timerfd_settime(timer, 0, (ctypes.c_long * 4)(0, 0, 90, 0), None)
ready(); os.read(timer, 8)
""",
    "lets-in": """
signal.signal(signal.SIGUSR1, lambda *_: None)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
ready(); libc.sigsuspend((ctypes.c_ulong * 16)())
""",
    "child-pending": """
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD, signal.SIGTERM])
if not os.fork(): os._exit(0)
ready(); signal.sigwait([signal.SIGTERM])
""",
    "sleeps": """
ready(); libc.select(3, None, None, None, (ctypes.c_long * 2)(90, 0))
""",
    "both-ways": """
import socket
own, other = socket.socketpair()
if not os.fork():
    own.close(); time.sleep(90)
other.close(); ready(); select.select([own], [], [])
""",
}


def command(program):
    return [PYTHON, "-c", BEGIN + program]


def is_ready(result):
    return result.stdout.strip() and asleep(int(result.stdout.split()[-1]))


def place(directory, name):
    path = os.path.join(directory, name)
    os.mkdir(path)
    return path


def expect_told(findings, name, case):
    _, wanted, text, advice = case
    told = [f for f in findings if f["id"] == wanted]
    expect_equal(len(told), 1, f"{name} is told once: {findings}")
    expect(told[0]["severity"] != "note", f"{name} is a fault", told)
    expect_in(text, " ".join([told[0]["text"], *told[0]["evidence"]]), name)
    expect_in(advice, told[0]["advice"], f"{name}: the remedy")
    return told[0]


@scenario("a trace tells why a wait is in vain, and what to do")
def in_traces(directory):
    try:
        for name, case in (VAIN | TRACED).items():
            _, findings, _ = traced(place(directory, name), command(case[0]), 3)
            told = expect_told(findings, name, case)
            if name == "in-handler":
                expect_equal(len(told["processes"]), 1, "no other process is accused")
    finally:
        if os.path.exists("/dev/shm/sem.ipclens-vain"):
            os.unlink("/dev/shm/sem.ipclens-vain")


@scenario("diagnose -p tells why a wait is in vain, and what to do")
def untraced_ones(directory):
    for name, case in (VAIN | LOOKED_AT).items():
        findings, _ = untraced(
            place(directory, name), command(case[0]), is_ready, case[1],
            lambda found: [f for f in found if f["severity"] != "note"],
        )  # fmt: skip
        expect_told(findings, name, case)


@scenario("waits of sound programs that look alike are no faults")
def sound_ones(directory):
    for name, program in SOUND.items():
        where = place(directory, name)
        _, findings, _ = traced(where, command(program))
        expect_equal(severe(findings), [], f"{name}, traced")
        findings, _ = untraced(where, command(program), is_ready, "blocked")
        expect_equal(severe(findings), [], f"{name}, looked at")


@scenario("a wait for 0 is told in German, too")
def german(directory):
    _, _, result = traced(directory, command(VAIN["zero"][0]))
    told = diagnose(result.trace_path, "--lang", "de")[0]
    expect_in("der 0 werden soll, und niemand senkt ihn: sein Wert ist 1", told[0]["text"], "zero")


if __name__ == "__main__":
    main()
