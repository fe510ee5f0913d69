# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Findings of `ipclens diagnose`, compared with what the programs at fault logged of themselves."""
import json

from expectations import expect, expect_equal
from traces import IPCLENS, call

# What each mistake of tests/labs/hangs.c is, and what it must not be called.
HANGS = {
    "ring-three": ("deadlock", ["no-eof", "blocked"]),
    "outsider": ("blocked", ["deadlock", "no-eof"]),
    "full-pipes": ("deadlock", ["full-channel"]),
    "pipe-and-queue": ("deadlock", ["no-eof"]),
    "unix-sockets": ("deadlock", ["no-eof"]),
    "tcp-half-open": ("deadlock", ["no-eof"]),
    "not-accepted": ("never-accepted", ["deadlock", "no-eof"]),
    "not-accepted-unix": ("never-accepted", ["deadlock", "no-eof"]),
    "passed-on": ("blocked", ["deadlock", "no-eof"]),
    "semaphore-and-pipe": ("deadlock", ["no-eof", "semaphore-stuck"]),
    "parent-keeps": ("no-eof", ["blocked"]),
    "reader-keeps": ("no-eof", ["deadlock", "blocked"]),
    "grandchild-keeps": ("no-eof", ["deadlock"]),
    "fifo-reader-keeps": ("no-eof", ["deadlock", "blocked"]),
    "filter-both-ways": ("deadlock", ["blocked"]),
    "wrong-type": ("type-never-sent", ["deadlock", "blocked"]),
    "never-posts": ("semaphore-stuck", ["deadlock", "blocked"]),
    "early-signal": ("lost-wakeup", ["deadlock", "blocked"]),
    "nobody-reads": ("full-channel", ["deadlock", "no-eof"]),
}


def diagnose(*words, status=0):
    """The findings of a trace, or of `-p PID`; and the summary."""
    result = call([IPCLENS, "diagnose", "--json", *words], check=False)
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


def expect_finding(run, name, forbidden=()):
    """In the trace, with the parties and a channel that the program itself logged."""
    return expect_found(diagnose(run.trace_path)[0], run.truth, name, forbidden)


def expect_found(findings, truth, name, forbidden=()):
    found = [finding for finding in findings if finding["id"] == name]
    expect(found, f"{name} is found", findings)
    parties = {line["to"] for line in truth if line["do"] == "party"}
    named = {pid for finding in found for pid in finding["processes"]}
    expect(parties <= named, f"{name} names {parties}", found)
    channels = {
        f"{line['mechanism']}:[{line['value']}]" for line in truth if line["do"] == "channel"
    }
    told = {finding["channel"] for finding in found}
    expect(
        not channels or told & channels, f"{name} names one of the channels {channels}", found
    )
    wrong = [finding for finding in findings if finding["id"] in forbidden]
    expect(not wrong, f"{name} is not called {forbidden}", wrong)
    return found


def remove_left(run):
    """What the program meant to leave behind must not outlive the test."""
    for line in run.truth:
        option = {"sysv-msg": "-q", "sysv-sem": "-s"}.get(line.get("mechanism"))
        if line["do"] == "channel" and option:
            call(["ipcrm", option, str(line["value"])], check=False)
