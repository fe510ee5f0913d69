#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Signals at their edges: cores, full queues, timers, targets in every state."""
import signal

from expectations import expect_equal
from harness import lab, main, record, scenario


def name(number):
    return "SIGRTMIN" if number == signal.SIGRTMIN else signal.Signals(number).name


def did(result, action, **wanted):
    return [
        line
        for line in result.truth
        if line["do"] == action and all(line.get(key) == value for key, value in wanted.items())
    ]


def generated(result, line):
    """Where the kernel generated the signals that a line of the truth tells of, in their order."""
    return [
        s
        for s in result.trace.of("signal", event="generate", signal=name(line["signal"]))
        if s["to"]["pid"] == line["to"]
    ]


def fates(result, line):
    return sorted(
        m.get("fate")
        for m in result.messages().of("signal")
        if m["signal"] == name(line["signal"]) and m["to"] and m["to"]["pid"] == line["to"]
    )


def traced(directory):
    """Where the program is at home, its core may lie too."""
    return record(directory, lab("sigedges"), cwd=directory)


@scenario("a signal that leaves a core, full queues, timers; targets that run, are ready, sleep")
def edges(directory):
    result = traced(directory)
    check_core(result)
    check_queues(result)
    check_timers(result)
    check_states(result)
    check_interrupted(result)


def check_core(result):
    """The process's end and the wait say what wait(2) told the program."""
    line = did(result, "aborted")[0]
    wanted = ("SIGABRT", bool(line.get("value")))
    end = result.trace.one("process", event="exit", pid=line["to"], last=True)
    expect_equal((end["signal"], end.get("core", False)), wanted, "its end")
    waits = [op["status"] for op in result.trace.operations() if op.get("child") == line["to"]]
    expect_equal(
        [(status["signal"], status.get("core", False)) for status in waits], [wanted], "the wait"
    )
    if not wanted[1]:
        print(f"# no core here: {open('/proc/sys/kernel/core_pattern', encoding='ascii').read()}")
    expect_equal(generated(result, line)[0]["origin"], "thread", "abort(3) sends to its own thread")


def check_queues(result):
    """sigqueue was refused, and its signal is dropped; what kill sent came without details."""
    lines = did(result, "sent", signal=int(signal.SIGRTMIN))
    made = generated(result, lines[0])
    expect_equal(
        [(s["origin"], s["result"]) for s in made], [("queue", "overflow"), ("kill", "lost")], "both"
    )
    calls = [result.trace.operation(s["operation"]) for s in made]
    expect_equal(
        [(op["syscall"], op.get("error")) for op in calls],
        [("rt_sigqueueinfo", lines[0]["errno"]), ("kill", None)],
        "what the sender was told",
    )
    expect_equal([t.get("value") for t in did(result, "handled")], [1], "one came")
    expect_equal(fates(result, lines[0]), ["dropped", "handled"], "what became of them")


def check_timers(result):
    for line in did(result, "timer"):
        made = generated(result, line)
        expect_equal(
            [(s["origin"], "from" in s, "operation" in s) for s in made],
            [("timer", False, False)],
            f"{line['signal']} has no sender but the timer",
        )
        expect_equal(fates(result, line), ["handled"], "what became of it")


def check_states(result):
    for line in did(result, "sent"):
        if line["channel"] in ("running", "ready", "blocked"):
            made = generated(result, line)
            expect_equal([s["target_state"] for s in made], [line["channel"]], "what it met")
            expect_equal(fates(result, line), ["handled"], "what became of it")
            slept = "target_operation" in made[0]
            expect_equal(slept, line["channel"] == "blocked", "only who sleeps does so in a call")


def check_interrupted(result):
    """SA_RESTART is of no use to pause(2): it ends with EINTR, and the trace says so."""
    line = did(result, "interrupted")[0]
    pid = line["pid"]
    call = result.trace.one("operation", syscall="pause", pid=pid, state=None)
    deliver = result.trace.one("signal", event="deliver", signal="SIGQUIT")
    back = result.trace.one("signal", event="return", signal="SIGQUIT")
    expect_equal(deliver["operation"], call["id"], "the call that it interrupted")
    expect_equal(back["interrupted"], "EINTR", "what the call returned")


if __name__ == "__main__":
    main()
