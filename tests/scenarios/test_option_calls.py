#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Calls that set an object or ask how it is set: by name, with their values."""
import os

from expectations import expect, expect_equal
from harness import lab, main, record, scenario
from truth import compare


def options(trace):
    """(call, option, value) of the calls that succeeded."""
    found = []
    for op in trace.operations():
        if op["syscall"] in ("setsockopt", "getsockopt") and op["returned"] == 0:
            option = op["option"]
            value = option["value"] if "value" in option else option["seconds"]
            found.append((op["syscall"], option["name"], value))
    return found


def logged(truth, *calls):
    return [
        (line["mechanism"], line["channel"], line["result"])
        for line in truth
        if line["do"] == "call" and line["mechanism"] in calls
    ]


@scenario("setsockopt and getsockopt tell option and value by name, an unknown one by number")
def sockets(directory):
    result = record(directory, lab("options"))
    trace = result.trace
    expect_equal(
        options(trace), logged(result.truth, "setsockopt", "getsockopt"), "options and values"
    )
    (refused,) = [op for op in trace.operations(syscall="setsockopt") if op["returned"] < 0]
    expect_equal(
        (refused["error"], refused["option"]["level"], refused["option"]["name"]),
        ("ENOPROTOOPT", "SOL_SOCKET", 9999),
        "an option that does not exist",
    )


@scenario("SO_REUSEPORT: each datagram is paired with the socket that the kernel chose")
def reuseport(directory):
    result = record(directory, lab("reuseport"))
    found = compare(result, "udp")
    expect_equal(len({m["channel"] for m in found}), 2, "both sockets got some")


@scenario("MSG_WAITALL joins three sends, MSG_ZEROCOPY and its error queue shift nothing")
def waitall(directory):
    result = record(directory, lab("waitall"))
    found = compare(result, "tcp")
    (all_at_once,) = [op for op in result.trace.operations() if op.get("flags") == 0x100]
    expect_equal(all_at_once["returned"], 1500, "MSG_WAITALL: one receive")
    joined = [m for m in found if m["received"]["op"] == all_at_once["id"]]
    expect_equal([m["bytes"] for m in joined], [500] * 3, "of three sends")
    sends = [op for op in result.trace.operations() if op.get("flags") == 0x4000000]
    expect_equal([op["returned"] for op in sends], [20000] * 2, "MSG_ZEROCOPY")
    (queue,) = [op for op in result.trace.operations(syscall="recvmsg")]
    expect_equal((queue["returned"], queue["flags"]), (0, 0x2000), "the error queue has no data")


@scenario("SO_OOBINLINE: urgent bytes stay in the stream, and shift nothing")
def urgent_inline(directory):
    for mechanism in ("tcp", "unix-stream"):
        path = os.path.join(directory, mechanism)
        os.mkdir(path)
        result = record(path, lab("urgent", mechanism, "inline"))
        compare(result, mechanism)


@scenario("fcntl, msgctl, semctl: the command by name; a pipe's new size is its capacity")
def commands(directory):
    result = record(directory, lab("options"))
    trace = result.trace
    calls = ("fcntl", "msgctl", "semctl")
    expect_equal(
        [
            (op["syscall"], op["command"], op["returned"])
            for op in trace.operations()
            if op["syscall"] in calls
        ],
        [
            (call, name, 0 if name == "SETVAL" else value)
            for call, name, value in logged(result.truth, *calls)
        ],
        "commands and results",
    )
    flags = [op["file_flags"] for op in trace.operations() if "file_flags" in op]
    expect_equal(flags, [["O_NONBLOCK"], ["O_NONBLOCK"]], "flags set and found")
    (size,) = [op for op in trace.operations(syscall="fcntl") if op["command"] == "F_SETPIPE_SZ"]
    expect_equal(
        trace.channel(size["channel"])["capacity"], size["returned"], "the channel is as large"
    )


@scenario("mq_notify: how it tells; the signal's sender is who sent the message")
def notify(directory):
    result = record(directory, lab("options"))
    trace = result.trace
    expect_equal(
        [op["notify"] for op in trace.operations(syscall="mq_notify")],
        [
            {"method": "signal", "signal": "SIGUSR2"},
            {"method": "signal", "signal": "SIGUSR2"},
            {"method": "remove"},
        ],
        "what was asked for",
    )
    (line,) = [s for s in trace.of("signal", event="generate") if s["signal"] == "SIGUSR2"]
    (sent,) = [one for one in result.truth if one["do"] == "signal-sent"]
    expect_equal(
        (line["origin"], line["from"]["pid"], line["to"]["pid"]),
        ("message", sent["pid"], sent["to"]),
        "who sent it to whom, and why",
    )
    expect_equal(trace.operation(line["operation"])["syscall"], "mq_timedsend", "by which call")
    expect(
        any(m.get("signal") == "SIGUSR2" and m["sent"] for m in result.messages()),
        "the message that the signal is has a sender",
    )


@scenario("unlink of a FIFO or a socket, mq_unlink: on the channel whose name it takes away")
def unlink(directory):
    result = record(directory, lab("unlink", os.path.join(directory, "names")))
    trace = result.trace
    seen = [
        (
            trace.channel(op["channel"])["mechanism"] if "channel" in op else "none",
            op["path"],
            op["role"],
        )
        for op in trace.operations()
        if op["syscall"] in ("unlink", "unlinkat", "mq_unlink")
    ]
    expect_equal(
        seen,
        [
            (line["mechanism"], line["channel"], "control")
            for line in result.truth
            if line["do"] == "unlink"
        ],
        "names that went away; a file of the same name elsewhere is none of them",
    )


if __name__ == "__main__":
    main()
