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


@scenario("MSG_OOB overtaken by another: what cannot be known is ambiguous, the rest is not")
def urgent_overtaken(directory):
    for mechanism in ("tcp", "unix-stream"):
        path = os.path.join(directory, mechanism)
        os.mkdir(path)
        result = record(path, lab("urgent", mechanism, "overtaken"))
        found = result.messages().of(mechanism)
        first = result.trace.operations(syscall="sendto")[0]["id"]
        for message in found:
            certain = message["match"] == "exact"
            sure = bool(message["sent"]) and message["sent"]["op"] == first
            expect_equal(certain, sure, f"only what came before is certain: {message}")
        expect(any(m["match"] == "exact" for m in found), "the first is certain", *map(repr, found))


if __name__ == "__main__":
    main()
