#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Calls that wait longer than they are taken to, or for something else: told as what they are."""
from expectations import expect_equal, expect_in
from findings import diagnose, expect_finding, in_batches, severe
from hangs import TIMED_OUT
from harness import main, scenario

# mistake: what its finding is, of which severity, what its evidence and its advice say, in both
# languages
HANGING = {
    "lease": (
        ("blocked", "warning"),
        ("has a lease on /tmp/ipclens-lease-", "45 s by default"),
        ("hat einen Lease auf /tmp/ipclens-lease-", "normalerweise 45 s"),
    ),
}


def check(findings, name, words):
    (wanted, severity), (evidence, advice) = HANGING[name][0], words
    told = [finding for finding in findings if finding["id"] == wanted]
    expect_equal([finding["severity"] for finding in told], [severity], f"{name}: {findings}")
    expect_in(evidence, " ".join(told[0]["evidence"]), name)
    expect_in(advice, told[0]["advice"], name)


@scenario("a call that waits for something else than it seems is told as what it is, in two languages")
def long_waits(directory):
    names = [f"longwaits {name}" for name in HANGING]
    for run, words in in_batches(directory, names, "--timeout", "3"):
        name = words.split()[1]
        expect_equal(run.status, TIMED_OUT, name)
        expect_finding(run, HANGING[name][0][0])
        check(diagnose(run.trace_path)[0], name, HANGING[name][1])
        check(diagnose("--lang", "de", run.trace_path)[0], name, HANGING[name][2])


@scenario("the same programs, where they are sound, end, and nothing is said of them")
def sound(directory):
    names = [f"longwaits {name} outsider" for name in HANGING]
    for run, name in in_batches(directory, names, "--timeout", "20"):
        expect_equal(run.status, 0, name)
        expect_equal(severe(diagnose(run.trace_path)[0]), [], name)


if __name__ == "__main__":
    main()
