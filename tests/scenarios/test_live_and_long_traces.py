#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Messages of traces that are long, or still being written."""
import os
import re
import signal
import subprocess
import sys

from expectations import expect, expect_equal
from harness import main, needs, record, scenario, wait_for
from places import on_terminal
from traces import BUILD, IPCLENS, TIMEOUT, call

MEMORY_MOST = 300 << 10  # kB, whatever the length of the trace
PAIRING_MOST = 6  # times the instructions of reading alone, which takes 2,200 a line
LINEAR_MOST = 1.2  # times as many for a message of a trace that is five times as long

# Prints a trace of so many messages, two microseconds each: through one pipe; through pipes that
# take a thousand each, which are read once all are written; or signals that are ignored.
GENERATOR = r"""
import sys
line = '{"type":"%s",%s}\n'
out = sys.stdout
kind, count = sys.argv[1], int(sys.argv[2])
out.write(line % ("header", '"format":"ipclens-trace","version":1,"tool":"t","kernel":"k",'
          '"machine":"m","clock":"CLOCK_MONOTONIC","start_ns":1,"realtime_offset_ns":0,'
          '"options":{},"hooks":{}'))
call = ('"id":%d,"syscall":"%s","role":"%s","pid":%d,"tid":%d,"fd":3,"channel":"pipe:[%d]",'
        '"enter_ns":%d,"exit_ns":%d,"returned":24,"requested":24,"payload":"message %16d"')
kill = ('"event":"generate","at_ns":%d,"signal":"SIGUSR1","number":10,"origin":"kill",'
        '"from":{"pid":10,"tid":10},"to":{"pid":20,"tid":20},"group":true,"result":"ignored"')

def channel(name, at):
    out.write(line % ("channel", '"id":"pipe:[%d]","at_ns":%d,"mechanism":"pipe"' % (name, at)))

def write(i, name, at):
    words = (2 * i + 1, "write", "send", 10, 10, name, at, at + 500, i)
    out.write(line % ("operation", call % words))

def read(i, name, at):
    words = (2 * i + 2, "read", "receive", 20, 20, name, at, at + 500, i)
    out.write(line % ("operation", call % words))

def one_pipe():
    channel(7, 1)
    for i in range(count):
        at = 1000 + 2000 * i
        write(i, 7, at)
        read(i, 7, at + 700)

def many_pipes():
    for first in range(0, count, 1000):
        at = 1000 + 2000 * first
        channel(first, at)
        for i in range(first, first + 1000):
            write(i, first, at + 1000 * (i - first))
        for i in range(first, first + 1000):
            read(i, first, at + 1000 * (i - first) + 1000000)

def ignored():
    for i in range(count):
        out.write(line % ("signal", kill % (1000 + 2000 * i)))

{"pipe": one_pipe, "pipes": many_pipes, "ignored": ignored}[kind]()
out.write(line % ("trailer", '"at_ns":%d,"why":"finished","operations":%d,"signals":%d,"lost":0'
          % (3000 + 2000 * count, 0 if kind == "ignored" else 2 * count,
             count if kind == "ignored" else 0)))
"""

# Runs a command and prints the most memory that it had, in kB, and how many exact lines it printed.
MEASURE = r"""
import resource, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE)
lines = sum(b'"match":"exact"' in line for line in process.stdout)
status = process.wait()
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, lines, status)
"""


def instructions(*command):
    """How many this command executes, which does not depend on the load as its time does."""
    told = call(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *command],
                timeout=TIMEOUT * 4).stderr
    return int(re.search(rb"Collected : (\d+)", told)[1])


def memory_of(kind, count, *words):
    """Of a command, and how many exact messages it told of."""
    generator = subprocess.Popen(
        [sys.executable, "-c", GENERATOR, kind, str(count)], stdout=subprocess.PIPE
    )
    with generator:
        command = [sys.executable, "-c", MEASURE, IPCLENS, *words, "-"]
        result = subprocess.run(
            command, stdin=generator.stdout, capture_output=True, timeout=TIMEOUT * 4, check=True
        )
    memory, lines, status = map(int, result.stdout.split())
    expect_equal(status, 0, "status")
    return memory, lines


def memory_of_messages(kind, count):
    memory, told = memory_of(kind, count, "messages")
    expect_equal(told, count, "each message is paired, exactly")
    return memory


@scenario("run --live tells of a message while the command still runs, and keeps its status")
def live(directory):
    script = "printf hello | cat; read line; exit 3"
    command = [IPCLENS, "run", "--live", "--mechanism", "pipe", "--", "sh", "-c", script]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    with process:
        first = process.stderr.readline().decode()
        expect_equal(process.poll(), None, "the command still runs, until we let it end")
        rest, _ = process.communicate(b"now\n", timeout=TIMEOUT)[::-1]
    expect(
        re.fullmatch(r"\+\d+\.\d{6} sh\[\d+\] -> cat\[\d+\] pipe 5 B \"hello\"\n", first),
        "when, who, whom, how much, what",
        first,
    )
    expect(b"exec" not in rest, "no picture follows", rest)
    expect_equal(process.returncode, 3, "the command's status")


@scenario("run --live: Ctrl-C ends the command and is told of")
def live_interrupted(directory):
    script = "printf hello | cat; kill -INT 0; sleep 60"
    process = subprocess.run(
        [IPCLENS, "run", "--live", "--", "sh", "-c", script],
        capture_output=True,
        start_new_session=True,
        timeout=TIMEOUT,
        check=False,
    )
    expect_equal(process.returncode, 128 + signal.SIGINT, "the command's status")
    expect(b"pipe 5 B" in process.stderr and b"SIGINT" in process.stderr, "told", process.stderr)


def expect_bounded(kind, memory):
    short, long = memory
    told = f"{kind}: {short} kB, then {long} kB"
    expect(long < MEMORY_MOST, "less than 300 MB", told)
    expect(long < short * 1.2, "no more for a longer trace", told)


@scenario("memory grows with what is not received, not with the length of the trace")
def bounded(_directory):
    for kind, count in (("pipe", 80000), ("pipes", 80000), ("ignored", 120000)):
        expect_bounded(kind, [memory_of_messages(kind, times * count) for times in (1, 2)])


@scenario("memory of view grows by a few hundred bytes for a message that its picture folds away")
def packed_view(_directory):
    short, long = (memory_of("pipe", count, "view")[0] for count in (60000, 120000))
    bytes_each = (long - short) * 1024 / 60000
    expect(bytes_each < 500, "less than 500 bytes", f"{short} kB, then {long} kB")


@scenario("memory of diagnose grows with what is unusual, not with the length of the trace")
def bounded_diagnosis(_directory):
    expect_bounded("pipe", [memory_of("pipe", count, "diagnose")[0] for count in (120000, 240000)])


@scenario("reading and pairing takes a small multiple of reading alone, and each message as much")
def fast(directory):
    needs("valgrind")
    costs = []
    for count in (5000, 25000):
        path = os.path.join(directory, f"{count}.ndjson")
        with open(path, "wb") as file:
            command = [sys.executable, "-c", GENERATOR, "pipe", str(count)]
            subprocess.run(command, stdout=file, check=True)
        parsing = instructions(os.path.join(BUILD, "tools", "parse"), path)
        pairing = instructions(IPCLENS, "messages", path)
        print(f"# {count} messages: {parsing} instructions to parse, {pairing} to read and pair")
        expect(pairing < PAIRING_MOST * parsing, "a small multiple", (parsing, pairing))
        costs.append(pairing / count)
    expect(costs[1] < LINEAR_MOST * costs[0], "linear", costs)


@scenario("a command that takes long says on a terminal how far it is, and takes the line back")
def progress(directory):
    lines = subprocess.run(
        [sys.executable, "-c", GENERATOR, "pipe", "100"], capture_output=True, check=True
    ).stdout.splitlines(keepends=True)
    for command in ("view", "stats", "diagnose", "messages"):
        fifo, out = (os.path.join(directory, f"{command}.{end}") for end in ("fifo", "out"))
        os.mkfifo(fifo)
        words = ["sh", "-c", 'exec "$@" >"$0"', out, IPCLENS, command, fifo]
        process, master, screen = on_terminal(words, env={**os.environ, "TERM": "xterm"})
        with open(fifo, "wb") as file:
            file.writelines(lines[:50])
            file.flush()
            wait_for(lambda: b"ipclens: reading the trace: " in screen(), f"{command}: progress")
            file.writelines(lines[50:])
        expect_equal(process.wait(TIMEOUT), 0, f"{command}: status")
        shown = screen()
        os.close(master)
        expect(shown.endswith(b"\r\x1b[K"), f"{command}: the line is gone", shown)
        expect(os.path.getsize(out) > 0, f"{command}: an answer")


def in_poll(children):
    """The one child in this list sleeps, waiting for more."""
    with open(children, encoding="ascii") as file:
        found = file.read().split()
    if not found:
        return False
    with open(f"/proc/{found[0]}/wchan", encoding="ascii") as file:
        return "poll" in file.read()


@scenario("messages --follow tells what there is, waits for more, and ends with the trace")
def follows(directory):
    run = record(directory, ["sh", "-c", "echo a | cat; echo b | cat"])
    with open(run.trace_path, encoding="utf-8", errors="surrogateescape") as file:
        lines = file.readlines()
    only = ["--mechanism", "pipe"]
    whole = call([IPCLENS, "messages", run.trace_path, *only]).stdout.decode().splitlines()
    pipes = [i for i, line in enumerate(lines) if '"syscall":"pipe' in line]
    half = pipes[1]  # all that the first pipeline did is told before
    growing = os.path.join(directory, "growing.ndjson")
    with open(growing, "w", encoding="utf-8", errors="surrogateescape") as file:
        with subprocess.Popen(
            ["timeout", "20", IPCLENS, "messages", "--follow", growing, *only],
            stdout=subprocess.PIPE,
            text=True,
        ) as follower:
            waits = f"/proc/{follower.pid}/task/{follower.pid}/children"
            wait_for(lambda: in_poll(waits), "it waits at the empty file")
            file.writelines(lines[:half])
            file.flush()
            first = follower.stdout.readline()
            expect_equal(first.strip(), whole[0], "the first message, before the trace's end")
            file.writelines(lines[half:])
            file.flush()
            rest = follower.stdout.read().splitlines()
    expect_equal(follower.returncode, 0, "status")
    expect_equal([first.strip(), *rest], whole, "the same as of the whole trace")


main()
