#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A write that waits on a full pipe: how many bytes lie there is told, as the pipe itself tells it.

The reader asks the pipe (FIONREAD) once the writer sleeps in its write, and logs the answer.
"""
import os
import re

from expectations import expect_equal, expect_in
from hangs import PYTHON, asleep, traced, untraced
from harness import main, scenario

PROGRAM = """
import array, fcntl, os, sys, termios, time
ends = os.pipe()
size = fcntl.fcntl(ends[0], fcntl.F_SETPIPE_SZ, {size})
writer = os.getpid()
if not os.fork():
    os.close(ends[1])
    def filled():
        while True:
            with open(f"/proc/{{writer}}/wchan") as file:
                if "pipe_write" in file.read():
                    return
    {reads}
    filled()
    held = array.array("i", [0])
    fcntl.ioctl(ends[0], termios.FIONREAD, held)
    os.write(2, b"%d of %d, %d, %d\\n" % (held[0], size, writer, os.getpid()))
    time.sleep(60)
for length in {writes}:
    os.write(ends[1], b"x" * length)
"""

# Name: the size of the pipe, what is written, what the reader does first.
FILLS = {
    "whole pages": (65536, "[1 << 20]", ""),
    "pages in part": (65536, "[3840] * 20", ""),
    "behind the last bytes": (65536, "[100, 100000]", ""),
    "read in part": (65536, "[200000]", "filled(); os.read(ends[0], 5000)"),
    "a small pipe": (4096, "[3000, 3000]", ""),
    "a large pipe": (1 << 20, "[5000] * 300", ""),
}

# Of a pipe with more than 16 pages in use a trace does not tell how many bytes lie there.
BY_LOOK_ALONE = ["a large pipe"]


def told(result):
    """What the reader logged: bytes, size, and the two processes; nothing yet: None."""
    found = re.search(r"(?m)^(\d+) of (\d+), (\d+), (\d+)$", result.stderr.decode())
    return [int(number) for number in found.groups()] if found else None


def hangs(result):
    return told(result) and all(map(asleep, told(result)[2:]))


def check(findings, result, name):
    held, size, writer, _ = told(result)
    full = [f for f in findings if f["id"] == "full-channel"]
    expect_equal([f["processes"][0] for f in full], [writer], f"{name}: {findings}")
    expect_in(f"which is full (the pipe holds {held:,} of {size:,} bytes", full[0]["text"], name)
    expect_equal("each of its pages" in full[0]["text"], held < size, f"{name}: {full}")


def fill(directory, name):
    size, writes, reads = FILLS[name]
    text = PROGRAM.format(size=size, writes=writes, reads=reads)
    _, findings, result = traced(directory, [PYTHON, "-c", text], 3)
    if name not in BY_LOOK_ALONE:
        check(findings, result, name)
    looked, result = untraced(directory, [PYTHON, "-c", text], hangs, "full-channel")
    check(looked, result, f"{name}, by -p")


for each in FILLS:
    scenario(f"what lies in a full pipe is told: {each}")(
        lambda directory, each=each: fill(directory, each)
    )


if __name__ == "__main__":
    main()
