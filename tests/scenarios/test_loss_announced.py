#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Loss: what could not be kept is counted, told, and never turned into a wrong pairing."""
import json
import os
import shlex

from expectations import expect, expect_equal, expect_in
from harness import lab, main, record, scenario, start, start_record, wait_for
from traces import IPCLENS, blob, view

SMALL = 300


LARGE = 20000


def transfers(trace):
    return [
        op
        for op in trace.operations()
        if op["role"] in ("send", "receive") and trace.channel(op["channel"])["mechanism"] == "pipe"
    ]


def logged(truth):
    return sum(t["value"] for t in truth if t["do"] in ("sent-total", "received-total"))


@scenario("a ring that is large enough loses nothing")
def nothing_lost(directory):
    result = record(directory, lab("flood", SMALL, 64, "alone"))
    expect_equal(len(transfers(result.trace)), logged(result.truth), "every transfer is there")
    expect_equal(len(transfers(result.trace)), 2 * SMALL, "every transfer is there")


def records(trace):
    """Lines that are records of their own; a channel line comes again with the next operation."""
    return sum(line["type"] not in ("header", "channel", "lost", "trailer") for line in trace.lines)


@scenario("a ring too small on purpose: recorded and lost add up to what the workload logged")
def ring_too_small(directory):
    os.mkdir(os.path.join(directory, "small"))
    few = record(os.path.join(directory, "small"), lab("flood", SMALL, 64, "stop"))
    other = records(few.trace) - logged(few.truth)
    # The workload stops the tracer while it floods the ring, so that it must overflow.
    result = record(directory, lab("flood", LARGE, 64, "stop"), "--ring", "4096", whole=False)
    trace = result.trace
    trailer = trace.trailer()
    expect(trace.lost() > LARGE, "records were lost", trace.of("lost"))
    expect_equal(trailer["lost"], trace.lost(), "the trailer's sum is that of the lost lines")
    expect_equal(trailer["why"], "finished", "the trace ended whole all the same")
    expect_equal(trailer["operations"], len(trace.operations()), "it counts what is there")
    expect_equal(
        records(trace) + trailer["lost"], logged(result.truth) + other, "recorded and lost together"
    )
    check_told(result, trailer["lost"])


def check_told(result, lost):
    """The user learns it: on stderr now, and in each picture later."""
    expect_in(str(lost), result.stderr.decode(), "record says how many were lost")
    expect_in("lost", result.stderr.decode(), "record says how many were lost")
    picture = view(result.trace_path)
    expect_in("lost", picture, "the picture says so")


@scenario("a ring that is full from the start: each record is counted as lost once")
def counted_once(directory):
    flood = shlex.join(lab("flood", LARGE, 64, "alone"))
    script = f"kill -STOP $PPID; {flood}; kill -CONT $PPID"
    result = record(directory, ["sh", "-c", script], "--ring", "4096", whole=False)
    total = records(result.trace) + result.trace.trailer()["lost"]
    about = logged(result.truth)
    expect(about <= total <= about + 40, f"{about} and a few were recorded or lost, not {total}")


@scenario("after loss no pairing that is called exact is wrong")
def no_wrong_pairing(directory):
    for _ in range(5):  # a tracer that is lucky with its processor may lose nothing
        result = record(directory, lab("flood", LARGE, 64), "--ring", "4096", whole=False)
        trace = result.trace
        if trace.lost():
            break
    expect(trace.lost() > 0, "records were lost")
    wrong = []
    for message in result.messages().delivered("pipe"):
        if message["match"] != "exact":
            continue
        sent, received = (numbered(trace, message[side]) for side in ("sent", "received"))
        if sent is not None and received is not None and sent != received:
            wrong.append((message, sent, received))
    expect_equal(wrong[:3], [], f"{len(wrong)} wrong pairs")


def numbered(trace, side):
    """The number that a message of flood begins with, where this side begins at its start."""
    if side["offset"]:
        return None
    return blob(trace.operation(side["op"])["payload"])[:7]


# Each talks to itself and numbers what it says, until somebody ends it.
TALKERS = r"""
import os, struct
def talk():
    reader, writer = os.pipe()
    number = 0
    while True:
        os.write(writer, b"%015d" % number)
        os.read(reader, 15)
        number += 1
for _ in range(3):
    if os.fork() == 0:
        talk()
os.wait()
"""


class Told:
    """What is missing of a trace of TALKERS, as their numbers tell, and when that was told."""

    def __init__(self, path):
        self.missing = self.lost = self.late = self.newest_ns = 0
        self.last, self.trailer = {}, None
        with open(path, encoding="utf-8") as file:
            for line in map(json.loads, file):
                self.note(line)

    def note(self, line):
        if line["type"] == "lost":
            self.lost += line["count"]
        elif line["type"] == "operation":
            self.operation(line)
        elif line["type"] == "trailer":
            self.trailer = line

    def operation(self, line):
        self.newest_ns = max(self.newest_ns, line.get("exit_ns", 0))
        if line.get("returned") != 15:
            return
        who, number = (line["pid"], line["syscall"]), int(blob(line["payload"]))
        self.missing += number - self.last.get(who, -1) - 1
        self.last[who] = number
        self.late = max(self.late, self.missing - self.lost)


@scenario("while the ring is never empty: losses are told before what follows, and a timeout ends it")
def told_in_time(directory):
    path = f"{directory}/trace.ndjson"
    command = [IPCLENS, "record", "-o", path, "--ring", "16384"]
    for timeout in ("0.3", "1", "3", "9"):  # a busy machine may need long for the little that fits
        options = ["--timeout", timeout, "--", "/usr/bin/python3", "-c", TALKERS]
        expect_equal(start(directory, command + options).wait().status, 124, "status")
        told = Told(path)
        if told.missing:
            break
    expect(told.missing > 0, "calls are missing in the midst")
    expect_equal(told.late, 0, "calls that are missing before that was told")
    expect_equal(told.trailer["why"], "timeout", "why it ended")
    expect(told.newest_ns <= told.trailer["at_ns"], "nothing is later than the end", told.trailer)


@scenario("two thousand messages between two processes, none lost, all paired")
def flood_two(directory):
    result = record(directory, lab("flood", 2000, 64))
    found = result.messages().delivered("pipe")
    expect_equal(sum(m["bytes"] for m in found), 2000 * 64, "every byte is in a message")
    expect_equal({m["match"] for m in found}, {"exact"}, "how sure the pairing is")
    expect_equal(len(transfers(result.trace)), logged(result.truth), "every transfer is there")
    for message in found:
        sent, received = (numbered(result.trace, message[side]) for side in ("sent", "received"))
        expect(None in (sent, received) or sent == received, "the right message", message)


@scenario("kill -9 of the tracer: the program goes on, and ends with its own status")
def tracer_killed(directory):
    fifo, done = os.path.join(directory, "fifo"), os.path.join(directory, "done")
    os.mkfifo(fifo)
    script = f'read line <"{fifo}"; seq 1000 | wc -l >"{done}.part"; mv "{done}.part" "{done}"'
    run = start_record(directory, ["sh", "-c", script])
    with open(fifo, "wb", buffering=0) as writer:  # opens when the program has
        run.process.kill()
        run.process.wait()
        writer.write(b"go\n")
    wait_for(lambda: os.path.exists(done), "the program's end")
    with open(done, "rb") as file:
        expect_equal(file.read(), b"1000\n", "what it computed")


@scenario("500 children at once: each is in the trace, with what it said")
def many_children(directory):
    script = (
        "import os\nr, w = os.pipe()\n"
        "for _ in range(500):\n"
        "    if os.fork() == 0: os.write(w, b'%9d' % os.getpid()); os._exit(0)\n"
        "os.close(w); n = 0\n"
        "while data := os.read(r, 9): n += len(data)\n"
        "for _ in range(500): os.wait()\n"
        "print(n)\n"
    )
    result = record(directory, ["/usr/bin/python3", "-c", script])
    expect_equal(result.stdout, b"4500\n", "what it received")
    children = {line["pid"] for line in result.trace.of("process", event="fork")}
    expect_equal(len(children), 500, "children")
    senders = [m["from"]["pid"] for m in result.messages().delivered("pipe")]
    expect_equal((len(senders), set(senders)), (500, children), "each said one thing")


@scenario("10,000 descriptors: a child inherits them all, and all are told")
def many_descriptors(directory):
    script = (
        "import os, resource\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (20000, 20000))\n"
        "r, w = os.pipe(); os.set_inheritable(r, True)\n"
        "for fd in range(100, 10100): os.dup2(r, fd)\n"
        "os.execv('/usr/bin/true', ['true'])\n"
    )
    result = record(directory, ["/usr/bin/python3", "-c", script])
    pid = result.trace.of("process", event="exec")[-1]["pid"]
    told = [
        fd["fd"]
        for line in result.trace.of("descriptors", event="exit", pid=pid)
        for fd in line["fds"]
    ]
    expect_equal(len([fd for fd in told if 100 <= fd < 10100]), 10000, "descriptors at its end")


if __name__ == "__main__":
    main()
