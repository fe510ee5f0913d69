#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The HTML page, opened and used in a browser. Its pictures are kept in build/screenshots."""
import os
import re
import shutil

from expectations import expect, expect_equal
from harness import lab, main, scenario
from pages import browse, draw
from traces import BUILD, Trace, call, view

MAY_RUN_BESIDE_OTHERS = True


def told(message):
    """A message as checks.mjs tells it."""

    def call_of(side):
        if not side or message["mechanism"] == "signal":
            return None
        exit_ns = side["exit_ns"] if side["exit_ns"] is not None else side["enter_ns"]
        return [side["syscall"], side.get("fd", -1), side["enter_ns"], exit_ns - side["enter_ns"]]

    def pid_of(end):
        return end["pid"] if end else None

    return {
        "id": message["id"],
        "mechanism": message["mechanism"],
        "bytes": message["bytes"],
        "from": pid_of(message["from"]),
        "to": pid_of(message["to"]),
        "sent": call_of(message["sent"]),
        "received": call_of(message["received"]),
        "match": message["match"],
    }


@scenario("a page tells each message as `ipclens messages` does, in light and dark, with the kernel")
def opens(directory):
    for name in ("connect ls wc", "reqresp pipe", "sysvq"):
        page, messages = draw(directory, lab(*name.split()))
        traced = {m["from"]["pid"] for m in messages if m["from"]}
        # Who started the command is outside: a page says so and tells no number.
        expected = [told(m) for m in messages]
        for message in expected:
            if message["mechanism"] == "signal" and message["to"] not in traced:
                message["to"] = None
        browse(page, "opens", name=name.replace(" ", "-"), messages=expected)


@scenario("hostile names and payloads are text in a page, and its policy lets nothing else run")
def hostile(directory):
    page, messages = draw(directory, lab("hostile"))
    with open(page, encoding="utf-8") as file:
        source = file.read()
    expect("<script>alert" not in source and "onerror" not in source, "all is packed", source[:2000])
    policy = "default-src 'none'; base-uri 'none'; form-action 'none'; script-src 'sha256-"
    expect(policy in source and "unsafe" not in source.split("</head>")[0], "a policy", source[:600])
    image = [m for m in messages if m["mechanism"] == "fifo"][4]
    words = ["a\\x1b[1m<b>'", "<img src=x onerror="]
    browse(page, "hostile", messages=len(messages), id=image["id"], words=words)


# 300 requests and their responses, in letters of the other case.
ASKS = r"""
import os
requests, responses = os.pipe(), os.pipe()
if os.fork() == 0:
    for i in range(300):
        os.write(responses[1], os.read(requests[0], 10).upper())
    os._exit(0)
for i in range(300):
    os.write(requests[1], b"number %03d" % i)
    os.read(responses[0], 10)
os.wait()
"""


@scenario("a page is used: keyboard, pointer, zoom, filter, search, deep link")
def used(directory):
    page, messages = draw(directory, ["/usr/bin/python3", "-c", ASKS])
    expect_equal(len([m for m in messages if m["mechanism"] == "pipe"]), 600, "messages")
    browse(page, "used", name="used", middle=301, word="Number 12", hits=20, mechanism="pipe")
    browse(page, "facts")


@scenario("a page folds what repeats, unfolds it by click and key, and prints each row")
def folded(directory):
    page, messages = draw(directory, ["/usr/bin/python3", "-c", ASKS])
    rows = len(messages) + 2  # exec and fork; the signals of the exits are in their rows
    browse(page, "folded", name="used", rows=rows, most=300, says="messages")
    browse(page, "printed", name="used")


def run_node(script, directory):
    browser = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "browser")
    if shutil.which("node"):
        call(["node", os.path.join(browser, script), directory])


@scenario("folding in a page loses no row of random ones, and opens what is asked for")
def folds(directory):
    run_node("folds.mjs", directory)


@scenario("a page paints no server red that waits for whoever comes")
def idle_waits(directory):
    run_node("waits.mjs", directory)


# Six readers, one writer that takes them as they come, and leaves when all are asleep.
CROWD = r"""
import os, random
random.seed(5)
pipes = [os.pipe() for _ in range(6)]
children = []
for reading, _ in pipes:
    children.append(os.fork())
    if children[-1] == 0:
        for _, writing in pipes:
            os.close(writing)
        while os.read(reading, 4):
            pass
        os._exit(0)
for _ in range(3000):
    os.write(random.choice(pipes)[1], b"work")
for child in children:
    while open(f"/proc/{child}/stat").read().rpartition(")")[2].split()[0] != "S":
        pass
for _, writing in pipes:
    os.close(writing)
for _ in pipes:
    os.wait()
"""


@scenario("a page of what comes in no order is short, and each message is shown or counted")
def crowd(directory):
    page, messages = draw(directory, ["/usr/bin/python3", "-c", CROWD])
    pipes = [m for m in messages if m["mechanism"] == "pipe"]
    expect_equal(len(pipes), 3000, "messages")
    browse(page, "crowd", most=120, plain=3000, deep=pipes[1500]["id"])
    trace = os.path.join(directory, "trace.ndjson")
    view(trace, "--group", "-o", page)
    browse(page, "sleeps", stretches=all_asleep(trace, {m["to"]["pid"] for m in pipes}))


def all_asleep(trace, pids):
    """[from, to] whenever all of these processes that live then are asleep in calls."""
    turns = []
    for line in Trace(trace).lines:
        if line.get("pid") not in pids:
            continue
        if line["type"] == "process" and line["event"] in ("fork", "exit"):
            turns.append((line["at_ns"], 1 if line["event"] == "fork" else -1, 0))
        slept = line.get("off_cpu_ns", 0)
        if slept and 2 * slept >= line["exit_ns"] - line["enter_ns"]:
            turns += [(line["enter_ns"], 0, 1), (line["exit_ns"], 0, -1)]
    found, since, living, asleep = [], None, 0, 0
    for at_ns, lives, sleeps in sorted(turns):
        if since is not None and since < at_ns and living and living == asleep:
            if found and found[-1][1] == since:
                found[-1][1] = at_ns
            else:
                found.append([since, at_ns])
        since, living, asleep = at_ns, living + lives, asleep + sleeps
    return found


@scenario("a page of some hundred rows of few kinds is short, as the text is")
def few(directory):
    program = CROWD.replace("range(6)", "range(3)").replace("range(3000)", "range(260)")
    page, messages = draw(directory, ["/usr/bin/python3", "-c", program])
    pipes = [m for m in messages if m["mechanism"] == "pipe"]
    text = view(os.path.join(directory, "trace.ndjson"), "--width", "140")
    # How many rows it takes depends on how the readers come to run.
    expect("260 messages" in text and len(text.splitlines()) < 130, "half of it at most", text)
    browse(page, "crowd", most=130, plain=260, deep=pipes[130]["id"])


@scenario("channels are lanes in a page, and groups of like processes one, until they are opened")
def lanes(directory):
    page, messages = draw(directory, lab("sysvq"))
    view(os.path.join(directory, "trace.ndjson"), "--lanes", "channels", "--group", "-o", page)
    letters = [m for m in messages if m["mechanism"] == "sysv-msg"]
    received = [m for m in letters if m["received"]]
    moves = [(m["sent"]["enter_ns"], m["bytes"]) for m in letters]
    moves += [(m["received"]["exit_ns"], -m["bytes"]) for m in received]
    levels = [sum(n for at, n in moves if at <= now) for now, _ in moves]
    browse(page, "lanes", sent=len(letters), received=len(received), most=max(levels))


# Rounds of many parts, each acknowledged, and an end of the round, by pipes of their own.
ROUNDS = r"""
import os
parts, acks, ends, dones = (os.pipe() for _ in range(4))
def asks(channel, back):
    os.write(channel[1], b"asks")
    os.read(back[0], 4)
def answers(channel, back):
    os.write(back[1], os.read(channel[0], 4))
turn = asks if os.fork() else answers
for i in range(12):
    for k in range(10):
        turn(parts, acks)
    turn(ends, dones)
if turn == asks:
    os.wait()
else:
    os._exit(0)
"""


# Rounds of a connection, a message and its end, each answered by a signal.
CALLS = r"""
import os, signal, socket
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
server = socket.socket(socket.AF_UNIX)
server.bind(b"\0ipclens-%d" % os.getpid())
server.listen()
child = os.fork()
for i in range(40):
    if child:
        calling = server.accept()[0]
        os.kill(child, signal.SIGUSR1)
        calling.recv(4)
        os.kill(child, signal.SIGUSR1)
        calling.recv(4)
        calling.close()
        os.kill(child, signal.SIGUSR1)
    else:
        called = socket.socket(socket.AF_UNIX)
        called.connect(server.getsockname())
        signal.sigwait({signal.SIGUSR1})
        called.send(b"call")
        signal.sigwait({signal.SIGUSR1})
        called.close()
        signal.sigwait({signal.SIGUSR1})
if child:
    os.wait()
else:
    os._exit(0)
"""


# The parent goes on when the child runs, and the child ends when the parent has read all: so the
# first round and the last are like all others.
MEET = r"""
import os
ready, done = os.pipe(), os.pipe()
def fork():
    child = os.fork()
    if child:
        os.read(ready[0], 1)
    else:
        os.close(done[1])
        os.write(ready[1], b"!")
    return child
def leave():
    os.read(done[0], 1)
    os._exit(0)
def wait():
    os.close(done[1])
    os.wait()
"""


def meeting(program):
    for call_name in ("fork", "wait"):
        program = program.replace(f"os.{call_name}()", f"{call_name}()")
    return MEET + program.replace("os._exit(0)", "leave()")


@scenario("a page folds loops within loops, and opens them level by level")
def nested(directory):
    page, messages = draw(directory, ["/usr/bin/python3", "-c", meeting(ROUNDS)])
    expect_equal(len([m for m in messages if m["mechanism"] == "pipe"]), 1 + 264, "messages")
    browse(page, "nested", rounds=12, parts=10, deep=1 + 5 * 22 + 7)


def loops(trace, *options):
    """[depth, rounds] of the loops in the text picture."""
    text = view(trace, "--width", "140", *options)
    found = re.findall(r"^([│|]*)[╭,]×([\d,]+)", text, re.M)
    return sorted([len(depth), int(rounds.replace(",", ""))] for depth, rounds in found)


@scenario("a page folds what the text folds: through the kernel, through mailboxes, to scale, on paper")
def ways(directory):
    for name, program, expected in (("asks", ASKS, [[0, 300]]), ("rounds", ROUNDS, [[0, 12], [1, 10]])):
        page, messages = draw(directory, ["/usr/bin/python3", "-c", meeting(program)])
        trace = os.path.join(directory, "trace.ndjson")
        direct = {"via": "", "loops": loops(trace)}
        kernel = {"via": "kernel", "loops": loops(trace, "--kernel")}
        boxes = {"via": "channels", "loops": loops(trace, "--lanes", "channels")}
        expect_equal([way["loops"] for way in (direct, kernel, boxes)], [expected] * 3, "in text")
        all_ways = {"": direct, "k": kernel, "m": boxes, "t": direct, "kt": kernel, "mt": boxes}
        pipes = [m for m in messages if m["mechanism"] == "pipe"]
        deep = pipes[len(pipes) // 2]["id"]
        if name == "asks":
            browse(page, "paper", name=name, folds=["↻ × 299"])
        browse(page, "ways", name=name, ways=all_ways, messages=len(pipes), deep=deep)


@scenario("a page folds signals, connections and ends as the text does, and adds up what it hides")
def calls(directory):
    page, messages = draw(directory, ["/usr/bin/python3", "-c", meeting(CALLS)])
    trace = os.path.join(directory, "trace.ndjson")
    direct = {"via": "", "loops": loops(trace)}
    kernel = {"via": "kernel", "loops": loops(trace, "--kernel")}
    expect_equal(direct["loops"], [[0, 40]], "in text")
    expect_equal(len(kernel["loops"]), 1, "loops in text, through the kernel")
    expect("  40 messages, 120 signals, 160 B, " in view(trace, "--width", "200"), "text adds up")
    drawn = [m for m in messages if m.get("signal") != "SIGCHLD"]
    all_ways = {"": direct, "k": kernel, "t": direct, "kt": kernel}
    deep = drawn[len(drawn) // 2]["id"]
    hidden = [m for m in messages if m["mechanism"] == "unix-stream"][1:]
    times = [m["received"]["exit_ns"] - m["sent"]["enter_ns"] for m in hidden]
    words = "↻ × 39 · 39 messages, 117 signals, 156 B, latency "
    browse(page, "adds", words=words, least=min(times), most=max(times))
    browse(page, "ways", name="calls", ways=all_ways, messages=len(drawn), deep=deep)


@scenario("in the gallery's pages, in each language, no words stand over others or beyond the edge")
def legible(directory):
    traces = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "gallery", "traces")
    pages = []
    for name in ("queue", "httpecho", "sigedges", "hostile", "deadlock", "udpdrop", "telling"):
        for language in ("en", "de"):
            pages.append(os.path.join(directory, f"{name}.{language}.html"))
            view(os.path.join(traces, name + ".ndjson"), "--lang", language, "-o", pages[-1])
    browse(pages[0], "legible", pages=pages)


@scenario("a page of 100,000 messages is small, opens, is searched and scrolled")
def large(directory):
    page = os.path.join(directory, "large.html")
    with open(page, "wb") as file:
        call([os.path.join(BUILD, "tools", "page"), "100000"], stdout=file)
    size = os.path.getsize(page)
    expect(size < 2800000, "28 bytes a message, its 24 bytes of payload among them", str(size))
    browse(page, "large", name="large", messages=100000)


if __name__ == "__main__":
    main()
