#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Findings: each fault is named, with its processes and its channel; sound programs get none."""
import os
import random

from expectations import expect, expect_equal, expect_in, expect_row
from findings import HANGS, diagnose, expect_finding, remove_left
from harness import IPCLENS, lab, main, record, scenario, start
from traces import ROOT, call

TIMED_OUT = 124

# The same of tests/labs/mistakes.c, and how it ends.
MISTAKES = {
    "sigpipe": ("broken-pipe", 128 + 13),
    "epipe": ("broken-pipe", 0),
    "no-handler": ("killed-by-signal", 0),
    "crash": ("killed-by-signal", 0),
    "left-in-pipe": ("unread-data", 0),
    "left-in-queue": ("unread-data", 0),
    "cut-datagram": ("message-truncated", 0),
    "too-big": ("message-truncated", 0),
    "dropped": ("datagram-dropped", 0),
    "partial-write": ("partial-write", 0),
    "gives-up": ("interrupted-call", 0),
    "coalesced": ("signal-coalesced", 0),
    "too-late": ("signal-ignored", 0),
    "ignored": ("signal-ignored", 0),
    "refused": ("connection-refused", 0),
    "in-use": ("address-in-use", 0),
    "never-accepted": ("never-accepted", 0),
    "left-queue": ("queue-left-behind", 0),
    "left-semaphore": ("queue-left-behind", 0),
    "reset": ("reset-with-data", 0),
    "busy": ("busy-wait", 0),
    "tiny": ("tiny-transfers", 0),
    "split": ("split-stream", 0),
    "keeps-end": ("inherited-end", 0),
    "race-in-mapping": ("unsynchronised-sharing", 0),
    "race-in-segment": ("unsynchronised-sharing", 0),
}


def sound(findings):
    return [finding for finding in findings if finding["severity"] != "note"]


def expect_sound(path):
    findings, summary = diagnose(path, "--fail-on", "warning")
    expect(not sound(findings), "a sound program has no error and no warning", findings)
    return summary


def begin(directory, name, command, *options):
    place = os.path.join(directory, name)
    os.mkdir(place)
    path = os.path.join(place, "trace.ndjson")
    return start(place, [IPCLENS, "record", "-o", path, *options, "--", *command])


@scenario("each mistake that makes a program hang is named, with its processes and its channel")
def hangs(directory):
    runs = {name: begin(directory, name, lab("hangs", name), "--timeout", "4") for name in HANGS}
    for name, (wanted, forbidden) in HANGS.items():
        run = runs[name].wait()
        remove_left(run)
        expect_equal(run.status, TIMED_OUT, f"{name} hangs")
        expect_finding(run, wanted, forbidden)
    findings = expect_finding(runs["ring-three"], "deadlock")
    expect_equal(len(findings), 1, "a circle is told once")
    expect_equal(len(findings[0]["evidence"]), 3, "and spelled out")
    text = call([IPCLENS, "diagnose", "--lang", "en", runs["ring-three"].trace_path]).stdout
    expect_row(text.decode(), "waits in read(3)")
    no_false_circles(runs)


def no_false_circles(runs):
    """Lines that are missing make no deadlock and no end that cannot come."""
    dice = random.Random(6)
    for name in ("outsider", "grandchild-keeps", "nobody-reads"):
        with open(runs[name].trace_path, "rb") as file:
            lines = file.readlines()
        for _ in range(20):
            kept = [line for line in lines[1:] if dice.random() > 0.1]
            path = os.path.join(runs[name].directory, "thinned.ndjson")
            with open(path, "wb") as file:
                file.writelines(lines[:1] + kept)
            result = call([IPCLENS, "diagnose", "--json", path], check=False)
            expect(result.returncode in (0, 2), "diagnose ends", result.stderr)
            expect(b'"id":"deadlock"' not in result.stdout, "no false deadlock", result.stdout)


@scenario("each mistake of a program that ends is named, with its processes and its channel")
def mistakes(directory):
    for name, (wanted, status) in MISTAKES.items():
        place = os.path.join(directory, name)
        os.mkdir(place)
        run = record(place, lab("mistakes", name), status=status)
        remove_left(run)
        expect_finding(run, wanted)


SOUND_LABS = [
    ["connect", "ls", "wc"],
    ["fifo"],
    ["posixq"],
    ["sysvq"],
    ["eventfd"],
    ["reqresp"],
    ["seqpacket"],
    ["shmem"],
    ["unixdgram"],
    ["unixstream"],
    ["tcp6"],
    ["threads"],
    ["dupfork"],
    ["relay"],
]

SOUND_COMMANDS = [
    "ls | wc",
    "yes | head -1",
    "seq 10000 | sort -n | tail -1",
    "echo a | cat | cat | cat",
    "sleep 0.2 & wait",
    "cat <<. | tr a b\naaa\n.",
    "x=$(echo hi); echo $x",
    "for i in 1 2 3; do echo $i; done | while read j; do echo $j; done",
    "sleep 5 & kill $!; wait; true",
    "find /usr/share/doc -name 'a*' | xargs echo | wc -c",
    "tar c /etc/alternatives 2>/dev/null | gzip | wc -c",
    "git --version | cat",
    "sleep 0.1 | cat",
    "(echo a; echo b >&2) 2>&1 | sort",
    "timeout 0.1 sleep 5; true",
    "dd if=/dev/zero bs=64k count=50 2>/dev/null | dd of=/dev/null bs=1k 2>/dev/null",
    "printf 'all: a b\\na b: ; @sleep 0.1; echo $@\\n' | make -j4 -f -",
]


@scenario("sound programs that look alike have no error and no warning")
def sound_programs(directory):
    path = os.path.join(directory, "trace.ndjson")
    for command in [lab(*words) for words in SOUND_LABS] + [
        ["sh", "-c", text] for text in SOUND_COMMANDS
    ]:
        run = start(directory, [IPCLENS, "record", "-o", path, "--", *command]).wait()
        expect(run.status is not None, "it ends")
        expect_sound(path)


@scenario("diagnose and explain speak German, exit as --fail-on says, and docs/findings.md is theirs")
def manners(directory):
    path = record(directory, lab("mistakes", "epipe")).trace_path
    diagnose(path, "--fail-on", "error")
    diagnose(path, "--fail-on", "warning", status=1)
    german = call([IPCLENS, "diagnose", path], env=dict(os.environ, LANG="de_DE.UTF-8", LC_ALL=""))
    expect_in("schrieb in", german.stdout.decode(), "German where LANG is")
    plain = call([IPCLENS, "diagnose", "--lang", "en", path]).stdout.decode()
    expect_in("broken-pipe", plain, "the finding")
    expect_in("ipclens explain broken-pipe", plain, "and where to read more")
    page = call([IPCLENS, "explain", "--lang", "en", "--markdown"]).stdout
    with open(os.path.join(ROOT, "docs", "findings.md"), "rb") as file:
        expect(file.read() == page, "docs/findings.md is current: make findings-doc")


@scenario("run ends with the findings in brief; --diagnose-only prints them alone, and whole")
def at_the_end_of_run(directory):
    told = call([IPCLENS, "run", "--", *lab("mistakes", "epipe")]).stderr.decode()
    expect_in("broken-pipe", told.splitlines()[-1], "the finding is the last line")
    expect_in("─▶ control", told, "after the picture")
    told = call([IPCLENS, "run", "--", "sh", "-c", "ls | wc"]).stderr.decode()
    expect("broken-pipe" not in told, "nothing where nothing is wrong", told)
    told = call([IPCLENS, "run", "--diagnose-only", "--", *lab("mistakes", "epipe")]).stderr
    expect_in("explain broken-pipe", told.decode(), "with advice")
    expect("─▶ control" not in told.decode(), "no picture with a legend", told)


if __name__ == "__main__":
    main()
