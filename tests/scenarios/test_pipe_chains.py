#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Buffers longer than a page: from a socket into a pipe, and from there into the next one."""
import sys
from collections import Counter

from expectations import expect, expect_equal
from harness import main, record, scenario

# Every 8 bytes name their writer and their place in what he sent. Each writer prints how much each
# call into the last pipe moved, the reader what each of its reads took of whom, from where.
WORKLOAD = """
import os, socket, struct, sys

writers, kind = int(sys.argv[1]), sys.argv[2]
SIZES = (30000, 104, 9000, 20000, 4096, 33000, 8, 65536)
last = os.pipe()


def cells(writer, at, size):
    return b"".join(struct.pack("<II", writer, (at + i) // 8) for i in range(0, size, 8))


def pair():
    if kind == "unix":
        one, other = socket.socketpair()
    else:
        server = socket.create_server(("127.0.0.1", 0))
        one = socket.create_connection(server.getsockname())
        other, _ = server.accept()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    return one, other


def write(writer):
    one, other = pair()
    between, done, told = os.pipe(), 0, []
    for i in range(24):
        size = SIZES[(i + 3 * writer) % len(SIZES)]
        if i % 3 == 2:
            size = min(size, 4096)
            os.write(last[1], cells(writer, done, size))
            done += size
            told.append(size)
            continue
        data = cells(writer, done, size)
        while data:
            left = one.send(data)
            data = data[left:]
            while left:
                moved = os.splice(other.fileno(), between[1], left)
                left -= moved
                while moved:
                    told.append(os.splice(between[0], last[1], moved))
                    moved -= told[-1]
        done += size
    return f"write {writer} {os.getpid()} " + " ".join(map(str, told))


def read():
    lines, sizes = [], (4096, 40, 65536, 12000)
    while data := os.read(last[0], sizes[len(lines) % len(sizes)]):
        runs = []
        for writer, place in struct.iter_unpack("<II", data):
            if runs and runs[-1][0] == writer and 8 * place == sum(runs[-1][1:]):
                runs[-1][2] += 8
            else:
                runs.append([writer, 8 * place, 8])
        lines.append("read " + " ".join(f"{w}:{at}:{size}" for w, at, size in runs))
    return "\\n".join(lines)


def play(part, *arguments):
    if os.fork() == 0:
        if part is read:
            os.close(last[1])
        else:
            os.close(last[0])
        text = part(*arguments)
        os.close(last[1] if part is write else last[0])
        os.write(1, (text + "\\n").encode())
        os._exit(0)


play(read)
for writer in range(writers):
    play(write, writer)
os.close(last[0])
os.close(last[1])
for _ in range(writers + 1):
    os.wait()
"""


def pairs_logged(lines):
    """(pid of the writer, which of its calls, which read): bytes"""
    sizes, pids = {}, {}
    for line in lines:
        word, *rest = line.split()
        if word == "write":
            pids[int(rest[0])] = int(rest[1])
            sizes[int(rest[0])] = list(map(int, rest[2:]))
    found, number = Counter(), 0
    for line in lines:
        word, *runs = line.split()
        if word != "read":
            continue
        for writer, at, size in (map(int, run.split(":")) for run in runs):
            begin = 0
            for call, moved in enumerate(sizes[writer]):
                shared = min(begin + moved, at + size) - max(begin, at)
                if shared > 0:
                    found[pids[writer], call, number] += shared
                begin += moved
        number += 1
    return found


def calls_into(trace, channel):
    """The number of each call in its process's, by operation."""
    numbers, counts = {}, Counter()
    for op in sorted(trace.operations(), key=lambda op: op["enter_ns"]):
        into = op.get("channel_out") if op["role"] == "transfer" else op.get("channel")
        if into == channel and op["role"] in ("send", "transfer") and op["returned"] > 0:
            numbers[op["id"]] = counts[op["pid"]]
            counts[op["pid"]] += 1
    return numbers


def pairs_told(result):
    """The same of the messages of the last pipe, and those that are called exact."""
    trace = result.trace
    reads = [op for op in trace.operations(role="receive") if op["syscall"] == "read"]
    channel = Counter(op.get("channel") for op in reads).most_common(1)[0][0]
    order = {op["id"]: i for i, op in enumerate(op for op in reads if op["channel"] == channel)}
    numbers, told, exact = calls_into(trace, channel), Counter(), Counter()
    for message in result.messages():
        if message.get("channel") != channel or not message["received"]:
            continue
        expect(message["from"], "all that was read was sent here", message)
        key = message["from"]["pid"], numbers[message["sent"]["op"]], order[message["received"]["op"]]
        told[key] += message["bytes"]
        if message["match"] == "exact":
            exact[key] += message["bytes"]
    return told, exact


def check(directory, writers, kind):
    result = record(directory, [sys.executable, "-c", WORKLOAD, str(writers), kind])
    logged = pairs_logged(result.stdout.decode().splitlines())
    told, exact = pairs_told(result)
    wrong = {key: size for key, size in exact.items() if logged[key] < size}
    expect_equal(wrong, {}, "pairs that are called exact, and are not")
    expect_equal(told, logged, "pairs, however sure")
    return logged, exact


@scenario("moved from a unix socket through two pipes: every pair is exact")
def unix(directory):
    logged, exact = check(directory, 1, "unix")
    expect_equal(exact, logged, "pairs")


@scenario("moved from a TCP socket through two pipes: every pair is exact")
def tcp(directory):
    logged, exact = check(directory, 1, "tcp")
    expect_equal(exact, logged, "pairs")


if __name__ == "__main__":
    main()
