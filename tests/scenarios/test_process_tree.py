#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Processes: births, exec, names, ends, descriptors; and that only the tree is traced."""
import json
import os
import shlex
import signal
import subprocess

from expectations import expect, expect_equal
from harness import lab, main, record, scenario, start, start_record, wait_for
from traces import BUILD, blob, call
from truth import compare


@scenario("fork, exec and exit: parents, paths, arguments, names, statuses")
def births_and_ends(directory):
    script = (
        f"{shlex.join(lab('exitcodes', 7))}; {shlex.join(lab('exitcodes', 'signal', 9))}; " "exit 3"
    )
    result = record(directory, ["sh", "-c", script], status=3)
    trace = result.trace
    shell = trace.pid_of("sh")
    runs = trace.of("process", event="exec", path=lab("exitcodes")[0])
    expect_equal([line["args"][1:] for line in runs], [["7"], ["signal", "9"]], "the arguments")
    ends = {line["pid"]: line for line in trace.of("process", event="exit", last=True)}
    expect_equal([ends[line["pid"]].get("exit_code") for line in runs], [7, None], "exit statuses")
    expect_equal(
        [ends[line["pid"]].get("signal") for line in runs], [None, "SIGKILL"], "and signals"
    )
    expect_equal(ends[shell]["exit_code"], 3, "the shell's status")
    forks = {line["pid"]: line["ppid"] for line in trace.of("process", event="fork")}
    expect_equal({forks[line["pid"]] for line in runs}, {shell}, "the shell is their parent")
    expect_equal({blob(line["comm"]) for line in runs}, {b"exitcodes"}, "their name")
    died = next(t for t in result.truth if t["do"] == "dies")
    expect_equal(runs[1]["pid"], died["pid"], "the process that died is the one that says so")


@scenario("arguments of any bytes, and more of them than fit")
def arguments(directory):
    odd = [b"\x1b[31m", b"\xff\xfe", b"", b'quote"\\', "Grüße".encode()]
    result = record(directory, ["true", *odd])
    line = result.trace.of("process", event="exec")[-1]
    expect_equal([blob(a) for a in line["args"]], [b"true", *odd], "the arguments")
    many = ["true"] + [f"argument {i}" for i in range(5000)]
    os.mkdir(os.path.join(directory, "many"))
    line = record(os.path.join(directory, "many"), many).trace.of("process", event="exec")[-1]
    expect(line["args_cut"], "it says that arguments are missing")
    got = [blob(a).decode() for a in line["args"]]
    expect(
        got[:2] == many[:2] and many[len(got) - 1].startswith(got[-1]),
        "the first ones are there",
        got,
    )


@scenario("descriptors: what each command of a pipeline holds after exec")
def descriptors(directory):
    result = record(directory, lab("connect", "ls", "wc"))
    trace = result.trace
    pipe = result.messages("--from", "ls", "--to", "wc")[0]["channel"]
    for comm, wanted in (("ls", {1: "write"}), ("wc", {0: "read"})):
        line = [
            line
            for line in trace.of("descriptors", event="exec", pid=trace.pid_of(comm))
            if any(fd["channel"] == pipe for fd in line["fds"])
        ][-1]
        ends = {fd["fd"]: fd["access"] for fd in line["fds"] if fd["channel"] == pipe}
        expect_equal(ends, wanted, f"{comm}'s ends of the pipe")


def held(directory, result):
    """What the viewer's model says of the pipes that each process of a trace held."""
    tool = os.path.join(BUILD, "tools", "holdings")
    lines = call([tool, os.path.join(directory, "trace.ndjson")]).stdout.splitlines()
    return [h for h in map(json.loads, lines) if h["mechanism"] == "pipe" and h["fd"] < 64]


def check_tables(directory, how):
    """At each moment that the workload logged, the model knows what the kernel said."""
    result = record(directory, lab("tables", how))
    known = held(directory, result)
    check_held(known, result.truth)
    return result


def check_held(known, truth):
    logged = [t for t in truth if t["do"] == "holds"]
    expect(len(logged) > 1, "the workload logged what it held", logged)
    for line in logged:
        wanted = line.get("text", "").split() + held_apart(truth, line)
        got = sorted(
            f"{h['fd']}:{h['inode']}:{h['access']}"
            for h in known
            if h["pid"] == line["pid"] and h["since_ns"] <= line["at_ns"] < h["until_ns"]
        )
        expect_equal(got, sorted(wanted), f"what {line['pid']} holds")


def held_apart(truth, line):
    """What a thread holds beside its process, in a copy of the table that changes no more."""
    held_by_thread = []
    for other in truth:
        if other["at_ns"] > line["at_ns"]:
            break
        if other["do"] == "apart":
            held_by_thread = other["text"].split()
        elif other["do"] == "apart-ended":
            held_by_thread = []
    return held_by_thread


@scenario("a shared table: a close in one is a close in all, until unshare")
def table_unshared(directory):
    check_tables(directory, "unshare")


@scenario("a thread that makes the table its own: its process's stays as it is")
def table_of_thread(directory):
    result = check_tables(directory, "thread")
    call = result.trace.one("operation", syscall="unshare")
    expect(call["tid"] != call["pid"], "a thread did it, and the trace tells which", call)
    left = result.trace.one("descriptors", event="exit", tid=call["tid"])
    expect_equal(left["pid"], call["pid"], "what it held for itself went with it")
    compare(result, "pipe")


@scenario("a thread with a table of its own from birth, clone without CLONE_FILES: who holds what")
def table_of_clone(directory):
    result = check_tables(directory, "clone")
    trace = result.trace
    births = [f for f in trace.of("process", event="fork") if f["tid"] != f["pid"]]
    expect_equal(["shares_fds" in f for f in births], [False, False], "the trace tells")
    compare(result, "pipe")
    kept = [op for op in trace.operations(syscall="read") if op.get("error") == "EAGAIN"]
    (last,) = [op for op in trace.operations(syscall="read") if op["returned"] == 0]
    expect_equal([op["channel"] for op in kept], [last["channel"]], "it has no end at first")
    gone = trace.one("process", event="exit", tid=births[1]["tid"])
    expect(kept[0]["exit_ns"] < gone["at_ns"] < last["exit_ns"], "but when the thread is gone")
    (row,) = [row for row in result.view(columns=160).splitlines() if " EOF " in row]
    expect("closed the last writing end, by its exit" in row, "which the picture tells", row)


@scenario("-p on a process with such a thread: each table by its own lines")
def table_found(directory):
    place = os.path.join(directory, "attached")
    os.mkdir(place)
    rests = start(directory, lab("tables", "rest"))
    try:
        ready = os.path.join(directory, "stdout")
        wait_for(lambda: os.path.getsize(ready) > 0, "both threads to rest")
        attached = start_record(place, None, "--timeout", 1, "-p", rests.process.pid).wait()
    finally:
        rests.process.kill()
        rests.process.wait()
    logged = [t["text"].split() for t in rests.truth if t["do"] in ("apart", "holds")][-2:]
    apart = [line for line in attached.trace.of("descriptors", event="snapshot") if "tid" in line]
    expect_equal(len(apart), 1, "the thread's table has a line of its own")
    known = [f"{h['fd']}:{h['inode']}:{h['access']}" for h in held(place, attached)]
    expect_equal(sorted(known), sorted(logged[0] + logged[1]), "what both hold")


@scenario("-p on two processes with one table: what one closes, the other has no more")
def table_shared(directory):
    place = os.path.join(directory, "attached")
    os.mkdir(place)
    shares = start(directory, lab("tables", "shared"))
    wait_for(lambda: [t for t in shares.truth if t["do"] == "shares"], "two processes to rest")
    (child,) = [t["to"] for t in shares.truth if t["do"] == "shares"]
    tracer = start_record(place, None, "-p", shares.process.pid, "-p", child)
    wait_for(lambda: b"ipclens:" in tracer.stderr, "tracing")
    os.kill(child, signal.SIGUSR1)
    expect_equal((shares.wait().status, tracer.wait().status), (0, 0), "both end well")
    lines = tracer.trace.of("descriptors", event="snapshot")
    expect_equal(len({line["table"] for line in lines}), 1, "one table")
    closed = [t for t in shares.truth if t["do"] == "holds"][-2:]
    expect_equal({t["pid"] for t in closed}, {child, shares.process.pid}, "logged by both")
    check_held(held(place, tracer), closed)


@scenario("close_range in a table that it makes its own first")
def table_range(directory):
    check_tables(directory, "range")


@scenario("descriptors marked in a range, by dup3, and what exec leaves of them")
def table_exec(directory):
    check_tables(directory, "exec")


@scenario("pidfd_getfd: a descriptor out of another process")
def table_fetch(directory):
    result = check_tables(directory, "fetch")
    message = compare(result, "pipe")[0]
    fetched = result.trace.one("operation", syscall="pidfd_getfd")
    expect_equal(
        [(fd["fd"], fd["channel"]) for fd in fetched["new_fds"]],
        [(next(t for t in result.truth if t["do"] == "fetched")["result"], message["channel"])],
        "the descriptor that it made is the pipe's",
    )


@scenario("only the command's tree is traced, and never the tracer")
def only_the_tree(directory):
    with open(os.devnull, "wb") as null:
        stranger = subprocess.Popen(
            ["sh", "-c", "while :; do echo a | cat; done"], stdout=null, start_new_session=True
        )
    try:
        result = record(directory, lab("fifo"))
    finally:
        os.killpg(stranger.pid, signal.SIGKILL)
        stranger.wait()
    trace = result.trace
    tree = {t["pid"] for t in result.truth}
    seen = {line["pid"] for line in trace.lines if line["type"] in ("operation", "process")}
    expect_equal(seen, tree, "the processes in the trace")
    expect(trace.lines[0]["tracer"] not in seen, "the tracer is not in its trace")


@scenario("a process that outlives the command's first process is traced to its end")
def outlives(directory):
    folder = os.path.join(directory, "out")
    script = f"(read -r line; echo $line >{shlex.quote(folder)}) </dev/null & exec {shlex.join(lab('fifo'))}"
    result = record(directory, ["sh", "-c", script])
    ends = {line["pid"] for line in result.trace.of("process", event="exit", last=True)}
    births = {
        line["pid"]
        for line in result.trace.of("process", event="fork")
        if line["pid"] == line["tid"]
    }
    expect(births <= ends, "every process that was born in the trace ends in it", births, ends)


if __name__ == "__main__":
    main()
