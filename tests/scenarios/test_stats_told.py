#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What `ipclens stats` tells of a channel is what happened there, and nothing else is told."""
import contextlib
import os
import subprocess

from expectations import expect, expect_equal, expect_in
from harness import main, record, scenario
from traces import one_stats_line, stats, stats_lines, stats_text


def python(directory, text, *arguments):
    return record(directory, ["/usr/bin/python3", "-c", text, *map(str, arguments)])


# A queue for two: the child sends four, and the parent takes one whenever the child sleeps, so that
# the child sleeps twice. The last two find room, or it sleeps more often.
FULL = """
import ctypes, os
mq = ctypes.CDLL("librt.so.1")
class Attributes(ctypes.Structure):
    _fields_ = [(name, ctypes.c_long) for name in ("flags", "most", "size", "now")]
    _fields_ += [("r", ctypes.c_long * 4)]
name = b"/stats-told-%d" % os.getpid()
queue = mq.mq_open(name, os.O_CREAT | os.O_RDWR, 0o600, ctypes.byref(Attributes(0, 2, 16, 0)))
mq.mq_unlink(name)
child = os.fork()
if child == 0:
    for number in range(4): mq.mq_send(queue, b"word", 4, 0)
    os._exit(0)
def asleep():
    with open(f"/proc/{child}/wchan") as file: return "wq_sleep" in file.read()
for number in range(2):
    while not asleep(): pass
    mq.mq_receive(queue, ctypes.create_string_buffer(16), 16, None)
os.wait()
for number in range(2): mq.mq_receive(queue, ctypes.create_string_buffer(16), 16, None)
"""


@scenario("a full queue: how often its sender slept")
def full_queue(directory):
    result = python(directory, FULL)
    sends = [op for op in result.trace.operations() if op["syscall"] == "mq_timedsend"]
    slept = sum(1 for op in sends if op.get("off_cpu_ns"))
    expect_equal((len(sends), slept), (4, 2), "sends, and those that slept")
    synchrony = one_stats_line(stats(result.trace_path), "channel", mechanism="posix-mq")["kind"]["synchrony"]
    expect_equal(synchrony["is"], "asynchronous", "the kernel holds what was sent")
    expect_in("the sender slept in 2 of 4 messages", synchrony["because"], "and says who slept")


# Twenty datagrams for a socket with room for few; the receiver says how many it got.
DROPS = """
import os, socket
inbox, sender = socket.socket(type=socket.SOCK_DGRAM), socket.socket(type=socket.SOCK_DGRAM)
inbox.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
inbox.bind(("127.0.0.1", 0))
for number in range(20): sender.sendto(b"x" * 500, inbox.getsockname())
inbox.setblocking(False)
got = 0
try:
    while inbox.recv(500): got += 1
except BlockingIOError:
    print(got, inbox.getsockname()[1])
"""


@scenario("datagrams dropped by a full socket: told at that socket, not at the sender's")
def drops(directory):
    result = python(directory, DROPS)
    got, port = map(int, result.stdout.split())
    expect(0 < got < 20, "some were dropped", got)
    inbox, sender = (
        [c for c in stats(result.trace_path)
         if c["type"] == "channel" and c["mechanism"] == "udp" and test(c)]
        for test in (lambda c: c["bytes"]["received"], lambda c: c["bytes"]["sent"])
    )
    lost = (20 - got) * 500
    expect_equal([c["not_received"]["dropped"] for c in inbox + sender], [lost, 0], "lost at")
    expect_in("were dropped", inbox[0]["kind"]["reliability"]["because"], "and its kind")
    rows = [row.split() for row in stats_text(result.trace_path).splitlines() if " yes " in row]
    at = next(row for row in rows if row[1] == f"127.0.0.1:{port}")
    other = next(row for row in rows if row[0].startswith("udp") and row is not at)
    expect("-" not in at[at.index("yes") - 1], "the receiving socket's row has the loss", at)
    expect_equal(other[other.index("yes") - 1], "-", "and the sender's row has not")


# A select on a socket and on a pipe; what comes first through either is taken.
BOTH = """
import os, select, socket
mine, other = socket.socketpair()
out, into = os.pipe()
if os.fork() == 0:
    for number in range(3): other.send(b"word"); other.recv(4); os.write(into, b"more"); other.recv(4)
    os._exit(0)
for number in range(6):
    ready, _, _ = select.select([mine, out], [], [])
    os.read(ready[0] if ready[0] == out else mine.fileno(), 4)
    mine.send(b"next")
os.wait()
"""


@scenario("--mechanism: what it leaves out is in no table")
def left_out(directory):
    result = python(directory, BOTH)
    for wanted, unwanted in (("pipe", "unix-stream"), ("unix-stream", "pipe")):
        text = stats_text(result.trace_path, "--explain", "--mechanism", wanted)
        expect_in(f"{wanted}:[", text, "what was asked for")
        for word in (unwanted + ":[", "  signals\n", "(no channel)"):
            expect(word not in text, f"{word} has no part in --mechanism {wanted}", text)
        rows = stats(result.trace_path, "--mechanism", wanted)
        expect_equal(
            {row["mechanism"] for row in rows if row["type"] != "total"}, {wanted}, "each row's"
        )
        waits = sum(row["calls"]["wait"] for row in rows if row["type"] == "end")
        expect_equal(waits, one_stats_line(rows, "total")["calls"]["wait"], "the waits, in rows and in all")
        expect(waits >= 1, "the parent's select was counted where it found something", waits)


# One side says that it is ready, the other one sends that many words, and the first says that it
# has them all.
STREAM = """
import os, socket, sys
mine, other = socket.socketpair(type=socket.SOCK_SEQPACKET)
words = int(sys.argv[1])
if os.fork() == 0:
    other.send(b"ready")
    for number in range(words): other.recv(4)
    other.send(b"done")
    os._exit(0)
mine.recv(5)
for number in range(words): mine.send(b"word")
mine.recv(4)
os.wait()
"""


@scenario("a stream one way is no round trip, an answer in a few sends is")
def one_way(directory):
    for words in (3, 30):
        place = os.path.join(directory, str(words))
        os.mkdir(place)
        result = python(place, STREAM, words)
        lines = stats(result.trace_path)
        pair = one_stats_line(lines, "pair", mechanism="unix-seqpacket")
        expect_equal(pair["messages"], words + 2, "messages")
        expect_equal(pair["round_trips"], int(words == 3), f"round trips with {words} words")
        text = stats_text(result.trace_path)
        expect_equal("round trip" in text, words == 3, f"the text has it too: {text}")
        kinds = {c["kind"]["purpose"]["is"] for c in stats_lines(lines, "channel", mechanism="unix-seqpacket")}
        expect_equal("asynchronous request, or notifications" in kinds, words != 3, f"the kind: {kinds}")


OUTSIDER = "import time; print(flush=True); time.sleep(600)"


def outsiders(program, *arguments):
    return [
        subprocess.Popen(
            ["/usr/bin/python3", "-c", program, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in range(2)
    ]


@scenario("two outside the trace that get a signal are two receivers, and the tracer is none")
def outside(directory):
    with contextlib.ExitStack() as stack:
        targets = [stack.enter_context(p) for p in outsiders(OUTSIDER)]
        for target in targets:
            target.stdout.readline()
        result = record(directory, ["/usr/bin/env", "kill", "-TERM", *(str(p.pid) for p in targets)])
        expect_equal([p.wait() for p in targets], [-15, -15], "both got it")
    signals = one_stats_line(stats(result.trace_path), "channel", mechanism="signal")
    expect_equal((signals["senders"], signals["receivers"], signals["messages"]), (1, 2, 2), "signals")
    expect_in("1 sending process, 2 receiving", signals["kind"]["receivers"]["because"], "and why")


PRIVATE = """
import ctypes
libc = ctypes.CDLL(None)
queue = libc.msgget(0, 0o600)
libc.msgsnd(queue, ctypes.create_string_buffer(b"\\1" + bytes(7) + b"word"), 4, 0)
libc.msgctl(queue, 0, None)
"""


@scenario("words: signals by name, IPC_PRIVATE is no key, calls that came back empty-handed")
def words(directory):
    result = python(directory, PRIVATE)
    for text in (stats_text(result.trace_path), result.view(), result.view("--as", "mermaid")):
        expect_in("IPC_PRIVATE", text, "the queue that no key finds")
        expect("key 0x0" not in text, "and its key is not told as one", text)
    expect("SIGCHLD" not in result.view(), "that the tracer was told of the end is not drawn", result.view())
    place = os.path.join(directory, "signals")
    os.mkdir(place)
    text = "import signal; signal.signal(10, lambda *_: 0); signal.raise_signal(10); signal.raise_signal(17)"
    result = python(place, text + "; import os; r, w = os.pipe(); os.close(w); os.read(r, 1)")
    signals = one_stats_line(stats(result.trace_path), "channel", mechanism="signal")
    expect_equal(signals["kind"]["types"]["because"], "SIGUSR1, SIGCHLD were seen", "their names")
    expect_in("1 came back empty-handed", stats_text(result.trace_path), "one call")
    picture = result.view()
    expect_in("arrived while it was running", picture, "how the signal met its target")
    legend = "signal handler runs" in picture
    expect_equal(legend, picture.count("▒") > 1, f"the legend has what is drawn: {picture}")


if __name__ == "__main__":
    main()
