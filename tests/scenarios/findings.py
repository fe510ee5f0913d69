# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Findings of `ipclens diagnose`, compared with what the programs at fault logged of themselves."""
import json
import os
import random

from expectations import expect, expect_equal
from harness import lab, start_record
from traces import BUILD, IPCLENS, call

AT_ONCE = 6  # traced at the same time

# What each program that hangs is, and what it must not be called.
HANGS = {
    "hangs ring-three": ("deadlock", ["no-eof", "blocked"]),
    "hangs outsider": ("blocked", ["deadlock", "no-eof"]),
    "hangs full-pipes": ("deadlock", ["full-channel"]),
    "hangs pipe-and-queue": ("deadlock", ["no-eof"]),
    "hangs unix-sockets": ("deadlock", ["no-eof"]),
    "hangs datagram-pair": ("deadlock", ["no-eof", "blocked"]),
    "hangs half-a-message": ("deadlock", ["no-eof", "blocked"]),
    "hangs wrong-type-of-child": ("type-never-sent", ["blocked"]),
    "hangs tcp-half-open": ("deadlock", ["no-eof"]),
    "hangs not-accepted": ("never-accepted", ["deadlock", "no-eof"]),
    "hangs not-accepted-unix": ("never-accepted", ["deadlock", "no-eof"]),
    "hangs passed-on": ("blocked", ["deadlock", "no-eof"]),
    "hangs semaphore-and-pipe": ("deadlock", ["no-eof", "semaphore-stuck"]),
    "hangs filter-both-ways": ("deadlock", ["blocked"]),
    "hangs wrong-type": ("type-never-sent", ["deadlock", "blocked"]),
    "hangs wrong-lowest": ("type-never-sent", ["deadlock", "blocked"]),
    "hangs wrong-except": ("type-never-sent", ["deadlock", "blocked"]),
    "hangs never-fits": ("never-fits", ["deadlock", "blocked", "full-channel"]),
    "hangs never-fits-of-child": ("never-fits", ["deadlock", "blocked", "full-channel"]),
    "hangs full-and-grown": ("deadlock", ["full-channel", "never-fits"]),
    "hangs never-posts": ("semaphore-stuck", ["deadlock", "blocked"]),
    "hangs dies-holding": ("semaphore-stuck", ["deadlock", "blocked"]),
    "hangs early-signal": ("lost-wakeup", ["deadlock", "blocked"]),
    "hangs early-for-sigsuspend": ("lost-wakeup", ["deadlock", "blocked"]),
    "hangs early-for-poll": ("lost-wakeup", ["deadlock", "blocked"]),
    "hangs nobody-reads": ("full-channel", ["deadlock", "no-eof"]),
    "hangs nobody-receives": ("full-channel", ["deadlock", "no-eof"]),
    "hangs one-wait-a-signal": ("zombie", ["deadlock", "no-eof"]),
    "hangs never-waits": ("zombie", ["deadlock", "no-eof"]),
    "stalls fifo-opens": ("deadlock", ["blocked", "no-eof"]),
    "stalls file-locks": ("deadlock", ["blocked"]),
    "stalls mutexes": ("deadlock", ["blocked", "semaphore-stuck"]),
    "stalls mutex-of-dead": ("semaphore-stuck", ["deadlock", "blocked"]),
    "stalls mutex-of-late-dead": ("semaphore-stuck", ["deadlock"]),
    "stalls mutex-of-self": ("semaphore-stuck", ["deadlock", "blocked"]),
    "stalls mutex-passed-on": ("blocked", ["deadlock", "semaphore-stuck"]),
    "stalls semaphore-of-dead": ("semaphore-stuck", ["deadlock", "blocked"]),
    "stalls semaphore-for-threads": ("blocked", ["deadlock", "semaphore-stuck", "lost-wakeup"]),
    "stalls condition-for-threads": ("blocked", ["deadlock", "semaphore-stuck", "lost-wakeup"]),
    "stalls joined-before-read": ("deadlock", ["no-eof"]),
    "stalls eventfds": ("deadlock", ["blocked"]),
    "stalls keyed-semaphore": ("blocked", ["deadlock", "semaphore-stuck"]),
    "stalls named-semaphore": ("blocked", ["deadlock", "semaphore-stuck"]),
    "stalls keyed-queues": ("blocked", ["deadlock", "type-never-sent"]),
    "stalls both-connect": ("deadlock", ["blocked", "no-eof"]),
    "stalls both-connect-unix": ("deadlock", ["blocked", "no-eof"]),
    "stalls full-backlog": ("deadlock", ["blocked", "no-eof"]),
    "stalls second-player": ("blocked", ["deadlock", "no-eof"]),
    "endless parent-keeps": ("no-eof", ["blocked"]),
    "endless reader-keeps": ("no-eof", ["deadlock", "blocked"]),
    "endless grandchild-keeps": ("no-eof", ["deadlock"]),
    "endless fifo-reader-keeps": ("no-eof", ["deadlock", "blocked"]),
    "endless tcp-half-closed": ("no-eof", ["deadlock", "blocked"]),
    "endless in-flight": ("no-eof", ["deadlock", "blocked"]),
    "endless pair-reader-keeps": ("no-eof", ["deadlock"]),
}

# Whom semaphore-stuck accuses, in a trace and by -p, and what it advises.
CULPRITS = {
    "hangs never-posts": ("which took it last", "which changed it last, ended", "SEM_UNDO"),
    "hangs dies-holding": ("which took it last", "which changed it last, ended", "SEM_UNDO"),
    "stalls mutex-of-dead": ("which has it, ended", "which has it, ended", "MUTEX_ROBUST"),
    "stalls mutex-of-late-dead": ("which has it, ended", "which has it, ended", "MUTEX_ROBUST"),
    "stalls mutex-of-self": ("it has it already itself", "it has it already itself", "RECURSIVE"),
    "stalls semaphore-of-dead": ("ended", "all its users wait", "sem_timedwait"),
}

# Those that sleep in memory that they share, where no other process can wake them.
FOR_THREADS = ["stalls semaphore-for-threads", "stalls condition-for-threads"]

# The same with one more process, which could help and does not: nothing is hopeless.
WITH_OUTSIDER = [
    "hangs ring-three",
    "hangs full-pipes",
    "hangs pipe-and-queue",
    "hangs unix-sockets",
    "hangs datagram-pair",
    "hangs half-a-message",
    "hangs tcp-half-open",
    "hangs semaphore-and-pipe",
    "hangs filter-both-ways",
    "stalls eventfds",
    "stalls both-connect",
    "stalls both-connect-unix",
    "stalls full-backlog",
    "endless parent-keeps",
]

# The same, where one more process is no help: a mutex is its owner's alone to unlock.
HOPELESS_BESIDE_OTHERS = ["stalls mutexes"]


def words(name):
    program, *rest = name.split()
    return lab(program, *rest)


def of_thinned(trace, ends):
    """The findings where so many exchanges stay at either end of a conversation, or ("whole") all."""
    lines = call([os.path.join(BUILD, "tools", "thinned"), trace, ends]).stdout.splitlines()
    return [line for line in lines if not line.startswith(b"left out: ")]


def expect_no_less_of_thinned(trace):
    """That a trace is diagnosed without what is ordinary in it takes nothing from the findings."""
    expect_equal(of_thinned(trace, "1"), of_thinned(trace, "whole"), "the same of a thinned trace")


def diagnose(*options, status=0):
    """The findings of a trace, or of `-p PID`; and the summary."""
    result = call([IPCLENS, "diagnose", "--json", *options], check=False)
    if len(options) == 1:
        expect_no_less_of_thinned(options[0])
    expect_equal((result.returncode, result.stderr), (status, b""), "diagnose succeeds")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    expect_equal(lines[-1]["type"], "summary", "the summary comes last")
    for severity in ("error", "warning", "note"):
        expect_equal(
            lines[-1][severity + "s"],
            sum(line["severity"] == severity for line in lines[:-1]),
            f"the summary counts each {severity}",
        )
    return lines[:-1], lines[-1]


def severe(findings):
    """Errors and warnings: what is worth knowing, as pieces that were joined, may be of any run."""
    return [finding for finding in findings if finding["severity"] != "note"]


def faults(trace):
    return severe(diagnose(trace)[0])


def expect_finding(run, name, forbidden=()):
    """In the trace, with the parties and a channel that the program itself logged."""
    return expect_found(diagnose(run.trace_path)[0], run.truth, name, forbidden)


def number_of(line):
    """The number of a "channel". A log leaves out what is 0, which a System V object's may be."""
    return line.get("value", 0)


def expect_found(findings, truth, name, forbidden=()):
    found = [finding for finding in findings if finding["id"] == name]
    expect(found, f"{name} is found", findings)
    parties = {line["to"] for line in truth if line["do"] == "party"}
    named = {pid for finding in found for pid in finding["processes"]}
    expect(parties <= named, f"{name} names {parties}", found)
    channels = {
        f"{line['mechanism']}:[{number_of(line)}{end}"
        for line in truth
        if line["do"] == "channel"
        for end in ("+" if line["mechanism"] == "futex" else "]")
    }
    told = [text for f in found for text in (f["channel"] or "", *f.get("evidence", []))]
    expect(
        not channels or any(channel in text for channel in channels for text in told),
        f"{name} names one of the channels {channels}",
        found,
    )
    wrong = [finding for finding in findings if finding["id"] in forbidden]
    expect(not wrong, f"{name} is not called {forbidden}", wrong)
    return found


def expect_culprit(findings, truth, name, live):
    """The one that the program itself knows to be at fault is named, and the right remedy."""
    said = CULPRITS[name][1 if live else 0]
    told = [finding for finding in findings if finding["id"] == "semaphore-stuck"]
    expect_equal(len(told), 1, f"{name} is told once: {findings}")
    expect(said in told[0]["text"], f"{name} says {said!r}", told)
    expect(CULPRITS[name][2] in told[0]["advice"], f"{name}: the remedy", told)
    culprit = next(line["to"] for line in truth if line["do"] == "culprit")
    expect(
        str(culprit) in told[0]["text"] or "itself" in said or said.startswith("all"),
        f"{name} names {culprit}",
        told,
    )


def remove_left(run):
    """What the program meant to leave behind must not outlive the test."""
    for line in run.truth:
        if line["do"] == "named":
            os.unlink(f"/dev/shm/sem.ipclens-stalls-{line['value']}")
        option = {"sysv-msg": "-q", "sysv-sem": "-s"}.get(line.get("mechanism"))
        if line["do"] == "channel" and option:
            call(["ipcrm", option, str(number_of(line))], check=False)


def expect_nothing_rests_on_a_gap(path, seeds, names=("deadlock", "no-eof")):
    """Of a trace with 1 % of its lines dropped none of these is told. The look at the machine that
    it may hold is evidence of its own, so that a line is missing there, too."""
    with open(path, "rb") as file:
        header, *lines = file.readlines()
    looked = [i for i, line in enumerate(lines) if line.startswith(b'{"type":"look"')]
    own = [i for i in range(len(lines)) if i not in looked]
    for seed in range(seeds):
        dice = random.Random(seed)
        gone = {dice.choice(part) for part in (own, looked) if part} | {
            i for i in range(len(lines)) if dice.random() < 0.01
        }
        thinned = path + ".thinned"
        with open(thinned, "wb") as file:
            file.writelines([header] + [line for i, line in enumerate(lines) if i not in gone])
        result = call([IPCLENS, "diagnose", "--json", thinned], check=False)
        expect(result.returncode in (0, 2), "diagnose ends", result.stderr)
        for name in names:
            expect(f'"id":"{name}"'.encode() not in result.stdout, f"nothing false without {gone}", result.stdout)
        if result.stdout:
            summary = json.loads(result.stdout.splitlines()[-1])
            expect(not summary["complete"], "that something is missing is told", gone)


def begin(directory, name, *options):
    place = os.path.join(directory, name)
    os.mkdir(place)
    return start_record(place, words(name), *options, cwd=place)


def in_batches(directory, names, *options):
    """Each program traced to its end, a few at a time: each tracer slows the whole machine."""
    for at in range(0, len(names), AT_ONCE):
        batch = {name: begin(directory, name, *options) for name in names[at : at + AT_ONCE]}
        for name, run in batch.items():
            run.wait()
            remove_left(run)
            yield run, name
