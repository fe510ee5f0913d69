#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Calls that fail as their object does not take them, or a limit is reached: named, with a remedy."""
import os

from expectations import expect, expect_equal, expect_in
from findings import diagnose, expect_finding, expect_nothing_rests_on_a_gap, in_batches
from harness import main, record, scenario

FAILED = 1
SIGBUS = 128 + 7

# mistake: its finding, and what its advice says
MISUSES = {
    "writes-to-reading-end": ("misuse", "write to the second one, [1]"),
    "reads-from-writing-end": ("misuse", "read from the first one, [0]"),
    "talks-to-listener": ("misuse", "that accept() returned"),
    "unconnected": ("misuse", "call connect() first"),
    "accepts-without-listen": ("misuse", "listen(), then accept()"),
    "accepts-datagrams": ("misuse", "recvfrom()"),
    "sends-nowhere": ("misuse", "receiver's address"),
    "sends-type-zero": ("misuse", "mtype"),
    "sends-to-removed-queue": ("misuse", "IPC_RMID"),
    "no-such-semaphore": ("misuse", "the last one is n - 1"),
    "unread-fifo": ("misuse", "let the reader open it first"),
    "no-such-queue": ("misuse", "start the one that makes it first"),
    "smaller-segment": ("misuse", "ipcrm removes it"),
    "waits-for-stranger": ("misuse", "let its parent wait for it"),
    "crossed-file-locks": ("misuse", "in the same order everywhere"),
    "no-right-to-signal": ("misuse", "as root or as that user"),
    "other-family": ("misuse", "the family of the address"),
    "other-type": ("misuse", "use the type that the server uses"),
    "binds-elsewhere": ("misuse", "bind to 0.0.0.0"),
    "no-right-to-name": ("misuse", "a unix socket needs the right to write"),
    "broadcasts": ("misuse", "SO_BROADCAST"),
    "large-queue": ("limit-reached", "/proc/sys/fs/mqueue/msg_max"),
    "no-descriptor-left": ("limit-reached", "ulimit -n"),
    "no-such-socket": ("connection-failed", "start the server first"),
    "nonblocking-shared": ("nonblocking-shared", "give each its own"),
}


def run_all(directory, names, status):
    for run, name in in_batches(directory, [f"misuses {name}" for name in names]):
        expect_equal(run.status, status, name)
        yield name.split()[1], run


@scenario("a call that its object does not take is named, with what is wrong and what to do")
def misuses(directory):
    for name, run in run_all(directory, list(MISUSES), FAILED):
        wanted, advice = MISUSES[name]
        told = expect_finding(run, wanted)
        expect_equal([finding["severity"] for finding in told], ["warning"], name)
        expect_in(advice, told[0]["advice"], name)
        expect_nothing_rests_on_a_gap(run.trace_path, 2, ("misuse", "limit-reached"))


SHARED = "(node -e 'setTimeout(() => {}, 3000); console.log(1)' & sleep 1; head -c 1000000 /dev/zero)"


@scenario("head that fails as node has made their pipe non-blocking is told so, with node's name")
def beside_node(directory):
    run = record(directory, ["sh", "-c", f"{SHARED} | (sleep 2.5; cat) >/dev/null"])
    told = expect_finding(run, "nonblocking-shared")
    expect_equal(len(told), 1, "told once")
    expect(told[0]["text"].startswith("head["), "of head", told)
    expect_in("shares that with node[", told[0]["text"], "whose pipe it is, too")


@scenario("who touches a mapping behind the end of its object is told to give it its size")
def short_mapping(directory):
    for name, run in run_all(directory, ["short-mapping"], SIGBUS):
        told = expect_finding(run, "killed-by-signal")
        expect_in("ftruncate()", told[0]["advice"], name)


@scenario("a pipe that only lacks a dup2() is told so")
def no_dup(directory):
    for name, run in run_all(directory, ["no-dup"], 0):
        told = expect_finding(run, "inherited-end")
        expect_equal([finding["severity"] for finding in told], ["warning"], name)
        expect_in("dup2() its writing end to 1", told[0]["advice"], name)


# dup2() with its arguments swapped: what it names, and the remedy; they end well.
SWAPPED = {
    "swaps-output": ("its writing end of pipe:[", "found the end: read(", ", 1), as in dup2(p[1], 1)"),
    "swaps-output-of-socket": ("its end of unix-stream:[", "found the end: read(", ", 2), as in"),
    "swaps-input": ("its reading end of pipe:[", " called write(", ", 0), as in dup2(p[0], 0)"),
    "swaps-both": ("its writing end of pipe:[", "did the same, by dup3(", ", 1), as in"),
}


@scenario("a dup2() that closes the end that it was to make a standard stream is told with the remedy")
def swapped_dups(directory):
    for name, run in run_all(directory, list(SWAPPED), 0):
        end, other, advice = SWAPPED[name]
        told = expect_finding(run, "misuse")
        expect_equal({finding["severity"] for finding in told}, {"warning"}, name)
        expect_equal(len(told), 2 if name == "swaps-both" else 1, f"{name}: {told}")
        expect_in(end, told[0]["text"], name)
        expect_in(other, told[0]["evidence"][0], name)
        expect_in(advice, told[0]["advice"], name)
        expect_nothing_rests_on_a_gap(run.trace_path, 2, ("misuse",))


# A shell redirects what its script says, also onto an end of a pipe that was never used.
REDIRECTS = """
exec 3>&1 1>/dev/null 2>&3 3>&-
exec 5> >(cat >/dev/null); exec 5>&1 5>&-
coproc cat; exec 7>&${COPROC[1]}; exec 7>&1
"""


@scenario("who gives up an end that was used, and a shell that redirects, are told no swapped dup2()")
def sound_dups(directory):
    for name, run in run_all(directory, ["gives-up-end"], 0):
        expect_equal(diagnose(run.trace_path)[0], [], name)
    run = record(directory, ["bash", "-c", REDIRECTS])
    told = [f for f in diagnose(run.trace_path)[0] if f["id"] == "misuse"]
    expect_equal(told, [], "the shell")


@scenario("a port whose bytes one side has in the other order is told with who listens there")
def wrong_byte_order(directory):
    for name, run in run_all(directory, ["wrong-byte-order"], FAILED):
        told = expect_finding(run, "connection-refused")
        expect_in("one side lacks htons()", " ".join(told[0]["evidence"]), name)


LEFT = ["/dev/shm/misuses-left", "/dev/shm/sem.misuses-left"]


@scenario("shared memory and a semaphore that keep their names are told, with how to remove them")
def left_names(directory):
    for name, run in run_all(directory, ["left-names"], 0):
        for path in LEFT:
            os.unlink(path)
        told = expect_finding(run, "queue-left-behind")
        expect_equal([finding["severity"] for finding in told], ["note", "note"], name)
        advice = " ".join(finding["advice"] for finding in told)
        expect_in("rm /dev/shm/misuses-left", advice, name)
        expect_in('sem_unlink("/misuses-left")', advice, name)
    for run, name in in_batches(directory, ["misuses left-names outsider"]):
        expect_equal(run.status, 0, name)
        expect_equal(diagnose(run.trace_path)[0], [], "they are removed")


@scenario("what a program tries, and then makes itself, is no mistake")
def tries(directory):
    for name, run in run_all(directory, ["tries"], FAILED):
        findings, _ = diagnose(run.trace_path)
        ids = {finding["id"] for finding in findings}
        expect_equal(ids & {"misuse", "limit-reached", "connection-failed"}, set(), name)


if __name__ == "__main__":
    main()
