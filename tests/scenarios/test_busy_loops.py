#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Loops that do not do what they are told, or ask and do not wait, and so ask again at once."""
import os
from concurrent.futures import ThreadPoolExecutor

from expectations import expect, expect_equal, expect_in
from findings import diagnose, expect_finding, expect_nothing_rests_on_a_gap
from hangs import TIMED_OUT, has, looked_at
from harness import lab, main, needs, record, recorder, scenario, start
from servers import free_port

# mistake: what its advice says
LOOPS = {
    "polls-closed": "take it out of the list when you close it",
    "selects-closed": "take it out of the list when you close it",
    "selects-in-vain": "or let the call block",
    "reads-past-end": "a read that returns 0 has found the end",
    "ignores-hangup": "POLLHUP and POLLERR are told until",
    "asks-for-room": "only while there is something to write",
    "ignores-input": "do what the call tells",
    "by-turns": "a read that returns 0 has found the end",
    "ignores-timer": "read the 8 bytes of the eventfd or timerfd",
    "ignores-counter": "read the 8 bytes of the eventfd or timerfd",
    "ignores-process": "a pidfd stays ready once its process has ended",
    "leaves-status": "or leave out WNOWAIT",
    "closed-copy": "epoll_ctl(EPOLL_CTL_DEL) before close()",
    "copies-again": "take as many bytes out of it after each call",
}

# Each call tells by itself that it found nothing, so those that are left in a trace tell it, too.
BY_THEMSELVES = ("selects-in-vain",)


def run_all(directory, names):
    """One after the other, before all others: a loop that gets no processor is not busy."""
    for name in names:
        place = os.path.join(directory, name)
        os.mkdir(place)
        yield name, record(place, ["nice", "-n", "-20", *lab("busyloops", name)])


@scenario("a loop that is told of the same thing again and again is named, with how often it calls")
def loops(directory):
    for name, run in run_all(directory, list(LOOPS)):
        told = expect_finding(run, "busy-wait")
        calls = next(line["value"] for line in run.truth if line["do"] == "calls")
        expect_equal(len(told), 1, f"{name} is told once")
        expect_in(f" {calls} times in ", told[0]["text"], name)
        expect_in(LOOPS[name], told[0]["advice"], name)
        if name == "closed-copy":
            expect_in("which was unix-stream:[", " ".join(told[0]["evidence"]), name)
        if name not in BY_THEMSELVES:
            expect_nothing_rests_on_a_gap(run.trace_path, 2, ["busy-wait"])


@scenario("a loop that takes what it is told of is sound")
def sound(directory):
    for name, run in run_all(directory, ["sound", "sound-events", "read-elsewhere"]):
        found = [finding["id"] for finding in diagnose(run.trace_path)[0]]
        expect_equal("busy-wait" in found, False, f"{name}: {found}")


# Loops of shells: what is said to be called, and what its advice says. $! lives and has locked the
# file l; {port} is free.
SHELLS = {
    "while kill -0 $! 2>/dev/null; do :; done": ("kill() ", "a shell has `wait $pid`"),
    "while /bin/kill -0 $!; do :; done": ("/bin/kill -0 ", "a shell has `wait $pid`"),
    "until flock -n l true; do :; done": ("flock -n l true ", "flock without -n"),
    "until nc -z 127.0.0.1 {port}; do :; done": ("nc -z 127.0.0.1 ", "pause between two tries"),
    "until [ -s none ]; do sleep 0.2; done": ("sleep 0.2 ", "and give up after a while"),
}
FIRST = "flock l sh -c 'echo locked >told; exec sleep 30' >/dev/null 2>&1 & echo $$ $! >&2; "
FIRST += "until [ -s told ]; do sleep 0.02; done; "

# They pause and give up, ask of many, find what they look for, or ask for no IPC. Who makes
# 60 pauses of 0.05 s has ended before PAUSING_SECONDS also on a busy machine.
PAUSING_SECONDS = 12
SHELLS_SOUND = [
    "flock m sleep 1 & until flock -n m true; do sleep 0.02; done",
    "for n in $(seq 60); do flock -n l true && break; sleep 0.02; done",
    "mkfifo f; exec 8<>f; for n in $(seq 60); do nc -z 127.0.0.1 {port}; read -rt 0.05 <&8; done",
    "for n in $(seq 60); do flock -w 0.05 l true && break; done",
    "while ! [ -e none ]; do :; done",
    "for p in $(seq 1 250); do sleep 6 & k=\"$k $!\"; done; for p in $k; do kill -0 $p; done; kill $k",
    "for n in $(seq 1 250); do flock -n l$n flock -n l$n true; done",
    "for p in $(seq 1 90); do nc -z 127.0.0.1 $p; done",
]

SHELLS_PAUSE = [
    "while sleep 0.2; do echo x >>log; done",
    "until [ -s none ]; do sleep 0.2; echo x >>log; done",
    "for n in $(seq 8); do [ -s none ] && break; sleep 0.2; done",
]


def shell_loop(place, script):
    os.mkdir(place)
    words = ["bash", "-c", FIRST + script.replace("{port}", str(free_port())) + "; sleep 30"]
    limit = 1 if "while kill" in script else PAUSING_SECONDS if "$(seq 60)" in script else 4
    options = ["--timeout", str(limit), "--diagnose-only", "--lang", "en"]
    command = recorder(place, words, *options, verb="run", output="--trace")
    result = start(place, command, cwd=place).wait()  # its lines are too many to look at each
    expect_equal(result.status, TIMED_OUT, result.stderr.decode())
    return script, result, [f for f in diagnose(result.trace_path)[0] if f["id"] == "busy-wait"]


def shell_loops(directory, scripts, at_once):
    places = [os.path.join(directory, str(number)) for number in range(len(scripts))]
    with ThreadPoolExecutor(at_once) as pool:
        yield from pool.map(shell_loop, places, scripts)


@scenario("a shell whose loop asks and does not wait, by itself or by a program each time, is named")
def shells(directory):
    needs("nc", "flock")
    for script, result, found in shell_loops(directory, list(SHELLS), at_once=1):
        called, advice = SHELLS[script]
        expect_equal([f["severity"] for f in found], ["warning"], f"{script}: {found}")
        shell, holder = (int(word) for word in result.stderr.split()[:2])
        expect_equal(found[0]["processes"][0], shell, f"{script}: the shell")
        expect_in(f" called {called}", found[0]["text"], script)
        expect_in(advice, found[0]["advice"], script)
        expect_in(found[0]["text"], result.stderr.decode(), "run says it, too")
        if "flock" in script:
            expect_in(f"flock[{holder}] has it locked", " ".join(found[0]["evidence"]), "by whom")
        if "none" in script:
            expect_in(f"bash[{shell}] tests for none, ", found[0]["evidence"][0], "for what")


@scenario("a shell that pauses between two tries, or asks of one after the other, is not accused")
def sound_shells(directory):
    needs("nc", "flock")
    for script, _, found in shell_loops(directory, SHELLS_SOUND, at_once=4):
        expect_equal(found, [], script)


@scenario("a shell that does more between its pauses, as far as its text tells, is not warned of")
def pausing_shells(directory):
    for script, _, found in shell_loops(directory, SHELLS_PAUSE, at_once=3):
        expect_equal([f for f in found if f["severity"] != "note"], [], script)


@scenario("-p of such a shell: it runs, calls kill() all the time, and is told what to do instead")
def looked_at_shell(directory):
    result = start(directory, ["bash", "-c", "sleep 6 & echo $! >&2; while kill -0 $!; do :; done"])
    try:
        found, _ = looked_at(result.process.pid, has("running"), "the loop")
        running = next(f for f in found if f["id"] == "running")
        expect_in(" kill() ", running["text"], "in which loop")
        expect_in("a shell has `wait $pid`", running["advice"], "what to do")
    finally:
        result.process.kill()
        result.process.wait()


if __name__ == "__main__":
    main()
