#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Limits of the system and of the target: each is told in one harmless line, and the status says so."""
import json
import os
import resource
import subprocess
import threading

from expectations import expect, expect_equal
from harness import main, scenario, wait_for
from traces import BUILD, IPCLENS, TIMEOUT, call, ipclens, messages, one_error

HERE = os.path.dirname(os.path.abspath(__file__))
A_TRACE = os.path.join(HERE, "..", "gallery", "traces", "flood.ndjson")
FILE_MAX = 8192
OWN_FAILURE = 125
PROGRAMS = (IPCLENS, os.path.join(BUILD, "ipclens-view"))


def commands_of(program):
    """The names of its commands."""
    told = call([program, "--describe"]).stdout.decode().splitlines()
    return [line.split("\t")[1] for line in told]


def file_limit():
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_MAX, FILE_MAX))


@scenario("a limit of file sizes (ulimit -f) is like a full disk: told, and nobody dies of SIGXFSZ")
def file_size(directory):
    many = ["sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do ls / | wc; done"]
    trace, picture = (os.path.join(directory, name) for name in ("t.ndjson", "p.html"))
    for words, status in (
        (["record", "-o", trace, "--", *many], OWN_FAILURE),
        (["run", "--trace", trace, "--", *many], OWN_FAILURE),
        (["run", "--", *many], OWN_FAILURE),
        (["run", "-o", picture, "--", "true"], OWN_FAILURE),
        (["view", "-o", picture, A_TRACE], 1),
        (["schema"], 1),
        (["messages", A_TRACE], 1),
    ):
        with open(os.path.join(directory, "out"), "wb") as out:
            told = call(
                [IPCLENS, *words], check=False, stdout=out, stderr=subprocess.PIPE,
                preexec_fn=file_limit,
            )
        expect_equal(told.returncode, status, f"{words}: its status")
        expect(b"File too large" in told.stderr, f"{words} says why", told.stderr)


@scenario("nor where nothing may be written at all: help, version, doctor, the names of commands")
def no_file_at_all(directory):
    for words in (["--help"], ["--version"], ["help", "run"], ["record", "--help"], ["doctor"]):
        with open(os.path.join(directory, "out"), "wb") as out:
            told = call(
                [IPCLENS, *words], check=False, stdout=out, stderr=subprocess.PIPE,
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)),
            )
        one_error(told, 1, "file too large")


@scenario("the command may be ended by SIGXFSZ as without ipclens")
def file_size_of_command(directory):
    big = ["sh", "-c", f"head -c {FILE_MAX + 1} /dev/zero > '{directory}/big'; kill -l $?"]
    told = call(["sh", "-c", 'ulimit -f 8; exec "$@"', "sh", *record_to_pipe(big)])
    expect(b"XFSZ" in told.stderr, "it was SIGXFSZ", told.stderr)


def record_to_pipe(command):
    return [IPCLENS, "record", "-o", "-", "--", *command]


@scenario("a limit of open files (ulimit -n) that is too low is named; a soft one does not matter")
def open_files(directory):
    trace = os.path.join(directory, "t.ndjson")
    command = ["--", "sh", "-c", "ulimit -n"]
    told = call([IPCLENS, "record", "-o", trace, *command], preexec_fn=file_count(20, 4096))
    expect_equal(told.stdout, b"20\n", "the command has its own limit")
    poor = ["setpriv", "--bounding-set=-sys_resource", IPCLENS]  # which makes a hard limit soft
    for words, status in (
        (["record", "-o", trace, *command], OWN_FAILURE),
        (["run", *command], OWN_FAILURE),
        (["run", "--timeout", "9", *command], OWN_FAILURE),
        (["diagnose", "-p", str(os.getpid())], 2),
        (["top", "--once", "--every", "1s"], 1),
    ):
        for most in (15, 20):  # with 15 libbpf fails by EINVAL
            told = call([*poor, *words], check=False, preexec_fn=file_count(most, most))
            one_error(told, status, f"no more than {most} files may be open", "ulimit")
    call([IPCLENS, "top", "--once", "--every", "1s"], preexec_fn=file_count(20, 4096))
    told = call([*poor, "doctor"], check=False, preexec_fn=file_count(20, 20))
    expect(told.returncode == 1 and b"ulimit -Hn" in told.stdout, "doctor", told.stdout)


def file_count(soft, hard):
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@scenario("20 open files are enough to look at a trace; where there are fewer the limit is named")
def open_files_of_viewer(directory):
    picture = os.path.join(directory, "p.svg")
    for words in (["view"], ["view", "-o", picture], ["stats"], ["messages"], ["diagnose"]):
        told = call(
            [IPCLENS, *words, A_TRACE], check=False, preexec_fn=file_count(20, 20)
        )
        expect_equal(told.returncode, 0, f"{words}; stderr: {told.stderr!r}")
    told = call(
        [IPCLENS, "view", "-o", picture, A_TRACE], check=False, preexec_fn=file_count(4, 4)
    )
    one_error(told, 1, "too many files are open", "ulimit -n")


def to_full_disk(words):
    with open("/dev/full", "wb") as full:
        return call(words, check=False, stdout=full, stderr=subprocess.PIPE)


@scenario("help and version that cannot be written fail, of each command of both programs")
def help_to_full_disk(directory):
    del directory
    for program in PROGRAMS:
        names = commands_of(program)
        expect(len(names) >= 6, f"the commands of {program}", names)
        for words in (
            ["--help"],
            ["help"],
            ["--version"],
            ["--describe"],
            *(["help", name] for name in names),
            *([name, "--help"] for name in names),
            *([name, "--describe"] for name in names),
        ):
            one_error(to_full_disk([program, *words]), 1, "no space left")
    told = call([IPCLENS, "view", "--help"])
    expect(told.stdout.startswith(b"Usage: ipclens view") and b"Examples" in told.stdout, "whole")


@scenario("what a command prints and cannot be written is an error with a status")
def output_to_full_disk(directory):
    pictures = ("text", "html", "svg", "mermaid", "plantuml", "dot", "trace-event", "pcapng")
    for program in PROGRAMS:
        for words, status in (
            (["schema"], 1),
            (["schema", "--keys"], 1),
            (["explain"], 1),
            (["explain", "deadlock"], 1),
            (["messages", A_TRACE], 1),
            (["stats", A_TRACE], 1),
            (["stats", "--json", A_TRACE], 1),
            (["diagnose", A_TRACE], 2),
            (["diagnose", "--json", A_TRACE], 2),
            *((["view", "--as", name, A_TRACE], 1) for name in pictures),
        ):
            one_error(to_full_disk([program, *words]), status, "no space left")
        told = call([program, "view", "-o", "/dev/full", A_TRACE], check=False)
        one_error(told, 1, "no space left")
    one_error(to_full_disk([IPCLENS, "doctor"]), 1, "no space left")
    one_error(to_full_disk([IPCLENS, "diagnose", "-p", str(os.getpid())]), 2, "no space left")
    for words in (["record", "-o"], ["run", "-o"]):
        told = call([IPCLENS, *words, "/dev/full", "--", "true"], check=False, cwd=directory)
        expect_equal(told.returncode, OWN_FAILURE, f"{words}; stderr: {told.stderr!r}")
        expect(b"No space left" in told.stderr, f"{words} says why", told.stderr)
    for device in ("/dev/full", "/dev/zero", "/dev/null"):  # which run would have to read again
        told = ipclens("run", "--trace", device, "--", "touch", os.path.join(directory, "ran"))
        one_error(told, OWN_FAILURE, device, "no regular file")
    expect_equal(os.listdir(directory), [], "and the command did not run")


@scenario("-p of what cannot be traced says so: kernel threads, ended processes, single threads")
def nothing_to_trace(directory):
    trace = os.path.join(directory, "t.ndjson")
    ended = subprocess.Popen(["true"])
    wait_for(lambda: os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT), "its end")
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        for pid, words in (
            (2, ("thread of the kernel", "nothing to trace")),
            (ended.pid, ("has ended", "nothing to trace")),
            (thread.native_id, ("is a thread of process", f"-p {os.getpid()}")),
        ):
            told = ipclens("record", "-o", trace, "-p", str(pid))
            one_error(told, OWN_FAILURE, str(pid), *words)
            one_error(ipclens("diagnose", "-p", str(pid)), 2, str(pid), *words)
            one_error(ipclens("top", "--once", "-p", str(pid)), 1, str(pid), *words)
    finally:
        stop.set()
        thread.join()
        ended.wait()


@scenario("a process whose main thread has ended is traced all the same")
def main_thread_gone(directory):
    program = (
        "import ctypes, os, threading\n"
        "r, w = os.pipe()\n"
        "def talk():\n"
        "    while os.read(0, 1): os.write(w, b'abc'); os.read(r, 3)\n"
        "threading.Thread(target=talk).start()\n"
        "ctypes.CDLL(None).syscall(60, 0)\n"  # exit(2), of this thread only
    )
    process = subprocess.Popen(["/usr/bin/python3", "-c", program], stdin=subprocess.PIPE)
    trace = os.path.join(directory, "t.ndjson")
    try:
        wait_for(lambda: state_of(process.pid) == "Z", "the end of the main thread")
        tracer = subprocess.Popen(
            [IPCLENS, "record", "-o", trace, "-p", str(process.pid)], stderr=subprocess.PIPE
        )
        expect(b"tracing" in tracer.stderr.readline(), "it is joined")
        process.stdin.write(b"x")
        process.stdin.close()
        expect_equal(tracer.wait(TIMEOUT), 0, "the tracer's status")
    finally:
        process.kill()
        process.wait()
    said = [m for m in messages(trace) if m["mechanism"] == "pipe" and m["bytes"] == 3]
    expect_equal([m["match"] for m in said], ["exact"], "what it said to itself is there")


def state_of(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        return file.read().rpartition(")")[2].split()[0]


HOSTILE = "a\x1b[31m\u202e\u200b\x07.ndjson"
HARMLESS = r"a\x1b[31m\u202e\u200b\a.ndjson"


@scenario("what a file's name holds is harmless in errors, whoever has named it")
def hostile_names(directory):
    path = os.path.join(directory, HOSTILE)
    with open(path, "w", encoding="ascii") as file:
        file.write("{}\n")
    missing = path + ".not"
    for words in (
        ["view", path],
        ["view", missing],
        ["stats", path],
        ["messages", path],
        ["diagnose", path],
        ["view", "-o", path + "/x", A_TRACE],
        ["record", "-o", path + "/x", "--", "true"],
        ["run", "--trace", path + "/x", "--", "true"],
        ["run", "--", path],
        ["view", path, path],
        ["view", "--as", path],
        ["view", "--" + HOSTILE],
        ["record", "--" + HOSTILE, "--", "true"],
        ["explain", path],
        [path],
    ):
        told = ipclens(*words)
        expect(told.returncode != 0, f"{words} fails")
        expect(HARMLESS.encode() in told.stderr, f"{words}: it is named", told.stderr)
        for character in ("\x1b", "\u202e", "\u200b", "\x07"):
            expect(character.encode() not in told.stderr, f"{words}: no raw {character!r}")


@scenario("what a trace holds is harmless in JSON and in text: messages, stats, diagnose, view")
def hostile_names_in_json(directory):
    trace = os.path.join(directory, "t.ndjson")
    program = os.path.join(directory, "p\u202ex\u200b\u009b")
    os.symlink("/bin/sh", program)
    words = ["sh", "-c", f"printf '\u202eabc\U000e0001' | '{program}' -c 'cat; exit 3'"]
    call([IPCLENS, "record", "-o", trace, "--", *words], check=False)
    seen = b""
    for verb in (["messages"], ["stats", "--json"], ["diagnose", "--json"]):
        seen += ipclens(*verb, trace).stdout
    parsed = json.dumps([json.loads(line) for line in seen.splitlines()], ensure_ascii=False)
    for verb in (["view", "--unfold"], ["stats"], ["diagnose"]):
        seen += ipclens(*verb, trace).stdout
    for character in ("\u202e", "\u200b", "\u009b", "\U000e0001"):
        expect(character.encode() not in seen, f"no raw {character!r}")
    expect(rb'"comm":"p\u202ex\u200b\u009b' in seen, "but escaped, as JSON has it", seen)
    expect("p\u202ex\u200b\u009b" in parsed, "whoever parses it has the name itself", parsed)
    with open(trace, "rb") as file:
        kept = file.read()
    expect("\u202e".encode() not in kept, "nor is it raw in the trace")
    expect(rb"\u202eabc\udb40\udc01" in kept, "a pair of surrogates above U+FFFF", kept)


if __name__ == "__main__":
    main()
