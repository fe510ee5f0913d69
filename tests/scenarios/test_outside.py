#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Those outside the trace: who is at the other end of what a traced process talks over."""
import os
import shutil
import socket
import subprocess
import sys
import threading

from expectations import expect, expect_equal, expect_in
from harness import main, record, scenario, wait_for

ANSWER = b"an answer of another length"


def serve(listener):
    """One connection: reads a question, answers, and reads until the end."""
    listener.listen(1)

    def talk():
        connection, _ = listener.accept()
        with connection:
            connection.recv(64)
            connection.sendall(ANSWER)
            connection.recv(64)

    thread = threading.Thread(target=talk, daemon=True)
    thread.start()
    return thread


def ask(family, address):
    return [
        sys.executable,
        "-c",
        "import socket\n"
        f"s = socket.socket({int(family)})\n"
        f"s.connect({address!r})\n"
        "s.sendall(b'question')\n"
        "s.recv(64)\n",
    ]


def check_named(found, key, process, address):
    for message in found:
        outside = message[key]
        expect_equal(
            [p["pid"] for p in outside.get("processes", [])], [process], "who is at the other end"
        )
        expect_equal(outside.get("address"), address, "and its address")


def check_server(directory, mechanism, family, address, shown):
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        address = listener.getsockname()
        thread = serve(listener)
        result = record(directory, ask(family, address))
        thread.join(10)
    found = result.messages().of(mechanism)
    sent = [m for m in found if m["from"]]
    received = [m for m in found if m["to"]]
    expect_equal([m["bytes"] for m in sent], [len("question")], "the question")
    expect_equal([m["bytes"] for m in received], [len(ANSWER)], "the answer")
    expect(sent[0]["to"] is None and received[0]["from"] is None, "the other end is outside")
    check_named(sent, "to_outside", os.getpid(), shown(address))
    check_named(received, "from_outside", os.getpid(), shown(address))
    return result


@scenario("a server on a unix socket that is not traced is named")
def unix_server(directory):
    path = os.path.join(directory, "socket")
    check_server(directory, "unix-stream", socket.AF_UNIX, path, str)


@scenario("a server on loopback that is not traced is named")
def tcp_server(directory):
    check_server(
        directory,
        "tcp",
        socket.AF_INET,
        ("127.0.0.1", 0),
        lambda address: f"{address[0]}:{address[1]}",
    )


def asleep_in_read(pid):
    """Its call, by number: 0 is read on x86-64, 63 elsewhere."""
    with open(f"/proc/{pid}/syscall", encoding="ascii") as file:
        return file.read().split()[0] in ("0", "63")


@scenario("who reads a FIFO and is not traced is named, and a process that does not is not")
def fifo_reader(directory):
    path = os.path.join(directory, "fifo")
    os.mkfifo(path)
    held = os.open(path, os.O_RDWR)
    command = ["head", "-c", "6"]
    with subprocess.Popen(command, stdin=held, stdout=subprocess.DEVNULL) as reader:
        wait_for(lambda: asleep_in_read(reader.pid), "the reader to wait")
        result = record(directory, ["sh", "-c", f"echo hello >{path}"])
        expect_equal(reader.wait(10), 0, "it ends with the line")
    os.close(held)
    found = [m for m in result.messages().of("fifo") if m["from"]]
    expect_equal([m["bytes"] for m in found], [6], "one line")
    expect_equal(
        found[0]["to_outside"]["processes"], [{"pid": reader.pid, "comm": "head"}], "who reads it"
    )
    lines = [line for line in result.trace.of("channel") if "outside" in line]
    expect_equal({line["outside"]["pid"] for line in lines}, {reader.pid}, "and nobody else")


def held_by(trace, pid):
    """What the trace says that this process outside it held when tracing ended."""
    lines = [line for line in trace.of("channel") if "held_outside" in line]
    return [line for line in lines if line["held_outside"]["pid"] == pid]


@scenario("who holds an end outside the trace and never stirs is named when tracing ends")
def silent_holder(directory):
    reading, writing = os.pipe()
    mine, theirs = socket.socketpair()
    command = ["sh", "-c", f"echo hello >&{writing}; echo again >&{theirs.fileno()}"]
    with mine, theirs:
        result = record(directory, command, pass_fds=(writing, theirs.fileno()))
        held = held_by(result.trace, os.getpid())
        ends = {(line["held_outside"]["fd"], line["held_outside"]["access"]) for line in held}
        expected = {(reading, "read"), (writing, "write")}
        expected |= {(mine.fileno(), "both"), (theirs.fileno(), "both")}
        expect(ends >= {(reading, "read"), (writing, "write")}, "both ends of the pipe", held)
        expect(ends <= expected, "and nothing that it does not hold", ends - expected)
        for mechanism, size in (("pipe", 6), ("unix-stream", 6)):
            found = [m for m in result.messages().of(mechanism) if m["bytes"] == size]
            named = [p["pid"] for p in found[0]["to_outside"]["processes"]]
            expect_in(os.getpid(), named, f"who can read the {mechanism}")
    os.close(reading)
    os.close(writing)


@scenario("redis-cli traced, redis-server not: both ends are named")
def redis(directory):
    if not shutil.which("redis-server") or not shutil.which("redis-cli"):
        return
    path = os.path.join(directory, "redis")
    arguments = ["--unixsocket", path, "--port", "0", "--save", "", "--dir", directory]
    with subprocess.Popen(
        ["redis-server", *arguments], stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL
    ) as server:
        try:
            wait_for(lambda: os.path.exists(path), "the server's socket")
            result = record(directory, ["redis-cli", "-s", path, "SET", "lecture", "IPC"])
        finally:
            server.terminate()
    found = result.messages().of("unix-stream")
    expect(found, "they talked")
    for message in found:
        named = message["to_outside" if message["from"] else "from_outside"]["processes"]
        expect_equal([p["pid"] for p in named], [server.pid], "the server")
        expect_in("redis", named[0]["comm"], "by its name")
    expect_in(f"redis-server[{server.pid}]", result.view(columns=200), "in the picture, too")


if __name__ == "__main__":
    main()
