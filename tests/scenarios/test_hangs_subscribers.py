#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Clients in a blocking read of a server that has nothing to tell them: whoever waits for news is
not accused, nor is the server's thread that waits for its next word; who asked and was never
answered is told."""
import os
import signal
from concurrent.futures import ThreadPoolExecutor

from expectations import expect_equal, expect_in
from findings import AT_ONCE, severe
from hangs import PYTHON, hanging, looked_at, named_parties, traced
from harness import main, needs, scenario, start, wait_for

MAY_RUN_BESIDE_OTHERS = True

BEGIN = """
import os, select, socket, sys, threading, time
KIND = "MECHANISM"
if KIND == "tcp":
    listener = socket.create_server(("127.0.0.1", 0))
else:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("socket")
    listener.listen(5)
def tell(name):
    os.write(2, f"{name}={os.getpid()}\\n".encode())
def take(client):
    said = client.recv(99)
    if said.startswith(b"HELLO"):
        client.send(b"welcome")
    return said
def serve(client):
    while take(client):
        pass
address = listener.getsockname()
if os.fork():
    listener.close()
    client = socket.socket(socket.AF_INET if KIND == "tcp" else socket.AF_UNIX)
    client.connect(address)
    tell("client")
"""

# What it says before it waits.
CLIENTS = {
    "silent": "",
    "answered": "client.send(b'HELLO'); client.recv(7)",
    "asks more": "client.send(b'HELLO'); client.recv(7); client.send(b'SUBSCRIBE news')",
    "asks": "client.send(b'SUBSCRIBE news')",
}

SERVERS = {
    "loop": """
tell("server")
clients = [listener]
while True:
    for ready in select.select(clients, [], [])[0]:
        if ready is listener:
            clients.append(listener.accept()[0])
        else:
            take(ready)
""",
    "threads": """
tell("server")
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],)).start()
""",
}


def words(server, client, mechanism):
    text = BEGIN + f"    {CLIENTS[client]}\n    client.recv(1)\n" + SERVERS[server]
    return [PYTHON, "-c", text.replace("MECHANISM", mechanism)]


def in_folder(place, command):
    return ["sh", "-c", 'cd "$0"; exec "$@"', place, *command]


def by_run(top, command):
    place = os.path.join(top, "by run")
    os.mkdir(place)
    said, findings, result = traced(top, in_folder(place, command), 3)
    expect_equal(len(named_parties(result)), 2, "both came so far")
    return severe(findings), said


def by_look(top, command, party):
    """What -p says when both have slept for a second, at least."""
    place = os.path.join(top, f"by look at {party}")
    os.mkdir(place)
    result = start(place, in_folder(place, command), start_new_session=True)
    try:
        wait_for(lambda: hanging(2)(result), "both to wait")
        pid = named_parties(result)[party]
        found, _ = looked_at(pid, lambda found: any(pid in f["processes"] for f in found),
                             f"-p to tell of {party}")
        return severe(found)
    finally:
        os.killpg(result.process.pid, signal.SIGKILL)
        result.process.wait()


def sound_one(top, server, client, mechanism):
    name = f"{client} client of {server} over {mechanism}"
    os.mkdir(top)
    command = words(server, client, mechanism)
    found, _ = by_run(top, command)
    expect_equal(found, [], f"{name}, traced")
    for party in ("client", "server") if server == "threads" else ("client",):
        expect_equal(by_look(top, command, party), [], f"{name}: -p of the {party}")


@scenario("who reads what a server may send it, having asked nothing or been answered, is not accused")
def sound(directory):
    with ThreadPoolExecutor(AT_ONCE) as pool:
        jobs = [
            pool.submit(sound_one, os.path.join(directory, f"{server} {client} {mechanism}"),
                        server, client, mechanism)
            for server in SERVERS for mechanism in ("unix", "tcp")
            for client in ("silent", "answered", "asks more")
        ]  # fmt: skip
        for job in jobs:
            job.result()


@scenario("who asked first of all and heard nothing is told: by run, and over TCP by -p")
def asked(directory):
    for server in SERVERS:
        for mechanism in ("unix", "tcp"):
            name = f"{server} over {mechanism}"
            top = os.path.join(directory, name)
            os.mkdir(top)
            command = words(server, "asks", mechanism)
            found, said = by_run(top, command)
            expect_equal([f["id"] for f in found], ["blocked"], name)
            expect_in("waits to re" if server == "threads" else " waits in recvfrom(", said, name)
            # Of a unix socket a look does not see that the client has sent anything.
            looked = [f["id"] for f in by_look(top, command, "client")]
            expect_equal(looked, ["blocked"] if mechanism == "tcp" else [], f"{name} by -p")


@scenario("redis-cli that has subscribed or monitors is not accused; one whose BLPOP finds nothing is told")
def redis(directory):
    needs("redis-server", "redis-cli")
    name = os.path.join(directory, "socket")
    server = start(
        directory, ["redis-server", "--port", "0", "--unixsocket", name, "--save", ""],
        start_new_session=True,
    )  # fmt: skip
    try:
        wait_for(lambda: os.path.exists(name), "the server")
        for words, told in (("SUBSCRIBE news", 0), ("MONITOR", 0), ("BLPOP jobs 0", 1)):
            top = os.path.join(directory, words.split()[0])
            os.mkdir(top)
            _, findings, _ = traced(top, ["redis-cli", "-s", name, *words.split()])
            expect_equal(len(severe(findings)), told, f"{words}, traced: {findings}")
    finally:
        os.killpg(server.process.pid, signal.SIGKILL)
        server.process.wait()


if __name__ == "__main__":
    main()
