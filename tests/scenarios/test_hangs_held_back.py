#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Who sleeps on though bytes lie there, as they are not what it waits for; and sound twins."""
import os

from expectations import expect_equal, expect_in
from findings import diagnose, expect_nothing_rests_on_a_gap, severe
from hangs import PYTHON, TIMED_OUT
from harness import main, record, scenario

MAY_RUN_BESIDE_OTHERS = True

PAIR = """
import os, select, socket
a, b = socket.socketpair()
if not os.fork():
    a.close()
    b.send(b"hello")
    b.recv(1)
    os._exit(0)
b.close()
"""

TCP = """
import os, select, socket
listener = socket.create_server(("127.0.0.1", 0))
if not os.fork():
    peer = socket.create_connection(listener.getsockname())
    listener.close()
    peer.send(b"request", {flags})
    peer.recv(1)
    os._exit(0)
a = listener.accept()[0]
"""

ANSWER = """
a.send(b"x")
os.wait()
"""

URGENT_POLL = PAIR + "p = select.poll()\np.register(a, select.POLLPRI)\np.poll()\n"
READS = "got = b''\nwhile len(got) < 7:\n    got += a.recv(10)\n"
LOW_WATER = "a.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 64)\n"
INLINE = "a.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)\n"
POLLS = "p = select.poll()\np.register(a, select.POLLIN)\np.poll()\n"

# name: what the program does, what the evidence says, and the advice
HANGING = {
    "polls for urgent": (URGENT_POLL + ANSWER, "5 B lie unread", "ask for POLLIN"),
    "selects for urgent": (
        PAIR + "select.select([], [], [a])\n" + ANSWER,
        "asks for urgent data only",
        "ask for POLLIN",
    ),
    "low water": (
        TCP.format(flags=0) + LOW_WATER + POLLS + ANSWER,
        "SO_RCVLOWAT says that fewer than 64 bytes",
        "leave SO_RCVLOWAT at 1",
    ),
    "sent as urgent": (
        TCP.format(flags="socket.MSG_OOB") + READS + ANSWER,
        "1 B lies unread",
        "send without MSG_OOB",
    ),
}

SOUND = {
    "polls to read": PAIR + POLLS + ANSWER,
    "low water reached": TCP.format(flags=0) + LOW_WATER.replace("64", "7") + POLLS + ANSWER,
    "sent as urgent, inline": TCP.format(flags="socket.MSG_OOB") + INLINE + READS + ANSWER,
}


def recorded(directory, name, script, *options, status):
    place = os.path.join(directory, name.replace(" ", "-"))
    os.mkdir(place)
    return record(place, [PYTHON, "-c", script], *options, status=status, whole=False)


@scenario("whom bytes do not wake that lie there is told why, and is in the circle")
def held_back(directory):
    for name, (script, evidence, advice) in HANGING.items():
        run = recorded(directory, name, script, "--timeout", "2", status=TIMED_OUT)
        found = severe(diagnose(run.trace_path)[0])
        expect_equal([finding["id"] for finding in found], ["deadlock"], name)
        expect_in(evidence, " ".join(found[0]["evidence"]), name)
        expect_in(advice, found[0]["advice"], name)
        expect_nothing_rests_on_a_gap(run.trace_path, 3)


@scenario("the same where the bytes end the wait is no fault")
def sound(directory):
    for name, script in SOUND.items():
        run = recorded(directory, name, script, "--timeout", "20", status=0)
        expect_equal(severe(diagnose(run.trace_path)[0]), [], name)


if __name__ == "__main__":
    main()
