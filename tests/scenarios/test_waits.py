#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Waiting: for what, what came, and who ended it."""
import select
import sys

from expectations import expect, expect_equal, expect_row
from findings import diagnose
from harness import lab, main, record, scenario

EVENTS = {select.POLLIN: "in", select.POLLPRI: "pri", select.POLLOUT: "out"}


def words(bits):
    return sorted(word for bit, word in EVENTS.items() if bits & bit)


def logged(result, action, name):
    return [
        (line["fd"], words(line["value"]))
        for line in result.truth
        if line["do"] == action and line["channel"] == name
    ]


def listed(waits):
    return [(wait["fd"], sorted(wait["events"])) for wait in waits]


def channel_of(trace, pid, number):
    """The channel behind a descriptor, by the calls that made it: the last one counts."""
    found = [
        fd["channel"]
        for op in trace.operations(pid=pid)
        for fd in op.get("new_fds", [])
        if fd["fd"] == number
    ]
    expect(found, f"some call made descriptor {number}")
    return found


def check_waiter(result, name):
    trace = result.trace
    asked, ready = logged(result, "asks", name), logged(result, "ready", name)
    calls = [op for op in trace.operations() if op["syscall"] == name]
    expect_equal(len(calls), 1, f"the program called {name} once")
    begin = trace.one("operation", id=calls[0]["id"], state="begin")
    expect_equal(sorted(listed(begin["waits_for"])), sorted(asked), f"what {name} waits for")
    expect_equal(listed(calls[0]["ready"]), ready, f"what was ready for {name}")
    if name != "epoll_wait":
        expect_equal(
            sorted(listed(calls[0]["waits_for"])), sorted(asked), f"what {name} waited for"
        )
    for wait in begin["waits_for"] + calls[0]["ready"]:
        expect(
            wait["channel"] in channel_of(trace, begin["pid"], wait["fd"]),
            "each descriptor with its channel",
            wait,
        )
    expect("waits_cut" not in begin, "the list is whole", begin)


@scenario("poll, ppoll, select, pselect, epoll: what is waited for, and what was ready")
def polls(directory):
    result = record(directory, lab("polls"))
    for name in ("poll", "ppoll", "select", "pselect6", "epoll_wait"):
        check_waiter(result, name)
    check_epoll(result)


def check_epoll(result):
    """epoll_ctl says what it sets, of which instance."""
    trace = result.trace
    made = trace.operations(syscall="epoll_create1")
    expect_equal(len(made), 1, "one epoll instance is made")
    instance = made[0]["new_fds"][0]["channel"]
    expect_equal(trace.channel(instance)["mechanism"], "epoll", "its kind")
    controls = trace.operations(syscall="epoll_ctl", channel=instance)
    expect_equal(
        [listed(op["waits_for"])[0] for op in controls],
        logged(result, "asks", "epoll_wait"),
        "what epoll_ctl sets",
    )
    expect_equal(
        [op["channel"] for op in trace.operations(syscall="epoll_wait")],
        [instance],
        "the instance waited on",
    )


# They are given a moment: some of the time until then has passed before the call begins.
MOMENTS = {"mq_timedsend", "mq_timedreceive", "clock_nanosleep"}


@scenario("how long a call is ready to wait")
def timeouts(directory):
    result = record(directory, lab("timeouts"))
    for line in result.truth:
        calls = result.trace.operations(syscall=line["channel"])
        if line["do"] == "endless":
            found = [op for op in calls if "timeout_ns" not in op and "timed" not in op]
            expect_equal(len(found), 1, f"{line['channel']} without an end")
            continue
        asked = line["value"] - 1
        found = [op["timeout_ns"] for op in calls if "timeout_ns" in op]
        expect_equal(len(found), 1, f"{line['channel']} ends by itself: {calls}")
        if line["channel"] in MOMENTS:
            expect(0 <= found[0] <= asked, "no more than is left", found, asked)
            expect(asked < 60_000_000_000 or found[0] > 0, "and not in the past", found)
        else:
            expect_equal(found[0], asked, f"{line['channel']}: as long as it was told")
    begun = [line for line in result.trace.of("operation") if line.get("state") == "begin"]
    expect(begun, "some slept")
    for line in begun:
        expect("timeout_ns" in line, "which is known while they sleep", line)


@scenario("who waits in select for ever is found; who waits there for a minute is not")
def select_hangs(directory):
    script = "import os, select; select.select([os.pipe()[0]], [], [], {})"
    for limit, expected in (("None", ["blocked"]), ("60", [])):
        command = [sys.executable, "-c", script.format(limit)]
        result = record(directory, command, "--timeout", "2", status=124, whole=False)
        (pending,) = result.trace.of("operation", state="pending")
        expect_equal("timeout_ns" in pending, limit != "None", "what the trace says of it")
        found = [f["id"] for f in diagnose(result.trace_path)[0] if f["severity"] != "note"]
        expect_equal(found, expected, f"a wait of {limit}")


@scenario("a program that hangs in poll: the picture says for which channels")
def polls_hang(directory):
    result = record(directory, lab("polls", "hang"), "--timeout", "1", status=124, whole=False)
    pending = result.trace.of("operation", state="pending")
    expect_equal([op["syscall"] for op in pending], ["poll"], "it hangs in poll")
    names = [wait["channel"] for wait in pending[0]["waits_for"]]
    expect_equal(len(names), 2, "two channels")
    expect_row(result.view(columns=200), "waits in poll(2 channels: " + names[0] + " to read, ")


if __name__ == "__main__":
    main()
