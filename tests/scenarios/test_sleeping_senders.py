#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Sends that are asleep when the trace ends: they are the senders of what was taken."""
from expectations import expect, expect_equal
from harness import main, record, scenario
from traces import stats, view
from workloads import TCP_PAIR

POPEN = """
from subprocess import PIPE, Popen
Popen(["cat"], stdin=PIPE, stdout=PIPE).stdin.write(b"x" * (1 << 20))
"""

# A child sends a megabyte, its parent takes 200,000 bytes of it and sleeps.
STUCK = TCP_PAIR + """
import os, signal, socket, sys, tempfile
mechanism, call = sys.argv[1:]
if mechanism == "tcp":
    a, b = tcp_pair()
    a.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 100000)
    into, out = a.detach(), b.detach()
elif mechanism == "unix-stream":
    into, out = (end.detach() for end in socket.socketpair())
else:
    out, into = os.pipe()
data = b"x" * (1 << 24)
source = tempfile.TemporaryFile()
source.write(data)
source.flush()
if os.fork() == 0:
    os.write(into, b"first")
    if call == "sendfile":
        os.sendfile(into, source.fileno(), 0, len(data))
    elif call == "writev":
        os.writev(into, [data[:1000], data[1000:]])
    elif call == "sendmsg":
        socket.socket(fileno=into).sendmsg([data])
    else:
        os.write(into, data)
left = 200000
while left:
    left -= len(os.read(out, min(left, 65536)))
signal.pause()
"""

CASES = [
    ("pipe", "write"),
    ("pipe", "writev"),
    ("unix-stream", "write"),
    ("unix-stream", "sendmsg"),
    ("unix-stream", "sendfile"),
    ("tcp", "write"),
    ("tcp", "sendfile"),
]


TIMED_OUT = 124


def sent_by(messages, mechanism):
    return [
        (m["sent"]["syscall"] if m["sent"] else None, m["match"], m["bytes"])
        for m in messages
        if m["mechanism"] == mechanism and m["to"]
    ]


@scenario("a write of a megabyte into cat's pipe: what cat took came from there, exactly")
def popen(directory):
    result = record(directory, ["/usr/bin/python3", "-c", POPEN], "--timeout", "2", status=TIMED_OUT, whole=False)
    taken = sent_by(result.messages(), "pipe")
    writes = [row for row in taken if row[0] == "write" and row[2] > 1000]
    expect(writes, "cat has read", taken)
    for row in taken:
        expect_equal(row[:2], ("write", "exact"), "it was written here")
    picture = view(result.trace.path, columns=200)
    expect("outside" not in picture, "nothing came from outside", picture)


@scenario("of every mechanism and call: the sender is named, and the books balance")
def stuck(directory):
    for mechanism, call in CASES:
        result = record(
            directory,
            ["/usr/bin/python3", "-c", STUCK, mechanism, call],
            "--timeout",
            "1",
            status=TIMED_OUT,
            whole=False,
        )
        taken = sent_by(result.messages(), mechanism)
        expect_equal(
            sorted({row[:2] for row in taken}),
            sorted({("write", "exact"), (call, "exact")}),
            f"{call} on {mechanism}",
        )
        expect_equal(sum(row[2] for row in taken), 200000, "all that was taken")
        books = [
            line["bytes"]
            for line in stats(result.trace.path)
            if line["type"] == "channel" and line.get("mechanism") == mechanism and line["bytes"]
        ]
        expect(all(b["balances"] for b in books), "the books balance", books)
        expect(any(b["sent"] >= 200000 for b in books), "what was taken was sent", books)


if __name__ == "__main__":
    main()
