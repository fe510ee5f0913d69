#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What lines leave out: all commands read the same of a trace that leaves out nothing (version 1)."""
import glob
import json
import os

from expectations import expect, expect_equal
from harness import lab, main, record, scenario
from left_out import leave_out, put_in
from traces import IPCLENS, ROOT, call, ipclens, load_lines, one_error, validate

COMMANDS = (["messages"], ["stats", "--json"], ["diagnose", "--json"], ["view"],
            ["view", "--threads", "--as", "mermaid"], ["view", "--as", "trace-event"])


def stored():
    paths = sorted(glob.glob(os.path.join(ROOT, "tests", "gallery", "traces", "*.ndjson")))
    expect(len(paths) > 50, "there are stored traces", paths)
    return paths


def said(path, command):
    done = call([IPCLENS, *command, path], check=False)
    return done.returncode, done.stdout, done.stderr


def write(path, lines):
    with open(path, "w", encoding="utf-8") as file:
        for line in lines:
            file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")


@scenario("a stored trace and the same one that leaves out what it may: one answer to each command")
def same_answers(directory):
    path = os.path.join(directory, "trace.ndjson")
    left, kept = 0, 0
    for version_1 in stored():
        lines = load_lines(version_1)
        shorter = [leave_out(line) if line["type"] == "operation" else line for line in lines]
        write(path, [{**lines[0], "version": 1}, *lines[1:]])
        kept += os.path.getsize(path)
        wanted = [said(path, command) for command in COMMANDS]
        write(path, [{**lines[0], "version": 2}, *shorter[1:]])
        left += os.path.getsize(path)
        validate(shorter)
        for command, answer in zip(COMMANDS, wanted):
            expect_equal(said(path, command), answer, f"{command} of {version_1}")
    expect(left < 0.95 * kept, "it is shorter", (left, kept))


@scenario("the tracer leaves out all that it may, and nothing else")
def all_left_out(directory):
    labs = ("tcp6", "threads", "bigwrite", "eventfd", "relay", "reqresp", "ptys", "signals")
    for words in [("connect", "ls", "wc"), *((name,) for name in labs)]:
        result = record(directory, lab(*words))
        operations = [line for line in load_lines(result.trace_path) if line["type"] == "operation"]
        expect(operations, "it has operations", words)
        for op in operations:
            expect_equal(op, leave_out(put_in(op)), f"{words}: the line as it is written")


@scenario("a trace of a later version is refused, and the error names both versions")
def later_version(directory):
    path = os.path.join(directory, "trace.ndjson")
    lines = load_lines(stored()[0])
    write(path, [{**lines[0], "version": 3}, *lines[1:]])
    one_error(ipclens("messages", path), 1, "version 3", "up to 2")


if __name__ == "__main__":
    main()
