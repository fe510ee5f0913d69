#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""No number that a program may give a call makes a trace that cannot be read."""
import os

from expectations import expect, expect_equal
from harness import IPCLENS, main, needs, record, scenario
from pages import section_of
from traces import call

PYTHON = "/usr/bin/python3"
WORKLOAD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "odd_values.py")
MOST = 2**53 - 1


# In the page's own words; node alone reads them.
COUNT = """
import { pageModule } from "%s";
const { count } = await pageModule(process.argv[1], "format.js");
console.log(count(2n ** 64n - 1n), count(2 ** 53 - 1), count(1.5));
"""
MODULES = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "browser", "modules.mjs"))


@scenario("lengths, types, times and flags of all sizes: every command reads the trace to its end")
def odd(directory):
    result = record(directory, [PYTHON, WORKLOAD])
    expect_equal(result.stdout, b"all were tried\n", "the workload went to its end")
    for command in ("messages", "stats", "diagnose", "view"):
        call([IPCLENS, command, result.trace.path])
    for op in result.trace.operations():
        if "timeout_ns" in op:
            expect_equal(0 <= op["timeout_ns"] <= MOST, True, "a time that is told")


@scenario("lengths and types that no double holds are in the trace and in the page digit by digit")
def exact(directory):
    result = record(directory, [PYTHON, WORKLOAD])
    lengths = {op["requested"] for op in result.trace.operations() if "requested" in op}
    for given in (2**64 - 1, 2**63 - 1, 2**53 + 1, 2**60 + 8):
        expect(given in lengths, f"{given} was asked for", sorted(lengths)[-20:])
    types = {op["message_type"] for op in result.trace.operations() if "message_type" in op}
    expect({2**53 + 1, 2**62 + 1, 2**63 - 1, -(2**63)} <= types, "types of messages", types)
    page = call([IPCLENS, "view", result.trace.path, "--as", "html"]).stdout.decode()
    told = {digits for _, digits in section_of(page, "calls")["largeLengths"]}
    expect({str(2**64 - 1), str(2**53 + 1)} <= told, "the page has the digits", told)
    told = {digits for _, digits in section_of(page, "core")["largeTypes"]}
    expect(str(2**53 + 1) in told, "of types, too", told)


@scenario("the page writes a number beyond 2^53 without rounding it")
def page_numbers(directory):
    needs("node")
    script = COUNT % MODULES
    said = call(["node", "--input-type=module", "-e", script, directory]).stdout.decode()
    expect_equal(said, "18,446,744,073,709,551,615 9,007,199,254,740,991 2\n", "as it is read")


if __name__ == "__main__":
    main()
