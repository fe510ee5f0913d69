#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Shared memory, semaphores and futexes: who maps what, who waits for whom."""
import os
import re

from expectations import expect, expect_equal, expect_in, expect_row
from harness import lab, main, record, scenario
from traces import mechanism_of


def operations(trace, mechanism):
    """Complete operations on objects of this mechanism, as (pid, role, result)."""
    return [op for op in trace.operations() if mechanism_of(trace, op) == mechanism]



def attached(trace, mechanism):
    """(pid, role, result) of each mapping and unmapping."""
    return sorted(
        (op["pid"], op["role"], op["returned"])
        for op in operations(trace, mechanism)
        if op["syscall"] in ("shmat", "shmdt", "mmap", "munmap")
    )


def logged(truth, mechanism, *actions):
    return sorted(
        (t["pid"], t["do"], t["result"])
        for t in truth
        if t.get("mechanism") == mechanism and t["do"] in actions
    )


@scenario("a System V segment and two semaphores: attached, detached, waited for")
def sysv(directory):
    result = record(directory, lab("sysvshm"))
    trace = result.trace
    key, segment, semaphores = re.fullmatch(
        r"key (0x\w+) shmid (\d+) semid (\d+)\n", result.stdout.decode()
    ).groups()
    memory = trace.channel(f"sysv-shm:[{segment}]")
    expect_equal((memory["key"], memory["capacity"]), (key, 8192), "the segment's key and size")
    semaphore_set = trace.channel(f"sysv-sem:[{semaphores}]")
    expect_equal(
        (semaphore_set["key"], semaphore_set["capacity"]), (key, 2), "the set's key and number"
    )
    expect_equal(
        attached(trace, "sysv-shm"),
        logged(result.truth, "sysv-shm", "open", "close"),
        "who attached and detached, and where",
    )
    check_detached(trace, result.truth, "sysv-shm")
    check_changes(result)
    removed = [
        op["syscall"]
        for op in trace.operations()
        if op["syscall"] in ("shmctl", "semctl") and op["args"]["cmd"] == 0
    ]
    expect_equal(removed, ["shmctl", "semctl"], "both were removed")


def check_detached(trace, truth, mechanism):
    """The address given back is one that the log names."""
    addresses = {t["value"] for t in truth if t["do"] == "close" and t["mechanism"] == mechanism}
    for op in operations(trace, mechanism):
        if op["syscall"] in ("shmdt", "munmap"):
            expect_in(op["args"]["addr"], addresses, "the address that was given back")


def check_woken(trace, op):
    """A call of another process on the same object, which was under way then, ended the sleep."""
    waker = trace.operation(op["woken_by"]["operation"])
    expect_equal(
        (waker["channel"], waker["role"], waker["pid"]),
        (op["channel"], "wake", op["woken_by"]["pid"]),
        "who ended the sleep",
    )
    expect(waker["pid"] != op["pid"], "it was another one", waker)
    expect(
        op["enter_ns"] < waker["exit_ns"] and waker["enter_ns"] < op["exit_ns"],
        "at that time",
        waker,
        op,
    )


def check_wakes(result, mechanism, slept):
    """Each sleep is a message from the call that ended it; what nobody slept for is none."""
    found = [
        (m["from"]["pid"], m["sent"]["op"], m["to"]["pid"], m["received"]["op"], m["match"])
        for m in result.messages().of(mechanism)
    ]
    wanted = [
        (op["woken_by"]["pid"], op["woken_by"]["operation"], op["pid"], op["id"], "exact")
        for op in slept
    ]
    expect_equal(sorted(found), sorted(wanted), "who woke whom")
    expect_row(result.view(), f"{mechanism} wakes", "asleep for")


def check_changes(result):
    """Each semop: by whom, on which semaphore, by how much, and whether it could wait."""
    trace, truth = result.trace, result.truth
    wanted = sorted(
        (t["pid"], t["do"], t["type"] - 1, t["value"])
        for t in truth
        if t.get("mechanism") == "sysv-sem"
    )
    calls = [op for op in operations(trace, "sysv-sem") if op["syscall"].startswith("sem")]
    found = sorted(
        (op["pid"], op["role"], op["sems"][0]["number"], op["sems"][0]["change"])
        for op in calls
        if "sems" in op
    )
    expect_equal(found, wanted, "the changes of semaphores")
    slept = [op for op in calls if op.get("off_cpu_ns") and "sems" in op]
    check_wakes(result, "sysv-sem", slept)
    expect(slept, "the consumer waited for the first letter")
    for op in slept:
        expect_equal(op["role"], "wait", "who slept waited")
        check_woken(trace, op)
        expect("began_ns" in op, "it says since when", op)


def shared(directory, how, *arguments):
    result = record(directory, lab("shmem", how, *arguments))
    trace = result.trace
    expect_equal(
        attached(trace, "shared-mmap"),
        logged(result.truth, "shared-mmap", "open", "close"),
        "who mapped and unmapped, and where; nothing else that is mapped is shared",
    )
    check_detached(trace, result.truth, "shared-mmap")
    ids = {op["channel"] for op in operations(trace, "shared-mmap")}
    expect_equal(len(ids), 1, "one region")
    return result, trace.channel(ids.pop())


def check_turns(result, mechanism):
    """Semaphore operations that reached the kernel are among those that the workload logged."""
    trace, truth = result.trace, result.truth
    calls = [op for op in operations(trace, mechanism) if op["syscall"] == "futex"]
    expect_equal(len({op["channel"] for op in calls}), 1, "one semaphore")
    logged_by = {
        role: [t["pid"] for t in truth if t.get("mechanism") == "posix-sem" and t["do"] == role]
        for role in ("wait", "wake")
    }
    for op in calls:
        expect_in(op["pid"], logged_by[op["role"]], "only who waited waits, who posted wakes")
    woken = [op["returned"] for op in calls if op["role"] == "wake"]
    expect_equal(woken, [1, 1, 1], "each post woke the child, which slept by the lab's own proof")
    slept = [op for op in calls if op["role"] == "wait" and op.get("off_cpu_ns")]
    expect_equal(len(slept), 3, f"it slept three times: {calls}")
    check_wakes(result, mechanism, slept)
    for op in slept:
        check_woken(trace, op)
        expect("began_ns" in op, "it says since when", op)
    return trace.channel(calls[0]["channel"])


@scenario("shm_open and a named semaphore: both by their names")
def named(directory):
    result, memory = shared(directory, "shm", "/ipclens-memory", "/ipclens-turn")
    expect_equal((memory["name"], memory["capacity"]), ("/dev/shm/ipclens-memory", 8192), "memory")
    expect("inode" in memory and "device" in memory, "inode and device", memory)
    semaphore = check_turns(result, "posix-sem")
    expect_equal(semaphore["name"], "/ipclens-turn", "its name, as sem_open(3) was given it")
    opened = [op for op in result.trace.operations() if op.get("new_fds")]
    expect(
        any(fd["channel"] == memory["id"] for op in opened for fd in op["new_fds"]),
        "the descriptor of the memory is known",
    )


@scenario("a memfd, and a semaphore in it")
def memfd(directory):
    result, memory = shared(directory, "memfd", "box")
    expect_equal((memory["name"], memory["capacity"]), ("memfd:box", 8192), "memory")
    check_futex(result, memory)


@scenario("an anonymous shared mapping, inherited by fork")
def anonymous(directory):
    result, memory = shared(directory, "anonymous")
    expect("name" not in memory, "it has no name", memory)
    check_futex(result, memory)


@scenario("a file that is mapped for writing")
def file(directory):
    path = os.path.join(directory, "box")
    result, memory = shared(directory, "file", path)
    expect_equal(memory["name"], "box", "the file's name")
    check_futex(result, memory)


def check_futex(result, memory):
    """The semaphore in the memory is a futex at its beginning."""
    semaphore = check_turns(result, "futex")
    expect_equal(semaphore["id"], f"futex:[{memory['inode']}+0]", "memory and offset")
    expect_equal(semaphore["memory"], memory["id"], "where it lies")


@scenario("with --no-futex no futex is in the trace")
def no_futex(directory):
    result = record(directory, lab("shmem", "memfd", "quiet"), "--no-futex")
    expect_equal(result.trace.of("operation", syscall="futex"), [], "futex operations")
    expect_equal(result.trace.lines[0]["options"]["futex"], False, "the header says so")


@scenario("futexes in a process's own memory are not in the trace, whatever their callers say")
def own_futex(directory):
    for how in ("private", "plain", "plain busy"):
        place = os.path.join(directory, how)
        os.mkdir(place)
        result = record(place, lab("futexes", *how.split()))
        waits = sum(line["value"] for line in result.truth if line["do"] == "wait")
        expect(waits >= 1000, "it waited often", waits)
        expect_equal(result.trace.of("operation", syscall="futex"), [], f"{how}: futex calls")
        expect_equal(result.trace.lines[0]["options"]["futex"], True, "shared ones would be")


@scenario("each call at a shared futex is in the trace, or counted as lost")
def doubtful_futex(directory):
    for how in ("shared", "shared busy"):
        place = os.path.join(directory, how)
        os.mkdir(place)
        result = record(place, lab("futexes", *how.split()), whole=False)
        calls = sum(line["value"] for line in result.truth if line["do"] in ("wait", "wake"))
        kept = sum(op["syscall"] == "futex" for op in result.trace.operations())
        lost = result.trace.of("lost")
        expect(all(line["where"] == "futex" for line in lost), "nothing else is lost", lost)
        expect(calls >= 2000, "it called often", calls)
        expect_equal(kept + sum(line["count"] for line in lost), calls, f"{how}: {lost}")
        expect_equal(bool(lost), how != "shared", f"lost where the mappings change: {lost}")


if __name__ == "__main__":
    main()
