#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The schema: every line of every scenario's trace fits it (see harness.py), and others do not.

What `ipclens top --json` prints has a schema of its own: here, and in test_top.py.
"""
import copy
import os
import signal
import subprocess
import sys

from expectations import expect, expect_equal
from harness import lab, main, record, scenario, start, wait_for
from traces import IPCLENS, ROOT, call, load_lines, schema, validate, validator


@scenario("the schema is one, by its own standard")
def is_a_schema(_):
    for lines in ([], ["top"]):
        expect_equal(type(schema(*lines)), dict, "a JSON object")
        validator(*lines)


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


# Sends as long as it runs, so that there is a pair.
TALKS = """
import os, time
reader, writer = os.pipe()
print(flush=True)
while True:
    os.write(writer, b"x")
    os.read(reader, 1)
    time.sleep(0.01)
"""


def top_lines(directory, *options, intervals):
    """What top prints beside a program that talks; it is ended after so many intervals."""
    with subprocess.Popen([sys.executable, "-c", TALKS], stdout=subprocess.PIPE) as program:
        program.stdout.readline()
        command = [IPCLENS, "top", "--json", "-p", str(program.pid), *options]
        result = start(directory, command)
        try:
            wait_for(lambda: result.stdout.count(b'"type":"interval"') >= intervals, "intervals")
            if "--once" not in options:
                result.process.send_signal(signal.SIGINT)
            expect_equal(result.wait().status, 0, "exit status; " + result.stderr.decode())
        finally:
            program.kill()
    return load_lines(os.path.join(directory, "stdout"))


@scenario("lines of top fit its schema: of one interval, and of several")
def fits_top(directory):
    for options, intervals in ((["--once", "--every", "300ms"], 1), (["--every", "200ms"], 3)):
        lines = top_lines(directory, *options, intervals=intervals)
        validate(lines, "top")
        kinds = [line["type"] for line in lines]
        expect_equal((kinds[0], kinds[-1]), ("top", "interval"), "first and last line")
        expect(kinds.count("interval") >= intervals, "a line for each interval", kinds)
        expect("pair" in kinds, "a line for a pair", kinds)
        for line in lines:
            expect(not validator().is_valid(line), "it is no line of a trace", line)


@scenario("lines that top does not print are refused")
def refuses_top(directory):
    lines = top_lines(directory, "--once", "--every", "300ms", intervals=1)
    for kind in ("top", "pair", "interval"):
        line = next(line for line in lines if line["type"] == kind)
        expect(validator("top").is_valid(line), f"a {kind} line as it is fits", line)
        for what, broken in (*damage(line), *damage_of_members(line)):
            expect(
                not validator("top").is_valid(broken), f"a {kind} line with {what} is refused", broken
            )


def damage_of_members(line):
    """What else a schema of top must notice: a wrong type and an unknown key, also in a side."""
    yield "a key that there is not", dict(line, rate=1)
    yield "the type of another line", dict(line, type="signal")
    for key in ("pairs", "channels", "every_ns"):
        if key in line:
            yield f"{key} as a text", dict(line, **{key: str(line[key])})
    for side in ("from", "to"):
        if side in line:
            yield f"no list in {side}", dict(line, **{side: line[side][0]})
            for change in ({"rate": 1}, {"pid": "1"}, {"comm": None}, {"sleeps_by_us": [-1]}):
                broken = copy.deepcopy(line)
                broken[side][0].update(change)
                yield f"{change} in {side}", broken


@scenario("docs/top.md has the table of the lines that top prints: else `make readme-picture`")
def documented(_):
    with open(os.path.join(ROOT, "docs", "top.md"), encoding="utf-8") as file:
        part = file.read().split("<!-- lines:begin -->\n")[1].split("<!-- lines:end -->")[0]
    rows = [[cell.strip("` ") for cell in row.strip("| ").split(" | ")]
            for row in part.splitlines()[2:]]
    said = call([IPCLENS, "schema", "top", "--keys"]).stdout.decode().splitlines()
    expect_equal(rows, [[row.split("\t")[at] for at in (0, 1, 4)] for row in said], "rows")


@scenario("a schema of something else is refused")
def no_such_schema(_):
    for words in (["messages"], ["top", "trace"]):
        done = call([IPCLENS, "schema", *words], check=False)
        expect_equal((done.returncode, done.stdout), (2, b""), f"schema {words}")
        expect(words[-1] in done.stderr.decode(), "it says which", done.stderr)


if __name__ == "__main__":
    main()
