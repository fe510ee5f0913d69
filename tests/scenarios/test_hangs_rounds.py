#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Programs that ask for a file lock in rounds of their own, behind who keeps it: by run, trace and
-p; and sound twins."""
import os
import re
import signal
import time

from expectations import expect, expect_equal, expect_in
from findings import diagnose, severe
from hangs import PYTHON, asleep, expect_named, named_parties, traced, untraced
from harness import each_in_place, main, needs, scenario, start, wait_for

MAY_RUN_BESIDE_OTHERS = True

# Asks for the lock five times a second until it has it; then WORKS.
ASKS = """
import fcntl, os, time
file = open("lock", "r+b")
while True:
    try:
        fcntl.TAKE(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        time.sleep(0.2)
        continue
    WORKS
"""
# Has the lock, says so, and then KEEPS it.
HOLDS = """
import fcntl, os, time
file = open("lock", "r+b")
fcntl.TAKE(file, fcntl.LOCK_EX)
os.write(2, b"holder=%d\\n" % os.getpid())
open("held", "w").close()
KEEPS
"""
BOTH = """
cd "$(mktemp -d -p PLACE)"; : >lock
HOLDER &
until [ -e held ]; do sleep 0.02; done
echo asker=$$ >&2; exec ASKER
"""
SQLITE = (
    """(printf 'create table t(x);\\nbegin immediate;\\n.system touch held\\n'; exec sleep 1000) |
sqlite3 data""",
    "sqlite3 data -cmd '.timeout 100000' 'insert into t values(1)'",
)


def of_python(program, **words):
    for word, text in words.items():
        program = program.replace(word, text)
    return f"{PYTHON} -c '{program}'"


def of_both(kind, keeps="time.sleep(1000)", works="break"):
    return (of_python(HOLDS, TAKE=kind, KEEPS=keeps), of_python(ASKS, TAKE=kind, WORKS=works))


# As apt does, each second.
SAYS_SO = (of_both("lockf")[0], of_python(ASKS, TAKE="lockf", WORKS="break").replace(
    "time.sleep(0.2)", "print(\"waiting\", flush=True); time.sleep(1)"))
HANGS = {"sqlite3": SQLITE, "fcntl": of_both("lockf"), "flock": of_both("flock"),
         "says-so": SAYS_SO}


def command(place, parties):
    holder, asker = parties
    script = BOTH.replace("PLACE", place).replace("HOLDER", holder).replace("ASKER", asker)
    return ["sh", "-c", script]


def asks(result):
    pid = named_parties(result).get("asker")
    if not pid:
        return False
    with open(f"/proc/{pid}/comm", encoding="ascii") as file:
        return file.read().strip() != "sh" and asleep(pid)


def asker(result):
    return named_parties(result)["asker"]


def told(findings, result):
    """The text of the finding, without what differs from run to run."""
    found = expect_named(findings, "lock-refused", {asker(result)})
    expect_equal(found["severity"], "warning", found["text"])
    text = re.sub(r"\[\d+\]", "[]", found["text"])
    return re.sub(r"tried \d+ times within [0-9.]+ m?s", "tried", text), found["advice"]


@scenario("who asks for a lock in rounds that another keeps is told so by run, its trace and -p")
def kept(directory):
    needs("sqlite3")
    for name, parties, place in each_in_place(directory, HANGS):
        said, found, result = traced(place, command(place, parties), 5)
        text = told(found, result)
        expect(re.search(r"\]: \w+\[\] had it; |: \w+\[\] had it; ", text[0]), "who has it", text)
        expect_in("and never got it (EAGAIN)", said, f"{name}: run says so")
        looked, result = untraced(place, command(place, parties), asks, "lock-refused", severe,
                                  asker)
        expect_equal(told(looked, result), text, f"{name}: -p says the same")


SOUND = {
    # They take turns, and sleep while they have it and while they have not.
    "turns": of_both("lockf", "\n".join([
        "while True:", "    time.sleep(0.1)", "    fcntl.lockf(file, fcntl.LOCK_UN)",
        "    time.sleep(0.3)", "    fcntl.lockf(file, fcntl.LOCK_EX)"]),
        "file.write(b\"x\"); file.flush(); time.sleep(0.05); fcntl.lockf(file, fcntl.LOCK_UN); "
        "time.sleep(0.05)"),
    # Who has it works.
    "works": of_both("flock", "while True: pass"),
    # It has the file open, and asks for no lock.
    "looks": (of_python(HOLDS, TAKE="lockf", KEEPS="time.sleep(1000)"),
              "tail -f ---disable-inotify -s 0.2 lock"),
    # It asks, and does its work meanwhile.
    "moves": (of_python(HOLDS, TAKE="flock", KEEPS="time.sleep(1000)"), of_python(
        ASKS, TAKE="flock", WORKS="break").replace(
        "time.sleep(0.2)", "time.sleep(0.2); os.pwrite(log, b\"x\", 0)").replace(
        "while True", "log = os.open(\"log\", os.O_CREAT | os.O_RDWR)\nwhile True")),
}


@scenario("who gets the lock in turns, has other work, or waits for one that works is not told by -p")
def sound(directory):
    for name, parties, place in each_in_place(directory, SOUND):
        result = start(place, command(place, parties), start_new_session=True)
        try:
            wait_for(lambda result=result: asks(result), f"{name} to ask")
            time.sleep(1)  # who is told of has waited for half a second
            for _ in range(3):
                found = severe(diagnose("-p", str(asker(result)))[0])
                expect_equal(found, [], name)
        finally:
            os.killpg(result.process.pid, signal.SIGKILL)
            result.process.wait()


if __name__ == "__main__":
    main()
