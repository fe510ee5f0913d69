#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Clients of UDP in a blocking read for an answer: the server that has not read the request, or
read it and sleeps, is named by run and by its trace; one that answers in its time is not accused."""
import os
from concurrent.futures import ThreadPoolExecutor

from expectations import expect, expect_equal, expect_in
from findings import AT_ONCE, severe
from hangs import PYTHON, named_parties, traced
from harness import main, scenario

MAY_RUN_BESIDE_OTHERS = True

BOTH = """
import os, socket, time
def udp():
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
def tell(name):
    os.write(2, f"{name}={os.getpid()}\\n".encode())
server = udp()
server.bind(("127.0.0.1", 0))
address = server.getsockname()
if os.fork() == 0:
    tell("server")
    SERVER
server.close()
client = udp()
tell("client")
CLIENT
"""
ASKS = "client.sendto(b'question', address); client.recv(99)"
ASKS_CONNECTED = "client.connect(address); client.send(b'question'); client.recv(99)"

# What the server does, what the client does, and what is said of the request.
HANGS = {
    "asleep": ("time.sleep(1000)", ASKS, "who has the socket there, did not read it"),
    "connected": ("time.sleep(1000)", ASKS_CONNECTED, "who has the socket there, did not read it"),
    "read": ("server.recv(99); time.sleep(1000)", ASKS, " had received it"),
    "computes": ("while True: pass", ASKS, "who has the socket there, did not read it"),
}
# It takes its time, and answers each.
ANSWERS = "\n    while True: time.sleep(0.8); server.sendto(*server.recvfrom(99))"
SOUND = {
    "slow": (ANSWERS, "while True: " + ASKS),
    "slow, connected": (ANSWERS, "client.connect(address)\nwhile True: client.send(b'x'); client.recv(9)"),
    # Whom it answered has no more to ask.
    "answered": ("\n    while True: server.sendto(*server.recvfrom(99))", ASKS + "; time.sleep(1000)"),
    # It waits for what comes, and has asked nobody.
    "listens": ("server.recv(99)", "client.bind(('127.0.0.1', 0)); client.recv(9)"),
}  # fmt: skip


def told(directory, name, server, client):
    top = os.path.join(directory, name)
    os.mkdir(top)
    text = BOTH.replace("SERVER", server).replace("CLIENT", client)
    said, findings, result = traced(top, [PYTHON, "-c", text], 4)
    parties = named_parties(result)
    expect_equal(len(parties), 2, f"{name}: both came so far")
    return said, findings, parties


def hangs(directory, name):
    server, client, fate = HANGS[name]
    said, findings, parties = told(directory, name, server, client)
    found = severe(findings)
    expect_equal([f["id"] for f in found], ["no-answer"], f"{name}: {findings}")
    expect(set(parties.values()) <= set(found[0]["processes"]), f"{name}: both", found)
    expect_in(f"python3[{parties['client']}] sent 8 B to 127.0.0.1:", found[0]["text"], name)
    expect_in(f"python3[{parties['server']}]", found[0]["text"], name)
    expect_in(fate, found[0]["text"], name)
    expect_in(fate, said, f"{name}: run says so")


def sound(directory, name):
    _, findings, _ = told(directory, name, *SOUND[name])
    expect_equal(severe(findings), [], name)


@scenario("a datagram that its server did not read, or not answer: who did not, and what keeps it")
def unanswered(directory):
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda name: hangs(directory, name), HANGS))


@scenario("a server of datagrams that answers in its time, and who waits for any, are not accused")
def answered(directory):
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda name: sound(directory, name), SOUND))


if __name__ == "__main__":
    main()
