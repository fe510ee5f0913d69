#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Messages whose borders, order or length are not what a plain stream or datagram has."""
import os

from expectations import expect, expect_equal
from harness import lab, main, record, scenario
from traces import blob
from truth import expected, fits, latin, truth_of


def delivered(result, mechanism):
    """(bytes, what the receiver's record kept, match) of each message, in order of receipt."""
    found = []
    for message in result.messages().delivered(mechanism):
        receive = result.trace.operation(message["received"]["op"])
        at = message["received"]["offset"]
        kept = blob(receive.get("payload", ""))[at : at + message["bytes"]]
        found.append((message["bytes"], kept, message["match"]))
    return found


@scenario("O_DIRECT pipe: each packet is a message; what a short read loses is told")
def packets(directory):
    result = record(directory, lab("packets"), "--payload", "4096")
    sent = truth_of(result.truth, "send", "pipe")
    received = truth_of(result.truth, "receive", "pipe")
    expect_equal(
        delivered(result, "pipe"),
        [(line["bytes"], latin(line), "exact") for line in received],
        "packet by packet",
    )
    cuts = [message.get("cut", 0) for message in result.messages().delivered("pipe")]
    expect_equal(
        cuts, [s["bytes"] - r["bytes"] for s, r in zip(sent, received)], "what was cut of each"
    )
    for op in result.trace.operations(syscall="write"):
        expect(op.get("packets"), "the write says that it keeps its borders", op)
    expect("cut: 6 B lost" in result.view(), "the picture says what was lost", result.view())


# splice(2) takes several packets, and a part of one; what it puts into a pipe are no packets.
SPLICES = """
import os
r, w = os.pipe2(os.O_DIRECT)
one, other = os.pipe()
for n in (10, 11, 12):
    os.write(w, b"p" * n)
assert os.splice(r, other, 15) == 15
assert len(os.read(r, 4)) == 4
assert os.splice(r, other, 100) == 12
os.write(w, b"q" * 13)
assert os.splice(one, w, 9) == 9
os.write(w, b"r" * 14)
assert [len(os.read(r, 100)) for _ in range(3)] == [13, 9, 14]
assert os.read(one, 100) == b"p"
assert os.read(one, 100) == b"ppppp"
assert os.read(one, 100) == b"p" * 12
"""


@scenario("O_DIRECT pipe: what is spliced out of it and into it keeps the place of all others")
def spliced_packets(directory):
    result = record(directory, ["/usr/bin/python3", "-c", SPLICES])
    found = result.messages().delivered("pipe")
    made = [op["channel"] for op in result.trace.operations(syscall="write")][0]
    expect_equal(
        [
            (m["bytes"], m.get("cut", 0), m["received"]["syscall"], m["match"])
            for m in found
            if m["channel"] == made
        ],
        [
            (10, 0, "splice", "exact"),
            (5, 0, "splice", "exact"),
            (4, 2, "read", "exact"),
            (12, 0, "splice", "exact"),
            (13, 0, "read", "exact"),
            (9, 0, "read", "exact"),
            (14, 0, "read", "exact"),
        ],
        "each part of each write",
    )


def compare_messages(result, mechanism):
    """Each message that the workload logged is there, exact, and no other."""
    left = result.messages().delivered(mechanism)
    for one in expected(result.truth, mechanism):
        got = next((m for m in left if fits(result.trace, m, one)), None)
        expect(got, f"a message is missing: {one}", *map(repr, left))
        expect_equal(got["match"], "exact", "its pairing is certain")
        left.remove(got)
    expect(not left, "messages that the workload knows nothing of", *map(repr, left))


def urgent(directory, mechanism):
    result = record(directory, lab("urgent", mechanism))
    compare_messages(result, mechanism)
    flags = {op["flags"] & 1 for op in result.trace.operations(syscall="recvfrom")}
    expect_equal(flags, {0, 1}, "the flags tell urgent receives")


@scenario("MSG_OOB over TCP: the urgent byte is a message, and shifts nothing")
def urgent_tcp(directory):
    urgent(directory, "tcp")


@scenario("MSG_OOB over a unix stream: the urgent byte is a message, and shifts nothing")
def urgent_unix(directory):
    urgent(directory, "unix-stream")


def overtaken(directory, mechanism):
    path = os.path.join(directory, mechanism)
    os.mkdir(path)
    result = record(path, lab("urgent", mechanism, "overtaken"))
    return result, result.messages().of(mechanism)


@scenario("MSG_OOB overtaken by another: what cannot be known is ambiguous, the rest is not")
def urgent_overtaken(directory):
    result, found = overtaken(directory, "tcp")
    first = result.trace.operations(syscall="sendto")[0]["id"]
    for message in found:
        certain = message["match"] == "exact"
        sure = bool(message["sent"]) and message["sent"]["op"] == first
        expect_equal(certain, sure, f"only what came before is certain: {message}")
    expect(any(m["match"] == "exact" for m in found), "the first is certain", *map(repr, found))


@scenario("MSG_OOB overtaken in a unix stream: the kernel's buffers tell each byte's send")
def urgent_named(directory):
    result, found = overtaken(directory, "unix-stream")
    bytes_of = {op["id"]: op.get("payload", "") for op in result.trace.operations()}
    for message in found:
        sent, received, size = message["sent"], message["received"], message["bytes"]
        expect_equal(message["match"], "exact", "it is certain")
        expect_equal(
            bytes_of[received["op"]][received["offset"] :][:size],
            bytes_of[sent["op"]][sent["offset"] :][:size],
            "and the bytes that were sent are those that were received",
        )
    received = sum(m["bytes"] for m in found)
    taken = sum(op["returned"] for op in result.trace.operations(syscall="recvfrom"))
    expect_equal(received, taken, "and that is all")


if __name__ == "__main__":
    main()
