#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What calls that move whole messages tell of each: flags, credentials, descriptors, addresses."""
import os

from expectations import expect, expect_equal
from harness import lab, main, record, scenario
from traces import blob, stats
from truth import compare, is_look, latin


def of(truth, action):
    return [line for line in truth if line["do"] == action]


@scenario("sendmsg and recvmsg: flags after the call, what was cut, credentials, 253 descriptors")
def messages(directory):
    result = record(directory, lab("messages"))
    trace, truth = result.trace, result.truth
    got = [
        (m["bytes"], m["match"], m.get("cut", 0))
        for m in result.messages().delivered("unix-seqpacket")
    ]
    sizes = [(s["bytes"], r["bytes"]) for s, r in zip(of(truth, "send"), of(truth, "receive"))]
    expect_equal(got, [(r, "exact", s - r) for s, r in sizes], "bytes, and what was cut off")
    receives = trace.operations(syscall="recvmsg")
    expect_equal(
        [op.get("msg_flags", [0]) for op in receives],
        [[line["value"] - 1] for line in of(truth, "flags")],
        "msg_flags after the call",
    )
    flags = {flag for op in receives for flag in op.get("msg_flags", [])}
    for flag, name in ((0x20, "MSG_TRUNC"), (8, "MSG_CTRUNC")):
        expect(any(one & flag for one in flags), f"{name} was among them", flags)
    for action, syscall in (("credentials-sent", "sendmsg"), ("credentials-received", "recvmsg")):
        logged = [
            {"pid": line["to"], "uid": line["value"] - 1, "gid": line["type"] - 1}
            for line in of(truth, action)
        ]
        seen = [
            op["credentials"]
            for op in trace.operations(syscall=syscall)
            if "credentials" in op and op["credentials"]["pid"]
        ]
        expect_equal(seen, logged, f"{action} by {syscall}")
    for action, syscall in (("fds-sent", "sendmsg"), ("fds-received", "recvmsg")):
        passed = [op["fds"] for op in trace.operations(syscall=syscall) if "fds" in op]
        expect_equal(
            [len(fds) for fds in passed],
            [line["value"] for line in of(truth, action)],
            f"{action}: all of them",
        )
        for fds, line in zip(passed, of(truth, action)):
            expect(line.get("fd", fds[0]) == fds[0], "the first one's number", fds, line)
    expect(not any("fds_cut" in op for op in trace.operations()), "nothing is missing")
    last = [op for op in receives if "new_fds" in op][-1]
    expect_equal(len(last["new_fds"]), 253, "sockets, each of which the receiver holds now")


@scenario("credentials beside the messages of one sendmmsg, and of recvmmsg: each with its own")
def many_credentials(directory):
    result = record(directory, lab("mmcreds"))
    for action, syscall in (("credentials-sent", "sendmmsg"), ("credentials-received", "recvmmsg")):
        logged = [
            {
                "message": line.get("fd", 0),
                "pid": line["to"],
                "uid": line["value"] - 1,
                "gid": line["type"] - 1,
            }
            for line in of(result.truth, action)
        ]
        expect(len(logged) > 2, "there were some", logged)
        (call,) = result.trace.operations(syscall=syscall)
        expect_equal(call["credentials"]["messages"], logged, f"{action} by {syscall}")


def check_looks(result):
    """Each look by its bytes, in its place; copied, and yet counted once."""
    logged = [line for line in result.truth if line["do"] in ("look", "receive", "eof")]
    calls = [op for op in result.trace.operations(syscall="recvfrom")]
    expect_equal(
        [("look" if is_look(op) else "receive", op["returned"]) for op in calls],
        [("look" if line["do"] == "look" else "receive", line["result"]) for line in logged],
        "looks and receives in their order",
    )
    for op, line in zip(calls, logged):
        expect_equal(blob(op.get("payload", "")), latin(line), f"what it saw: {op}")
    looks = [op for op in calls if is_look(op)]
    received = {m["received"]["op"] for m in result.messages() if m["received"]}
    expect_equal(received & {op["id"] for op in looks}, set(), "a look receives nothing")
    return logged


def check_counts(result, mechanism, logged):
    (end,) = [
        line
        for line in stats(result.trace_path)
        if line["type"] == "end" and line.get("mechanism") == mechanism and line["bytes_from_kernel"]
    ]
    saw = [line for line in logged if line["bytes"]]
    expect_equal(
        (end["calls"]["look"], end["calls"]["receive"]),
        (len(of(saw, "look")), len(of(saw, "receive"))),
        "calls by their kind",
    )
    expect_equal(
        (end["copies_from_kernel"], end["bytes_from_kernel"]),
        (len(saw), sum(line["bytes"] for line in saw)),
        "each look is one more copy",
    )
    channel = next(m["channel"] for m in result.messages() if m["mechanism"] == mechanism)
    (line,) = [
        line
        for line in stats(result.trace_path)
        if line["type"] == "channel" and line["channel"] == channel
    ]
    expect_equal(
        (line["bytes"]["received"], line["bytes"]["balances"]),
        (sum(line["bytes"] for line in of(result.truth, "send")), True),
        "and the bytes count once",
    )


def check_drawn(result, logged):
    """A mark on the receiver's own line for each that saw something; arrows for what was received."""
    drawn = [row for row in result.view(columns=160).splitlines() if "looks at" in row]
    expected = [line for line in of(logged, "look") if line["bytes"]]
    expect_equal(len(drawn), len(expected), f"a row a look: {drawn}")
    for row, line in zip(drawn, expected):
        expect(f"looks at {line['bytes']} B" in row and f'"{line["text"]}"' in row, "what it saw", row)


@scenario("MSG_PEEK, SO_PEEK_OFF: a copy and no receipt, its bytes count once, drawn as a look")
def peeks(directory):
    for arguments in (["unix-stream"], ["unix-stream", "offset"], ["tcp"], ["udp"],
                      ["unix-dgram"], ["unix-seqpacket"]):
        path = os.path.join(directory, "-".join(arguments))
        os.mkdir(path)
        result = record(path, lab("peeks", *arguments))
        compare(result, arguments[0])
        logged = check_looks(result)
        check_counts(result, arguments[0], logged)
        check_drawn(result, logged)


def several(directory, mechanism):
    result = record(directory, lab("mmsg", mechanism))
    compare(result, mechanism)
    for op in result.trace.operations():
        if op["syscall"] in ("sendmmsg", "recvmmsg") and op["returned"] > 0:
            expect_equal(
                (len(op["lengths"]), len(op["addresses"]), "lengths_cut" in op),
                (op["returned"], op["returned"], False),
                f"{op['syscall']} tells length and address of each message",
            )
    sends = result.trace.operations(syscall="sendmmsg")
    expect(max(op["returned"] for op in sends) > 32, "many in one call", sends[0])
    expect_equal(len(set(sends[0]["addresses"])), 3, "three receivers in one call")


@scenario("sendmmsg to three UDP sockets: each of 120 datagrams is paired where it went")
def several_udp(directory):
    several(directory, "udp")


@scenario("sendmmsg to three unix sockets: each of 120 datagrams is paired where it went")
def several_unix(directory):
    several(directory, "unix-dgram")


if __name__ == "__main__":
    main()
