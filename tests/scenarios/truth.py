# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Comparing messages with the workload's own log (tests/labs/truth.h)."""
import json
from collections import Counter

from expectations import expect, expect_equal
from traces import blob, sides


class Expected:
    """A message as the workload's log knows it."""

    def __init__(self, sender, receiver, size, text):
        self.sender, self.receiver, self.size, self.text = sender, receiver, size, text

    def __repr__(self):
        return f"{self.sender} -> {self.receiver} {self.size} bytes {self.text[:40]!r}"


def latin(line):
    return line.get("text", "").encode("latin-1")


def truth_of(truth, action, mechanism, channel=None):
    return [
        t
        for t in truth
        if t["do"] == action
        and t.get("mechanism") == mechanism
        and t["result"] >= 0
        and (channel is None or t.get("channel") == channel)
    ]


def channels_of(truth, mechanism):
    return sorted(
        {
            t["channel"]
            for t in truth
            if t.get("mechanism") == mechanism and t["do"] in ("send", "receive") and "channel" in t
        }
    )


def expected_stream(truth, mechanism, channel):
    """Sends and receives of one direction of one stream, joined by their offsets."""
    sends = [[t["pid"], t["bytes"], latin(t)] for t in truth_of(truth, "send", mechanism, channel)]
    found = []
    for receive in truth_of(truth, "receive", mechanism, channel):
        left = receive["bytes"]
        while left:
            sender, size, text = sends[0]
            taken = min(size, left)
            at = receive["bytes"] - left
            found.append(
                Expected(
                    sender, receive["pid"], taken, text[:taken] or latin(receive)[at : at + taken]
                )
            )
            sends[0] = [sender, size - taken, text[taken:]]
            if size == taken:
                sends.pop(0)
            left -= taken
    expect(not sends, "the workload received all that it sent", sends)
    return found


def expected_whole(truth, mechanism):
    """Messages with borders, all received: matched by text, and by kind where texts repeat."""

    def key(line):
        return (line.get("channel"), latin(line), line.get("type"), line.get("priority"))

    receivers = {}
    for line in truth_of(truth, "receive", mechanism):
        receivers.setdefault(key(line), []).append(line["pid"])
    found = []
    for line in truth_of(truth, "send", mechanism):
        expect(receivers.get(key(line)), "the workload received all that it sent", line)
        found.append(Expected(line["pid"], receivers[key(line)].pop(0), line["bytes"], latin(line)))
    expect(not any(receivers.values()), "the workload sent all that it received", receivers)
    return found


def expected(truth, mechanism):
    if mechanism in ("pipe", "fifo", "unix-stream", "tcp"):
        return [
            e
            for channel in channels_of(truth, mechanism)
            for e in expected_stream(truth, mechanism, channel)
        ]
    return expected_whole(truth, mechanism)


def piece(trace, side, size):
    """What the trace kept of a message's bytes on one side; None where it kept nothing."""
    operation = trace.operation(side["op"])
    if "payload" not in operation or "lengths" in operation:
        return None
    return blob(operation["payload"])[side["offset"] : side["offset"] + size]


def same_start(some, other):
    """Both are the beginning of a message, kept up to different lengths."""
    size = min(len(some), len(other))
    return some[:size] == other[:size]


def fits(trace, message, wanted):
    if (message["from"]["pid"], message["to"]["pid"], message["bytes"]) != (
        wanted.sender,
        wanted.receiver,
        wanted.size,
    ):
        return False
    return all(
        got is None or same_start(got, wanted.text)
        for got in (
            piece(trace, message["sent"], wanted.size),
            piece(trace, message["received"], wanted.size),
        )
    )


def compare(run_, mechanism, match="exact"):
    """The messages of a mechanism are those that the workload logged: no more and no less."""
    wanted = expected(run_.truth, mechanism)
    expect(wanted, f"the workload logged {mechanism} messages")
    found = run_.messages().delivered(mechanism)
    left = list(found)
    for one in wanted:
        got = next((m for m in left if fits(run_.trace, m, one)), None)
        expect(got, f"a message is missing: {one}", *[json.dumps(m) for m in left])
        left.remove(got)
    expect(not left, "messages that the workload knows nothing of", *[json.dumps(m) for m in left])
    expect_equal({m["match"] for m in found}, {match}, "how sure the pairing is")
    compare_results(run_, mechanism)
    return found


def is_look(op):
    """MSG_PEEK: a copy of what is there still."""
    return op["syscall"].startswith("recv") and op.get("flags", 0) & 2


def compare_results(run_, mechanism):
    """Every transfer the workload logged is an operation, inside the time it logged."""
    transfers = Counter()
    for op in run_.trace.operations():
        for role, channel in sides(op):
            if run_.trace.channel(channel)["mechanism"] != mechanism:
                continue
            sizes = op.get("lengths") or [op.get("transferred", op["returned"])]
            for size in sizes:
                transfers[(op["pid"], op["tid"], "look" if is_look(op) else role, size)] += 1
    logged = Counter()
    for line in run_.truth:
        if line.get("mechanism") == mechanism and line["do"] in ("send", "receive", "eof", "look"):
            role = "receive" if line["do"] == "eof" else line["do"]
            if line["result"] >= 0:
                logged[(line["pid"], line["tid"], role, line["bytes"])] += 1
    failed = {key for key in transfers if key[3] < 0}
    for key in failed:
        del transfers[key]
    expect_equal(
        transfers, logged, f"the {mechanism} operations are those that the workload logged"
    )
