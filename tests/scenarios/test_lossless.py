#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""--lossless: the command stands still while the ring is nearly full, and no record is lost."""
import atexit
import bisect
import contextlib
import json
import os
import signal
import subprocess
import tempfile
import time

from expectations import expect, expect_equal, expect_in
from harness import gone, lab, main, scenario, start, start_record, wait_for
from traces import IPCLENS, call

COUNT = 60000
RING = ["--ring", "1M"]

# Has a cgroup of its own, moves itself there, and floods.
LEAVES = r"""
import os, sys
os.mkdir(sys.argv[1])
with open(sys.argv[1] + "/cgroup.procs", "w") as procs:
    procs.write(str(os.getpid()))
os.execv(sys.argv[2], sys.argv[2:])
"""

# Sleeps in calls that a stop must not end, while a child floods; logs what each of them returned.
SLEEPS = r"""
import errno, os, select, socket, subprocess, sys, time
flood = subprocess.Popen(sys.argv[1:])
reader, writer = os.pipe()
if os.fork() == 0:
    os.close(writer)
    print("read", os.read(reader, 1), flush=True)
    os._exit(0)
os.close(reader)
if os.fork() == 0:
    begun = time.monotonic()
    time.sleep(0.2)
    print("slept", time.monotonic() - begun >= 0.2, flush=True)
    os._exit(0)
print("waited", os.waitpid(flood.pid, 0)[1], flush=True)
os.close(writer)
for _ in range(2):
    os.wait()
"""


class Sums:
    """What a trace of many lines says, without keeping them."""

    def __init__(self, path):
        self.sent = self.received = self.lost = 0
        self.pauses, self.entered, self.operations = [], [], 0
        self.start_ns, self.trailer = None, None
        with open(path, encoding="utf-8") as file:
            for line in map(json.loads, file):
                self.note(line)

    def note(self, line):
        kind = line["type"]
        if kind == "header":
            self.start_ns = line["start_ns"]
        elif kind == "lost":
            self.lost += line["count"]
        elif kind == "pause":
            self.pauses.append(line)
        elif kind == "trailer":
            self.trailer = line
        elif kind == "operation":
            self.operation(line)

    def operation(self, line):
        self.operations += "state" not in line
        self.entered.append(line["enter_ns"])
        if line.get("returned", -1) >= 0 and line.get("channel", "").startswith("pipe:"):
            self.sent += line["role"] == "send"
            self.received += line["role"] == "receive"


@contextlib.contextmanager
def busy(count=2):
    """A machine on which others compute."""
    loops = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def tree():
    """Where a cgroup2 is mounted for us to look at."""
    with open("/proc/self/mounts", encoding="utf-8") as file:
        for line in file:
            _, place, kind, *_ = line.split()
            if kind == "cgroup2":
                return place
    place = tempfile.mkdtemp()
    call(["mount", "-t", "cgroup2", "none", place])
    atexit.register(call, ["umount", place])
    return place


def cgroup(pid):
    """The path of the process's cgroup2."""
    with open(f"/proc/{pid}/cgroup", encoding="utf-8") as file:
        return next(line[3:].rstrip("\n") for line in file if line.startswith("0::"))


def own(run):
    """The folder of the cgroup that this run of ipclens makes, beside us."""
    return f"{tree()}{cgroup(os.getpid())}/ipclens-{run.process.pid}"


def is_frozen(folder):
    with open(f"{folder}/cgroup.events", encoding="utf-8") as file:
        return "frozen 1" in file.read()


def child_of(pid, program):
    """The process of that name among the children of a process."""
    found = call(["pgrep", "-P", str(pid), "-x", program], check=False).stdout.split()
    return int(found[0]) if found else None


def is_home(pid):
    """It is where we are, or is gone."""
    try:
        return cgroup(pid) == cgroup(os.getpid())
    except (FileNotFoundError, ProcessLookupError):
        return True


def removed(folder):
    try:
        os.rmdir(folder)
    except OSError:
        return False
    return True


def make_pause(run, program="flood"):
    """Nobody empties the ring until the command is frozen, however fast ipclens is here."""
    folder = own(run)
    wait_for(lambda: program_runs(run, program), f"{program} to run")
    run.process.send_signal(signal.SIGSTOP)
    wait_for(lambda: is_frozen(folder), "the command to be frozen")


def program_runs(run, program):
    folder = own(run)
    if not os.path.exists(folder):
        return False
    with open(f"{folder}/cgroup.procs", encoding="utf-8") as file:
        pids = file.read().split()
    return any(name_of(pid) == program for pid in pids)


def name_of(pid):
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
            return file.read().strip()
    except (FileNotFoundError, ProcessLookupError):
        return None


def paused_once(directory, command, *options):
    """A run with one pause at least, to its end."""
    run = start_record(directory, command, *RING, "--lossless", *options)
    make_pause(run)
    run.process.send_signal(signal.SIGCONT)
    return run.wait()


def totals(truth):
    return {line["do"]: line["value"] for line in truth if "value" in line}


def logged(truth):
    return totals(truth)["sent-total"], totals(truth)["received-total"]


@scenario("a flood through 1M beside two busy loops: nothing is lost, and the pauses are told")
def nothing_lost(directory):
    with busy():
        run = paused_once(directory, lab("flood", COUNT, 64))
    expect_equal(run.status, 0, "status; " + run.stderr.decode())
    told = Sums(run.trace_path)
    expect_equal((told.lost, told.trailer["lost"]), (0, 0), "records lost")
    expect_equal((told.sent, told.received), logged(run.truth), "sends and receives, as logged")
    expect(told.pauses, "the command stood at least once")
    expect_equal(told.trailer["operations"], told.operations, "the trailer counts them")
    check_pauses(told)
    expect(not os.path.exists(own(run)), "its cgroup is gone")


def check_pauses(told):
    """Each lies within the trace, none in another, and none of the latter half had a call begin."""
    before = told.start_ns
    told.entered.sort()
    for pause in told.pauses:
        end = pause["at_ns"] + pause["stood_ns"]
        expect(before <= pause["at_ns"] <= end <= told.trailer["at_ns"], "in its place", pause)
        before = end
    late = [
        enter
        for pause in told.pauses
        for enter in begun(told.entered, pause["at_ns"] + pause["stood_ns"] // 2,
                           pause["at_ns"] + pause["stood_ns"])
    ]
    expect_equal(late[:3], [], f"{len(late)} calls that began while the command stood")


def begun(entered, since, until):
    return entered[bisect.bisect_right(entered, since) : bisect.bisect_left(entered, until)]


@scenario("a program that sleeps is not disturbed: read, sleep and wait go on as if nothing was")
def sleepers(directory):
    command = ["/usr/bin/python3", "-c", SLEEPS, *lab("flood", COUNT, 64, "alone")]
    run = paused_once(directory, command)
    expect_equal(run.status, 0, "status; " + run.stderr.decode())
    said = dict(line.split(" ", 1) for line in run.stdout.decode().splitlines()
                if not line[0].isdigit())
    expect_equal(said, {"read": "b''", "slept": "True", "waited": "0"}, "what the calls returned")
    told = Sums(run.trace_path)
    expect(told.pauses, "the command stood at least once")
    expect_equal(told.trailer["lost"], 0, "records lost")


@scenario("a time limit while it floods: nothing lost either, and the command ends")
def timeout(directory):
    run = paused_once(directory, lab("flood", 10**9, 64), "--timeout", "3")
    expect_equal(run.status, 124, "status; " + run.stderr.decode())
    told = Sums(run.trace_path)
    expect_equal((told.trailer["why"], told.trailer["lost"]), ("timeout", 0), "how it ended")
    expect(told.pauses, "the command stood at least once")
    check_pauses(told)
    expect(not os.path.exists(own(run)), "its cgroup is gone")


@scenario("kill -9 of ipclens while the command is frozen: it goes on, where it came from")
def killed(directory):
    run = start_record(directory, lab("flood", COUNT, 64), *RING, "--lossless")
    folder = own(run)
    make_pause(run)
    pid = child_of(run.process.pid, "flood")
    run.process.kill()
    run.process.wait()
    wait_for(lambda: not os.path.exists(folder), "its cgroup to be gone")
    expect(is_home(pid) or gone(pid), "the command is where it was, or has ended meanwhile")
    wait_for(lambda: gone(pid), "its end")
    wait_for(lambda: len(totals(run.truth)) == 2, "what it logged")
    expect_equal(logged(run.truth)[0], COUNT, "messages that it sent")


@scenario("the process that holds the command is killed: it goes on, and ipclens says so")
def warden_killed(directory):
    run = start_record(directory, lab("flood", 5 * COUNT, 64), *RING, "--lossless")
    wait_for(lambda: program_runs(run, "flood"), "flood to run")
    run.process.send_signal(signal.SIGSTOP)  # so that it does not end before
    wait_for(lambda: child_of(run.process.pid, "ring-warden"), "the process")
    os.kill(child_of(run.process.pid, "ring-warden"), signal.SIGKILL)
    run.process.send_signal(signal.SIGCONT)
    expect_equal(run.wait().status, 0, "status")
    expect_in("was killed", run.stderr.decode(), "what it says")
    expect_equal(len(totals(run.truth)), 2, "the command ended well")
    wait_for(lambda: removed(own(run)), "the cgroup, which nobody removes, to be empty")


@scenario("the process that holds the command gets no processor for a while: nothing is lost")
def warden_late(directory):
    run = start_record(directory, lab("flood", 5 * COUNT, 64), "--ring", "4M", "--lossless")
    wait_for(lambda: program_runs(run, "flood"), "flood to run")
    wait_for(lambda: child_of(run.process.pid, "ring-warden"), "the process")
    warden = child_of(run.process.pid, "ring-warden")
    for pid in warden, run.process.pid:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(0.2)  # without the brake the ring is full long before, with it not for a second
    for pid in warden, run.process.pid:
        os.kill(pid, signal.SIGCONT)
    expect_equal(run.wait().status, 0, "status; " + run.stderr.decode())
    told = Sums(run.trace_path)
    expect_equal((told.lost, told.trailer["lost"]), (0, 0), "records lost")
    expect_equal((told.sent, told.received), logged(run.truth), "sends and receives, as logged")


@scenario("a program that goes to another cgroup cannot be held: that is said once")
def leaves(directory):
    other = f"{tree()}{cgroup(os.getpid())}/ipclens-other-{os.getpid()}"
    command = ["/usr/bin/python3", "-c", LEAVES, other, *lab("flood", 4 * COUNT, 64, "alone")]
    try:
        run = start_record(directory, command, *RING, "--lossless")
        wait_for(lambda: os.path.exists(other), "it to go")
        run.process.send_signal(signal.SIGSTOP)
        time.sleep(0.5)  # the ring fills: nothing tells when, as the command goes on
        run.process.send_signal(signal.SIGCONT)
        run.wait()
    finally:
        wait_for(lambda: removed(other), "its own cgroup to be empty")
    said = run.stderr.decode()
    expect_equal(said.count("--lossless cannot hold it"), 1, f"it is said once: {said}")
    expect_equal(run.status, 0, "status")


@scenario("pictures, statistics and findings say that the command stood, or how to lose nothing")
def told_later(directory):
    run = paused_once(directory, lab("flood", COUNT, 64))
    pauses = Sums(run.trace_path).pauses
    expect(pauses, "the command stood at least once")
    for words in (["view"], ["stats"]):
        text = call([IPCLENS, *words, run.trace_path]).stdout.decode()
        expect_in("the command was held", text, words[0])
        expect_in("--lossless", text, words[0])
    lossy = os.path.join(directory, "lossy")
    os.mkdir(lossy)
    run = start_record(lossy, lab("flood", 20000, 64, "stop"), "--ring", "4096").wait()
    expect_in("try --lossless", run.stderr.decode(), "record")
    for words in ("view", "stats", "diagnose"):
        text = call([IPCLENS, words, run.trace_path], check=False).stdout.decode()
        expect_in("with --lossless (run, record) none is lost", text, words)


@scenario("what cannot be is said, and nothing is run")
def refused(directory):
    mark = os.path.join(directory, "ran")
    for options, word in (
        (["--ring", "512K"], "--ring 1M"),
        (["--follow-peers"], "--follow-peers"),
        (["-p", str(os.getpid())], "goes with a command"),
    ):
        command = [] if "-p" in options else ["--", "touch", mark]
        result = call([IPCLENS, "record", "--lossless", *options, *command], check=False)
        expect_equal(result.returncode, 125, word)
        expect_in(word, result.stderr.decode(), "what it says")
    expect(not os.path.exists(mark), "the command was not run")


@scenario("where no cgroup2 can be had, one clear sentence says so")
def no_cgroup(directory):
    mark = os.path.join(directory, "ran")
    hidden = "mount -t tmpfs none /sys/fs/cgroup && exec setpriv --bounding-set=-sys_admin "
    words = [IPCLENS, "record", "-o", f"{directory}/t", "--lossless", "--", "touch", mark]
    run = start(directory, ["unshare", "--mount", "sh", "-c", hidden + " ".join(words)]).wait()
    expect_equal(run.status, 125, "status; " + run.stderr.decode())
    expect_in("--lossless needs cgroup v2", run.stderr.decode(), "what it says")
    expect_equal(run.stderr.decode().count("\n"), 1, "lines")
    expect(not os.path.exists(mark), "the command was not run")


if __name__ == "__main__":
    main()
