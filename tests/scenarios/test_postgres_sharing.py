#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""PostgreSQL among itself: its shared memory, its semaphores, and the signals of its latches."""
import os

from expectations import expect, expect_equal
from harness import main, record, scenario
from postgres import SCRIPT, cluster
from traces import mechanism_of


def first_number(directory, name):
    with open(os.path.join(directory, name), encoding="ascii") as file:
        return int(file.readline())


@scenario("PostgreSQL: who maps its memory, who waits for whose semaphore, which latch was set")
def postgres(directory):
    environment = cluster(directory)
    result = record(directory, ["sh", "-c", SCRIPT], cwd=directory, environment=environment)
    with open(os.path.join(directory, "data/postmaster.opts"), encoding="utf-8") as file:
        expect("listen_addresses" in file.read(), "it ran")
    memory = check_memory(result)
    check_semaphores(result, memory)
    check_latch(result, first_number(directory, "first"), first_number(directory, "second"))


def check_memory(result):
    """The server maps its anonymous memory and attaches the segment that keeps others away."""
    trace = result.trace
    server = trace.of("process", event="exec", comm="postgres")[0]["pid"]
    attached = [op for op in trace.operations(syscall="shmat") if op["pid"] == server]
    expect_equal({mechanism_of(trace, op) for op in attached}, {"sysv-shm"}, "its segment")
    mapped = [
        op["channel"]
        for op in trace.operations(syscall="mmap", pid=server)
        if "channel" in op and "name" not in trace.channel(op["channel"])
    ]
    expect_equal(len(mapped), 1, "its anonymous memory")
    return mapped[0]


def check_semaphores(result, memory):
    """Its semaphores lie in that memory; each sleep on one ended by a post of another backend."""
    trace = result.trace
    calls = [op for op in trace.operations(syscall="futex") if mechanism_of(trace, op) == "futex"]
    expect_equal(
        {trace.channel(op["channel"])["memory"] for op in calls}, {memory}, "where they lie"
    )
    woken = [op for op in calls if op["role"] == "wait" and not op["returned"]]
    slept = [op for op in woken if op.get("off_cpu_ns")]  # not those posted before they slept
    woke = [op for op in calls if op["role"] == "wake" and op["returned"]]
    expect(slept, "somebody waited for a lock that another one had", len(calls))
    expect_equal(len(woke), len(woken), "as many posts as waits that they ended")
    wakers = {op["id"]: op for op in woke}
    for op in slept:
        waker = wakers[op["woken_by"]["operation"]]
        expect_equal(waker["channel"], op["channel"], "the semaphore")
        expect(waker["pid"] != op["pid"], "another process posted it", waker, op)


def check_latch(result, first, second):
    """The holder of the lock sets the waiter's latch: a signal, taken by a read of a signalfd."""
    found = [
        m
        for m in result.messages().of("signal")
        if m["signal"] == "SIGURG" and m["from"] and m["from"]["pid"] == first
        and m["to"]["pid"] == second
    ]
    expect(found, "the first session's backend signals the second's")
    taken = result.trace.operation(found[0]["received"]["op"])
    expect_equal(
        (taken["syscall"], mechanism_of(result.trace, taken), found[0]["fate"]),
        ("read", "signalfd", "handled"),
        "how it was taken",
    )


if __name__ == "__main__":
    main()
