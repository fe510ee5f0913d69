#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Clients whose connect() sleeps, as the backlog of a TCP server is full: who could accept."""
import os
import signal

from expectations import expect, expect_equal, expect_in
from findings import diagnose, expect_nothing_rests_on_a_gap
from hangs import PYTHON, TIMED_OUT, asleep, looked_at
from harness import main, record, scenario, start, wait_for

# listen(0) has room for one connection. Three clients come.
FULL = """
import os, signal, socket, time
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen({room})
for _ in range(3):
    if not os.fork():
        address = listener.getsockname()
        listener.close()
        print(os.getpid(), flush=True)
        client = socket.create_connection(address)
        client.recv(1)
        os._exit(0)
{serves}
"""
NEVER = "signal.pause()"
LATE = """
time.sleep(0.3)
for _ in range(3):
    listener.accept()[0].send(b"x")
for _ in range(3):
    os.wait()
"""


def check(findings, server, name):
    told = [
        finding
        for finding in findings
        if finding["id"] == "blocked" and "in connect(" in finding["text"]
    ]
    expect(told, f"{name}: connect() is told of", findings)
    for finding in told:
        expect_equal(finding["severity"], "warning", name)
        expect_in(f"python3[{server}]", finding["text"], "who could accept")
        expect_in("the backlog of tcp:", " ".join(finding["evidence"]), "why it sleeps")
    return told


@scenario("of a full backlog of TCP who connects is told whose it is")
def full(directory):
    run = record(
        directory, [PYTHON, "-c", FULL.format(room=0, serves=NEVER)], "--timeout", "3",
        status=TIMED_OUT, whole=False,
    )  # fmt: skip
    server = next(op["pid"] for op in run.trace.operations() if op["syscall"] == "listen")
    expect_equal(len(check(diagnose(run.trace_path)[0], server, "a trace")), 2, "two of three")
    expect_nothing_rests_on_a_gap(run.trace_path, 3)


@scenario("-p of one of them says the same")
def untraced(directory):
    script = FULL.format(room=0, serves=NEVER)
    result = start(directory, [PYTHON, "-c", script], start_new_session=True)
    try:
        wait_for(lambda: len(result.stdout.split()) == 3, "the clients")
        clients = [int(word) for word in result.stdout.split()]
        wait_for(lambda: all(map(asleep, clients)), "their sleep")
        found = [looked_at(pid, len, "a finding")[0] for pid in clients]
        told = [f for f in found if any("in connect(" in finding["text"] for finding in f)]
        expect_equal(len(told), 2, f"two of three wait in connect(): {found}")
        check(told[0], result.process.pid, "-p")
    finally:
        os.killpg(result.process.pid, signal.SIGKILL)
        result.process.wait()


@scenario("where the backlog has room none waits in connect(), and who accepts late is not accused")
def late(directory):
    script = FULL.format(room=8, serves=LATE)
    run = record(directory, [PYTHON, "-c", script], "--timeout", "30", whole=False)
    found = [f for f in diagnose(run.trace_path)[0] if f["id"] in ("blocked", "never-accepted")]
    expect_equal(found, [], "all were accepted")


if __name__ == "__main__":
    main()
