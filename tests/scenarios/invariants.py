# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What holds in every whole trace, whatever was traced: harness.finish() checks it each time."""
import re
from collections import Counter

from expectations import expect
from traces import sides

LOOKS_ONLY = 0x2002  # MSG_PEEK, MSG_ERRQUEUE
# No messages, or of other bytes than were moved: a terminal's line changes what passes, and all
# that listen to a group of netlink get the same message.
WITHOUT_BYTES = {
    *("signal", "eventfd", "signalfd", "timerfd", "inotify", "pty", "netlink"),
}

# Semaphores move nothing: who waits is woken by a call that may wait itself, or set a number.
WAKES = {"sysv-sem", "posix-sem", "futex"}
SENDS = (("send", "transfer"), ("wake", "wait", "control"))
RECEIVES = (("receive", "transfer"), ("wait",))


def check_lines(trace):
    """References point backwards, times run forwards, numbers are unique."""
    known, begun, ended = set(), set(), set()
    for line in trace.lines[1:]:
        if line["type"] == "channel":
            known.add(str(line["id"]))
            continue
        if line["type"] == "operation":
            check_operation(line, begun, ended)
        for channel in channels_in(line):
            expect(str(channel) in known, f"{channel} has a channel line above", line)
    expect(all(line.get("at_ns", 1) > 0 for line in trace.lines[1:]), "times are set")


def channels_in(line):
    names = [
        line[key]
        for key in ("channel", "channel_out", "to", "from")
        if line["type"] == "operation" and key in line
    ]
    return names + [
        fd["channel"]
        for key in ("fds", "new_fds", "waits_for", "ready")
        for fd in line.get(key, [])
        if isinstance(fd, dict) and "channel" in fd
    ]


def check_operation(line, begun, ended):
    identity, state = line["id"], line.get("state")
    expect(identity not in ended, "nothing follows an operation's end", line)
    if state == "begin":
        expect(identity not in begun, "an operation begins once", line)
        begun.add(identity)
    elif state is None:
        ended.add(identity)
        expect(line["enter_ns"] <= line["exit_ns"], "an operation ends after it began", line)
        expect(line["enter_ns"] <= line.get("began_ns", line["exit_ns"]) <= line["exit_ns"],
               "and sleeps in between", line)
        expect("returned" in line, "a completed operation has a result", line)
        expect(
            ("error" in line) == (line["returned"] < 0), "errors have names, results do not", line
        )
    if "payload" in line and "returned" in line and isinstance(line["payload"], str):
        refused = line["role"] == "send" and line.get("error") == "EAGAIN"  # what it was given
        expect(line["returned"] >= 0 or refused, "a call that failed moved nothing", line)


def moved(operation):
    """Bytes that an operation moved."""
    if (
        operation["returned"] < 0
        or operation.get("flags", 0) & LOOKS_ONLY
        and operation["role"] == "receive"
        and operation["syscall"].startswith("recv")
    ):
        return 0
    if "lengths" in operation:
        return sum(operation["lengths"])
    return operation.get("transferred", operation["returned"])


def goes_to_many(operation):
    """A send over UDP to a group, or to all: each that gets it has all of it."""
    return re.match(r"2(2[4-9]|3\d)\.|[\d.]+\.255:", operation.get("peer_address", ""))


def check_messages(trace, messages):
    """Messages take from each send and give to each receive exactly the bytes that it moved."""
    given, taken = Counter(), Counter()
    for message in messages:
        check_message(trace, message)
        if message["mechanism"] in WITHOUT_BYTES:
            continue
        for side, total in (("sent", given), ("received", taken)):
            if message[side]:
                total[message[side]["op"]] += message["bytes"]
        if message["sent"]:
            given[message["sent"]["op"]] += message.get("cut", 0)
    for operation in trace.operations():
        for role, channel in sides(operation):
            if trace.channel(channel)["mechanism"] in WITHOUT_BYTES:
                continue
            total = (given if role == "send" else taken)[operation["id"]]
            if role == "send" and goes_to_many(operation) and total > moved(operation) > 0:
                total = moved(operation) + total % moved(operation)
            expect(
                total == moved(operation),
                f"its messages have {total} bytes, the operation {moved(operation)}",
                operation,
            )


def check_message(trace, message):
    sent, received = message["sent"], message["received"]
    expect(message["from"] or message["to"], "one side at least is in the trace", message)
    if message["mechanism"] == "signal":
        return
    if sent and received:
        expect(
            sent["enter_ns"] <= received["exit_ns"],
            "nothing is received before it is sent",
            message,
        )
    for side, roles in (("sent", SENDS), ("received", RECEIVES)):
        if message[side]:
            operation = trace.operation(message[side]["op"])
            can = roles[message["mechanism"] in WAKES]
            if message["mechanism"] == "eventfd" and side == "sent":
                can += ("open",)  # its initial value
            expect(operation["role"] in can, f"{side} by a call that can", message, operation)
