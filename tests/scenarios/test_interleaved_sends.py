#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Calls that send in several parts on a shared stream: each byte has its place in its call."""
import json
import os

from expectations import expect, expect_equal
from harness import main, record, scenario

# Two processes send on one unix stream, two receive; each unit of 8 bytes says whose it is and
# where it stands in what its sender has sent in all. Each logs its calls.
WORKLOAD = """
import ctypes, json, os, random, socket, struct, sys, tempfile
call, receive, directory = sys.argv[1:]
libc = ctypes.CDLL(None)
class Iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]
class Header(ctypes.Structure):
    _fields_ = [("name", ctypes.c_void_p), ("name_len", ctypes.c_uint32), ("iov", ctypes.c_void_p),
                ("count", ctypes.c_size_t), ("control", ctypes.c_void_p),
                ("control_len", ctypes.c_size_t), ("flags", ctypes.c_int)]
class Message(ctypes.Structure):
    _fields_ = [("header", Header), ("len", ctypes.c_uint)]
def vector(buffers):
    iov, messages = (Iovec * len(buffers))(), (Message * len(buffers))()
    for i, (base, size) in enumerate(buffers):
        iov[i] = Iovec(base, size)
        messages[i].header.iov, messages[i].header.count = ctypes.addressof(iov[i]), 1
    return iov, messages
a, b = socket.socketpair()
a.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 9000)
def send(number):
    at, log, source = 0, [], tempfile.TemporaryFile()
    rand = random.Random(number)
    for _ in range(40):
        units = rand.randrange(1, 20000)
        data = b"".join(struct.pack("<II", number, at + i) for i in range(units))
        if call == "sendfile":
            source.seek(0)
            source.truncate()  # what is under way lies in the file's own pages
            source.write(data)
            source.flush()
            size = os.sendfile(a.fileno(), source.fileno(), 0, len(data))
        else:
            cuts = [0, 0, units // 3 * 8, units // 3 * 8, units // 2 * 8, len(data)]
            room = ctypes.create_string_buffer(data, len(data))
            iov, messages = vector([(ctypes.addressof(room) + x, y - x)
                                    for x, y in zip(cuts, cuts[1:])])
            count = libc.sendmmsg(a.fileno(), messages, len(cuts) - 1, 0)
            size = sum(messages[i].len for i in range(count))
        log.append((at * 8, size))
        at += size // 8
    return log
def take(number):
    log = []
    while True:
        if receive == "recvmmsg":
            rooms = [ctypes.create_string_buffer(size) for size in (800, 24, 30000)]
            iov, messages = vector([(ctypes.addressof(r), len(r)) for r in rooms])
            count = libc.recvmmsg(b.fileno(), messages, 3, 0, None)
            data = b"".join(rooms[i].raw[: messages[i].len] for i in range(count))
        else:
            data = b.recv(30000, socket.MSG_WAITALL)
        if not data:
            return log
        runs = []
        for i in range(0, len(data), 8):
            who, at = struct.unpack("<II", data[i : i + 8])
            if runs and runs[-1][1] == who and runs[-1][2] + runs[-1][3] == at * 8:
                runs[-1][3] += 8
            else:
                runs.append([i, who, at * 8, 8])
        log.append(runs)
children = []
for work, number in ((send, 1), (send, 2), (take, 3), (take, 4)):
    child = os.fork()
    if child == 0:
        (b if work is send else a).close()
        log = work(number)
        with open(f"{directory}/{number}", "w") as out:
            json.dump([os.getpid(), log], out)
        os._exit(0)
    children.append(child)
a.close()
b.close()
for child in children:
    assert os.waitpid(child, 0)[1] == 0
"""


def load(directory, number):
    with open(os.path.join(directory, str(number)), encoding="ascii") as file:
        return json.load(file)


def moved(op):
    return sum(op["lengths"]) if "lengths" in op else op.get("returned", 0)


def calls_of(trace, pid, name):
    calls = [op for op in trace.operations(pid=pid, syscall=name) if moved(op) > 0]
    return sorted(calls, key=lambda op: op["enter_ns"])


def meant(message, sent, received):
    """Whose bytes these are, by what the trace says and by what they say themselves."""
    who, base = sent[message["sent"]["op"]]
    begin, end = message["received"]["offset"], message["received"]["offset"] + message["bytes"]
    told, read = [(who, base + message["sent"]["offset"], message["bytes"])], []
    for at, sender, place, size in received[message["received"]["op"]]:
        low, high = max(at, begin), min(at + size, end)
        if low < high:
            read.append((sender, place + low - at, high - low))
    return told, read


def check(directory, call, receive):
    logs = os.path.join(directory, f"{call}-{receive}")
    os.mkdir(logs)
    result = record(
        directory,
        ["/usr/bin/python3", "-c", WORKLOAD, call, receive, logs],
        "--buffers",
        "--payload",
        "0",
    )
    sent, received, total = {}, {}, 0
    for number in (1, 2):
        pid, log = load(logs, number)
        calls = calls_of(result.trace, pid, call)
        expect_equal([moved(op) for op in calls], [size for _, size in log], "calls that sent")
        sent |= {op["id"]: (number, base) for op, (base, _) in zip(calls, log)}
    for number in (3, 4):
        pid, log = load(logs, number)
        calls = calls_of(result.trace, pid, "recvmmsg" if receive == "recvmmsg" else "recvfrom")
        expect_equal(len(calls), len(log), "calls that received")
        received |= {op["id"]: runs for op, runs in zip(calls, log)}
        total += sum(run[3] for runs in log for run in runs)
    for message in result.messages():
        if not message["received"] or message["received"].get("op") not in received:
            continue
        expect(message["sent"], "it has a sender", message)
        expect_equal(message["match"], "exact", "nothing is in doubt")
        told, read = meant(message, sent, received)
        expect_equal(told, read, "each byte is told as it was")
        total -= message["bytes"]
    expect_equal(total, 0, "all is told")


@scenario("messages of a sendmmsg, empty ones among them, and inner sends of a sendfile")
def parts(directory):
    for call in ("sendmmsg", "sendfile"):
        for receive in ("waitall", "recvmmsg"):
            check(directory, call, receive)


if __name__ == "__main__":
    main()
