#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Those outside the trace: who is at the other end of what a traced process talks over."""
import json
import os
import shutil
import socket
import subprocess
import sys
import threading

from expectations import expect, expect_equal, expect_in
from harness import finish, main, record, scenario, start_record, wait_for

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


READ, RECVFROM, SELECT = ("0", "63"), ("45", "207"), ("23", "270", "72")


def asleep_in(pid, numbers):
    """Its call, by number: on x86-64 and elsewhere."""
    with open(f"/proc/{pid}/syscall", encoding="ascii") as file:
        return file.read().split()[0] in numbers


def asleep_in_read(pid):
    return asleep_in(pid, READ)


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


UDP_SERVER = """
import os, socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
    server.bind(("127.0.0.1", 0))
    print(server.getsockname()[1], flush=True)
    while True:
        data, address = server.recvfrom(64)
        server.sendto(b"%d" % os.getpid(), address)
"""

# Each server is asked once; it answers with its pid, so the client's log is what is true.
UDP_CLIENT = """
import json, os, select, socket, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
    for port in sys.argv[2:]:
        client.sendto(b"question " + port.encode(), ("127.0.0.1", int(port)))
        if sys.argv[1] == "poll":
            select.select([client], [], [])
        answer = client.recvfrom(64)
        print(json.dumps([answer[1][1], int(answer[0])]), flush=True)
"""


def udp_server():
    return subprocess.Popen([sys.executable, "-c", UDP_SERVER], stdout=subprocess.PIPE)


def check_udp(directory, how):
    servers = [udp_server() for _ in range(2)]
    try:
        ports = [server.stdout.readline().decode().strip() for server in servers]
        result = record(directory, [sys.executable, "-c", UDP_CLIENT, how, *ports])
    finally:
        for server in servers:
            server.kill()
            server.communicate()
    truth = [json.loads(line) for line in result.stdout.splitlines()]
    expect_equal([pid for _, pid in truth], [server.pid for server in servers], "who answered")
    found = result.messages().of("udp")
    for key, mine in (("to_outside", "from"), ("from_outside", "to")):
        messages = [m for m in found if m[mine]]
        expect_equal(len(messages), len(truth), "one each way, and each server")
        for message, (port, pid) in zip(messages, truth):
            check_named([message], key, pid, f"127.0.0.1:{port}")
    return result


@scenario("two UDP servers that are not traced: each message names the right one")
def udp_servers(directory):
    check_udp(directory, "receive")


@scenario("the same where the client waits in select")
def udp_select(directory):
    check_udp(directory, "poll")


def check_udp_wake(directory, script, numbers):
    """Someone wakes a traced receiver and is gone: only the wake-up tells who it was."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        number, address = bound.fileno(), bound.getsockname()
        code = "import os, select, socket\n" f"s = socket.socket(fileno={number})\n"
        code += "print(os.getpid(), flush=True)\n" + script
        run = start_record(directory, [sys.executable, "-c", code], pass_fds=(number,))
        wait_for(lambda: run.stdout.endswith(b"\n"), "the receiver")
        wait_for(lambda: asleep_in(int(run.stdout), numbers), "its sleep")
        sending = f"import socket; socket.socket(2, 2).sendto(b'awake', {address!r})"
        with subprocess.Popen([sys.executable, "-c", sending]) as sender:
            sender.wait()
        result = finish(run.wait(), 0, True)
    found = result.messages().of("udp")
    expect_equal([m["bytes"] for m in found], [5], "one came")
    named = found[0]["from_outside"]["processes"]
    expect_equal([p["pid"] for p in named], [sender.pid], "from whom")


@scenario("UDP: who wakes a traced receiver that asks for no address is named")
def udp_wakes(directory):
    check_udp_wake(directory, "s.recv(64)\n", RECVFROM)


@scenario("the same where it sleeps in select")
def udp_wakes_select(directory):
    check_udp_wake(directory, "select.select([s], [], [])\ns.recv(64)\n", SELECT)


@scenario("UDP: who neither sleeps nor wakes anybody is named when tracing ends")
def udp_silent(directory):
    mine, theirs = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    with mine, theirs:
        mine.bind(("0.0.0.0", 0))
        theirs.bind(("127.0.0.1", 0))
        port = mine.getsockname()[1]
        mine.sendto(b"early", theirs.getsockname())
        script = (
            "import socket, sys\n"
            "s = socket.socket(fileno=int(sys.argv[1]))\n"
            "s.sendto(b'answer', s.recvfrom(64)[1])\n"
        )
        result = record(
            directory,
            [sys.executable, "-c", script, str(theirs.fileno())],
            pass_fds=(theirs.fileno(),),
        )
        expect_equal(mine.recv(64), b"answer", "it came")
    found = result.messages().of("udp")
    expect_equal([m["bytes"] for m in found], [5, 6], "one each way")
    check_named([m for m in found if m["to"]], "from_outside", os.getpid(), f"127.0.0.1:{port}")
    check_named([m for m in found if m["from"]], "to_outside", os.getpid(), f"127.0.0.1:{port}")


@scenario("who holds the other end of a terminal is named, at the master and at the slave")
def terminals(directory):
    master, slave = os.openpty()
    name = os.ttyname(slave)
    os.write(master, b"world\n")
    command = ["sh", "-c", f"read a <&{slave}; echo hello $a >&{slave}"]
    result = record(os.path.join(directory), command, pass_fds=(slave,))
    expect_in(b"hello world", os.read(master, 64), "what it wrote")
    found = [m for m in result.messages().of("pty") if not m.get("echo")]
    check_named([m for m in found if m["to"]], "from_outside", os.getpid(), name)
    check_named([m for m in found if m["from"]], "to_outside", os.getpid(), name)
    expect(any(m["to"] for m in found) and any(m["from"] for m in found), "both ways", found)
    result = record(directory, ["sh", "-c", f"echo hello >&{master}"], pass_fds=(master,))
    found = [m for m in result.messages().of("pty") if m["from"]]
    expect_equal([m["bytes"] for m in found], [6], "from the master")
    check_named(found, "to_outside", os.getpid(), found[0]["to_outside"].get("address"))
    os.close(master)
    os.close(slave)


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
