#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""No number that a program may give a call makes a trace that cannot be read."""
import os

from expectations import expect_equal
from harness import IPCLENS, main, record, scenario
from traces import call

PYTHON = "/usr/bin/python3"
WORKLOAD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "odd_values.py")
MOST = 2**53 - 1


@scenario("lengths, types, times and flags of all sizes: every command reads the trace to its end")
def odd(directory):
    result = record(directory, [PYTHON, WORKLOAD])
    expect_equal(result.stdout, b"all were tried\n", "the workload went to its end")
    for command in ("messages", "stats", "diagnose", "view"):
        call([IPCLENS, command, result.trace.path])
    large = [op for op in result.trace.operations() if op.get("requested") == MOST]
    expect_equal(bool(large), True, "SIZE_MAX is told as the largest number of the format")
    for op in result.trace.operations():
        if "timeout_ns" in op:
            expect_equal(0 <= op["timeout_ns"] <= MOST, True, "a time that is told")


if __name__ == "__main__":
    main()
