#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Hangs of which the chain is known: the advice fits its end, by `run --timeout`, of its trace and
by -p. Locks in two orders, a lock whose holder waits itself, a queue whose reader was killed or
that is joined too early, pipes that are both full, a FIFO of which the other side is missing.

Each workload tells who its processes are, as "name=pid", in its standard error.
"""
import os
import re
import signal

from expectations import expect, expect_equal, expect_in
from findings import diagnose
from hang_cases import FED_CHILD, Case, by_run_and_trace, python, three_ways
from hangs import PYTHON, TIMED_OUT, hanging, named_parties, traced, untraced
from harness import main, recorder, scenario, wait_for
from places import on_terminal

MAY_RUN_BESIDE_OTHERS = True

# Both have the first lock before either asks for the second.
MEET = """
ends = os.pipe(), os.pipe()
def take_both(name, mine, take):
    first, second = ("A", "B") if mine else ("B", "A")
    take(first)
    os.write(ends[mine][1], b"x")
    os.read(ends[not mine][0], 1)
    tell(name)
    take(second)
def both(take):
    child = os.fork()
    take_both("parent" if child else "child", bool(child), take)
"""

MUTEXES = """
c = ctypes.CDLL(None)
{memory}
start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
kind = ctypes.create_string_buffer(64)
c.pthread_mutexattr_init(kind)
c.pthread_mutexattr_setpshared(kind, 1)
places = {"A": ctypes.c_void_p(start), "B": ctypes.c_void_p(start + 128)}
for place in places.values():
    c.pthread_mutex_init(place, kind)
def lock(name):
    c.pthread_mutex_lock(places[name])
"""
NAMELESS = "memory = mmap.mmap(-1, 4096)"
MEMFD = """
file = os.memfd_create("box")
os.ftruncate(file, 4096)
memory = mmap.mmap(file, 4096)
"""

SEMAPHORES = """
c = ctypes.CDLL(None)
class Change(ctypes.Structure):
    _fields_ = [("number", ctypes.c_ushort), ("by", ctypes.c_short), ("flags", ctypes.c_short)]
sems = c.semget(0, 2, 0o600)
def change(name, by):
    c.semop(sems, ctypes.byref(Change(ord(name) - ord("A"), by, 0)), 1)
change("A", 1); change("B", 1)
"""

FORK = "fork = multiprocessing.get_context('fork')\n"
MP_LOCKS = FORK + "locks = {'A': fork.Lock(), 'B': fork.Lock()}\n"

HOLDER_READS = """
if os.fork() == 0:
    lock("A")
    tell("holder")
    end, own = os.pipe()
    os.write(ready[1], b"x")
    os.read(end, 1)
os.read(ready[0], 1)
tell("waiter")
lock("A")
"""

# The holder waits for a child of its own, which opens a FIFO that nobody else opens.
HOLDER_WAITS = """
if os.fork() == 0:
    change("A", -1)
    tell("holder")
    os.mkfifo("fifo")
    child = subprocess.Popen(["cat", "fifo"])
    tell("child", child.pid)
    os.write(ready[1], b"x")
    child.wait()
os.read(ready[0], 1)
tell("waiter")
change("A", -1)
"""

JOINED = FORK + """
lock = fork.Lock()
def work():
    tell("child")
    lock.acquire()
child = fork.Process(target=work)
tell("parent")
with lock:
    child.start()
    child.join()
"""

# The first worker is killed when it has the lock of the queue, and sleeps in read().
KILLED = FORK + """
queue = fork.Queue()
def work(name):
    tell(name)
    queue.get()
def call_of(pid):
    with open(f"/proc/{pid}/syscall") as file:
        return file.read().split()[0]
READ = "0"
first = fork.Process(target=work, args=["killed"])
first.start()
while call_of(first.pid) != READ:
    pass
os.kill(first.pid, signal.SIGKILL)
first.join()
other = fork.Process(target=work, args=["waiter"])
other.start()
tell("parent")
other.join()
"""

PRODUCERS = """
import multiprocessing, os
def tell(name):
    os.write(2, f"{name}={os.getpid()}\\n".encode())
def work(queue, number):
    tell(f"child{number}")
    for i in range(20000):
        queue.put(f"item {i}")
    queue.close()
    queue.join_thread()
if __name__ == "__main__":
    how = multiprocessing.get_context("METHOD")
    queue = how.Queue()
    tell("parent")
    workers = [how.Process(target=work, args=(queue, number)) for number in range(COUNT)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    queue.get()
"""

FEEDS = """
child = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
tell("child", child.pid)
tell("parent")
child.stdin.write(bytes(1000000))
child.stdin.close()
print(len(child.stdout.read()))
"""

READS_ONE = """
child = subprocess.Popen(["sh", "-c", "head -c 1000000 /dev/zero >&2; echo"],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
tell("child", child.pid)
tell("parent")
child.stdout.read()
"""

COPROC = """
coproc C { cat; }
echo parent=$$ >&2
echo child=$C_PID >&2
head -c 1000000 /dev/zero >&${C[1]}
cat <&${C[0]}
"""

PERL = """
use IPC::Open2;
my $pid = open2(my $from, my $to, "cat");
print STDERR "child=$pid\\nparent=$$\\n";
print $to "x" x 1000000;
close $to;
print length join "", <$from>;
"""

BOTH_SEND = FORK + """
one, other = fork.Pipe()
def work():
    tell("child")
    other.send_bytes(bytes(1000000))
    other.recv_bytes()
child = fork.Process(target=work)
child.start()
tell("parent")
one.send_bytes(bytes(1000000))
one.recv_bytes()
"""

# Each script has the lock of its shell by descriptor 8, which flock(1) inherits.
SCRIPT = """
exec 8>{first} 9>{second}
flock 8
touch {name}.has
until [ -e {other}.has ]; do sleep 0.02; done
echo {name}=$$ >&2
flock 9
echo both
"""
SCRIPTS = "cd 'PLACE'; bash one & bash two & wait"


def mutexes(memory):
    return MUTEXES.replace("{memory}", memory)


def producers(method, count):
    """A program that its children can import."""
    text = PRODUCERS.replace("METHOD", method).replace("COUNT", str(count))

    def make(place):
        path = os.path.join(place, "main.py")
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        return [PYTHON, path]

    return make


def scripts(place):
    for name, other, first, second in (("one", "two", "A", "B"), ("two", "one", "B", "A")):
        with open(os.path.join(place, name), "w", encoding="ascii") as file:
            file.write(SCRIPT.format(name=name, other=other, first=first, second=second))
    return ["bash", "-c", SCRIPTS]


FLOCK = """
files = {}
def lock(name):
    files[name] = open(name, "w")
    fcntl.flock(files[name], fcntl.LOCK_EX)
"""
ONE_ORDER = "in the same order everywhere"
ORDERS = {
    "flock": Case(python(FLOCK, MEET, "both(lock)"), 2, "deadlock", ONE_ORDER),
    "flock(1)": Case(scripts, 2, "deadlock", "in each script the same file first"),
    "mutexes": Case(python(mutexes(NAMELESS), MEET, "both(lock)"), 2, "deadlock", ONE_ORDER),
    "memfd": Case(python(mutexes(MEMFD), MEET, "both(lock)"), 2, "deadlock", ONE_ORDER),
    "semop": Case(
        python(SEMAPHORES, MEET, "both(lambda name: change(name, -1))"), 2, "deadlock", ONE_ORDER,
    ),
    "Lock": Case(
        python(MP_LOCKS, MEET, "both(lambda name: locks[name].acquire())"),
        2, "deadlock", ONE_ORDER,
    ),
}  # fmt: skip

ITS_END = "let it write there before it reads"
READY = "ready = os.pipe()\n"
HOLDERS = {
    "mutex": Case(
        python(mutexes(MEMFD), READY, HOLDER_READS), 2, "semaphore-stuck", ITS_END,
        " has it, and waits itself; ",
    ),
    "semaphore": Case(
        python(SEMAPHORES, READY, HOLDER_WAITS), 3, "blocked",
        "start the other side, which opens fifo for writing", " waits for the end of cat[",
    ),
    "joined": Case(python(JOINED), 2, "deadlock", "before it waits for another process"),
    "killed": Case(
        python(KILLED), 3, "deadlock", "not by terminate() or kill()", "",
        "which could use it, was killed by SIGKILL",
    ),
}  # fmt: skip

GET_FIRST = "get everything before join()"
# Any process can open the semaphore by its name, which stays for those that are spawned.
SOMEHOW = ("deadlock", "full-channel")
QUEUES = {
    "one": Case(producers("fork", 1), 2, "deadlock", GET_FIRST),
    "several": Case(producers("fork", 3), 4, "deadlock", GET_FIRST),
    "spawned": Case(producers("spawn", 2), 3, SOMEHOW, GET_FIRST, seconds=8),
}

FULL = {
    "Python": Case(python(FEEDS), 2, "deadlock", "communicate(input)"),
    "bash": Case(["bash", "-c", COPROC], 2, "deadlock", "write in the background while you read"),
    "Perl": Case(["perl", "-e", PERL], 2, "deadlock", "IPC::Run"),
    "one of two": Case(python(READS_ONE), 2, "deadlock", "reads stdout and stderr at once"),
    "both send": Case(python(BOTH_SEND), 2, "deadlock", "let one of them receive first"),
}

TEE = """
cd 'PLACE'
exec > >(tee log)
echo child=$! >&2
echo parent=$$ >&2
wait
"""

SORT = FED_CHILD.replace("PROGRAM", "sort")

WORKER = FORK + """
queue = fork.Queue()
def work():
    tell("child")
    while queue.get() is not None:
        pass
child = fork.Process(target=work)
child.start()
tell("parent")
queue.put("a task")
child.join()
"""

LOCKED_AGAIN = """
cd 'PLACE'
exec 9>lock
flock 9
echo parent=$$ >&2
sh -c 'echo child=$$ >&2; exec flock lock true'
true
"""

BY_SHELL = """
use IPC::Open2;
my $pid = open2(my $from, my $to, "echo child=\\$\\$ >&2; sort; true");
print STDERR "parent=$$\\n";
print $to "line\\n";
print <$from>;
"""

# The client waits for its answer, and the server for the rest of what it asked.
ASKS = """
import socket
server = socket.create_server(("127.0.0.1", 0))
if os.fork():
    end = socket.create_connection(server.getsockname())
    tell("client")
    file = end.makefile("rw")
    file.write("hello\\n")
    file.readline()
end = server.accept()[0]
server.close()
tell("server")
end.makefile("r").readline()
"""

# The server of one thread asks itself while it serves.
ASKS_ITSELF = """
import socket
server = socket.create_server(("127.0.0.1", 0))
tell("server")
end = socket.create_connection(server.getsockname())
end.send(b"GET / HTTP/1.0\\r\\n\\r\\n")
end.recv(100)
"""

# The loop waits for the end of the line, and for other clients.
LOOPS = """
import asyncio, socket
async def answer(reader, writer):
    writer.write(await reader.readline())
async def serve():
    await (await asyncio.start_server(answer, sock=server)).serve_forever()
async def ask(address):
    reader, writer = await asyncio.open_connection(*address)
    writer.write(b"hello")
    await reader.readline()
server = socket.create_server(("127.0.0.1", 0))
if os.fork():
    address = server.getsockname()
    server.close()
    tell("client")
    asyncio.run(ask(address))
tell("server")
asyncio.run(serve())
"""

NO_VALUE = """
$s = semget(0, 1, 0600);
$name = fork() ? "parent" : "child";
print STDERR "$name=$$\\n";
semop($s, pack("s!3", 0, -1, 0));
"""

JOINED_EARLY = {
    "tee": Case(["bash", "-c", TEE], 2, "no-eof", "close(1): bash["),
    "stdin": Case(python(SORT), 2, "no-eof", ": python3["),
    "Queue": Case(python(WORKER), 2, "deadlock", "put(None)"),
    "lock": Case(["bash", "-c", LOCKED_AGAIN], 2, "deadlock", "flock FD instead of flock FILE"),
}
UNFINISHED = {
    "by a shell": Case(["perl", "-e", BY_SHELL], 2, "deadlock", "a filter (sort, wc) answers only"),
    "no flush": Case(python(ASKS), 2, "deadlock", "flush() what write() was given (makefile()"),
    "itself": Case(python(ASKS_ITSELF), 1, "never-accepted", "] asks itself, and comes to accept()"),
    "semaphore": Case(["perl", "-e", NO_VALUE], 2, "deadlock", "semctl(SETVAL) with 1"),
}
# By -p it looks like one that has subscribed to what is not there yet: a note.
NO_NEWLINE = Case(python(LOOPS), 2, "blocked", "end each line with its newline")

ALONE = {
    "shell": Case(
        ["bash", "-c", "cd 'PLACE'; mkfifo f; echo waiter=$$ >&2; read -r x <f"], 1, "blocked",
        "which writes to f (cmd >f &)",
    ),
    "to write": Case(
        ["sh", "-c", "cd 'PLACE'; mkfifo f; echo waiter=$$ >&2; exec tee f"], 1, "blocked",
        "start the other side, which opens f for reading",
    ),
    "own pipe": Case(
        python("end, own = os.pipe()\ntell('waiter')\nos.read(end, 1)"), 1, "blocked", ITS_END,
    ),
}  # fmt: skip


@scenario("locks that are taken in two orders, by any kind of lock: take them in one")
def orders(directory):
    three_ways(directory, ORDERS)


@scenario("a lock whose holder waits itself, or was killed: the advice is for the end of the chain")
def holders(directory):
    three_ways(directory, HOLDERS)


@scenario("a multiprocessing.Queue that is joined before it is read, however its writers were started")
def queues(directory):
    three_ways(directory, QUEUES)


@scenario("pipes that are both full, or of which one is not read: the remedy of the language")
def full(directory):
    three_ways(directory, FULL)


@scenario("who waits for a child that waits for its parent: one finding, with what to do before")
def joined_early(directory):
    three_ways(directory, JOINED_EARLY)


@scenario("who waits for the answer to what is not said to its end, or not heard: close, flush, end the line")
def unfinished(directory):
    three_ways(directory, UNFINISHED)
    by_run_and_trace(directory, "no newline", NO_NEWLINE)


@scenario("a FIFO of which the other side is missing, and a pipe that its reader alone could write")
def alone(directory):
    three_ways(directory, ALONE)


# Two have a lock together that a third one wants for itself.
SHARED = """
open("lock", "w").close()
ready = os.pipe()
for name in ("one", "two"):
    if os.fork() == 0:
        file = open("lock")
        fcntl.{lock}(file, fcntl.LOCK_SH)
        tell(name)
        os.write(ready[1], b"x")
        signal.pause()
os.read(ready[0], 1), os.read(ready[0], 1)
tell("waiter")
fcntl.{lock}(open("lock", "r+"), fcntl.LOCK_EX)
"""


@scenario("of a lock that several share -p names them all, as the trace does")
def shared_locks(directory):
    for lock in ("flock", "lockf"):
        place = os.path.join(directory, lock)
        os.mkdir(place)
        command = [word.replace("PLACE", place) for word in python(SHARED.format(lock=lock))]
        _, findings, result = traced(place, command, 3)
        looked, other = untraced(place, command, hanging(3), "blocked",
                                 whom=lambda result: named_parties(result)["waiter"])  # fmt: skip
        for found, parties in ((findings, named_parties(result)), (looked, named_parties(other))):
            told = [f for f in found if f["processes"][0] == parties["waiter"]]
            expect_equal([f["id"] for f in told], ["blocked"], f"{lock}: {found}")
            for holder in ("one", "two"):
                expect_in(f"python3[{parties[holder]}]", told[0]["evidence"][0], f"{lock}: {holder}")
            expect_in(" have it locked", told[0]["evidence"][0], "several do")


# The reader of the pipe waits for its user, at the terminal of somebody who is not traced.
KEY = """
(echo writer=$BASHPID >&3; exec yes) | (echo reader=$BASHPID >&3; read -r x </dev/tty; cat)
"""


def at_terminal(directory, name, words):
    """In a terminal of its own; told() is who has said by now who it is."""
    log = os.path.join(directory, name)
    process, master, screen = on_terminal(
        ["bash", "-c", 'exec 3>"$0"; exec "$@"', log, *words],
        env={**os.environ, "TERM": "dumb"},
    )

    def told():
        if not os.path.exists(log):
            return {}
        with open(log, encoding="ascii") as file:
            return {name: int(pid) for name, pid in re.findall(r"(?m)^(\w+)=(\d+)$", file.read())}

    return process, master, screen, told


def expect_key(findings, names):
    found = [f for f in findings if f["id"] == "full-channel"]
    expect_equal([f["severity"] for f in found], ["warning"], f"one warning: {findings}")
    expect(set(names.values()) <= set(found[0]["processes"]), "the chain", found)
    expect_in("for a key press at pty:[", found[0]["text"], "its end")
    expect_in(f"bash[{names['reader']}] waits for its user", found[0]["advice"], "the remedy")


@scenario("a chain that ends at a key press: who waits for its user is told, by all three ways")
def key_press(directory):
    shell = ["bash", "-c", KEY]
    words = recorder(directory, shell, "--timeout", "3", "--diagnose-only", "--lang", "en",
                     verb="run", output="--trace")  # fmt: skip
    process, master, screen, told = at_terminal(directory, "run", words)
    wait_for(lambda: screen() is not None and process.poll() is not None, "the limit")
    expect_equal(process.returncode, TIMED_OUT, "the limit ended it")
    shown = screen()
    os.close(master)
    advice = f"bash[{told()['reader']}] waits for its user"
    expect_in(advice, " ".join(shown.decode().split()), "run says so")
    expect_key(diagnose(os.path.join(directory, "trace.ndjson"))[0], told())
    process, master, _, told = at_terminal(directory, "looked", shell)
    look = lambda: diagnose("-p", str(process.pid))[0]
    try:
        wait_for(lambda: len(told()) == 2, "both to tell who they are")
        wait_for(lambda: any(f["id"] == "full-channel" for f in look()), "the full pipe")
        expect_key(look(), told())
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        os.close(master)


if __name__ == "__main__":
    main()
