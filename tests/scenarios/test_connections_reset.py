#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A connection that its server resets: who did it, in the trace and outside it."""
import os
import shlex

from expectations import expect_equal, expect_in
from findings import diagnose
from harness import main, needs, run, scenario, start, wait_for

PYTHON = "/usr/bin/python3"

# Closes the connection once something lies there to be read, and tells its port and its pid.
SERVER = """
import os, socket
server = socket.create_server(("127.0.0.1", 0))
os.write(1, b"%d %d\\n" % (server.getsockname()[1], os.getpid()))
connection, _ = server.accept()
connection.recv(1, socket.MSG_PEEK)
"""

NODE = """
const socket = require("net").connect(PORT, "127.0.0.1");
socket.on("connect", () => socket.write("hello"));
socket.on("error", error => console.error(error.code));
"""

CLIENTS = {
    "curl": (["curl", "-sS", "http://127.0.0.1:PORT/"], "reset by peer"),
    "node": (["node", "-e", NODE], "ECONNRESET"),
}

# The server is the shell's child; the client begins when it has told where it listens.
INSIDE = """
{python} -c {server} >told & until [ -s told ]; do sleep 0.02; done
read -r port pid <told; CLIENT; wait; true
"""


def words(name, port):
    return [word.replace("PORT", port) for word in CLIENTS[name][0]]


def told(result):
    """Its finding, which run and its trace tell in the same words."""
    found = [f for f in diagnose(result.trace_path)[0] if f["id"] == "reset-with-data"]
    expect_equal(len(found), 1, "it is told once")
    expect_in(found[0]["text"], result.stderr.decode(), "run says so")
    return found[0]


@scenario("of a connection that a server in the trace resets, that server is named")
def inside(directory):
    for name, (_, error) in CLIENTS.items():
        needs(name)
        place = os.path.join(directory, name)
        os.mkdir(place)
        client = " ".join(f"'{word}'" for word in words(name, "'$port'"))
        script = INSIDE.format(python=PYTHON, server=shlex.quote(SERVER))
        command = ["sh", "-c", script.replace("CLIENT", client)]
        result = run(place, command, "--diagnose-only", "--lang", "en", cwd=place)
        expect_in(error, result.stderr.decode(), f"{name} says itself that it was reset")
        server = int(result.text("told").split()[1])
        finding = told(result)
        expect_equal(finding["severity"], "warning", name)
        expect_in(f"]: python3[{server}] closed without reading ", without_end(finding), name)
        expect_in(server, finding["processes"], f"{name}: who closed")


def without_end(finding):
    """The text without the address of the client's own end."""
    before, _, after = finding["text"].partition(" 127.0.0.1:")
    return before + after[after.index(":") :]


@scenario("of one that a server outside the trace resets, the address is told: a note")
def outside(directory):
    for name, (_, error) in CLIENTS.items():
        needs(name)
        place = os.path.join(directory, name)
        os.mkdir(place)
        os.mkdir(os.path.join(place, "server"))
        server = start(os.path.join(place, "server"), [PYTHON, "-c", SERVER])
        try:
            wait_for(lambda server=server: server.stdout, "the server to listen")
            port = server.stdout.split()[0].decode()
            command = ["sh", "-c", '"$@"; true', "sh", *words(name, port)]
            result = run(place, command, "--diagnose-only", "--lang", "en")
        finally:
            server.process.wait()
        expect_in(error, result.stderr.decode(), f"{name} says itself that it was reset")
        finding = told(result)
        expect_equal(finding["severity"], "note", name)
        expect_in(f": 127.0.0.1:{port}, outside the trace, closed", finding["text"], name)


if __name__ == "__main__":
    main()
