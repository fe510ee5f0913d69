#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""UDP_SEGMENT and UDP_GRO: one call sends, or receives, several datagrams, and each is a message.

Each datagram has a text of its own, which both sides' payloads show.
"""
import os
import sys

from expectations import Failure, expect, expect_equal
from harness import main, record, scenario

SEGMENT = 40

WORKLOAD = """
import os, socket, struct, sys
MODE, ROUNDS = sys.argv[1].split(), int(sys.argv[2])
SOL_UDP, UDP_SEGMENT, UDP_GRO, SEGMENT, ALL_PROTOCOLS = 17, 103, 104, 40, 3
if "tap" in MODE:
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_PROTOCOLS))
    tap.bind(("lo", 0))
receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
receiver.bind(("127.0.0.1", 0))
receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8000 if "drop" in MODE else 1 << 22)
if "gro" in MODE:
    receiver.setsockopt(SOL_UDP, UDP_GRO, 1)
go, tell = os.pipe()
def child(function, *arguments):
    pid = os.fork()
    if not pid:
        function(*arguments)
        os._exit(0)
    return pid
def receive():
    os.close(tell)
    os.read(go, 1)
    while True:
        try:
            receiver.recvmsg(70000, 100, socket.MSG_DONTWAIT)
        except BlockingIOError:
            break
def text(tag, i):
    parts = [(b"%s%d-%d" % (tag, i, k)).ljust(SEGMENT, b".") for k in range(i % 5 + 1)]
    return b"".join(parts) + (b"rest of %s%d" % (tag, i) if i % 2 else b"")
def send(tag, shared):
    sock = shared if "shared" in MODE else socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    control = [(SOL_UDP, UDP_SEGMENT, struct.pack("H", SEGMENT))] if "cmsg" in MODE else []
    if not control:
        sock.setsockopt(SOL_UDP, UDP_SEGMENT, SEGMENT)
    if "connected" in MODE:
        sock.connect(receiver.getsockname())
    for i in range(ROUNDS):
        if control:
            to = [] if "connected" in MODE else [0, receiver.getsockname()]
            sock.sendmsg([text(tag, i)], control, *to)
        elif "connected" in MODE:
            sock.send(text(tag, i))
        else:
            sock.sendto(text(tag, i), receiver.getsockname())
receivers = [child(receive) for _ in range(2 if "two" in MODE else 1)]
shared = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for pid in [child(send, tag, shared) for tag in ([b"A", b"B"] if "senders" in MODE else [b"A"])]:
    assert os.waitpid(pid, 0)[1] == 0
os.close(tell)
for pid in receivers:
    assert os.waitpid(pid, 0)[1] == 0
"""


# An interrupt that allocates a buffer inside a send leaves a datagram's number in doubt
# (docs/fidelity.md). Then it is played again: all plays in doubt are a fault, and one wrong pair is.
TRIES = 4


def traced(directory, mode, rounds):
    command = [sys.executable, "-c", WORKLOAD, mode, str(rounds)]
    for number in range(TRIES):
        place = os.path.join(directory, f"{mode} {number}")
        os.mkdir(place)
        result = record(place, command, "--payload", "1024", "--buffers")
        udp = result.messages().of("udp")
        doubted = [message for message in udp if message["match"] != "exact"]
        if not doubted:
            return result
        expect_right(result.trace, [message for message in udp if message["match"] == "exact"])
    raise Failure(f"each of {TRIES} plays has a doubt: {doubted}")


def text_of(trace, side, message):
    payload = trace.operation(side["op"])["payload"]
    return payload[side["offset"] :][: message["bytes"]]


def datagrams(tags, rounds):
    """How many were sent."""
    return len(tags) * sum(i % 5 + 1 + i % 2 for i in range(rounds))


def expect_right(trace, messages):
    """What was sent was received, of each that was."""
    for message in messages:
        if message["sent"] and message["received"]:
            expect_equal(
                text_of(trace, message["sent"], message),
                text_of(trace, message["received"], message),
                "what was sent was received",
            )


def check(result, sent):
    udp = result.messages().of("udp")
    delivered = [message for message in udp if message["received"]]
    texts = set()
    for message in udp:
        expect_equal(message["match"], "exact", f"no doubt about {message}")
        expect(message["sent"], "who sent it is known", message)
        texts.add(text_of(result.trace, message["sent"], message))
    expect_right(result.trace, udp)
    expect_equal((len(udp), len(texts)), (sent, sent), "datagrams, each once")
    received = sum(op["returned"] for op in result.trace.operations(syscall="recvmsg") if
                   op["returned"] > 0 and op["channel"].startswith("udp:"))
    expect_equal(sum(message["bytes"] for message in delivered), received, "bytes received")
    fates = {message["fate"] for message in udp if not message["received"]}
    return delivered, fates


@scenario("UDP_SEGMENT: each datagram of a send is a message, by socket option and by call")
def segments(directory):
    for mode in ("option", "option connected", "cmsg", "cmsg connected"):
        delivered, fates = check(traced(directory, mode, 20), datagrams("A", 20))
        expect_equal((len(delivered), fates), (datagrams("A", 20), set()), "all came")


@scenario("UDP_SEGMENT: several senders and receivers, of a socket of their own and of one")
def shared(directory):
    for mode in ("cmsg senders two", "option senders shared two", "option senders"):
        delivered, fates = check(traced(directory, mode, 20), datagrams("AB", 20))
        expect_equal((len(delivered), fates), (datagrams("AB", 20), set()), "all came")


@scenario("UDP_SEGMENT: a packet tap, as tcpdump's, clones what is sent, and numbers stay right")
def tapped(directory):
    for mode in ("tap option", "tap cmsg connected"):
        delivered, fates = check(traced(directory, mode, 20), datagrams("A", 20))
        expect_equal((len(delivered), fates), (datagrams("A", 20), set()), "all came")


@scenario("UDP_SEGMENT: of a send some datagrams find room at the receiver, and others do not")
def dropped(directory):
    for mode in ("option drop", "cmsg drop senders", "option drop connected two"):
        tags = "AB" if "senders" in mode else "A"
        delivered, fates = check(traced(directory, mode, 20), datagrams(tags, 20))
        expect(delivered, "some came", mode)
        expect_equal(fates, {"dropped"}, "the others were dropped")


@scenario("UDP_GRO: one receive takes all the datagrams of a send")
def gro(directory):
    for mode in ("option gro", "cmsg gro senders two", "option gro drop"):
        tags = "AB" if "senders" in mode else "A"
        delivered, fates = check(traced(directory, mode, 20), datagrams(tags, 20))
        calls = {message["received"]["op"] for message in delivered}
        expect(len(calls) < len(delivered), "several at once", len(calls), len(delivered))
        expect_equal(fates, {"dropped"} if "drop" in mode else set(), "what did not come")


main()
