#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Filters that keep lines in a buffer while somebody waits; those that have a reason are spared."""
import os
import re
import signal
import subprocess

from expectations import expect, expect_equal, expect_in
from findings import AT_ONCE, diagnose, severe
from hangs import PYTHON, asleep, has, looked_at, traced
from harness import main, run, scenario, start, start_record, wait_for

MAY_RUN_BESIDE_OTHERS = True

TIMED_OUT = 124
NAME = "stdio-buffered"

# Two lines come, and their source goes on; filter and reader log themselves, and the latter waits.
PIPELINE = """
(echo one; echo two; exec sleep 60) | { echo $BASHPID >&2; exec FILTER; } |
{ echo reader=$BASHPID >&2; while read -r line; do :; done; }
"""

COPY = "import sys\\nfor line in sys.stdin: print(line, end=str())"

# What each filter is called, and what is said to do.
BUFFERED = {
    "grep one": ("warning", "grep --line-buffered"),
    "grep -n t": ("warning", "grep --line-buffered"),
    "sed s/o/0/": ("warning", "sed -u"),
    "tr a-z A-Z": ("warning", "stdbuf -oL tr"),
    "cut -c1-2": ("warning", "stdbuf -oL cut"),
    "awk '{print $1}'": ("warning", "fflush()"),
    f"/usr/bin/python3 -c $'{COPY}'": ("note", "python3 -u"),
}

# They wait for the end, have nothing to write yet, or write at once.
SOUND = [
    "sort", "wc -l", "tac", "tail -1", "cat", "grep -c o", "grep --line-buffered one",
    "grep -v o", "sed -u s/o/0/", "stdbuf -oL tr a-z A-Z", "awk '{n += 1} END {print n}'",
    f"/usr/bin/python3 -uc $'{COPY}'",
]  # fmt: skip

# What lies in the buffer of each, as -p sees it; python3 has one of its own.
LIES = {
    "grep one": "4 B", "grep -n t": "6 B", "sed s/o/0/": "8 B", "tr a-z A-Z": "8 B",
    "cut -c1-2": "6 B",
}  # fmt: skip

# More than a buffer holds; and once it is taken one more line, of which nothing is written.
SOURCE = """
import fcntl, os, termios, time
os.write(1, b"y\\n" * 2500)
while any(fcntl.ioctl(1, termios.FIONREAD, bytes(4))):
    pass
os.write(1, b"more\\n")
time.sleep(60)
"""
FULL_BUFFER = f"""
/usr/bin/python3 -c '{SOURCE}' | {{ echo $BASHPID >&2; exec tr y Y; }} | cat >/dev/null
"""


# As above, through programs whose names say nothing: one copies lines by stdio, the others do not keep them.
COPIER = """
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char line[100];

	for (int n = 0; fgets(line, sizeof(line), stdin); n++) {
		if (strcmp(argv[1], "most") == 0 || (strcmp(argv[1], "few") == 0 && n % 3 == 0))
			fputs(line, stdout);
		if (strcmp(argv[1], "all") == 0 && argc == 2)
			write(1, line, strlen(line));
	}
}
"""
UNKNOWN = f"""
/usr/bin/python3 -c '{SOURCE.replace("2500", "9000")}' | {{ echo $BASHPID >&2; exec ./copier HOW; }} | cat >/dev/null
"""
# How it copies: what is said. Of the few lines only the look at the limit knows that they are kept.
HOW = {"most": "warning", "few": "warning", "none": None, "all": None}


def words(filter_words):
    return ["bash", "-c", PIPELINE.replace("FILTER", filter_words)]


def logged(result):
    return int(next(word for word in result.stderr.split() if word.isdigit()))


def hang(directory, commands):
    """Their traces, a few at a time, each ended by its limit."""
    runs = []
    environment = {"PYTHONUNBUFFERED": ""}  # set, it would change what is tested
    for number, command in enumerate(commands):
        place = os.path.join(directory, str(number))
        os.mkdir(place)
        runs.append(start_record(place, command, "--timeout", "4", environment=environment))
        if len(runs) % AT_ONCE == 0:
            for result in runs[-AT_ONCE:]:
                result.wait()
    for result in runs:
        expect_equal(result.wait().status, TIMED_OUT, result.stderr.decode())
    return runs


def told(result):
    return [finding for finding in diagnose(result.trace_path)[0] if finding["id"] == NAME]


@scenario("a filter that took in lines and wrote none, while somebody waits, is named with its remedy")
def buffered(directory):
    runs = hang(directory, [words(name) for name in BUFFERED])
    for (name, (severity, cure)), result in zip(BUFFERED.items(), runs):
        found = told(result)
        expect_equal([f["severity"] for f in found], [severity], f"{name}: {found}")
        expect_equal(found[0]["processes"][0], logged(result), f"{name} is named first")
        expect_equal(len(found[0]["processes"]), 2, "then who waits for it")
        expect_in(cure, found[0]["advice"], name)
        expect_in("has taken in 8 B", found[0]["text"], "how much")


@scenario("a filter that waits for the end, has no line to write or writes at once is not accused")
def sound(directory):
    runs = hang(directory, [words(name) for name in SOUND])
    for name, result in zip(SOUND, runs):
        faults = severe(told(result))
        expect(not faults, f"{name} is sound", faults)


@scenario("one that has written a full buffer keeps the rest: it is told; run says it, too")
def full_buffer(directory):
    result = hang(directory, [["bash", "-c", FULL_BUFFER]])[0]
    found = told(result)
    expect_equal([f["processes"][0] for f in found], [logged(result)], str(found))
    place = os.path.join(directory, "run")
    os.mkdir(place)
    result = run(place, words("tr a-z A-Z"), "--timeout", "3", "--diagnose-only", "--lang", "en",
                 status=TIMED_OUT, whole=False)  # fmt: skip
    expect_in(f" {NAME}  tr[{logged(result)}]", result.stderr.decode(), "run says so")


@scenario("a program of any name that has written a buffer of lines and keeps the next ones is told of")
def unknown(directory):
    compiler = ["gcc", "-x", "c", "-", "-o", os.path.join(directory, "copier")]
    subprocess.run(compiler, input=COPIER.encode(), check=True)
    text = UNKNOWN.replace("./copier", os.path.join(directory, "copier"))
    for (how, severity), result in zip(
        HOW.items(), hang(directory, [["bash", "-c", text.replace("HOW", how)] for how in HOW])
    ):
        found = told(result)
        expect_equal([f["severity"] for f in found], [severity] * bool(severity), f"{how}: {found}")
        for finding in found:
            expect_equal(finding["processes"][0], logged(result), how)
            expect_in("stdbuf -oL copier", finding["advice"], how)


@scenario("a filter that is asked and waited for by one program hangs it: an error")
def asked(directory):
    coproc = "coproc exec tr a-z A-Z; echo hi >&${COPROC[1]}; read -r x <&${COPROC[0]}"
    result = hang(directory, [["bash", "-c", coproc]])[0]
    expect_equal([f["severity"] for f in told(result)], ["error"], "bash waits for ever")


# --- not traced -----------------------------------------------------------------------------------

# Programs as beginners write them: they print and never flush.
PRINTERS = {
    "fgets": "while (fgets(line, sizeof(line), stdin)) printf(\"got %s\", line);",
    "poll": "for (struct pollfd in = {0, POLLIN, 0}; poll(&in, 1, -1) > 0;)"
    " if (read(0, line, sizeof(line)) > 0 && !count++) printf(\"1\\n\");",
    "sleep": "for (;; sleep(9)) printf(\"tick\\n\");",
    "flushed": "while (fgets(line, sizeof(line), stdin)) { printf(\"%s\", line); fflush(stdout); }",
}
PRINTER = """
#include <poll.h>
#include <stdio.h>
#include <unistd.h>
int main(void) { char line[100]; int count = 0; BODY return count < 0; }
"""

# It prints into a socket what it was asked for there, as inetd's programs do; who asked waits.
SOCKET = """
import os, select, socket, subprocess, sys
if "tcp" in sys.argv:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        mine = socket.create_connection(listener.getsockname())
        other = listener.accept()[0]
else:
    mine, other = socket.socketpair()
child = subprocess.Popen(["tr", "a-z", "A-Z"], stdin=other, stdout=other)
other.close()
mine.send(b"hello\\n")
print(child.pid, f"reader={os.getpid()}", file=sys.stderr, flush=True)
poll = select.poll()
poll.register(mine, select.POLLIN)
poll.poll()
"""

# A server that says by printf() that it is there, to one who waits for that or, by poll(), for all.
SERVER = """
import ctypes, os, select, socket, subprocess, sys
if sys.argv[1] == "server":
    listener = socket.create_server(("127.0.0.1", 0))
    ctypes.CDLL(None).printf(b"listening\\n")
    poll = select.poll()
    poll.register(listener)
    poll.poll()
words = [sys.executable, "-Ec", sys.argv[2], "server"]
child = subprocess.Popen(words, stdout=subprocess.PIPE)
print(child.pid, f"reader={os.getpid()}", file=sys.stderr, flush=True)
if sys.argv[1] == "reads":
    child.stdout.readline()
poll = select.poll()
poll.register(child.stdout)
poll.poll()
"""


def reader(result):
    found = re.search(rb"reader=(\d+)", result.stderr)
    return int(found.group(1)) if found else None


class Hanging:
    """A program that hangs; ended with all that it started."""

    def __init__(self, directory, name, command):
        place = os.path.join(directory, name)
        os.mkdir(place)
        environment = {"PYTHONUNBUFFERED": ""}
        self.result = start(place, command, environment=environment, start_new_session=True)

    def __enter__(self):
        told = self.result
        wait_for(lambda: reader(told) and re.search(rb"(?m)^\d+\b", told.stderr), "it to begin")
        wait_for(lambda: asleep(reader(told)) and asleep(logged(told)), "it to wait")
        return self.result

    def __exit__(self, *_):
        os.killpg(self.result.process.pid, signal.SIGKILL)
        self.result.process.wait()


def named(findings):
    return [finding for finding in findings if finding["id"] == NAME]


def check_seen(result, amount, cure, severity):
    """By -p of the filter and of the one who waits for it."""
    parties = [logged(result), reader(result)]
    for pid in parties:
        found = named(looked_at(pid, has(NAME), NAME)[0])
        expect_equal([f["severity"] for f in found], [severity], f"-p {pid}: {found}")
        expect_equal(found[0]["processes"], parties, "the filter, then who waits")
        expect_in(f"has collected {amount} of output and written nothing of it", found[0]["text"], "")
        expect_in(cure, found[0]["advice"], "the remedy")


def check_unseen(result):
    findings = looked_at(reader(result), has("blocked"), "that it waits")[0]
    findings += diagnose("-p", str(logged(result)))[0]
    expect_equal(named(findings), [], "nothing lies in a buffer")


def compiled(directory, name, *options):
    program = os.path.join(directory, name)
    source = PRINTER.replace("BODY", PRINTERS[name])
    compiler = ["gcc", *options, "-x", "c", "-", "-o", program]
    subprocess.run(compiler, input=source.encode(), check=True)
    return program


@scenario("-p of a filter, or of who waits for it: how many bytes lie in its buffer, and the remedy")
def untraced(directory):
    for number, (name, amount) in enumerate(LIES.items()):
        with Hanging(directory, str(number), words(name)) as result:
            check_seen(result, amount, BUFFERED[name][1], "warning")


@scenario("-p says nothing of a buffer where nothing lies in one of the C library")
def sound_untraced(directory):
    # mawk may keep its input instead, or not: both are true of it
    others = [name for name in BUFFERED if name not in LIES and not name.startswith("awk")]
    for number, name in enumerate([*SOUND, *others, "grep nothing"]):
        with Hanging(directory, str(number), words(name)) as result:
            check_unseen(result)


@scenario("of any program that prints and waits without fflush(): by -p, and by run at its time limit")
def printers(directory):
    for name, amount in {"fgets": "16 B", "poll": "2 B", "sleep": "5 B"}.items():
        program = compiled(directory, name)
        place = os.path.join(directory, f"of-{name}")
        os.mkdir(place)
        with Hanging(place, "untraced", words(program)) as result:
            check_seen(result, amount, f"stdbuf -oL {name}, fflush(stdout)", "warning")
        told_by_run, findings, result = traced(place, words(program))
        found = named(findings)
        expect_equal([f["severity"] for f in found], ["warning"], f"{name}: {findings}")
        expect_equal(found[0]["processes"], [logged(result), reader(result)], "the same two")
        expect_in(f"{name}[{logged(result)}] has collected {amount} of output", told_by_run, "run")


@scenario("one that flushes, and one that brings its C library along: nothing is said")
def not_seen(directory):
    os.mkdir(os.path.join(directory, "static"))
    for name, program in (
        ("shared", compiled(directory, "flushed")),
        ("own", compiled(os.path.join(directory, "static"), "fgets", "-static")),
    ):
        with Hanging(directory, name, words(program)) as result:
            check_unseen(result)


@scenario("nobody is told of a buffer for which nobody waits")
def unawaited(directory):
    text = words("tr a-z A-Z")[2].replace("while read -r line; do :; done", "exec sleep 60")
    with Hanging(directory, "sleeps", ["bash", "-c", text]) as result:
        findings = looked_at(logged(result), has("blocked"), "that it waits")[0]
        expect_equal(named(findings), [], "its reader does not read")


@scenario("one who asks by a socket and waits for what lies in a buffer: an error, in each way")
def through_sockets(directory):
    for kind in ("unix", "tcp"):
        command = [PYTHON, "-c", SOCKET, kind]
        with Hanging(directory, kind, command) as result:
            check_seen(result, "6 B", "stdbuf -oL tr", "error")
        place = os.path.join(directory, f"{kind}-traced")
        os.mkdir(place)
        told_by_run, findings, result = traced(place, command, 3)
        expect_equal([f["severity"] for f in named(findings)], ["error"], f"{kind}: {findings}")
        expect_equal(named(findings)[0]["processes"][0], logged(result), "the filter")
        expect_in("has collected 6 B of output", told_by_run, "run")


@scenario("-p of bash and the filter that it asked: an error")
def asked_untraced(directory):
    coproc = (
        "coproc exec tr a-z A-Z; echo $COPROC_PID reader=$$ >&2;"
        "echo hi >&${COPROC[1]}; read -r x <&${COPROC[0]}"
    )
    with Hanging(directory, "coproc", ["bash", "-c", coproc]) as result:
        check_seen(result, "3 B", "stdbuf -oL tr", "error")


@scenario("a server that prints that it is there: a warning for who waits to read it, else a note")
def of_server(directory):
    for how, severity in {"reads": "warning", "looks": "note"}.items():
        with Hanging(directory, how, [PYTHON, "-Ec", SERVER, how, SERVER]) as result:
            check_seen(result, "10 B", "fflush(stdout)", severity)


if __name__ == "__main__":
    main()
