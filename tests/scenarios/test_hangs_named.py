#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Programs that hang: what each waits for, and for whom, is named."""
from expectations import expect, expect_equal, expect_in, expect_row
from findings import (
    CULPRITS,
    FOR_THREADS,
    HANGS,
    HOPELESS_BESIDE_OTHERS,
    WITH_OUTSIDER,
    diagnose,
    expect_culprit,
    expect_finding,
    expect_nothing_rests_on_a_gap,
    in_batches,
)
from harness import IPCLENS, main, scenario
from traces import call

MAY_RUN_BESIDE_OTHERS = True

TIMED_OUT = 124


def hang(directory, names):
    runs = {}
    for run, name in in_batches(directory, names, "--timeout", "4"):
        expect_equal(run.status, TIMED_OUT, f"{name} hangs")
        runs[name] = run
    return runs


@scenario("each mistake that makes a program hang is named, with its processes and its channel")
def hangs(directory):
    runs = hang(directory, list(HANGS))
    for name, (wanted, forbidden) in HANGS.items():
        expect_finding(runs[name], wanted, forbidden)
        if name in CULPRITS:
            expect_culprit(diagnose(runs[name].trace_path)[0], runs[name].truth, name, False)
    for name in FOR_THREADS:
        told = expect_finding(runs[name], "blocked")[0]
        expect_in("no other process can wake it", " ".join(told["evidence"]), name)
        expect_in("sem_init(&sem, 1, value)", told["advice"], name)
    ring = runs["hangs ring-three"]
    findings = expect_finding(ring, "deadlock")
    expect_equal(len(findings), 1, "a circle is told once")
    expect_equal(len(findings[0]["evidence"]), 3, "and spelled out")
    text = call([IPCLENS, "diagnose", "--lang", "en", ring.trace_path]).stdout
    expect_row(text.decode(), "waits in read(3)")
    for name, (wanted, _) in HANGS.items():
        if wanted not in ("deadlock", "no-eof"):
            expect_nothing_rests_on_a_gap(runs[name].trace_path, 5)


@scenario("where one more process could help, nothing is a deadlock")
def outsiders(directory):
    runs = hang(directory, [name + " outsider" for name in WITH_OUTSIDER])
    for name, run in runs.items():
        findings, _ = diagnose(run.trace_path)
        found = {finding["id"] for finding in findings}
        expect(found & {"blocked", "full-channel", "never-accepted"}, f"{name} waits", findings)
        expect(not found & {"deadlock", "no-eof"}, f"{name} is not hopeless", findings)
        expect_nothing_rests_on_a_gap(run.trace_path, 30)


@scenario("where one more process has the memory, mutexes that are held in a circle are a deadlock")
def owned(directory):
    for run in hang(directory, [name + " outsider" for name in HOPELESS_BESIDE_OTHERS]).values():
        expect_finding(run, "deadlock", ["blocked"])


if __name__ == "__main__":
    main()
