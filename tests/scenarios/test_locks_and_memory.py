#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Locks taken in two orders, or in vain, memory that parent and child write at once, and their
sound twins."""
import json
import os
import resource

from expectations import expect, expect_equal
from findings import diagnose, expect_finding
from harness import lab, main, record, scenario

ORDER = "lock-order"
SHARING = "unsynchronised-sharing"
IN_VAIN = "lock-in-vain"

# Options of the tracer, where those are needed to see the locks.
CROSSED = ["crossed-sems", "crossed-undone", "crossed-files", "crossed-ranges", "crossed-mutexes"]

# The same order; an outer lock; never at once; both at once; a try; semaphores that count.
IN_ORDER = [
    "same-sems",
    "same-files",
    "outer-sems",
    "outer-ranges",
    "one-after-the-other",
    "at-once",
    "tries",
    "producer",
]

# Who had a lock that another got too, and what of the reason must be named.
GOT_BOTH = {
    "two-kinds": ("do not see each other", 2),
    "kinds-turned": ("do not see each other", 2),
    "inherited": ("belongs to the open file", 2),
    "inherited-range": ("belongs to the open file", 2),
    "closed-another": ("had lost it", 2),
    "threads": ("belongs to the process", 1),
}

SHUT_OUT = ["refused", "refused-range"]
NEVER_AT_ONCE = ["other-range", "closed-in-between", "in-turn"]

FEW = 6000  # memories, each with two processes

APART = ["before-and-after", "in-turn", "given-up"]


def traced(directory, program, *options):
    place = os.path.join(directory, program[1])
    os.mkdir(place)
    return record(place, program, *options)


@scenario("two locks that are taken in two orders are a note, of each kind of lock")
def crossed(directory):
    for name in CROSSED:
        result = traced(directory, lab("lockorders", name))
        found = expect_finding(result, ORDER)
        expect_equal([f["severity"] for f in found], ["note"], f"{name}: once, since nothing hung")
        ranges = "@" in found[0]["text"]
        expect_equal(ranges, name == "crossed-ranges", f"{name}: a place only of a range")


@scenario("locks that cannot be waited for in a circle get no such note")
def in_order(directory):
    for name in IN_ORDER:
        result = traced(directory, lab("lockorders", name))
        findings, _ = diagnose(result.trace_path)
        expect(all(f["id"] != ORDER for f in findings), name, findings)


def got_lock(result):
    """What the second one of `vainlocks` remembers, while the first had its lock: got it or not."""
    return [line.get("result", 0) == 0 for line in result.truth if line["do"] == "lock"]


@scenario("a lock that two get at the same time is told of, with the reason")
def in_vain(directory):
    for name, (why, count) in GOT_BOTH.items():
        result = traced(directory, lab("vainlocks", name))
        expect_equal(got_lock(result), [True], f"{name}: the second one got it too")
        found = expect_finding(result, IN_VAIN)
        expect_equal([f["severity"] for f in found], ["warning"], name)
        expect_equal(len(found[0]["processes"]), count, f"{name}: whose it was")
        expect(why in found[0]["text"], f"{name}: why", found)


@scenario("a lock that shuts the other out, or is given back before, is in order")
def not_in_vain(directory):
    for name in [*SHUT_OUT, *NEVER_AT_ONCE]:
        result = traced(directory, lab("vainlocks", name))
        expect(all(got == (name not in SHUT_OUT) for got in got_lock(result)), name, result.truth)
        findings, _ = diagnose(result.trace_path)
        expect(all(f["id"] != IN_VAIN for f in findings), name, findings)


@scenario("a parent that computes beside its child in shared memory is told of, once")
def parent_and_child(directory):
    result = traced(directory, lab("sharers", "parent-and-child"))
    expect_equal(len(expect_finding(result, SHARING)), 1, "one finding")


@scenario("memory filled before fork and read after wait, or used in turn, is no such sharing")
def apart(directory):
    for name in APART:
        result = traced(directory, lab("sharers", name))
        findings, _ = diagnose(result.trace_path)
        expect(all(f["id"] != SHARING for f in findings), name, findings)


def line(**fields):
    return json.dumps(fields).encode() + b"\n"


def many_memories(path, count):
    """A trace of `count` pairs of siblings, each with memory of their own, and no agreement."""
    start = {"format": "ipclens-trace", "version": 1, "tool": "0", "kernel": "6", "machine": "x"}
    operation = {"type": "operation", "syscall": "mmap", "role": "open", "fd": -1, "returned": 0}
    end = 10 * count
    with open(path, "wb") as file:
        file.write(line(type="header", **start, clock="CLOCK_MONOTONIC", start_ns=1,
                        realtime_offset_ns=0, options={}, hooks={}))  # fmt: skip
        file.write(line(type="process", event="snapshot", at_ns=1, pid=1, tid=1, comm="boss"))
        for number in range(count):
            memory = f"shared-mmap:[{number}]"
            file.write(line(type="channel", id=memory, at_ns=2, mechanism="shared-mmap"))
            for pid in (10 + 2 * number, 11 + 2 * number):
                at = 10 + 2 * pid
                file.write(line(type="process", event="fork", at_ns=at, pid=pid, tid=pid, ppid=1,
                                comm="worker"))  # fmt: skip
                file.write(line(**operation, id=pid, pid=pid, tid=pid, channel=memory, enter_ns=at,
                                exit_ns=at + 1, args={"prot": 3}))  # fmt: skip
        file.write(line(type="trailer", at_ns=end, why="finished", operations=2 * count, signals=0,
                        lost=0))  # fmt: skip


def seconds(path):
    """Of a processor, for the findings; the least of several times."""
    least = 60.0
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        findings, _ = diagnose(path)
        least = min(least, resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before)
    return least, findings


@scenario("of four times as many memories and processes it takes about four times as long")
def growth(directory):
    times = []
    for count in (FEW, 4 * FEW):
        path = os.path.join(directory, str(count))
        many_memories(path, count)
        took, findings = seconds(path)
        expect_equal([f["alike"] for f in findings], [count], "each pair is told of")
        times.append(took)
    expect(times[1] < 8 * times[0], "not sixteen times, as where each is held against each", times)


if __name__ == "__main__":
    main()
