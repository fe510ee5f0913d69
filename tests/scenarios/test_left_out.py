#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What lines leave out: all commands read the same of version 1, which leaves nothing out."""
import glob
import json
import os
import sys

from expectations import expect, expect_equal
from harness import lab, main, record, scenario
from left_out import leave_out, put_in, whole
from traces import IPCLENS, ROOT, Trace, call, ipclens, load_lines, one_error, validate

MAY_RUN_BESIDE_OTHERS = True

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
    for stored_path in stored():
        lines = load_lines(stored_path)
        if lines[0]["version"] == 2:
            lines = whole(lines)
        shorter = [leave_out(line) if line["type"] == "operation" else line for line in lines]
        write(path, [{**lines[0], "version": 1}, *lines[1:]])
        kept += os.path.getsize(path)
        wanted = [said(path, command) for command in COMMANDS]
        write(path, [{**lines[0], "version": 2}, *shorter[1:]])
        left += os.path.getsize(path)
        validate(shorter)
        for command, answer in zip(COMMANDS, wanted):
            expect_equal(said(path, command), answer, f"{command} of {stored_path}")
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


SHORT = """
import os
end, start = os.pipe()
os.set_blocking(start, False)
print(os.writev(start, [bytes(8000)] * 20), os.writev(start, [b""]))
"""


@scenario("a short write of more buffers than are looked at is not taken for a whole one")
def not_known(directory):
    result = record(directory, [sys.executable, "-c", SHORT])
    short, _ = map(int, result.stdout.split())
    expect(short < 20 * 8000, "the pipe took a part", short)
    large, empty = result.trace.operations(syscall="writev")
    expect_equal(large["returned"], short, "what it returned")
    expect("requested" not in large, "what it was asked for is not known", large)
    expect_equal(empty["requested"], 0, "of the one without bytes it is")
    first, merged = (os.path.join(directory, name) for name in ("first.ndjson", "merged.ndjson"))
    write(first, [{**result.trace.lines[0], "version": 1}, *result.trace.lines[1:]])
    second = record(directory, ["true"])
    call([IPCLENS, "merge", "-o", merged, first, second.trace_path])
    large = Trace(merged).operations(syscall="writev")[0]
    expect("requested" not in large, "nor in a merged trace of one of version 1", large)


@scenario("a trace of a later version is refused, and the error names both versions")
def later_version(directory):
    path = os.path.join(directory, "trace.ndjson")
    lines = load_lines(stored()[0])
    write(path, [{**lines[0], "version": 3}, *lines[1:]])
    one_error(ipclens("messages", path), 1, "version 3", "up to 2")


if __name__ == "__main__":
    main()
