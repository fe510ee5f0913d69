#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Who is kept out by another: a client of a server that serves one at a time or has no descriptor
left, and who asks for a file lock again and again. The finding names who keeps it out, and why.
"""
import os
import shlex
import shutil

from expectations import expect_equal, expect_in
from findings import diagnose, severe
from hangs import PYTHON, named_parties, traced, untraced
from harness import each_in_place, main, run, scenario
from servers import free_port

MAY_RUN_BESIDE_OTHERS = True

# A client that says nothing keeps Python's HTTPServer from every other one.
SERVER = (
    "import http.server as h; h.HTTPServer(('127.0.0.1', {port}), h.SimpleHTTPRequestHandler)"
    ".serve_forever()"
)
SERVED = """
cd {directory}
{python} -c {server} >server.log 2>&1 & echo server=$! >&2
until {{ exec 3<>/dev/tcp/127.0.0.1/{port}; }} 2>connect.log; do sleep 0.02; done
sleep 60 & echo silent=$! >&2
exec 3>&-
curl -s http://127.0.0.1:{port}/ & echo client=$! >&2
wait
"""

# SQLite asks for its lock again and again while another one has it, who waits for more statements.
LOCKED = """
cd {directory}
sqlite3 db 'create table t(x)'
mkfifo statements
sqlite3 db <statements & echo holder=$! >&2
exec 3>statements
echo 'begin exclusive; insert into t values(1);' >&3
echo '.shell touch begun' >&3
until [ -e begun ]; do sleep 0.02; done
{client} 3>&- & echo client=$! >&2
wait $!
exec 3>&-
wait
"""

# A child that gets the lock in the end.
PATIENT = """
import fcntl, os, tempfile, time
f = tempfile.TemporaryFile()
fcntl.lockf(f, fcntl.LOCK_EX)
if os.fork() == 0:
    while True:
        try:
            fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os._exit(0)
        except OSError:
            time.sleep(0.1)
time.sleep(1)
fcntl.lockf(f, fcntl.LOCK_UN)
os.wait()
"""

# A server that keeps each connection until it has no descriptor left, and tries 50 times more.
FULL = """
import os, resource, signal, socket, sys
with socket.create_server(("127.0.0.1", 0), backlog=20) as listener:
    if os.fork() == 0:
        clients = [socket.create_connection(listener.getsockname()) for _ in range(12)]
        os.write(2, f"client={os.getpid()}\\n".encode())
        signal.pause()
    os.write(2, f"server={os.getpid()}\\n".encode())
    resource.setrlimit(resource.RLIMIT_NOFILE, (8, 8))
    kept, refused = [], 0
    while refused < 50:
        try:
            kept.append(listener.accept())
        except OSError:
            refused += 1
    signal.pause()
"""


# Two sockets at one port, each of another process: the first that listens, and the one that accepts,
# may be either. It asks with a pause in between, or sleeps in accept(2).
GROUP = """
import os, socket, sys, time
def listen(port=0):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    s.bind(("127.0.0.1", port))
    s.listen()
    return s
def accept(s, name):
    if os.fork():
        return s.close()
    os.write(2, f"{name}={os.getpid()}\\n".encode())
    while name == "deaf":
        time.sleep(60)
    s.settimeout({pause})
    while True:
        try:
            c, _ = s.accept()
            c.send(c.recv(1))
            c.close()
        except TimeoutError:
            time.sleep({pause})
one = listen()
port = one.getsockname()[1]
accept(one, "{one}")
accept(listen(port), "{two}")
time.sleep(0.3)
os.write(2, f"client={os.getpid()}\\n".encode())
while True:
    c = socket.create_connection(("127.0.0.1", port))
    c.send(b"x")
    c.recv(1)
    c.close()
    time.sleep(0.01)
"""
GROUPS = {
    "deaf first": {"one": "deaf", "two": "server", "pause": "None"},
    "deaf last": {"one": "server", "two": "deaf", "pause": "None"},
    "deaf last, beside one that asks": {"one": "server", "two": "deaf", "pause": "0.05"},
}


def served(directory):
    port = free_port()
    server = shlex.quote(SERVER.format(port=port))
    return ["bash", "-c", SERVED.format(directory=directory, python=PYTHON, port=port, server=server)]


def locked(directory, client):
    return ["bash", "-c", LOCKED.format(directory=directory, client=client)]


def only(findings, name):
    found = [finding for finding in findings if finding["id"] == name]
    expect_equal(len(found), 1, f"{name} is told once: {findings}")
    return found[0]


def shut_out(directory, command):
    """What -p says of the client, and who the three of them are."""
    begun = lambda result: len(named_parties(result)) == 3
    client = lambda result: named_parties(result)["client"]
    findings, result = untraced(directory, command, begun, "never-accepted", whom=client)
    return findings, named_parties(result)


def check_served(findings, names):
    found = only(findings, "never-accepted")
    expect_equal(found["severity"], "warning", "how bad it is")
    expect_equal(set(names.values()) - set(found["processes"]), set(), "all three are named")
    expect_in(f"curl[{names['client']}] connected to", found["text"], "who waits")
    expect_in(f"python3[{names['server']}] waits to read from tcp", found["text"], "for whom")
    expect_in(f"where sleep[{names['silent']}] could write", found["text"], "and who that is")


@scenario("a client that a server cannot accept while another one is silent: run, trace and -p")
def one_at_a_time(directory):
    text, findings, result = traced(directory, served(directory), 3)
    check_served(findings, named_parties(result))
    expect_equal([f for f in findings if f["id"] == "no-answer"], [], "it is told once")
    expect_in("never accepted it; python3[", text, "run says so")
    check_served(*shut_out(directory, served(directory)))


@scenario("who asks for a file lock again and again is told who has it, and what that one does")
def database(directory):
    if not shutil.which("sqlite3"):
        return
    client = "sqlite3 -cmd '.timeout 60000' db 'insert into t values(2)'"
    text, findings, result = traced(directory, locked(directory, client), 3)
    names = named_parties(result)
    found = only(findings, "lock-refused")
    expect_equal(found["severity"], "warning", "how bad it is")
    expect_equal(found["processes"][:2], [names["client"], names["holder"]], "who is named")
    expect_in(f": sqlite3[{names['holder']}] had it; sqlite3[{names['holder']}] waits to read",
              found["text"], "what the holder does")  # fmt: skip
    expect_in("never got it (EAGAIN)", text, "run says so")


@scenario("who gives up at once gets a note, and who gets the lock in the end gets nothing")
def given_up(directory):
    if not shutil.which("sqlite3"):
        return
    client = "sqlite3 db 'insert into t values(2)'"
    result = run(directory, locked(directory, client), "--lang", "en")
    found = only(diagnose(result.trace_path)[0], "lock-refused")
    expect_equal(found["severity"], "note", "how bad it is")
    expect_in("database is locked", result.stderr.decode(), "what the client said")
    got = os.path.join(directory, "got")
    os.mkdir(got)
    result = run(got, [PYTHON, "-c", PATIENT])
    refused = [f for f in diagnose(result.trace_path)[0] if f["id"] == "lock-refused"]
    expect_equal(refused, [], "who gets it in the end")


@scenario("a server that has no descriptor left to accept with: how often it failed is told")
def no_descriptor_left(directory):
    text, findings, result = traced(directory, [PYTHON, "-c", FULL])
    names = named_parties(result)
    found = only(findings, "never-accepted")
    expect_equal(set(found["processes"]), {names["client"], names["server"]}, "who is named")
    expect_in(f"python3[{names['server']}] could not accept 50 times (EMFILE)", text, "why")


def grouped(words):
    program = GROUP
    for key, word in words.items():
        program = program.replace("{%s}" % key, word)
    return [PYTHON, "-c", program.replace("settimeout(None)", "setblocking(True)")]


def check_group(findings, names):
    found = only(findings, "never-accepted")
    expect_in(f"python3[{names['deaf']}], who listens there, never accepted", found["text"], "who")
    expect_in("(SO_REUSEPORT): the connection lies in the queue of tcp:[",
              " ".join(found["evidence"]), "in which queue")  # fmt: skip
    told = [f for f in findings if names["server"] in f["processes"] and f["severity"] != "note"]
    expect_equal(told, [], "the one that accepts is not accused")
    for finding in findings:
        if names["client"] in finding["processes"]:
            expect_equal(f"[{names['server']}]" in finding["text"], False, "nor could it accept")


@scenario("of sockets at one port the one whose queue has the connection is told: run, trace and -p")
def listener_group(directory):
    for name, words, place in each_in_place(directory, GROUPS):
        _, findings, result = traced(place, grouped(words), 3)
        check_group(findings, named_parties(result))
        check_group(*shut_out(place, grouped(words)))


@scenario("where all sockets at one port are accepted from nothing is told")
def sound_group(directory):
    _, findings, _ = traced(directory, grouped({"one": "server", "two": "server", "pause": "None"}))
    expect_equal(severe(findings), [], "nobody is kept out")


main()
