#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""One UDP datagram of several sends (MSG_MORE, UDP_CORK): each send has its part of it."""
import json
import sys

from expectations import expect_equal
from harness import main, record, scenario

HEAD = """
import ctypes, os, json, socket, struct, sys, tempfile
MORE, UDP, CORK, SPLICE_MORE, libc = 0x8000, 17, 1, 4, ctypes.CDLL(None, use_errno=True)
family = socket.AF_INET
def pair():
    global a, b
    b = socket.socket(family, socket.SOCK_DGRAM); b.bind(("localhost", 0))
    a = socket.socket(family, socket.SOCK_DGRAM); a.connect(b.getsockname())
def cork(on): a.setsockopt(UDP, CORK, on)
def many(words, flags):
    class Iov(ctypes.Structure): _fields_ = [("base", ctypes.c_char_p), ("len", ctypes.c_size_t)]
    class Msg(ctypes.Structure): _fields_ = [("name", ctypes.c_void_p), ("name_len", ctypes.c_uint),
        ("iov", ctypes.POINTER(Iov)), ("iov_len", ctypes.c_size_t), ("control", ctypes.c_void_p),
        ("control_len", ctypes.c_size_t), ("flags", ctypes.c_size_t), ("len", ctypes.c_size_t)]
    iov = [Iov(w, len(w)) for w in words]
    m = (Msg * len(words))(*[Msg(iov=ctypes.pointer(i), iov_len=1) for i in iov])
    assert libc.sendmmsg(a.fileno(), m, len(words), flags) == len(words)
def got(size, *parts):
    data = b.recv(size)
    assert len(b"".join(parts)[:size]) == len(data), (data, parts)
    assert b"????" in parts or b"".join(parts)[:size] == data, (data, parts)
    print(json.dumps([p.decode() for p in parts] + [size]), flush=True)
pair()
"""


def traced(directory, workload, *options):
    program = HEAD + workload
    return record(directory, [sys.executable, "-c", program], *options)


def parts_of(result):
    """[what was sent, its place in what was received, how much of it was] by receive."""
    received = {}
    for m in result.messages().of("udp"):
        op = result.trace.operation(m["sent"]["op"])
        size = m["bytes"] + m.get("cut", 0)
        payload = op.get("payload", "")[m["sent"]["offset"] :][:size] or "?" * size
        key = m["received"]["op"] if m["received"] else m["fate"]
        place = m["received"]["offset"] if m["received"] else 0
        received.setdefault(key, []).append((payload, place, m["bytes"], m["match"]))
    return received


def truth_of(result):
    """The same, of the lines that the workload wrote: the parts, and the room there was."""
    found = []
    for line in result.stdout.splitlines():
        *parts, room = json.loads(line)
        at, rows = 0, []
        for part in parts:
            rows.append((part, min(at, room), max(0, min(len(part), room - at)), "exact"))
            at += len(part)
        found.append(rows)
    return found


def check(directory, workload, *options, left=()):
    result = traced(directory, workload, *options)
    received = parts_of(result)
    rest = [received.pop(fate) for fate in ("discarded", "unread") if fate in received]
    truth = truth_of(result)
    for rows, wanted in zip((received[key] for key in sorted(received)), truth):
        for i, row in enumerate(rows):
            if row[0].startswith("?"):  # of sendmmsg, the trace has the first message's alone
                rows[i] = (wanted[i][0][: len(row[0])], *row[1:])
    expect_equal([received[key] for key in sorted(received)], truth, "its parts")
    expect_equal([row[0] for rows in rest for row in rows], list(left), "what nobody got")
    return result


@scenario("each send of a corked datagram has its part of it, whoever sends it in the end")
def parts(directory):
    check(
        directory,
        """
a.send(b"one"); a.send(b"he", MORE); a.send(b"ll", MORE); a.send(b"o")
got(9, b"one"); got(9, b"he", b"ll", b"o")
cork(1); a.send(b"co"); os.write(a.fileno(), b"rk"); cork(0); got(9, b"co", b"rk")
cork(1); a.send(b"p"); a.sendmsg([b"q", b"r"], [], MORE); a.send(b"s"); cork(0)
got(9, b"p", b"qr", b"s")
a.send(b"last"); got(9, b"last")
a.send(b"abc", MORE); a.send(b"def", MORE); a.send(b"ghi"); got(4, b"abc", b"def", b"ghi")
a.send(b"never", MORE); a.send(b"more", MORE); a.close()
""",
        left=["never", "more"],
    )


@scenario("the same of sendmmsg, splice and sendfile, and over IPv6")
def calls(directory):
    check(
        directory,
        """
many([b"all", b"of", b"it"], MORE); a.send(b"!"); got(99, b"all", b"of", b"it", b"!")
many([b"each", b"apart"], 0); got(9, b"each"); got(9, b"apart")
cork(1); many([b"ma", b"ny"], 0); cork(0); got(9, b"ma", b"ny")
r, w = os.pipe()
def through(word, flags):
    os.write(w, word); assert os.splice(r, a.fileno(), 9, flags=flags) == len(word)
a.send(b"first", MORE); through(b"then", 0); got(20, b"first", b"????")
file = tempfile.TemporaryFile(); f = file.fileno(); os.write(f, b"file")
a.send(b"a", MORE); os.sendfile(a.fileno(), f, 0, 4); got(9, b"a", b"????")
family = socket.AF_INET6
b = socket.socket(family, socket.SOCK_DGRAM); b.bind(("::1", 0))
a = socket.socket(family, socket.SOCK_DGRAM); to = b.getsockname()
a.sendto(b"si", MORE, to); a.sendto(b"x", to); got(9, b"si", b"x")
""",
    )


@scenario("equal corked datagrams of two sockets keep their senders apart")
def senders(directory):
    check(
        directory,
        """
c = socket.socket(family, socket.SOCK_DGRAM); c.connect(b.getsockname())
for i in range(20):
    a.send(b"aa", MORE); c.send(b"a", MORE); c.send(b"aa"); a.send(b"a")
    got(9, b"a", b"aa"); got(9, b"aa", b"a")
""",
    )


@scenario("a send that fails throws away what was kept back, and nothing of it is received")
def spoiled(directory):
    result = traced(
        directory,
        """
a.send(b"lost", MORE)
try: a.send(b"x" * 65530)
except OSError: pass
a.send(b"after"); got(9, b"after")
""",
    )
    received = parts_of(result)
    expect_equal(
        [[row[0] for row in received[key]] for key in received], [["after"], ["lost"]], "its fate"
    )


if __name__ == "__main__":
    main()
