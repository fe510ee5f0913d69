#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""ipclens top on a terminal: what it shows is what the workload logged, and it heeds keys."""
import os
import re
import signal
import subprocess
import sys
import time

from expectations import Failure, expect, expect_equal, expect_in
from harness import main, needs, scenario, wait_for
from traces import IPCLENS, TIMEOUT, call, load_lines

# Two processes play ping-pong over two pipes, one of which is also sent what nobody receives.
# Each line of input is a round of so many messages, each logged with its size.
PLAYERS = """
import os, sys
there, back, full = os.pipe(), os.pipe(), os.pipe()
os.set_blocking(full[1], False)
child = os.fork()
name = "ping" if child else "pong\\x1b[2J"
with open("/proc/self/comm", "w") as comm:
    comm.write(name)
if child == 0:
    os.close(there[1])
    while data := os.read(there[0], 4096):
        os.write(back[1], data)
    os._exit(0)
os.read(back[0], os.write(there[1], b"x"))
print(os.getpid(), child, flush=True)
for line in sys.stdin:
    count, size = map(int, line.split())
    for _ in range(count):
        os.write(there[1], b"x" * size)
        os.read(back[0], 4096)
    os.write(full[1], b"x" * 4096 * 4)
    print(count, flush=True)
"""


class Players:
    def __init__(self):
        self.process = subprocess.Popen([sys.executable, "-c", PLAYERS], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.ping, self.pong = map(int, self.process.stdout.readline().split())

    def play(self, count, size):
        """What was sent is logged when all of it was received."""
        print(count, size, file=self.process.stdin, flush=True)
        expect_equal(int(self.process.stdout.readline()), count, "what the players log")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(TIMEOUT)


class Terminal:
    """A shell in a terminal of tmux, whose screen can be read."""

    def __init__(self, directory, width=80, rows=24, **variables):
        self.words = ["tmux", "-S", os.path.join(directory, "tmux"), "-f", "/dev/null"]
        self.status = os.path.join(directory, "status")
        environment = {**os.environ, "LC_ALL": "C.UTF-8", **variables}
        self.tmux("new-session", "-d", "-x", str(width), "-y", str(rows), "/bin/sh",
                  env=environment)
        wait_for(lambda: self.screen().strip(), "the shell's prompt")

    def tmux(self, *words, **options):
        return call([*self.words, *words], **options).stdout.decode()

    def screen(self, *options):
        return self.tmux("capture-pane", "-p", *options)

    def type(self, *keys):
        self.tmux("send-keys", *keys)

    def run(self, *words):
        self.type("-l", " ".join(["clear;", IPCLENS, "top", *words]) + f"; echo $? >{self.status}")
        self.type("Enter")

    def until(self, part):
        """The screen, once the pattern is in it."""
        seen = [""]

        def there():
            seen[0] = self.screen()
            return re.search(part, seen[0], re.M)

        try:
            wait_for(there, f"{part} on the screen", 20)
        except Failure as failure:
            raise Failure(f"{failure}\n{seen[0]}") from None
        return seen[0]

    def ended(self):
        """The exit status, and how the terminal was left."""
        wait_for(lambda: os.path.exists(self.status) and os.path.getsize(self.status),
                 "ipclens top to end")
        with open(self.status, encoding="ascii") as file:
            status = int(file.read())
        os.unlink(self.status)
        self.type("clear; stty -a", "Enter")
        flags = self.until(r"[ -]icanon").split()
        return status, "icanon" in flags and "echo" in flags

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tmux("kill-server")


def tops():
    """The pids of all that run `ipclens top`."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read().split(b"\0")
        except OSError:
            continue
        if words[:2] == [IPCLENS.encode(), b"top"]:
            yield int(pid)


def top_of(found):
    """The one that was started: the other is its child, which traces pairs."""
    for pid in found:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            if int(file.read().rpartition(")")[2].split()[1]) not in found:
                return pid
    return None


def rows(screen):
    """What stands in each row of the table, by the names of its columns."""
    names = ["from", "to", "mechanism", "messages", "bytes", "sender waits", "receiver waits",
             "full"]
    return [dict(zip(names, line.split())) for line in screen.splitlines()[2:-1] if line]


def number(text):
    """What stands for "52940", "517K" or "1.2M"."""
    return float(text.rstrip("KMk")) * {"K": 1024, "M": 1 << 20, "k": 1000}.get(text[-1], 1)


COLOUR = re.compile(r"\x1b\[(?:\d+;)*3[0-7]m")


@scenario("the table has the pairs with their rates; it sorts, filters, opens, helps and resizes")
def table(directory):
    needs("tmux")
    with Players() as players, Terminal(directory) as terminal:
        terminal.run("--every", "1h", "-p", str(players.ping), "-p", str(players.pong))
        terminal.until("The first interval")
        players.play(5, 10)
        terminal.type("Space")
        terminal.until(rf"^ping.{players.ping}. +po\S+ +pipe")
        check_numbers(terminal, players)
        check_opened(terminal, players)
        check_help_and_size(terminal)
        terminal.type("q")
        expect_equal(terminal.ended(), (0, True), "status, and the terminal as it was")


def check_numbers(terminal, players):
    """Most bytes are played. The last message of the round before may count with this one."""
    began = time.monotonic()
    players.play(20000, 10)
    took = time.monotonic() - began
    terminal.type("5", "Space")
    seen = terminal.until(r"sorted by bytes(?s:.)*^ping\S+ +po\S+ +pipe +(\d{4}|\d+k)")
    longest = time.monotonic() - began + 1
    found = sorted(rows(seen)[:2], key=lambda row: row["to"])
    expect_equal([row["to"][:2] for row in found], ["pi", "po"], "most bytes are played")
    rate = number(found[1]["messages"])
    digits = 1.01  # three of them are shown of a large number
    expect(20000 / longest - 1 <= rate * digits, "messages per second, at least", rate, seen)
    expect(rate <= 20001 / took * digits, "messages per second, at most", rate, seen)
    expect(abs(number(found[1]["bytes"]) / 10 / rate - 1) < 0.1, "ten bytes each", seen)
    terminal.type("r")
    seen = terminal.until("least first")
    last = sorted(rows(seen)[-2:], key=lambda row: row["to"])
    expect_equal(last, found, "and those come last now")
    terminal.type("/", "?")
    seen = terminal.until(r"1 of \d+ pairs")
    expect_equal([(row["to"], row["full"]) for row in rows(seen)], [("?", "50%")],
                 "what is sent and not received: twice four of 16 pages")
    terminal.type("Escape", "4")
    terminal.until(r"^ipclens top  \d+ pairs, sorted by messages")


def check_opened(terminal, players):
    """The sums since it was opened begin with the interval that was shown."""
    terminal.type("/", "po", "Enter", "1", "Home", "Enter")
    terminal.until(rf"ping\[{players.ping}\] → pong\\x1b\[2J\[{players.pong}\]  pipe")
    expect(re.search(r"sent 20,000 \(.* received 20,000 \(", terminal.screen()), "the sums",
           terminal.screen())
    players.play(1200, 100)
    terminal.type("Space")
    seen = terminal.until(r"sent 21,200 \(.* received 21,200 \(")
    for count in "8 B  20000", "64 B   1200":
        expect_in(count, seen, "messages by their sizes")
    terminal.type("Escape", "Escape")
    terminal.until("sorted by")


def check_help_and_size(terminal):
    terminal.type("?")
    terminal.until("who talks to whom now")
    terminal.type("x")
    terminal.tmux("resize-window", "-x", "120", "-y", "40")
    wait_for(lambda: terminal.screen().splitlines()[39:] and
             "q quit" in terminal.screen().splitlines()[39], "the keys in the last of 40 lines")
    head = terminal.screen().splitlines()[1]
    expect(len(head) > 80, "the columns are further apart", head)


@scenario("d traces the pair and shows the picture; then the table is there again")
def traced(directory):
    needs("tmux", "less")
    with Players() as players, Terminal(directory, 160, 50, TMPDIR=directory) as terminal:
        terminal.run("--every", "500ms", "-p", str(players.ping))
        terminal.until("The first interval")
        players.play(5, 10)
        terminal.until(r"^ping\S+ +po\S+ +pipe")
        terminal.type("/", "po", "Enter", "2", "d", "1", "Enter")
        seen = terminal.until("Enter: back to the table")
        for pid in players.ping, players.pong:
            expect_in(str(pid), seen, "both are in the picture")
        terminal.type("Enter")
        seen = terminal.until("The trace is")
        trace = load_lines(re.search(r"The trace is (\S+)", seen)[1])
        expect(trace[0]["type"] == "header" and trace[-1]["type"] == "trailer", "it is whole")
        traced_pids = {line["pid"] for line in trace if line["type"] == "operation"}
        expect_equal(traced_pids, {players.ping, players.pong}, "who was traced")
        terminal.type("q")
        expect_equal(terminal.ended(), (0, True), "status, and the terminal as it was")


@scenario("Ctrl-C and TERM give the terminal back, without colour; --plain takes it never")
def ends(directory):
    needs("tmux")
    with Terminal(directory) as terminal:
        terminal.run("--every", "300ms")
        terminal.until("pairs, sorted")
        expect(COLOUR.search(terminal.screen("-e")), "there are colours")
        found = set(tops())
        os.kill(top_of(found), signal.SIGTERM)
        expect_equal(terminal.ended(), (0, True), "TERM: status, and the terminal as it was")
        expect_equal(found & set(tops()), set(), "no process is left")
        terminal.type("-l", "export NO_COLOR=1 LC_ALL=de_DE.UTF-8")
        terminal.type("Enter")
        terminal.run("--every", "300ms")
        terminal.until("Paare, sortiert")
        expect(not COLOUR.search(terminal.screen("-e")), "NO_COLOR: there are none")
        terminal.type("C-c")
        expect_equal(terminal.ended(), (0, True), "Ctrl-C: status, and the terminal as it was")
        terminal.run("--every", "300ms", "--plain", "--max-pairs", "1", "--lang", "en")
        terminal.until(r"^FROM .* FULL(?s:.)*^FROM .* FULL")
        terminal.type("C-c")
        expect_equal(terminal.ended(), (0, True), "--plain")


# So many children, each with a pipe to itself: the first sends one message of ten bytes, the next two.
CROWD = """
import os, sys
children = []
for count in range(1, int(sys.argv[1]) + 1):
    go, done = os.pipe(), os.pipe()
    pid = os.fork()
    if not pid:
        with open("/proc/self/comm", "w") as comm:
            comm.write("crowd")
        own = os.pipe()
        os.read(go[0], 1)
        for _ in range(count):
            os.write(own[1], b"x" * 10)
            os.read(own[0], 10)
        os.write(done[1], b"x")
        os.read(go[0], 1)
        os._exit(0)
    children.append((pid, count, go, done))
print(flush=True)
sys.stdin.readline()
for pid, count, go, done in children:
    os.write(go[1], b"x")
    os.read(done[0], 1)
    print(pid, count, flush=True)
print(flush=True)
sys.stdin.readline()
for pid, _, go, _ in children:
    os.write(go[1], b"x")
"""


@scenario("--max-pairs bounds the table; a line says how many pairs are left out and what they moved")
def bounded(directory):
    needs("tmux")
    most, crowd = 3, 9
    with subprocess.Popen([sys.executable, "-c", CROWD, str(crowd)], text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        with Terminal(directory) as terminal:
            terminal.run("--every", "1h", "--max-pairs", str(most), "--comm", "crowd")
            terminal.until("The first interval")
            print(file=process.stdin, flush=True)
            sent = []
            while line := process.stdout.readline().strip():
                sent.append(tuple(map(int, line.split())))
            terminal.type("Space")
            seen = terminal.until("more pairs")
            terminal.type("q")
            expect_equal(terminal.ended(), (0, True), "status, and the terminal as it was")
        print(file=process.stdin, flush=True)
    check_bounded(seen, sent, most)


def check_bounded(seen, sent, most):
    """Each child has its own pipe, the one that it waits for, and the one that says it is done."""
    # Its own: count messages of 10 bytes; of the other two, one message of one byte each.
    moved = sorted([(count, 10 * count) for _, count in sent] + [(1, 1)] * 2 * len(sent))[::-1]
    busiest = [f"crowd[{pid}]" for pid, _ in sorted(sent, key=lambda entry: -entry[1])[:most]]
    expect_equal([line.split()[0] for line in seen.splitlines()[2:2 + most]], busiest,
                 "the busiest are shown")
    messages, size = map(sum, zip(*moved[most:]))
    expect_in(f"{most} pairs, sorted", seen, "how many the table has")
    expect_in(f"{len(moved) - most} more pairs: {messages} messages, {size} B", seen,
              "the others, and what they moved")


if __name__ == "__main__":
    main()
