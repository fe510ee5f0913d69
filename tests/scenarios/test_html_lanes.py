#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Lanes of the HTML page: one after the other in a column, a focus, talk that one row tells of."""
import json
import os

from expectations import expect, expect_equal
from harness import lab, main, record, scenario
from pages import browse, draw
from servers import WAIT, free_port, script
from traces import IPCLENS, call, messages, view
from workloads import NOISY, TALK

MAY_RUN_BESIDE_OTHERS = True

PYTHON = "/usr/bin/python3"

# Children one after the other, or in pairs that live at the same time; each says a word.
LIVES = r"""
import json, os, sys
alive, rounds, log = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
lives = []
for _ in range(rounds):
    pair = []
    for _ in range(alive):
        word, leave = os.pipe(), os.pipe()
        child = os.fork()
        if child == 0:
            os.write(word[1], b"here")
            os.read(leave[0], 1)
            os._exit(0)
        pair.append((child, word, leave))
    for child, word, leave in pair:
        os.read(word[0], 4)
    for child, word, leave in pair:
        os.write(leave[1], b"!")
        os.waitpid(child, 0)
        for end in word + leave:
            os.close(end)
    lives.append([child for child, *_ in pair])
with open(log, "w") as file:
    json.dump([os.getpid(), lives], file)
"""

# Four processes in a row, each of which talks with its neighbours only.
CHAIN = r"""
import json, os, sys
pipes = [os.pipe() for _ in range(3)]
children = []
for i in range(4):
    child = os.fork()
    if child == 0:
        if i:
            os.read(pipes[i - 1][0], 4)
        if i < 3:
            os.write(pipes[i][1], b"next")
        os._exit(0)
    children.append(child)
for child in children:
    os.waitpid(child, 0)
with open(sys.argv[1], "w") as file:
    json.dump([os.getpid(), children], file)
"""

# Six connections, on each of which two sends are received at once.
SPLITS = r"""
import os, socket
for _ in range(6):
    a, b = socket.socketpair()
    child = os.fork()
    if child == 0:
        a.send(b"one ")
        a.send(b"two ")
        os._exit(0)
    os.waitpid(child, 0)
    b.recv(8)
    a.close()
    b.close()
"""


# The first child leaves a word for the second, which is born when the first one has ended.
SUCCESSORS = r"""
import json, os, sys
word = os.pipe()
first = os.fork()
if first == 0:
    os.write(word[1], b"left")
    os._exit(0)
os.waitpid(first, 0)
second = os.fork()
if second == 0:
    os.read(word[0], 4)
    os._exit(0)
os.waitpid(second, 0)
with open(sys.argv[1], "w") as file:
    json.dump([os.getpid(), first, second], file)
"""


def remembered(directory, program, *arguments):
    """The page of a program, and what the program itself remembers."""
    memory = os.path.join(directory, "memory")
    page, _ = draw(directory, [PYTHON, "-c", program, *map(str, arguments), memory])
    with open(memory, encoding="utf-8") as file:
        return page, json.load(file)


def findings(directory):
    """What `ipclens diagnose` finds in the trace there, worst first."""
    trace = os.path.join(directory, "trace.ndjson")
    lines = call([IPCLENS, "diagnose", "--json", trace], check=False).stdout.splitlines()
    return [line for line in map(json.loads, lines) if line["type"] == "finding"]


@scenario("short lives one after the other are one column, and each head stands where it begins")
def one_by_one(directory):
    page, (parent, lives) = remembered(directory, LIVES, 1, 9)
    columns = [[parent], [child for child, in lives]]
    browse(page, "columns", name="lives", columns=columns)
    browse(page, "everyWay", name="lives", columns=columns)


@scenario("lives that overlap have columns of their own, which the next ones take")
def pairs(directory):
    page, (parent, lives) = remembered(directory, LIVES, 2, 5)
    columns = [[parent], [first for first, _ in lives], [second for _, second in lives]]
    browse(page, "columns", name="pairs", columns=columns)
    browse(page, "everyWay", name="pairs", columns=columns)


@scenario("a message to the next one in the same column is two halves beside it")
def successors(directory):
    page, (parent, first, second) = remembered(directory, SUCCESSORS)
    found = messages(os.path.join(directory, "trace.ndjson"))
    left, = [m for m in found if m["mechanism"] == "pipe"]
    expect_equal([left["from"]["pid"], left["to"]["pid"]], [first, second], "the word")
    browse(page, "succeeded", columns=[[parent], [first, second]], id=left["id"])


@scenario("a head that is clicked, or chosen by key or address, shows whom it talks with, then on")
def focus(directory):
    page, (parent, (first, second, third, last)) = remembered(directory, CHAIN)
    browse(
        page,
        "focused",
        all=[parent, first, second, third, last],
        middle=second,
        near=[first, second, third],
        far=[first, second, third, last],
    )


@scenario("an address leads to the processes of a finding")
def focus_on_finding(directory):
    page, _ = draw(directory, lab("hangs", "ring-three"), "--timeout", "1", status=124, whole=False)
    worst = findings(directory)[0]
    expect_equal(worst["id"], "deadlock", "the worst one")
    browse(page, "findingFocused", finding="deadlock", found=worst["processes"])


@scenario("talk with oneself and with the kernel is one row each, which opens and folds again")
def noise(directory):
    page, told = draw(directory, [PYTHON, "-c", NOISY + TALK])
    folds = [["eventfd with itself", 5], ["netlink with the kernel", 6], ["pipe with itself", 6]]
    deep = [m["id"] for m in told if m["mechanism"] == "eventfd"][3]
    browse(page, "noise", folds=folds, deep=deep)
    trace = os.path.join(directory, "trace.ndjson")
    view(trace, "--mechanism", "eventfd", "-o", page)
    browse(page, "noNoise", messages=5)


@scenario("where there is no other talk, each message has its row on the page too")
def alone(directory):
    page, told = draw(directory, [PYTHON, "-c", NOISY])
    browse(page, "noNoise", messages=len([m for m in told if m["mechanism"] != "signal"]))


@scenario("notes of one kind between the same programs are one line, with their number")
def notes(directory):
    page, _ = draw(directory, [PYTHON, "-c", SPLITS])
    splits = [f for f in findings(directory) if f["id"] == "split-stream"]
    expect_equal(len(splits), 1, "notes of diagnose")
    browse(page, "notes", id="split-stream", text=splits[0]["text"], says="5 more")


NGINX = """daemon off; worker_processes 2; pid nginx.pid; error_log error.log; user root;
events {{}} http {{ access_log access.log; server {{
listen 127.0.0.1:{port}; location / {{ return 200 'from nginx'; }} }} }}
"""

# It writes all before it reads, as cat does not: neither goes on.
STUCK = """
import subprocess
cat = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
cat.stdin.write(b"x" * 1000000)
cat.stdin.flush()
"""


def write(directory, name, text):
    with open(os.path.join(directory, name), "w", encoding="ascii") as file:
        file.write(text)


def most_at_once(trace):
    """How many processes of the trace were alive at the same time, and how many there were."""
    turns = []
    for line in trace.of("process"):
        if line["event"] == "fork" and line["pid"] == line["tid"]:
            turns.append((line["at_ns"], 1))
        elif line["event"] == "exit" and line["pid"] == line["tid"]:
            turns.append((line["at_ns"], -1))
    alive = most = 1
    for _, step in sorted(turns):
        alive += step
        most = max(most, alive)
    return most, 1 + sum(step > 0 for _, step in turns)


def check_real(directory, name, result):
    """As many columns as live at once, but for one: an end is drawn after all that it ended."""
    most, lives = most_at_once(result.trace)
    page = os.path.join(directory, "page.html")
    view(result.trace_path, "-o", page)
    browse(page, "lived", name=name, most=most + 1, lives=lives)
    return most, lives


@scenario("the page of a compiler: its helpers, one after the other, have two columns beside it")
def compiler(directory):
    write(directory, "a.c", "int a(void) { return 1; }\n")
    write(directory, "b.c", "int a(void);\nint main(void) { return a() - 1; }\n")
    result = record(directory, ["gcc", "a.c", "b.c", "-o", "ab"], cwd=directory)
    most, lives = check_real(directory, "gcc", result)
    expect(most == 3 and lives >= 7, "gcc, collect2 and ld at most", f"{most} of {lives}")


@scenario("the page of `make -j2`: each compiler and its helpers in columns that were free")
def parallel(directory):
    names = [f"part{i}" for i in range(5)]
    for name in names:
        write(directory, name + ".c", f"int {name}(void) {{ return 0; }}\n")
    objects = " ".join(name + ".o" for name in names)
    write(directory, "Makefile", f"all: {objects}\n%.o: %.c\n\tgcc -c -o $@ $<\n")
    result = record(directory, ["make", "-j2"], cwd=directory)
    most, lives = check_real(directory, "make", result)
    expect(most < 7 and lives >= 16, "two compilers at a time", f"{most} of {lives}")


@scenario("the page of a server and three clients, one after the other")
def server(directory):
    port = free_port()
    write(directory, "conf", NGINX.format(port=port))
    url = f"http://127.0.0.1:{port}"
    result = script(
        directory,
        f"nginx -p {directory} -c conf & S=$!",
        WAIT % f"curl -s {url}/ping",
        f"curl -s {url}/a; curl -s {url}/b; curl -s {url}/c; kill -QUIT $S; wait",
    )
    expect_equal(result.stdout, b"from nginx" * 3, "what curl printed")
    check_real(directory, "nginx", result)


@scenario("the page of a deadlock shows both, with their heads and their waits")
def stuck(directory):
    options = ("--timeout", "4")
    result = record(directory, [PYTHON, "-c", STUCK], *options, status=124, whole=False)
    most, lives = check_real(directory, "deadlock", result)
    expect_equal((most, lives), (2, 2), "python3 and cat")
    worst = findings(directory)[0]
    page = os.path.join(directory, "page.html")
    browse(page, "findingFocused", finding="deadlock", found=worst["processes"])


if __name__ == "__main__":
    main()
