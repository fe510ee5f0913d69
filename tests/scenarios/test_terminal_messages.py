#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Pseudo-terminals: what passes between master and slave, and what the line makes of it."""
import os
import pty
import signal
import subprocess

import joining
from expectations import expect, expect_equal, expect_in
from harness import lab, main, needs, record, scenario, wait_for
from traces import blob
from truth import latin, truth_of

ROUNDS = 3


def ends_of(trace, name):
    """The two channels of a terminal: (master, slave)."""
    found = [
        channel
        for channel in trace.merged.values()
        if channel["mechanism"] == "pty" and channel.get("name") == name
    ]
    ends = {channel["end"]: channel for channel in found}
    expect_equal(sorted(ends), ["master", "slave"], f"the ends of {name}")
    expect_equal(
        (ends["master"]["peer"], ends["slave"]["peer"]),
        (ends["slave"]["id"], ends["master"]["id"]),
        "each end names the other",
    )
    return ends["master"], ends["slave"]


def summary(trace, message):
    """(sender, receiver, bytes, the call that is echoed)."""
    return (
        message["from"] and message["from"]["pid"],
        message["to"] and message["to"]["pid"],
        message["bytes"],
        trace.operation(message["echo"])["payload"] if "echo" in message else None,
    )


def wanted_messages(truth, mode):
    """What the lab's log says, in order: each question, its echo, each answer."""
    questions = truth_of(truth, "send", "pty", "input")
    answers = truth_of(truth, "send", "pty", "output")
    parent, child = questions[0]["pid"], answers[0]["pid"]
    longer = 0 if mode in ("raw", "packet") else 1
    found = []
    for question, answer in zip(questions, answers):
        found.append((parent, child, question["bytes"], None))
        if mode == "echo":
            found.append((None, parent, question["bytes"] + 1, latin(question).decode()))
        found.append((child, parent, answer["bytes"] + longer, None))
    return found


def check_lab(directory, mode):
    result = record(directory, lab("ptys", mode))
    trace, truth = result.trace, result.truth
    master, slave = ends_of(trace, latin(truth_of(truth, "open", "pty")[0]).decode())
    found = result.messages().of("pty")
    expect_equal(
        sorted(map(str, (summary(trace, m) for m in found))),
        sorted(map(str, wanted_messages(truth, mode))),
        "the messages are those that the workload logged",
    )
    expect_equal({m["match"] for m in found}, {"exact"}, "how sure the pairing is")
    expect_equal([m for m in found if "fate" in m], [], "all were received")
    for message in found:
        to_child = message["channel"] == slave["id"]
        expect(to_child or message["channel"] == master["id"], "queued at one of both ends")
        expect_equal(message["received"]["fd"], 4 if to_child else 3, "read from that end")
    reads = [op["returned"] for op in trace.operations(syscall="read") if "channel" in op]
    expect_equal(
        sorted(reads),
        sorted(t["result"] for t in truth_of(truth, "receive", "pty")),
        "the reads are those that the workload logged",
    )
    return result


@scenario("a raw terminal: questions and answers pass unchanged")
def raw(directory):
    result = check_lab(directory, "raw")
    for message in result.messages().of("pty"):
        sent = result.trace.operation(message["sent"]["op"])
        received = result.trace.operation(message["received"]["op"])
        expect_equal(blob(received["payload"]), blob(sent["payload"]), "the same bytes")


@scenario("a canonical terminal: the end of a line becomes two bytes on the way out")
def canonical(directory):
    check_lab(directory, "canonical")


@scenario("echo: the master reads its own words again, which nobody sent")
def echo(directory):
    result = check_lab(directory, "echo")
    expect_in("echo", result.view(), "the picture says what an echo is")


@scenario("packet mode: the byte before the data is no part of a message")
def packet(directory):
    result = check_lab(directory, "packet")
    offsets = {m["received"]["offset"] for m in result.messages().of("pty")}
    expect_equal(offsets, {0, 1}, "what the master reads begins behind it")


@scenario("the user's terminal: outside, not unread, and not in the picture unless asked for")
def console(directory):
    master, slave = pty.openpty()
    try:
        result = record(directory, ["sh", "-c", "echo hello; exec cat /dev/null"])
        quiet = result.view()
        expect("terminal" not in quiet, "no terminal, no word of one", quiet)
        result = record(
            directory,
            ["sh", "-c", f"exec >{os.ttyname(slave)}; echo hello; echo again | cat"],
        )
    finally:
        os.close(slave)
        os.close(master)
    said = [m for m in result.messages().of("pty") if m["from"]]
    expect_equal([m["bytes"] for m in said], [6, 6], "two lines were written to it")
    for message in said:
        expect_equal(
            (message["to"], message["received"], message.get("fate")),
            (None, None, None),
            "who reads it is outside",
        )
    picture = result.view()
    expect_in("2 messages with the user's terminal are not drawn", picture, "it is announced")
    expect(" pty " not in picture, "and not drawn", picture)
    expect_in(" pty 6 B", result.view("--mechanism", "pty"), "who asks for it gets it")


def record_script(directory, command, *options):
    quiet, writer = os.pipe()  # at the end of its input, script would type ^D
    try:
        return record(directory, ["script", "-qec", command, "/dev/null"], *options, stdin=quiet)
    finally:
        os.close(quiet)
        os.close(writer)


@scenario("lines longer than what is kept of them: how many bytes come out is known all the same")
def long_lines(directory):
    for options in ((), ("--no-payload",), ("--payload", "0")):
        place = os.path.join(directory, "-".join(options))
        os.makedirs(place, exist_ok=True)
        result = record_script(place, "printf '%0100d\\n' 1 2 3; printf '%070d' 4", *options)
        expect_equal(len(result.stdout), 3 * 102 + 70, "two bytes at the end of each line")
        found = [m for m in result.messages().of("pty") if m["to"]]
        expect_equal({m["match"] for m in found}, {"exact"}, "no doubt")
        expect_equal(sum(m["bytes"] for m in found), len(result.stdout), "all that script read")
        for op in result.trace.operations(syscall="write"):
            expect(len(blob(op.get("payload", ""))) <= 64, "and no more is kept than was asked", op)


@scenario("script(1): who writes to the terminal inside, and who reads it outside")
def script_program(directory):
    result = record_script(directory, "echo from-inside")
    trace = result.trace
    found = [m for m in result.messages().of("pty") if m["from"] and m["to"]]
    sent = [m for m in found if "from-inside" in str(trace.operation(m["sent"]["op"])["payload"])]
    expect_equal(len(sent), 1, "the words are one message")
    expect_equal(sent[0]["to"]["pid"], trace.pid_of("script"), "script reads them")
    expect(sent[0]["from"]["pid"] != sent[0]["to"]["pid"], "another process wrote them")
    expect_equal(sent[0]["bytes"], len("from-inside\r\n"), "the end of the line became two bytes")
    expect_equal(sent[0]["match"], "exact", "and nothing else can have been meant")


WRITERS = ("left", "right", "third")
WRITE_LINES = (
    f"for name in {' '.join(WRITERS)}; do (i=0; while [ $i -lt 200 ];"
    ' do i=$((i + 1)); echo "$name $i"; done) & done; wait'
)


@scenario("script(1): jobs that write at the same time are told apart by what was read")
def several_writers(directory):
    result = record_script(directory, WRITE_LINES)
    order = {op["id"]: i for i, op in enumerate(result.trace.operations(syscall="read"))}
    found = [m for m in result.messages().of("pty") if m["from"] and m["to"]]
    found.sort(key=lambda m: (order[m["received"]["op"]], m["received"]["offset"]))
    expect_equal({m["match"] for m in found}, {"exact"}, "nothing is in doubt")
    expect_equal(sum(m["bytes"] for m in found), len(result.stdout), "all that script printed")
    at, said_by = 0, {}
    for message in found:
        if not message["sent"]["offset"]:
            name = result.stdout[at : at + message["bytes"]].split()[0].decode()
            said_by.setdefault(message["from"]["pid"], []).append(name)
        at += message["bytes"]
    expect_equal(
        sorted(said_by.values()),
        [[name] * 200 for name in WRITERS],
        "each line that script printed is of the job that wrote it",
    )


@scenario("tmux: the server holds the masters, the shell of a window the slave")
def tmux(directory):
    socket = os.path.join(directory, "socket")
    typed = f"tmux -S {socket} "
    inside = f"stty raw -echo; echo ready; {typed} wait-for -S up; head -c 6"
    commands = [
        typed + f"-f /dev/null new-session -d -x 80 -y 24 '{inside}'",
        typed + "wait-for up",
        typed + "send-keys -l hello!",
        f"while {typed} has-session 2>/dev/null; do :; done",
    ]
    result = record(directory, ["sh", "-c", "; ".join(commands)], "--payload", "256")
    trace = result.trace
    server = next(
        line["pid"]
        for line in trace.of("process")
        if blob(line["comm"]).startswith(b"tmux: server")
    )
    received = {}
    for message in result.messages().of("pty"):
        if message["from"] and message["to"] and message["match"] == "exact":
            key = (message["from"]["pid"] == server, message["to"]["pid"] == server)
            received.setdefault(key, b"")
            received[key] += blob(trace.operation(message["sent"]["op"])["payload"])
    expect_in(b"hello!", received.get((True, False), b""), "what was typed goes to the window")
    expect_in(b"ready", received.get((False, True), b""), "what it prints goes to the server")


def text_of(path):
    with open(path, encoding="ascii") as file:
        return file.read()


@scenario("tmux that is joined: what lies in its terminal is known, so what follows is exact")
def tmux_joined(directory):
    needs("tmux")
    typed = ["tmux", "-S", os.path.join(directory, "socket"), "-f", "/dev/null"]
    printed = os.path.join(directory, "printed")
    subprocess.run([*typed, "new-session", "-d", f"exec cat >{printed}"], check=True)
    try:
        asked = [*typed, "display", "-p", "#{pid} #{pane_pid}"]
        server, inside = map(int, subprocess.check_output(asked).split())
        wait_for(lambda: text_of(f"/proc/{inside}/comm") == "cat\n", "cat is executed")
        run = joining.attach(directory, "-p", server, "--children")
        for line in ("hello", "world"):
            subprocess.run([*typed, "send-keys", line, "Enter"], check=True)
            wait_for(lambda line=line: line in text_of(printed), "cat has read it")
        run.process.send_signal(signal.SIGINT)
        trace = joining.ends(run, "interrupted")
    finally:
        subprocess.run([*typed, "kill-server"], check=False)
    found = run.messages().of("pty")
    expect_equal({m["match"] for m in found}, {"exact"}, f"nothing is in doubt: {found}")
    read = [m for m in found if m["to"] and m["to"]["pid"] == inside]
    expect_equal(
        [(m["from"]["pid"], blob(trace.operation(m["received"]["op"])["payload"])) for m in read],
        [(server, b"hello\n"), (server, b"world\n")],
        "what was typed",
    )
    echoed = [m["echo"] for m in found if "echo" in m and m["to"]["pid"] == server]
    expect_equal(echoed, [m["sent"]["op"] for m in read], "and its echo")


if __name__ == "__main__":
    main()
