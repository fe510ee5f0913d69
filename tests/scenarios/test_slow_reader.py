#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Who reads the trace may be slow, or sleep: the program goes on, and what is lost is counted."""
import fcntl
import os
import shlex
import signal
import subprocess

from expectations import expect, expect_equal, expect_in
from harness import ends_whole, gone, lab, main, record, scenario, wait_for
from traces import IPCLENS, Trace, load_lines

COUNT, FEW = 20000, 2000


class Stalled:
    """`record -o -` into a pipe that nobody reads until take() is called."""

    def __init__(self, directory, command, *options):
        self.directory = directory
        reading, writing = os.pipe()
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)  # soon full
        self.reader = open(reading, "rb")
        environment = dict(os.environ, IPCLENS_TRUTH=os.path.join(directory, "truth"))
        with open(os.path.join(directory, "stderr"), "wb") as stderr:
            self.process = subprocess.Popen(
                [IPCLENS, "record", "-o", "-", *options, "--", *command],
                stdin=subprocess.DEVNULL,
                stdout=writing,
                stderr=stderr,
                env=environment,
            )
        os.close(writing)

    @property
    def truth(self):
        """What the program logged; nothing while it is being written."""
        path = os.path.join(self.directory, "truth")
        return load_lines(path) if ends_whole(path) else []

    @property
    def stderr(self):
        with open(os.path.join(self.directory, "stderr"), encoding="utf-8") as file:
            return file.read()

    def take(self):
        """Reads the trace to its end; the status of record."""
        path = os.path.join(self.directory, "trace.ndjson")
        with open(path, "wb") as file:
            file.write(self.reader.read())
        return Trace(path), self.process.wait(60)


def logged(truth):
    return sum(t["value"] for t in truth if t["do"] in ("sent-total", "received-total"))


def records(trace):
    return sum(line["type"] not in ("header", "channel", "lost", "trailer") for line in trace.lines)


@scenario("a reader that sleeps while the program runs: it ends all the same, the loss is exact")
def sleeps(directory):
    os.mkdir(os.path.join(directory, "small"))
    few = record(os.path.join(directory, "small"), lab("flood", 300, 64, "alone"))
    other = records(few.trace) - logged(few.truth)
    slow = Stalled(directory, lab("flood", COUNT, 64, "alone"), "--ring", "65536")
    wait_for(lambda: slow.truth, "the program's end, though nobody reads its trace")
    trace, status = slow.take()
    trailer = trace.trailer()
    expect_equal((status, trailer["why"]), (0, "finished"), "it ended well")
    expect(trailer["lost"] > 0, "records were lost", trailer)
    expect_equal(trailer["lost"], trace.lost(), "the trailer's sum is that of the lost lines")
    expect_equal(
        records(trace) + trailer["lost"], logged(slow.truth) + other, "recorded and lost together"
    )
    expect_in(f"{trailer['lost']} records were lost", slow.stderr, "record says so")


@scenario("a reader that is slow but comes: with room in the ring nothing is lost")
def comes(directory):
    slow = Stalled(directory, lab("flood", FEW, 64, "alone"))
    wait_for(lambda: slow.truth, "the program's end")
    trace, status = slow.take()
    expect_equal((status, trace.trailer()["lost"], trace.lost()), (0, 0, 0), "nothing is lost")
    moved = [op for op in trace.operations() if op["role"] in ("send", "receive")]
    expect_equal(len(moved), 2 * FEW, "each transfer is there")


@scenario("a reader that never comes: Ctrl-C ends record, and it says what is missing")
def never(directory):
    slow = Stalled(directory, lab("flood", FEW, 64, "alone"))
    wait_for(lambda: "Ctrl-C gives it up" in slow.stderr, "it to say that it waits")
    slow.process.send_signal(signal.SIGINT)
    expect_equal(slow.process.wait(10), 125, "its status")
    slow.reader.close()
    expect_in("nobody took it", slow.stderr, "what it says")


@scenario("--timeout while the reader sleeps: the command is ended, its waits are in the trace")
def timeout(directory):
    script = shlex.join(lab("flood", FEW, 64, "alone")) + "; " + shlex.join(lab("deadlock"))
    slow = Stalled(directory, ["sh", "-c", script], "--timeout", "1")
    waits = lambda: [line for line in slow.truth if line["do"] == "waits"]
    wait_for(lambda: len(waits()) == 2, "the deadlock")
    pids = {line["pid"] for line in waits()}
    wait_for(lambda: all(gone(pid) for pid in pids), "the end of both")
    trace, status = slow.take()
    expect_equal((status, trace.trailer()["why"]), (124, "timeout"), "why it ended")
    pending = trace.of("operation", state="pending", syscall="read")
    expect_equal({op["pid"] for op in pending}, pids, "who waits")


if __name__ == "__main__":
    main()
