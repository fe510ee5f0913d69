#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What signals meet, who ends a sleep, what calls say of signals, children and locks, and what is
not seen but said."""
import os
import signal

from expectations import expect, expect_equal, expect_row
from harness import lab, main, record, scenario


def name(number):
    return signal.Signals(number).name


def did(result, action):
    return [line for line in result.truth if line["do"] == action]


def generated(trace, line):
    """The signal that a line of the truth tells of."""
    found = [
        s
        for s in trace.of("signal", event="generate", signal=name(line["signal"]))
        if s["to"]["pid"] == line["to"]
    ]
    expect_equal(len(found), 1, f"one {name(line['signal'])} to {line['to']}")
    return found[0]


@scenario("signals meet threads that sleep, are stopped, or sit at a terminal; who wakes a reader")
def sigmeets(directory):
    result = record(directory, lab("sigmeets"))
    trace = result.trace
    for line in did(result, "meets"):
        if line["channel"]:
            expect_equal(
                generated(trace, line).get("target_state"),
                line["channel"],
                f"what {name(line['signal'])} met",
            )
    check_blocked_call(result)
    check_chosen(result)
    check_stop(result)
    check_terminal(result)
    check_waker(result)


def check_blocked_call(result):
    """The call that the target slept in, and that kill ended its sleep."""
    trace = result.trace
    line = next(t for t in did(result, "meets") if t["signal"] == signal.SIGUSR1)
    made = generated(trace, line)
    call = trace.operation(made["target_operation"])
    expect_equal((call["syscall"], call["pid"]), ("read", line["to"]), "the call it slept in")
    expect_equal(made["woken_tid"], line["to"], "the thread that was woken")
    woken = call["woken_by"]
    expect_equal(
        (woken["pid"], woken["tid"], woken["operation"]),
        (line["pid"], line["tid"], made["operation"]),
        "kill woke it",
    )


def check_chosen(result):
    second = did(result, "second")[0]
    line = next(t for t in did(result, "meets") if t["signal"] == signal.SIGUSR2)
    made = generated(result.trace, line)
    expect_equal((made["group"], made["woken_tid"]), (True, second["value"]), "the chosen thread")
    call = result.trace.operation(made["target_operation"])
    expect_equal((call["syscall"], call["tid"]), ("pause", second["value"]), "what it did")


def check_stop(result):
    trace = result.trace
    stopped, continued = did(result, "stopped")[0]["to"], did(result, "continued")[0]["to"]
    stop = trace.one("process", event="stop", pid=stopped)
    go_on = trace.one("process", event="continue", pid=continued)
    expect(stop["at_ns"] < go_on["at_ns"], "first it stops, then it goes on", stop, go_on)
    waits = [
        op["status"] for op in trace.operations() if op.get("child") == stopped and "status" in op
    ]
    expect_equal(
        waits, [{"stopped": "SIGSTOP"}, {"continued": True}, {"exit_code": 0}], "what wait told"
    )


def check_terminal(result):
    for line in did(result, "key") + did(result, "size"):
        made = generated(result.trace, line)
        expect_equal(
            (made["origin"], "from" in made), ("terminal", False), "a signal of the terminal"
        )


def check_waker(result):
    line = did(result, "wakes")[0]
    trace = result.trace
    read = [
        op
        for op in trace.operations(syscall="read", pid=line["to"])
        if op["returned"] == 1 and op["enter_ns"] < line["at_ns"] < op["exit_ns"]
    ]
    expect_equal(len(read), 1, "the read that the write woke")
    waker = trace.operation(read[0]["woken_by"]["operation"])
    expect_equal(
        (waker["syscall"], waker["tid"], waker["channel"]),
        ("write", line["tid"], read[0]["channel"]),
        "who woke it",
    )
    expect_equal(read[0]["woken_by"]["at_ns"], waker["woke_ns"], "both tell the same moment")
    expect(
        max(waker["enter_ns"], read[0]["enter_ns"])
        < waker["woke_ns"]
        < min(waker["exit_ns"], read[0]["resumed_ns"]),
        "within the write, before the read ran again",
        waker,
        read[0],
    )


@scenario("the waiters of poll, select and epoll are woken by the write of their child")
def polls_woken(directory):
    result = record(directory, lab("polls"))
    trace = result.trace
    for syscall in ("poll", "ppoll", "select", "pselect6", "epoll_wait"):
        (call,) = trace.operations(syscall=syscall)
        waker = trace.operation(call["woken_by"]["operation"])
        expect_equal(
            (waker["syscall"], waker["channel"]),
            ("write", call["ready"][0]["channel"]),
            f"who ended {syscall}",
        )


@scenario("sigaction, sigprocmask, sigtimedwait, sigsuspend, wait4, waitid, flock, fcntl locks")
def telling(directory):
    path = os.path.join(directory, "the lock")
    result = record(directory, lab("telling", path))
    check_actions(result)
    check_sets(result)
    check_children(result)
    for kind in ("flock", "posix", "ofd"):
        check_lock(result, kind, path)


def check_actions(result):
    logged = [(t["signal"], t["channel"]) for t in did(result, "sigaction")]
    calls = [
        op
        for op in result.trace.operations(syscall="rt_sigaction")
        if op["args"]["sig"] in (signal.SIGUSR1, signal.SIGHUP)
    ]
    expect_equal([(op["args"]["sig"], op["action"]) for op in calls], logged, "the actions set")
    expect("SA_RESTART" in calls[0]["action_flags"], "its flag", calls[0])
    expect_equal(calls[0]["signals"], ["SIGUSR2"], "what its handler blocks")


def check_sets(result):
    trace = result.trace
    masks = [
        op
        for op in trace.operations(syscall="rt_sigprocmask")
        if op.get("signals") == ["SIGUSR1", "SIGTERM"]
    ]
    expect_equal([op["blocked"] for op in masks], [["SIGUSR1", "SIGTERM"]], "what is blocked")
    taken = trace.operations(syscall="rt_sigtimedwait")
    expect_equal(
        [(op["signals"], op["returned"]) for op in taken],
        [(["SIGUSR1", "SIGTERM"], signal.SIGTERM)] * 2,
        "what sigtimedwait waits for, and gets",
    )
    expect_equal(
        [op.get("taken") for op in taken],
        [None] + [{"code": -1, "pid": t["to"], "value": t["value"]} for t in did(result, "take")],
        "who sent it, with which value, to who asks for that",
    )
    expect_equal(
        [op["signals"] for op in trace.operations(syscall="rt_sigsuspend")],
        [["SIGTERM"]],
        "what sigsuspend blocks",
    )


def check_children(result):
    seen = {op["child"]: op["status"] for op in result.trace.operations() if "child" in op}
    for line in did(result, "child"):
        status = {"signal": name(line["signal"])} if "signal" in line else {
            "exit_code": line.get("value", 0)
        }
        expect_equal(seen[line["to"]], status, f"what became of {line['to']}")


def check_lock(result, kind, path):
    """The child's lock sleeps until the parent's is given up, which ends the sleep."""
    trace = result.trace
    line = next(t for t in did(result, "locks") if t["channel"] == kind)
    syscall = "flock" if kind == "flock" else "fcntl"
    taken = [
        op
        for op in trace.operations(syscall=syscall, pid=line["pid"], fd=line["fd"])
        if "lock" in op
    ]
    expect_equal(len(taken), 1, f"the {kind} lock")
    lock = taken[0]["lock"]
    expect_equal((lock["kind"], lock["mode"]), (kind, "exclusive"), "its kind")
    if kind != "flock":
        expect_equal((lock["from"], lock["offset"], lock["length"]), ("start", 10, 5), "its range")
    expect("began_ns" in taken[0], "it sleeps for it", taken[0])
    channel = trace.channel(taken[0]["channel"])
    expect_equal(
        (channel["mechanism"], channel["name"], channel["inode"]),
        ("file-lock", os.path.basename(path), os.stat(path).st_ino),
        "the file",
    )
    unlock = trace.operation(taken[0]["woken_by"]["operation"])
    expect_equal((unlock["lock"]["mode"], unlock["channel"]), ("unlock", channel["id"]), "who ended it")


def check_unseen(directory, what, words, whole=True):
    result = record(directory, lab("unseen", what), whole=whole)
    line = did(result, "unseen")[0]
    if line["result"] < 0:
        print(f"# {what}: refused here ({line['errno']})")
        return
    told = result.trace.of("unseen")
    expect_equal(
        {(t["pid"], t["what"]) for t in told}, {(line["pid"], what)}, "what is not seen is said"
    )
    expect_row(result.view(), f"[{line['pid']}]", words)


@scenario("io_uring is not seen, and that is said")
def unseen_uring(directory):
    check_unseen(directory, "io-uring", "uses io_uring")


@scenario("a debugger's hands are said")
def unseen_ptrace(directory):
    check_unseen(directory, "ptrace", "debugger")


@scenario("a call that seccomp refused is said")
def unseen_seccomp(directory):
    check_unseen(directory, "seccomp", "seccomp")


@scenario("32-bit calls are not seen, and whose they are is said")
def unseen_compat(directory):
    check_unseen(directory, "32-bit", "32-bit", whole=False)


if __name__ == "__main__":
    main()
