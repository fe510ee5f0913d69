#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Calls that wait longer than they are taken to, or for something else: told as what they are."""
import os
import signal
import subprocess

from expectations import expect, expect_equal, expect_in
from findings import diagnose, expect_finding, in_batches, severe
from hangs import PYTHON, TIMED_OUT, asleep, looked_at, untraced
from harness import lab, main, needs, record, scenario, start, wait_for

MAY_RUN_BESIDE_OTHERS = True

# mistake: what its finding is, of which severity, what its evidence and its advice say, in both
# languages
HANGING = {
    "lease": (
        ("blocked", "warning"),
        ("has a lease on lease-", "45 s by default"),
        ("hat einen Lease auf lease-", "normalerweise 45 s"),
    ),
    "waits-for-all": (
        ("deadlock", "error"),
        ("asked for 10 B with MSG_WAITALL, of which 5 B have come", "send the length of each"),
        ("verlangt mit MSG_WAITALL 10 B, von denen 5 B", "die Länge jeder Nachricht zuerst"),
    ),
    "barrier": (
        ("deadlock", "error"),
        ("a barrier that waits for more than there are", "pthread_barrier_init() the number"),
        ("einer Barriere, die auf mehr wartet", "pthread_barrier_init() die Zahl"),
    ),
}


def check(findings, name, words):
    (wanted, severity), (evidence, advice) = HANGING[name][0], words
    told = [finding for finding in findings if finding["id"] == wanted]
    expect_equal([finding["severity"] for finding in told], [severity], f"{name}: {findings}")
    expect_in(evidence, " ".join(told[0]["evidence"]), name)
    expect_in(advice, told[0]["advice"], name)


@scenario("a call that waits for something else than it seems is told as what it is, in German too")
def long_waits(directory):
    names = [f"longwaits {name}" for name in HANGING]
    for run, words in in_batches(directory, names, "--timeout", "3"):
        name = words.split()[1]
        expect_equal(run.status, TIMED_OUT, name)
        expect_finding(run, HANGING[name][0][0])
        check(diagnose(run.trace_path)[0], name, HANGING[name][1])
        check(diagnose("--lang", "de", run.trace_path)[0], name, HANGING[name][2])


def waits_for_lease(pid):
    with open("/proc/locks", encoding="ascii") as file:
        waiting = [line.split() for line in file if "-> LEASE" in line]
    return any(str(pid) in words for words in waiting)


@scenario("diagnose -p says who has the lease that an open waits for, though it wakes at each tick")
def lease_untraced(directory):
    ready = lambda result: waits_for_lease(result.process.pid)
    command = ["sh", "-c", f'cd "{directory}" && exec "$@"', "sh", *lab("longwaits", "lease")]
    findings, result = untraced(directory, command, ready, "blocked", severe)
    (finding,) = [found for found in findings if found["id"] == "blocked"]
    opener, holder = finding["processes"]
    expect_equal(opener, result.process.pid, "who waits")
    expect_in(
        f"longwaits[{opener}] openat(): longwaits[{holder}] has a lease on the file that is opened",
        " ".join(finding["evidence"]), "who has it",
    )  # fmt: skip
    expect_in("45 s by default", finding["advice"], "the remedy")


# A file system that is frozen; who writes there tells who it is first. It thaws when told to.
FROZEN = """
cd "$(mktemp -d -p PLACE)"; truncate -s 16M image; mkfs.ext4 -q image; mkdir -m 700 tree
mount -o loop image tree; fsfreeze -f tree; trap 'fsfreeze -u tree; umount tree' EXIT
echo ready=$$ >&2; sh -c 'echo writer=$$ >&2; echo x >tree/file' & read -r _; fsfreeze -u tree; wait
trap - EXIT; umount tree
"""


@scenario("-p says of who sleeps where no signal wakes it that it waits for a file system")
def frozen(directory):
    needs("mkfs.ext4", "fsfreeze")
    command = ["bash", "-c", FROZEN.replace("PLACE", directory)]
    frozen = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        told = dict(frozen.stderr.readline().strip().split("=") for _ in range(2))
        writer = int(told["writer"])
        wait_for(lambda: asleep(writer, b"D"), "the file system to hold the writer up")
        holds = lambda findings: any(finding["id"] == "blocked" for finding in severe(findings))
        findings, _ = looked_at(writer, holds, "a finding")
    finally:
        frozen.communicate("\n")
    expect_equal(frozen.returncode, 0, "the workload itself")
    (finding,) = severe(findings)
    expect_in("no signal reaches that sleep (state D)", finding["text"], "why")
    expect_in("fsfreeze -u", finding["advice"], "the remedy")


@scenario("the same programs, where they are sound, end, and nothing is said of them")
def sound(directory):
    names = [f"longwaits {name} outsider" for name in HANGING]
    for run, name in in_batches(directory, names, "--timeout", "20"):
        expect_equal(run.status, 0, name)
        expect_equal(severe(diagnose(run.trace_path)[0]), [], name)


ASKS = """
import subprocess
p = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
p.stdin.write(b"hello\\n")
{flush}
p.stdout.readline()
p.communicate()
"""
FEEDS = """
const p = require('child_process').spawn('sort');
p.stdout.on('data', () => 0);
p.stdin.{}('a');
"""

# Program: what its advice says; and the same, sound.
FED = {
    "python": (
        [PYTHON, "-c", ASKS.format(flush="")],
        "until p.stdin.flush()",
        [PYTHON, "-c", ASKS.format(flush="p.stdin.flush()")],
    ),
    "node": (
        ["node", "-e", FEEDS.format("write")],
        "child.stdin.end()",
        ["node", "-e", FEEDS.format("end")],
    ),
}


@scenario("who awaits the answer of a child that lacks its input is told how to give it")
def fed(directory):
    for name, (hangs, advice, sound_one) in FED.items():
        for kind, words, status in (("hangs", hangs, TIMED_OUT), ("sound", sound_one, 0)):
            place = os.path.join(directory, f"{name}-{kind}")
            os.mkdir(place)
            seconds = 4 if kind == "hangs" else 60
            run = record(place, words, "--timeout", seconds, status=status, whole=False)
            told = [f for f in severe(diagnose(run.trace_path)[0]) if f["id"] == "deadlock"]
            expect_equal(len(told), int(kind == "hangs"), f"{name} {kind}")
            if told:
                expect_in(advice, told[0]["advice"], name)


TICKS = """
import os, signal, socket, sys, time
ticked = []
ours, theirs = socket.socketpair()
if os.fork() == 0:
    ours.close()
    for _ in range(int(sys.argv[2])):
        theirs.recv(9)
        time.sleep(0.03)
        theirs.send(b"y")
    theirs.recv(9)
    theirs.recv(9)
theirs.close()

def tick(*_):
    ticked.append(time.monotonic_ns())
    if len(ticked) == 100:
        with open(sys.argv[1], "w") as log:
            print(asked, ticked[-1], file=log)
        if sys.argv[3] == "stops":
            signal.setitimer(signal.ITIMER_REAL, 0)

signal.signal(signal.SIGALRM, tick)
signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
print("ready", flush=True)
while True:
    ticked.clear()
    asked = time.monotonic_ns()
    ours.send(b"x")
    ours.recv(9)
"""


@scenario("a wait that a timer breaks off again and again counts from where it began first")
def broken_off(directory):
    log = os.path.join(directory, "log")
    command = [PYTHON, "-c", TICKS, log, "3", "stops"]
    result = record(directory, command, "--timeout", 3, status=TIMED_OUT, whole=False)
    with open(log, encoding="ascii") as file:
        asked_ns, ticked_ns = map(int, file.read().split())
    told = severe(diagnose(result.trace_path)[0])
    expect_equal([finding["id"] for finding in told], ["deadlock"], str(told))
    expect(
        asked_ns <= told[0]["at_ns"] <= ticked_ns,
        "it began before the timer had expired often",
        told[0],
        asked_ns,
        ticked_ns,
    )


@scenario("-p finds it as well, and nothing where the answers come while the timer runs")
def broken_off_untraced(directory):
    log = os.path.join(directory, "log")
    command = [PYTHON, "-c", TICKS, log, "3", "goes on"]
    untraced(directory, command, lambda result: os.path.exists(log), "deadlock", severe)
    command[4] = "1000000"  # answers
    result = start(directory, command, start_new_session=True)
    try:
        wait_for(lambda: result.stdout, "it to begin")
        for _ in range(3):
            expect_equal(severe(diagnose("-p", str(result.process.pid))[0]), [], "it goes on")
    finally:
        os.killpg(result.process.pid, signal.SIGKILL)
        result.process.wait()


if __name__ == "__main__":
    main()
