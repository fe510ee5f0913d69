#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Two objects where one was meant: other keys of System V, other names of POSIX, or a queue that
was removed and made again under its name. The waiting process is told who uses the other one."""
import ctypes
import os
import subprocess

from expectations import expect, expect_equal, expect_in
from hangs import PYTHON, named_parties, traced
from harness import main, scenario

MAY_RUN_BESIDE_OTHERS = True

BEGIN = """
import ctypes, os, sys, time
c, rt = ctypes.CDLL(None), ctypes.CDLL("librt.so.1")
def tell(name):
    os.write(2, f"{name}={os.getpid()}\\n".encode())  # print() writes the end of the line apart
class Message(ctypes.Structure):
    _fields_ = [("type", ctypes.c_long), ("text", ctypes.c_char * 8)]
class Change(ctypes.Structure):
    _fields_ = [("number", ctypes.c_ushort), ("by", ctypes.c_short), ("flags", ctypes.c_short)]
MAKE = 0o1000 | 0o600
KEY = 0x41000000 | os.getpid() << 1
def send(queue): c.msgsnd(queue, ctypes.byref(Message(1, b"hi")), 8, 0)
def receive(queue): c.msgrcv(queue, ctypes.byref(Message()), 8, 1, 0)
def change(semaphore, by): c.semop(semaphore, ctypes.byref(Change(0, by, 0)), 1)
"""

# Each process makes its own: that is what differs.
OTHER_QUEUE = """
if os.fork() == 0:
    tell("other")
    q = c.msgget(KEY, MAKE)
    send(q)
    time.sleep(2.5)
    c.msgctl(q, 0, None)
    os._exit(0)
q = c.msgget(KEY + {apart}, MAKE)
tell("waiter")
while True:
    receive(q)
"""

OTHER_SEMAPHORE = """
if os.fork() == 0:
    tell("other")
    s = c.semget(KEY, 1, MAKE)
    while {again}:
        change(s, 1)
        time.sleep(0.2 if {again} > 1 else 60)
s = c.semget(KEY + {apart}, 1, MAKE)
tell("waiter")
while True:
    change(s, -1)
"""

# The other one has its own name wrong, or ({apart} is nothing) the same one.
OTHER_NAME = """
c.sem_open.restype = ctypes.c_void_p
name = b"/ipclens-name-%d" % os.getpid()
other = name + b"{apart}"
room = ctypes.create_string_buffer(8192)
def queue(name): return rt.mq_open(name, os.O_RDWR | os.O_CREAT, 0o600, None)
def semaphore(name): return ctypes.c_void_p(c.sem_open(name, os.O_CREAT, 0o600, 0))
if os.fork() == 0:
    tell("other")
    {give}
    {then}
tell("waiter")
while True:
    {take}
"""


def of_name(parts, apart):
    text = OTHER_NAME.replace("{apart}", apart)
    for place, part in zip(("{give}", "{then}", "{take}"), parts):
        text = text.replace(place, part)
    return text


NAMED_QUEUE = ("rt.mq_send(queue(other), b'x', 1, 0)", "time.sleep(60)",
               "rt.mq_receive(queue(name), room, 8192, None)")
# A child that lives could post to what its parent waits at.
NAMED_SEMAPHORE = "c.sem_post(semaphore(other))", "os._exit(0)", "c.sem_wait(semaphore(name))"

# The child has the semaphore from its parent, and one of its own.
INHERITED = """
c.sem_open.restype = ctypes.c_void_p
name = b"/ipclens-name-%d" % os.getpid()
def semaphore(name, value): return ctypes.c_void_p(c.sem_open(name, os.O_CREAT, 0o600, value))
ready = semaphore(name, 0)
if os.fork() == 0:
    tell("other")
    semaphore(name + b"s", 1)
    time.sleep(60)
tell("waiter")
c.sem_wait(ready)
"""
PROCESSES = """
import multiprocessing
ready = multiprocessing.Semaphore(0)
if os.fork() == 0:
    tell("other")
    multiprocessing.Lock()
    time.sleep(60)
tell("waiter")
ready.acquire()
"""

MADE_AGAIN = """
name = b"/ipclens-again-%d" % os.getpid()
room = ctypes.create_string_buffer(8192)
def queue(): return rt.mq_open(name, os.O_RDWR | os.O_CREAT, 0o600, None)
q = queue()
if os.fork() == 0:
    tell("other")
    time.sleep(0.3)
    rt.mq_unlink(name)
    p = queue()
    rt.mq_send(p, b"x", 1, 0)
    rt.mq_unlink(name)
    time.sleep(60)
tell("waiter")
rt.mq_receive(q, room, 8192, None)
"""

KEYS_DIFFER = "if both mean the same, their keys differ"
NAMES_DIFFER = "if both mean the same, their names differ"
APART = {
    "queue": (OTHER_QUEUE.replace("{apart}", "1"), KEYS_DIFFER, "ftok()"),
    "semaphore": (
        OTHER_SEMAPHORE.replace("{apart}", "1").replace("{again}", "1"), KEYS_DIFFER, "ftok()",
    ),
    "queue by name": (of_name(NAMED_QUEUE, "s"), NAMES_DIFFER, "use one name on both sides"),
    "semaphore by name": (of_name(NAMED_SEMAPHORE, "s"), NAMES_DIFFER, "use one name"),
    "made again": (MADE_AGAIN, "was made by the same name after that", ""),
}  # fmt: skip


def remove_left():
    """The keys of BEGIN: nobody else's begin so."""
    for kind, option in (("msg", "-q"), ("sem", "-s")):
        with open(f"/proc/sysvipc/{kind}", encoding="ascii") as table:
            rows = [line.split() for line in table.readlines()[1:]]
        for key, number, *_ in rows:
            if int(key) & 0xFF000000 == 0x41000000:
                subprocess.run(["ipcrm", option, number], check=False)


def remove_named(pid):
    """What OTHER_NAME makes."""
    for name in (f"/ipclens-name-{pid}{end}" for end in ("", "s", "-log")):
        ctypes.CDLL("librt.so.1").mq_unlink(name.encode())
        ctypes.CDLL(None).sem_unlink(name.encode())


def looked_at(directory, name, program):
    place = os.path.join(directory, name)
    os.mkdir(place)
    try:
        _, findings, result = traced(place, [PYTHON, "-c", BEGIN + program])
    finally:
        remove_left()
    names = named_parties(result)
    remove_named(names["waiter"])
    told = [f for f in findings if f["id"] == "blocked" and f["processes"][0] == names["waiter"]]
    return names, told, findings


@scenario("who waits at one object while the other process uses another is told so")
def apart(directory):
    for name, (program, words, advice) in APART.items():
        names, told, findings = looked_at(directory, name, program)
        expect_equal(len(told), 1, f"{name}: the wait is told: {findings}")
        expect_in(words, " ".join(told[0]["evidence"]), name)
        expect_in(names["other"], told[0]["processes"], "who uses the other one")
        expect_in(advice, told[0]["advice"], "what to do")


TOGETHER = {
    "queue": OTHER_QUEUE.replace("{apart}", "0"),
    "semaphore": OTHER_SEMAPHORE.replace("{apart}", "0").replace("{again}", "2"),
    "queue by name": of_name(NAMED_QUEUE, ""),
    "semaphore by name": of_name(NAMED_SEMAPHORE, ""),
    "names of their own": of_name(NAMED_QUEUE, "-log"),
    "inherited": INHERITED,
    "multiprocessing": PROCESSES,
    # The waiting one has sent its request to the other queue.
    "request and reply": """
requests, replies = c.msgget(KEY, MAKE), c.msgget(KEY + 1, MAKE)
if os.fork() == 0:
    tell("other")
    send(requests)
    time.sleep(60)
send(requests)
tell("waiter")
receive(replies)
""",
}


@scenario("of those that use one object, or both of two, nothing of the kind is told")
def together(directory):
    for name, program in TOGETHER.items():
        _, _, findings = looked_at(directory, name, program)
        said = " ".join(line for f in findings for line in f["evidence"])
        expect(KEYS_DIFFER not in said and NAMES_DIFFER not in said, name, findings)


if __name__ == "__main__":
    main()
