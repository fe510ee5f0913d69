#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""TCP connections: whose end is whose, however ports are used again or connections begin.

Each workload sends texts that are sent once alone, and ends with failure unless all of them came.
"""
import sys

import networks
from expectations import expect, expect_equal
from harness import main, record, scenario

COMMON = """
import ctypes, os, socket, struct, sys
HOST, FAMILY = sys.argv[1], socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
ROUNDS, MODE = int(sys.argv[2]), sys.argv[3]
RESET = struct.pack("ii", 1, 0)
def sock():
    s = socket.socket(FAMILY)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return s
def free_port():
    with sock() as s:
        s.bind((HOST, 0))
        return s.getsockname()[1]
def disconnect(s):
    assert ctypes.CDLL(None).connect(s.fileno(), bytes(16), 16) == 0
def take(s, end=b"."):
    data = b""
    while not data.endswith(end):
        try:
            part = s.recv(3)
        except ConnectionResetError:
            continue
        assert part, data
        data += part
    return data
def child(function):
    pid = os.fork()
    if not pid:
        try:
            function()
        except BaseException as error:
            print(repr(error), file=sys.stderr)
            os._exit(1)
        os._exit(0)
    return pid
def join(pid):
    assert os.waitpid(pid, 0)[1] == 0
listener = sock()
listener.bind((HOST, 0))
listener.listen(128)
PORT = listener.getsockname()[1]
"""

# The server accepts when all clients of a round, each with the same port, are gone.
LATE = """
SOURCE, (ready, tell), (done, tell_done) = free_port(), os.pipe(), os.pipe()
def server():
    for _ in range(ROUNDS):
        os.read(ready, 1)
        for i in range(5):
            with listener.accept()[0] as s:
                assert take(s).startswith(b"%d of" % i)
        os.write(tell_done, b".")
pid = child(server)
for r in range(ROUNDS):
    for i in range(5):
        with sock() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            s.bind((HOST, SOURCE))
            s.connect((HOST, PORT))
            s.send(b"%d of %d." % (i, r))
    os.write(tell, b".")
    os.read(done, 1)
join(pid)
"""

# The server ends each connection; the client keeps its sockets, and takes the same port again.
KEPT = """
SOURCE, kept = free_port(), []
def server():
    for _ in range(ROUNDS):
        s = listener.accept()[0]
        s.send(b"re " + take(s))
        take(s)
        if MODE == "disconnect":
            disconnect(s)
            kept.append(s)
        else:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            s.close()
pid = child(server)
for r in range(ROUNDS):
    s = sock()
    s.bind((HOST, SOURCE))
    s.connect((HOST, PORT))
    s.send(b"%d." % r)
    assert take(s) == b"re %d." % r
    s.send(b"bye %d." % r)
    try:
        s.recv(1)
    except ConnectionResetError:
        pass
    kept.append(s)
join(pid)
"""

# In a network namespace of its own, so that the machine's setting stays.
FAST_OPEN = """
FASTOPEN, TCP_FASTOPEN, TCP_FASTOPEN_CONNECT = 0x20000000, 23, 30
with open("/proc/sys/net/ipv4/tcp_fastopen", "w") as setting:
    setting.write("1" if MODE == "refused" else "3")
listener.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN, 64)
(ready, tell) = os.pipe()
def server():
    for i in range(ROUNDS):
        if MODE == "late" and i % 4 == 0:
            os.read(ready, 1)
        with listener.accept()[0] as s:
            s.send(b"re " + take(s))
            s.recv(1)
def ask(s, text):
    if MODE == "connect":
        s.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1)
        s.connect((HOST, PORT))
        s.send(text)
    elif MODE == "sendmsg":
        s.sendmsg([text[:2], text[2:]], [], FASTOPEN, (HOST, PORT))
    else:
        s.sendto(text, FASTOPEN, (HOST, PORT))
    s.send(b"")
def answered(s, r):
    assert take(s) == b"re %d." % r
    s.close()
pid = child(server)
asked = []
for r in range(ROUNDS):
    s = sock()
    ask(s, b"%d." % r)
    asked.append((s, r))
    if MODE != "late" or r % 4 == 3:
        os.write(tell, b".")
        for one in asked:
            answered(*one)
        asked = []
join(pid)
"""

# To itself: both ends are one socket.
SELF = """
for r in range(ROUNDS):
    with sock() as s:
        s.bind((HOST, 0))
        s.connect(s.getsockname())
        s.send(b"to me %d " % r)
        s.send(b"and %d." % r)
        assert take(s) == b"to me %d and %d." % (r, r)
"""

# One socket is connected again and again.
AGAIN = """
held = []
def server():
    for _ in range(ROUNDS):
        s = listener.accept()[0]
        s.send(b"re " + take(s))
        held.append(s)
pid = child(server)
s = sock()
for r in range(ROUNDS):
    s.connect((HOST, PORT))
    s.send(b"%d." % r)
    assert take(s) == b"re %d." % r
    disconnect(s)
join(pid)
"""


def traced(directory, workload, host, rounds, mode="", alone=False):
    command = [sys.executable, "-c", COMMON + workload, host, str(rounds), mode]
    if alone:
        command = networks.alone(command)
    return record(directory, command)


def text_of(trace, side, message):
    operation = trace.operation(side["op"])
    return operation["payload"][side["offset"] :][: message["bytes"]]


def check(result, sent):
    """All `sent` bytes were received, each by who got the same text, without a doubt."""
    messages = result.messages()
    tcp = messages.of("tcp")
    expect_equal(messages.gaps, [], "nothing is missing between")
    for message in tcp:
        expect_equal(message["match"], "exact", f"no doubt about {message}")
        expect(message["from"] and message["to"], "both ends are named", message)
        expect_equal(
            text_of(result.trace, message["sent"], message),
            text_of(result.trace, message["received"], message),
            "what was sent was received",
        )
    expect_equal(sum(message["bytes"] for message in tcp), sent, "bytes")


def length(texts):
    return sum(len(text) for text in texts)


@scenario("connections accepted when their clients are gone, all with the same addresses")
def late(directory):
    for host in ("127.0.0.1", "::1", "::ffff:127.0.0.1"):
        result = traced(directory, LATE, host, 8)
        check(result, length(f"{i} of {r}." for i in range(5) for r in range(8)))


@scenario("a port used again while its ends before are still held")
def kept(directory):
    for mode in ("reset", "disconnect"):
        result = traced(directory, KEPT, "127.0.0.1", 40, mode)
        check(result, length(f"{r}.re {r}.bye {r}." for r in range(40)))


@scenario("TCP fast open: with and without a cookie, accepted late, not supported by the server")
def fast_open(directory):
    for mode in ("sendto", "sendmsg", "connect", "late", "refused"):
        for host in ("127.0.0.1", "::1"):
            result = traced(directory, FAST_OPEN, host, 8, mode, alone=True)
            check(result, length(f"{r}.re {r}." for r in range(8)))


@scenario("a socket connected to itself gets what it sent")
def itself(directory):
    result = traced(directory, SELF, "127.0.0.1", 5)
    check(result, length(f"to me {r} and {r}." for r in range(5)))


@scenario("a socket connected again: what it then said is in doubt, and nothing false")
def again(directory):
    result = traced(directory, AGAIN, "127.0.0.1", 10)
    for message in result.messages().of("tcp"):
        if message["match"] == "exact":
            expect(message["from"] and message["to"], "nothing is called missing", message)
            expect_equal(
                text_of(result.trace, message["sent"], message),
                text_of(result.trace, message["received"], message),
                "what was sent was received",
            )


main()
