#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Who waits for a source that waits soundly, or for a handler of a signal, is not accused; who
looks alike and waits in vain is told. Each program tells who waits, as "name=pid", in its standard
error.
"""
import os

from expectations import expect, expect_equal, expect_in
from findings import diagnose, severe
from hangs import PYTHON, TIMED_OUT, expect_named, hanging, named_parties, traced, untraced
from harness import main, needs, run, scenario
from traces import load_lines

MAY_RUN_BESIDE_OTHERS = True

WAITS = ("blocked", "full-channel", "deadlock")

TELL = """
import os, sys
def tell(name):
    os.write(2, b"%s=%d\\n" % (name.encode(), os.getpid()))
"""

SOURCE = "import socket, subprocess, sys; listener = socket.create_server(('127.0.0.1', 0)); "

# Each reads a pipe into which nothing comes yet, as whoever may write there waits as sound ones do.
FED_LATER = {
    "coprocess": ["bash", "-c", "coproc cat; echo reader=$! >&2; sleep 60; :"],
    "helper of a server": [PYTHON, "-c", SOURCE + """
helper = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
print(f"reader={helper.pid}", file=sys.stderr, flush=True)
listener.accept()
"""],
    "pipeline": [
        "bash", "-c",
        "sleep 60 | tee /dev/null | { echo reader=$BASHPID >&2; exec cat; }",
    ],
    "changes of a file": [
        "bash", "-c", "tail -f /dev/null /etc/passwd | { echo reader=$BASHPID >&2; exec cat; }",
    ],
    "a thread for each child": [PYTHON, "-c", SOURCE + """
import asyncio
async def serve():
    helper = await asyncio.create_subprocess_exec("cat", stdin=-1, stdout=-1)
    print(f"reader={helper.pid}", file=sys.stderr, flush=True)
    async with await asyncio.start_server(print, sock=listener) as server:
        await server.serve_forever()
asyncio.run(serve())
"""],
}  # fmt: skip

# Who has the other end is as calm, but it is the reader's own child; or it waits in vain itself.
FED_NEVER = {
    "answer of a child": [PYTHON, "-c", SOURCE + TELL + """
tell("reader")
child = "import socket; socket.create_server(('127.0.0.1', 0)).accept()"
subprocess.check_output([sys.executable, "-c", child])
"""],
    "coprocess that is asked": [
        "bash", "-c", "coproc cat; echo reader=$! >&2; read -r x <&${COPROC[0]}; :",
    ],
}  # fmt: skip

FED_NEVER_IS = {"coprocess that is asked": "deadlock"}


def both_ways(directory, name, command):
    """What the trace and -p say, each with its parties."""
    place = os.path.join(directory, name)
    os.mkdir(place)
    _, findings, result = traced(place, command)
    yield findings, named_parties(result)
    looked, result = untraced(place, command, hanging(1), FED_NEVER_IS.get(name, "blocked"))
    yield looked, named_parties(result)


@scenario("who reads a pipe whose writer waits for the clock, a client or a file is not accused")
def fed_later(directory):
    for name, command in FED_LATER.items():
        for findings, _ in both_ways(directory, name, command):
            expect_equal(severe(findings), [], name)


# It has asked, was answered, and is told when there is something.
MONITOR = """
dbus-daemon --session --nofork --print-address=3 3>address 2>/dev/null &
until [ -s address ]; do sleep 0.1; done
export DBUS_SESSION_BUS_ADDRESS="$(cat address)"
dbus-monitor >/dev/null 2>&1 & wait
"""


@scenario("who waits for news of a server that waits for all its clients is not accused")
def subscribed(directory):
    needs("dbus-daemon", "dbus-monitor")
    result = run(
        directory, ["sh", "-c", MONITOR], "--timeout", 3, status=TIMED_OUT, whole=False,
        cwd=directory,
    )  # fmt: skip
    lines = load_lines(result.trace_path)
    monitor = [line["pid"] for line in lines
               if line["type"] == "process" and line["comm"] == "dbus-monitor"]
    expect(any(line.get("state") == "pending" and line["pid"] in monitor for line in lines),
           "it waits when the time is up", monitor)
    expect_equal(severe(diagnose(result.trace_path)[0]), [], "it is sound")


@scenario("who waits for what its own child writes, or for one that waits for it, is told")
def fed_never(directory):
    for name, command in FED_NEVER.items():
        for findings, names in both_ways(directory, name, command):
            told = [f for f in severe(findings) if f["id"] in WAITS]
            expect_equal(len(told), 1, f"{name}: {findings}")
            expect_in(names["reader"], told[0]["processes"], name)


SPAWN = """
console.error("reader=" + process.pid);
const child = require("child_process").spawn(COMMAND);
console.error("child=" + child.pid);
"""

# Node and its child wait for each other: what node said to it, and what the remedy is.
NODES = {
    "unread": ('"cat"', "child.stdin.write(Buffer.alloc(10000000))", "child.stderr.resume()"),
    "never ended": ('"sort"', 'child.stdin.write("b\\na\\n"); child.stdout.on("data", () => {})',
                    "child.stdin.end()"),
}

# The same children of a node that has more to wait for.
BUSY_NODES = {
    "server": ('"cat"', 'child.stdout.resume(); require("net").createServer().listen(0)'),
    "timer": ('"sort"', 'child.stdout.resume(); setInterval(() => {}, 60000)'),
}


def of_node(command, rest):
    return ["node", "-e", SPAWN.replace("COMMAND", command) + rest]


@scenario("node and a child that wait for each other are one deadlock each way, with its remedy")
def circles_of_node(directory):
    needs("node")
    for name, (command, rest, remedy) in NODES.items():
        place = os.path.join(directory, name)
        os.mkdir(place)
        _, findings, result = traced(place, of_node(command, rest), 3)
        looked, other = untraced(place, of_node(command, rest), hanging(2), "deadlock")
        for found, pids in ((findings, named_parties(result)), (looked, named_parties(other))):
            told = expect_named(found, "deadlock", set(pids.values()))
            expect_in(remedy, told["advice"], name)
            expect_equal(severe(found), [told], f"{name}: nothing else")


@scenario("node that waits for clients or for the clock as well is not accused for its child")
def busy_nodes(directory):
    needs("node")
    for name, (command, rest) in BUSY_NODES.items():
        place = os.path.join(directory, name)
        os.mkdir(place)
        looked, _ = untraced(place, of_node(command, rest), hanging(2), "blocked")
        expect_equal(severe(looked), [], name)


# Loops of one thread that only a handler of a signal wakes, by a pipe or socket of the process.
HANDLERS = {
    "self-pipe": ([PYTHON, "-c", TELL + """
import select, signal
end, start = os.pipe()
os.set_blocking(start, False)
signal.set_wakeup_fd(start)
signal.signal(signal.SIGTERM, lambda *_: None)
tell("waiter")
select.select([end], [], [])
"""], "handler of SIGTERM"),
    "asyncio": ([PYTHON, "-c", TELL + """
import asyncio, signal
async def serve():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, stop.set)
    tell("waiter")
    await stop.wait()
asyncio.run(serve())
"""], "handler of SIGHUP"),
    "end of a child": ([PYTHON, "-c", TELL + """
import select, signal, subprocess
end, start = os.pipe()
os.set_blocking(start, False)
signal.set_wakeup_fd(start)
signal.signal(signal.SIGCHLD, lambda *_: None)
subprocess.Popen(["sleep", "60"])
tell("waiter")
select.select([end], [], [])
"""], "sleep["),
    "make -j": (["bash", "-c", """
cd "$(mktemp -d)"; printf 'all: a b c\\na b c:\\n\\tsleep 60\\n' >Makefile
echo waiter=$$ >&2; exec make -j2
"""], "sleep["),
}

# The same without a handler: SIGINT's is Python's own.
NO_HANDLER = {
    "self-pipe": [PYTHON, "-c", TELL + """
import select
end, start = os.pipe()
tell("waiter")
select.select([end], [], [])
"""],
    "asyncio": [PYTHON, "-c", TELL + """
import asyncio
async def serve():
    tell("waiter")
    await asyncio.Queue().get()
asyncio.run(serve())
"""],
}


@scenario("a loop that the handler of a signal or the end of a child wakes is sound")
def handlers(directory):
    for name, (command, ender) in HANDLERS.items():
        needs(command[0])
        for findings, names in both_ways(directory, name, command):
            told = [f for f in findings if f["id"] == "blocked"]
            expect_equal([f["severity"] for f in told], ["note"], f"{name}: {findings}")
            expect_equal(told[0]["processes"][0], names["waiter"], name)
            expect_in(ender, told[0]["text"], name)


@scenario("a loop that only its own thread could wake is a warning")
def no_handler(directory):
    for name, command in NO_HANDLER.items():
        for findings, names in both_ways(directory, name, command):
            told = [f for f in findings if f["id"] == "blocked"]
            expect_equal([f["severity"] for f in told], ["warning"], f"{name}: {findings}")
            expect_equal(told[0]["processes"], [names["waiter"]], name)


if __name__ == "__main__":
    main()
