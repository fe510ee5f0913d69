#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Pictures of real programs: whose lanes are shown, what they are called, and where they stand."""
import os
import re
import shutil

from expectations import expect, expect_equal, expect_in
from findings import diagnose
from harness import main, record, scenario
from traces import IPCLENS, call, view

# As a version manager's shim: many short shells, then the program of that name.
SHIM = """#!/bin/bash
for i in {1..13}; do
    v=$(echo "$i" | cat)
done
PATH=/usr/bin:/bin exec bash -c 'x=$(uname); exec /usr/bin/python3 "$@"' bash "$@"
"""

# It writes all before it reads, as cat does not: neither goes on. It tells who they are.
COPY = """
import os, subprocess, sys
cat = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
with open(sys.argv[1], "w") as log:
    log.write(f"{os.getpid()} {cat.pid}\\n")
cat.stdin.write(b"x" * 1000000)
cat.stdin.flush()
"""

TIME = 8  # seconds: the shells need less, even where much else runs
BOX = re.compile(r"│ (?P<name>[^│]*?) (?P<pid>\d+) │")


def write_file(directory, name, text, mode=0o644):
    path = os.path.join(directory, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)
    return path


def deadlocked(directory):
    """The trace of a deadlock behind the shim, and the pids of python3 and of its cat."""
    os.mkdir(os.path.join(directory, "shim"))
    shim = write_file(directory, "shim/python3", SHIM, 0o755)
    log = os.path.join(directory, "log")
    run = record(directory, [shim, "-c", COPY, log], "--timeout", TIME, status=124, whole=False)
    with open(log, encoding="ascii") as file:
        return run, [int(word) for word in file.read().split()]


def boxes(text):
    """The names of lanes by pid, of boxes with both on one line."""
    return {int(m["pid"]): m["name"] for m in BOX.finditer(text)}


def check_focus(directory, run, python, cat):
    text = view(run.trace_path, "--width", "140", "--focus", "deadlock", "--depth", "0")
    expect_equal(set(boxes(text)), {python, cat}, "the deadlock's lanes")
    text = view(run.trace_path, "--width", "140", "--focus", str(cat))
    expect_equal(set(boxes(text)), {python, cat}, "cat, and whom it talks with")
    for ending, pattern in (
        ("svg", r'class="h"[^>]*>[^<]*\[(\d+)\]</text>'),
        ("mmd", r"participant .*\[(\d+)\]"),
        ("puml", r'participant ".*\[(\d+)\]"'),
    ):
        path = os.path.join(directory, "focus." + ending)
        view(run.trace_path, "--focus", "deadlock", "--depth", "0", "-o", path)
        with open(path, encoding="utf-8") as file:
            pids = {int(pid) for pid in re.findall(pattern, file.read())}
        expect_equal(pids, {python, cat}, ending)
    result = call([IPCLENS, "view", run.trace_path, "--focus", "nobody"], check=False)
    expect_equal(result.returncode, 1, "a focus on nobody")
    expect_in(b"no process and no finding 'nobody'", result.stderr, "why")


@scenario("lanes: both sides of a deadlock behind a shim of forty shells are in the picture")
def deadlock_behind_a_shim(directory):
    run, (python, cat) = deadlocked(directory)
    lives = len({f["pid"] for f in run.trace.of("process", event="fork")})
    expect(lives >= 40, f"the shim made {lives} processes")
    for width in ("80", "100", "140"):
        text = view(run.trace_path, "--width", width)
        found = boxes(text)
        expect_equal(
            (found.get(python), found.get(cat, "").split()[0]),
            ("python3", "cat"),
            f"their lanes at {width} columns",
        )
        for wait in (f"reader cat[{cat}]", f"reader python3[{python}]"):
            expect_in(wait, " ".join(re.sub("[│░]", " ", text).split()), "who waits for whom")
        expect("python3 (bash)" not in found.values(), f"the shells at {width} columns", text)
        expect_in("short lives", text, "one row stands for them")
    shells = [name for pid, name in boxes(view(run.trace_path, "--width", "140", "--unfold")).items()
              if name.startswith("python3") and pid != python]
    expect(shells and all(name == "python3 (bash)" for name in shells), f"the shells: {shells}")
    check_folded(run, lives + 1)  # the command itself was not forked by anybody in the trace
    check_focus(directory, run, python, cat)
    check_findings(run, python, cat)


def check_folded(run, lives):
    """Of all processes, as the trace has them, those without a lane are in the rows of lives."""
    text = view(run.trace_path, "--width", "140")
    count = sum(int(n) for n in re.findall(r"\+ (\d+) short lives", text))
    shown = len(boxes(text))
    expect_equal(count + shown, lives, f"{count} in rows of lives, {shown} with a lane")
    expect_in(f"· {lives} processes ·", text, "the caption counts all")
    expect(lives - count <= 4, f"only {count} of {lives} are folded")


def check_findings(run, python, cat):
    """Those about one process; the others are counted."""
    every, summary = diagnose(run.trace_path)
    expect_equal(summary["left_out"], 0, "without a focus")
    found, summary = diagnose(run.trace_path, "--focus", str(cat), "--depth", "0")
    expect_equal(len(found) + summary["left_out"], len(every), "findings, and those left out")
    for finding in found:
        expect(set(finding["processes"]) <= {cat}, f"it is about cat alone: {finding}")
    found, summary = diagnose(run.trace_path, "--focus", str(cat))
    expect_equal(len(found) + summary["left_out"], len(every), "findings, and those left out")
    expect_in("deadlock", [finding["id"] for finding in found], "what cat is part of")
    for finding in found:
        expect_in(cat, finding["processes"], "who it is about")
    shell = next(f["pid"] for f in run.trace.of("process", event="fork")
                 if f["pid"] not in (python, cat))
    found, summary = diagnose(run.trace_path, "--focus", str(shell))
    expect_equal("deadlock" in [finding["id"] for finding in found], False, "a shell")
    text = call([IPCLENS, "diagnose", run.trace_path, "--focus", str(shell)]).stdout.decode()
    expect_in(f"{summary['left_out']} finding", text, "how many are left out")
    expect("nothing found" not in text, "of others nothing is said", text)
    result = call([IPCLENS, "diagnose", run.trace_path, "--focus", "nobody"], check=False)
    expect_equal(result.returncode, 2, "a focus on nobody")


def columns(text):
    """By pid, the column where its lifeline leaves its box."""
    found = {}
    lines = text.splitlines()
    for number, line in enumerate(lines):
        for match in BOX.finditer(line):
            below = lines[number + 1][match.start():match.end()]
            if "┬" in below:
                found[int(match["pid"])] = match.start() + below.index("┬")
    return found


@scenario("lanes: compilers that run one after the other have one column, and their own names")
def one_after_the_other(directory):
    for name in "abc":
        write_file(directory, f"{name}.c", f"int {name}(void) {{ return 0; }}\n")
    script = "for i in a b c; do gcc -c -o $i.o $i.c || exit; done; echo done"
    result = record(directory, ["sh", "-c", script], cwd=directory)
    execs = {e["pid"]: e for e in result.trace.of("process", event="exec")}
    drivers = {pid: e["args"][-1] for pid, e in execs.items() if e["comm"] == "gcc"}
    expect_equal(sorted(drivers.values()), ["a.c", "b.c", "c.c"], "what gcc was given")
    text = view(result.trace_path, "--width", "140")
    names, places = boxes(text), columns(text)
    expect_equal({pid: names[pid] for pid in drivers},
                 {pid: f"gcc {source}" for pid, source in drivers.items()}, "their names")
    expect_equal(len({places[pid] for pid in drivers}), 1, f"one column for gcc: {places}")
    helpers = [pid for pid, e in execs.items() if e["comm"] in ("cc1", "as")]
    beside = len({places[pid] for pid in helpers})
    expect_equal((len(helpers), beside), (6, 1), "one for its helpers")
    expect("more" not in text.split("\n\n", maxsplit=1)[0], "all have room")
    check_languages(directory, result, len(drivers) + len(helpers))


def check_languages(directory, result, lives):
    """Mermaid and PlantUML make and end each participant at the arrows of its fork and its end."""
    for ending, made, ended in (
        (
            "mmd",
            r"create participant (P\d+) .*\n    P\d+-\)\1: fork",
            r"destroy (P\d+)\n    \1--\)",
        ),
        (
            "puml",
            r"create (P\d+)\nP\d+ -\S+ \1 : fork",
            r"\n(P\d+) -\S+ P\d+ : SIGCHLD\ndestroy \1",
        ),
    ):
        path = os.path.join(directory, "lives." + ending)
        view(result.trace_path, "-o", path)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        found = (len(re.findall(made, text)), len(re.findall(ended, text)))
        expect_equal(found, (lives, lives), path)


@scenario("lanes: a shell that ends as rm is a shell")
def ends_as_rm(directory):
    write_file(directory, "junk", "x")
    log = os.path.join(directory, "pid")
    script = "echo $$ > pid; echo a | cat >/dev/null; exec rm junk"
    result = record(directory, [shutil.which("env"), "bash", "-c", script], cwd=directory)
    with open(log, encoding="ascii") as file:
        pid = int(file.read())
    last = [e["comm"] for e in result.trace.of("process", event="exec") if e["pid"] == pid][-1]
    expect_equal(last, "rm", "the last program")
    text = view(result.trace_path, "--width", "140")
    expect_equal(boxes(text)[pid], "bash", "the lane's name")
    expect_in("◆ exec rm", text, "the exec is a mark on it")


if __name__ == "__main__":
    main()
