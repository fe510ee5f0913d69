#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""System V and POSIX message queues: types, priorities, keys, blocking."""
import re

from expectations import expect, expect_equal, expect_row
from harness import lab, main, record, scenario
from traces import call
from truth import compare


@scenario("a System V queue: one sender, two receivers by type")
def sysvq(directory):
    result = record(directory, lab("sysvq"))
    found = compare(result, "sysv-msg")
    key, queue = re.fullmatch(rb"key (0x\w+) msqid (\d+)\n", result.stdout).groups()
    trace = result.trace
    channels = {m["channel"] for m in found}
    expect_equal(channels, {f"sysv-msg:[{int(queue)}]"}, "one queue, known by its msqid")
    expect_equal(trace.channel(channels.pop())["key"], key.decode(), "its key, as ipcs prints it")
    check_types(trace, found, result.truth)
    removed = trace.operations(syscall="msgctl")
    expect_equal([op["returned"] for op in removed], [0], "the queue was removed")
    expect_row(result.view(), "sysv-msg")


def check_types(trace, found, truth):
    """The type sent, the type received, and the type asked for."""
    logged = sorted(
        (t["pid"], t["do"], t["type"], t["bytes"]) for t in truth if t["do"] in ("send", "receive")
    )
    operations = trace.operations(syscall="msgsnd") + trace.operations(syscall="msgrcv")
    seen = sorted(
        (
            op["pid"],
            op["role"],
            op["message_type"],
            op["transferred"] if op["role"] == "send" else op["returned"],
        )
        for op in operations
    )
    expect_equal(seen, logged, "types and sizes")
    for op in trace.operations(syscall="msgrcv"):
        expect_equal(op["args"]["msgtyp"], op["message_type"], "the type asked for is the one got")
    for message in found:
        sent = trace.operation(message["sent"]["op"])
        received = trace.operation(message["received"]["op"])
        expect_equal(sent["message_type"], received["message_type"], "the type of a message")


@scenario("a POSIX queue: the order of priorities, and a receiver that waits")
def posixq(directory):
    result = record(directory, lab("posixq", "/ipclens-scenario"))
    found = compare(result, "posix-mq")
    trace = result.trace
    received = [trace.operation(m["received"]["op"]) for m in found]
    expect_equal(
        [op["priority"] for op in received], [9, 5, 1, 1, 2], "priorities in order of receipt"
    )
    for message, op in zip(found, received):
        expect_equal(
            trace.operation(message["sent"]["op"])["priority"],
            op["priority"],
            "the priority of a message",
        )
    expect(received[-1].get("off_cpu_ns", 0) > 0, "the last receive slept", received[-1])
    expect("began_ns" in received[-1], "and says since when", received[-1])
    channel = trace.channel(found[0]["channel"])
    expect_equal(
        (channel["mechanism"], channel["name"]),
        ("posix-mq", "/ipclens-scenario"),
        "the queue's name",
    )
    opened = trace.operations(syscall="mq_open")
    expect_equal(
        [op["path"].lstrip("/") for op in opened], ["ipclens-scenario"], "opened by its name"
    )
    expect_equal(len(trace.operations(syscall="mq_unlink")), 1, "and removed")
    expect_row(result.view(), "posix-mq")


@scenario("a System V message that nobody received is unread")
def sysv_unread(directory):
    made = call(["ipcmk", "-Q"]).stdout.decode()
    queue = re.search(r"\d+", made).group()
    script = (
        "import ctypes,sys;libc=ctypes.CDLL(None,use_errno=True);"
        "sys.exit(libc.msgsnd(int(sys.argv[1]),(ctypes.c_long*2)(7,0x6f6c6c6568),5,0))"
    )
    try:
        result = record(directory, ["/usr/bin/python3", "-c", script, queue])
    finally:
        call(["ipcrm", "-q", queue])
    lost = [m for m in result.messages().of("sysv-msg") if m["to"] is None]
    expect_equal(
        [(m["bytes"], m["received"], m["fate"]) for m in lost],
        [(5, None, "unread")],
        "the message that stayed",
    )
    expect_equal(result.trace.operation(lost[0]["sent"]["op"])["payload"], "hello", "its text")


@scenario("a System V message in a queue that is removed is discarded, and so are bytes in a pipe")
def thrown_away(directory):
    script = (
        "import ctypes, os\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "queue = libc.msgget(0, 0o600)\n"
        "assert libc.msgsnd(queue, (ctypes.c_long * 2)(7, 0x6f6c6c6568), 5, 0) == 0\n"
        "assert libc.msgctl(queue, 0, None) == 0\n"
        "r, w = os.pipe(); os.write(w, b'gone'); os.close(r)\n"
        "r, w = os.pipe(); os.write(w, b'gone too')\n"
    )
    found = record(directory, ["/usr/bin/python3", "-c", script]).messages()
    expect_equal(
        [(m["mechanism"], m["bytes"], m["to"], m["fate"], m["match"]) for m in found
         if m["mechanism"] != "signal"],
        [
            ("sysv-msg", 5, None, "discarded", "exact"),
            ("pipe", 4, None, "discarded", "exact"),
            ("pipe", 8, None, "discarded", "exact"),
        ],
        "the messages",
    )


if __name__ == "__main__":
    main()
