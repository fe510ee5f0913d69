#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Clients whose connect() sleeps, or goes on in vain, as the backlog of a TCP server is full."""
import os
import re
import signal

from expectations import expect, expect_equal, expect_in
from findings import diagnose, expect_nothing_rests_on_a_gap
from hangs import (
    PYTHON, TIMED_OUT, asleep, expect_named, looked_at, named_parties, traced, untraced
)
from harness import main, needs, record, scenario, start, wait_for

MAY_RUN_BESIDE_OTHERS = True

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
        os.write(1, b"%d\\n" % os.getpid())
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
def full_untraced(directory):
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


# Fills its own backlog, and tells where it listens. What comes then gets no answer from the kernel.
SERVER = """
import os, signal, socket
listener = socket.create_server(("127.0.0.1", 0), backlog=0)
held = [socket.socket() for _ in range(3)]
for client in held:
    client.setblocking(False)
    client.connect_ex(listener.getsockname())
os.write(2, b"server=%d\\n" % os.getpid())
os.write(1, b"%d\\n" % listener.getsockname()[1])
signal.pause()
"""
CLIENTS = {
    "curl": "curl -sS --noproxy '*' http://127.0.0.1:$port/",
    "node": """node -e 'require("net").connect(process.argv[1], "127.0.0.1")' $port""",
    "fetch": """node -e 'fetch("http://127.0.0.1:" + process.argv[1])' $port""",
    "asyncio": PYTHON + """ -c 'import asyncio, sys
asyncio.run(asyncio.open_connection("127.0.0.1", sys.argv[1]))' $port""",
    "psql": "psql -h 127.0.0.1 -p $port",
}
BOTH = """
mkfifo told; {python} -c '{server}' >told & read -r port <told
echo client=$$ >&2; exec {client}
"""


def never_accepted(name, findings, result, port):
    """The text, without what differs from run to run."""
    pids = named_parties(result)
    found = expect_named(findings, "never-accepted", set(pids.values()))
    expect_equal(found["severity"], "warning", name)
    expect_equal(found["processes"][0], pids["client"], f"{name}: who waits")
    expect_in(f" connected to 127.0.0.1:{port}, and python3[{pids['server']}], who listens there",
              found["text"], name)
    severe = [f["id"] for f in findings if f["severity"] != "note"]
    expect_equal(severe, ["never-accepted"], f"{name}: it is told once")
    return re.sub(r"\[\d+\]|:\d+", "", found["text"]), found["advice"]


def port_of(findings):
    told = [f["text"] for f in findings if f["id"] == "never-accepted"]
    expect(told, "never-accepted", findings)
    return re.search(r"connected to 127.0.0.1:(\d+),", " ".join(told)).group(1)


def goes_on_in_vain(directory, name):
    needs(CLIENTS[name].split()[0])
    script = BOTH.format(python=PYTHON, server=SERVER, client=CLIENTS[name])
    places = [os.path.join(directory, word) for word in ("first", "second")]
    for place in places:
        os.mkdir(place)
    text, findings, result = traced(places[0], ["sh", "-c", f"cd {places[0]}; {script}"], 5)
    port = port_of(findings)
    of_trace = never_accepted(name, findings, result, port)
    expect_in(f"connected to 127.0.0.1:{port}, and python3[", text, f"{name}: run says so")
    expect("connected to ," not in text, f"{name}: no address is empty", text)
    looked, result = untraced(
        places[1], ["sh", "-c", f"cd {places[1]}; {script}"],
        lambda result: len(named_parties(result)) == 2, "never-accepted",
    )  # fmt: skip
    of_look = never_accepted(name, looked, result, port_of(looked))
    expect_equal(of_look, of_trace, f"{name}: the same words")


for each in CLIENTS:
    scenario(f"{each}, whose connect() does not wait, is told by each way that nobody accepts")(
        lambda directory, each=each: goes_on_in_vain(directory, each)
    )


if __name__ == "__main__":
    main()
