#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Who waits for data is not said to wait for the end of its pipe, which it keeps open itself."""
import os

from expectations import expect, expect_equal, expect_in
from findings import severe
from hangs import PYTHON, asleep, traced, untraced
from harness import main, scenario

MAY_RUN_BESIDE_OTHERS = True

# Each has the writing end itself; the parent of the last one has it, too, and waits for its end.
DATA = {
    "thread": """
import threading
thread = threading.Thread(target=lambda: os.read(r, 1)); thread.start()
ready(); thread.join(); os.write(w, b"x")
""",
    "nothing-yet": """
ready(); os.read(r, 1); os.write(w, b"x")
""",
    "worker": """
if os.fork() == 0:
    os.read(r, 1); ready(); os.read(r, 1); os._exit(0)
os.write(w, b"x"); os.wait()
""",
    "child": """
if os.fork() == 0:
    os.close(r); os.write(w, b"x"); signal.pause()
os.close(w); os.read(r, 1); ready(); os.read(r, 1)
""",
}

# All that came has been read, and its only thread has the only writing end.
END = """
if os.fork() == 0:
    os.close(r); os.write(w, b"x"); os._exit(0)
os.wait(); os.read(r, 1); ready(); os.read(r, 1)
"""

# A logger's thread: the main thread has nothing to do until a client comes.
LOGGER = """
import socket, threading
threading.Thread(target=lambda: os.read(r, 1)).start()
server = socket.create_server(("127.0.0.1", 0))
ready(); server.accept()
"""


def command(program):
    begin = "import os, signal\nr, w = os.pipe()\ndef ready(): os.write(1, b'%d\\n' % os.getpid())\n"
    return [PYTHON, "-c", begin + program]


def is_ready(result):
    return result.stdout.strip() and asleep(int(result.stdout.split()[-1]))


def both(directory, name, program, wanted):
    """What a trace says of it, and what -p does."""
    place = os.path.join(directory, name)
    os.mkdir(place)
    _, told, _ = traced(place, command(program))
    looked, _ = untraced(place, command(program), is_ready, wanted)
    return told, looked


@scenario("a thread or worker that waits for data in a pipe of its own does not wait for its end")
def data(directory):
    for name, program in DATA.items():
        wanted = "deadlock" if name == "worker" else "blocked"
        for findings in both(directory, name, program, wanted):
            names = {f["id"] for f in findings}
            expect("no-eof" not in names, f"{name} waits for data", findings)
            expect_in(wanted, names, name)


@scenario("who has read all and keeps the only writing end itself waits for an end in vain")
def end(directory):
    for findings in both(directory, "end", END, "no-eof"):
        told = [f for f in findings if f["id"] == "no-eof"]
        expect_equal(len(told), 1, f"the end cannot come: {findings}")
        expect_in("itself", told[0]["text"], "who keeps it")


@scenario("a logger's thread beside a main thread that waits for clients is no fault")
def logger(directory):
    for findings in both(directory, "logger", LOGGER, "blocked"):
        expect_equal(severe(findings), [], "it has nothing to log")


if __name__ == "__main__":
    main()
