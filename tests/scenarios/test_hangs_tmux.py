#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Hangs of tmux: a client that waits for an answer of its server, and a program whose terminal a
stopped server does not read. By `run --timeout`, in its trace and by `diagnose -p`.

Each workload tells who its processes are, as "name=pid", in its standard error.
"""
import os
import signal
import subprocess

from expectations import expect_equal, expect_in
from findings import diagnose, severe
from hangs import hanging, looked_at, named_parties, traced
from harness import main, needs, scenario, start, wait_for

MAY_RUN_BESIDE_OTHERS = True

# The server is made by the first client, and is no child of the shell.
BEGIN = """
cd {place}
t() {{ tmux -S {place}/s -f /dev/null "$@"; }}
t new-session -d {window}
server=$(t display -p '#{{pid}}')
echo server=$server >&2
"""

WAITS = 'echo client=$$ >&2; exec tmux -S {place}/s wait-for nobody'

# All its output is more than a terminal holds; the server is stopped when it has begun.
PRINTS = BEGIN + """
until [ -s {place}/pid ]; do sleep 0.02; done
kill -STOP $server
echo writer=$(cat {place}/pid) >&2
sleep 600
"""


def in_place(directory, text, window):
    return text.format(place=directory, window=f"'{window.format(place=directory)}'")


def ends(directory, pids=()):
    """What tmux has started is in sessions of its own."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            pass
    subprocess.run(
        ["tmux", "-S", os.path.join(directory, "s"), "kill-server"], check=False,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip


def of_name(findings, name):
    found = [finding for finding in findings if finding["id"] == name]
    expect_equal(len(found), 1, f"{name} is told once: {findings}")
    return found[0]


def expect_unanswered(findings, names, text, whose):
    """A warning: who asked, and whom."""
    told = of_name(findings, "no-answer")
    expect_equal(told["severity"], "warning", "it is a fault")
    expect_equal([f["id"] for f in severe(findings)], ["no-answer"], "nothing else is one")
    expect_equal(told["processes"][0], names["client"], "who waits")
    expect_in(f"tmux: client[{names['client']}] sent ", told["text"], "who asked")
    expect_in("/s and got no answer: it has waited for ", told["text"], "whom")
    expect_in(whose.format(**names), told["text"], "whose answer it is")
    expect_in(told["text"], " ".join(text.split()), "run says so")


@scenario("a tmux client that waits in vain names the server, which is traced as well")
def waits_inside(directory):
    needs("tmux")
    script = in_place(directory, BEGIN + WAITS, "sleep 600")
    text, findings, result = traced(directory, ["sh", "-c", script], 3)
    expect_unanswered(findings, named_parties(result), text,
                      "; tmux: server[{server}] had received it")


@scenario("a tmux client that waits in vain names the server, which is not traced")
def waits_outside(directory):
    needs("tmux")
    place = os.path.join(directory, "server")
    os.mkdir(place)
    server = start(place, ["sh", "-c", in_place(directory, BEGIN, "sleep 600")])
    try:
        server.wait()
        command = ["sh", "-c", WAITS.format(place=directory)]
        text, findings, result = traced(directory, command)
        names = named_parties(result) | named_parties(server)
        expect_unanswered(findings, names, text,
                          "; tmux: server[{server}], outside the trace, has the other end")
        looked(directory, command, names["server"])
    finally:
        ends(directory)


def looked(directory, command, server):
    """By -p it is a note: what the server has been asked, the machine's state does not tell."""
    client = start(directory, command, start_new_session=True)
    try:
        wait_for(lambda: hanging(1)(client), "the client to wait")
        findings, _ = looked_at(
            client.process.pid, lambda found: [f for f in found if f["id"] == "blocked"], "a wait"
        )
    finally:
        client.process.kill()
        client.process.wait()
    told = of_name(findings, "blocked")
    expect_equal(severe(findings), [], "it may be sound")
    expect_in(f"tmux: client[{client.process.pid}] still waits in poll()", told["text"], "who")
    expect_in(f"tmux: server[{server}]", told["text"], "for whom")


def expect_unread(findings, names, text=None):
    """A warning each: what is not read, and that the reader is stopped."""
    full = of_name(findings, "full-channel")
    who = "tmux: server[{server}]".format(**names)
    expect_equal(full["severity"], "warning", "it is a fault")
    expect_equal(full["processes"][0], names["writer"], "who writes")
    expect_in(f"yes[{names['writer']}] waited ", full["text"], "who writes, by name")
    expect_in("to write to pty:[", full["text"], "where")
    expect_in(f"should be read by {who} (fd ", full["text"], "who has the master")
    expect_in(f"{who} is stopped", full["text"], "why it does not read")
    expect_in(f"kill -CONT {names['server']}", full["advice"], "the remedy")
    stopped = of_name(findings, "stopped")
    expect_equal(stopped["processes"][0], names["server"], "who is stopped")
    expect_in(names["writer"], stopped["processes"], "who waits for it")
    if text:
        expect_in(full["text"], " ".join(text.split()), "run says so")


@scenario("a program that fills its terminal names the stopped tmux that should read the master")
def prints(directory):
    needs("tmux")
    script = in_place(directory, PRINTS, "echo $$ >{place}/pid; exec yes")
    text, findings, result = traced(directory, ["sh", "-c", script], 4)
    expect_unread(findings, named_parties(result), text)
    os.unlink(os.path.join(directory, "pid"))
    shell = start(directory, ["sh", "-c", script], start_new_session=True)
    names = {}
    try:
        wait_for(lambda: hanging(2)(shell), "both to tell who they are")
        names = named_parties(shell)
        findings, _ = looked_at(
            names["writer"], lambda found: {"full-channel", "stopped"} <= {f["id"] for f in found},
            "the full terminal",
        )  # fmt: skip
        expect_unread(findings, names)
    finally:
        ends(directory, names.values())
        os.killpg(shell.process.pid, signal.SIGKILL)
        shell.process.wait()


@scenario("a terminal that a key (^S) holds up is no fault: its reader waits as sound ones do")
def held_up(directory):
    needs("tmux")
    place = os.path.join(directory, "server")
    os.mkdir(place)
    window = "echo $$ >{place}/pid; exec yes"
    script = BEGIN + "until [ -s {place}/pid ]; do sleep 0.02; done; t send-keys C-s"
    shell = start(place, ["sh", "-c", in_place(directory, script, window)])
    try:
        expect_equal(shell.wait().status, 0, "the key was sent")
        with open(os.path.join(directory, "pid"), encoding="ascii") as file:
            writer = file.read().strip()
        findings, _ = looked_at(
            writer, lambda found: [f for f in found if f["id"] == "full-channel"], "the write"
        )
        expect_equal(severe(findings), [], "nothing is wrong")
        expect_in("^S", " ".join(of_name(findings, "full-channel")["evidence"]), "what it may be")
        expect_equal(diagnose("-p", str(named_parties(shell)["server"]))[1]["warnings"], 0, "tmux")
    finally:
        ends(directory)


if __name__ == "__main__":
    main()
