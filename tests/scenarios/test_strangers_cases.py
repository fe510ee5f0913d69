#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Cases that strangers found: what was called exact, or lost, and was not."""
import subprocess
import sys

import joining
from expectations import expect_equal, expect_in
from findings import diagnose
from harness import main, record, scenario, wait_for

# Each is a connection that nobody accepts, and then two sockets that get its addresses in the kernel.
NEVER_ACCEPTED = """
import os, socket
path = "socket"
for i in range(4):
    listener = socket.socket(socket.AF_UNIX); listener.bind(path); listener.listen()
    client = socket.socket(socket.AF_UNIX); client.connect(path); client.send(b"never")
    listener.close(); client.close(); os.unlink(path)
    a, b = socket.socketpair()
    a.send(b"pair%d" % i); b.send(b"rev"); b.recv(100); a.close(); b.close()
"""

NOBODY_THERE = """
from socket import *
there = socket(AF_INET, SOCK_DGRAM); there.bind(("127.0.0.1", 0)); port = there.getsockname()[1]
there.close()
socket(AF_INET, SOCK_DGRAM).sendto(b"nobody", ("127.0.0.1", port))
"""

FILTERED = """
from socket import *
there = socket(AF_INET, SOCK_DGRAM); there.bind(("127.0.0.1", 0)); port = there.getsockname()[1]
there.connect(("127.0.0.1", 9))
socket(AF_INET, SOCK_DGRAM).sendto(b"filtered", ("127.0.0.1", port))
"""

READ_OUTSIDE = """
import os, time
r, w = os.pipe()
if os.fork() == 0:
    while os.read(r, 100): pass
    os._exit(0)
while True:
    os.write(w, b"message"); time.sleep(0.02)
"""


def has_messages(path):
    with open(path, "rb") as file:
        return file.read().count(b'"syscall":"write"') > 5


def python(text):
    return [sys.executable, "-c", text]


@scenario("the addresses of a connection that nobody accepted serve other sockets: no pair is lost")
def never_accepted(directory):
    found = record(directory, python(NEVER_ACCEPTED), cwd=directory).messages().of("unix-stream")
    told = [m["bytes"] for m in found if m["from"] and m["to"] and m["match"] == "exact"]
    expect_equal(told, [5] * 4, "each socketpair's message")
    expect_equal([m for m in found if not m["from"]], [], "nothing comes from outside")


@scenario("a datagram to a port that nobody has was dropped, and went nowhere else")
def nobody_there(directory):
    result = record(directory, python(NOBODY_THERE))
    told = [(m["to"], m.get("fate"), m["match"]) for m in result.messages().of("udp")]
    expect_equal(told, [(None, "dropped", "exact")], "its fate")
    dropped = [f for f in diagnose(result.trace_path)[0] if f["id"] == "datagram-dropped"]
    expect_equal(len(dropped), 1, f"told once: {dropped}")
    expect_in("1 datagram that", dropped[0]["text"], "and counted once")
    expect_in("nobody has the port", dropped[0]["text"], "why")


@scenario("a datagram that a connected socket does not take: its port is not called nobody's")
def filtered(directory):
    result = record(directory, python(FILTERED))
    dropped = [f for f in diagnose(result.trace_path)[0] if f["id"] == "datagram-dropped"]
    expect_equal(len(dropped), 1, f"told once: {dropped}")
    expect_in("is connected to 127.0.0.1:9, and takes nothing", dropped[0]["text"], "why")


@scenario("joined without its reader: what that one reads is not certainly unread")
def read_outside(directory):
    with subprocess.Popen(python(READ_OUTSIDE), start_new_session=True) as writer:
        try:
            run = joining.attach(directory, "-p", writer.pid)
            wait_for(lambda: has_messages(run.trace_path), "some messages")
            run.process.terminate()
            joining.ends(run, "interrupted")
        finally:
            subprocess.run(["pkill", "-KILL", "-g", str(writer.pid)], check=False)
    told = {(m.get("fate"), m["match"]) for m in run.messages().of("pipe") if m["from"]}
    expect_equal(told, {("unread", "ambiguous")}, "what became of them")


if __name__ == "__main__":
    main()
