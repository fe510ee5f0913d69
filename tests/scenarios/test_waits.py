#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Waiting: for what, what came, and who ended it."""
import select

from expectations import expect, expect_equal, expect_row
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
