#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Filters that keep lines in a buffer while somebody waits; those that have a reason are spared."""
import os
import subprocess

from expectations import expect, expect_equal, expect_in
from findings import AT_ONCE, diagnose, severe
from harness import main, run, scenario, start_record

MAY_RUN_BESIDE_OTHERS = True

TIMED_OUT = 124
NAME = "stdio-buffered"

# Two lines come, and their source goes on; the filter logs itself, and somebody waits for lines.
PIPELINE = """
(echo one; echo two; exec sleep 60) | { echo $BASHPID >&2; exec FILTER; } |
while read -r line; do :; done
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
# how it copies: what is said
HOW = {"most": "warning", "few": "note", "none": None, "all": None}


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


if __name__ == "__main__":
    main()
