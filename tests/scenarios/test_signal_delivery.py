#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Signals: who sent them, what became of them, and what they interrupted."""
import signal

from expectations import Failure, expect, expect_equal, expect_row
from harness import lab, main, record, scenario
from truth import compare


def name(number):
    if number >= signal.SIGRTMIN:
        offset = number - signal.SIGRTMIN
        return "SIGRTMIN" + (f"+{offset}" if offset else "")
    return signal.Signals(number).name


def check_sent(result):
    """Each kill and its kin is an operation with the result that the program got."""
    trace = result.trace
    logged = sorted(
        (t["pid"], t["signal"], t["to"], t.get("errno"))
        for t in result.truth
        if t["do"] == "signal-sent"
    )
    seen = []
    for op in trace.operations(role="signal"):
        number = op["args"]["sig"]
        to = op["args"].get("pid", op["args"].get("tgid"))
        if number != signal.SIGSTOP:  # a child stops itself so that its parent can wait for it
            seen.append((op["pid"], number, to, op.get("error")))
    expect_equal(sorted(seen, key=str), sorted(logged, key=str), "the signals sent")


def generated(trace, **wanted):
    return trace.of("signal", event="generate", **wanted)


def signal_messages(result, word):
    return [m for m in result.messages().of("signal") if m["signal"] == word]


def fate(result, word, target):
    found = [m for m in signal_messages(result, word) if m["to"] and m["to"]["pid"] == target]
    return [m.get("fate") for m in found]


@scenario("signals ignored, by default, handled, with a value, coalesced, to a thread, to nobody")
def signals(directory):
    result = record(directory, lab("signals"))
    check_sent(result)
    check_fates(result)
    check_deaths(result)
    check_values(result)
    picture = result.view()
    for word in ("SIGUSR1", "SIGTERM", "SIGSEGV", "SIGPIPE"):
        expect_row(picture, word)


def check_fates(result):
    sent = [t for t in result.truth if t["do"] == "signal-sent"]
    handled = {(t["pid"], t["signal"]) for t in result.truth if t["do"] == "signal-handled"}
    died = {(t["to"], t["signal"]) for t in result.truth if t["do"] == "child" and "signal" in t}
    counted = set()
    for line in sent:
        key = (line["to"], line["signal"])
        if key[1] == signal.SIGCONT:
            continue
        fates = fate(result, name(key[1]), key[0])
        if "errno" in line:
            check_gone(result, line)
        elif key in died:
            expect_equal(fates, ["default"], f"fate of {key}, which died of it")
        elif key not in handled:
            expect_equal(fates, ["ignored"], f"fate of {key}, which ignored it")
        elif key not in counted:
            wanted = ["handled"] + ["coalesced"] * (
                sum((t["to"], t["signal"]) == key for t in sent) - 1
            )
            expect_equal(sorted(fates, reverse=True), wanted, f"fate of {key}, which handled it")
            counted.add(key)


def check_gone(result, line):
    """To a process that is gone: the call is there, and a message says that nobody got it."""
    gone = [
        m for m in signal_messages(result, name(line["signal"])) if m.get("fate") == "no-process"
    ]
    expect_equal([m["from"]["pid"] for m in gone], [line["pid"]], "the signal to nobody")
    op = result.trace.operation(gone[0]["sent"]["op"])
    expect_equal((op["args"]["pid"], op["error"]), (line["to"], "ESRCH"), "and its target")


def check_deaths(result):
    """Who died of what; faults come from the kernel."""
    trace = result.trace
    logged = {
        (t["to"], name(t["signal"])) for t in result.truth if t["do"] == "child" and "signal" in t
    }
    seen = {
        (line["pid"], line["signal"])
        for line in trace.of("process", event="exit")
        if "signal" in line
    }
    expect_equal(seen, logged, "the processes that died of signals")
    for line in (t for t in result.truth if t["do"] == "dies"):
        made = [
            s
            for s in generated(trace, signal=name(line["signal"]))
            if s["to"]["pid"] == line["pid"]
        ]
        expect_equal(len(made), 1, f"{line['pid']}'s own {name(line['signal'])}")
        origin = "fault" if line["signal"] == signal.SIGSEGV else "kernel"
        if line["signal"] == signal.SIGSEGV:
            expect_equal(made[0]["origin"], origin, "a fault raised it")
        else:
            expect_equal(
                trace.operation(made[0]["operation"])["error"],
                "EPIPE",
                "a write that nobody can read raised it",
            )


def check_values(result):
    """sigqueue's signal has its own origin and goes through a real-time number."""
    queued = generated(result.trace, signal="SIGRTMIN")
    sent = [t["value"] for t in result.truth if t["do"] == "signal-sent" and "value" in t]
    expect_equal(
        [(s["origin"], s["value"]) for s in queued],
        [("queue", value) for value in sent],
        "the signal of sigqueue, with its number",
    )
    others = [s for s in generated(result.trace) if s["origin"] != "queue"]
    expect(not any("value" in s for s in others), "no other has one", others)
    thread = generated(result.trace, signal="SIGUSR2")
    expect_equal(
        [(s["origin"], s["group"] if "group" in s else False) for s in thread],
        [("thread", False)],
        "the signal of tgkill",
    )
    for word in ("SIGRTMIN", "SIGUSR2", "SIGHUP"):
        returns = result.trace.of("signal", event="return", signal=word)
        expect_equal(len(returns), 1, f"the handler of {word} returned")


def check_interrupted(result, how):
    """The signal, its handler, and the read it met, in this order."""
    trace = result.trace
    child = next(t["to"] for t in result.truth if t["do"] == "signal-sent")
    check_sent(result)
    expect_equal(fate(result, "SIGUSR1", child), ["handled"], "the signal's fate")
    deliver = trace.one("signal", event="deliver", signal="SIGUSR1")
    back = trace.one("signal", event="return", signal="SIGUSR1")
    expect_equal(
        (deliver["action"], back["interrupted"]), ("handler", how), "what it did to the call"
    )
    read = [
        op for op in trace.operations(syscall="read", pid=child) if op["id"] == deliver["operation"]
    ]
    expect_equal(len(read), 1, "the call it interrupted is in the trace")
    expect_equal(
        (read[0]["channel"].split(":")[0], read[0]["returned"] < 0),
        ("pipe", True),
        "the interrupted call",
    )
    expect(
        read[0]["enter_ns"] < deliver["at_ns"] <= back["at_ns"],
        "in this order",
        read[0],
        deliver,
        back,
    )
    return trace, read[0]


@scenario("a signal interrupts a blocked read: EINTR")
def eintr_fail(directory):
    result = record(directory, lab("eintr", "fail"))
    compare(result, "pipe")
    check_interrupted(result, "EINTR")
    expect_row(result.view(), "EINTR")


@scenario("a signal interrupts a blocked read with SA_RESTART: the read runs again")
def eintr_restart(directory):
    result = record(directory, lab("eintr", "restart"))
    compare(result, "pipe")
    trace, first = check_interrupted(result, "restart")
    again = [
        op
        for op in trace.operations(syscall="read", channel=first["channel"])
        if op["enter_ns"] > first["enter_ns"] and op["returned"] == 5
    ]
    expect_equal(len(again), 1, "the read that ran again got the data")
    picture = result.view()
    if "EINTR" in picture:
        raise Failure("the program never saw EINTR, so the picture must not show it\n" + picture)


@scenario("a signal through a pidfd, and one to a process that is gone")
def pidfdsignal(directory):
    result = record(directory, lab("pidfdsignal"))
    sent = [t for t in result.truth if t["do"] == "signal-sent"]
    calls = result.trace.operations(syscall="pidfd_send_signal")
    expect_equal(
        [op.get("error") for op in calls], [t.get("errno") for t in sent], "the two results"
    )
    made = generated(result.trace, signal="SIGUSR1")
    expect_equal(
        [(s["from"]["pid"], s["to"]["pid"], s["operation"]) for s in made],
        [(sent[0]["pid"], sent[0]["to"], calls[0]["id"])],
        "the signal that was made",
    )


if __name__ == "__main__":
    main()
