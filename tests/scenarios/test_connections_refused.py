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

MAY_RUN_BESIDE_OTHERS = True

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


# nginx passes on what it is asked; BLOCK is of its http block.
NGINX = """
cat >conf <<'END'
daemon off; worker_processes 2; pid nginx.pid; error_log error.log; user USER;
events {} http { access_log access.log; BLOCK server { listen 127.0.0.1:PORT;
location / { proxy_pass http://UPSTREAM; } } }
END
nginx -p $PWD -c conf & S=$!
""" + WAIT % "curl -s -o body http://127.0.0.1:PORT/" + """
kill -QUIT $S; wait $S
"""

# A unix socket: without listen(2); with it, but nobody may connect there; with a full backlog.
SOCKET = """
import socket, sys
own = socket.socket(socket.AF_UNIX)
own.bind("upstream")
ACT
open("ready", "w")
sys.stdin.read()
"""
READY = """
mkfifo hold; %s -c '%s' <hold & P=$!; exec 7>hold
until [ -e ready ]; do kill -0 $P || exit 8; sleep 0.02; done
"""
FULL = "own.listen(0); held = socket.socket(socket.AF_UNIX); held.connect(own.getsockname())"

# What is wrong with the upstream, as the words of nginx' own log; the finding, and why.
UPSTREAMS = {
    "missing": (None, "No such file or directory", "connection-failed",
                ": it does not exist; is the server started?"),
    "dead": ("", "Connection refused", "connection-refused", ", where nobody listens"),
    "full": (FULL, "Resource temporarily unavailable", "connection-failed",
             ": the backlog of who listens there is full (EAGAIN)"),
    "closed off": ("import os; own.listen(); os.chmod('upstream', 0)", "Permission denied",
                   "connection-failed", ": it is not allowed to"),
}


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


def nginx(port, upstream, block="", user="root"):
    words = {"PORT": str(port), "UPSTREAM": upstream, "BLOCK": block, "USER": user}
    text = NGINX
    for word, value in words.items():
        text = text.replace(word, value)
    return text


@scenario("so is that of nginx behind which nobody listens; run shows the failed call too")
def dead_upstream(directory):
    needs("nginx", "curl")
    port, free = free_port(), free_port()
    script = nginx(port, f"127.0.0.1:{free}")
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


def worker_that_logged(result, words):
    log = result.text("error.log").decode()
    logged = re.findall(rf"(\d+)#.*connect\(\) to unix:.* failed \(\d+: {words}\)", log)
    expect_equal(len(logged), 1, f"nginx logged it once: {log}")
    return int(logged[0])


@scenario("nginx whose upstream is a unix socket is told why that cannot be connected to")
def unix_upstream(directory):
    needs("nginx", "curl")
    for name, (act, logged, finding, why) in UPSTREAMS.items():
        place = os.path.join(directory, name.replace(" ", "-"))
        os.mkdir(place)
        path = os.path.join(place, "upstream")
        user = "nobody nogroup" if name == "closed off" else "root"
        script = nginx(free_port(), f"unix:{path}", user=user)
        if act is not None:
            server = SOCKET.replace("ACT", act).replace("'", '"')
            script = READY % (PYTHON, server) + script + "kill $P; wait"
        result = run(place, ["sh", "-c", script], "--diagnose-only", "--lang", "en", cwd=place)
        worker = worker_that_logged(result, logged)
        expect_in(b"502 Bad Gateway", result.text("body"), f"{name}: what the client got")
        findings = diagnose(result.trace_path)[0]
        told = [f for f in findings if f["id"] == finding and worker in f["processes"]]
        expect_equal([f["severity"] for f in told], ["warning"], f"{name}: {findings}")
        expect_equal(told[0]["text"], f"nginx[{worker}] tried to connect to {path}{why}", name)
        expect_in(told[0]["text"], result.stderr.decode(), f"{name}: run says so")


# One connection lies in the backlog, which has no room for others.
CROWDED = """
import os, socket
server = socket.socket(socket.AF_UNIX)
server.bind("crowded")
server.listen(0)
clients = [socket.socket(socket.AF_UNIX) for _ in range(3)]
for client in clients:
    client.setblocking(False)
print(*[client.connect_ex("crowded") for client in clients], flush=True)
os._exit(1)
"""


@scenario("a full backlog is told once, with how often it was met in vain")
def crowded(directory):
    result = run(
        directory, [PYTHON, "-c", CROWDED], "--diagnose-only", "--lang", "en", status=1,
        cwd=directory,
    )  # fmt: skip
    expect_equal(result.stdout, b"0 11 11\n", "what they got")
    told = severe(diagnose(result.trace_path)[0])
    expect_equal([f["id"] for f in told], ["never-accepted"], "one finding")
    expect_in("tried 2 times more to connect there", " ".join(told[0]["evidence"]), "how often")


# What ssh(1) tries of a name that has two addresses, where nobody listens at either.
BOTH = "mount --bind hosts /etc/hosts; exec ssh -p {0} -o BatchMode=yes localhost"


@scenario("ssh that is refused at both addresses of a name is told once, with both")
def both_addresses(directory):
    needs("ssh", "unshare")
    with open(os.path.join(directory, "hosts"), "w", encoding="ascii") as file:
        file.write("::1 localhost\n127.0.0.1 localhost\n")
    port = free_port()
    command = ["unshare", "-m", "sh", "-c", BOTH.format(port)]
    result = run(
        directory, command, "--diagnose-only", "--lang", "en", status=255, cwd=directory
    )
    told = severe(diagnose(result.trace_path)[0])
    expect_equal([f["id"] for f in told], ["connection-refused"], "one finding")
    for address in (f"[::1]:{port}", f"127.0.0.1:{port}"):
        expect_in(address, told[0]["text"], "where")


# A server that looks for a socket which is not there, and answers all the same.
OPTIONAL = """
import http.server, socket, urllib.request, threading
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        print(socket.socket(socket.AF_UNIX).connect_ex("cache"))
        self.send_response(200)
        self.end_headers()
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.handle_request).start()
urllib.request.urlopen("http://127.0.0.1:%d/" % server.server_port)
"""


@scenario("a server that does without the socket that it looked for, or has another, is not accused")
def does_without(directory):
    findings, result = traced(directory, "optional", [PYTHON, "-c", OPTIONAL], 0)
    expect_equal(result.stdout, b"2\n", "ENOENT")
    expect_equal(severe(findings), [], "it answered")
    needs("nginx", "curl")
    place, ports = os.path.join(directory, "second"), [free_port(), free_port()]
    os.mkdir(place)
    block = (
        f"server {{ listen 127.0.0.1:{ports[0]}; location / {{ return 200 up; }} }} "
        f"upstream two {{ server unix:{place}/none; server 127.0.0.1:{ports[0]}; }}"
    )
    script = nginx(ports[1], "two", block)
    result = run(place, ["sh", "-c", script], "--diagnose-only", cwd=place)
    expect_in(b"No such file", result.text("error.log"), "nginx tried the first one")
    expect_equal(result.text("body"), b"up", "and had an answer of the second one")
    expect_equal(severe(diagnose(result.trace_path)[0]), [], "nothing is wrong")


# Connects to each of these again and again; the first ones are refused.
SEVERAL = """
import socket, sys
for _ in range(2):
    for port in map(int, sys.argv[1:]):
        socket.socket().connect_ex(("127.0.0.1", port))
"""


@scenario("of several addresses that refuse the first ones are named, and how many more there are")
def several(directory):
    ports = sorted({free_port() for _ in range(30)})[:7]
    expect_equal(len(ports), 7, "as many ports")
    where = [f"127.0.0.1:{port}" for port in ports]
    for count, names in (
        (1, where[0]),
        (2, f"{where[0]} and {where[1]}"),
        (3, f"{where[0]}, {where[1]} and {where[2]}"),
        (7, ", ".join(where[:4]) + " and 3 more"),
    ):
        command = [PYTHON, "-c", SEVERAL, *map(str, ports[:count])]
        findings, _ = traced(directory, f"of {count}", command, 0)
        found = [f["text"] for f in findings if f["id"] == "connection-refused"]
        expect_equal(len(found), 1, f"{count}: one finding")
        expect(found[0].endswith(f"] tried to connect to {names}, where nobody listens"),
               f"{count} addresses", found)


@scenario("processes that say the same name the addresses of all of them")
def several_processes(directory):
    ports = sorted({free_port() for _ in range(30)})[:5]
    script = "; ".join(f"curl -s http://127.0.0.1:{port}/" for port in ports) + "; true"
    result = record(directory, ["sh", "-c", script])
    found = [f for f in diagnose(result.trace_path)[0] if f["id"] == "connection-refused"]
    expect_equal([f["severity"] for f in found], ["warning"], found)
    for port in ports:
        expect_in(f"127.0.0.1:{port}", found[0]["text"], "each address")


# The first server is late, the second one never comes.
LATE = """
import socket, sys
late, never = map(int, sys.argv[1:])
def connect(port):
    return socket.socket().connect_ex(("127.0.0.1", port))
connect(late)
server = socket.create_server(("127.0.0.1", late))
connect(late)
server.accept()
connect(never)
"""


@scenario("who was only late does not excuse who never comes")
def late_and_never(directory):
    late, never = free_port(), free_port()
    findings, _ = traced(directory, "late", [PYTHON, "-c", LATE, str(late), str(never)], 0)
    found = [f for f in findings if f["id"] == "connection-refused"]
    told = sorted((f["severity"], f["text"].split()[5].strip(",")) for f in found)
    expect_equal(told, [("note", f"127.0.0.1:{late}"), ("warning", f"127.0.0.1:{never}")], found)


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
