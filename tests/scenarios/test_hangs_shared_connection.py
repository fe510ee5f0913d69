#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""One connection that several threads or processes use without a lock: who took the answer of the
one that waits is told by run and by its trace; nobody is named who took only what was his."""
import os

from expectations import expect_equal, expect_in
from findings import severe
from hangs import PYTHON, named_parties, traced
from harness import each_in_place, main, scenario

MAY_RUN_BESIDE_OTHERS = True

BEGIN = """
import os, socket, threading, time
def tell(name, number=0):
    os.write(2, f"{name}={number or os.getpid()}\\n".encode())
listener = socket.create_server(("127.0.0.1", 0))
if os.fork() == 0:
    tell("server")
    client = listener.accept()[0]
    while said := client.recv(4):
        if said != b"last":
            ANSWERS
    os._exit(0)
connection = socket.create_connection(listener.getsockname())
listener.close()
"""
ANSWERS = "client.sendall(said)"
IN_PARTS = "client.sendall(said[:2]); time.sleep(0.1); client.sendall(said[2:])"

# The first asks, and reads only when the second has read all answers that have come.
BY_THREADS = """
asked, took = threading.Event(), threading.Event()
def first():
    connection.sendall(b"ask0")
    asked.set()
    took.wait()
    connection.recv(4)
tell("first")
threading.Thread(target=first).start()
asked.wait()
connection.sendall(b"ask1")
got = 0
while got < 8:
    got += len(connection.recv(8))
tell("taker", threading.get_native_id())
took.set()
"""
BY_PROCESSES = """
asked, took = os.pipe(), os.pipe()
if os.fork() == 0:
    tell("first")
    connection.sendall(b"ask0")
    os.write(asked[1], b"asked")
    os.read(took[0], 4)
    connection.recv(4)
os.read(asked[0], 5)
connection.sendall(b"ask1")
got = 0
while got < 8:
    got += len(connection.recv(8))
tell("taker")
os.write(took[1], b"took")
time.sleep(1000)
"""
# The second gets what it asked for; the server forgets the first, which reads when that is done.
OWN = """
def second():
    for _ in range(2):
        connection.sendall(b"ask1")
        got = 0
        while got < 4:
            got += len(connection.recv(4 - got))
tell("first")
second()
connection.sendall(b"last")
other = threading.Thread(target=second)
other.start()
other.join()
connection.recv(4)
"""
FACT = "and before it read the next one: it took the answer"
REMEDY = "several use one connection without a lock, and read each other's answers"


def told(place, name, client, answers=ANSWERS):
    text = BEGIN.replace("ANSWERS", answers) + client
    said, findings, result = traced(place, [PYTHON, "-c", text], 4)
    parties = named_parties(result)
    expect_equal("first" in parties, True, f"{name}: it came so far")
    return said, severe(findings), parties


@scenario("an answer that another thread or process took from a shared connection: who took it")
def taken(directory):
    for name, client, place in each_in_place(
        directory, {"threads": BY_THREADS, "processes": BY_PROCESSES}
    ):
        said, found, parties = told(place, name, client)
        expect_equal(len(found), 1, f"{name}: {found}")
        evidence = " ".join(found[0]["evidence"])
        expect_in(f"thread {parties['taker']} of python3[", evidence, name)
        expect_in(FACT, evidence, name)
        expect_in(REMEDY, found[0]["advice"], name)
        expect_in(FACT, said, f"{name}: run says so")


@scenario("who received only the answers to what it asked, be it in parts, has taken none")
def own(directory):
    for name, answers, place in each_in_place(directory, {"whole": ANSWERS, "parts": IN_PARTS}):
        _, found, _ = told(place, name, OWN, answers)
        for finding in found:
            expect_equal(FACT in " ".join(finding["evidence"]), False, f"{name}: {finding}")


if __name__ == "__main__":
    main()
