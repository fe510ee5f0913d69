#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""`diagnose -p`: programs that hang and were never traced are diagnosed from their state alone."""
import json
import os
import resource
import signal
import subprocess

from expectations import expect, expect_equal, expect_in
from findings import (
    CULPRITS,
    FOR_THREADS,
    HANGS,
    WITH_OUTSIDER,
    diagnose,
    expect_culprit,
    expect_found,
    remove_left,
    words,
)
from hangs import has, looked_at
from harness import main, scenario, start, wait_for
from traces import IPCLENS, call

MAY_RUN_BESIDE_OTHERS = True

# What no state tells: which signals came before. -p says blocked, and that this cannot be told.
PAST = "lost-wakeup"
PAST_UNTOLD = "whether a signal that was meant for it came before"

# Nor does any tell whether the kernel itself counts in an eventfd (aio, io_uring, KVM).
BLOCKED_ONLY = ["stalls eventfds"]

# Of those that could be ended from outside: by whom; or what it depends on.
BY_WHOM = {
    "stalls second-player": "is done with tcp:[",
    "stalls eventfds": ", the kernel, where aio, io_uring or KVM count there",
    "stalls fifo-opens": "whoever opens stalls-",
    "stalls keyed-semaphore": "whoever knows the key 0x",
    "stalls keyed-queues": "whoever knows the key 0x",
    **{name: "no other process can wake it" for name in FOR_THREADS},
}

# With somebody who could help, a wait is not hopeless: what it is called then, if not blocked.
WAITS_AT = {
    "hangs full-pipes": "full-channel",
    "stalls both-connect": "never-accepted",
    "stalls both-connect-unix": "never-accepted",
}

MOST_S = 1.0  # of a processor's time for a look at the machine; others may have the processor too


def group(leader):
    """The processes of a group; each of these programs is one."""
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return [pid for pid in pids if pgid(pid) == leader]


def pgid(pid):
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None


def busy_s():
    """What the programs that we waited for have used of a processor."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def hang(directory, name):
    place = os.path.join(directory, name)
    os.mkdir(place)
    return start(place, words(name), start_new_session=True, cwd=place)


def orphans(run):
    return [line["to"] for line in run.truth if line["do"] == "orphan"]


def end(run):
    for pid in orphans(run):
        os.kill(pid, signal.SIGKILL)
    os.killpg(run.process.pid, signal.SIGKILL)
    run.process.wait()
    remove_left(run)


def has_logged(run):
    """All parties have written what they know: the last thing before they hang."""
    return run.truth and all(asleep(pid) for pid in group(run.process.pid))


def asleep(pid):
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] in (b"S", b"Z")
    except (FileNotFoundError, ProcessLookupError):
        return True


def found(pid, name):
    """What -p says, once that finding is among it."""
    return looked_at(pid, has(name), name)


@scenario("what hangs untraced gets the answer that its trace would get, by diagnose -p")
def untraced(directory):
    runs = {name: hang(directory, name) for name in HANGS}
    try:
        for name, run in runs.items():
            wait_for(lambda run=run: has_logged(run), f"{name} to hang")
        for name, (wanted, forbidden) in HANGS.items():
            why = BY_WHOM.get(name, "")
            if wanted == PAST:
                wanted, forbidden, why = "blocked", ["deadlock", "no-eof", PAST], PAST_UNTOLD
            if name in BLOCKED_ONLY:
                wanted, forbidden = "blocked", ["deadlock"]
            findings, summary = found(runs[name].process.pid, wanted)
            told = expect_found(findings, runs[name].truth, wanted, forbidden)
            if name in CULPRITS:
                expect_culprit(findings, runs[name].truth, name, True)
            texts = [part for f in told for part in (f["text"], *f.get("evidence", []))]
            expect(any(why in text for text in texts), f"{name} says {why!r}", texts)
            expect(summary["complete"], "nothing is missing")
    finally:
        for run in runs.values():
            end(run)


# A client with IPv4 of a server with IPv6; each waits for the other to begin.
BOTH_FAMILIES = """
import os, socket
listener = socket.socket(socket.AF_INET6)
listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
listener.bind(("::", 0))
listener.listen()
if not os.fork():
    socket.create_connection(("127.0.0.1", listener.getsockname()[1])).recv(1)
    os._exit(0)
listener.accept()[0].recv(1)
"""


@scenario("-p knows the client with IPv4 of a server that listens with IPv6")
def both_families(directory):
    started = start(directory, ["/usr/bin/python3", "-c", BOTH_FAMILIES], start_new_session=True)
    try:
        looked_at(started.process.pid, has("deadlock"), "the deadlock of both")
    finally:
        os.killpg(started.process.pid, signal.SIGKILL)
        started.process.wait()


@scenario("-p does not accuse whoever reads what it says")
def reader_of_the_look(_directory):
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as cat:
        try:
            looked_at(cat.pid, has("blocked"), "a look that tells of the wait")
            look = subprocess.run([IPCLENS, "diagnose", "--json", "-p", str(cat.pid)], check=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip
        finally:
            cat.kill()
    waiters = [json.loads(line)["processes"][0] for line in look.stdout.splitlines()[:-1]]
    expect(os.getpid() not in waiters, "it waits for this look alone", look.stdout)


@scenario("diagnose -p calls nothing a deadlock where somebody else could help")
def untraced_with_outsider(directory):
    runs = {name: hang(directory, name + " outsider") for name in WITH_OUTSIDER}
    try:
        for name, run in runs.items():
            wait_for(lambda run=run: has_logged(run), f"{name} to hang")
            waiting = WAITS_AT.get(name, "blocked")
            findings, _ = found(run.process.pid, waiting)
            expect_found(findings, [], waiting, ["deadlock", "no-eof"])
    finally:
        for run in runs.values():
            end(run)


@scenario("diagnose -p calls nothing a deadlock where somebody may know it whose parent has ended")
def untraced_with_orphan(directory):
    names = ["hangs pipe-and-queue", "hangs semaphore-and-pipe"]
    runs = {name: hang(directory, name + " orphan") for name in names}
    try:
        for name, run in runs.items():
            wait_for(lambda run=run: has_logged(run) and orphans(run), f"{name} to hang")
            orphan = orphans(run)[0]
            findings, _ = found(run.process.pid, "blocked")
            told = expect_found(findings, [], "blocked", ["deadlock", "no-eof", "semaphore-stuck"])
            numbered = [f for f in told if "sysv-" in " ".join([f["channel"], *f["evidence"]])]
            expect(numbered, f"{name} waits at what has a number", told)
            for finding in numbered:
                expect_in(orphan, finding["processes"], f"{name}: who could end it")
    finally:
        for run in runs.values():
            end(run)


@scenario("diagnose -p of a server that nobody connects to says where it could be")
def no_client(directory):
    run = hang(directory, "stalls no-client")
    try:
        wait_for(lambda: has_logged(run), "it to hang")
        findings, _ = found(run.process.pid, "blocked")
        told = expect_found(findings, run.truth, "blocked", ["deadlock", "never-accepted"])
        expect_in("whoever connects to tcp:[", told[0]["text"], "who could end it")
    finally:
        end(run)


@scenario("two servers that wait for each other in accept are no deadlock: anybody may connect")
def both_accept(directory):
    run = hang(directory, "stalls both-accept")
    try:
        wait_for(lambda: has_logged(run), "both to hang")
        for pid in (run.process.pid, *group(run.process.pid)):
            findings, _ = found(pid, "blocked")
            told = expect_found(findings, [], "blocked", ["deadlock", "never-accepted"])
            expect_in("whoever connects to tcp:[", told[0]["text"], "who could end it")
    finally:
        end(run)


@scenario("diagnose -p names peers that are no children, says since when, and takes a moment")
def peers(directory):
    run = hang(directory, "hangs ring-three")
    try:
        wait_for(lambda: has_logged(run), "it to hang")
        found(run.process.pid, "deadlock")
        fastest = 60.0
        for _ in range(3):
            began = busy_s()
            pid = max(group(run.process.pid))  # a child knows its parent and its sibling
            text = call([IPCLENS, "diagnose", "--lang", "en", "-p", str(pid)]).stdout.decode()
            fastest = min(fastest, busy_s() - began)
        expect_in("deadlock", text, "the circle")
        expect_in(" ago)", text, "since when")
        for pid in group(run.process.pid):
            expect_in(f"hangs[{pid}]", text, "each of them is named")
        expect(fastest < MOST_S, f"it takes less than {MOST_S} s", fastest)
    finally:
        end(run)


@scenario("diagnose -p of a pipeline that works is no fault; --fail-on holds; a wrong pid is told")
def sound(directory):
    run = start(directory, ["sh", "-c", "sleep 60 | cat"], start_new_session=True)
    try:
        wait_for(lambda: len(group(run.process.pid)) == 3, "the pipeline")
        wait_for(lambda: has_slept(run), "its processes to sleep")
        diagnose("-p", str(run.process.pid), "--fail-on", "error")
    finally:
        end(run)
    missing = call([IPCLENS, "diagnose", "-p", str(run.process.pid)], check=False)
    expect_equal(missing.returncode, 2, "no such process")
    expect_in("there is no process", missing.stderr.decode(), "and it is said")


# With one child that has ended: as it is collected, or would be; and as nobody asks for it.
PARENT = """
import os, signal, sys
def collect(*_):
    while WAITS and os.waitpid(-1, os.WNOHANG)[0]:
        pass
other = os.fork() or signal.pause()
if HANDLES:
    signal.signal(signal.SIGCHLD, collect)
children = [os.fork() or os._exit(0) for _ in range(COUNT)]
for child in children:
    if not WAITS:
        os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
with open(os.environ["IPCLENS_TRUTH"], "w") as truth:
    print('{"at_ns": 0, "do": "ready"}', file=truth)
while True:
    signal.pause()
"""

# What handles SIGCHLD, waits, how many children; and how severe it is told.
PARENTS = {
    "collects": (True, True, 2, None),
    "forgets": (True, False, 1, "warning"),
    "never asks": (False, False, 2, "note"),
    "many": (False, False, 10, "warning"),
}


@scenario("diagnose -p tells of ended children that nobody collects; a warning if the parent was told")
def zombies(directory):
    for name, (handles, waits, count, severity) in PARENTS.items():
        code = PARENT.replace("HANDLES", str(handles)).replace("WAITS", str(waits))
        place = os.path.join(directory, name)
        os.mkdir(place)
        code = code.replace("COUNT", str(count))
        run = start(place, ["/usr/bin/python3", "-c", code], start_new_session=True)
        try:
            wait_for(lambda run=run: has_logged(run), f"{name} to sleep")
            findings, _ = found(run.process.pid, "blocked")  # when it has slept for a while
            told = [f for f in findings if f["id"] == "zombie"]
            expect_equal([f["severity"] for f in told], [severity] if severity else [], name)
            expect(all(len(f["processes"]) == 1 + count for f in told), f"{name}: all", told)
        finally:
            end(run)


def has_slept(run):
    return all(asleep(pid) for pid in group(run.process.pid))


if __name__ == "__main__":
    main()
