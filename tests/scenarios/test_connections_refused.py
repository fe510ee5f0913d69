#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Connections that fail after connect(2) returned are told, as those that fail at once."""
import os
import re
import socket

from expectations import expect, expect_equal, expect_in
from findings import diagnose, severe
from harness import main, needs, record, run, scenario
from servers import WAIT, free_port

PYTHON = "/usr/bin/python3"

ASYNCIO = """
import asyncio
async def connect():
    try:
        await asyncio.open_connection("127.0.0.1", PORT)
    except ConnectionRefusedError:
        print("refused")
asyncio.run(connect())
"""

# Only the send tells: nobody asks for SO_ERROR.
SENDS = """
import select, socket
s = socket.socket()
s.setblocking(False)
s.connect_ex(("127.0.0.1", PORT))
poll = select.poll()
poll.register(s, select.POLLOUT)
poll.poll()
try:
    s.send(b"x")
except ConnectionRefusedError:
    print("refused")
"""

NODE = """
require("net").connect(PORT, "127.0.0.1").on("error", e => console.log(e.code));
"""

CLIENTS = {
    "curl": ["curl", "-sS", "http://127.0.0.1:PORT/"],
    "asyncio": [PYTHON, "-c", ASYNCIO],
    "send": [PYTHON, "-c", SENDS],
    "node": ["node", "-e", NODE],
    "psql": ["psql", "-h", "127.0.0.1", "-p", "PORT"],
}

# The first address is refused, the second one connects: what a name with two addresses does.
SECOND = """
import socket
for port in FREE, PORT:
    s = socket.socket()
    s.setblocking(False)
    s.connect_ex(("127.0.0.1", port))
    import select
    select.select([], [s], [])
    if not s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
        print("connected")
"""


# What nginx passes on goes to where nobody listens.
NGINX = """
cat >conf <<'END'
daemon off; worker_processes 2; pid nginx.pid; error_log error.log; user root;
events {} http { access_log access.log; server { listen 127.0.0.1:PORT;
location / { proxy_pass http://127.0.0.1:FREE; } } }
END
nginx -p $PWD -c conf & S=$!
""" + WAIT % "curl -s -o body http://127.0.0.1:PORT/" + """
kill -QUIT $S; wait
"""


def traced(directory, name, command, port):
    place = os.path.join(directory, name)
    os.mkdir(place)
    words = [word.replace("PORT", str(port)) for word in command]
    result = record(place, ["sh", "-c", '"$@"; true', "sh", *words])
    return diagnose(result.trace_path)[0], result


def refused_later(directory, name):
    command = CLIENTS[name]
    needs(command[0])
    port = free_port()
    findings, result = traced(directory, name, command, port)
    told = (result.stdout + result.stderr).lower()
    expect(b"refused" in told or b"connect" in told, f"{name} was refused itself", told)
    found = [f for f in findings if f["id"] == "connection-refused"]
    expect_equal([f["severity"] for f in found], ["warning"], f"{name}: {findings}")
    expect_in(f"127.0.0.1:{port}", found[0]["text"], name)


for each in CLIENTS:
    scenario(f"a connect that is refused later is told, by whatever call says so: {each}")(
        lambda directory, each=each: refused_later(directory, each)
    )


@scenario("so is that of nginx behind which nobody listens; run shows the failed call too")
def dead_upstream(directory):
    needs("nginx", "curl")
    port, free = free_port(), free_port()
    script = NGINX.replace("PORT", str(port)).replace("FREE", str(free))
    result = run(directory, ["sh", "-c", script], "--lang", "en", "--width", "300", cwd=directory)
    expect_in(b"502 Bad Gateway", result.text("body"), "nginx answered that nobody is there")
    logged = re.findall(r"(\d+)#.*connect\(\) failed", result.text("error.log").decode())
    expect_equal(len(logged), 1, "nginx logged it once")
    worker, address = int(logged[0]), f"127.0.0.1:{free}"
    told = [f for f in severe(diagnose(result.trace_path)[0]) if address in f["text"]]
    expect_equal(
        [(f["id"], f["severity"], f["processes"]) for f in told],
        [("connection-refused", "warning", [worker])],
        "the worker that logged it",
    )
    drawn = result.stderr.decode()
    finding = f"! connection-refused  nginx[{worker}] tried to connect to {address}, where nobody"
    expect_in(finding, drawn, "what run says")
    expect_in("✗ connect ECONNREFUSED", drawn, "what run draws")


@scenario("where the next address is connected, it is only a note")
def second_address(directory):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        program = SECOND.replace("FREE", str(free_port()))
        port = listener.getsockname()[1]
        findings, result = traced(directory, "second", [PYTHON, "-c", program], port)
    expect_in(b"connected", result.stdout, "the second address")
    found = [f for f in findings if f["id"] == "connection-refused"]
    expect_equal([f["severity"] for f in found], ["note"], findings)


GIVEN_UP = {
    "curl": ["curl", "-sS", "--connect-timeout", "1", "http://127.0.0.1:PORT/"],
    "python": [PYTHON, "-c", "import socket; socket.create_connection(('127.0.0.1', PORT), 1)"],
}


@scenario("who gives up because nobody answers is told, and how long that took")
def given_up(directory):
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for filler in (first, second):  # the backlog is full then: what comes is not answered
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        port = listener.getsockname()[1]
        for name, command in GIVEN_UP.items():
            findings, result = traced(directory, name, command, port)
            expect_in(b"out", result.stderr, f"{name} says that it timed out")
            expect_gave_up(name, findings, port)


def expect_gave_up(name, findings, port):
    found = [f for f in findings if f["id"] == "connection-failed"]
    expect_equal([f["severity"] for f in found], ["warning"], (name, findings))
    expect_in(f"127.0.0.1:{port}: nobody answered, and it gave up after", found[0]["text"], name)


if __name__ == "__main__":
    main()
