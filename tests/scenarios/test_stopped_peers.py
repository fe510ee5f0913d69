#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""`diagnose -p` of who waits for events on a socket whose other end is stopped: it names it."""
import os

from expectations import expect, expect_equal, expect_in
from hangs import PYTHON, untraced
from harness import main, scenario

# The peer stops itself once the connection stands; each logs who it is.
PROGRAM = """
import os, select, signal, socket
{connect}
if not os.fork():
    {peer}
    os.write(1, b"%d\\n" % os.getpid())
    os.kill(os.getpid(), signal.SIGSTOP)
{own}
os.write(1, b"%d\\n" % os.getpid())
{wait}
"""

CONNECTIONS = {
    "unix": ("own, other = socket.socketpair()", "own.close()", "other.close()"),
    "tcp": (
        'server = socket.create_server(("127.0.0.1", 0))',
        "server, other = server.accept()[0], server.close()",
        "own = socket.create_connection(server.getsockname()); server.close()",
    ),
}

WAITS = {
    "poll": "poll = select.poll(); poll.register(own, select.POLLIN); poll.poll()",
    "select": "select.select([own], [], [])",
    "epoll": "epoll = select.epoll(); epoll.register(own, select.EPOLLIN); epoll.poll()",
    "two": "mine = os.pipe(); select.select([own, mine[0]], [], [])",
    "thread": "import threading; threading.Thread(target=threading.Event().wait, daemon=True)"
    ".start(); select.select([own], [], [])",
}


def state(pid):
    with open(f"/proc/{pid}/stat", "rb") as file:
        return file.read().rpartition(b")")[2].split()[0]


def ready(result):
    pids = [int(word) for word in result.stdout.split()]
    return len(pids) == 2 and sorted(map(state, pids)) == [b"S", b"T"]


def look(directory, connection, wait):
    connect, peer, own = CONNECTIONS[connection]
    text = PROGRAM.format(connect=connect, peer=peer, own=own, wait=WAITS[wait])
    findings, result = untraced(directory, [PYTHON, "-c", text], ready, "stopped")
    waiting = result.process.pid
    stopped = next(pid for pid in map(int, result.stdout.split()) if pid != waiting)
    told = [f for f in findings if f["severity"] != "note"]
    expect_equal([f["id"] for f in told], ["stopped"], f"one finding: {findings}")
    expect({waiting, stopped} <= set(told[0]["processes"]), "both are named", told)
    expect_in(f"python3[{stopped}] is stopped", told[0]["text"], "who is stopped")
    expect_in(f"python3[{waiting}]", " ".join(told[0]["evidence"]), "who waits for it")
    expect_in(f"kill -CONT {stopped}", told[0]["advice"], "what to do")


for each in [(connection, wait) for connection in CONNECTIONS for wait in WAITS]:
    scenario(f"{each[1]} on {each[0]}: the peer, which is stopped, is named")(
        lambda directory, each=each: look(directory, *each)
    )


if __name__ == "__main__":
    main(at_once=2)
