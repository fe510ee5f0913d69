#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Shared memory has a lane: its size, who attaches and detaches it, and who has it when."""
import json
import os
import re
import subprocess

from expectations import expect, expect_equal, expect_in, expect_row
from harness import main, record, scenario, start, wait_for
from joining import attach, ends, folder
from pages import core_of, said_in
from traces import call, view

# The parent attaches, a child inherits, then another one is made when nobody has it any more.
SEGMENT = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
memory = libc.shmget(0x1bd0, 8192, 0o1600)
at = libc.shmat(memory, None, 0)
if os.fork() == 0:
    ctypes.memset(at, 65, 10)
    os._exit(0)
os.wait()
libc.shmdt(ctypes.c_void_p(at))
libc.shmctl(memory, 0, None)
if os.fork() == 0:
    os._exit(0)
os.wait()
"""
# More pieces than the notes below a picture list.
MANY = """
import mmap, os
pieces = [mmap.mmap(-1, 4096) for _ in range(11)]
if os.fork() == 0:
    os._exit(0)
os.wait()
"""
# Two processes that are no relatives of the mapping: each opens and maps the name.
NAMED = """
import mmap, os, sys
name = '/dev/shm/ipclens-' + str(os.getpid())
with open(name, 'wb') as file:
    file.truncate(4096)
r, w = os.pipe()
def use():
    with open(name, 'r+b') as file:
        return mmap.mmap(file.fileno(), 4096)
child = os.fork()
if child == 0:
    theirs = use()
    os.read(r, 1)
    theirs.close()
    os._exit(0)
mine = use()
mine[0] = 7
os.write(w, b'x')
os.wait()
mine.close()
os.unlink(name)
"""
MEMFD = """
import mmap, os
memory = os.memfd_create('board')
os.ftruncate(memory, 12288)
shared = mmap.mmap(memory, 12288)
if os.fork() == 0:
    shared[0] = 1
    os._exit(0)
os.wait()
"""
ANONYMOUS = """
import mmap, os
shared = mmap.mmap(-1, 20480)
for _ in range(3):
    if os.fork() == 0:
        shared[0] = 1
        os._exit(0)
for _ in range(3):
    os.wait()
"""
ALONE = """
import mmap
shared = mmap.mmap(-1, 20480)
shared.close()
"""
# A child that executes another program has nothing of what its parent had.
EXECER = """
import mmap, os
shared = mmap.mmap(-1, 4096)
if os.fork() == 0:
    os.execv('/bin/true', ['true'])
if os.fork() == 0:
    os._exit(0)
os.wait()
os.wait()
"""

# Two that have it already when they are joined; they end when they are told to.
JOINED = """
import mmap, os, sys
shared = mmap.mmap(-1, 8192)
r, w = os.pipe()
if os.fork() == 0:
    os.read(r, 1)
    os._exit(0)
print('ready', flush=True)
sys.stdin.read(1)
os.write(w, b'x')
os.wait()
"""


def python(directory, text, *options):
    return record(directory, ["/usr/bin/python3", "-c", text], *options)


def picture(result, *options):
    return result.view("--width", "200", *options).replace("\u00a0", " ")


def rows(drawn, *words):
    return [row for row in drawn.splitlines() if all(word in row for word in words)]


def head_of(drawn):
    """The lines with the names of the lanes, those of two lines in one."""
    found = [row for row in drawn.splitlines() if "║" in row]
    return " ".join(" ".join(row.split("║")[1].strip() for row in found).split())


def note_of(drawn):
    return next(row for row in drawn.splitlines() if row.startswith("  ! shared memory "))


def lane_on_page(result):
    lanes = core_of(result.view("--as", "html"))["lanes"]
    return [lane[0] for lane in lanes if lane[10]]


@scenario("a System V segment: attach and detach are arrows to it, and tell who has it then")
def segment(directory):
    result = python(directory, SEGMENT)
    drawn = picture(result)
    expect_in("8192 B key 0x00001bd0", head_of(drawn), "its box: size and key")
    expect_row(drawn, "─ attaches ─", "shmat", "has it")
    expect_row(drawn, "has it by fork", "have it")
    expect_row(drawn, "detaches", "shmdt", "then nobody has it")
    expect_row(drawn, "⊗ shmctl IPC_RMID", "by ", "the object is gone")
    expect_equal(len(rows(drawn, "has it by fork")), 1, "the child made while it was attached")
    note = note_of(drawn)
    expect_equal(note.count("(by fork)"), 1, "nor is the other child in the box below")
    expect_equal(len(re.findall(r"from [\d.]+ \S+ for [\d.]+ \S+", note)), 2, "when each had it")


@scenario("the same on the page, in SVG, Mermaid, PlantUML, DOT and trace events")
def everywhere(directory):
    result = python(directory, SEGMENT)
    expect_equal(lane_on_page(result), ["8192 B key 0x00001bd0"], "the page's lane")
    said = [label for label, _ in said_in(result.view("--as", "html"))]
    for label in "attaches", "has it by fork", "detaches":
        expect_in(label, said, "the page's rows")
    svg = result.view("--as", "svg")
    expect_in("8192 B key 0x00001bd0", svg, "SVG's head")
    expect(re.search(r"<title>[^<]* → 8192 B key 0x00001bd0 : attaches", svg), "SVG's arrow", svg)
    mermaid = result.view("--as", "mermaid")
    lane = re.search(r"participant (P\d+) as 8192 B key 0x00001bd0", mermaid)[1]
    expect(re.search(rf"P\d+-\){lane}: attaches", mermaid), "Mermaid's arrow", mermaid)
    plantuml = result.view("--as", "plantuml")
    lane = re.search(r'database "8192 B key 0x00001bd0" as (P\d+)', plantuml)[1]
    expect(re.search(rf"P\d+ -\S+ {lane} : attaches", plantuml), "PlantUML's arrow", plantuml)
    dot_and_events(directory, result)


def dot_and_events(directory, result):
    path = os.path.join(directory, "map.dot")
    view(result.trace_path, "-o", path)
    graph = json.loads(call(["dot", "-Tjson", path]).stdout)
    memory = [node for node in graph["objects"] if node.get("shape") == "cylinder"]
    expect_equal(len(memory), 1, "a node of its own")
    expect_in("8192 B", memory[0]["label"], "its size")
    lines = sorted(e["label"] for e in graph["edges"] if e["head"] == memory[0]["_gvid"])
    expect_equal(lines, ["attached", "by fork"], "who had it, and how")
    events = json.loads(result.view("--as", "trace-event"))["traceEvents"]
    spans = [e for e in events if e["ph"] in "be"]
    expect_equal([e["ph"] for e in spans], ["b", "e"] * 2, "a track for each who had it")
    for begin, end in zip(spans[::2], spans[1::2]):
        expect(begin["id"] == end["id"] and begin["ts"] < end["ts"], "from when until when", spans)
    levels = [e["args"] for e in events if e["ph"] == "C" and "sysv-shm" in e["name"]]
    expect_equal([list(v.values())[0] for v in levels], [1, 2, 1, 0], "how many had it")


@scenario("a name in /dev/shm that two processes map; a memfd and nameless memory across fork")
def mappings(directory):
    drawn = picture(python(directory, NAMED))
    expect_in("4096 B /ipclens-", head_of(drawn), "a name")
    expect_equal(len(rows(drawn, "attaches", "mmap")), 2, "each maps it")
    expect_equal(len(rows(drawn, "detaches", "munmap")), 2, "each unmaps it")
    drawn = picture(python(directory, MEMFD))
    expect_in("memfd:board", head_of(drawn), "a memfd")
    expect_equal(len(rows(drawn, "has it by fork")), 1, "a child has it")
    drawn = picture(python(directory, ANONYMOUS))
    expect_in("20 KiB shared-mmap:[", head_of(drawn), "without a name: its size and number")
    expect_equal(len(rows(drawn, "has it by fork")), 3, "three children have it")
    expect_row(drawn, "has it by fork", "have it")


@scenario("memory that one process alone maps has no lane, nor has a child after its exec")
def alone(directory):
    drawn = picture(python(directory, ALONE))
    expect("║" not in drawn, "no lane", drawn)
    expect_row(drawn, "◇ attaches 20 KiB")
    drawn = picture(python(directory, EXECER))
    expect_equal(note_of(drawn).count("(by fork)"), 1, "the one that executes nothing")


@scenario("narrow pictures keep the processes; a filter keeps the memory or leaves it out")
def narrow(directory):
    result = python(directory, SEGMENT)
    for width in "60", "80", "100", "140":
        drawn = result.view("--width", width).replace("\u00a0", " ")
        expect(all(len(row) <= int(width) for row in drawn.splitlines()), "it fits", drawn)
        expect_in("attaches", drawn, "the call")
    expect("shared memory" not in picture(result, "--mechanism", "pipe"), "left out")
    expect_row(picture(result, "--mechanism", "sysv-shm"), "attaches", "shmat")


@scenario("of many pieces each is listed, or counted among those that are not")
def many(directory):
    picture = record(directory, ["/usr/bin/python3", "-c", MANY]).view("--width", "140")
    listed = len(re.findall(r"(?m)^  ! shared memory ", picture))
    left_out = re.search(r"(\d+) more pieces of shared memory are not listed", picture)
    expect(left_out, "those that are not listed are counted", picture)
    expect_equal(listed + int(left_out[1]), 11, "all pieces")


@scenario("who had it before the trace is told as such")
def joined(directory):
    lab = start(folder(directory, "lab"), ["/usr/bin/python3", "-c", JOINED],
                stdin=subprocess.PIPE)
    wait_for(lambda: lab.stdout == b"ready\n", "the memory to be mapped")
    run = attach(directory, "-p", lab.process.pid, "--children")
    lab.process.communicate(b"x")
    ends(run)
    drawn = picture(run)
    expect(re.search(r"^8192 B .*mmap:\[\d+\]$", head_of(drawn)), "its box", drawn)
    expect_equal(len(rows(drawn, "had it before")), 2, "both")
    expect_equal(note_of(drawn).count("(from before the trace)"), 2, "in the box below too")


if __name__ == "__main__":
    main()
