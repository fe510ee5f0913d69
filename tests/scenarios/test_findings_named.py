#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Findings: each fault is named, with its processes and its channel; sound programs get none."""
import os
import re

from expectations import expect, expect_equal, expect_in
from findings import HANGS, diagnose, expect_finding, in_batches
from harness import IPCLENS, finish, lab, main, needs, record, scenario
from servers import WAIT, free_port, script
from traces import ROOT, Trace, call

TIMED_OUT = 124

# What each program with a mistake that ends is, its exit status, and what it must not be called.
MISTAKES = {
    "mistakes sigpipe": ("broken-pipe", 128 + 13, ["killed-by-signal"]),
    "mistakes epipe": ("broken-pipe", 0, ["send-given-up", "unread-data"]),
    "mistakes exec-goes-on": ("exec-failed", 0, ["broken-pipe"]),
    "mistakes exec-in-silence": ("exec-failed", 0, ["broken-pipe"]),
    "mistakes no-handler": ("killed-by-signal", 0, ["signal-ignored", "broken-pipe"]),
    "mistakes sigwait-unblocked": ("killed-by-signal", 0, ["signal-ignored", "lost-wakeup"]),
    "mistakes crash": ("killed-by-signal", 0, ["broken-pipe"]),
    "mistakes left-in-pipe": ("unread-data", 0, ["broken-pipe"]),
    "mistakes left-in-queue": ("unread-data", 0, ["queue-left-behind"]),
    "mistakes too-big": ("message-truncated", 0, ["send-given-up"]),
    "mistakes partial-write": ("partial-write", 0, ["send-given-up", "broken-pipe"]),
    "mistakes gives-up": ("interrupted-call", 0, ["killed-by-signal"]),
    "mistakes gives-up-queue": ("interrupted-call", 0, ["killed-by-signal"]),
    "mistakes coalesced": ("signal-coalesced", 0, ["signal-ignored"]),
    "mistakes coalesced-children": ("signal-coalesced", 0, ["signal-ignored", "zombie"]),
    "mistakes too-late": ("signal-ignored", 0, ["killed-by-signal"]),
    "mistakes ignored": ("signal-ignored", 0, ["killed-by-signal", "signal-coalesced"]),
    "mistakes status-ignored": ("status-lost", 0, ["zombie"]),
    "mistakes status-collected": ("status-lost", 0, ["zombie"]),
    "mistakes left-queue": ("queue-left-behind", 0, []),
    "mistakes left-semaphore": ("queue-left-behind", 0, []),
    "mistakes busy": ("busy-wait", 0, ["send-given-up"]),
    "mistakes busy-poll": ("busy-wait", 0, ["send-given-up"]),
    "mistakes busy-queue": ("busy-wait", 0, ["send-given-up"]),
    "mistakes busy-wait": ("busy-wait", 0, ["zombie"]),
    "mistakes busy-kill": ("busy-wait", 0, ["signal-ignored"]),
    "mistakes gives-up-sending": ("send-given-up", 0, ["busy-wait", "datagram-dropped"]),
    "mistakes mixed-in-pipe": ("interleaved-write", 0, ["partial-write"]),
    "mistakes tiny": ("tiny-transfers", 0, ["busy-wait"]),
    "mistakes keeps-end": ("inherited-end", 0, ["no-eof"]),
    "mistakes keeps-fifo": ("inherited-end", 0, ["no-eof"]),
    "mistakes slow-reader": ("full-channel", 0, ["blocked"]),
    "mistakes slow-worker": ("full-channel", 0, ["blocked"]),
    "mistakes race-in-mapping": ("unsynchronised-sharing", 0, ["lock-order"]),
    "mistakes race-in-segment": ("unsynchronised-sharing", 0, ["lock-order", "queue-left-behind"]),
    "socketmistakes cut-datagram": ("message-truncated", 0, ["unread-data", "split-stream"]),
    "socketmistakes cut-udp": ("message-truncated", 0, ["unread-data", "split-stream"]),
    "socketmistakes too-big-for-udp": ("message-truncated", 0, ["datagram-dropped"]),
    "socketmistakes descriptors-cut": ("message-truncated", 0, ["unread-data"]),
    "socketmistakes listens-elsewhere": ("connection-refused", 0, ["never-accepted"]),
    "socketmistakes dropped": ("datagram-dropped", 0, ["unread-data"]),
    "socketmistakes dropped-in-batch": ("datagram-dropped", 0, ["unread-data"]),
    "socketmistakes nobody-there": ("datagram-dropped", 0, ["connection-refused"]),
    "socketmistakes nobody-there-connected": ("datagram-dropped", 0, ["connection-refused"]),
    "socketmistakes unheard": ("unread-data", 0, ["datagram-dropped"]),
    "socketmistakes gives-up-sending": ("send-given-up", 0, ["busy-wait", "datagram-dropped"]),
    "socketmistakes mixed-in-stream": ("interleaved-write", 0, ["partial-write"]),
    "socketmistakes broken": ("broken-pipe", 0, ["reset-with-data"]),
    "socketmistakes partial-write": ("partial-write", 0, ["send-given-up", "broken-pipe"]),
    "socketmistakes refused": ("connection-refused", 0, ["connection-failed", "never-accepted"]),
    "socketmistakes refused-unix": ("connection-refused", 0, ["connection-failed", "never-accepted"]),
    "socketmistakes in-use": ("address-in-use", 0, []),
    "socketmistakes in-use-unix": ("address-in-use", 0, []),
    "socketmistakes never-accepted": ("never-accepted", 0, ["connection-refused", "blocked"]),
    "socketmistakes never-accepted-unix": ("never-accepted", 0, ["connection-refused", "blocked"]),
    "socketmistakes reset": ("reset-with-data", 0, ["broken-pipe"]),
    "socketmistakes reset-by-client": ("reset-with-data", 0, ["broken-pipe"]),
    "socketmistakes tiny": ("tiny-transfers", 0, ["busy-wait"]),
    "socketmistakes busy-peek": ("busy-wait", 0, ["tiny-transfers", "split-stream"]),
    "socketmistakes split": ("split-stream", 0, ["message-truncated"]),
    "socketmistakes split-tcp": ("split-stream", 0, ["message-truncated"]),
    "records 48 64": ("split-stream", 0, ["message-truncated"]),
    "records 64 48 fifo": ("split-stream", 0, ["message-truncated"]),
    "socketmistakes delayed-ack": ("delayed-ack", 0, ["tiny-transfers"]),
    "socketmistakes delayed-ack-three": ("delayed-ack", 0, ["tiny-transfers"]),
    "socketmistakes more-announced": ("held-back", 0, ["delayed-ack"]),
    "socketmistakes corked": ("held-back", 0, ["delayed-ack"]),
}


# What must be said of some of them.
WORDS = {
    "mistakes exec-goes-on": "could not execute ipclens-no-such-program: there is no such program",
    "mistakes exec-in-silence": "it ended with status 1",
    "mistakes status-ignored": "it ignores SIGCHLD",
    "mistakes status-collected": "another wait of it, for any child, had collected that",
    "socketmistakes too-big-for-udp": "a datagram of UDP holds at most 65,507 bytes",
    "socketmistakes descriptors-cut": "lost the descriptors of a message",
    "socketmistakes more-announced": "with MSG_MORE and then waited for the answer, ",
    "socketmistakes corked": "with TCP_CORK and then waited for the answer, ",
    "socketmistakes listens-elsewhere": "listens at this port, but at 127.0.0.1:",
}


@scenario("each mistake of a program that ends is named, with its processes and its channel")
def mistakes(directory):
    for run, name in in_batches(directory, list(MISTAKES)):
        wanted, status, forbidden = MISTAKES[name]
        finish(run, status, True)
        told = expect_finding(run, wanted, forbidden)
        expect_in(WORDS.get(name, ""), " ".join([told[0]["text"], *told[0]["evidence"]]), name)


@scenario("what is held back is told with its receiver, and how long that slept")
def held_back(directory):
    for run, name in in_batches(directory, ["socketmistakes more-announced", "socketmistakes corked"]):
        finish(run, 0, True)
        finding = expect_finding(run, "held-back")[0]
        pattern = r", (\d+) times?: \S+\[(\d+)\] slept (\S+) (m?)s in all until the bytes came"
        times, pid, told, milli = re.search(pattern, finding["text"]).groups()
        told = float(told) / (1000 if milli else 1)
        receives = Trace(run.trace_path).operations(role="receive", pid=int(pid))
        slept = sum(op.get("off_cpu_ns", 0) for op in receives) / 1e9
        expect(int(times) * 0.15 <= told <= slept + 0.005, f"{name}: {told} of {slept} s", receives)
        expect_equal(finding["severity"] == "warning", int(times) >= 3, f"{name}: how grave")


@scenario("a cork that is pulled before the answer is waited for, and a last piece without MSG_MORE, are sound")
def held_back_no_longer(directory):
    result = record(directory, lab("socketmistakes", "uncorked"))
    options = [op["option"] for op in Trace(result.trace_path).operations(syscall="setsockopt")]
    corks = [option["value"] for option in options if option["name"] == "TCP_CORK"]
    expect_equal(corks, [1, 0] * 5, "a cork for each request")
    found = [finding["id"] for finding in diagnose(result.trace_path)[0]]
    expect("held-back" not in found, "it is told of nothing held back", found)


# Writes and reads of what size; and the same where it is sound, or where nobody can tell.
TORN = ["records 48 64", "records 100 64", "records 100 120 fifo"]
NOT_TORN = [
    "records 48 48", "records 48 96", "records 48 16", "records 48 100", "records 48 4096",
    "records 600 512", "records 48 64 lines", "records 100 120 lines", "records 48 64 prefixed",
]  # fmt: skip


@scenario("records that a pipe's reader tears apart are told with the parts that it counted itself")
def torn_records(directory):
    for run, name in in_batches(directory, TORN):
        finish(run, 0, True)
        told = expect_finding(run, "split-stream")
        parts = next(line["value"] for line in run.truth if line["do"] == "parts")
        expect_in(f" {parts} parts ", told[0]["text"], f"{name}: how many")
        written, asked = name.split()[1:3]
        expect_in(f"{written} bytes, each read asks for {asked}", told[0]["evidence"][0], name)
        expect_equal(told[0]["severity"], "note", f"{name}: it may be meant")


@scenario("records read whole, in fields or into a buffer, and those that say where they end, are not")
def records_not_torn(directory):
    for run, name in in_batches(directory, NOT_TORN):
        finish(run, 0, True)
        told = [f for f in diagnose(run.trace_path)[0] if f["id"] == "split-stream"]
        expect(not told, f"{name} is sound", told)


# What a reader does while its sender sleeps for most of its life, and how grave that is.
SLOW = {
    "mistakes slow-reader": ("warning", "slept"),
    "mistakes slow-worker": ("note", "only slower"),
}


@scenario("a sender that sleeps on a full channel: a reader that sleeps is a fault, a slow one is not")
def slow_readers(directory):
    for run, name in in_batches(directory, list(SLOW)):
        finish(run, 0, True)
        severity, doing = SLOW[name]
        told = expect_finding(run, "full-channel")
        expect_equal([finding["severity"] for finding in told], [severity], f"{name}: {told}")
        expect_in(doing, " ".join(told[0]["evidence"]), f"{name}: what the reader did")


# Each writer of its own pipe, which nobody can read, dies of SIGPIPE.
WRITERS = """
import os, signal
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
for _ in range(COUNT):
    reading, writing = os.pipe()
    os.close(reading)
    if not os.fork():
        os.write(writing, b"x")
    os.close(writing)
    os.wait()
"""


@scenario("many writers that die of SIGPIPE alike are one finding with their count, few are each one")
def many_alike(directory):
    for count, wanted in ((3, [1, 1, 1]), (12, [12])):
        place = os.path.join(directory, str(count))
        os.mkdir(place)
        run = record(place, ["/usr/bin/python3", "-c", WRITERS.replace("COUNT", str(count))])
        told = diagnose(run.trace_path)[0]
        expect_equal([f["id"] for f in told], ["broken-pipe"] * len(wanted), f"of {count}: {told}")
        expect_equal([f["alike"] for f in told], wanted, "how many each stands for")
        more = f"(and {count - 1} more like this: python3, python3)"
        expect_equal(more in told[0]["text"], len(wanted) == 1, f"the text: {told[0]['text']}")


NGINX = """daemon off; master_process off; pid nginx.pid; error_log error.log; user root;
events {} http { access_log access.log; server { listen 127.0.0.1:PORT; root .; } }
"""

ASKED = 3  # connections, each for more than one read(2) takes


@scenario("how nginx and ab split their streams is told once, however many connections they have")
def streams_split(directory):
    needs("nginx", "ab")
    port = free_port()
    with open(os.path.join(directory, "conf"), "w", encoding="ascii") as file:
        file.write(NGINX.replace("PORT", str(port)))
    with open(os.path.join(directory, "large"), "wb") as file:
        file.write(bytes(300000))
    url = f"http://127.0.0.1:{port}"
    run = script(
        directory, f"nginx -p '{directory}' -c conf & S=$!", WAIT % f"curl -s {url}/conf",
        f"ab -q -n {ASKED} -c 1 {url}/large >ab; kill -QUIT $S; wait",
    )  # fmt: skip
    names = {line["pid"]: line["comm"] for line in run.trace.lines if line.get("comm")}
    pairs = [
        tuple(names[pid] for pid in finding["processes"])
        for finding in diagnose(run.trace_path)[0]
        if finding["id"] == "split-stream"
    ]
    expect_equal(pairs.count(("ab", "nginx")), 1, f"what ab received, once: {pairs}")
    expect_equal(len(pairs), len(set(pairs)), f"no pair of programs twice: {pairs}")


@scenario("diagnose and explain speak German, exit as --fail-on says, and match docs/findings.md")
def manners(directory):
    path = record(directory, lab("mistakes", "epipe")).trace_path
    diagnose(path, "--fail-on", "error")
    diagnose(path, "--fail-on", "warning", status=1)
    german = call([IPCLENS, "diagnose", path], env=dict(os.environ, LANG="de_DE.UTF-8", LC_ALL=""))
    expect_in("schrieb in", german.stdout.decode(), "German where LANG is")
    plain = call([IPCLENS, "diagnose", "--lang", "en", path]).stdout.decode()
    expect_in("broken-pipe", plain, "the finding")
    expect_in("ipclens explain broken-pipe", plain, "and where to read more")
    page = call([IPCLENS, "explain", "--lang", "en", "--markdown"]).stdout
    with open(os.path.join(ROOT, "docs", "findings.md"), "rb") as file:
        expect(file.read() == page, "docs/findings.md is current: make findings-doc")


def explain(*options):
    return call([IPCLENS, "explain", *options]).stdout.decode()


# Findings that no lab of the tables above has, with the scenarios in which two real programs do.
SHOWN_BY_TOOLS = {
    "misuse": "test_misuses.py",
    "limit-reached": "test_misuses.py",
    "nonblocking-shared": "test_misuses.py",
    "stopped": "test_hangs_real_tools.py",
    "running": "test_hangs_real_tools.py",
    "stdio-buffered": "test_stdio_buffered.py",
    "connection-failed": "test_connections_refused.py",
    "stolen-input": "test_stolen_input.py",
    "read-ahead": "test_stolen_input.py",
    "doubled-output": "test_doubled_output.py",
    "partial-read": "test_doubled_output.py",
    "thread-lock": "test_thread_locks.py",
    "lock-order": "test_locks_and_memory.py",
    "lock-in-vain": "test_locks_and_memory.py",
    "answer-not-ended": "test_strangers_faults.py",
    "no-answer": "test_no_answer.py",
    "awaited-continue": "test_no_answer.py",
    "lock-refused": "test_hangs_kept_out.py",
    "lock-file": "test_lock_files.py",
    "never-made": "test_vain_lookups.py",
    "signal-held": "test_held_signals.py",
}


def shown_by_tools():
    for name, scenarios in SHOWN_BY_TOOLS.items():
        with open(os.path.join(os.path.dirname(__file__), scenarios), encoding="utf-8") as file:
            expect_in(f'"{name}"', file.read(), scenarios)
        yield from (name, name)


@scenario("each finding that explain lists has two programs that have it, at least")
def two_programs_each(_directory):
    programs = [wanted for wanted, *_ in (*HANGS.values(), *MISTAKES.values())]
    programs += shown_by_tools()
    for name in (line.split()[0] for line in explain("--lang", "en").splitlines()):
        expect(programs.count(name) >= 2, f"two programs have {name}", programs)


# Writers of more than a pipe holds, into a reader that has enough before the end.
CUT_SHORT = ["dd if=/dev/zero bs=1M count=1", "/usr/bin/python3 -c 'import os; os.write(1, bytes(1 << 20))'"]


@scenario("a write that ends early because the last reader goes is no partial write")
def reader_has_enough(directory):
    for number, writer in enumerate(CUT_SHORT):
        place = os.path.join(directory, str(number))
        os.mkdir(place)
        result = record(place, ["sh", "-c", f"{writer} | head -c 70000 >/dev/null"])
        writes = Trace(result.trace_path).operations(syscall="write", requested=1 << 20)
        expect(0 < writes[0]["returned"] < 1 << 20, "it took a part", writes)
        found = [finding["id"] for finding in diagnose(result.trace_path)[0]]
        expect("partial-write" not in found, f"{writer}: the reader had enough", found)


@scenario("German text names severities in German: the list, the page, each finding's own")
def german_severities(_directory):
    german = {"error": "Fehler", "warning": "Warnung", "note": "Hinweis"}
    rows = [line.split() for line in explain("--lang", "en").splitlines()]
    expect_equal({severity for _, severity in rows}, set(german), "all that there are")
    wanted = [[name, german[severity]] for name, severity in rows]
    told = [line.split() for line in explain("--lang", "de").splitlines()]
    expect_equal(told, wanted, "the list")
    page = explain("--lang", "de", "--markdown")
    expect("# Befunde" in page and "What " not in page, "the page's head is German", page[:400])
    for name, severity in wanted:
        head = explain("--lang", "de", name).splitlines()[0]
        expect_equal(head, f"{name} ({severity})", "a finding's first line")
        expect_in(f"## {name}\n\n*{severity}* –", page, "the page")


@scenario("run ends with the findings in brief; --diagnose-only prints them alone, and whole")
def at_the_end_of_run(directory):
    told = call([IPCLENS, "run", "--", *lab("mistakes", "epipe")]).stderr.decode()
    expect_in("broken-pipe", told.splitlines()[-1], "the finding is the last line")
    expect_in("─▶ control", told, "after the picture")
    told = call([IPCLENS, "run", "--", "sh", "-c", "ls | wc"]).stderr.decode()
    expect("broken-pipe" not in told, "nothing where nothing is wrong", told)
    told = call([IPCLENS, "run", "--diagnose-only", "--", *lab("mistakes", "epipe")]).stderr
    expect_in("explain broken-pipe", told.decode(), "with advice")
    expect("─▶ control" not in told.decode(), "no picture with a legend", told)


def run_status(*words):
    result = call([IPCLENS, "run", *words], check=False)
    return result.returncode, result.stderr.decode()


@scenario("run --fail-on exits with 1 where a finding is that bad and the command's own status is 0")
def run_with_a_bar(_directory):
    bar = ["--diagnose-only", "--fail-on"]
    epipe = ["--", *lab("mistakes", "epipe")]
    for severity, wanted in (("warning", 1), ("note", 1), ("error", 0)):
        expect_equal(run_status(*bar, severity, *epipe)[0], wanted, f"a warning, at {severity}")
    expect_equal(run_status("--", *lab("mistakes", "epipe"))[0], 0, "no bar")
    expect_equal(run_status(*bar, "note", "--", "sh", "-c", "exit 0")[0], 0, "nothing is found")
    sigpipe = run_status(*bar, "error", "--", *lab("mistakes", "sigpipe"))[0]
    expect_equal(sigpipe, 128 + 13, "the command's own status says more")
    hung = ["--timeout", "2", *bar, "error", "--", *lab("endless", "reader-keeps")]
    expect_equal(run_status(*hung)[0], TIMED_OUT, "so does the time that ran out")
    status, told = run_status("--live", "--fail-on", "warning", *epipe)
    expect_equal(status, 1, "a bar holds with --live, too")
    expect_in("explain broken-pipe", told, "and it is seen what did not meet it")
    status, told = run_status("--fail-on", "awful", "--", "true")
    expect_equal(status, 125, "an unknown severity")
    expect_in("--fail-on wants error, warning or note", told, "is told")


@scenario("run and view speak of findings in the language of --lang")
def run_in_german(directory):
    path = os.path.join(directory, "kept.ndjson")
    epipe = ["--", *lab("mistakes", "epipe")]
    for options in (["--diagnose-only"], []):
        told = run_status("--lang", "de", "--trace", path, *options, *epipe)[1]
        expect_in("schrieb in", told.splitlines()[0 if options else -1], "the finding in German")
    for language, words in (("de", "schrieb in"), ("en", "wrote to")):
        picture = call([IPCLENS, "view", "--lang", language, "--no-pager", path]).stdout.decode()
        expect_in(words, picture, "the mark in a picture")
    expect_in("--lang wants en or de", run_status("--lang", "fr", *epipe)[1], "no other")


LASTING = {
    "en": r"for (\d+(?:\.\d+)?) s \(since (\d+\.\d{3}) s\)",
    "de": r"seit (\d+(?:,\d+)?) s \(ab (\d+,\d{3}) s\)",
}


@scenario("how long a wait lasted, and since when, is told in the words of each language")
def durations(directory):
    path = os.path.join(directory, "kept.ndjson")
    sleeper = ["--timeout", "2", "--diagnose-only", "--trace", path]
    told = {}
    for language, pattern in LASTING.items():
        status, text = run_status(
            "--lang", language, *sleeper, "--", "sh", "-c", "sleep 0.1; exec sleep 60"
        )
        expect_equal(status, TIMED_OUT, "the limit ended it")
        line = next(line for line in text.splitlines() if " blocked  sleep[" in line)
        expect(re.search(rf" {pattern}[; ]", line), f"run in {language}: {line}")
    for language, pattern in LASTING.items():
        text = call([IPCLENS, "diagnose", "--json", "--lang", language, path]).stdout.decode()
        found = re.search(pattern, text)
        expect(found, f"diagnose in {language}: {text}")
        told[language] = [float(word.replace(",", ".")) for word in found.groups()]
    expect_equal(told["de"], told["en"], "both say the same of one trace")
    lasted, since = told["en"]
    trace = Trace(path)
    span = trace.one("trailer")["at_ns"] - trace.one("header")["start_ns"]
    expect(since >= 0.1, "the first sleep was over", told)
    expect(0 < lasted <= span / 1e9 - since + 0.01, f"within the trace of {span} ns", told)


@scenario("many bytes are Bytes in German")
def bytes_in_german(_directory):
    options = ["--timeout", "2", "--diagnose-only", "--lang", "de", "--"]
    text = run_status(*options, "sh", "-c", "yes | sleep 60")[1]
    expect_in("(in der Pipe liegen 65.536 von 65.536 Bytes)", " ".join(text.split()), "a full pipe")


if __name__ == "__main__":
    main()
