#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Loops that do not do what they are told, and so are told again at once."""
import os

from expectations import expect_equal, expect_in
from findings import diagnose, expect_finding, expect_nothing_rests_on_a_gap
from harness import lab, main, record, scenario

# mistake: what its advice says
LOOPS = {
    "polls-closed": "take it out of the list when you close it",
    "selects-closed": "take it out of the list when you close it",
    "selects-in-vain": "or let the call block",
    "reads-past-end": "a read that returns 0 has found the end",
    "ignores-hangup": "POLLHUP and POLLERR are told until",
    "asks-for-room": "only while there is something to write",
    "ignores-input": "do what the call tells",
    "by-turns": "a read that returns 0 has found the end",
    "ignores-timer": "read the 8 bytes of the eventfd or timerfd",
    "ignores-counter": "read the 8 bytes of the eventfd or timerfd",
    "ignores-process": "a pidfd stays ready once its process has ended",
    "leaves-status": "or leave out WNOWAIT",
    "closed-copy": "epoll_ctl(EPOLL_CTL_DEL) before close()",
    "copies-again": "take as many bytes out of it after each call",
}

# Each call tells by itself that it found nothing, so those that are left in a trace tell it, too.
BY_THEMSELVES = ("selects-in-vain",)


def run_all(directory, names):
    """One after the other: a loop that gets no processor is not busy."""
    for name in names:
        place = os.path.join(directory, name)
        os.mkdir(place)
        yield name, record(place, lab("busyloops", name))


@scenario("a loop that is told of the same thing again and again is named, with how often it calls")
def loops(directory):
    for name, run in run_all(directory, list(LOOPS)):
        told = expect_finding(run, "busy-wait")
        calls = next(line["value"] for line in run.truth if line["do"] == "calls")
        expect_equal(len(told), 1, f"{name} is told once")
        expect_in(f" {calls} times in ", told[0]["text"], name)
        expect_in(LOOPS[name], told[0]["advice"], name)
        if name == "closed-copy":
            expect_in("which was unix-stream:[", " ".join(told[0]["evidence"]), name)
        if name not in BY_THEMSELVES:
            expect_nothing_rests_on_a_gap(run.trace_path, 2, ["busy-wait"])


@scenario("a loop that takes what it is told of is sound")
def sound(directory):
    for name, run in run_all(directory, ["sound", "sound-events", "read-elsewhere"]):
        found = [finding["id"] for finding in diagnose(run.trace_path)[0]]
        expect_equal("busy-wait" in found, False, f"{name}: {found}")


if __name__ == "__main__":
    main()
