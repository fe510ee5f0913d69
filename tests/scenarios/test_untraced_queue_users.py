#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Queues that somebody outside the trace uses too: what he takes, he may answer from its place."""
import ctypes
import subprocess

from expectations import expect_equal
from harness import main, record, scenario

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


if __name__ == "__main__":
    main()
