#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Joined while messages and signals wait to be taken: these are from before the trace."""
import signal
import subprocess

from expectations import expect, expect_equal
from harness import main, scenario
from joining import attach, ends, folder

PYTHON = "/usr/bin/python3"
EXACT = ("unix-dgram", "unix-seqpacket", "udp", "sysv-msg", "posix-mq")
SOUND = ("unix-stream",)

# Equal messages lie in a queue when it is joined, others follow, and some of all are taken.
LEFT = """
import ctypes, os, socket, sys

libc = ctypes.CDLL(None, use_errno=True)
kind, old, new, taken = sys.argv[1], *map(int, sys.argv[2:])


class Message(ctypes.Structure):
    _fields_ = [("type", ctypes.c_long), ("text", ctypes.c_char * 64)]


class Attributes(ctypes.Structure):
    _fields_ = [("flags", ctypes.c_long), ("count", ctypes.c_long), ("size", ctypes.c_long)]
    _fields_ += [("more", ctypes.c_long * 5)]


def sockets(kind):
    if kind == "udp":
        b = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        b.bind(("127.0.0.1", 0))
        a = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        a.connect(b.getsockname())
        return a, b
    types = {"unix-stream": socket.SOCK_STREAM, "unix-dgram": socket.SOCK_DGRAM}
    return socket.socketpair(socket.AF_UNIX, types.get(kind, socket.SOCK_SEQPACKET))


if kind == "sysv-msg":
    queue = libc.msgget(0, 0o600)
    send = lambda: libc.msgsnd(queue, ctypes.byref(Message(1, b"equal!")), 6, 0)
    receive = lambda: libc.msgrcv(queue, ctypes.byref(Message()), 64, 0, 0)
elif kind == "posix-mq":
    name = b"/ipclens-test-%d" % os.getpid()
    attributes = ctypes.byref(Attributes(0, 10, 64))
    queue = libc.mq_open(name, os.O_RDWR | os.O_CREAT, 0o600, attributes)
    libc.mq_unlink(name)
    send = lambda: libc.mq_send(queue, b"equal!", 6, 0)
    receive = lambda: libc.mq_receive(queue, ctypes.create_string_buffer(64), 64, None)
else:
    a, b = sockets(kind)
    send = lambda: a.send(b"equal!")
    receive = lambda: b.recv(6)
for _ in range(old):
    send()
print("ready", flush=True)
sys.stdin.readline()
for _ in range(new):
    send()
if os.fork() == 0:
    for _ in range(taken):
        receive()
    os._exit(0)
os.wait()
if kind == "sysv-msg":
    libc.msgctl(queue, 0, None)
"""


def talk(arguments):
    return subprocess.Popen(
        [PYTHON, "-c", *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def say(process, line):
    process.stdin.write(line + "\n")
    process.stdin.flush()


def join_left(directory, kind, old, new, taken):
    """The receives in order: which of the new sends each took, None for none; and its match."""
    with talk([LEFT, kind, old, new, taken]) as one:
        one.stdout.readline()
        run = attach(directory, "-p", one.pid)
        say(one, "go")
        one.wait()
    trace = ends(run)
    found = [m for m in run.messages() if m["mechanism"] == kind and m["received"]]
    sends = [op["id"] for op in trace.operations(role="send") if op["pid"] == one.pid]
    return [
        (sends.index(m["sent"]["op"]) if m["sent"] else None, m["match"])
        for m in sorted(found, key=lambda m: m["received"]["enter_ns"])
    ]


def each_left(directory, kinds):
    for kind in kinds:
        for old, taken in ((0, 4), (3, 6)):
            place = folder(directory, f"{kind}-{old}-{taken}")
            right = [None] * old + list(range(4))
            yield f"{kind}, {old} before", join_left(place, kind, old, 4, taken), right[:taken]


@scenario("what lay in a socket when it was joined is received first, and what follows is exact")
def sockets(directory):
    for what, found, right in each_left(directory, EXACT):
        expect_equal(found, [(place, "exact") for place in right], what)


@scenario("what lay in a stream or queue with classes: nothing that is called exact is wrong")
def queues(directory):
    for what, found, right in each_left(directory, SOUND):
        for (place, match), rightly in zip(found, right):
            expect(match != "exact" or place == rightly, f"{what}: wrong and exact", found)
        if None not in right:
            expect_equal(found, [(place, "exact") for place in right], what)


# Blocks three signals, and takes so many once it is told to, by the way that is asked for.
TAKES = r"""
import ctypes, os, signal, struct, sys

libc = ctypes.CDLL(None, use_errno=True)
way, count = sys.argv[1], int(sys.argv[2])
numbers = [signal.SIGRTMIN, signal.SIGRTMIN + 1, signal.SIGUSR1]
signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
mask = ctypes.create_string_buffer(128)
libc.sigemptyset(mask)
for number in numbers:
    libc.sigaddset(mask, number)
print("blocked", flush=True)
sys.stdin.readline()
taken = []


def note(info):
    number, _, code = struct.unpack_from("iii", info)
    pid, _, value = struct.unpack_from("iii", info, 16)
    taken.append((number, code, pid, value if code == -1 else None))


if way == "wait":
    for _ in range(count):
        info = ctypes.create_string_buffer(128)
        libc.sigwaitinfo(mask, info)
        note(info.raw)
elif way == "signalfd":
    fd = libc.signalfd(-1, mask, 0)
    while len(taken) < count:
        data = os.read(fd, 128)
        for at in range(0, len(data), 128):
            number, _, code, pid = struct.unpack_from("iiii", data, at)
            value = struct.unpack_from("i", data, at + 44)[0]
            taken.append((number, code, pid, value if code == -1 else None))
else:

    @ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.POINTER(ctypes.c_char), ctypes.c_void_p)
    def handler(number, info, context):
        note(info[:128])

    class Action(ctypes.Structure):
        _fields_ = [("handler", ctypes.c_void_p), ("mask", ctypes.c_char * 128)]
        _fields_ += [("flags", ctypes.c_int), ("restorer", ctypes.c_void_p)]

    action = Action(ctypes.cast(handler, ctypes.c_void_p).value, mask.raw, 4, None)
    for number in numbers:
        libc.sigaction(number, ctypes.byref(action), None)
    libc.sigprocmask(1, mask, None)
for row in taken:
    print(*row)
"""

# Sends what it is told to: "queue" with a value, or "kill".
SENDS = """
import ctypes, os, signal, sys
libc = ctypes.CDLL(None)
target = int(sys.argv[1])
print("ready", flush=True)
for line in sys.stdin:
    word, number, value = line.split()
    if word == "queue":
        libc.sigqueue(target, int(number), ctypes.c_void_p(int(value)))
    else:
        os.kill(target, int(number))
    print("sent", flush=True)
"""

REAL, OTHER, USER = int(signal.SIGRTMIN), int(signal.SIGRTMIN) + 1, int(signal.SIGUSR1)
BEFORE = ((REAL, 1), (REAL, 2), (REAL, 7), (OTHER, 7), (USER, None), (REAL, 7))
SINCE = ((REAL, 7), (REAL, 3), (USER, None), (OTHER, 7), (REAL, 7), (OTHER, 9))


def send_all(sender, signals):
    for number, value in signals:
        say(sender, f"kill {number} 0" if value is None else f"queue {number} {value}")
        sender.stdout.readline()


def taken_by(directory, way):
    """Who took what by its own words, and the messages to it."""
    with talk([TAKES, way, len(BEFORE) + len(SINCE) - 1]) as target:
        target.stdout.readline()
        with talk([SENDS, target.pid]) as sender:
            sender.stdout.readline()
            send_all(sender, BEFORE)
            run = attach(directory, "-p", target.pid, "-p", sender.pid)
            send_all(sender, SINCE)
            say(target, "go")
            truth = [line.split() for line in target.stdout.read().splitlines()]
            target.wait()
            sender.stdin.close()
            sender.wait()
    trace = ends(run)
    found = [m for m in run.messages("--to", str(target.pid)) if m["mechanism"] == "signal"]
    calls = [op["id"] for op in trace.operations(role="signal") if op["pid"] == sender.pid]
    return truth, [m for m in found if m["to"] and m["to"]["pid"] == target.pid], calls


@scenario("signals that waited when a process was joined come first; each later one has its sender")
def signals(directory):
    for way in ("wait", "signalfd", "handler"):
        truth, found, calls = taken_by(folder(directory, way), way)
        expect_equal(len(truth), len(BEFORE) + len(SINCE) - 1, f"{way}: taken")
        for name, number in (("SIGRTMIN", REAL), ("SIGRTMIN+1", OTHER), ("SIGUSR1", USER)):
            values = [row[3] for row in truth if int(row[0]) == number]
            since = [i for i, row in enumerate(SINCE) if row[0] == number]
            old = sum(row[0] == number for row in BEFORE)
            sent = [str(row[1]) for row in BEFORE + SINCE if row[0] == number]
            expect_equal(values, sent[: len(values)], f"{way}: {name} comes in order")
            got = [m for m in found if m["signal"] == name and m["fate"] == "handled"]
            senders = [calls.index(m["sent"]["op"]) if m["sent"] else None for m in got]
            expect_equal(senders, ([None] * old + since)[: len(values)], f"{way}: {name}")
            expect_equal({m["match"] for m in got}, {"exact"}, f"{way}: {name} is certain")


# A child sends more than there is room for; its parent lets it be joined, and takes all.
UNDER_WAY = """
import os, socket, struct, sys, tempfile

call, taken = sys.argv[1], int(sys.argv[2])
data = b"".join(struct.pack("<Q", i) for i in range(100000))
a, b = socket.socketpair()
if os.fork() == 0:
    b.close()
    if call == "sendfile":
        file = tempfile.TemporaryFile()
        file.write(data)
        file.flush()
        os.sendfile(a.fileno(), file.fileno(), 0, len(data))
    else:
        os.write(a.fileno(), data)
    os._exit(0)
a.close()
while taken:
    taken -= len(b.recv(taken))
with open(f"/proc/self/task/{os.getpid()}/children") as file:
    child = int(file.read())
while True:
    with open(f"/proc/{child}/stat") as file:
        if file.read().rsplit(")", 1)[1].split()[0] == "S":
            break
print("ready", flush=True)
sys.stdin.readline()
while data := b.recv(20000, socket.MSG_WAITALL):
    print(struct.unpack("<Q", data[:8])[0] * 8, len(data))
"""


@scenario("a send that was under way on a unix stream: its bytes are not said to lie where they do not")
def under_way(directory):
    for how, taken in (("write", 0), ("write", 80000), ("sendfile", 160000)):
        place = folder(directory, f"{how}-{taken}")
        command = [PYTHON, "-c", UNDER_WAY, how, str(taken)]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as target:
            target.stdout.readline()
            run = attach(place, "-p", target.pid, "--children")
            say(target, "go")
            truth = [list(map(int, row.split())) for row in target.stdout]
        trace = ends(run)
        calls = [op for op in trace.operations(syscall="recvfrom") if op.get("returned", 0) > 0]
        expect_equal([op["returned"] for op in calls], [n for _, n in truth], f"{how}: taken")
        places = {op["id"]: at for op, (at, _) in zip(calls, truth)}
        for message in run.messages():
            end = message.get("received")
            if message["match"] == "exact" and message["sent"] and end and end["op"] in places:
                at = places[end["op"]] + end["offset"]
                expect_equal(message["sent"]["offset"], at, f"{how}: place of {message}")


if __name__ == "__main__":
    main()
