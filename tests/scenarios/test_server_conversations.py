#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Servers and clients that people run: both ends of each message are named, with its bytes."""
import os
import shlex
import subprocess

from expectations import expect, expect_equal, expect_in, expect_row
from harness import main, record, scenario, wait_for
from postgres import started
from servers import WAIT, free_port, script
from traces import blob, call

def pair_of(message):
    """The names of sender and receiver; None for signals and where one is unknown."""
    if message["mechanism"] == "signal" or not message["from"] or not message["to"]:
        return None
    return message["from"]["comm"], message["to"]["comm"]


def said(result, sender, receiver, mechanism=None):
    """What one program said to another, as far as the trace kept it: joined, in order."""
    text = b""
    for m in result.messages():
        if pair_of(m) == (sender, receiver) and mechanism in (None, m["mechanism"]):
            # A send that had not returned when the trace ended has no payload: its receive has it.
            end = "sent" if kept(result, m["sent"]) or not m["received"] else "received"
            text += kept(result, m[end])[m[end]["offset"] :][: m["bytes"]]
    return text


def kept(result, end):
    return blob(result.trace.operation(end["op"]).get("payload"))


def exact(result, sender, receiver):
    """How sure the pairing between two programs is."""
    return {m["match"] for m in result.messages() if pair_of(m) == (sender, receiver)}


@scenario("redis-cli and redis-server, over a unix socket and over TCP")
def redis(directory):
    port = free_port()
    result = script(
        directory,
        f"redis-server --port {port} --unixsocket r.sock --save '' >server.log & S=$!",
        WAIT % "grep -qi 'ready to accept connections' server.log",
        "redis-cli -s r.sock set greeting over-unix",
        f"redis-cli -p {port} get greeting",
        f"redis-cli -p {port} shutdown nosave",
        "wait",
        environment={"REDISCLI_HISTFILE": "/dev/null"},
    )
    expect_equal(result.stdout, b"OK\nover-unix\n", "what the clients printed")
    request = b"*3\r\n$3\r\nset\r\n$8\r\ngreeting\r\n$9\r\nover-unix\r\n"
    expect_in(request, said(result, "redis-cli", "redis-server", "unix-stream"), "the request")
    expect_equal(said(result, "redis-server", "redis-cli", "unix-stream")[-5:], b"+OK\r\n", "answer")
    request = b"*2\r\n$3\r\nget\r\n$8\r\ngreeting\r\n"
    expect_in(request, said(result, "redis-cli", "redis-server", "tcp"), "the request over TCP")
    expect_in(b"$9\r\nover-unix\r\n", said(result, "redis-server", "redis-cli", "tcp"), "answer")
    expect_equal(exact(result, "redis-cli", "redis-server"), {"exact"}, "how sure it is")
    expect_row(result.view("--mechanism", "tcp"), "redis-cli", "redis-server")


@scenario("memcached: set and get by a client over TCP")
def memcached(directory):
    port = free_port()
    client = (
        "import socket\n"
        f"s = socket.create_connection(('127.0.0.1', {port}))\n"
        "s.sendall(b'set k 0 0 5\\r\\nhello\\r\\n'); print(s.recv(99))\n"
        "s.sendall(b'get k\\r\\n'); print(s.recv(99))\n"
    )
    with open(os.path.join(directory, "client.py"), "w", encoding="ascii") as file:
        file.write(client)
    result = script(
        directory,
        f"memcached -u nobody -l 127.0.0.1 -p {port} -t 2 & S=$!",
        WAIT % "/usr/bin/python3 client.py",
        "/usr/bin/python3 client.py; kill $S; wait",
    )
    expect_in(b"VALUE k 0 5", result.stdout, "what the client printed")
    talk = said(result, "python3", "mc-worker")
    expect_in(b"set k 0 0 5\r\nhello\r\nget k\r\n", talk, "what it said")
    expect_in(b"STORED\r\nVALUE k 0 5\r\nhello\r\nEND\r\n", said(result, "mc-worker", "python3"), "replies")


@scenario("dbus-send and dbus-daemon on a bus of their own")
def dbus(directory):
    command = (
        "dbus-send --session --print-reply --dest=org.freedesktop.DBus /org/freedesktop/DBus "
        "org.freedesktop.DBus.GetNameOwner string:org.freedesktop.DBus"
    )
    result = record(
        directory, ["dbus-run-session", "--", *shlex.split(command)], "--payload", "4096"
    )
    expect_in(b'string "org.freedesktop.DBus"', result.stdout, "the answer that it printed")
    asked = said(result, "dbus-send", "dbus-daemon", "unix-stream")
    answered = said(result, "dbus-daemon", "dbus-send", "unix-stream")
    expect_in(b"GetNameOwner", asked, "the request")
    expect_in(b"AUTH EXTERNAL", asked, "the client's greeting")
    expect_in(b"OK ", answered, "the daemon's")
    expect_in(b"org.freedesktop.DBus", answered, "the answer")
    expect_equal(exact(result, "dbus-send", "dbus-daemon"), {"exact"}, "how sure it is")


@scenario("nginx answers curl: request and response, and the log that it writes")
def nginx(directory):
    port = free_port()
    with open(os.path.join(directory, "nginx.conf"), "w", encoding="ascii") as file:
        file.write(
            "daemon off; worker_processes 1; pid nginx.pid; error_log error.log; user root;\n"
            "events {}\nhttp { access_log access.log; server {\n"
            f"listen 127.0.0.1:{port}; location / {{ return 200 'from nginx'; }} }} }}\n"
        )
    result = script(
        directory,
        f"nginx -p {directory} -c nginx.conf & S=$!",
        WAIT % f"curl -s http://127.0.0.1:{port}/ping",
        f"curl -s http://127.0.0.1:{port}/hello; kill -QUIT $S; wait",
    )
    expect_equal(result.stdout, b"from nginx", "what curl printed")
    expect_in(b"GET /hello HTTP/1.1\r\n", said(result, "curl", "nginx", "tcp"), "the request")
    expect_in(b"HTTP/1.1 200 OK\r\n", said(result, "nginx", "curl", "tcp"), "the response")
    with open(os.path.join(directory, "access.log"), "rb") as file:
        expect_in(b"GET /hello", file.read(), "nginx saw the same")


@scenario("apache2 stopped with TERM, HUP and USR1: which child got which signal from whom")
def apache(directory):
    port = free_port()
    with open(os.path.join(directory, "apache.conf"), "w", encoding="ascii") as file:
        file.write(
            f"ServerName localhost\nServerRoot {directory}\nPidFile {directory}/apache.pid\n"
            f"ErrorLog {directory}/error.log\nListen 127.0.0.1:{port}\n"
            "LoadModule mpm_prefork_module /usr/lib/apache2/modules/mod_mpm_prefork.so\n"
            "LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so\n"
            "StartServers 2\nMinSpareServers 2\nMaxSpareServers 2\nMutex sysvsem\n"
            f"DocumentRoot {directory}\nUser www-data\nGroup www-data\n"
        )
    # The children of one generation are gone when the log says that the next one is there.
    result = script(
        directory,
        "setsid apache2 -f $PWD/apache.conf -DFOREGROUND & S=$!",
        "resumed() { test $(grep -c 'resuming normal' error.log) = $1 &&"
        " test $(pgrep -c -P $S) -ge 2; }",
        WAIT % "resumed 1",
        "kill -HUP $S",
        WAIT % "resumed 2",
        "kill -USR1 $S",
        WAIT % "resumed 3",
        "kill -TERM $S; wait",
    )
    trace = result.trace
    parent = trace.of("process", event="exec", comm="apache2")[0]["pid"]
    signals = [m for m in result.messages().of("signal") if m["to"]]
    to_parent = [
        m["signal"]
        for m in signals
        if m["to"]["pid"] == parent and m["from"] and m["from"]["comm"] == "sh"
    ]
    expect_equal(to_parent, ["SIGHUP", "SIGUSR1", "SIGTERM"], "what the shell sent to the parent")
    children = {
        line["pid"] for line in trace.of("process", event="fork") if line["ppid"] == parent
    }
    to_children = {
        (m["signal"], m["to"]["pid"])
        for m in signals
        if m["from"] and m["from"]["pid"] == parent and m["to"]["pid"] in children
    }
    expect(len(children) >= 6, f"three generations of two children: {children}")
    names = sorted({name for name, _ in to_children})
    expect_equal(names, ["SIGHUP", "SIGTERM", "SIGUSR1"], "what the parent passed on")
    generations = [{pid for name, pid in to_children if name == wanted} for wanted in names]
    expect(all(generations), "each generation got the one that ended it", generations)
    expect(not generations[0] & generations[1], "and no other child", generations)
    ended = {line["pid"] for line in trace.of("process", event="exit", last=True)}
    expect(children <= ended, "all have ended", children - ended)
    with open(os.path.join(directory, "error.log"), encoding="utf-8") as file:
        log = file.read()
    for words in ("SIGHUP received", "Graceful restart requested", "caught SIGTERM"):
        expect_in(words, log, "apache says so itself")


@scenario("a bash pipeline of four: each pipe's bytes")
def pipeline(directory):
    result = record(directory, ["bash", "-c", "seq 1000 | tac | grep 7 | sha256sum"])
    expect_equal(
        [sum(m["bytes"] for m in result.messages().delivered("pipe") if
             (m["from"]["comm"], m["to"]["comm"]) == pair)
         for pair in (("seq", "tac"), ("tac", "grep"))],
        [3893, 3893],
        "bytes of the first two",
    )
    sevens = sum(len(str(i)) + 1 for i in range(1, 1001) if "7" in str(i))
    found = said(result, "grep", "sha256sum")
    expect(found.startswith(b"997\n987\n979\n"), "what grep found", found)
    expect_equal(
        sum(m["bytes"] for m in result.messages().delivered("pipe")
            if m["to"]["comm"] == "sha256sum"), sevens, "bytes of the last")


@scenario("ssh-agent: a key is added and listed over its socket")
def ssh_agent(directory):
    result = script(
        directory,
        "eval $(ssh-agent -s) >/dev/null",
        "ssh-keygen -q -t ed25519 -N '' -C ipclens-key -f key",
        "ssh-add -q key; ssh-add -l; ssh-agent -k >/dev/null",
        options=["--payload", "4096"],
    )
    expect_in(b"ipclens-key", result.stdout, "the list that it printed")
    expect_in(b"ssh-ed25519", said(result, "ssh-add", "ssh-agent"), "the key goes to the agent")
    expect_in(b"ipclens-key", said(result, "ssh-agent", "ssh-add"), "its name comes back")
    expect_equal(exact(result, "ssh-add", "ssh-agent"), {"exact"}, "how sure it is")


@scenario("tmux: the client's commands reach the server over its socket")
def tmux(directory):
    result = script(
        directory,
        "tmux -S t.sock -f /dev/null new-session -d -s work 'sleep 1000'",
        "tmux -S t.sock set-buffer said-to-tmux",
        "tmux -S t.sock show-buffer; tmux -S t.sock kill-server",
        environment={"TERM": "xterm"},
    )
    expect_in(b"said-to-tmux", result.stdout, "what the client printed")
    talk = [
        m
        for m in result.messages().of("unix-stream")
        if m["from"] and m["to"] and m["from"]["comm"] != m["to"]["comm"]
    ]
    expect(
        {("tmux: client", "tmux: server"), ("tmux: server", "tmux: client")}
        <= {(m["from"]["comm"], m["to"]["comm"]) for m in talk},
        "both ends are named",
        talk[:2],
    )
    expect_in(b"set-buffer\0said-to-tmux", said(result, "tmux: client", "tmux: server"), "command")


@scenario("git clone over a local path: upload-pack's answers reach the client")
def git(directory):
    result = script(
        directory,
        "git init -q a && cd a && echo content >file && git add file",
        "git -c user.name=x -c user.email=x@y commit -q -m first && cd ..",
        "git clone -q --no-local a b && cat b/file",
        environment={"HOME": directory},
        options=["--payload", "4096"],
    )
    expect_equal(result.stdout, b"content\n", "what was cloned")
    with open(os.path.join(directory, "a/.git/refs/heads/master"), "rb") as file:
        head = file.read().strip()
    talk = {
        (m["from"]["comm"], m["to"]["comm"]): m["match"]
        for m in result.messages().delivered("pipe")
    }
    expect(("git-upload-pack", "git") in talk, "upload-pack answers git", talk)
    expect(("git", "git-upload-pack") in talk, "git asks upload-pack", talk)
    expect_in(head, said(result, "git", "git-upload-pack"), "git wants the commit by its name")


@scenario("an ONC RPC call: rpcinfo asks rpcbind")
def rpc(directory):
    result = script(
        directory,
        "unshare -n sh -c 'ip link set lo up; rpcbind -f & S=$!",
        WAIT % "rpcinfo -s 127.0.0.1",
        "rpcinfo -T tcp 127.0.0.1 100000; kill $S; wait'",
    )
    expect_in(b"program 100000 version 4 ready and waiting", result.stdout, "what rpcinfo printed")
    program = (100000).to_bytes(4, "big")
    calls = said(result, "rpcinfo", "rpcbind", "tcp")
    expect_in(program, calls, "the program's number is in the call")
    expect(said(result, "rpcbind", "rpcinfo", "tcp"), "there are replies")


ZMQ = """
import os, sys, zmq
address, context = sys.argv[1], zmq.Context.instance  # one a process, kept alive
pid = os.fork()
if pid == 0:
    socket = context().socket(zmq.REP); socket.bind(address)
    socket.send(socket.recv().upper()); socket.close()
    context().term()  # waits until the reply has left: its thread dies with _exit
    os._exit(0)
socket = context().socket(zmq.REQ); socket.connect(address)
socket.send(b'a question of zeromq'); print(socket.recv().decode())
os.waitpid(pid, 0)
"""


@scenario("ZeroMQ, a request and its reply, over ipc and over tcp")
def zeromq(directory):
    for address, mechanism in (
        (f"ipc://{directory}/z.sock", "unix-stream"),
        (f"tcp://127.0.0.1:{free_port()}", "tcp"),
    ):
        result = record(directory, ["/usr/bin/python3", "-c", ZMQ, address])
        expect_equal(result.stdout, b"A QUESTION OF ZEROMQ\n", "the reply")
        texts = [
            (m["from"]["pid"] == result.trace.of("process", event="exec")[0]["pid"],
             blob(result.trace.operation(m["sent"]["op"])["payload"]))
            for m in result.messages().delivered(mechanism)
            if m["from"]["pid"] != m["to"]["pid"]
        ]
        expect(any(first and b"a question of zeromq" in t for first, t in texts), "request", texts)
        expect(any(not first and b"A QUESTION OF ZEROMQ" in t for first, t in texts), "reply", texts)


@scenario("psql and a postgres that runs already: --follow-peers names its backend")
def postgres(directory):
    _, stop = started(directory)
    try:
        query = "select 'asked-' || 'here'; select pg_backend_pid()"
        result = record(
            directory,
            ["psql", "-X", "-A", "-t", "-h", directory, "-U", "test", "-c", query, "postgres"],
            "--follow-peers",
        )
    finally:
        stop()
    answer, backend = result.stdout.decode().split()
    expect_equal(answer, "asked-here", "what psql printed")
    talk = [m for m in result.messages().of("unix-stream") if m["bytes"]]
    psql = result.trace.of("process", event="exec", comm="psql")[-1]["pid"]
    between = [m for m in talk if m["from"] and m["to"] and psql in (m["from"]["pid"], m["to"]["pid"])]
    others = {m[end]["pid"] for m in between for end in ("from", "to")} - {psql}
    expect_equal(others, {int(backend)}, "the backend that it talks to, as postgres says")
    expect_in(query.encode(), said(result, "psql", "postgres"), "the query")
    expect_in(b"asked-here", said(result, "postgres", "psql"), "the answer")
    alone = [m for m in talk if psql in {(m["from"] or m["to"])["pid"]} and None in (m["from"], m["to"])]
    # The trace ends with psql: its last word (Terminate, 'X') may lie unread then.
    farewell = [m for m in alone if m["from"] and (m["bytes"], m["fate"]) == (5, "unread")]
    expect(len(alone) == len(farewell) <= 1, "nothing else went to strangers", alone)


@scenario("redis that runs already: --follow-peers over TCP, both ends from the first request on")
def redis_follow(directory):
    port = free_port()
    with subprocess.Popen(
        ["redis-server", "--port", str(port), "--save", ""], cwd=directory, stdout=subprocess.DEVNULL
    ) as server:
        client = ["redis-cli", "-p", str(port)]
        wait_for(lambda: call([*client, "ping"], check=False).returncode == 0, "redis")
        result = record(directory, [*client, "echo", "said-over-tcp"], "--follow-peers")
        server.terminate()
    expect_equal(result.stdout, b"said-over-tcp\n", "what the client printed")
    expect_in(b"said-over-tcp", said(result, "redis-cli", "redis-server"), "the request")
    expect_in(b"said-over-tcp", said(result, "redis-server", "redis-cli"), "the answer")
    # How sure it is depends on whether the server joined before or after it accepted.
    joined = result.trace.of("process", event="snapshot", pid=server.pid)
    expect(len(joined) > 1, "all its threads joined", joined)


if __name__ == "__main__":
    main()
