#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Connections that nobody accepts, as all workers of a pool are busy, or a program only inherited
the listener: who should have accepted, and what to do."""
import os
import signal

from expectations import expect, expect_equal, expect_in
from findings import diagnose, expect_nothing_rests_on_a_gap
from hangs import PYTHON, TIMED_OUT, asleep, has, looked_at
from harness import main, record, scenario, start, wait_for

MAY_RUN_BESIDE_OTHERS = True

# A parent that looks after one worker, which serves a client that sends half a request.
POOL = """
import os, select, socket, sys
listener = socket.create_server(("127.0.0.1", 0))
silent, other = socket.socketpair()
worker = os.fork()
if not worker:
    while True:
        connection = listener.accept()[0]
        while len(connection.recv(100)) < {wanted}:
            pass
        connection.send(b"done")
        connection.close()
parent = os.getpid()
if os.fork():
    while True:
        select.select([silent], [], [], 1)
address = listener.getsockname()
listener.close()
first = socket.create_connection(address)
first.send(b"GET / HT")
select.select([], [], [], 0.3)
second = socket.create_connection(address)
second.send(b"GET / HTTP/1.0\\r\\n\\r\\n")
print(os.getpid(), flush=True)
second.recv(100)
os.kill(worker, 9)
os.kill(parent, 9)
"""

LEFT = """
import socket, subprocess
listener = socket.create_server(("127.0.0.1", 0))
listener.set_inheritable(True)
address = listener.getsockname()
subprocess.Popen(["sleep", "{seconds}"], close_fds={closed})
listener.close()
client = socket.create_connection(address)
client.send(b"GET")
client.recv(10)
"""


def recorded(directory, script, status, *options):
    place = os.path.join(directory, "traced")
    os.mkdir(place)
    return record(place, [PYTHON, "-c", script], *options, status=status, whole=False)


def accused(findings, name):
    found = [finding for finding in findings if finding["id"] == "never-accepted"]
    expect_equal([finding["severity"] for finding in found], ["warning"], f"{name}: {findings}")
    return found[0]


def check_pool(findings, worker, client):
    found = accused(findings, "a pool")
    expect_equal(found["processes"][:2], [client, worker], "the worker is named, not its parent")
    expect_in(f"python3[{worker}] waits to read from tcp", found["text"], "what keeps it")
    expect_in("start more workers", found["advice"], "the remedy")


@scenario("a pool whose worker is busy: that one is named, not its parent, by a trace and by -p")
def pool(directory):
    run = recorded(directory, POOL.format(wanted=1000), TIMED_OUT, "--timeout", "2")
    accepts = [op for op in run.trace.operations() if op["syscall"] == "accept4"]
    client = int(run.stdout.split()[0])
    check_pool(diagnose(run.trace_path)[0], accepts[0]["pid"], client)
    expect_nothing_rests_on_a_gap(run.trace_path, 3)


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


@scenario("-p of the client names the worker, too")
def untraced(directory):
    script = POOL.format(wanted=1000)
    result = start(directory, [PYTHON, "-c", script], start_new_session=True)
    try:
        wait_for(lambda: result.stdout.split() and asleep(int(result.stdout.split()[0])), "it")
        client = int(result.stdout.split()[0])
        worker = min(children_of(result.process.pid))
        found = looked_at(client, has("never-accepted"), "never-accepted")[0]
        check_pool(found, worker, client)
    finally:
        os.killpg(result.process.pid, signal.SIGKILL)
        result.process.wait()


@scenario("a worker that comes to accept both is not accused")
def served(directory):
    run = recorded(directory, POOL.format(wanted=1), 137, "--timeout", "20")
    found = [f for f in diagnose(run.trace_path)[0] if f["id"] == "never-accepted"]
    expect_equal(found, [], "both are accepted")


@scenario("a program that only inherited the listener is told to close it at exec()")
def left(directory):
    run = recorded(directory, LEFT.format(closed=False, seconds=30), TIMED_OUT, "--timeout", "2")
    found = accused(diagnose(run.trace_path)[0], "left")
    expect_in("sleep[", found["text"], "who has the listener")
    expect_in("only inherited the listener", found["advice"], "the remedy")
    expect("a loop" not in found["advice"], "it is not told to accept", found)


@scenario("where exec() closes the listener its client is refused at once")
def closed(directory):
    run = recorded(directory, LEFT.format(closed=True, seconds=1), 1, "--timeout", "20")
    found = [f for f in diagnose(run.trace_path)[0] if f["id"] == "never-accepted"]
    expect_equal(found, [], "nobody listens")


if __name__ == "__main__":
    main()
