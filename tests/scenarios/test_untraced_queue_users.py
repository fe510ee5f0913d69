#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Queues that somebody outside the trace uses too: what he takes, he may answer from its place."""
import ctypes
import struct
import subprocess

from expectations import expect_equal, expect_in
from findings import diagnose, severe
from hangs import TIMED_OUT, asleep, named_parties
from harness import finish, main, record, recorder, scenario, start, wait_for

PYTHON = "/usr/bin/python3"
ROUNDS = 20

COMMON = """
import ctypes, sys

libc = ctypes.CDLL(None, use_errno=True)
queue = int(sys.argv[1])


class Message(ctypes.Structure):
    _fields_ = [("type", ctypes.c_long), ("text", ctypes.c_char * 64)]


def send(kind, text):
    if libc.msgsnd(queue, ctypes.byref(Message(kind, text)), ctypes.c_size_t(len(text)), 0):
        sys.exit(f"msgsnd: {ctypes.get_errno()}")


def receive(kind):
    message = Message()
    if libc.msgrcv(queue, ctypes.byref(message), ctypes.c_size_t(64), ctypes.c_long(kind), 0) < 0:
        sys.exit(0)
    return message.text


"""

# Takes each question and sends the same bytes as an answer: the kernel puts that where it lay.
SERVER = COMMON + "while True:\n    send(2, receive(1))\n"

CLIENT = COMMON + f"""
for i in range({ROUNDS}):
    send(1, b"question")
    receive(2)
"""

# He takes the word and puts in what the traced program sends as well, which reads his.
RIVAL = COMMON + "receive(9)\nsend(1, b'equal')\nsend(8, b'done')\nreceive(7)\n"
READER = COMMON + "send(9, b'go')\nreceive(8)\nsend(1, b'equal')\nreceive(1)\n"


def beside(directory, stranger, traced):
    """The trace of one of two that share a queue, and its messages by that."""
    libc = ctypes.CDLL(None, use_errno=True)
    queue = libc.msgget(0, 0o600)
    command = [PYTHON, "-c", stranger, str(queue)]
    try:
        with subprocess.Popen(command) as other:
            result = record(directory, [PYTHON, "-c", traced, str(queue)])
            libc.msgctl(queue, 0, None)
            other.wait()
    finally:
        libc.msgctl(queue, 0, None)
    return result, [m for m in result.messages() if m["mechanism"] == "sysv-msg"]


@scenario("a stranger's answers on the queue of the questions come from outside")
def answers(directory):
    _, found = beside(directory, SERVER, CLIENT)
    received = [m for m in found if m["received"]]
    expect_equal(
        [(m["from"], m["message_type"], m["match"]) for m in received],
        [(None, 2, "exact")] * ROUNDS,
        "what the client got",
    )
    sent = [m for m in found if not m["received"]]
    expect_equal([m["match"] for m in sent], ["exact"] * ROUNDS, "what it sent went elsewhere")


@scenario("a stranger's message is not taken for an equal one that was sent here")
def rival(directory):
    _, found = beside(directory, RIVAL, READER)
    expect_equal(
        [(m["from"] is None, m["to"] is None, m["message_type"], m["match"]) for m in found],
        [(True, False, 8, "exact"), (True, False, 1, "exact")]
        + [(False, True, 9, "exact"), (False, True, 1, "exact")],
        "each message",
    )


# What does not fit beside what lies there, once the queue may hold 1,500 bytes.
WRITER = COMMON + """
import os
text = ctypes.create_string_buffer(1008)
text[0] = 1
libc.msgsnd(queue, text, ctypes.c_size_t(600), 0)
os.write(2, b"writer=%d\\n" % os.getpid())
libc.msgsnd(queue, text, ctypes.c_size_t(1000), 0)
"""


def limit(libc, queue, most):
    """Sets msg_qbytes: struct msqid_ds of a 64-bit machine (msgctl(2), IPC_STAT and IPC_SET)."""
    info = bytearray(256)
    there = (ctypes.c_byte * len(info)).from_buffer(info)
    expect_equal(libc.msgctl(queue, 2, there), 0, "IPC_STAT")
    struct.pack_into("L", info, 88, most)
    expect_equal(libc.msgctl(queue, 1, there), 0, "IPC_SET")


@scenario("a message that fits since somebody outside the trace has raised the limit is not told as too large")
def raised(directory):
    libc = ctypes.CDLL(None, use_errno=True)
    queue = libc.msgget(0, 0o600)
    try:
        limit(libc, queue, 700)
        words = recorder(directory, [PYTHON, "-c", WRITER, str(queue)], "--timeout", 4,
                         "--diagnose-only", "--lang", "en", verb="run", output="--trace")
        result = start(directory, words)
        wait_for(lambda: "writer" in named_parties(result), "the writer to say who it is")
        wait_for(lambda: asleep(named_parties(result)["writer"]), "the writer to sleep")
        limit(libc, queue, 1500)
        finish(result.wait(), TIMED_OUT, False)
    finally:
        libc.msgctl(queue, 0, None)
    found = [f["id"] for f in severe(diagnose(result.trace_path)[0])]
    expect_equal(found, ["full-channel"], "what the trace and the look tell")
    expect_in("! full-channel ", result.stderr.decode(), "run says so")


if __name__ == "__main__":
    main()
