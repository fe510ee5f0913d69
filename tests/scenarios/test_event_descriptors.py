#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Descriptors that bring news, and memory that another process reads."""
import errno
import os
import signal

from expectations import expect, expect_equal, expect_row
from harness import lab, main, record, scenario
from traces import blob, mechanism_of
from truth import compare


def did(result, action, **wanted):
    return [
        line
        for line in result.truth
        if line["do"] == action and all(line.get(key) == value for key, value in wanted.items())
    ]


def check_made(result, mechanism):
    """The call that made it gives the descriptor with its channel."""
    trace = result.trace
    line = did(result, "made", mechanism=mechanism)[0]
    found = [
        fd["channel"]
        for op in trace.operations(pid=line["pid"])
        for fd in op.get("new_fds", [])
        if fd["fd"] == line["fd"]
    ]
    expect_equal(len(found), 1, f"one call made the {mechanism}")
    expect_equal(trace.channel(found[0])["mechanism"], mechanism, "its kind")
    return found[0]


def check_got(result, mechanism):
    """Each read with what it got, and that the first one slept."""
    trace = result.trace
    channel = check_made(result, mechanism)
    reads = trace.operations(syscall="read", channel=channel)
    lines = did(result, "got", mechanism=mechanism)
    expect_equal(
        [(op["pid"], op["fd"], op["returned"]) for op in reads],
        [(line["pid"], line["fd"], line["result"]) for line in lines],
        f"the reads of the {mechanism}",
    )
    expect("began_ns" in reads[0], "it slept, and says since when", reads[0])
    return reads


@scenario("signalfd, timerfd, inotify, pidfd: made, waited for, read; and what a signalfd takes")
def events(directory):
    result = record(directory, lab("eventfds", directory))
    check_signals(result, check_got(result, "signalfd"))
    check_got(result, "timerfd")
    inotify = check_got(result, "inotify")
    watch = result.trace.one("operation", syscall="inotify_add_watch")
    expect_equal((watch["channel"], watch["path"]), (inotify[0]["channel"], directory), "the watch")
    maker = did(result, "made", mechanism="inotify")[0]["pid"]
    expect_equal(inotify[0]["woken_by"]["pid"], maker, "who made the file, and ended the sleep")
    check_process(result)


def check_signals(result, reads):
    """Each signal was taken by the read that gave it to the program."""
    taken = did(result, "signal-taken")
    names = [signal.Signals(line["signal"]).name for line in taken]
    found = [
        m
        for m in result.messages().of("signal")
        if m["received"] and m["received"].get("op") in {op["id"] for op in reads}
    ]
    expect_equal(
        sorted((m["signal"], m["from"]["pid"], m["to"]["pid"], m["fate"]) for m in found),
        sorted((n, t["to"], t["pid"], "handled") for n, t in zip(names, taken)),
        "the signals that were taken",
    )
    expect_equal(found[0]["match"], "exact", "the first is certain: its number is in the trace")
    fates = {m["fate"] for m in result.messages().of("signal") if "fate" in m}
    expect("pending" not in fates, "none is left", fates)
    expect_row(result.view(), "SIGUSR1", "taken by read")


def check_process(result):
    trace = result.trace
    channel = check_made(result, "pidfd")
    child = did(result, "got", mechanism="pidfd")[0]["to"]
    expect_equal(channel, f"pidfd:[{child}]", "whose it is")
    poll = trace.one("operation", syscall="poll", state="begin")
    expect_equal([wait["channel"] for wait in poll["waits_for"]], [channel], "what poll waits for")
    ready = trace.operation(poll["id"])["ready"]
    expect_equal([wait["channel"] for wait in ready], [channel], "what ended it")


@scenario("process_vm_readv, process_vm_writev: whose memory, how much, which bytes")
def memory(directory):
    result = record(directory, lab("vmcopy"))
    trace = result.trace
    calls = [op for op in trace.operations() if op["syscall"].startswith("process_vm_")]
    lines = [line for line in result.truth if line.get("mechanism") == "process-vm"]
    expect_equal(
        [(op["pid"], op["args"]["pid"], op["returned"]) for op in calls],
        [(t["pid"], t["to"], t["bytes"] if "bytes" in t else -errno.ESRCH) for t in lines],
        "the calls, who made them, on whom, and how much",
    )
    for op, line in zip(calls[:2], lines):
        expect_equal(mechanism_of(trace, op), "process-vm", "its kind")
        expect_equal(op["channel"], f"process-vm:[{line['to']}]", "whose memory")
        expect_equal(op["peer_pid"], line["to"], "who it is outside of any namespace")
        expect_equal(blob(op["payload"]), line["text"].encode("latin-1"), "the bytes")
    expect_equal(calls[2]["error"], "ESRCH", "a process that is gone")
    check_copies(result, calls[:2], lines[:2])


def check_copies(result, calls, lines):
    """Each copy is a message from whose memory it was to whose it is; the call has one side only."""
    found = result.messages().of("process-vm")
    expect_equal(len(found), len(lines), "a message for each copy, none for what failed")
    for message, op, line in zip(found, calls, lines):
        took = line["do"] == "take"
        ends = (line["to"], line["pid"]) if took else (line["pid"], line["to"])
        expect_equal((message["from"]["pid"], message["to"]["pid"]), ends, "from whom to whom")
        expect_equal((message["bytes"], message["match"]), (line["bytes"], "exact"), "what")
        active, passive = ("received", "sent") if took else ("sent", "received")
        expect_equal(message[active]["op"], op["id"], "the call that did it")
        expect_equal(message[passive], None, "the other one made no call")
    expect("fate" not in found[0] and "fate" not in found[1], "both arrived", found)
    expect_row(result.view(), "process-vm", str(lines[1]["bytes"]))


def channel_kind(trace, op):
    """Of what a call made, or acts on."""
    for fd in op.get("new_fds", []):
        return trace.channel(fd["channel"])["mechanism"]
    return mechanism_of(trace, op)


@scenario("creat, openat2, epoll_pwait2, tkill, mremap and others that few programs call")
def seldom(directory):
    result = record(directory, lab("seldom", os.path.join(directory, "fifo")))
    trace = result.trace
    compare(result, "fifo")
    for line in did(result, "called"):
        (op,) = trace.operations(syscall=line["channel"])
        expect_equal(op["returned"], line["result"], f"what {op['syscall']} returned")
        wanted = None if line["mechanism"] in ("signal", "none") else line["mechanism"]
        expect_equal(channel_kind(trace, op), wanted, f"what {op['syscall']} is about")
    for syscall, name, origin in (
        ("tkill", "SIGUSR1", "thread"),
        ("rt_tgsigqueueinfo", "SIGUSR2", "queue"),
    ):
        (line,) = trace.of("signal", event="generate", signal=name)
        raised = trace.operation(line["operation"])["syscall"]
        expect_equal((raised, line["origin"]), (syscall, origin), f"who raised {name}, and how")
    expect_equal(trace.operations(syscall="nanosleep")[0]["timeout_ns"], 1000000, "as asked")


if __name__ == "__main__":
    main()
