#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Bytes that go from one kernel object to another: splice, tee, vmsplice, sendfile."""
from expectations import expect, expect_equal
from harness import lab, main, record, scenario
from traces import view
from truth import compare


@scenario("splice, tee, vmsplice, sendfile: each byte goes on from the channel it was taken from")
def relay(directory):
    result = record(directory, lab("relay"))
    trace = result.trace
    pipes = compare(result, "pipe")
    compare(result, "unix-stream")
    calls = {
        (m["sent"]["syscall"], m["received"]["syscall"])
        for m in result.messages()
        if m["sent"] and m["received"]
    }
    for pair in (
        ("write", "splice"),
        ("vmsplice", "splice"),
        ("splice", "read"),
        ("tee", "read"),
        ("sendfile", "splice"),
        ("splice", "vmsplice"),
    ):
        expect(pair in calls, f"{pair[0]} met {pair[1]}", calls)
    expect(not any(op.get("entered_before") for op in trace.operations()), "all began in the trace")
    for op in trace.operations(role="transfer"):
        expect("payload" not in op, "what a transfer moves was in no user memory", op)
        expect_equal(
            ("fd_out" in op, op["fd"] == op["fd_out"]), (True, False), "both descriptors are told"
        )
    spliced = next(m for m in pipes if m["sent"]["syscall"] == "splice")
    op = trace.operation(spliced["sent"]["op"])
    expect_equal(
        (spliced["sent"]["fd"], spliced["channel"]),
        (op["fd_out"], op["channel_out"]),
        "a spliced message is sent by the sink",
    )
    refused = trace.one("operation", syscall="copy_file_range")
    expect_equal((refused["error"], refused["role"]), ("EINVAL", "transfer"), "a socket is no file")
    vmsplice = {op["role"] for op in trace.operations(syscall="vmsplice")}
    expect_equal(vmsplice, {"send", "receive"}, "vmsplice's role is its end's")
    picture = view(trace.path, "--unfold", columns=400)
    expect("sent by splice, without a copy" in picture, "the picture says so", picture)


if __name__ == "__main__":
    main()
