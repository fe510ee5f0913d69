#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""One socket, connected again and again: connect(2) with AF_UNSPEC ends what it was."""
import sys

from expectations import expect_equal
from harness import main, record, scenario

ROUNDS = 6

COMMON = f"""
import ctypes, os, socket, sys

libc = ctypes.CDLL(None)


def disconnect(one):
    if libc.connect(one.fileno(), ctypes.create_string_buffer(16), 16):
        sys.exit("connect to AF_UNSPEC")


rounds = range({ROUNDS})
"""

# Two servers in turn. Once the client leaves an answer, once the server a part of the question.
TCP = COMMON + """
servers = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
client = socket.socket()
for i in rounds:
    server = servers[i % 2]
    client.connect(server.getsockname())
    other, _ = server.accept()
    client.send(b"question %d" % i)
    print("question", i, len(other.recv(5)))
    other.send(b"answer")
    if i != 3:
        print("answer", i, len(client.recv(100)))
    if i != 2:
        print("question", i, len(other.recv(100)))
    if i == 1:  # another process sends on the same connection
        if os.fork() == 0:
            client.send(b"more")
            os._exit(0)
        os.wait()
        print("more", i, len(other.recv(100)))
    disconnect(client)
    if i % 3 == 0:
        other.close()
    else:
        kept = other
"""

UDP = COMMON + """
servers = [socket.socket(type=socket.SOCK_DGRAM) for _ in range(2)]
for server in servers:
    server.bind(("127.0.0.1", 0))
client = socket.socket(type=socket.SOCK_DGRAM)
for i in rounds:
    server = servers[i % 2]
    client.connect(server.getsockname())
    client.send(b"question %d" % i)
    text, address = server.recvfrom(100)
    print("question", i, len(text))
    server.sendto(b"answer", address)
    print("answer", i, len(client.recv(100)))
    disconnect(client)
client.bind(("127.0.0.1", 0))
for i in rounds:  # and what waits is taken when it is somebody else's
    client.connect(servers[i % 2].getsockname())
    servers[i % 2].sendto(b"more", client.getsockname())
for i in rounds:
    print("more", i, len(client.recv(100)))
"""


def told(result, mechanism):
    """Each that was received, by what was sent: its words, the round, and how much of it."""
    trace, rounds = result.trace, {}
    for word in ("question", "answer", "more"):
        sends = [op for op in trace.operations(role="send") if op["payload"].startswith(word)]
        for i, op in enumerate(sorted(sends, key=lambda op: op["enter_ns"])):
            one = word == "more" and mechanism == "tcp"
            rounds[op["id"]] = f"{word} {1 if one else i}"
    found = [m for m in result.messages() if m["mechanism"] == mechanism and m["received"]]
    expect_equal([m["match"] for m in found], ["exact"] * len(found), "how sure")
    return sorted(f"{rounds[m['sent']['op']]} {m['bytes']}" for m in found)


def check(directory, workload, mechanism):
    result = record(directory, [sys.executable, "-c", workload])
    logged = sorted(result.stdout.decode().splitlines())
    expect_equal(told(result, mechanism), logged, "what was received of what was sent")
    return result


@scenario("a TCP socket that is connected again: each connection is a channel of its own")
def tcp(directory):
    result = check(directory, TCP, "tcp")
    connected = [op for op in result.trace.operations(syscall="connect") if "at_exit" in op]
    expect_equal(len({op["channel"] for op in connected}), ROUNDS, "connections")
    lost = [m["bytes"] for m in result.messages() if m["mechanism"] == "tcp" and not m["to"]]
    expect_equal(sorted(lost), [5, 6], "what was left")


@scenario("a UDP socket that is connected again")
def udp(directory):
    check(directory, UDP, "udp")


if __name__ == "__main__":
    main()
