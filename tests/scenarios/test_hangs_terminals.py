#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Two programs at the ends of a pseudo-terminal that wait for each other; and sound twins."""
import os

from expectations import expect, expect_equal, expect_in
from findings import diagnose, expect_nothing_rests_on_a_gap, severe
from hangs import PYTHON, TIMED_OUT, asleep, untraced
from harness import main, needs, record, scenario, start, wait_for

MAY_RUN_BESIDE_OTHERS = True

# A child reads a line at the slave; its parent types a name and waits at the master for the answer.
ASKS = """
import os, pty, time
master, slave = pty.openpty()
child = os.fork()
if not child:
    os.close(master)
    name = os.read(slave, 100)
    os.write(slave, b"hi " + name)
    os._exit(0)
os.close(slave)
print(os.getpid(), child, flush=True)
os.write(master, b"TYPED")
got = b""
while b"hi" not in got:
    got += os.read(master, 100)
os.wait()
"""

# A child in raw mode, to which nothing is sent: it waits for a key, and its parent for its output.
RAW = """
import os, pty, tty
child, master = pty.fork()
if not child:
    tty.setraw(0)
    os.write(1, b"ready")
    os.read(0, 1)
    os._exit(0)
while len(os.read(master, 100)) < 5:
    pass
os.read(master, 100)
"""

EXPECT = """
set timeout {limit}
spawn sh -c {{printf "Passwort: "; read x; echo ok}}
expect "Password:"
send "s\\r"
"""


def recorded(directory, name, command, status):
    place = os.path.join(directory, name)
    os.mkdir(place)
    return record(place, command, "--timeout", "3", status=status, whole=False)


def asks(typed):
    return [PYTHON, "-c", ASKS.replace("TYPED", typed)]


def check_circle(findings, name):
    found = severe(findings)
    expect_equal([finding["id"] for finding in found], ["deadlock"], name)
    expect("outside the trace" not in str(found), "nobody outside could help", found)
    return found[0]


@scenario("who types no end of the line waits for an answer that cannot come, and is told why")
def lacks_line_end(directory):
    run = recorded(directory, "traced", asks("joe"), TIMED_OUT)
    found = check_circle(diagnose(run.trace_path)[0], "a name without a line's end")
    expect_in("whole lines only (ICANON)", " ".join(found["evidence"]), "why")
    expect_in("send the end of the line too", found["advice"], "the remedy")
    expect_nothing_rests_on_a_gap(run.trace_path, 3)


@scenario("-p tells of the circle, too")
def not_traced(directory):
    pids = lambda result: [int(word) for word in result.stdout.split()]
    both = lambda result: len(pids(result)) == 2 and all(map(asleep, pids(result)))
    check_circle(untraced(directory, asks("joe"), both, "deadlock")[0], "-p")


@scenario("a program that waits for a key is in a circle with who has the master and waits, too")
def raw(directory):
    run = recorded(directory, "traced", [PYTHON, "-c", RAW], TIMED_OUT)
    found = check_circle(diagnose(run.trace_path)[0], "raw")
    expect("ICANON" not in " ".join(found["evidence"]), "nothing was sent", found)


@scenario("with the end of the line both go on")
def sound(directory):
    run = recorded(directory, "traced", asks("joe\\n"), 0)
    expect_equal(severe(diagnose(run.trace_path)[0]), [], "nothing is wrong")


@scenario("expect(1) that waits for a prompt which does not come is in a circle with its program")
def wrong_prompt(directory):
    needs("expect")
    script = EXPECT.format(limit=-1)
    run = recorded(directory, "traced", ["expect", "-c", script], TIMED_OUT)
    found = check_circle(diagnose(run.trace_path)[0], "expect")
    expect_in("expect[", found["text"], "who has the master")


@scenario("expect(1) with a time limit goes on; its program waits for it, and for no key")
def timed_prompt(directory):
    needs("expect")
    script = EXPECT.format(limit=60)
    run = recorded(directory, "traced", ["expect", "-c", script], TIMED_OUT)
    findings = diagnose(run.trace_path)[0]
    expect_equal(severe(findings), [], "nothing is wrong yet")
    expect("a key press" not in str(findings), "nobody types there", findings)


if __name__ == "__main__":
    main()
