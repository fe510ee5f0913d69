#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What `ipclens stats` counts: crossings, copies, round trips, bytes, and the words for it."""
import os
import re
import unicodedata

from expectations import expect, expect_equal, expect_in
from harness import lab, main, record, scenario
from postgres import SERVER, cluster
from servers import WAIT, script
from traces import one_stats_line, stats, stats_lines, stats_text


def check_balance(lines):
    """Each byte is accounted for, and every doubt has a reason."""
    for line in stats_lines(lines, "channel") + stats_lines(lines, "total"):
        if "bytes" not in line:
            continue
        b = line["bytes"]
        expect_equal(
            b["sent"],
            b["delivered"] + b["unread"] + b["discarded"] + b["dropped"] + b["cut"] + b["to_outside"],
            f"what was sent is accounted for: {line}",
        )
        expect(b["balances"], "and stats says so", line)
    for line in stats_lines(lines, "channel"):
        expect_equal("ambiguous_because" in line, line["ambiguous"] > 0, f"a reason for doubt: {line}")
    expect_equal(one_stats_line(lines, "total")["lost"], 0, "nothing was lost")


def logged(truth, action):
    return [t for t in truth if t["do"] == action and t["result"] >= 0]


def reqresp(directory, word, mechanism, rounds):
    """The lab's conversation: its pair line, which must be what the lab logged."""
    directory = os.path.join(directory, f"{word}-{rounds}")
    os.mkdir(directory)
    result = record(directory, lab("reqresp", word, rounds))
    sent, received = logged(result.truth, "send"), logged(result.truth, "receive")
    expect_equal((len(sent), len(received)), (2 * rounds, 2 * rounds), "what the lab did")
    lines = stats(result.trace_path)
    check_balance(lines)
    pair = one_stats_line(lines, "pair", mechanism=mechanism)
    client = result.trace.of("process", event="exec")[0]["pid"]
    expect_equal(pair["a"]["pid"], client, "who asked")
    expect_equal(pair["bytes"], sum(t["bytes"] for t in sent), "bytes")
    return result, lines, pair


@scenario("a request and its response: 4 crossings and 4 copies, through each mechanism")
def four(directory):
    for word, mechanism in (
        ("pipe", "pipe"),
        ("unix", "unix-stream"),
        ("tcp", "tcp"),
        ("sysv", "sysv-msg"),
        ("posix", "posix-mq"),
    ):
        result, lines, pair = reqresp(directory, word, mechanism, 1)
        expect_equal((pair["crossings"], pair["copies"]), (4, 4), f"{word}: crossings and copies")
        expect_equal(
            (pair["copies_to_kernel"], pair["copies_from_kernel"], pair["mode_switches"]),
            (2, 2, 8),
            f"{word}: copies each way, mode switches",
        )
        expect_equal((pair["request_response"], pair["round_trips"]), (True, 1), word)
        calls = [op for op in result.trace.operations() if op["role"] in ("send", "receive")]
        asked = next(op for op in calls if op["pid"] == pair["a"]["pid"] and op["role"] == "send")
        told = next(op for op in calls if op["pid"] == pair["a"]["pid"] and op["role"] == "receive")
        expect_equal(
            pair["round_trip_ns"]["max"], told["exit_ns"] - asked["enter_ns"], "the round trip's time"
        )
        total = one_stats_line(lines, "total")
        expect_equal((total["crossings"], total["copies"]), (4, 4), f"{word}: all that there was")
        peaks = sorted(c["peak"]["bytes"] for c in stats_lines(lines, "channel", mechanism="tcp"))
        sizes = sorted(t["bytes"] for t in logged(result.truth, "send"))
        if word == "tcp":  # the answer's connection may have ended before it was read
            expect(peaks in (sizes, [sizes[0] + 1, sizes[1]]), "the most in it", (peaks, sizes))
        text = " ".join(stats_text(result.trace_path).split())
        expect_in("1 round trip", text, "the table's words")
        expect_in("4 crossings (8 mode switches), 4 copies (2 into the kernel, 2 out of it)", text, word)


@scenario("fifty requests and responses: fifty round trips, each with its own four")
def fifty(directory):
    for word, mechanism in (("pipe", "pipe"), ("tcp", "tcp"), ("sysv", "sysv-msg")):
        result, lines, pair = reqresp(directory, word, mechanism, 50)
        expect_equal((pair["crossings"], pair["copies"]), (200, 200), f"{word}: crossings, copies")
        expect_equal((pair["round_trips"], pair["crossed"]), (50, 0), f"{word}: they take turns")
        trip = pair["round_trip_ns"]
        expect_equal(sum(count for _, count in trip["buckets"]), 50, "the histogram has them all")
        expect(trip["min"] <= trip["p50"] <= trip["p95"] <= trip["max"], "in order", trip)
        drawn = re.findall(r" █*[▏▎▍▌▋▊▉]? +(\d+)  [\d.]+ %$", stats_text(result.trace_path), re.M)
        expect_equal(sum(map(int, drawn)), 100, "both directions' messages are in histograms")
        purposes = {c["kind"]["purpose"]["is"] for c in stats_lines(lines, "channel", mechanism=mechanism)}
        expect(all("request" in purpose for purpose in purposes), "what it was", purposes)


@scenario("splice, tee, sendfile, vmsplice: fewer copies than crossings, bytes that were not copied")
def uncopied(directory):
    result = record(directory, lab("relay"))
    lines = stats(result.trace_path)
    check_balance(lines)
    total = one_stats_line(lines, "total")
    moved = [op for op in result.trace.operations() if op["role"] == "transfer" and op["returned"] > 0]
    given = [
        op for op in result.trace.operations(role="send") if op["syscall"] == "vmsplice"
    ]
    uncopied_bytes = sum(op["returned"] for op in moved + given)
    expect_equal(total["bytes_uncopied"], uncopied_bytes, "bytes moved without a copy")
    expect_equal(total["calls"]["transfer"], len(moved), "the calls that moved them")
    expect_equal(
        total["copies"], total["crossings"] - len(moved) - len(given), "all other calls copied"
    )
    expect(total["copies"] < total["crossings"], "fewer copies than crossings", total)


@scenario("shared memory with semaphores: no copy, and each wait and wake counted")
def memory(directory):
    result = record(directory, lab("sysvshm"))
    lines = stats(result.trace_path)
    total = one_stats_line(lines, "total")
    expect_equal((total["copies"], total["crossings"]), (0, 0), "no copy, no transfer")
    for action in ("wait", "wake"):
        by = {t["pid"]: 0 for t in result.truth if t.get("mechanism") == "sysv-sem"}
        for t in logged(result.truth, action):
            by[t["pid"]] += 1
        found = {
            line["process"]["pid"]: line["calls"][action]
            for line in stats_lines(lines, "end", mechanism="sysv-sem")
        }
        expect_equal(found, by, f"each {action}")
    segment = one_stats_line(lines, "channel", mechanism="sysv-shm")
    expect_equal(segment["kind"]["format"]["is"], "shared memory", "what it is")
    text = stats_text(result.trace_path)
    expect_in("Shared memory and synchronisation", text, "the table")


def kind(lines, mechanism, name):
    return {
        line["kind"][name]["is"]
        for line in stats_lines(lines, "channel", mechanism=mechanism)
        if name in line["kind"]
    }


@scenario("the words of textbooks for what was seen, and why")
def words(directory):
    for program, mechanism, wanted in (
        ("connect", "pipe", {"addressing": "indirect", "format": "stream-oriented"}),
        ("sysvq", "sysv-msg", {"types": "typed", "length": "variable length", "order": "order kept"}),
        ("posixq", "posix-mq", {"types": "typed", "order": "order not kept"}),
        ("udp", "udp", {"addressing": "direct", "reliability": "unreliable"}),
        ("signals", "signal", {"addressing": "direct", "purpose": "notification"}),
        ("unixdgram", "unix-dgram", {"format": "message-oriented", "reliability": "reliable"}),
    ):
        place = os.path.join(directory, program)
        os.mkdir(place)
        arguments = ("ls", "wc") if program == "connect" else ()
        result = record(place, lab(program, *arguments))
        lines = stats(result.trace_path)
        for name, word in wanted.items():
            expect_in(word, kind(lines, mechanism, name), f"{program}: {name}")
        text = stats_text(result.trace_path, "--explain")
        for line in stats_lines(lines, "channel", mechanism=mechanism):
            for name, judged in line["kind"].items():
                expect(judged["because"], f"{program}: a reason for {name}", line)
                expect_in(f"{name}: {judged['is'].split()[0]}", text, f"{program}: it is told")


# Each says three words of four bytes before it hears one of the other.
AT_ONCE = """
import os, socket
mine, other = socket.socketpair()
for word in b"one.", b"two.", b"six.": mine.send(word)
if os.fork() == 0:
    for word in b"eins", b"zwei", b"drei": other.send(word)
    for _ in range(3): other.recv(4)
    os._exit(0)
os.wait()
for _ in range(3): mine.recv(4)
"""


@scenario("half and full duplex in use, who is asked and who is told")
def in_use(directory):
    _, lines, _ = reqresp(directory, "unix", "unix-stream", 2)
    expect_equal(
        kind(lines, "unix-stream", "direction"), {"bidirectional, half duplex in use"}, "in turns"
    )
    asked = kind(lines, "unix-stream", "purpose")
    expect(asked <= {"request", "synchronous request"}, "each is answered", asked)
    result = record(directory, ["/usr/bin/python3", "-c", AT_ONCE])
    lines = stats(result.trace_path)
    check_balance(lines)
    for name, word in (
        ("direction", "bidirectional, full duplex in use"),
        ("length", "fixed length"),
        ("purpose", "asynchronous request, or notifications"),
        ("receivers", "unicast"),
        ("synchrony", "asynchronous"),
    ):
        expect_equal(kind(lines, "unix-stream", name), {word}, f"both at once: {name}")


# Two children that end only once their parent sleeps in its wait for them.
WAITS = """
import os, signal, sys
def asleep(pid):
    with open(f"/proc/{pid}/wchan") as file: return "wait" in file.read()
for wait in lambda pid: os.waitpid(pid, 0), lambda pid: os.waitid(os.P_PID, pid, os.WEXITED):
    pid = os.fork()
    if pid == 0:
        while not asleep(os.getppid()): pass
        os._exit(0)
    print(pid, flush=True)
    wait(pid)
"""


@scenario("a wait for a child: how long, and that the child's end ended it")
def children(directory):
    result = record(directory, ["/usr/bin/python3", "-c", WAITS])
    pids = list(map(int, result.stdout.split()))
    waits = [op for op in result.trace.operations() if "child" in op]
    expect_equal([op["child"] for op in waits], pids, "waited for in turn")
    parent = {"pid": waits[0]["pid"], "comm": "python3"}
    end = one_stats_line(stats(result.trace_path), "end", process=parent, channel=None)
    told = {w["pid"]: w["slept_ns"] for w in end["woken_by"] if "pid" in w}
    expect_equal(told, {op["child"]: op["off_cpu_ns"] for op in waits}, "who ended which sleep")
    expect_in(f"python3[{pids[0]}] 1×", stats_text(result.trace_path), "and in the table")


REQUESTS = 300


def benchmark(directory, pipelined):
    place = os.path.join(directory, f"pipelined-{pipelined}")
    os.mkdir(place)
    result = script(
        place,
        "redis-server --port 0 --unixsocket r.sock --save '' >server.log & S=$!",
        WAIT % "grep -qi 'ready to accept connections' server.log",
        f"redis-benchmark -s r.sock -n {REQUESTS} -c 3 -P {pipelined} -t set -q >bench.log",
        "redis-cli -s r.sock shutdown nosave; wait",
        environment={"REDISCLI_HISTFILE": "/dev/null"},
    )
    lines = stats(result.trace_path)
    check_balance(lines)
    pairs = [p for p in stats_lines(lines, "pair", mechanism="unix-stream")
             if p["a"]["comm"] == "redis-benchmark" and p["b"] and p["b"]["comm"] == "redis-server"]
    expect(pairs, "the benchmark talks to the server", lines)
    return pairs


@scenario("redis-benchmark over a unix socket: its requests are round trips, pipelining saves crossings")
def redis(directory):
    plain, pipelined = benchmark(directory, 1), benchmark(directory, 10)
    trips = sum(p["round_trips"] for p in plain)
    # besides its own requests it asks for the server's configuration, twice
    expect(REQUESTS <= trips <= REQUESTS + 4, "each request is a round trip", trips)
    expect(all(p["request_response"] for p in plain), "they take turns", plain)
    costs = [sum(p["crossings"] for p in pairs) for pairs in (plain, pipelined)]
    expect(costs[0] >= 4 * REQUESTS, "four crossings a request", costs)
    expect(costs[1] * 3 < costs[0], "pipelined: far fewer", costs)


@scenario("pgbench and postgres: bytes balance, the transactions are round trips")
def pgbench(directory):
    environment = cluster(directory)
    client = f"-h {directory} -U test"
    result = script(
        directory,
        SERVER,
        WAIT % f"psql {client} -c 'select 1' postgres",
        f"$PROGRAMS/pgbench {client} -i -q -s 1 postgres >/dev/null 2>&1",
        f"$PROGRAMS/pgbench {client} -n -S -c 2 -t 50 postgres >bench.log 2>&1",
        "kill -INT $S; wait; exit 0",
        environment=environment,
    )
    with open(os.path.join(directory, "bench.log"), encoding="utf-8") as file:
        expect_in("processed: 100/100", file.read(), "what pgbench says itself")
    lines = stats(result.trace_path)
    check_balance(lines)
    pairs = [p for p in stats_lines(lines, "pair", mechanism="unix-stream")
             if p["a"].get("comm") == "pgbench" and p["b"] and p["b"].get("comm") == "postgres"]
    busy = [p for p in pairs if p["round_trips"] >= 50]
    expect(len(busy) >= 2, "two clients with 50 transactions each", pairs)


@scenario("hackbench over pipes, sockets and with threads: all of its messages, every byte")
def hackbench(directory):
    for options, mechanism in ((["-p"], "pipe"), ([], "unix-stream"), (["-p", "-T"], "pipe")):
        place = os.path.join(directory, "-".join(["h", *options]))
        os.mkdir(place)
        result = record(place, ["hackbench", *options, "-g", "1", "-f", "3", "-l", "40"])
        lines = stats(result.trace_path)
        check_balance(lines)
        sizes = [r for r in stats_lines(lines, "route", mechanism=mechanism) if r["bytes"] >= 4000]
        expect_equal(
            sum(r["bytes"] for r in sizes), 3 * 3 * 40 * 100, f"hackbench {options}: its bytes"
        )


@scenario("a pipeline of four: what each stage wrote is what the next one read")
def pipeline(directory):
    result = record(directory, ["bash", "-c", "seq 20000 | tac | grep 7 | sha256sum"])
    lines = stats(result.trace_path)
    check_balance(lines)
    size = sum(len(str(i)) + 1 for i in range(1, 20001))
    sevens = sum(len(str(i)) + 1 for i in range(1, 20001) if "7" in str(i))
    stages = {
        (r["from"]["comm"], r["to"]["comm"]): r
        for r in stats_lines(lines, "route", mechanism="pipe")
        if r["to"] and "comm" in r["to"]
    }
    for stage, wanted in (
        (("seq", "tac"), size),
        (("tac", "grep"), size),
        (("grep", "sha256sum"), sevens),
    ):
        route = stages[stage]
        expect_equal(route["bytes"], wanted, f"{stage}: bytes")
        expect_equal(
            (route["bytes_to_kernel"], route["bytes_from_kernel"]), (wanted, wanted), "copied twice"
        )
        expect_equal(route["ambiguous"], 0, f"{stage}: no doubt")
    sender = one_stats_line(lines, "channel", channel=stages[("seq", "tac")]["channel"])
    expect(0 < sender["peak"]["bytes"] <= sender["capacity"], "the most that lay in it", sender)


def width(text):
    return sum(0 if unicodedata.combining(c) else 1 for c in text)


@scenario("80 and 140 columns, ASCII, filters, hostile names: no line too long, no control character")
def screens(directory):
    result = record(directory, lab("hostile"))
    for columns in (80, 140):
        for options in ((), ("--ascii",), ("--explain",), ("--max", "0"), ("--mechanism", "pipe")):
            text = stats_text(result.trace_path, *options, columns=columns)
            for line in text.splitlines():
                expect(width(line) <= columns, f"{options}: at most {columns} columns", line)
                expect(line.isprintable(), f"{options}: no control character", line)
                expect("--ascii" not in options or line.isascii(), "ASCII only", line)
    expect_equal(
        stats_lines(stats(result.trace_path, "--mechanism", "tcp"), "route"), [], "nothing went over TCP"
    )


if __name__ == "__main__":
    main()
