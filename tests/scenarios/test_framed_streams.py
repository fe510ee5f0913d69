#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Who reads a length and then the rest does not rely on the boundaries of its sender's calls."""
import os

from expectations import expect, expect_equal
from findings import diagnose
from hangs import PYTHON
from harness import main, record, scenario

# multiprocessing sends 4 bytes of length and the pickle at once, and reads one after the other.
PIPE = """
import multiprocessing
def work(end):
    for _ in range(3):
        end.send("hello")
    end.send("x" * 300000)
    end.close()
context = multiprocessing.get_context("fork")
a, b = context.Pipe()
child = context.Process(target=work, args=[b])
child.start()
b.close()
for _ in range(4):
    a.recv()
child.join()
"""

SENDER = """
import os, socket
a, b = socket.socketpair()
if not os.fork():
    a.close()
    for length in (30, 70, 50):
        b.send(bytes([length]) + b"x" * length)
    os._exit(0)
b.close()
os.wait()
"""
EXACT = "while head := a.recv(1):\n    got = a.recv(head[0])\n"
BY_BUFFER = "while a.recv(100):\n    pass\n"
IN_PIECES = "while a.recv(8):\n    pass\n"

FRAMED = {"multiprocessing": PIPE, "length and rest": SENDER + EXACT}
BY_CHANCE = {"what is there": SENDER + BY_BUFFER, "pieces of one size": SENDER + IN_PIECES}


def split_streams(directory, name, script):
    place = os.path.join(directory, name.replace(" ", "-"))
    os.mkdir(place)
    run = record(place, [PYTHON, "-c", script])
    return [f for f in diagnose(run.trace_path)[0] if f["id"] == "split-stream"]


@scenario("who asks for a short header, and then for what it says, is told of no split stream")
def framed(directory):
    for name, script in FRAMED.items():
        expect_equal(split_streams(directory, name, script), [], name)


@scenario("who takes what is there, or pieces of one size, is told of it")
def by_chance(directory):
    for name, script in BY_CHANCE.items():
        expect(split_streams(directory, name, script), name, "no split-stream")


if __name__ == "__main__":
    main()
