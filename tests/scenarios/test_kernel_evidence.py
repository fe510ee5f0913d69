#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The evidence in a trace that makes pairing exact, against what the workloads logged."""

from expectations import expect, expect_equal, expect_in
from harness import lab, main, record, scenario
from traces import blob

WORD = 2**32


def first_word(data):
    return data.split(b"\0")[0].decode()


def delivered_texts(trace):
    """What the kernel's word says was queued: single sends by payload, a batch by index."""
    texts = set()
    for op in trace.operations(role="send", state=None):
        if op["syscall"] == "sendmmsg":
            texts |= {f"batch {i}" for i in op["delivered"]}
        elif op["delivered"]:
            texts.add(first_word(blob(op["payload"])))
    return texts


@scenario("UDP drops: each datagram is known to be queued or not, also within one sendmmsg")
def udp_drops(directory):
    result = record(directory, lab("udpdrop"))
    if not result.trace.one("header")["hooks"]["sock_send_length"]:
        return
    logged = {
        do: {first_word(line["text"].encode("latin-1")) for line in result.truth if line["do"] == do}
        for do in ("send", "receive")
    }
    expect_equal(delivered_texts(result.trace), logged["receive"], "what was queued")
    dropped = logged["send"] - logged["receive"]
    expect(any(text.startswith("single") for text in dropped), "some single ones were dropped")
    expect(any(text.startswith("batch") for text in dropped), "some of the batch were dropped")


@scenario("TCP: write_seq and copied_seq advance by exactly the bytes that were moved")
def tcp_sequence(directory):
    result = record(directory, lab("tcp6"))
    logged = sum(line["bytes"] for line in result.truth if line["do"] == "send")
    sent = received = 0
    for op in result.trace.operations(state=None):
        if not op.get("channel", "").startswith("tcp") or op["role"] not in ("send", "receive"):
            continue
        key = "write_seq" if op["role"] == "send" else "copied_seq"
        moved = (op["at_exit"][key] - op["at_entry"][key]) % WORD
        if op["role"] == "send":
            sent += moved
            expect_equal(moved, op["returned"], f"{key} of a send")
            expect("sent_at" not in op, "where it lies, positions say", op)
        else:
            received += op["returned"]
            end = moved - op["returned"]
            expect(end in (0, 1), f"{key} counts the bytes, and one for the end", op)
    expect_equal((sent, received), (logged, logged), "bytes through TCP")


@scenario("pipes: the cursor moves by what is written, the fill level is what lies in it")
def pipe_cursor(directory):
    result = record(directory, lab("vio"))
    (op,) = result.trace.operations(syscall="writev")
    before, after = op["at_entry"], op["at_exit"]
    expect_equal(before["bytes"], 0, "the pipe was empty")
    expect_equal(
        (after["head"] - before["head"], after["end"], after["bytes"] - before["bytes"]),
        (1, op["returned"], op["returned"]),
        "one buffer more, filled by what was written",
    )
    (read,) = result.trace.operations(syscall="readv")
    first, second = op["returned"], result.trace.operations(syscall="pwritev2")[0]["returned"]
    found = read["at_entry"]["bytes"]
    expect_in(found, (first, first + second), "what the read found: the next write may have come")
    expect_in(read["queued"], (0, second), "what it left")
    expect(read["queued"] >= found - first, "it took the first write's alone", read)


def count_of(position):
    return position["count"] + (position.get("high", 0) << 32)


def check_counter(directory, how):
    """Additions of 3 and 4, then reads; the last one waits for one more addition."""
    result = record(directory, lab("eventfd", how))
    semaphore = how == "semaphore"
    ops = result.trace.operations(channel="eventfd:[1]", state=None)
    ops = [op for op in ops if op["role"] in ("send", "receive")]
    logged = [line["value"] for line in result.truth if line["do"] == "send"]
    held = 0
    for op, value in zip((op for op in ops if op["role"] == "send"), logged[:2]):
        found, left = op["at_entry"], op["at_exit"]
        expect_equal((count_of(found), count_of(left)), (held, held + value), "before and after")
        held += value
    for op in (op for op in ops if op["role"] == "receive" and "resumed_ns" not in op):
        found, left = op["at_entry"], op["at_exit"]
        taken = 1 if semaphore else held
        expect_equal((count_of(found), count_of(left)), (held, held - taken), "and of a read")
        held -= taken
    expect_equal(held, 0, "all that was added at first was taken")
    for op in ops:
        found, left = op["at_entry"], op["at_exit"]
        expect(found["at_ns"] <= op["enter_ns"], "found before the call", op)
        expect(left["at_ns"] >= op["exit_ns"], "left after it", op)
        expect_equal(found.get("semaphore", False), semaphore, "whether it is a semaphore")


for one in ("sum", "semaphore"):
    scenario(f"an eventfd, {one}: what it held before and after each call")(
        lambda directory, how=one: check_counter(directory, how)
    )


@scenario("a full pipe: the writer slept and was resumed, and the pipe is as full as it says")
def full_pipe(directory):
    result = record(directory, lab("bigwrite"))
    (op,) = result.trace.operations(syscall="write", role="send", state=None)
    total = sum(line["bytes"] for line in result.truth if line["do"] == "send")
    expect_equal(op["returned"], total, "all was written")
    expect(op["enter_ns"] < op["resumed_ns"] < op["exit_ns"], "it was resumed inside the call", op)
    channel = result.trace.channel(op["channel"])
    for read in result.trace.operations(channel=op["channel"], role="receive", state=None):
        expect(read["queued"] <= channel["capacity"], "no more lies in it than fits", read)


def taken(trace, receive):
    """The bytes that the kernel's buffers say a receive took, from the sends that they name."""
    data = b""
    for chunk in receive["chunks"]:
        sent = blob(trace.operation(chunk["operation"])["payload"])
        start = chunk.get("offset", 0)
        data += sent[start : start + chunk["bytes"]] if "bytes" in chunk else sent
    return data


def several_senders(directory, way):
    """From the first message on: nobody knew then that there would be others."""
    result = record(directory, lab("manysenders", way, 600))
    trace = result.trace
    sent = {line["text"] for line in result.truth if line["do"] == "send"}
    receives = [op for op in trace.operations(role="receive", state=None) if op["returned"] == 16]
    expect_equal(
        {blob(op["payload"]).decode("latin-1") for op in receives}, sent, "all arrived"
    )
    messages = [m for m in result.messages() if m["sent"] and m["received"]]
    expect_equal({m["match"] for m in messages}, {"exact"}, "how sure their messages are")
    sends = {m["received"]["op"]: m["sent"] for m in messages}
    for op in receives:
        if "chunks" in op:
            expect_equal(taken(trace, op), blob(op["payload"]), f"what operation {op['id']} took")
        else:  # a datagram that came when the receive had looked at the queue, and not slept yet
            late = way == "udp" and sends[op["id"]]["exit_ns"] > op["enter_ns"]
            expect(late, "a receive names the send that was over when it began", op)


for one in ("stream", "dgram", "seqpacket", "udp", "sysv", "posix"):
    scenario(f"three senders, {one}: receives name the sends that their buffers came from")(
        lambda directory, way=one: several_senders(directory, way)
    )


if __name__ == "__main__":
    main()
