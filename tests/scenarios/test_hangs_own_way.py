#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Programs that stand in their own way: in a handler, or as the only one that could help."""
import os
import shlex
import subprocess

from expectations import expect, expect_equal, expect_in
from findings import diagnose, expect_finding, in_batches, severe
from harness import lab, main, scenario, start_record

MAY_RUN_BESIDE_OTHERS = True

TIMED_OUT = 124
IN_HANDLER = "in its handler of"

# mistake: what its finding is, of which severity, and what its evidence and its advice say
HANGING = {
    "waits-for-children": ("blocked", "warning", f"{IN_HANDLER} SIGCHLD", "WNOHANG"),
    "takes-its-lock": ("blocked", "warning", f"{IN_HANDLER} SIGUSR1", "takes a lock"),
    "counted-at-once": ("blocked", "warning", "what several writes had added", "EFD_SEMAPHORE"),
    "fills-own-pipe": ("full-channel", "warning", "only ownway", "start whoever is to read"),
    "fills-own-queue": ("full-channel", "warning", "only ownway", "start whoever is to read"),
    "unset-descriptor": ("blocked", "warning", "1 B lies unread", "FD_ZERO and FD_SET"),
    "notified-once": ("blocked", "warning", "asked once, by mq_notify()", "call mq_notify() again"),
    "wrong-length": ("deadlock", "error", "took a length for 83886080 that is 5", "htonl()"),
    "private-semaphore": ("blocked", "warning", "a private futex", "fork() copies memory"),
    "unnamed-client": ("blocked", "warning", "nobody can send there", "bind() the socket"),
    "feeds-its-child": ("deadlock", "error", "sort[", "a filter (sort, wc) answers only"),
    "lost-condition": ("semaphore-stuck", "error", "nobody else could end", "pthread_cond_wait"),
    "restarted-call": ("blocked", "warning", "SIGALRM interrupted that call", "SA_RESTART"),
    "copied-variable": ("busy-wait", "warning", "shares no memory with ownway[", "MAP_SHARED"),
    "copied-mapping": ("busy-wait", "warning", "it made no other call", "not MAP_PRIVATE"),
    "seldom-looked-at": ("busy-wait", "note", "shares no memory with ownway[", "MAP_SHARED"),
    "child-goes-on": ("busy-wait", "note", "shares no memory with ownway[", "MAP_SHARED"),
    "spins-for-copy": ("running", "note", "shares no memory with ownway[", "MAP_SHARED"),
    "jumps-out": ("blocked", "note", "only the end of", "what those who could end it do"),
}


def run_all(directory, names, status):
    for run, name in in_batches(directory, [f"ownway {name}" for name in names], "--timeout", "3"):
        expect_equal(run.status, status, name)
        yield name.split()[1], run


@scenario("who waits in a handler, or for itself, is told so, with the remedy")
def own_way(directory):
    for name, run in run_all(directory, list(HANGING), TIMED_OUT):
        found, severity, evidence, advice = HANGING[name]
        told = expect_finding(run, found)
        expect_equal([finding["severity"] for finding in told], [severity], name)
        expect_in(evidence, " ".join(told[0]["evidence"]), name)
        expect_in(advice, told[0]["advice"], name)
        if name == "jumps-out":
            expect(IN_HANDLER not in " ".join(told[0]["evidence"]), "it has left it", told)


# What such a loop looks at may change: in memory that is shared, by a handler, as a file.
SOUND = ["shared-variable", "handler-sets", "tests-for-file", "serves"]
# That nobody makes the file is another finding.
AWAITS = {"tests-for-file": ["never-made"]}


@scenario("who sleeps again and again for what may still come is told nothing of fork()")
def sound_naps(directory):
    for name, run in run_all(directory, SOUND, TIMED_OUT):
        told = [f for f in diagnose(run.trace_path)[0] if "shares no memory" in str(f)]
        expect_equal(told, [], name)
        found = [finding["id"] for finding in severe(diagnose(run.trace_path)[0])]
        expect_equal(found, AWAITS.get(name, []), name)


@scenario("a global variable of Python that a child sets is told to be another one there")
def python_global(directory):
    script = (
        "import os, time\ndone = False\nif not os.fork(): done = True; os._exit(0)\n"
        "os.wait()\nwhile not done: time.sleep(0.05)"
    )
    run = start_record(directory, ["/usr/bin/python3", "-c", script], "--timeout", "3")
    run.wait()
    told = expect_finding(run, "busy-wait")
    expect_equal([finding["severity"] for finding in told], ["warning"], "probably a fault")
    expect_in("multiprocessing.Value", told[0]["advice"], "what Python has for that")


@scenario("a semaphore that an earlier run has left is told to be one, with how to remove it")
def left_over(directory):
    subprocess.run(lab("ownway", "left-over-semaphore", "outsider"), check=True)
    try:
        for name, run in run_all(directory, ["left-over-semaphore"], TIMED_OUT):
            told = expect_finding(run, "blocked")
            expect_in("was there before the trace", " ".join(told[0]["evidence"]), name)
            expect_in("rm /dev/shm/sem.ownway", told[0]["advice"], name)
    finally:
        os.unlink("/dev/shm/sem.ownway")


@scenario("a new semaphore has the value that it was given")
def new_semaphore(directory):
    for name, run in run_all(directory, ["left-over-semaphore"], 0):
        expect_equal(diagnose(run.trace_path)[0], [], name)


@scenario("a server that cannot answer is told that its client has no address")
def unnamed_client(directory):
    for name, run in run_all(directory, ["unnamed-client"], TIMED_OUT):
        told = [f for f in diagnose(run.trace_path)[0] if f["id"] == "misuse"]
        expect_equal(len(told), 1, name)
        expect_in("let the client bind() its socket", told[0]["advice"], name)


@scenario("a signal that kills the reader of a signalfd is told to have been left unblocked")
def signalfd_unblocked(directory):
    for name, run in run_all(directory, ["signalfd-unblocked"], 0):
        told = expect_finding(run, "killed-by-signal")
        expect_equal(len(told), 1, name)
        expect_in("a signalfd takes only signals that are blocked", told[0]["advice"], name)


@scenario("of a shell that waits for such a program the program is told to be in its handler")
def behind_a_shell(directory):
    command = shlex.join(lab("ownway", "takes-its-lock"))
    run = start_record(directory, ["sh", "-c", f"{command}; true"], "--timeout", "3")
    run.wait()
    expect_equal(run.status, TIMED_OUT, "it hangs")
    findings, _ = diagnose("--lang", "de", run.trace_path)
    expect_equal([finding["severity"] for finding in findings], ["warning"], "one finding")
    expect(findings[0]["text"].startswith("sh["), "of the shell", findings)
    expect_in("in seinem Handler für SIGUSR1", " ".join(findings[0]["evidence"]), "its end")
    expect_in("im Handler nichts aufrufen, das eine Sperre nimmt", findings[0]["advice"], "advice")


if __name__ == "__main__":
    main()
