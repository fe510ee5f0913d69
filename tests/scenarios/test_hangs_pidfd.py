#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Who waits at a pidfd waits for the end of that process, which may block the signal sent to it."""
from expectations import expect, expect_equal, expect_in
from findings import diagnose, expect_nothing_rests_on_a_gap, severe
from hangs import PYTHON, TIMED_OUT, asleep, untraced
from harness import main, record, scenario

MAY_RUN_BESIDE_OTHERS = True

ENDS = """
import os, select, signal, time
read, write = os.pipe()
child = os.fork()
if not child:
    signal.pthread_sigmask(signal.SIG_BLOCK, {blocked})
    os.write(write, b"x")
    time.sleep(60)
    os._exit(0)
os.read(read, 1)
print(os.getpid(), child, flush=True)
descriptor = os.pidfd_open(child)
signal.pidfd_send_signal(descriptor, signal.SIGTERM)
poll = select.poll()
poll.register(descriptor, select.POLLIN)
poll.poll()
"""


def program(blocked):
    return [PYTHON, "-c", ENDS.format(blocked=blocked)]


def check(findings, child):
    found = [finding for finding in findings if finding["id"] == "blocked"]
    expect_equal(len(found), 1, f"one wait is told: {findings}")
    told = found[0]["text"] + " ".join(found[0]["evidence"])
    expect_in(f"only the end of python3[{child}] ends that", told, "whose end it is")
    expect("outside" not in told, "it is no one outside", found)
    return found[0]


@scenario("who waits for the end of a process that blocks SIGTERM is told so")
def blocked_signal(directory):
    run = record(directory, program("[15]"), "--timeout", "2", status=TIMED_OUT, whole=False)
    found = check(diagnose(run.trace_path)[0], int(run.stdout.split()[1]))
    expect_equal(found["severity"], "warning", "how bad it is")
    expect_in("SIGTERM, sent to", " ".join(found["evidence"]), "why it does not end")
    expect_in("unblock it", found["advice"], "the remedy")
    expect_nothing_rests_on_a_gap(run.trace_path, 3)


@scenario("-p names the process, too")
def not_traced(directory):
    both = lambda result: len(result.stdout.split()) == 2 and asleep(result.process.pid)
    found, result = untraced(directory, program("[15]"), both, "blocked")
    check(found, int(result.stdout.split()[1]))


@scenario("one that does not block it ends, and nothing is wrong")
def sound(directory):
    run = record(directory, program("[]"), "--timeout", "20", whole=False)
    found = [f for f in severe(diagnose(run.trace_path)[0]) if f["id"] != "killed-by-signal"]
    expect_equal(found, [], "nothing is wrong")


if __name__ == "__main__":
    main()
