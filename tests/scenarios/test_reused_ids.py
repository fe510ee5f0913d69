#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Addresses, inode numbers, ids and pids are used again: that never makes one thing of two."""
import os

from expectations import expect_equal, expect_in
from harness import lab, main, record, scenario
from traces import blob


def text_of(trace, side):
    operation = trace.operation(side["op"])
    return blob(operation["payload"])[side["offset"] :]


def reuse(directory, what, rounds):
    return record(directory, lab("reuse", what, rounds, os.path.join(directory, "fifo")))


def data_messages(result):
    return [m for m in result.messages() if m["mechanism"] != "signal"]


def check_rounds(result, rounds):
    """Each round's text came to its own receiver, and what it left is nobody's."""
    trace = result.trace
    found = data_messages(result)
    came = [m for m in found if m["to"]]
    left = [m for m in found if not m["to"]]
    wanted = [t["text"].encode() for t in result.truth if t["do"] == "receive"]
    expect_equal(len(wanted), rounds, "the rounds that the workload logged")
    for side in ("sent", "received"):
        expect_equal([text_of(trace, m[side]) for m in came], wanted, f"what was {side}")
    expect_equal(
        [text_of(trace, m["sent"]) for m in left],
        [t["text"].encode() for t in result.truth if t["do"] == "leave"],
        "what was left",
    )
    expect_equal({m["match"] for m in found}, {"exact"}, "how sure that is")
    channels = {str(m["channel"]) for m in came}
    expect_equal(len(channels), rounds, "each round has a channel of its own")


def register(what, rounds):
    @scenario(f"{rounds} times a {what} that is made, used and destroyed: each has a name of its own")
    def rounds_of(directory):
        check_rounds(reuse(directory, what, rounds), rounds)


for kind, times in (("pipe", 1000), ("socketpair", 1000), ("dgram", 500), ("tcp", 300), ("fifo", 300), ("same-fifo", 300)):
    register(kind, times)


@scenario("500 eventfds, one after the other with the same id: none has another's count")
def eventfds(directory):
    result = reuse(directory, "eventfd", 500)
    trace = result.trace
    found = data_messages(result)
    wanted = [t["value"] for t in result.truth if t["do"] == "count"]
    for side in ("sent", "received"):
        got = [int.from_bytes(text_of(trace, m[side])[:8], "little") for m in found if m["to"]]
        expect_equal(got, wanted, f"what was {side}")
    expect_equal(len([m for m in found if not m["to"]]), 500, "what was left")
    expect_equal({m["match"] for m in found}, {"exact"}, "how sure that is")


@scenario("children of one pid, one after the other: each with its own name, pipe and end")
def pids(directory):
    rounds = 50
    result = reuse(directory, "pid", rounds)
    trace = result.trace
    births = [line["pid"] for line in trace.of("process", event="fork")]
    expect_equal((len(births), len(set(births))), (rounds, 1), "births, and how many pids")
    found = data_messages(result)
    expect_equal(
        [(m["from"]["comm"], text_of(trace, m["received"])) for m in found],
        [(f"reuse-{i}", b"round %d" % i) for i in range(rounds)],
        "what each of them said",
    )
    expect_equal({m["match"] for m in found}, {"exact"}, "how sure that is")
    ends = [line["exit_code"] for line in trace.of("process", event="exit", pid=births[0], last=True)]
    expect_equal(ends, list(range(rounds)), "their ends")
    waits = [op["status"]["exit_code"] for op in trace.operations(syscall="wait4")]
    expect_equal(waits, list(range(rounds)), "what their parent was told")
    picture = result.view(columns=200)
    expect_in(f"· {rounds + 1} processes ·", picture, "a lane for each in the picture")


if __name__ == "__main__":
    main()
