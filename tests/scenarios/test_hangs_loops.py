#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Hangs of programs that are built on an event loop: what the loop waits for, beside what only
wakes it, is told as of any other program; and what sound loops wait for is no fault.

Each workload tells who its processes are, as "name=pid", in its standard error.
"""
import os
import signal

from expectations import expect, expect_equal, expect_in
from findings import severe
from hangs import PYTHON, has, hanging, looked_at, named_parties, traced
from harness import each_in_place, main, needs, scenario, start, wait_for

MAY_RUN_BESIDE_OTHERS = True

NODE = "const {spawn, exec, execSync} = require('child_process');"
NODE += "console.error('loop=' + process.pid);"

ASYNCIO = """
import asyncio, os
PIPE = asyncio.subprocess.PIPE
def tell(name, pid):
    os.write(2, b"%s=%d\\n" % (name.encode(), pid))
async def main():
{body}
tell("loop", os.getpid())
asyncio.run(main())
"""


def python(*lines):
    return [PYTHON, "-c", ASYNCIO.replace("{body}", "".join(f"    {line}\n" for line in lines))]


def node(script):
    return ["node", "-e", NODE + script]


# A shell starts a job and ends; 9 is the standard error of all of them.
LEFT = "sh -c 'echo keeper=$$ >&9; exec sleep 60' &"
FULL = "Buffer.alloc(10000000)"
STOPS = "echo stopped=$$ >&9; kill -STOP $$; true"


def shared_error(command):
    """The command with its standard error as descriptor 9, too, which its children inherit."""
    return ["bash", "-c", 'exec 9>&2; exec "$@"', "bash", *command]


SPAWN = "spawn('sh', ['-c', `{0}`], {{stdio: ['ignore', 'pipe', 'pipe', {1}]}})"
NODE_NINE = "'ignore', 'ignore', 'ignore', 'ignore', 'ignore', 'ignore', 9"


def node_child(script):
    """A child of node whose output node reads, and which has the descriptor 9 as well."""
    return f"const c = {SPAWN.format(script, NODE_NINE)};"


PYTHON_CHILD = "child = await asyncio.create_subprocess_shell({0!r}, stdout=PIPE, pass_fds=[9])"

# Name: the command, its parties, the finding, who waits, who keeps it, the text, the advice.
HANGS = {
    "asyncio job": (
        python(PYTHON_CHILD.format(LEFT), "await child.communicate()"),
        "no-eof", "loop", "keeper",
        "python3[{loop}] waits for the end of pipe:[", "redirect its output",
    ),
    "node job": (
        node(node_child(LEFT) + "c.stdout.on('data', () => 0); c.on('close', () => 0);"),
        "no-eof", "loop", "keeper",
        "[{loop}] waits for the end of unix-stream:[", "redirect its output",
    ),
    "asyncio drain": (
        python(
            "child = await asyncio.create_subprocess_exec('sleep', '60', stdin=PIPE)",
            "tell('keeper', child.pid)",
            "child.stdin.write(bytes(10000000))",
            "await child.stdin.drain()",
        ),
        "full-channel", "loop", "keeper",
        "which is full (it has room for 65,536 bytes); it should be read by sleep[{keeper}] (fd 0)",
        "look at sleep[{keeper}]",
    ),
    "node write": (
        node(
            "const c = spawn('sleep', ['60'], {stdio: ['pipe', 'inherit', 'inherit']});"
            f"console.error('keeper=' + c.pid); c.stdin.write({FULL});"
        ),
        "full-channel", "loop", "keeper",
        "should be read by sleep[{keeper}] (fd 0); sleep[{keeper}] sleeps until its time is over",
        "look at sleep[{keeper}]",
    ),
    "node output of a stopped child": (
        node(node_child(STOPS) + "c.stdout.on('data', () => 0);"),
        "stopped", "loop", "keeper", "[{keeper}] is stopped by SIGSTOP", "kill -CONT {keeper}",
    ),
    "node end of a stopped child": (
        node("spawn('sh', ['-c', `" + STOPS.replace(">&9", ">&2") + "`], {stdio: 'inherit'});"),
        "stopped", "loop", "keeper", "[{keeper}] is stopped by SIGSTOP", "kill -CONT {keeper}",
    ),
    "asyncio end of a stopped child": (
        python(PYTHON_CHILD.format(STOPS), "await child.wait()"),
        "stopped", "loop", "keeper", "[{keeper}] is stopped by SIGSTOP", "kill -CONT {keeper}",
    ),
}  # fmt: skip


def named(result):
    names = named_parties(result)
    if "stopped" in names:
        names["keeper"] = names.pop("stopped")
    return names


def expect_told(name, findings, names):
    _, kind, who, keeper, text, advice = HANGS[name]
    told = severe(findings)
    expect_equal([(f["id"], f["severity"]) for f in told], [(kind, "warning")], f"{name} {findings}")
    expect({names[who], names[keeper]} <= set(told[0]["processes"]), f"{name}: both", told)
    expect_in(text.format(**names), told[0]["text"], f"{name}: cause and culprit")
    expect_in(advice.format(**names), told[0]["advice"], f"{name}: the remedy")
    expect("cannot be told" not in str(findings), f"{name}: nobody is left unnamed", findings)
    return told[0]["text"]


def expect_told_of(name, kind, result):
    """By -p of who waits, and of who keeps it."""
    for party in ("loop", "keeper"):
        found, _ = looked_at(named(result)[party], has(kind), f"{kind} of {party}")
        expect_told(name, found, named(result))
        alone = [f for f in found if f["processes"] == [named(result)["loop"]]]
        expect_equal(alone, [], f"{name}: of a thread that only helps nothing is told")


def hang(directory, name):
    command, kind = shared_error(HANGS[name][0]), HANGS[name][1]
    text, findings, result = traced(directory, command)
    expect_told(name, findings, named(result))
    expect_in(f" {kind}  ", text, "run says so")
    again = start(directory, command, start_new_session=True)
    try:
        wait_for(lambda: hanging(2)(again), "it to hang")
        expect_told_of(name, kind, again)
    finally:
        os.killpg(again.process.pid, signal.SIGKILL)
        again.process.wait()


for each in HANGS:

    @scenario(f"{each}: cause, culprit and remedy, by run, of its trace and by -p of both")
    def of_case(directory, name=each):
        if name.startswith("node"):
            needs("node")
        hang(directory, name)


LISTENS = "await asyncio.start_server(lambda reader, writer: None, '127.0.0.1', 0)"
READS = "c.stdout.on('data', () => 0);"

# Reads 64 KiB each half second: who writes to it is not stuck.
SLOW = "import os, time\\nwhile os.read(0, 65536): time.sleep(0.5)"

# Loops that look alike, and whose time limit ends them at work, or with nothing to do.
SOUND = {
    "node that reads a child": node("const c = spawn('sleep', ['60']);" + READS),
    "node that reads a child, and serves": node(
        node_child(LEFT) + READS + "require('net').createServer().listen(0, '127.0.0.1');"
    ),
    "asyncio that reads a job, and serves": python(
        LISTENS, PYTHON_CHILD.format(LEFT), "await child.communicate()"
    ),
    "asyncio that reads a job for a time": python(
        PYTHON_CHILD.format(LEFT), "await asyncio.wait_for(child.communicate(), 60)"
    ),
    "asyncio with a slow reader": python(
        f"child = await asyncio.create_subprocess_exec('{PYTHON}', '-c', \"{SLOW}\", stdin=PIPE)",
        "child.stdin.write(bytes(100000000))",
        "await child.stdin.drain()",
    ),
    "asyncio with nothing to do": python(LISTENS, "await asyncio.Event().wait()"),
}


@scenario("loops that serve, that wait for a time, or for a reader that is only slow: no warning")
def sound(directory):
    needs("node")
    for name, command in SOUND.items():
        place = os.path.join(directory, name.replace(" ", "-"))
        os.mkdir(place)
        text, findings, _ = traced(place, shared_error(command))
        expect("loop=" in text, f"{name} has begun", text)
        expect_equal(severe(findings), [], name)


# Who opens waits for whoever opens the other side, which nobody but the stopped one is there for.
OPENS = """
cd "{place}"; mkfifo fifo
sh -c 'echo stopped=$$ >&2; kill -STOP $$; echo hi >fifo' &
echo loop=$$ >&2; exec cat fifo
"""


@scenario("who opens a FIFO is told of a relative that is stopped, by all three ways")
def opens(directory):
    place = os.path.join(directory, "named")
    os.mkdir(place)
    command = ["bash", "-c", OPENS.replace("{place}", place)]
    text, findings, result = traced(directory, command)
    expect_in(" stopped  ", text, "run says so")
    expect_stopped_opener(findings, named(result))
    os.unlink(os.path.join(place, "fifo"))
    again = start(directory, command, start_new_session=True)
    try:
        wait_for(lambda: hanging(2)(again), "it to hang")
        for party in ("loop", "keeper"):
            found, _ = looked_at(named(again)[party], has("stopped"), party)
            expect_stopped_opener(found, named(again))
    finally:
        os.killpg(again.process.pid, signal.SIGKILL)
        again.process.wait()


def expect_stopped_opener(findings, names):
    told = [f for f in findings if f["id"] == "stopped"]
    expect_equal([f["severity"] for f in told], ["warning"], findings)
    expect_equal(sorted(told[0]["processes"]), sorted(names.values()), "both")
    line = f"whoever is to open fifo, too, may be sh[{names['keeper']}]"
    expect_in(line, " ".join(told[0]["evidence"]), "what it may come to do")
    expect_in(f"kill -CONT {names['keeper']}", told[0]["advice"], "the remedy")


# The one at fault, and what is told of it when it is asked about.
KEEPERS = {
    "reader": (
        "(echo loop=$BASHPID >&2; exec seq 100000000) | (echo keeper=$BASHPID >&2; exec sleep 60)",
        "full-channel", "should be read by sleep[{keeper}]",
    ),
    "holder": (
        "flock lock sh -c 'echo keeper=$$ >&2; exec sleep 60' & "
        "while flock -n lock true; do :; done; echo loop=$$ >&2; exec flock lock true",
        "blocked", "flock[{loop}] still waits in flock(3)",
    ),
}  # fmt: skip


@scenario("of a reader that sleeps, or a lock's holder, -p says who waits for it")
def keepers(directory):
    for name, (script, kind, words), place in each_in_place(directory, KEEPERS):
        run = start(place, ["bash", "-c", script], cwd=place, start_new_session=True)
        try:
            wait_for(lambda run=run: hanging(2)(run), "it to hang")
            names = named(run)
            found, _ = looked_at(names["keeper"], lambda found: severe(found), name)
            told = severe(found)
            expect_equal([(f["id"], f["severity"]) for f in told], [(kind, "warning")], name)
            expect_in(words.format(**names), told[0]["text"], name)
        finally:
            os.killpg(run.process.pid, signal.SIGKILL)
            run.process.wait()


if __name__ == "__main__":
    main()
