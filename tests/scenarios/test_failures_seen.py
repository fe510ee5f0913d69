#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Calls that failed, objects that ended, opens that waited and shared memory are in the picture."""
import html
import json
import os
import re
import shutil

from expectations import expect, expect_equal, expect_in, expect_row
from findings import diagnose
from harness import main, needs, record, scenario
from networks import Machines, inside, ip
from pages import said_in
from traces import call

# Each program prints the errors that it saw, in order.
WOULD_WAIT = """
import ctypes, errno, os, socket
libc = ctypes.CDLL(None, use_errno=True)
r, w = os.pipe()
os.set_blocking(r, False)
os.set_blocking(w, False)
def tell(function, *arguments):
    try:
        function(*arguments)
    except OSError as error:
        print(function.__name__, errno.errorcode[error.errno])
tell(os.read, r, 10)
tell(os.read, r, 10)
os.write(w, b'x' * 65536)
for _ in range(5):
    tell(os.write, w, b'y')
queue = libc.msgget(0, 0o1600)
room = ctypes.create_string_buffer(64)
for _ in range(3):
    libc.msgrcv(queue, room, 32, 0, 0o4000)
    print('msgrcv', errno.errorcode[ctypes.get_errno()])
libc.msgctl(queue, 0, None)
"""
REMOVED = """
import ctypes, errno, os, subprocess, sys
libc = ctypes.CDLL(None, use_errno=True)
queue = libc.msgget(0, 0o1600)
child = os.fork()
if child == 0:
    room = ctypes.create_string_buffer(64)
    libc.msgrcv(queue, room, 32, 0, 0)
    os.write(1, errno.errorcode[ctypes.get_errno()].encode())
    os._exit(0)
while 'msgrcv' not in open(f'/proc/{child}/wchan').read():
    pass
subprocess.run(['ipcrm', '-q', str(queue)], check=True)
os.wait()
"""
MEETING = """
import os, sys
os.mkfifo(sys.argv[1])
child = os.fork()
if child == 0:
    os.close(os.open(sys.argv[1], os.O_RDONLY))
    os._exit(0)
while open(f'/proc/{child}/wchan').read() != 'wait_for_partner':
    pass
os.close(os.open(sys.argv[1], os.O_WRONLY))
os.wait()
os.unlink(sys.argv[1])
"""
# Limits that ran out. Of System V semaphores the error is EAGAIN; a lock's is its futex's.
LIMITS = """
import ctypes, errno, multiprocessing
libc = ctypes.CDLL(None, use_errno=True)
class Time(ctypes.Structure):
    _fields_ = [('sec', ctypes.c_long), ('nsec', ctypes.c_long)]
class Sembuf(ctypes.Structure):
    _fields_ = [('num', ctypes.c_ushort), ('op', ctypes.c_short), ('flg', ctypes.c_short)]
def tell(name, result):
    print(name, errno.errorcode[ctypes.get_errno()] if result < 0 else result)
queue = libc.mq_open(b'/ipclens-limits', 0o102, 0o600, None)
libc.mq_unlink(b'/ipclens-limits')
room = ctypes.create_string_buffer(8192)
tell('mq_timedreceive', libc.mq_timedreceive(queue, room, 8192, None, ctypes.byref(Time(1, 0))))
sem = libc.semget(0, 1, 0o1600)
take = Sembuf(0, -1, 0)
tell('semtimedop', libc.semtimedop(sem, ctypes.byref(take), 1, ctypes.byref(Time(0, 20000000))))
libc.semctl(sem, 0, 0)
lock = multiprocessing.Lock()
lock.acquire()
print('lock', lock.acquire(timeout=0.02))
"""
BROKEN = """
import os
r, w = os.pipe()
os.close(r)
for _ in range(30):
    try:
        os.write(w, b'x')
    except BrokenPipeError:
        print('EPIPE')
"""
INTERRUPTED = """
import os, signal
r, w = os.pipe()
class Enough(Exception):
    pass
def handler(*_):
    raise Enough
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.02)
try:
    os.read(r, 1)
except Enough:
    print('EINTR')
"""
# Its read goes on after each signal until all have come.
OFTEN_INTERRUPTED = """
import os, signal
r, w = os.pipe()
seen = 0
def handler(*_):
    global seen
    seen += 1
    if seen == 40:
        signal.setitimer(signal.ITIMER_REAL, 0)
        os.write(w, b'x')
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)
os.read(r, 1)
print(seen)
"""
TIMED_OUT = """
import socket, threading, os
a, b = socket.socketpair()
a.settimeout(None)
import struct
a.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack('ll', 0, 20000))
try:
    a.recv(1)
except BlockingIOError:
    print('EAGAIN')
"""


def python(directory, text, *arguments):
    return record(directory, ["/usr/bin/python3", "-c", text, *arguments])


def picture(result, *options):
    return result.view("--width", "200", *options).replace("\u00a0", " ")


def decoded(text, pattern, base):
    return re.sub(pattern, lambda m: chr(int(m[1], base)), text)


def in_svg(result):
    return re.findall(r"<title>(.*?)</title>", html.unescape(result.view("--as", "svg")))


def in_mermaid(result):
    return decoded(result.view("--as", "mermaid"), r"#(\d+);", 10).splitlines()


def in_plantuml(result):
    return decoded(result.view("--as", "plantuml"), r"<U\+([0-9A-F]{4})>", 16).splitlines()


def in_page(result):
    return [f"{label} {detail}" for label, detail in said_in(result.view("--as", "html"))]


def in_trace_events(result):
    """The instants, each at its thread."""
    events = json.loads(result.view("--as", "trace-event"))["traceEvents"]
    return [
        f"{e['name']} {e['args'].get('detail')}"
        for e in events
        if e["ph"] == "i" and e["s"] == "t"
    ]


FORMATS = {
    "SVG": in_svg,
    "Mermaid": in_mermaid,
    "PlantUML": in_plantuml,
    "the page": in_page,
    "trace events": in_trace_events,
}


def expect_everywhere(result, sign, *words):
    """In the text picture with its sign, and in each other format, all words in one place."""
    expect_row(picture(result), f"{sign} {words[0]}", *words[1:])
    for name, rows in FORMATS.items():
        shown = [row.replace("\u00a0", " ") for row in rows(result)]
        expect(
            any(all(word in row for word in words) for row in shown),
            f"{name} has a row with {words}",
            "\n".join(shown),
        )


@scenario("what would have to wait: empty, no room, no message")
def would_wait(directory):
    result = python(directory, WOULD_WAIT)
    told = result.stdout.decode().split("\n")[:-1]
    expect_equal(told, ["read EAGAIN"] * 2 + ["write EAGAIN"] * 5 + ["msgrcv ENOMSG"] * 3,
                 "what the program saw")
    drawn = picture(result)
    expect_row(drawn, "✗ read EAGAIN: empty", "2 times")
    expect_row(drawn, "✗ write EAGAIN: no room", "64 KiB lie in it", "5 times")
    expect_row(drawn, "✗ msgrcv ENOMSG: empty", "3 times")
    expect_row(drawn, "⊗ msgctl IPC_RMID", "the object is gone")
    expect_everywhere(result, "✗", "read EAGAIN: empty", "2 times")
    expect_everywhere(result, "✗", "write EAGAIN: no room", "5 times")
    expect_everywhere(result, "✗", "msgrcv ENOMSG: empty", "3 times")
    expect_everywhere(result, "⊗", "msgctl IPC_RMID")


@scenario("a queue that ipcrm removes under its reader: the mark at ipcrm, EIDRM at the reader")
def removed(directory):
    result = python(directory, REMOVED)
    expect_equal(result.stdout, b"EIDRM", "what the reader saw")
    drawn = picture(result)
    expect_row(drawn, "✗ msgrcv EIDRM")
    expect_row(drawn, "⊗ msgctl IPC_RMID")
    channels = picture(result, "--lanes", "channels")
    expect_row(channels, "⊗ msgctl IPC_RMID")


@scenario("a FIFO: open waits for the other side, and says so; unlink takes its name")
def meeting(directory):
    path = os.path.join(directory, "fifo")
    result = python(directory, MEETING, path)
    drawn = picture(result)
    expect_row(drawn, "◇ open waits for a writer")
    expect("open waits for a reader" not in drawn, "whose open did not wait says nothing", drawn)
    expect_row(drawn, "⊗ unlink")


DUPLICATES = """
import fcntl, os
r, w = os.pipe()
copy = fcntl.fcntl(w, fcntl.F_DUPFD, 20)  # F_DUPFD has the number of IPC_RMID
os.write(copy, b"x")
os.read(r, 1)
"""


@scenario("fcntl(F_DUPFD) of a pipe removes nothing")
def duplicated(directory):
    drawn = picture(python(directory, DUPLICATES))
    expect_in("pipe 1 B", drawn, "the pipe is in the picture")
    expect("⊗" not in drawn, "nothing was removed", drawn)


@scenario("curl to a closed port: the connection that was refused later")
def closed_port(directory):
    if not shutil.which("curl"):
        return
    result = record(directory, ["curl", "-s", "http://127.0.0.1:47/"], status=7)
    expect_row(picture(result), "✗ connect ECONNREFUSED", "SO_ERROR")


class Silence(Machines):
    """A machine whose network answers nothing: what it sends to 192.0.2.0/24 is dropped."""

    address = "192.0.2.7"

    def connect(self):
        (name,) = self.names
        ip("-n", name, "link", "set", "lo", "up")
        ip("-n", name, "route", "add", "192.0.2.0/24", "dev", "lo", "src", "127.0.0.1")
        retries = "/proc/sys/net/ipv4/tcp_syn_retries"
        call(inside(name, "sh", "-c", f"echo 1 >{retries}"))


@scenario("bash and curl connect to where nobody answers: ETIMEDOUT, at the call or told later")
def nobody_answers(directory):
    needs("bash", "curl", "ip")
    clients = {
        "bash": f"exec 3<>/dev/tcp/{Silence.address}/80",
        "curl": f"exec curl -sS http://{Silence.address}:81/",
    }
    with Silence("silent") as (name,):
        for client, text in clients.items():
            place = os.path.join(directory, client)
            os.mkdir(place)
            words = ["bash", "-c", f"({text}); echo $?"]
            result = record(place, inside(name, *words), environment={"LC_ALL": "C"})
            expect_nobody_answered(client, result)


def expect_nobody_answered(client, result):
    expect(result.stdout != b"0\n", f"{client} failed", result.stdout)
    expect(re.search(rb"timed out|Timeout was reached|[Cc]ouldn't connect|Could not connect",
                     result.stderr), f"{client} says so", result.stderr)
    later = ["SO_ERROR"] if client == "curl" else []
    expect_everywhere(result, "✗", "connect ETIMEDOUT", *later)
    findings, _ = diagnose(result.trace_path)
    told = [(f["id"], f["severity"]) for f in findings]
    expect_equal(told, [("connection-failed", "warning")], f"{client}: findings")
    text = findings[0]["text"]
    expect_in(Silence.address, text, "where it wanted to go")
    expect_in("nobody answered (ETIMEDOUT)", text, "what went wrong")


@scenario("a receive whose time ran out")
def timed_out(directory):
    result = python(directory, TIMED_OUT)
    expect_equal(result.stdout, b"EAGAIN\n", "what the program saw")
    expect_row(picture(result), "✗ recvfrom EAGAIN", "after")


@scenario("limits that ran out: a queue, a semaphore, a lock of multiprocessing")
def limits(directory):
    result = python(directory, LIMITS)
    told = result.stdout.decode().split("\n")[:-1]
    expect_equal(told, ["mq_timedreceive ETIMEDOUT", "semtimedop EAGAIN", "lock False"],
                 "what the program saw")
    expect_everywhere(result, "✗", "mq_timedreceive ETIMEDOUT")
    expect_everywhere(result, "✗", "semtimedop EAGAIN", "after")
    expect_everywhere(result, "✗", "futex ETIMEDOUT", "after")


@scenario("a pipe without a reader: EPIPE at the write, many of them in one row")
def broken(directory):
    result = python(directory, BROKEN)
    expect_equal(result.stdout, b"EPIPE\n" * 30, "what the program saw")
    expect_everywhere(result, "✗", "write EPIPE", "30 times")


@scenario("yes | head where SIGPIPE is ignored: yes is told by EPIPE")
def yes_and_head(directory):
    result = record(directory, ["sh", "-c", "trap '' PIPE; yes | head -n 1"])
    expect_equal(result.stdout, b"y\n", "what head wrote")
    expect_in(b"Broken pipe", result.stderr, "yes complains of it")
    expect_everywhere(result, "✗", "write EPIPE")


@scenario("a read that a signal ends: EINTR at it, and by which signal")
def interrupted(directory):
    result = python(directory, INTERRUPTED)
    expect_equal(result.stdout, b"EINTR\n", "what the program saw")
    expect_everywhere(result, "✗", "read EINTR", "interrupted by SIGALRM")


@scenario("a read that forty signals end: a loop, and no forty rows")
def often_interrupted(directory):
    result = python(directory, OFTEN_INTERRUPTED)
    expect_equal(result.stdout, b"40\n", "what the program saw")
    drawn = picture(result)
    rows = [row for row in drawn.splitlines() if "read EINTR" in row]
    expect(0 < len(rows) <= 8, "a few rows stand for all", drawn)
    whole = picture(result, "--unfold", "--max", "0")
    expect_equal(whole.count("✗ read EINTR"), 40, "each is there where all are asked for")


OPENS = {"a writer": "os.O_RDONLY", "a reader": "os.O_WRONLY"}


@scenario("a FIFO's open that still waits at the end says for whom, to the end")
def waits_to_the_end(directory):
    path = os.path.join(directory, "fifo")
    os.mkfifo(path)
    for whom, mode in OPENS.items():
        text = f"import os; os.open({path!r}, {mode})"
        result = record(directory, ["/usr/bin/python3", "-c", text], "--timeout", 1,
                        status=124, whole=False)
        expect_everywhere(result, "░", f"open waits for {whom}", path, "for ")


CROSSED = """
import os, sys
one, two = sys.argv[1:]
child = os.fork()
if child == 0:
    os.open(two, os.O_RDONLY)
os.open(one, os.O_WRONLY)
"""


@scenario("two FIFOs, opened by two processes in two orders: each waits for the other's side")
def waits_for_both(directory):
    paths = [os.path.join(directory, name) for name in ("one", "two")]
    for path in paths:
        os.mkfifo(path)
    result = record(directory, ["/usr/bin/python3", "-c", CROSSED, *paths], "--timeout", 1,
                    status=124, whole=False)
    drawn = picture(result)
    expect_row(drawn, "open waits for a writer", paths[1])
    expect_row(drawn, "open waits for a reader", paths[0])


if __name__ == "__main__":
    main()
