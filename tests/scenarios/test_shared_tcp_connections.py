#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""TCP connections that several send on, or receive from: whose bytes each call took."""
import json
from collections import Counter

from expectations import expect, expect_equal
from harness import main, record, scenario
from workloads import TCP_PAIR

PYTHON = "/usr/bin/python3"

# Each byte says which send it is of: the number of a sender, and of its call.
PROGRAM = TCP_PAIR + """
import itertools, json, os, signal, socket, sys, tempfile, time
from socket import MSG_TRUNC, MSG_WAITALL
senders, receivers, calls, size = map(int, sys.argv[1:5])
hows, takes, stops = sys.argv[5].split(","), sys.argv[6].split(","), len(sys.argv) > 7
clock, tracer = time.monotonic_ns, os.getppid()
a, b = tcp_pair()
a.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
store = tempfile.TemporaryFile()
if "sendfile" in hows:
    for value in range(256):
        store.write(bytes([value]) * size)
store.flush()
def told(**line):
    os.write(1, json.dumps(line).encode() + b"\\n")
def send(sender):
    b.close()
    for call in range(calls):
        value, how = sender * calls + call, hows[call % len(hows)]
        if stops and call in (calls // 3, 2 * calls // 3):
            os.kill(tracer, signal.SIGSTOP if call == calls // 3 else signal.SIGCONT)
        begin = clock()
        if how == "write":
            n = os.write(a.fileno(), bytes([value]) * size)
        elif how == "sendmsg":
            n = a.sendmsg([bytes([value]) * (size // 3), bytes([value]) * (size - size // 3)])
        else:
            n = os.sendfile(a.fileno(), store.fileno(), value * size, size)
        end = clock()
        told(do="send", pid=os.getpid(), begin=begin, end=end, value=value, bytes=n)
def receive(receiver):
    a.close()
    r, w = os.pipe()
    for call in itertools.count():
        take = takes[(receiver + call) % len(takes)]
        begin = clock()
        if take == "all":
            data = b.recv(size // 2 + 7, MSG_WAITALL)
            end = clock()
        elif take == "some":
            data = b.recv(size // 3 + 11)
            end = clock()
        elif take == "drop":
            data = b.recv(size // 3 + 11, MSG_TRUNC)
            end = clock()
        else:
            n = os.splice(b.fileno(), w, min(size // 2, 30000) + 5)
            end = clock()
            data = os.read(r, n) if n else b""
        runs = [[value, len(list(run))] for value, run in itertools.groupby(data)]
        dropped = len(data) if take == "drop" else 0
        told(do="receive", pid=os.getpid(), begin=begin, end=end, dropped=dropped,
             runs=[] if dropped else runs)
        if not data:
            return
children = []
for work, count in ((send, senders), (receive, receivers)):
    for number in range(count):
        children.append(os.fork())
        if not children[-1]:
            work(number)
            os._exit(0)
a.close()
b.close()
if stops:
    os.kill(tracer, signal.SIGCONT)
assert not any([os.waitpid(child, 0)[1] for child in children])
"""


def traced(directory, workload, *options, whole=True):
    arguments = [str(word) for word in workload]
    return record(directory, [PYTHON, "-c", PROGRAM, *arguments], *options, whole=whole)


def is_on_tcp(op, do):
    if op["role"] not in (do, "transfer"):
        return False
    channel = op.get("channel_out" if do == "send" and op["role"] == "transfer" else "channel")
    return (channel or "").startswith("tcp")


def calls_of(result):
    """Which line of the workload's log an operation is of."""
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    found = {}
    for op in result.trace.operations(state=None):
        for line in lines:
            within = line["begin"] <= op["enter_ns"] and op["exit_ns"] <= line["end"]
            if within and op["pid"] == line["pid"] and is_on_tcp(op, line["do"]):
                found[op["id"]] = line["pid"], line["begin"]
    return lines, found


def truth_of(lines):
    values = {line["value"]: line for line in lines if line["do"] == "send"}
    pairs = Counter()
    for line in lines:
        for value, size in line.get("runs", ()):
            sent = values[value]
            pairs[(sent["pid"], sent["begin"]), (line["pid"], line["begin"])] += size
    return pairs


def pairs_of(result, calls):
    """What is told as exact, and what is not, or as left."""
    pairs, others = Counter(), []
    for message in result.messages().of("tcp"):
        sent, received = message["sent"], message["received"]
        if message["match"] == "exact" and sent and received:
            pairs[calls[sent["op"]], calls[received["op"]]] += message["bytes"]
        else:
            others.append(message)
    return pairs, others


def check(directory, *workload):
    result = traced(directory, workload)
    lines, calls = calls_of(result)
    pairs, others = pairs_of(result, calls)
    hooks = result.trace.one("header")["hooks"]
    if workload[0] > 1 and not hooks["tcp_sendmsg_locked"]:
        return  # before 6.16 nobody tells where each of several sends lies
    expect_equal(others, [], "nothing is in doubt, and nothing left")
    drops = {(line["pid"], line["begin"]): line["dropped"] for line in lines if line.get("dropped")}
    known = Counter({ends: size for ends, size in pairs.items() if ends[1] not in drops})
    expect_equal(known, truth_of(lines), "who took how much of which send")
    dropped = Counter()
    for (_, receive), size in pairs.items():
        dropped[receive] += size
    expect_equal({call: dropped[call] for call in drops}, drops, "what was dropped")


# What must hold, and the workloads: senders, receivers, calls, bytes of each, how, and how taken.
SHARED = [
    (
        "large sends of several: each sleeps while the others write on",
        (3, 1, 12, 150000, "write,sendmsg,sendfile", "some"),
    ),
    (
        "small sends of several, and sendfile among them",
        (2, 1, 100, 90, "write,sendfile,sendmsg", "some,all"),
    ),
    (
        "several receivers: those who wait for all, and those who take what is there",
        (1, 3, 200, 700, "write", "all,some"),
    ),
    (
        "several receivers by splice, beside others",
        (1, 2, 150, 900, "write,sendfile", "splice"),
        (1, 3, 100, 40000, "write", "splice,some,all"),
    ),
    (
        "several receivers: one takes bytes away and does not want them",
        (2, 2, 60, 600, "write,sendmsg", "drop,some"),
    ),
    ("several at both ends", (2, 2, 60, 20000, "sendmsg,write,sendfile", "all,splice,some")),
]

for title, *rows in SHARED:
    scenario(title)(lambda directory, rows=rows: [check(directory, *row) for row in rows])


@scenario("records are missing: nothing false is exact")
def loss(directory):
    workload = (2, 3, 120, 3000, "write,sendmsg", "some,all,splice", "stop")
    result = traced(directory, workload, "--ring", "16384", "--payload", "0", whole=False)
    expect(result.trace.lost() > 0, "records were lost", result.trace.of("lost"))
    lines, calls = calls_of(result)
    pairs, others = pairs_of(result, calls)
    truth = truth_of(lines)
    for ends, size in pairs.items():
        expect(size <= truth[ends], "an exact pair is true", ends, size, truth[ends])
    false = [m for m in others if m["match"] == "exact" and m["mechanism"] == "tcp"]
    expect_equal(false, [], "all that was sent was read")


main()
