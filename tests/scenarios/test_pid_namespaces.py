#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""In a PID namespace a process has two numbers: the trace and what is told of it have both."""
import fcntl
import json
import os
import re
import subprocess

from expectations import expect, expect_equal, expect_in
from harness import main, needs, record, scenario, wait_for
from joining import attach, ends
from pages import browse, core_of
from traces import IPCLENS, call, stats_text, view

# It logs the numbers that it is told there: its own, and its child's, which it ends by kill(2).
INSIDE = """
import os, signal, sys
ready, tell = os.pipe()
child = os.fork()
if not child:
    os.write(tell, b"x")
    signal.pause()
os.read(ready, 1)
os.kill(child, signal.SIGTERM)
os.waitpid(child, 0)
with open(sys.argv[1], "w") as log:
    log.write(f"{os.getpid()} {child}")
"""

# It logs its own number, and lives until its input ends.
WAITS = """
import os, sys
with open(sys.argv[1] + ".new", "w") as log:
    log.write(str(os.getpid()))
os.rename(sys.argv[1] + ".new", sys.argv[1])
sys.stdin.read()
"""


def unshared(program, log):
    return ["unshare", "--pid", "--fork", "--mount-proc", "/usr/bin/python3", "-c", program, log]


def logged(log):
    with open(log, encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


def names_both(text, pid, number, what):
    expect(re.search(rf"\b{pid} ns:{number}\b", text), f"{what} has {pid} ns:{number}", text)


@scenario("pid namespaces: each process of one has both its numbers, in pictures, findings and stats")
def made_there(directory):
    needs("unshare")
    log = os.path.join(directory, "log")
    run = record(directory, unshared(INSIDE, log))
    own, child = logged(log)
    lines = [line for line in run.trace.of("process", event="fork") if "ns_pid" in line]
    pids = {line["ns_pid"]: line["pid"] for line in lines}
    expect_equal(sorted(pids), sorted((own, child)), "the numbers there")
    made = {line["ppid"]: line["pid"] for line in lines}
    expect_equal(made.get(pids[own]), pids[child], "who made the other one")
    path = run.trace_path
    found = call([IPCLENS, "diagnose", path]).stdout.decode()
    expect_in(f"sent by python3[{pids[own]} ns:{own}]", found, "who ended it")
    for number, pid in ((own, pids[own]), (child, pids[child])):
        for text, what in (
            (view(path, "--width", "140"), "the picture"),
            (view(path, "--width", "80"), "the narrow picture"),
            (view(path, "--as", "mermaid").replace("#58;", ":"), "the diagram"),
            (stats_text(path), "stats"),
        ):
            names_both(text, pid, number, what)
    names_both(found, pids[child], child, "the finding")
    expect_in("getpid()", view(path), "what the second number is")
    check_focus(path, child, pids[child])
    check_data(directory, path, {pid: number for number, pid in pids.items()})


def check_focus(path, number, pid):
    """The number there is enough, if no process of the trace has it on the machine."""
    text = view(path, "--width", "140", "--focus", str(number), "--depth", "0")
    names_both(text, pid, number, "the focus")


def check_data(directory, path, numbers):
    """Page, trace events and captures give the names that the pictures give."""
    words = {pid: f"{pid} ns:{number}" for pid, number in numbers.items()}
    page = os.path.join(directory, "page.html")
    view(path, "-o", page)
    with open(page, encoding="utf-8") as file:
        lanes = core_of(file.read())["lanes"]
    heads = {lane[1]: lane[11] for lane in lanes}
    expect_equal({pid: heads[pid] for pid in words}, words, "the page's heads")
    expect_equal([head for pid, head in heads.items() if pid not in words and " " in head], [],
                 "heads of others with two numbers")
    pid = max(words)
    browse(page, "numbers", pid=pid, number=words[pid])
    events = json.loads(view(path, "--as", "trace-event"))["traceEvents"]
    named = {e["pid"]: e["args"]["name"] for e in events if e["name"] == "process_name"}
    titles = {lane[1]: lane[0] for lane in lanes}
    for pid, word in words.items():
        expect_equal(named[pid], f"{titles[pid]} [{word}]", "the name in trace events")
    others = {pid: name for pid, name in named.items() if pid not in words and pid in titles}
    expect_equal(others, {pid: titles[pid] for pid in others}, "who has one number has a bare name")
    capture = os.path.join(directory, "capture.pcapng")
    view(path, "-o", capture)
    with open(capture, "rb") as file:
        blocks = file.read()
    for pid, number in numbers.items():
        host = f"{titles[pid]}.{pid}-ns-{number}\0".encode()
        expect(host in blocks, "the capture's name of the host", host)
        comment = f"{titles[pid]} [{pid} ns:{number}]".encode()
        expect(comment in blocks, "the comment of a packet", comment)


@scenario("pid namespaces: a process that was there already has both when it is joined from outside")
def joined(directory):
    needs("unshare")
    log = os.path.join(directory, "log")
    with subprocess.Popen(unshared(WAITS, log), stdin=subprocess.PIPE) as outer:
        try:
            wait_for(lambda: os.path.exists(log), "the process inside")
            with open(f"/proc/{outer.pid}/task/{outer.pid}/children", encoding="ascii") as file:
                pid = int(file.read())
            run = attach(directory, "-p", pid)
        finally:
            outer.stdin.close()
        trace = ends(run)
    line = trace.one("process", event="snapshot", pid=pid)
    expect_equal([line.get("ns_pid")], logged(log), "its number there")
    names_both(view(run.trace_path), pid, line["ns_pid"], "the picture")


@scenario("pid namespaces: who is in the machine's own has one number")
def in_none(directory):
    log = os.path.join(directory, "log")
    run = record(directory, ["sh", "-c", f"echo $$ >{log}; sleep 0; :"])
    line = run.trace.one("process", event="exec", comm="sh")
    expect_equal([line.get("ns_pid", line["pid"])], logged(log), "what it is told")
    expect_equal("ns_pid" in line, line["pid"] != logged(log)[0], "another number in the trace")
    expect_equal(" ns:" in view(run.trace_path), "ns_pid" in line, "another number in the picture")


# In the namespace somebody holds a lock, or only another one on the same file, and somebody waits.
# It asks -p about the latter until that is told of, and tells who is who, as they count there; or
# it is a command that waits, of `run`.
LOCKS = """
import fcntl, json, os, subprocess, sys, time
kind, name, ipclens, *command = sys.argv[1:]
HELD = {
    "flock": ["flock", name, "-c", "echo; sleep 60"],
    "shell": ["bash", "-c", "exec 9<>$0; flock 9; echo; exec sleep 60", name],
    "fcntl": [sys.executable, "-c", "import fcntl, sys, time; f = open(sys.argv[1], 'r+');"
              "fcntl.lockf(f, fcntl.LOCK_EX); print(flush=True); time.sleep(60)", name],
}
HELD["outside"] = HELD["fcntl"]
WAITS = ["flock", name, "true"]
if kind == "fcntl":
    WAITS = [sys.executable, "-c", "import fcntl, sys; f = open(sys.argv[1], 'r+');"
             "fcntl.lockf(f, fcntl.LOCK_EX)", name]
holder = subprocess.Popen(HELD[kind], stdout=subprocess.PIPE)
holder.stdout.readline()
if command:
    subprocess.run([*command, *WAITS])
    print(json.dumps({"holder": holder.pid}))
    sys.exit()
waiter = subprocess.Popen(WAITS)
for _ in range(100):
    words = [ipclens, "diagnose", "--json", "--lang", "en", "-p", str(waiter.pid)]
    lines = subprocess.run(words, stdout=subprocess.PIPE).stdout.splitlines()
    found = [line for line in map(json.loads, lines) if line["type"] == "finding"]
    if found:
        break
    time.sleep(0.1)
print(json.dumps({"holder": holder.pid, "waiter": waiter.pid, "found": found}))
"""


def inside(directory, kind, *command):
    """What LOCKS tells of a lock of this kind, and on which file."""
    name = os.path.join(directory, f"lock-{kind}")
    with open(name, "w", encoding="ascii"):
        pass
    words = ["/usr/bin/python3", "-c", LOCKS, kind, name, IPCLENS, *command]
    with open(name, "r+", encoding="ascii") as file:
        if kind == "outside":
            fcntl.flock(file, fcntl.LOCK_EX)
        result = subprocess.run(
            ["unshare", "--pid", "--fork", "--mount-proc", *words],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True,
        )  # fmt: skip
    return json.loads(result.stdout.splitlines()[-1]), result.stderr.decode()


def said(finding):
    return "\n".join([finding["text"], *finding["evidence"]])


@scenario("pid namespaces: with a /proc of its own, -p and run name there who has the lock on a file")
def locked(directory):
    needs("unshare", "flock")
    for kind in ("flock", "shell", "fcntl"):
        told, _ = inside(directory, kind)
        (found,) = told["found"]
        expect_in(f" ns:{told['holder']}] has it locked", said(found), f"{kind}: the holder")
        expect_in(f" ns:{told['waiter']}] still waits", found["text"], f"{kind}: who waits")
    place = os.path.join(directory, "run")
    os.mkdir(place)
    trace = os.path.join(place, "trace.ndjson")
    told, text = inside(
        place, "flock", IPCLENS, "run", "--timeout", "2", "--diagnose-only", "--lang", "en",
        "--trace", trace, "--",
    )  # fmt: skip
    expect_in(f" ns:{told['holder']}] has it locked", text, "run says who has it")
    again = call([IPCLENS, "diagnose", "--lang", "en", trace]).stdout.decode()
    expect_in(f" ns:{told['holder']}] has it locked", again, "and so does its trace")


@scenario("pid namespaces: nobody there is accused of a lock that is held outside")
def locked_outside(directory):
    needs("unshare", "flock")
    told, _ = inside(directory, "outside")
    (found,) = told["found"]
    expect_in(f" ns:{told['waiter']}] still waits", found["text"], "who waits")
    expect(f"ns:{told['holder']}]" not in said(found), "who has another lock has not this one", found)


if __name__ == "__main__":
    main()
