#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What the look at the machine adds when the time limit of `run` fires: who has a file lock, what
the survivors wait for in a PID namespace, and nothing of those who only read what ipclens and its
command print.

Those who are not traced tell who they are as "name=pid", in standard error.
"""
import os
import shlex
import signal

from expectations import expect, expect_equal, expect_in
from findings import diagnose, severe
from hangs import PYTHON, TIMED_OUT, asleep, looked_at, named_parties, traced
from harness import each_in_place, finish, main, needs, record, recorder, scenario, start, wait_for

MAY_RUN_BESIDE_OTHERS = True

LOCKED_BY = {"flock": "fcntl.flock", "fcntl": "fcntl.lockf"}


def waiter_of(call, lock):
    """A program that waits for the lock by this system call."""
    code = f"import fcntl; {LOCKED_BY[call]}(open({lock!r}, 'w'), fcntl.LOCK_EX)"
    return ["flock", lock, "true"] if call == "flock" else [PYTHON, "-c", code]


# A lock that the readers of the output inherit, and one whose holder reads what they print.
SHELL_HOLDS = "echo holder=$$ >&2; exec 9>{lock}; flock 9; {pipeline}"

READER_HOLDS = """
import fcntl, os, subprocess, sys
os.write(2, b"holder=%d\\n" % os.getpid())
file = open("{lock}", "w")
{locks}(file, fcntl.LOCK_EX)
sys.stdout.write(subprocess.run(sys.argv[1], shell=True, stdout=subprocess.PIPE, text=True).stdout)
"""

# The system call that waits for it, whether it is the shell's, and what of the output is read.
PIPED = {
    "a shell, stdout": ("flock", True, ""),
    "a shell, both": ("flock", True, " 2>&1"),
    "a reader, stdout": ("flock", False, ""),
    "a reader, fcntl": ("fcntl", False, ""),
    "a reader, both": ("fcntl", False, " 2>&1"),
}


def holding(lock, pipeline, call, by_shell):
    if by_shell:
        return ["bash", "-c", SHELL_HOLDS.format(lock=lock, pipeline=pipeline)]
    return [PYTHON, "-c", READER_HOLDS.format(lock=lock, locks=LOCKED_BY[call]), pipeline]


@scenario("a loop whose children come and go is looked at when the limit fires, too")
def loop(directory):
    said, _, _ = traced(directory, ["sh", "-c", "until false; do sleep 0.05; done"])
    expect("the look at" not in said, "one that ended meanwhile is left out", said)


@scenario("who only reads the output of ipclens is not told of when the limit fires")
def readers(directory):
    needs("flock")
    for name, (call, by_shell, both), place in each_in_place(directory, PIPED):
        lock = os.path.join(directory, "lock")
        words = recorder(
            place, waiter_of(call, lock), "--timeout", "2", "--lang", "en", "--diagnose-only",
            verb="run", output="--trace",
        )  # fmt: skip
        pipeline = f"{shlex.join(words)}{both} | cut -c1-2000 | tail -n 100"
        result = finish(start(place, holding(lock, pipeline, call, by_shell)).wait(), 0, False)
        text = result.stderr.decode() + result.stdout.decode()
        told = [line for line in text.splitlines() if line[:2] in ("! ", "✗ ")]
        expect_equal(len(told), 1, f"{name}: one finding: {text}")
        waiter = result.trace.of("process")[0]["pid"]
        expect_in(f"[{waiter}] still waits in {call}(", told[0], f"{name}: who waits")
        expect_in(f"[{named_parties(result)['holder']}]", told[0], f"{name}: who has the lock")


HOLD = """
import fcntl, socket, time
file = open("{lock}", "w")
{locks}(file, fcntl.LOCK_EX)
{meanwhile}
"""

# The system call, what the holder does while it has the lock, and whether a child waits for it.
OUTSIDE = {
    "util-linux": ("flock", None, False),
    "computes": ("fcntl", "while True: pass", True),
    "serves": ("fcntl", "socket.create_server(('127.0.0.1', 0)).accept()", True),
    "serves, flock": ("flock", "socket.create_server(('127.0.0.1', 0)).accept()", False),
    "sleeps": ("fcntl", "time.sleep(600)", False),
}


def holder_of(lock, call, meanwhile):
    if not meanwhile:
        return ["flock", lock, "sleep", "600"]
    code = HOLD.format(lock=lock, locks=LOCKED_BY[call], meanwhile=meanwhile)
    return [PYTHON, "-c", code]


def is_held(lock, pid):
    """True if /proc/locks names the process for this file."""
    with open("/proc/locks", encoding="ascii") as file:
        lines = [line.split() for line in file if "->" not in line]
    inode = os.path.exists(lock) and os.stat(lock).st_ino
    return any(line[4] == str(pid) and line[5].endswith(f":{inode}") for line in lines)


def named_by_run(place, command, holder, about):
    text, findings, result = traced(place, command)
    told = [line for line in text.splitlines() if " blocked  " in line]
    expect_equal([line[0] for line in told], ["!"], f"{about}: one warning: {text}")
    expect_in(severe(findings)[0]["text"], told[0], f"{about}: the trace says the same")
    expect_in(holder, told[0], f"{about}: who has the lock")
    expect("outside the trace" not in told[0], f"{about}: all is known", told)
    waiter = result.trace.of("process")[-1]["pid"]
    expect_in(f"[{waiter}]", told[0], f"{about}: who waits")


def named_by_look(place, command, holder, about):
    waiter = start(place, command, start_new_session=True)
    try:
        wait_for(lambda: asleep(waiter.process.pid), "it to wait")
        findings, _ = looked_at(
            waiter.process.pid,
            lambda found: any(holder in finding["text"] for finding in found),
            f"{about}: -p to name {holder}",
        )
        expect(len(severe(findings)) <= 1, f"{about}: told once by -p", findings)
    finally:
        os.killpg(waiter.process.pid, signal.SIGKILL)
        waiter.process.wait()


@scenario("when the limit fires, who has the file lock is named, whatever it does, as by -p")
def holders(directory):
    needs("flock")
    for name, (call, meanwhile, as_child), place in each_in_place(directory, OUTSIDE):
        lock = os.path.join(place, "lock")
        command = holder_of(lock, call, meanwhile)
        holder = start(place, command, start_new_session=True)
        pid = holder.process.pid
        waiter = waiter_of(call, lock)
        if as_child:
            waiter = ["sh", "-c", shlex.join(waiter) + "; true"]
        try:
            wait_for(lambda lock=lock, pid=pid: is_held(lock, pid), "the lock to be taken")
            who = f"{os.path.basename(command[0])}[{pid}]"
            named_by_run(place, waiter, who, name)
            named_by_look(place, waiter, who, name)
        finally:
            os.killpg(pid, signal.SIGKILL)
            holder.process.wait()


SECRET = "--only-for-me=hunter2"


def looks_of(trace):
    return [line["line"] for line in trace.of("look")]


@scenario("the trace of record has the look, too, but nothing of who has no part in the hang")
def kept_out(directory):
    needs("flock")
    lock = os.path.join(directory, "lock")
    places = [os.path.join(directory, name) for name in ("holder", "other", "told", "kept")]
    for place in places:
        os.mkdir(place)
    holder = start(
        places[0],
        [PYTHON, "-c", HOLD.format(lock=lock, locks="fcntl.flock", meanwhile="time.sleep(600)"), SECRET],
        start_new_session=True,
    )  # fmt: skip
    other = start(places[1], ["sleep", "600"], start_new_session=True)
    pid = holder.process.pid
    try:
        wait_for(lambda: is_held(lock, pid), "the lock to be taken")
        for name, options in {"told": (), "kept": ("--no-args",)}.items():
            run = record(
                os.path.join(directory, name), ["flock", lock, "true"], "--timeout", "1", *options,
                status=124, whole=False,
            )  # fmt: skip
            seen = looks_of(run.trace)
            expect_equal((seen[0]["type"], seen[-1]["type"]), ("header", "trailer"), "a whole trace")
            pids = {line.get("pid") for line in seen}
            expect(pid in pids, f"{name}: who has the lock", pids)
            expect(other.process.pid not in pids, f"{name}: others are left out", pids)
            told = SECRET in open(run.trace_path, encoding="utf-8").read()
            expect_equal(told, not options, f"{name}: arguments of the holder")
            text = " ".join(finding["text"] for finding in severe(diagnose(run.trace_path)[0]))
            expect_in(f"[{pid}]", text, f"{name}: the finding names who has the lock")
    finally:
        for one in (holder, other):
            os.killpg(one.process.pid, signal.SIGKILL)
            one.process.wait()


# The child waits for bytes that only the two of them could write, the parent for its child's end.
WAIT_FOR_EACH_OTHER = """
import os
ready, _ = os.pipe()
if not os.fork():
    os.read(ready, 1)
os.wait()
"""


@scenario("in a PID namespace of its own, run finds the survivors, and the look is in the trace")
def in_pid_namespace(directory):
    needs("unshare")
    words = recorder(
        directory, [PYTHON, "-c", WAIT_FOR_EACH_OTHER], "--timeout", "2", "--lang", "en",
        "--diagnose-only", verb="run", output="--trace",
    )  # fmt: skip
    unshared = ["unshare", "--pid", "--fork", "--mount-proc", *words]
    result = finish(start(directory, unshared).wait(), TIMED_OUT, False)
    ours = {line["pid"]: line["ns_pid"] for line in result.trace.of("process", event="fork")}
    ours |= {line["pid"]: line["ns_pid"] for line in result.trace.of("process", event="exec")}
    expect_equal(len(ours), 2, "parent and child have a number there")
    seen = looks_of(result.trace)
    expect_equal((seen[0]["type"], seen[-1]["type"]), ("header", "trailer"), "a whole look")
    looked = {line["pid"]: line["ns_pid"] for line in seen if "ns_pid" in line}
    expect(ours.items() <= looked.items(), f"the look has {ours}", looked)
    waits = {(line["pid"], line["syscall"]) for line in seen if line.get("state") == "pending"}
    expect({(min(ours), "wait4"), (max(ours), "read")} <= waits, "and what each waits for", waits)
    found, summary = diagnose(result.trace_path)
    expect(summary["complete"], "nothing is missing", summary)
    (told,) = severe(found)
    expect_equal((told["id"], set(told["processes"])), ("deadlock", set(ours)), "the finding")
    expect_in(told["text"], result.stderr.decode(), "run says the same")
    expect("look" not in result.stderr.decode(), "no look has failed", result.stderr)


if __name__ == "__main__":
    main()
