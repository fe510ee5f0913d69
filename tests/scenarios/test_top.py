#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""ipclens top: what it counts is what the workloads logged, and it joins who talked to whom."""
import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter, defaultdict

from expectations import expect, expect_equal, expect_in
from harness import lab, main, scenario, start, wait_for
from top_pairs import end, pairs_of, top
from traces import IPCLENS, TIMEOUT, load_lines, validate

LABS = ["bigwrite", "fifo {}/fifo", "sysvq", "posixq /ipclens-top", "unixstream", "unixdgram",
        "udp", "seqpacket", "mmsg udp", "mmsg unix-dgram", "reqresp tcp", "tcp6"]


def is_message(line):
    """Nothing is no message of a stream."""
    return line["bytes"] or line["mechanism"] not in ("pipe", "fifo", "unix-stream", "tcp")


def run_lab(directory, words):
    """What the lab logs."""
    name, *arguments = words.format(directory).split()
    result = start(directory, lab(name, *arguments))
    expect_equal(result.wait().status, 0, f"{words}: {result.stderr.decode()}")
    return [t for t in load_lines(os.path.join(directory, "truth"))
            if t["do"] in ("send", "receive") and t["result"] >= 0 and "mechanism" in t
            and is_message(t)]


def counted(pairs, pids):
    """Messages and bytes by what moved them."""
    sums = Counter()
    for pair in pairs:
        for side, action in ("from", "send"), ("to", "receive"):
            for member in pair[side]:
                if member["pid"] in pids and member["messages"]:
                    key = (pair["mechanism"], member["pid"], action)
                    sums[*key, "messages"] += member["messages"]
                    sums[*key, "bytes"] += member["bytes"]
                    for power, messages in enumerate(member["messages_by_bytes"]):
                        if messages:
                            sums[*key, power] += messages
    return sums


def logged(truth):
    sums = Counter()
    for line in truth:
        key = (line["mechanism"], line["pid"], line["do"])
        sums[*key, "messages"] += 1
        sums[*key, "bytes"] += line["bytes"]
        sums[*key, max(line["bytes"].bit_length() - 1, 0)] += 1
    return sums


def parties(truth):
    """Of each channel: who sent, and who received."""
    found = defaultdict(lambda: (set(), set()))
    for line in truth:
        key = (line["mechanism"], line.get("channel"))
        found[key][line["do"] == "receive"].add(line["pid"])
    return [(key, *sides) for key, sides in found.items() if all(sides)]


def members(pair, side):
    return {member["pid"] for member in pair[side]}


@scenario("each mechanism: messages and bytes are what the labs logged, and so is who met whom")
def exact(directory):
    result = top(f"{directory}/top", "--json", "--every", "1h")
    truths = {}
    for number, words in enumerate(LABS):
        os.mkdir(f"{directory}/{number}")
        truths[words] = run_lab(f"{directory}/{number}", words)
    pairs = end(result)
    for words, truth in truths.items():
        pids = {line["pid"] for line in truth}
        expect_equal(counted(pairs, pids), logged(truth), words)
        if words.startswith("mmsg"):  # one call to several sockets: none is named
            expect(not any(pair["to"] for pair in pairs if members(pair, "from") & pids),
                   f"{words}: no receiver is made up")
            continue
        for (mechanism, channel), senders, receivers in parties(truth):
            expect(
                any(pair["mechanism"] == mechanism and members(pair, "from") == senders
                    and members(pair, "to") == receivers for pair in pairs),
                f"{words}: {mechanism} {channel}: {senders} to {receivers}",
                *(str(pair) for pair in pairs
                  if pids & (members(pair, "from") | members(pair, "to"))),
            )
    check_metrics(f"{directory}/top/top.prom", pairs)


def check_metrics(path, pairs):
    """The sums in the metrics are those of the pairs."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    expect_equal(os.stat(path).st_mode & 0o777, 0o644, "others can read the metrics")
    found = Counter()
    for name, mechanism, value in re.findall(
            r'^ipclens_(messages|bytes)_total{mechanism="([a-z-]*)".*} (\d+)$', text, re.M):
        found[name, mechanism] += int(value)
    wanted = Counter()
    for pair in pairs:
        side = "from" if pair["from"] else "to"
        for name in "messages", "bytes":
            wanted[name, pair["mechanism"]] += sum(member[name] for member in pair[side])
    expect_equal(+found, +wanted, "the metrics and the pairs")
    expect_equal(os.listdir(os.path.dirname(path)).count("top.prom"), 1, "one file")
    expect(not [name for name in os.listdir(os.path.dirname(path)) if name.startswith(".ipclens")],
           "nothing is left beside it")


WAITS = """
import os, sys
reader, writer = os.pipe()
if os.fork() == 0:
    os.close(writer)
    os.read(reader, 1)
    os._exit(0)
print(os.getpid(), flush=True)
sys.stdin.read()
"""


@scenario("a reader that waits all the time is asleep all the time, also without a message")
def waiting(directory):
    with subprocess.Popen([sys.executable, "-c", WAITS], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as program:
        pid = int(program.stdout.readline())
        child = int(open(f"/proc/{pid}/task/{pid}/children", encoding="ascii").read())
        wait_for(lambda: state(child) == "S", "the reader to sleep")
        result = top(directory, "--json", "--once", "--every", "300ms")
        expect_equal(result.wait().status, 0, "it ends by itself")
        program.stdin.close()
    pairs = [pair for pair in pairs_of(result) if child in members(pair, "to")]
    expect_equal([pair["mechanism"] for pair in pairs], ["pipe"], "the reader's channel")
    share = pairs[0]["to"][0]["asleep_ns"] / pairs[0]["interval_ns"]
    expect(0.5 < share < 2, "it slept", f"{share} of the interval")
    expect_equal((pairs[0]["from"], pairs[0]["to"][0]["messages"]), ([], 0), "nothing was sent")


FILLS = """
import os, socket, sys
reader, writer = os.pipe()
near, far = socket.socketpair()
there, here = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
here.bind(("127.0.0.1", 0))
there.connect(here.getsockname())
print(os.getpid(), near.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF),
      here.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF), flush=True)
sys.stdin.readline()
os.write(writer, b"x" * 3 * 4096)
near.send(b"y" * 3000)
there.send(b"z")
here.recv(1)
there.send(b"z" * 3000)
print(flush=True)
sys.stdin.read()
"""


@scenario("how full a channel is: slots of a pipe, the buffers of a unix and a UDP socket")
def fills(directory):
    with subprocess.Popen([sys.executable, "-c", FILLS], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as program:
        pid, send_room, receive_room = map(int, program.stdout.readline().split())
        result = top(directory, "--json", "--every", "1h")
        print(file=program.stdin, flush=True)
        program.stdout.readline()
        pairs = [pair for pair in end(result) if members(pair, "from") == {pid}
                 and pair["from"][0]["messages"] and pair["from"][0]["bytes"] > 1]
        program.stdin.close()
    found = {pair["mechanism"]: (pair.get("used"), pair.get("room")) for pair in pairs}
    expect_equal(found["pipe"], (3, 16), "three pages of sixteen")
    for mechanism, room in ("unix-stream", send_room), ("udp", receive_room):
        expect_equal(found[mechanism][1], room, mechanism)
        expect(3000 <= found[mechanism][0] <= 12000, "3000 bytes, with their buffer", str(found))


def state(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        return file.read().rpartition(")")[2].split()[0]


@scenario("--comm chooses pairs; the table has them; the rest of the machine is not in it")
def choice(directory):
    result = top(f"{directory}/top", "--json", "--every", "1h", "--comm", "unixstream")
    os.mkdir(f"{directory}/a")
    os.mkdir(f"{directory}/b")
    truth = run_lab(f"{directory}/a", "unixstream")
    run_lab(f"{directory}/b", "sysvq")
    pairs = end(result)
    expect_equal(counted(pairs, {line["pid"] for line in truth}), logged(truth), "the chosen lab")
    for pair in pairs:
        comms = {member["comm"] for side in ("from", "to") for member in pair[side]}
        expect_in("unixstream", comms, "each pair has a process of that name")


@scenario("what is wrong on the command line is named; an unwritable file ends it at once")
def refusals(directory):
    link = os.path.join(directory, "link")
    os.symlink(link + "ed", link)
    for words, status, part in (
            (["--every", "never"], 2, "--every never"),
            (["--comm", "x" * 16], 2, "--comm"),
            (["-p", "4194305"], 1, "there is no process 4194305"),
            (["--cgroup", directory + "/none"], 1, "none: No such file"),
            (["--max-pairs", "some"], 2, " --max-pairs wants a number"),
            (["--openmetrics", directory + "/no/file"], 1, "/no/file': No such file"),
            (["--openmetrics", directory], 1, f"{directory}': it is not a regular file"),
            (["--openmetrics", "-"], 1, "'-': it is not a regular file"),
            (["--openmetrics", link], 1, "link': it is a symbolic link")):
        done = subprocess.run([IPCLENS, "top", "--once", *words], capture_output=True, text=True,
                              timeout=TIMEOUT, check=False)
        expect_equal(done.returncode, status, f"{words}: {done.stderr}")
        expect_in(part, done.stderr, "it says what")
        expect_equal(len(done.stderr.splitlines()), 1, "in one line")


# As many channels as are asked for, of a message each, then as many messages as are asked for.
BURST = """
import os, socket, sys
def name(text):
    with open("/proc/self/comm", "w") as comm:
        comm.write(text)
name("burst")
for _ in range(int(sys.stdin.readline())):
    one, other = socket.socketpair()
    one.send(b"x")
    other.recv(1)
    one.close()
    other.close()
print("burst", flush=True)
sys.stdin.readline()
name("after")
one, other = os.pipe()
for _ in range(int(sys.stdin.readline())):
    os.write(other, b"x")
    os.read(one, 1)
print("after", flush=True)
sys.stdin.readline()
"""
BURST_CHANNELS = 20000

# All channels are there before the first message, so that their counts are wanted at once.
AT_ONCE = """
import resource, socket, sys
count = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_NOFILE, (2 * count + 64,) * 2)
pairs = [socket.socketpair() for _ in range(count)]
for one, _ in pairs:
    one.send(b"x")
for _, other in pairs:
    other.recv(1)
"""
AT_ONCE_CHANNELS = 7000  # two ends each: seven eighths of what there is room for


def intervals_pass(metrics, count):
    """The file of metrics is a new one after each interval."""
    for _ in range(count):
        before = os.stat(metrics).st_ino, os.stat(metrics).st_mtime_ns
        wait_for(lambda old=before: (os.stat(metrics).st_ino, os.stat(metrics).st_mtime_ns) != old,
                 "the interval to end")


# Each client sends and closes, often before it is accepted; later sockets have the same addresses.
SESSIONS = """
import os, socket, sys
path, count = sys.argv[1], int(sys.argv[2])
listener = socket.socket(socket.AF_UNIX)
listener.bind(path)
listener.listen(100)
child = os.fork()
for _ in range(count):
    if child:
        listener.accept()[0].recv(99)
    else:
        client = socket.socket(socket.AF_UNIX)
        client.connect(path)
        client.sendall(b"0123456789")
        client.close()
if child:
    os.waitpid(child, 0)
    print(child, os.getpid())
"""
SESSION_COUNT = 400


@scenario("short sessions, one after the other: each message has its sender and its receiver")
def sessions(directory):
    for number in range(3):
        place = os.path.join(directory, str(number))
        result = top(place, "--json", "--every", "60s")
        words = [sys.executable, "-c", SESSIONS, os.path.join(place, "socket"), str(SESSION_COUNT)]
        done = subprocess.run(words, check=True, stdout=subprocess.PIPE)
        client, server = map(int, done.stdout.split())
        pairs = [p for p in end(result) if p["mechanism"] == "unix-stream"
                 and {client, server} & (members(p, "from") | members(p, "to"))]
        expect_equal([(members(p, "from"), members(p, "to")) for p in pairs], [({client}, {server})],
                     "one pair")
        for side in "from", "to":
            expect_equal((pairs[0][side][0]["messages"], pairs[0][side][0]["bytes"]),
                         (SESSION_COUNT, 10 * SESSION_COUNT), side)


@scenario("after a burst of more channels than there is room for, new ones are counted")
def burst(directory):
    result = top(directory, "--json", "--every", "1s")
    metrics = os.path.join(directory, "top.prom")
    with subprocess.Popen([sys.executable, "-c", BURST], text=True, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as process:
        print(BURST_CHANNELS, file=process.stdin, flush=True)
        expect_equal(process.stdout.readline(), "burst\n", "the burst has passed")
        intervals_pass(metrics, 3)
        print("\n300", file=process.stdin, flush=True)
        expect_equal(process.stdout.readline(), "after\n", "messages of a new channel")
        result.process.send_signal(signal.SIGINT)
        expect_equal(result.wait().status, 0, "exit status; " + result.stderr.decode())
        process.stdin.close()
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    validate(lines, "top")
    check_burst(lines, process.pid)


def messages_of(pairs, pid, mechanism):
    """How many the process sent and received there."""
    sums = Counter()
    for pair in (pair for pair in pairs if pair["mechanism"] == mechanism):
        for side in "from", "to":
            sums[side] += sum(m["messages"] for m in pair[side] if m["pid"] == pid)
    return sums


@scenario("of many channels at once that there is room for, each call is counted")
def at_once(directory):
    result = top(directory, "--json", "--every", "1h")
    with subprocess.Popen([sys.executable, "-c", AT_ONCE, str(AT_ONCE_CHANNELS)]) as process:
        expect_equal(process.wait(TIMEOUT), 0, "the program's exit status")
    result.process.send_signal(signal.SIGINT)
    expect_equal(result.wait().status, 0, "exit status; " + result.stderr.decode())
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    counted = messages_of((l for l in lines if l["type"] == "pair"), process.pid, "unix-stream")
    expect_equal(counted, {"from": AT_ONCE_CHANNELS, "to": AT_ONCE_CHANNELS}, "its messages")
    expect_equal(lines[-1]["uncounted"], 0, "none is left out")


def check_burst(lines, pid):
    """What was counted and what was not are all calls; those of others may not be counted either."""
    counted, after = 0, Counter()
    for pair in (line for line in lines if line["type"] == "pair"):
        own = {m["pid"] for m in pair["from"]} | {m["pid"] for m in pair["to"]} == {pid}
        for side in "from", "to":
            messages = sum(member["messages"] for member in pair[side])
            if own and pair["mechanism"] == "unix-stream":
                counted += messages
            elif own and pair["from"] and pair["to"]:
                after[side] += messages
    uncounted = lines[-1]["uncounted"]
    expect(0 < counted < 2 * BURST_CHANNELS, "there was no room for all", counted)
    expect(counted + uncounted >= 2 * BURST_CHANNELS, "the others are told of", counted, uncounted)
    expect_equal(after, {"from": 300, "to": 300}, "messages of the new channel")


if __name__ == "__main__":
    main()
