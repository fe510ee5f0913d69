#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Cases that strangers found: what was called exact, or lost, and was not."""
import json
import os
import subprocess
import sys

import joining
from expectations import expect, expect_equal, expect_in
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

SHUT = """
import os, signal, socket, sys
writer, reader = socket.socketpair()
child = os.fork()
if child == 0:
    writer.close()
    if sys.argv[1] == "reader":
        reader.shutdown(socket.SHUT_RD)
    while reader.recv(100): pass
    signal.pause()
if sys.argv[1] == "writer":
    writer.sendall(b"first"); writer.shutdown(socket.SHUT_WR)
try:
    while True: writer.sendall(b"second")
except BrokenPipeError:
    os.kill(child, signal.SIGKILL); os.wait()
print(os.getpid(), child)
"""

# The helper's output has an end; the client's own input has not.
NO_NEWLINE = """
import os, socket, subprocess
subprocess.run(["true"], capture_output=True)
server = socket.create_server(("127.0.0.1", 0))
if os.fork() == 0:
    client, _ = server.accept(); server.close()
    client.makefile("r").readline(); client.sendall(b"hello"); os._exit(0)
client = socket.create_connection(server.getsockname()); server.close()
client.sendall(b"my name"); client.recv(100)
"""

TAKEN_BACK = """
import ctypes, os
libc = ctypes.CDLL(None)
semaphore = libc.semget(0, 1, 0o600)
def change(by): libc.semop(semaphore, (ctypes.c_short * 3)(0, by, 0x1000), 1)
if os.fork() == 0:
    change(1); os._exit(0)
os.wait(); change(-1)
"""

# A queue keeps what it refuses to hand over; 600 changes are more than semop() takes.
ASKED_AGAIN = """
import ctypes
libc = ctypes.CDLL(None)
queue = libc.msgget(0, 0o600); semaphore = libc.semget(0, 1, 0o600)
message = (ctypes.c_long * 100)(1)
print(libc.msgsnd(queue, message, 50, 0), libc.msgrcv(queue, message, 3, 0, 0),
      libc.msgrcv(queue, message, 100, 0, 0), libc.semop(semaphore, (ctypes.c_short * 1800)(), 600))
libc.msgctl(queue, 0, None); libc.semctl(semaphore, 0, 0)
"""

# subprocess.run(…, timeout=…) kills the shell alone.
SHELL_KILLED = """
import subprocess
shell = subprocess.Popen("sleep 100; true", shell=True, stdout=subprocess.PIPE)
try:
    shell.communicate(timeout=0.3)
except subprocess.TimeoutExpired:
    shell.kill(); shell.communicate()
"""

SERVER_DIES = """
import os, socket, time
server = socket.create_server(("127.0.0.1", 0)); address = server.getsockname()
if os.fork() == 0:
    time.sleep(0.3); os._exit(1)
server.close()
client = socket.create_connection(address); client.sendall(b"hello")
try:
    client.recv(9)
except ConnectionResetError:
    print("reset")
"""

# Each child fills a pipe with its own letter; the parent logs what it reads as "letter*bytes". The
# size changes at any time, once something has been read, too.
RESIZED = """
import fcntl, itertools, os, random
random.seed({seed})
F_SETPIPE_SZ = 1031
r, w = os.pipe()
held = 0
for letter in "abcdefghijklmnopqrst":
    size = random.choice((10, 4096, 5000))
    if os.fork() == 0:
        os.write(w, letter.encode() * size); os._exit(0)
    os.wait()
    held += size
    if random.random() < 0.5: fcntl.fcntl(r, F_SETPIPE_SZ, 4096 << random.randint(4, 8))
    while held and random.random() < 0.6:
        read = os.read(r, random.choice((7, 4096, 9000))).decode()
        held -= len(read)
        print(" ".join(f"{{k}}*{{len(list(g))}}" for k, g in itertools.groupby(read)), flush=True)
"""

# Several append to the page that splice() then takes into a file in pieces, the last one whole.
INTO_FILE = """
import itertools, os, random, tempfile
random.seed({seed})
r, w = os.pipe()
file = tempfile.TemporaryFile()
held = 0
for letter in "abcdefghijklmnopqrst":
    size = random.choice((10, 41, 4096, 5000))
    if os.fork() == 0:
        os.write(w, letter.encode() * size); os._exit(0)
    os.wait()
    held += size
    while held and random.random() < 0.6:
        at = file.seek(0, 2)
        os.splice(r, file.fileno(), random.choice((1, 50, 4096, 20000)))
        file.seek(at)
        read = file.read().decode()
        held -= len(read)
        print(" ".join(f"{{k}}*{{len(list(g))}}" for k, g in itertools.groupby(read)), flush=True)
"""

# The second message's receipt frees the node of its priority, which the first one's sender made.
EMPTY_MESSAGE = """
import ctypes, os
libc = ctypes.CDLL(None)
name = b"/empty-%d" % os.getpid()
queue = libc.mq_open(name, os.O_RDWR | os.O_CREAT, 0o600, None)
for text in (b"", b"hello"):
    libc.mq_send(queue, text, len(text), 1)
for _ in range(2):
    print(libc.mq_receive(queue, ctypes.create_string_buffer(8192), 8192, None))
libc.mq_unlink(name)
"""

SIGNALS_AT_ONCE = """
import ctypes, os, signal, struct, threading
libc = ctypes.CDLL(None)
mask = struct.pack("Q", 3 << 33) + bytes(120)
libc.sigprocmask(0, mask, None)
me = os.getpid()
libc.sigqueue(me, 35, ctypes.c_void_p(1))
os.kill(me, 34)
libc.sigqueue(me, 34, ctypes.c_void_p(2))
signal.pthread_kill(threading.get_ident(), 35)
fd = libc.signalfd(-1, mask, 0)
for size in (256, 512):
    read = os.read(fd, size)
    for at in range(0, len(read), 128):
        number, code = struct.unpack_from("=I4xi", read, at)
        print(number, {0: "kill", -1: "rt_sigqueueinfo", -6: "tgkill"}[code])
"""

# Of a TCP stream recvmmsg() with MSG_TRUNC throws bytes away, and returns how many messages.
THROWN_AWAY = """
import ctypes, socket, struct
libc = ctypes.CDLL(None)
server = socket.create_server(("127.0.0.1", 0))
a = socket.create_connection(server.getsockname()); b, _ = server.accept()
a.sendall(b"a" * 10); a.sendall(b"b" * 30)
room = ctypes.create_string_buffer(100)
vectors = [(ctypes.c_size_t * 2)(ctypes.addressof(room), size) for size in (4, 8)]
messages = b"".join(struct.pack("QIxxxxQQQQixxxxIxxxx", 0, 0, ctypes.addressof(v), 1, 0, 0, 0, 0)
                    for v in vectors)
libc.recvmmsg(b.fileno(), messages, 2, socket.MSG_TRUNC, None)
b.recv(100)
"""

INITIAL_VALUE = """
import os
for flags in (0, os.EFD_SEMAPHORE):
    counter = os.eventfd(2, flags); os.eventfd_read(counter); os.close(counter)
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


def of_name(result, name):
    """The finding of that name, which is told once."""
    found = [finding for finding in diagnose(result.trace_path)[0] if finding["id"] == name]
    expect_equal(len(found), 1, f"{name} is told once: {found}")
    return found[0]


def hanging(directory, text):
    """The trace of a program that hangs, until a time limit ends it."""
    return record(directory, python(text), "--timeout", 2, status=124, whole=False)


def python(text):
    return [sys.executable, "-c", text]


def letters_told(directory, text):
    """Compares who sent what was read with what the reader found, for some seeds."""
    for seed in range(4):
        place = os.path.join(directory, str(seed))
        os.mkdir(place)
        result = record(place, python(text.format(seed=seed)))
        written = {op["id"]: op for op in result.trace.operations(syscall="write")
                   if op["payload"][:1].islower()}
        pairs = [m for m in result.messages().delivered("pipe") if m["sent"]["op"] in written]
        told = {}
        for m in pairs:
            letters = written[m["sent"]["op"]]["payload"]
            told.setdefault(m["received"]["op"], []).append(f"{letters[0]}*{m['bytes']}")
        expect_equal([" ".join(parts) for parts in told.values()],
                     result.stdout.decode().splitlines(), f"who sent what was read, seed {seed}")
        expect_equal({m["match"] for m in pairs}, {"exact"}, "for certain")


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
    told = of_name(result, "datagram-dropped")
    expect_in("1 datagram that", told["text"], "and counted once")
    expect_in("nobody has the port", told["text"], "why")


@scenario("a datagram that a connected socket does not take: its port is not called nobody's")
def filtered(directory):
    result = record(directory, python(FILTERED))
    told = of_name(result, "datagram-dropped")
    expect_in("is connected to 127.0.0.1:9, and takes nothing", told["text"], "why")


@scenario("a broken pipe by shutdown(): whose it was, of the writing side and of the reading one")
def shut(directory):
    for who, at, words in (("writer", 0, "shut down the writing side"), ("reader", 1, "shut down")):
        place = joining.folder(directory, who)
        result = record(place, [*python(SHUT), who])
        told = of_name(result, "broken-pipe")
        pid = result.stdout.split()[at].decode()
        expect_in(f"[{pid}] {words} at", told["text"], f"{who}: who did it")


@scenario("a deadlock of client and server: the end of a helper's output is not that of the input")
def no_newline(directory):
    told = of_name(hanging(directory, NO_NEWLINE), "deadlock")
    expect("end of its input" not in json.dumps(told), "no such end", told)


@scenario("a post with SEM_UNDO that the kernel took back: its cause is not recommended")
def taken_back(directory):
    told = of_name(hanging(directory, TAKEN_BACK), "semaphore-stuck")
    expect_in("the kernel took the post back", told["text"], "the cause")
    expect_in("post without SEM_UNDO", told["advice"], "the remedy")


@scenario("what a receive refuses and a larger one takes is not lost, nor anything by semop()")
def asked_again(directory):
    result = record(directory, python(ASKED_AGAIN))
    expect_equal(result.stdout, b"0 -1 50 -1\n", "what the calls returned")
    told = [f for f in diagnose(result.trace_path)[0] if f["id"] == "message-truncated"]
    expect_equal(told, [], "nothing was lost")


@scenario("a command that outlives the shell that was killed is not called a background job")
def shell_killed(directory):
    told = of_name(hanging(directory, SHELL_KILLED), "no-eof")
    expect_in("sleep[", told["text"], "who holds the pipe")
    expect_in("kill the whole process group", told["advice"], "the remedy")


@scenario("a server that dies before it accepts is not told to be outside the trace")
def server_dies(directory):
    result = record(directory, python(SERVER_DIES))
    expect_equal(result.stdout, b"reset\n", "the client lost its connection")
    told = {f["id"]: f for f in diagnose(result.trace_path)[0]}
    expect_in("never accepted it", told["never-accepted"]["text"], "the cause")
    expect("reset-with-data" not in told, "nobody else is accused", told)


@scenario("a pipe whose size is changed while bytes lie in it: each byte is its sender's, and exact")
def resized(directory):
    letters_told(directory, RESIZED)


@scenario("a pipe that several fill and splice() empties into a file: each byte is exact")
def into_file(directory):
    letters_told(directory, INTO_FILE)


@scenario("a message of a POSIX queue behind an empty one has its own sender, and is not unread")
def empty_message(directory):
    result = record(directory, python(EMPTY_MESSAGE))
    expect_equal(result.stdout, b"0\n5\n", "what was received")
    told = [(m["bytes"], m["match"], m["sent"] and m["received"] and m.get("fate"))
            for m in result.messages().of("posix-mq")]
    expect_equal(told, [(0, "exact", None), (5, "exact", None)], "the messages")


@scenario("several signals in one read of a signalfd: each is who sent it, for certain")
def signals_at_once(directory):
    result = record(directory, python(SIGNALS_AT_ONCE))
    told = [(m, result.trace.operation(m["sent"]["op"])) for m in result.messages().of("signal")
            if m["sent"] and m["received"] and m["received"].get("syscall") == "read"]
    expect_equal(sorted(f"{op['args']['sig']} {op['syscall']}" for _, op in told),
                 sorted(result.stdout.decode().splitlines()), "who sent what was read")
    expect_equal({m["match"] for m, _ in told}, {"exact"}, "for certain")


@scenario("bytes of TCP that recvmmsg() throws away by MSG_TRUNC are received, as many as they were")
def thrown_away(directory):
    pairs = record(directory, python(THROWN_AWAY)).messages().of("tcp")
    told = [(m["bytes"], m["sent"]["offset"], m["received"]["offset"], m["match"]) for m in pairs]
    expect_equal(told, [(10, 0, 0, "exact"), (2, 0, 10, "exact"), (28, 2, 0, "exact")],
                 "the pairs")


@scenario("what an eventfd begins with comes from who made it, though it is closed at once")
def initial_value(directory):
    told = [(m["sent"] and m["sent"]["syscall"], m["match"])
            for m in record(directory, python(INITIAL_VALUE)).messages().of("eventfd")]
    expect_equal(told, [("eventfd2", "exact")] * 2, "the messages")


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
