#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Programs that look for what nobody makes: a file, the name of shared memory, of a semaphore, of a
queue or a socket, a key, a reader of a FIFO, a folder that serves as a lock; and sound ones."""
import os
import re

from expectations import expect, expect_equal, expect_in
from findings import diagnose, severe
from hangs import PYTHON, expect_named, named_parties, traced
from harness import each_in_place, main, run, scenario

MAY_RUN_BESIDE_OTHERS = True

# Looks until it finds, and says so each time before.
LOOKS = r"""
import ctypes, os, socket, sys, time
os.write(2, b"seeker=%%d\n" %% os.getpid())
libc = ctypes.CDLL(None, use_errno=True)
def opens(flags):
    try:
        return os.open(NAME, flags) >= 0
    except OSError:
        return False
def makes(call):
    try:
        call(NAME)
    except FileExistsError:
        return False
    return True
def connects():
    try:
        socket.socket(socket.AF_UNIX).connect(NAME)
    except FileNotFoundError:
        return False
    return True
NAME = %(name)r
for _ in range(%(rounds)d):
    os.write(2, b"looks\n")
    if %(look)s:
        break
    time.sleep(0.1)
else:
    sys.exit(3)
"""
FILE = "os.path.exists(NAME)"
NAME = "ipclens-nobody-%d" % os.getpid()
KEY = 0x49504300 + os.getpid() % 256

# What looks: how, for which name, and how that is told.
VAIN = {
    "a file": (FILE, "made", "the file made"),
    "a file in another folder": (FILE, "/nowhere/made", "the file /nowhere/made"),
    "to read it": ("opens(os.O_RDONLY)", "made", "the file made"),
    "if it may": ("os.access(NAME, os.R_OK)", "made", "the file made"),
    "shared memory": ("libc.shm_open(NAME.encode(), 2, 0) >= 0", "/" + NAME,
                      f"the shared memory /{NAME} (shm_open)"),
    "a semaphore": ("libc.sem_open(NAME.encode(), 0)", "/" + NAME,
                    f"the semaphore /{NAME} (sem_open)"),
    "a queue": ("libc.mq_open(NAME.encode(), 0) >= 0", "/" + NAME,
                f"the message queue /{NAME} (mq_open)"),
    "key of a queue": ("libc.msgget(NAME, 0) >= 0", KEY,
                      f"a message queue of key 0x{KEY:08x} (msgget)"),
    "key of semaphores": ("libc.semget(NAME, 1, 0) >= 0", KEY,
                        f"semaphores of key 0x{KEY:08x} (semget)"),
    "key of memory": ("libc.shmget(NAME, 1, 0) >= 0", KEY,
                     f"shared memory of key 0x{KEY:08x} (shmget)"),
    "a socket": ("connects()", "made.sock", "the socket made.sock (connect)"),
    "a reader": ("opens(os.O_WRONLY | os.O_NONBLOCK)", "fifo", "a reader of the FIFO fifo (ENXIO)"),
}
LOCKS = {
    "a folder": "makes(os.mkdir)",
    "a link": "makes(lambda name: os.link('program', name))",
    "a symbolic link": "makes(lambda name: os.symlink('owner', name))",
}


def script(place, look, name, before=":", rounds=1000000, after=""):
    with open(os.path.join(place, "program"), "w", encoding="ascii") as file:
        file.write(LOOKS % {"look": look, "name": name, "rounds": rounds} + after)
    return ["sh", "-c", f"cd '{place}'\nmkfifo fifo\n{before}\nexec {PYTHON} program"]


def looks(result):
    return result.stderr.decode().splitlines().count("looks")


def tries_of(found):
    return int(re.search(r" (\d+) times within", found["text"]).group(1))


def expect_counted(found, result, name):
    """The limit may come between its note and its look; it goes on after the limit."""
    expect(3 <= tries_of(found) <= looks(result), f"{name}: of {looks(result)} times", found["text"])


@scenario("who looks in vain is told with what and how often, by run and trace")
def in_vain(directory):
    for name, (look, sought, told), place in each_in_place(directory, VAIN):
        said, findings, result = traced(place, script(place, look, sought), 3)
        found = expect_named(findings, "never-made", {named_parties(result)["seeker"]})
        expect_equal(found["severity"], "warning", name)
        expect_counted(found, result, name)
        expect_in(f"in vain for {told}", said, name)


@scenario("a folder or a link that was left behind is a lock file")
def left_behind(directory):
    for name, look, place in each_in_place(directory, LOCKS):
        said, findings, result = traced(place, script(place, look, "lock", "mkdir lock"), 3)
        found = expect_named(findings, "lock-file", {named_parties(result)["seeker"]})
        expect_equal(found["severity"], "warning", name)
        expect_counted(found, result, name)
        expect_in("to create lock, and it was there each time (EEXIST)", said, name)


@scenario("who gives up is told with as many looks as it logged")
def gives_up(directory):
    cases = {name: VAIN[name] for name in ("a file", "a queue", "a reader")}
    for name, (look, sought, _), place in each_in_place(directory, cases):
        result = run(place, script(place, look, sought, rounds=12), "--diagnose-only", status=3)
        found = expect_named(diagnose(result.trace_path)[0], "never-made", set())
        expect_equal(tries_of(found), looks(result), found["text"])


@scenario("a shell that tests for a file of which only a variable knows is told with its name")
def of_shell(directory):
    with open(os.path.join(directory, "waits"), "w", encoding="ascii") as file:
        file.write('until [ -s "$1" ]; do sleep 0.2; done\n')
    for shell in ("bash", "dash"):
        place = os.path.join(directory, shell)
        os.mkdir(place)
        said, findings, _ = traced(
            place, [shell, os.path.join(directory, "waits"), "/nowhere/made"], 4)
        found = expect_named(findings, "busy-wait", set())
        expect_equal(found["severity"], "warning", shell)
        expect_in("tests for /nowhere/made", said, shell)


WORKS = """
import os, socket
a, b = socket.socketpair()
def work():
    a.send(b"work")
    b.recv(4)
"""
SOUND = {
    # It comes.
    "soon": (FILE, "made", "(sleep 0.8; : >made) &", 1000000),
    # Once, and no more.
    "once": (FILE, "made", ":", 1),
    # Where programs look for what need not be there.
    "of the system": ("os.path.exists(NAME) or _ == 12", "/etc/nobody-has-this", ":", 1000000),
    # Each time another one.
    "numbered": ("os.path.exists(NAME + str(_)) or _ == 12", "made", ":", 1000000),
    # It works meanwhile.
    "works": ("os.path.exists(NAME) or exec(WORK) or _ == 12", "stop", ":", 1000000),
    # It comes and goes, as a job in an inbox, or a lock that two take in turns.
    "inbox": (FILE + " and os.unlink(NAME)", "made",
              "(for i in 1 2 3 4; do sleep 0.3; : >made; done) &", 14),
    "turns": ("makes(os.mkdir) and os.rmdir(NAME)", "lock",
              "(for i in 1 2 3 4; do mkdir lock; sleep 0.2; rmdir lock; sleep 0.1; done) &", 14),
    # A file that tells to stop, of a program that writes its log; another folder each time.
    "log": (FILE + " or open('log', 'a').write('x') and _ == 12", "stop", ":", 1000000),
    "folders": ("os.chdir('..' if _ % 2 else 'd') or os.path.exists(NAME)", "made", "mkdir d", 14),
    # Its caller goes on without it.
    "probe": (FILE, "made", ":", 8),
    # A cache that need not be made twice, and a file in it each time.
    "cache": ("makes(os.mkdir) or open('cache/row', 'a').write('x') and _ == 12", "cache",
              "mkdir cache", 1000000),
}
WORK = "WORK = \"\"\"" + WORKS + "\nwork()\n\"\"\"\n"


@scenario("who finds it, looks once, elsewhere each time, or works meanwhile, is not told")
def sound(directory):
    for name, (look, sought, before, rounds), place in each_in_place(directory, SOUND):
        command = script(place, look, sought, before, rounds)
        path = os.path.join(place, "program")
        with open(path, encoding="ascii") as file:
            text = file.read()
        with open(path, "w", encoding="ascii") as file:
            file.write(WORK + text)
        failing = name in ("once", "inbox", "turns", "folders")
        if name == "probe":
            command[2] = command[2].replace("exec ", "") + " || echo without"
        result = run(place, command, "--diagnose-only", status=3 if failing else 0)
        found = diagnose(result.trace_path)[0]
        told = [f for f in found if f["id"] in ("never-made", "lock-file")]
        if name != "probe":
            expect_equal(told, [], name)
        expect_equal(severe(found), [], name)


@scenario("a shell that works between two pauses has a note at most; paths are kept out with --no-args")
def quiet(directory):
    rounds = "while [ ! -e stop ]; do echo beat >>log; sleep 0.2; done"
    result = run(directory, ["sh", "-c", f"cd '{directory}'; {rounds}"], "--diagnose-only",
                 "--timeout", 3, status=124, whole=False)
    expect_equal(severe(diagnose(result.trace_path)[0]), [], "it works")
    place = os.path.join(directory, "secret")
    os.mkdir(place)
    result = run(place, script(place, FILE, "made-by-nobody", rounds=5), "--no-args", status=3)
    with open(result.trace_path, encoding="utf-8") as file:
        expect("made-by-nobody" not in file.read(), "no path", place)


if __name__ == "__main__":
    main()
