#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""An end without a lane is a process not traced, the kernel, or nobody: each has its sign."""
import os
import socket
import threading

from expectations import expect, expect_equal, expect_row
from harness import main, record, scenario

UNTRACED, KERNEL, NOBODY = "○", "▣", "∅"

CLOSED_PORT = """
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone:
    gone.bind(('127.0.0.1', 0))
    address = gone.getsockname()
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.sendto(b'unconnected', address)
s.connect(address)
s.send(b'nobody')
try:
    s.send(b'once more')
except ConnectionRefusedError as error:
    print('refused')
"""
KERNEL_TALK = """
import ctypes, os, socket, struct
n = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
n.bind((0, 0))
n.send(struct.pack('=IHHIIBxxxiII', 32, 18, 1, 1, 0, 0, 1, 0, 0))
n.recv(65536)
if os.fork() == 0:
    ctypes.string_at(0)
os.wait()
"""
NEVER_ACCEPTED = """
import socket
l = socket.create_server(('127.0.0.1', 0))
s = socket.create_connection(l.getsockname())
s.sendall(b'in the backlog')
"""
BACKLOG = """
import os, socket, sys
kind, life, path = sys.argv[1:]
family, *types = [getattr(socket, name) for name in kind.split()]
new = lambda: socket.socket(family, *types)
listener = new()
listener.bind(("127.0.0.1", 0) if family == socket.AF_INET else path)
listener.listen()
client = new()
client.connect(listener.getsockname())
client.send(b"hello")
client.send(b"world!")
if life == "killed": os.kill(os.getpid(), 9)
if life == "closed": listener.close()
if life == "accept": print(listener.accept()[0].recv(5).decode(), flush=True)
"""
# The fates of the two messages. Who ends, ends its listener.
BACKLOG_FATES = {
    "kept": ("discarded", "discarded"),
    "closed": ("discarded", "discarded"),
    "killed": ("discarded", "discarded"),
    "accept": (None, "discarded"),
}

EMPTY_FIFO = """
import os, sys
os.mkfifo(sys.argv[1])
print(os.read(os.open(sys.argv[1], os.O_RDONLY | os.O_NONBLOCK), 10))
"""


def python(directory, text, *arguments):
    return record(directory, ["/usr/bin/python3", "-c", text, *arguments])


def row_of(result, *words):
    """The row of the picture that has these words."""
    picture = result.view("--width", "220").replace("\u00a0", " ")
    expect_row(picture, *words)
    return next(line for line in picture.splitlines() if all(word in line for word in words))


def signs(result, *words):
    row = row_of(result, *words)
    return [sign for sign in (UNTRACED, KERNEL, NOBODY) if sign in row]


def participants(result):
    told = result.view("--as", "mermaid").splitlines()
    return {line.split(" as ")[1] for line in told if " as (" in line}


def nodes(result):
    return {word for word in ("(not traced)", "(kernel)", "(nobody)")
            if f'label="{word}"' in result.view("--as", "dot")}


@scenario("a closed UDP port: the kernel says that nobody has it, so the datagram is lost there")
def closed_port(directory):
    result = python(directory, CLOSED_PORT)
    expect_equal(result.stdout, b"refused\n", "what the program saw")
    for words in ("━ udp 6 B ━✗", "━ udp 11 B ━✗"):
        row = row_of(result, words)
        expect("dropped: the kernel did not queue it" in row, "connected or not", row)
    expect_equal(participants(result), set(), "in Mermaid it goes to none of these")


@scenario("netlink and a fault: the kernel")
def kernel(directory):
    result = python(directory, KERNEL_TALK)
    expect_equal(signs(result, "SIGSEGV", "from the kernel"), [KERNEL], "a fault")
    expect_equal(signs(result, "netlink 32 B"), [KERNEL], "a question to the kernel")
    expect_equal(participants(result), {"(kernel)"}, "in Mermaid")
    expect("(kernel)" in nodes(result), "in DOT")


@scenario("a connection that lies in a backlog to the end: nobody")
def never_accepted(directory):
    result = python(directory, NEVER_ACCEPTED)
    expect_equal(signs(result, "─ connect ─"), [NOBODY], "nobody accepts it")
    row_of(result, "━ tcp 14 B ━✗", "thrown away: the channel was closed unread")
    expect_equal(participants(result), {"(nobody)"}, "in Mermaid")
    expect("(nobody)" in nodes(result), "in DOT")
    expect("∅ nobody is there" in result.view(), "the legend tells what the sign is")


@scenario("what lies in a backlog, by mechanism: thrown away with the listener, else unread, or received")
def backlog(directory):
    for kind in ("AF_INET", "AF_UNIX SOCK_STREAM", "AF_UNIX SOCK_SEQPACKET"):
        for life, fates in BACKLOG_FATES.items():
            place = os.path.join(directory, f"{kind}-{life}")
            os.mkdir(place)
            program = ["/usr/bin/python3", "-c", BACKLOG, kind, life, os.path.join(place, "socket")]
            result = record(place, program, status=137 if life == "killed" else 0)
            sent = [m for m in result.messages() if m["bytes"] in (5, 6) and m["from"]]
            expect_equal(result.stdout, b"hello\n" if life == "accept" else b"", "what was read")
            expect_equal([(m["bytes"], m.get("fate"), m["match"]) for m in sent],
                         [(5, fates[0], "exact"), (6, fates[1], "exact")], f"{kind}, {life}")
            expect(not any("to_outside" in m for m in sent), "nobody outside is there", sent)


@scenario("a FIFO that nobody writes: its end comes from nobody")
def empty_fifo(directory):
    result = python(directory, EMPTY_FIFO, os.path.join(directory, "fifo"))
    expect_equal(result.stdout, b"b''\n", "what the program read")
    row = row_of(result, "EOF", "no process has it open for writing")
    expect(NOBODY in row and "EOF?" not in row, "no question mark: it is known", row)


@scenario("a server that is not traced: its name and number, at each arrow")
def untraced(directory):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            connection, _ = listener.accept()
            with connection:
                connection.sendall(connection.recv(64))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        result = python(directory, f"""
import socket
s = socket.create_connection({listener.getsockname()!r})
s.sendall(b'hello')
while s.recv(64): pass
""")
        thread.join(10)
    with open("/proc/self/comm", encoding="ascii") as file:
        name = f"{file.read().strip()}[{os.getpid()}]"
    told = ("─ connect ─", "to "), ("tcp 5 B", "to "), ("tcp 5 B", "from ")
    for words in [(word, side + name) for word, side in told]:
        expect_equal(signs(result, *words), [UNTRACED], " ".join(words))
    expect_equal(signs(result, "EOF", "from " + name), [UNTRACED], "who ended it")


if __name__ == "__main__":
    main()
