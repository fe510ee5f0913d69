#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Programs that wait for a lock file (open(2), O_CREAT and O_EXCL), left behind by one that ended;
and sound ones that get it."""
import os
import re

from expectations import expect, expect_equal, expect_in
from findings import diagnose, severe
from hangs import PYTHON, expect_named, named_parties, traced
from harness import each_in_place, main, run, scenario

MAY_RUN_BESIDE_OTHERS = True

# Writes a byte into a file, which no trace shows, each time that the lock file was there.
ASKS = r"""
import os, time
os.write(2, b"asker=%d\n" % os.getpid())
met = os.open("met", os.O_CREAT | os.O_WRONLY)
while True:
    try:
        os.open("lock", os.O_CREAT | os.O_EXCL)
        break
    except FileExistsError:
        os.pwrite(met, b"x", os.fstat(met).st_size)
        time.sleep(0.1)
"""
ASKS_OF_PERL = r"""
use Fcntl;
syswrite STDERR, "asker=$$\n";
open my $met, ">", "met";
until (sysopen my $file, "lock", O_CREAT | O_EXCL) {
    die unless $!{EEXIST};
    syswrite $met, "x";
    select undef, undef, undef, 0.1;
}
"""
# No locks: a file that is made with its header, or gets a line more; the first name that is free.
GROWS = """
import time
for line in range(8):
    try:
        with open("rows", "x") as file:
            file.write("header\\n")
    except FileExistsError:
        pass
    with open("rows", "a") as file:
        file.write("row\\n")
    time.sleep(0.15)
"""
NUMBERED = """
import time
for _ in range(8):
    number = 0
    while True:
        try:
            open(f"shot{number}", "x").close()
            break
        except FileExistsError:
            number += 1
    time.sleep(0.15)
"""
OF_QUEUE = """
import ctypes, os, time
libc = ctypes.CDLL(None, use_errno=True)
for _ in range(8):
    flags = os.O_CREAT | os.O_EXCL | os.O_RDWR
    made = libc.mq_open(b"/%d" % os.getppid(), flags, 0o600, None)
    time.sleep(0.15)
libc.mq_unlink(b"/%d" % os.getppid())
"""
# Each makes it and then deletes it, twenty times.
TURNS = """
import os, time
for _ in range(20):
    while True:
        try:
            os.open("lock", os.O_CREAT | os.O_EXCL)
            break
        except FileExistsError:
            time.sleep(0.01)
    time.sleep(0.02)
    os.unlink("lock")
"""


def script(place, text, before=": >lock"):
    with open(os.path.join(place, "program"), "w", encoding="ascii") as file:
        file.write(text)
    program = "perl" if "sysopen" in text else PYTHON
    return ["sh", "-c", f"cd '{place}'\n{before}\nexec {program} program"]


def tries_of(found):
    return int(re.search(r"tried (\d+) times within", found["text"]).group(1))


LEFT = {
    "there before": (ASKS, ": >lock"),
    "of one that ended": (ASKS, "bash -c 'set -C; : >lock; kill -9 $$'"),
    "of perl": (ASKS_OF_PERL, ": >lock"),
}


@scenario("who asks in vain for a lock file that was left behind is told with how often, by run and trace")
def left_behind(directory):
    for name, (text, before), place in each_in_place(directory, LEFT):
        said, findings, result = traced(place, script(place, text, before), 3)
        found = expect_named(findings, "lock-file", {named_parties(result)["asker"]})
        expect_equal(found["severity"], "warning", name)
        met = os.path.getsize(os.path.join(place, "met"))  # it goes on after the limit
        expect(3 <= tries_of(found) <= met + 1, f"{name}: of {met} times", found["text"])
        expect_in("to create lock, and it was there each time (EEXIST)", said, name)
        expect_in("flock()", found["advice"], name)


@scenario("who gives up is told with as many tries as it logged")
def gives_up(directory):
    limited = ASKS.replace("while True:", "for _ in range(12):")
    result = run(directory, script(directory, limited), "--diagnose-only")
    found = expect_named(diagnose(result.trace_path)[0], "lock-file",
                         {named_parties(result)["asker"]})
    expect_equal(tries_of(found), os.path.getsize(os.path.join(directory, "met")), found["text"])


SOUND = {
    # It gets the lock when the other one is done with it.
    "soon": (ASKS, ": >lock; (sleep 0.7; rm lock) &"),
    # Two take turns.
    "turns": (TURNS, f"{PYTHON} program &"),
    "grows": (GROWS, ":"),
    "numbered": (NUMBERED, ":"),
    "of a queue": (OF_QUEUE, ":"),
    # A file that is there once: no lock.
    "once": ("import os\ntry:\n    os.open('lock', os.O_CREAT | os.O_EXCL)\n"
             "except FileExistsError:\n    raise SystemExit(0)", ": >lock"),
}


@scenario("who gets the file at last, in turns, asks once, or for no lock, is not told")
def sound(directory):
    for name, (text, before), place in each_in_place(directory, SOUND):
        result = run(place, script(place, text, before), "--diagnose-only")
        found = diagnose(result.trace_path)[0]
        expect_equal([f for f in found if f["id"] == "lock-file"], [], name)
        expect_equal(severe(found), [], name)


if __name__ == "__main__":
    main()
