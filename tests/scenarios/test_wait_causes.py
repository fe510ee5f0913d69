#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Waiting: for what, what came, and who ended it."""
import select
import subprocess
import sys

from expectations import expect, expect_equal, expect_row
from findings import diagnose, faults
from harness import lab, main, record, scenario, start_record, wait_for

MAY_RUN_BESIDE_OTHERS = True

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


TICK_NS = 10_000_000  # of the slowest clock of a kernel: a wait may begin just before a tick
RECVFROM = 45

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


def check_patience(trace, line, op):
    """As long as its socket was told, by the kernel's clock; asleep for no longer than it took."""
    expect_equal(op.get("timeout_ns"), line["value"], f"{op['syscall']}: as its socket was told")
    took = op["exit_ns"] - op["enter_ns"]
    expect(op["off_cpu_ns"] <= took <= line["type"], "within what the program measured", op)
    if line.get("errno") == "EAGAIN":
        expect(took >= line["value"] - TICK_NS, "it waited until then", op)
    for begin in trace.of("operation", id=op["id"], state="begin"):
        expect_equal(begin["timeout_ns"], line["value"], "which is known while it waits")


def call_of(pid):
    """The number of the call in which it sleeps; None: it runs."""
    with open(f"/proc/{pid}/syscall", encoding="ascii") as file:
        word = file.read().split()[0]
    return int(word) if word.isdigit() else None


def call_logged(trace, line):
    """The call that a line of the log is about: the last of its name when it was written."""
    before = [
        op
        for op in trace.operations(syscall=line["channel"])
        if op["pid"] == line["pid"] and op["exit_ns"] <= line["at_ns"]
    ]
    expect(before, "it is in the trace", line)
    op = max(before, key=lambda op: op["exit_ns"])
    expect_equal(op.get("error", op["returned"]), line.get("errno", line["result"]), "its result")
    return op


def is_part_of(part, whole):
    """True if `whole` has the items of `part`, in their order, whatever lies between."""
    rest = iter(whole)
    return all(item in rest for item in part)


@scenario("SO_RCVTIMEO, SO_SNDTIMEO: how long a socket lets each call wait, and that it did")
def patience(directory):
    result = record(directory, lab("patience"))
    trace = result.trace
    calls = [
        (line, call_logged(trace, line))
        for line in result.truth
        if line["do"] in ("waited", "endless")
    ]
    expect_equal(len({op["id"] for _, op in calls}), 25, "each line has a call of its own")
    # Who is kept from the processor until its time is over has not slept at all.
    slept = [(line, op) for line, op in calls if op.get("off_cpu_ns")]
    expect(len(slept) > 10, "most of them slept", calls)
    expect(
        any(op["off_cpu_ns"] >= line["value"] - TICK_NS for line, op in slept if "errno" in line),
        "for as long as they waited",
        slept,
    )
    expect(any("began_ns" in op for _, op in slept), "and some say since when", slept)
    for line, op in slept:
        if line["do"] == "waited":
            check_patience(trace, line, op)
        else:
            expect("timeout_ns" not in op and "timed" not in op, "no end of its own", op)
    expect_equal(
        [f["id"] for f in diagnose(result.trace_path)[0] if f["id"] == "busy-wait"],
        [],
        "who sleeps in between is not busy",
    )
    rows = [row.split() for row in result.view(columns=160).splitlines() if "EAGAIN " in row]
    drawn = [row[row.index("EAGAIN") - 1] for row in rows]
    ran_out = [(line, op) for line, op in calls if line.get("errno") == "EAGAIN"]
    # Who has not slept looks like a call that does not wait, which may be drawn in another way.
    asleep = [line["channel"] for line, op in ran_out if op.get("off_cpu_ns")]
    expect(is_part_of(asleep, drawn), "a mark where the time ran out", asleep, drawn)
    each = [line["channel"] for line, _ in ran_out]
    expect(is_part_of(drawn, each), "and no other mark", drawn, each)


def receiver(seconds):
    """A program that waits for a datagram, for so long or for ever."""
    limit = f"a.setsockopt(s.SOL_SOCKET, s.SO_RCVTIMEO, struct.pack('ll', {seconds}, 0)); "
    script = "import socket as s, struct; a, b = s.socketpair(s.AF_UNIX, s.SOCK_DGRAM); "
    return [sys.executable, "-c", script + (limit if seconds else "") + "a.recv(1)"]


@scenario("who waits for ever in a socket is found; whose socket ends it in a minute is not")
def socket_hangs(directory):
    for seconds, expected in ((0, ["blocked"]), (60, [])):
        result = record(
            directory, receiver(seconds), "--timeout", "2", status=124, whole=False
        )
        (pending,) = result.trace.of("operation", state="pending", syscall="recvfrom")
        expect_equal(pending.get("timeout_ns", 0), seconds * 10**9, "what the trace says of it")
        found = [f["id"] for f in faults(result.trace_path)]
        expect_equal(found, expected, f"a wait of {seconds} s")


@scenario("-p on a socket that ends its wait: the call entered before says so too")
def socket_attached(directory):
    process = subprocess.Popen(receiver(60), start_new_session=True)
    try:
        wait_for(lambda: call_of(process.pid) == RECVFROM, "it to sleep")
        result = start_record(directory, None, "--timeout", 1, "-p", process.pid).wait()
        (pending,) = result.trace.of("operation", state="pending")
        expect_equal(
            (pending["entered_before"], pending["timeout_ns"]), (True, 60 * 10**9), "what it says"
        )
    finally:
        process.kill()
        process.wait()


@scenario("who waits in select for ever is found; who waits there for a minute is not")
def select_hangs(directory):
    script = "import os, select; select.select([os.pipe()[0]], [], [], {})"
    for limit, expected in (("None", ["blocked"]), ("60", [])):
        command = [sys.executable, "-c", script.format(limit)]
        result = record(directory, command, "--timeout", "2", status=124, whole=False)
        (pending,) = result.trace.of("operation", state="pending")
        expect_equal("timeout_ns" in pending, limit != "None", "what the trace says of it")
        found = [f["id"] for f in faults(result.trace_path)]
        expect_equal(found, expected, f"a wait of {limit}")


@scenario("a command whose time is over while it waits for a signal is told so, in a note")
def pause_ends(directory):
    command = [sys.executable, "-c", "import signal; signal.pause()"]
    result = record(directory, command, "--timeout", "2", status=124, whole=False)
    findings, _ = diagnose(result.trace_path)
    told = [(f["id"], f["severity"], f["processes"]) for f in findings]
    (pending,) = result.trace.of("operation", state="pending")
    expect_equal(told, [("blocked", "note", [pending["pid"]])], "what is told of it")


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
