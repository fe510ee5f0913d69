#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Who waits where nobody can come: at a queue, FIFO, listener or semaphore whose name was removed,
and at an epoll instance with nothing in its set. The finding says so, and why."""
import os

from expectations import expect, expect_equal, expect_in
from findings import severe
from hangs import PYTHON, hanging, named_parties, traced, untraced
from harness import each_in_place, main, scenario

MAY_RUN_BESIDE_OTHERS = True

BEGIN = """
import ctypes, multiprocessing, os, select, socket, sys, time
os.chdir("{place}")
def tell(name):
    os.write(2, f"{name}={os.getpid()}\\n".encode())
rt = ctypes.CDLL("librt.so.1")
def queue():
    name = b"/ipclens-removed-%d" % os.getpid()
    made = rt.mq_open(name, os.O_RDWR | os.O_CREAT, 0o600, None)
    rt.mq_unlink(name)
    return made
room = ctypes.create_string_buffer(8192)
"""

QUEUE = """
q = queue()
if os.fork() == 0:
    os._exit(0)
os.wait()
tell("waiter")
rt.mq_receive(q, room, 8192, None)
"""

LISTENER = """
s = socket.socket(socket.AF_UNIX)
s.bind("door")
s.listen()
os.unlink("door")
tell("waiter")
s.accept()
"""

FIFO = """
os.mkfifo("fifo")
f = os.open("fifo", os.O_RDWR)
os.unlink("fifo")
tell("waiter")
os.read(f, 1)
"""

OPENED = """
os.mkfifo("{place}/fifo")
if os.fork() == 0:
    time.sleep(0.3)
    os.unlink("{place}/fifo")
    os._exit(0)
tell("waiter")
os.open("{place}/fifo", os.O_RDONLY)
"""

LOCK = """
lock = multiprocessing.Lock()
p = multiprocessing.Process(target=lambda: (lock.acquire(), time.sleep(60)))
p.start()
time.sleep(0.3)
p.terminate()
p.join()
tell("waiter")
lock.acquire()
"""

EMPTY = """
e = select.epoll()
tell("waiter")
e.poll(-1)
"""

REFUSED = """
e = select.epoll()
try:
    e.register(os.open("/etc/passwd", os.O_RDONLY), select.EPOLLIN)
except OSError:
    pass
tell("waiter")
e.poll(-1)
"""

REMOVED = "no other process can open it or connect to it"
NOTHING = "there is nothing in the set of epoll:["
# The program, the finding, what the evidence says of it in a trace, and by -p; None: not asked.
HANGS = {
    "queue": (QUEUE, "blocked", f"removed the name of posix-mq|{REMOVED}", REMOVED),
    "listener": (LISTENER, "blocked", f"removed the name of unix-stream|{REMOVED}", REMOVED),
    "FIFO": (FIFO, "blocked", f"removed the name of fifo|{REMOVED}", REMOVED),
    "FIFO being opened": (OPENED, "blocked", "removed |nobody can open the FIFO", None),
    "lock of multiprocessing": (LOCK, "semaphore-stuck", "nobody else could end that", ""),
    "empty epoll": (EMPTY, "blocked", NOTHING, NOTHING),
    "refused by epoll": (REFUSED, "blocked", f"{NOTHING}|failed with EPERM", NOTHING),
}


def check(findings, name, words, waiter):
    told = [finding for finding in severe(findings) if finding["id"] == name]
    expect_equal(len(told), 1, f"{name} is told once: {findings}")
    expect_in(waiter, told[0]["processes"], "of the one that waits")
    said = " ".join([told[0]["text"], *told[0]["evidence"]])
    for word in words.split("|"):
        expect_in(word, said, "why nobody can come")
    expect("somebody" not in said and "whoever" not in said, "nobody is expected", told)


@scenario("who waits where nobody can come is told so, and why")
def removed(directory):
    for each, (program, name, words, looked), place in each_in_place(directory, HANGS):
        command = [PYTHON, "-c", (BEGIN + program).replace("{place}", place)]
        _, findings, result = traced(place, command)
        check(findings, name, words, named_parties(result)["waiter"])
        for left in ("door", "fifo"):
            if os.path.exists(os.path.join(place, left)):
                os.unlink(os.path.join(place, left))
        if looked is not None:
            findings, result = untraced(place, command, hanging(1), name, severe)
            check(findings, name, looked, named_parties(result)["waiter"])


# The same, and somebody who has it still comes.
SOUND = {
    "queue": """
q = queue()
if os.fork() == 0:
    while True:
        rt.mq_send(q, b"x", 1, 0)
        time.sleep(0.6)
while True:
    rt.mq_receive(q, room, 8192, None)
""",
    "listener": """
s = socket.socket(socket.AF_UNIX)
s.bind("door")
s.listen()
s.accept()
""",
    "listener in another place": """
s = socket.socket(socket.AF_UNIX)
s.bind("door.new")
s.listen()
os.rename("door.new", "door")
s.accept()
""",
    "FIFO": """
os.mkfifo("fifo")
f = os.open("fifo", os.O_RDWR)
os.unlink("fifo")
if os.fork() == 0:
    while True:
        os.write(f, b"x")
        time.sleep(0.6)
while True:
    os.read(f, 1)
""",
    "lock of multiprocessing": """
lock = multiprocessing.Lock()
def work():
    while True:
        with lock:
            time.sleep(0.1)
multiprocessing.Process(target=work).start()
work()
""",
    "epoll that another thread fills": """
import threading
e = select.epoll()
def fill():
    time.sleep(60)
    e.register(os.pipe()[0], select.EPOLLIN)
threading.Thread(target=fill, daemon=True).start()
e.poll(-1)
""",
    "epoll as a pause": """
import signal
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
e = select.epoll()
e.poll(-1)
""",
}  # fmt: skip


@scenario("where somebody who has it still comes, or a signal is waited for, nothing is told")
def sound(directory):
    for each, program, place in each_in_place(directory, SOUND):
        command = [PYTHON, "-c", (BEGIN + program).replace("{place}", place)]
        _, findings, _ = traced(place, command)
        expect_equal(severe(findings), [], each)


if __name__ == "__main__":
    main()
