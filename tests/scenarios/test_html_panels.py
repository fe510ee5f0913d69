#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The panels of the HTML page, in a browser: play, findings, statistics."""
import json
import os

from expectations import expect_equal
from harness import lab, main, scenario
from pages import browse, draw
from traces import IPCLENS, call

MAY_RUN_BESIDE_OTHERS = True

PYTHON = "/usr/bin/python3"

# Writes and reads its own pipe, and notes what FIONREAD says lies in it.
LEVELS = r"""
import array, fcntl, json, os, sys, termios
reading, writing = os.pipe()
levels = []
def note():
    level = array.array("i", [0])
    fcntl.ioctl(reading, termios.FIONREAD, level)
    levels.append(level[0])
for size in (5, 7, 4096, -12, 100, -4000, 60000, -1, -100000, 3):
    os.write(writing, b"x" * size) if size > 0 else os.read(reading, -size)
    note()
with open(sys.argv[1], "w") as file:
    json.dump({"levels": levels, "channel": os.readlink(f"/proc/self/fd/{reading}")}, file)
"""

# The child reads an empty pipe; once it sleeps, its parent writes.
STATES = r"""
import json, os, sys
reading, writing = os.pipe()
child = os.fork()
if child == 0:
    os.read(reading, 100)
    os._exit(0)
def state():
    with open(f"/proc/{child}/stat") as file:
        return file.read().rsplit(")", 1)[1].split()[0]
while state() != "S":
    os.sched_yield()
os.write(writing, b"wake up")
os.wait()
with open(sys.argv[1], "w") as file:
    channel = os.readlink(f"/proc/self/fd/{reading}")
    json.dump({"pid": child, "fd": reading, "channel": channel}, file)
"""


def draw_python(directory, program):
    """The page of a program, and what the program itself remembers."""
    memory = os.path.join(directory, "memory")
    page, _ = draw(directory, [PYTHON, "-c", program, memory])
    with open(memory, encoding="utf-8") as file:
        return page, json.load(file)


@scenario("play: what lies in a pipe is what the kernel told the program after each call")
def levels(directory):
    page, memory = draw_python(directory, LEVELS)
    expect_equal(memory["levels"][:4], [5, 12, 4108, 4096], "what FIONREAD said")
    browse(page, "levels", **memory)


@scenario("play: a process is blocked on its empty pipe, woken and ready, runs and ends")
def states(directory):
    page, memory = draw_python(directory, STATES)
    life = ["not yet there", "runs", "blocked", "ready", "runs in the kernel", "runs", "has ended"]
    browse(page, "states", states=life, **memory)


@scenario("play: a queue holds, with their types, the messages sent and not yet received")
def queue(directory):
    page, messages = draw(directory, lab("sysvq"))
    letters = [m for m in messages if m["mechanism"] == "sysv-msg"]
    times = [
        {
            "type": m["message_type"],
            "sent": m["sent"]["enter_ns"],
            "received": m["received"] and m["received"]["exit_ns"],
        }
        for m in letters
    ]
    times.sort(key=lambda each: each["sent"])
    browse(page, "queue", messages=times, channel=letters[0]["channel"], most=2)


@scenario("play: keys, buttons, the diagram that follows and is followed, and no motion")
def played(directory):
    page, _ = draw(directory, lab("reqresp", "pipe"))
    browse(page, "played")


@scenario("the findings of a page are those of `ipclens diagnose`, and lead to their place")
def findings(directory):
    page, _ = draw(directory, lab("hangs", "ring-three"), "--timeout", "1", status=124, whole=False)
    trace = os.path.join(directory, "trace.ndjson")
    lines = call([IPCLENS, "diagnose", "--json", trace], check=False).stdout.splitlines()
    found = [line for line in map(json.loads, lines) if line["type"] == "finding"]
    expect_equal(found[0]["id"], "deadlock", "the worst one")
    browse(page, "findings", findings=[[f["severity"], f["id"], f["text"]] for f in found])


def route(line):
    """A route of `ipclens stats` as panels.mjs tells it."""
    latency = line["latency_ns"] or {}

    def pid_of(end):
        return end.get("pid") if end and not end.get("outside") else None

    return {
        "from": pid_of(line["from"]),
        "to": pid_of(line["to"]),
        **{key: line[key] for key in ("mechanism", "messages", "bytes")},
        "count": latency.get("count", 0),
        **{key: latency.get(key) for key in ("min", "max", "p50", "p95")},
        "buckets": latency.get("buckets", []),
    }


@scenario("the statistics of a page are those of `ipclens stats --json`")
def stats(directory):
    for name in ("sysvq", "reqresp pipe", "unixstream"):
        page, _ = draw(directory, lab(*name.split()))
        trace = os.path.join(directory, "trace.ndjson")
        lines = map(json.loads, call([IPCLENS, "stats", "--json", trace]).stdout.splitlines())
        routes = [route(line) for line in lines if line["type"] == "route"]
        browse(page, "stats", name=name.replace(" ", "-"), routes=routes)


if __name__ == "__main__":
    main()
