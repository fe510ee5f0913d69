#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The schema: every line of every scenario's trace fits it (see harness.py), and others do not."""
import copy

from expectations import expect, expect_equal
from harness import lab, main, record, scenario
from traces import schema, validator


@scenario("the schema is one, by its own standard")
def is_a_schema(_):
    expect_equal(type(schema()), dict, "a JSON object")
    validator()


@scenario("lines that are not of the format are refused")
def refuses(directory):
    lines = record(directory, lab("fifo")).trace.lines
    for kind in ("header", "process", "channel", "operation", "trailer"):
        line = next(line for line in lines if line["type"] == kind)
        expect(validator().is_valid(line), f"a {kind} line as it is fits", line)
        for what, broken in damage(line):
            expect(
                not validator().is_valid(broken), f"a {kind} line with {what} is refused", broken
            )


def damage(line):
    """The line, broken in ways that a schema must notice."""
    time = next(key for key in line if key.endswith("_ns"))
    for key, value in ((time, -1), (time, "soon"), (time, 1.5), (time, None)):
        broken = copy.deepcopy(line)
        broken[key] = value
        yield f"{key} = {value!r}", broken
    broken = copy.deepcopy(line)
    del broken[time]
    yield f"no {time}", broken
    if "mechanism" in line:
        yield "a mechanism that there is not", dict(line, mechanism="telepathy")
    if "role" in line:
        yield "a role that there is not", dict(line, role="bystander")


@scenario("every type of line has a description")
def described(_):
    text = str(schema())
    for kind in (
        "header",
        "process",
        "descriptors",
        "channel",
        "operation",
        "signal",
        "lost",
        "trailer",
    ):
        expect(f"'{kind}'" in text, f"the schema knows {kind} lines")


if __name__ == "__main__":
    main()
