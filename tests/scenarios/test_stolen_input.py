#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Commands that take input which another one was to have: a shell's loop, or who reads after them; and sound twins."""
import os
import shlex

from expectations import expect, expect_equal, expect_in
from findings import diagnose
from harness import main, needs, record, scenario
from servers import remote_shell

MAY_RUN_BESIDE_OTHERS = True

NAME = "stolen-input"

# Three lines go in; the lines that the loop got are counted in its status.
LINES = "printf 'one\\ntwo\\nthree\\n'"
COUNTED = "n=0; while read -r line; do n=$((n + 1)); {body}; done"

SHELLS = ["bash", "dash"]

# What takes the rest in such a loop, and the advice for it.
THIEVES = {
    "cat >/dev/null": "cat </dev/null",
    "head -n 99 >/dev/null": "head </dev/null",
    "(wc -l >/dev/null)": "wc </dev/null",
    "/usr/bin/python3 -c 'import sys; sys.stdin.read()'": "python3 </dev/null",
}

SIMPLEST = ("cat >/dev/null", "cat </dev/null")

SOUND = [
    "true",
    "cat </dev/null",
    "echo $line | cat >/dev/null",
    "sleep 0",
    "/usr/bin/python3 -c ''",
]

# A header that the shell reads and a rest that a command is to have; shells that read on in turn.
WHOLE = [
    "{ read -r header; sort >/dev/null; } <lines",
    "cat lines | { read -r header; sort >/dev/null; }",
    "cat lines | while read -r line; do sed -u 1q >/dev/null; done",
    "cat lines | while read -r line; do head -c 1 >/dev/null; done",
    "cat lines | while read -r line; do dd bs=1 count=1 status=none of=/dev/null; done",
    "while read -r line; do (while read -r more; do :; done); done <lines",
    "cat lines | while read -r line; do (while read -r more; do :; done); done",
    "while read -r line; do cat <lines >/dev/null; done <lines",
    "while read -r line <&3; do cat </dev/null; done 3<lines",
    "sort <lines >/dev/null; sort <lines >/dev/null",
    "xargs -n 1 echo <lines",
]


def by_file(body):
    return f"{LINES} >lines; {COUNTED.format(body=body)} <lines; exit $n"


def by_pipe(body):
    return f"{LINES} | {{ {COUNTED.format(body=body)}; exit $n; }}"


def traced(directory, shell, script, status):
    place = os.path.join(directory, str(len(os.listdir(directory))))
    os.mkdir(place)
    result = record(place, [*shell.split(), "-c", script], status=status, cwd=place)
    return diagnose(result.trace_path)[0]


def stolen(findings):
    return [finding for finding in findings if finding["id"] == NAME]


@scenario("a command that takes a loop's input is named, of a pipe and of a file, in each shell")
def thieves(directory):
    for shell in SHELLS:
        for way in (by_file, by_pipe):
            for body, advice in THIEVES.items() if shell == "bash" else [SIMPLEST]:
                script = way(body)
                findings = traced(directory, shell, script, 1)
                found = stolen(findings)
                expect_equal([f["severity"] for f in found], ["warning"], f"{shell}: {script} {findings}")
                expect_in(advice, found[0]["advice"], f"{shell}: {script}")
                expect_in("line by line", found[0]["text"], f"{shell}: {script}")


# Reads as many keys as it is told, each when select() tells of one, as ffmpeg(1) does.
KEYS = """/usr/bin/python3 -c '
import os, select
for _ in range(%d):
    select.select([0], [], [])
    os.read(0, 1)
'"""

# How many lines the loop gets then, and what is said of what is left.
KEYS_TAKEN = {
    2: (3, "begins in the middle of a line"),
    4: (2, None),  # the whole line "two", which it may have been meant to have
    99: (1, "then nothing was left"),
}


@scenario("a command that takes single keys of a loop's input is named, if it leaves part of a line")
def takes_keys(directory):
    for keys, (lines, left) in KEYS_TAKEN.items():
        found = stolen(traced(directory, "bash", by_pipe(KEYS % keys), lines))
        expect_equal([f["severity"] for f in found], ["warning"] if left else [], f"{keys} keys")
        for finding in found:
            expect_in(left, finding["text"], f"{keys} keys")
            expect_in("python3 </dev/null", finding["advice"], "the remedy")


@scenario("ssh in such a loop gets the advice ssh -n")
def ssh(directory):
    os.symlink("/bin/cat", os.path.join(directory, "ssh"))
    for number, way in enumerate((by_file, by_pipe)):
        place = os.path.join(directory, str(number))
        os.mkdir(place)
        script = way("../ssh >/dev/null")
        result = record(place, ["bash", "-c", script], status=1, cwd=place)
        found = stolen(diagnose(result.trace_path)[0])
        expect_equal(len(found), 1, script)
        expect_in("ssh -n", found[0]["advice"], script)


@scenario("the real ssh, which reads a copy that dup() made of its input: named; with -n it is sound")
def real_ssh(directory):
    needs("ssh", "ssh-keygen", "/usr/sbin/sshd")
    with remote_shell(directory) as ssh:
        for option, lines, times in (("-q", 1, 1), ("-n", 3, 0)):
            words = shlex.join([ssh[0], option, *ssh[1:]])
            for number, source in enumerate(("<lines", "< <(cat lines)")):
                place = os.path.join(directory, f"{option}{number}")
                os.mkdir(place)
                script = f"{LINES} >lines; while read -r x; do {words} echo $x; done {source}"
                result = record(place, ["bash", "-c", script], cwd=place)
                expect_equal(len(result.stdout.split()), lines, f"lines of {option} {source}")
                found = stolen(diagnose(result.trace_path)[0])
                expect_equal(len(found), times, f"{option} {source}: {found}")
                for finding in found:
                    expect(finding["text"].startswith("ssh["), "who took it", found)
                    expect_in("took 10 B", finding["text"], "how much")
                    expect_in("ssh -n", finding["advice"], "the remedy")


@scenario("a loop whose commands leave its input alone, or are meant to have it, gets no finding")
def sound(directory):
    loops = [f"({way(body)}); test $? = 3 || exit 9" for way in (by_file, by_pipe) for body in SOUND]
    for shell in SHELLS:
        script = "; ".join([f"{LINES} >lines", *loops, *WHOLE, "true"])
        findings = traced(directory, shell, script, 0)
        expect(not stolen(findings), f"{shell}: {script}", findings)


# Who takes one line, and a buffer full of lines with it; they say how many lines were left.
LINE_COUNT = 100000
HASTY = {
    "head": ("warning", "head -n 1 >/dev/null"),
    "sed": ("warning", "sed 1q >/dev/null"),
    "grep": ("warning", "grep -m 1 1 >/dev/null"),
    "python3": ("note", "/usr/bin/python3 -c 'input()'"),
    "perl": ("note", "perl -e 'sysread(STDIN, $b, 4096)'"),
}
SLOW = "{ echo 1; until [ -s taken ]; do sleep 0.05; done; echo 2; }"
PATIENT = [
    "read -r line",
    "head -c 2 >/dev/null",
    "head -qc 4096 >/dev/null",
    "head --byte=4096 >/dev/null",
    "dd bs=4096 count=1 of=/dev/null status=none",
]


def lines_left(directory, first, writer):
    """Traces who takes the first line and who counts the others; returns the findings and that count."""
    place = os.path.join(directory, str(len(os.listdir(directory))))
    os.mkdir(place)
    result = record(place, ["bash", "-c", f"{writer} | {{ {first}; wc -l >left; }}"], cwd=place)
    with open(os.path.join(place, "left"), encoding="ascii") as file:
        return diagnose(result.trace_path)[0], int(file.read())


@scenario("who takes a buffer full of lines from a pipe, where another one reads on, is named")
def lines_read_ahead(directory):
    for comm, (severity, first) in HASTY.items():
        findings, left = lines_left(directory, first, f"seq {LINE_COUNT}")
        expect(left < LINE_COUNT - 1, f"{first}: lines are lost", left)
        found = [f for f in findings if f["id"] == "read-ahead"]
        expect_equal([f["severity"] for f in found], [severity], f"{first}: {findings}")
        expect(found[0]["text"].startswith(comm + "["), first, found)
        expect_in("is lost to wc[", found[0]["text"], first)


@scenario("who takes a line alone, or bytes that it counted, and slow writers, get no such finding")
def lines_left_alone(directory):
    for first in PATIENT:
        findings, _ = lines_left(directory, first, f"seq {LINE_COUNT}")
        expect("read-ahead" not in [f["id"] for f in findings], first, findings)
    findings, left = lines_left(directory, "head -n 1 >taken", SLOW)
    expect_equal(left, 1, "the second line was written when the first one had been taken")
    expect("read-ahead" not in [f["id"] for f in findings], "a slow writer", findings)


@scenario("commands from a pipe, one of which takes what follows, are a note: it may be meant")
def script_from_pipe(directory):
    place = os.path.join(directory, "note")
    os.mkdir(place)
    command = ["bash", "-c", "printf 'cat >/dev/null\\nsome\\ndata\\n' | bash"]
    found = stolen(diagnose(record(place, command, cwd=place).trace_path)[0])
    expect_equal([f["severity"] for f in found], ["note"], "told, but no warning")


if __name__ == "__main__":
    main()
