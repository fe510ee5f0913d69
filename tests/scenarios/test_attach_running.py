#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Joining processes that run already: -p, --children, --comm, --cgroup, -a."""
import json
import os
import re
import signal
import subprocess

from expectations import expect, expect_equal, expect_in, expect_row
from findings import diagnose
from harness import gone, lab, main, scenario, start, wait_for
from joining import attach, ends, folder
from traces import ipclens, one_error

# Mode of tests/labs/waits.c: the call it sleeps in, the channel's mechanism.
WAITS = (
    ("read", "read", "pipe"),
    ("write", "write", "pipe"),
    ("accept", "accept", "unix-stream"),
    ("msgrcv", "msgrcv", "sysv-msg"),
    ("semop", "semtimedop", "sysv-sem"),
    ("mq", "mq_timedreceive", "posix-mq"),
)


class Waiting:
    """tests/labs/waits asleep in its call, ready to be joined."""

    def __init__(self, directory, *arguments):
        self.run = start(folder(directory, "lab"), lab("waits", *arguments))
        wait_for(lambda: self.run.truth, "the lab to sleep")
        self.child = self.run.truth[0]["to"]
        self.parent = self.run.process.pid

    def release(self):
        os.kill(self.parent, signal.SIGUSR1)
        self.run.wait()
        expect_equal(self.run.status, 0, f"the lab ends well: {self.run.stderr!r}")

    def truth(self, action):
        return [line for line in self.run.truth if line["do"] == action]


def interrupt(run):
    run.process.send_signal(signal.SIGINT)
    return ends(run, "interrupted")


def check_begin(trace, tid, call, mechanism):
    """The begin line of the call that it slept in, and the operation's end with the same id."""
    begin = trace.one("operation", tid=tid, state="begin", entered_before=True)
    expect_equal(begin["syscall"], call, "the call it sleeps in")
    channel = trace.channel(begin["channel"])
    expect_equal(channel["mechanism"], mechanism, "what it sleeps on")
    done = trace.operation(begin["id"])
    expect_equal(
        (done["tid"], done["channel"], done.get("entered_before")),
        (tid, begin["channel"], True),
        "the operation completes under the same number",
    )
    expect(done["returned"] >= 0, "and well", done)
    return done


def attach_each(directory, thread):
    for mode, call, mechanism in WAITS:
        place = folder(directory, mode)
        waiting = Waiting(place, mode, *thread)
        run = attach(place, "-p", waiting.child)
        waiting.release()
        trace = ends(run)
        tids = {t["tid"] for t in waiting.run.truth if t["pid"] == waiting.child}
        expect_equal(len(tids), 1, f"one thread of the lab worked: {waiting.run.truth}")
        done = check_begin(trace, tids.pop(), call, mechanism)
        if done["role"] == "receive":
            expect_equal(done["payload"], "woken at last", "what it received")
        if mode == "semop":
            expect("sems" not in done, "how it waits cannot be known, and is not invented", done)
        expect_equal(
            {line["pid"] for line in trace.of("process")}, {waiting.child}, "nobody else is traced"
        )


@scenario("-p on a process asleep in each blocking call: the begin line, and its end")
def asleep(directory):
    attach_each(directory, [])


@scenario("-p takes all threads: the one asleep is not the first")
def asleep_thread(directory):
    attach_each(directory, ["thread"])


@scenario("-p twice: both ends of a pipe, what came in before is not called anybody's")
def both_ends(directory):
    waiting = Waiting(directory, "read")
    run = attach(directory, "-p", waiting.child, "-p", waiting.parent)
    waiting.release()
    trace = ends(run)
    found = [m for m in run.messages().of("pipe") if m["to"]]
    expect_equal(
        [(m["from"]["pid"], m["to"]["pid"], m["bytes"], m["match"]) for m in found],
        [(waiting.parent, waiting.child, len("woken at last"), "exact")],
        "the message",
    )
    picture = run.view()
    expect_row(picture, "pipe", "woken at last")
    expect_equal(
        {line["pid"] for line in trace.of("process", event="snapshot")},
        {waiting.parent, waiting.child},
        "who was there",
    )


def text_of(path):
    with open(path, encoding="ascii") as file:
        return file.read()


def order_of(trace, syscall, operation):
    """Which of its process's calls of that name it was, from 0."""
    calls = [op["id"] for op in trace.operations(syscall=syscall) if "channel" in op]
    return calls.index(operation)


@scenario("what lay in a channel before tracing began is nobody's: what is exact is right")
def left_over(directory):
    script = (
        "import os, signal, socket, sys\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])\n"
        "if sys.argv[1] == 'pipe': b, a = os.pipe()\n"
        "else: a, b = (s.detach() for s in socket.socketpair())\n"
        "os.write(a, b'equal!')\n"
        "signal.sigwait([signal.SIGUSR1])\n"
        "os.write(a, b'equal!'); os.write(a, b'equal!')\n"
        "if os.fork() == 0: print(os.read(b, 6), os.read(b, 6))\n"
        "else: os.wait()\n"
    )
    for kind in ("pipe", "socket"):
        place = folder(directory, kind)
        with subprocess.Popen(["/usr/bin/python3", "-c", script, kind], stdout=subprocess.PIPE) as one:
            status = f"/proc/{one.pid}/wchan"
            wait_for(lambda path=status: "sigtimedwait" in text_of(path), "its sleep")
            run = attach(place, "-p", one.pid)
            one.send_signal(signal.SIGUSR1)
            expect_equal(one.stdout.read(), b"b'equal!' b'equal!'\n", "what it read")
        ends(run)
        found = [m for m in run.messages() if m["mechanism"] != "signal" and m["received"]]
        expect(found, "it received")
        for message in found:
            if message["sent"] and message["match"] == "exact":
                expect_equal(
                    order_of(run.trace, "read", message["received"]["op"]),
                    order_of(run.trace, "write", message["sent"]["op"]) + 1,
                    f"the first read of the {kind} took what lay there before",
                )


@scenario("a snapshot of processes and descriptors at the beginning, and again at the end")
def snapshots(directory):
    waiting = Waiting(directory, "read")
    run = attach(directory, "-p", waiting.child)
    trace = interrupt(run)
    waiting.release()
    shot = trace.one("process", event="snapshot")
    expect_equal((shot["pid"], shot["ppid"]), (waiting.child, waiting.parent), "who was there")
    expect_equal(shot["args"], lab("waits", "read"), "what it executes")
    held = [
        [(fd["fd"], fd["channel"], fd["access"]) for fd in line["fds"]]
        for line in trace.of("descriptors", event="snapshot")
    ]
    expect_equal(len(held), 2, "one look at the beginning, one at the end")
    expect_equal(held[0], held[1], "it held the same")
    expect_equal({access for _, _, access in held[0]}, {"read", "write"}, "both ends of its pipe")
    begin = trace.one("operation", state="begin")
    pending = trace.one("operation", state="pending")
    expect_equal(begin["id"], pending["id"], "still asleep at the end")
    expect_row(run.view(), "waits")


@scenario("-p lists the memory that a process shares already")
def mapped(directory):
    memory = start(folder(directory, "lab"), lab("mapped", os.path.join(directory, "file")))
    wait_for(lambda: memory.truth, "the lab to share its memory")
    run = attach(directory, "-p", memory.process.pid)
    memory.process.send_signal(signal.SIGUSR1)
    trace = ends(run)
    memory.wait()
    found = {
        (trace.channel(line["channel"])["mechanism"], line["address"], line["length"]): line
        for line in trace.of("mapping")
    }
    logged = [line for line in memory.truth if line["do"] == "mapped"]
    expect_equal(len(logged), 4, "a file, a memfd, anonymous memory, a segment")
    for line in logged:
        key = (line["mechanism"], line["result"], line["bytes"])
        mapping = found.pop(key, None)
        expect(mapping, f"the {line['channel']} is listed", found)
        access = "both" if line.get("value") else "read"
        expect_equal(
            (mapping["pid"], mapping["access"]), (memory.process.pid, access), line["channel"]
        )
    expect_equal(found, {}, "and nothing else")


@scenario("Ctrl-C ends an attached trace whole, status 0, and leaves the program alone")
def ctrl_c(directory):
    waiting = Waiting(directory, "msgrcv")
    run = attach(directory, "-p", waiting.child)
    interrupt(run)
    expect_in("interrupted", json.dumps(run.trace.trailer()), "why it ended")
    waiting.release()


@scenario("who waits while somebody looks for a while is told as a note, not as a fault")
def visited(directory):
    waiting = Waiting(directory, "read")
    tracer = attach(directory, "-p", waiting.child, "--timeout", 1)
    tracer.wait()
    found, summary = diagnose(tracer.trace_path)
    expect_equal([f["id"] for f in found], ["blocked"], "what it waits for")
    expect_equal((summary["errors"], summary["warnings"]), (0, 0), "and no fault")
    waiting.release()


@scenario("--children: descendants that are there already, and those to come")
def children(directory):
    script = "sleep 1000 & (sleep 1000; true) & read line; echo $line | wc -c"
    fifo = os.path.join(directory, "fifo")
    os.mkfifo(fifo)
    with open(fifo, "r+b", buffering=0) as stdin:
        with subprocess.Popen(["bash", "-c", script], stdin=stdin, stdout=subprocess.DEVNULL) as shell:
            wait_for(lambda: len(offspring(shell.pid)) == 3, "its children")
            there = offspring(shell.pid)
            run = attach(directory, "-p", shell.pid, "--children")
            os.kill(next(p for p in there if name_of(p) == "sleep"), signal.SIGTERM)
            stdin.write(b"hello\n")
            shell.wait()
            for pid in there:
                if not gone(pid):
                    os.kill(pid, signal.SIGTERM)
            trace = ends(run)
    shot = {line["pid"] for line in trace.of("process", event="snapshot")}
    expect_equal(shot, set(there) | {shell.pid}, "who was there")
    expect_equal(len(trace.of("process", event="exec")), 1, "wc came later")
    expect_equal(
        [m["bytes"] for m in run.messages().delivered("pipe")], [6], "what was said to wc"
    )


def offspring(pid):
    found, todo = [], [pid]
    while todo:
        with open(f"/proc/{todo[0]}/task/{todo[0]}/children", encoding="ascii") as file:
            pids = list(map(int, file.read().split()))
        found += pids
        todo = todo[1:] + pids
    return found


def name_of(pid):
    with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
        return file.read().strip()


@scenario("processes that fork while they are joined: none is missed")
def forks(directory):
    script = (
        "import os, signal\n"
        "left = [-1]\n"
        "def soon(*_): left[0] = 200\n"
        "signal.signal(signal.SIGUSR1, soon)\n"
        "while left[0]:\n"
        "    left[0] -= left[0] > 0\n"
        "    r, w = os.pipe()\n"
        "    if os.fork() == 0:\n"
        "        os.write(w, b'%d' % os.getpid()); os._exit(0)\n"
        "    os.close(w); os.read(r, 99); os.close(r); os.wait()\n"
    )
    with subprocess.Popen(["/usr/bin/python3", "-c", script]) as forker:
        wait_for(lambda: offspring(forker.pid), "the first child")
        run = attach(directory, "-p", forker.pid, "--children")
        forker.send_signal(signal.SIGUSR1)
        forker.wait()
        trace = ends(run)
    born = {line["pid"] for line in trace.of("process", event="fork")}
    there = {line["pid"] for line in trace.of("process", event="snapshot")}
    expect(len(born) >= 200, f"it was still forking: {len(born)}")
    waits = [op for op in trace.operations(pid=forker.pid, syscall="wait4") if op["returned"] > 0]
    # One may have been ending just when its parent was joined.
    missed = {op["returned"] for op in waits[1:]} - born - there
    expect_equal(missed, set(), "each child that it waited for is in the trace")


@scenario("--comm: processes of a name, there already or executed later")
def comm(directory):
    with subprocess.Popen(["/usr/bin/sleep", "1000"]) as other:
        waiting = Waiting(directory, "read")
        run = attach(directory, "--comm", "waits", "--comm", "wc")
        subprocess.run(["sh", "-c", "echo one | wc -c"], stdout=subprocess.DEVNULL, check=True)
        waiting.release()
        trace = interrupt(run)
        other.kill()
    expect_equal(
        {line["pid"] for line in trace.of("process", event="snapshot")},
        {waiting.parent, waiting.child},
        "who was there",
    )
    execs = trace.of("process", event="exec")
    expect_equal([line["comm"] for line in execs], ["wc"], "who came later")
    expect_equal(
        {line["comm"] for line in trace.of("process")}, {"waits", "wc"}, "nobody else is traced"
    )


@scenario("-a: everybody but the tracer and its like")
def everybody(directory):
    run = attach(directory, "-a")
    subprocess.run(["sh", "-c", "echo one | wc -c"], stdout=subprocess.DEVNULL, check=True)
    run.process.send_signal(signal.SIGINT)
    run.wait()
    expect_equal(run.status, 0, f"exit status; {run.stderr.decode()}")
    trace = run.trace
    pids = {line["pid"] for line in trace.lines if "pid" in line}
    expect(trace.lines[0]["tracer"] not in pids, "never itself")
    expect(os.getpid() in pids, "we are traced too")
    expect_in("wc", {line["comm"] for line in trace.of("process", event="exec")}, "new ones")


@scenario("--cgroup: those in it now, and those it gets")
def cgroup(directory):
    root = next(
        (m.split()[1] for m in open("/proc/mounts", encoding="utf-8") if m.split()[2] == "cgroup2"),
        None,
    )
    expect(root, "cgroup2 is mounted")
    group = os.path.join(root, f"ipclens-test-{os.getpid()}")
    os.mkdir(group)
    try:
        waiting = Waiting(directory, "read")
        with open(os.path.join(group, "cgroup.procs"), "w", encoding="ascii") as file:
            file.write(str(waiting.child))
        run = attach(directory, "--cgroup", group)
        waiting.release()
        trace = ends(run)
        expect_equal({line["pid"] for line in trace.of("process")}, {waiting.child}, "who")
    finally:
        wait_for(lambda: gone(waiting.child), "the lab to end")
        os.rmdir(group)
    result = ipclens("record", "-o", os.path.join(directory, "no"), "--cgroup", group)
    one_error(result, 125, "--cgroup", "no such file")


@scenario("a process that does not exist; options that contradict: one clear error each")
def errors(directory):
    with subprocess.Popen(["true"]) as process:
        process.wait()
    output = ["-o", os.path.join(directory, "out")]
    one_error(ipclens("record", *output, "-p", str(process.pid)), 125, "no process")
    for options in (["-p", "1", "--", "true"], ["--children"], ["-p", "x"], ["-a", "--", "true"]):
        result = ipclens("record", *output, *options)
        expect(result.returncode in (2, 125), f"status of {options}", result.stderr)
        expect(re.match(rb"ipclens[^\n]*: \S", result.stderr), "it says why", result.stderr)


if __name__ == "__main__":
    main()
