#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Hangs that look like two faults have one finding: the one whose remedy helps."""
import os

from hang_cases import FED_CHILD, Case, by_run_and_trace, python, three_ways
from harness import main, scenario

MAY_RUN_BESIDE_OTHERS = True

# The second child has the first one's writing end, which it does not know of, and waits for more.
# Neither has ever written anything, which -p takes for evidence.
SECOND_CHILD = """
def child(name, end, others):
    made = os.fork()
    if made == 0:
        [os.close(other) for other in others]
        while os.read(end, 100):
            pass
        os._exit(0)
    tell(name, made)
    return made
first, second = os.pipe(), os.pipe()
one = child("one", first[0], first[1:] + second[1:])
two = child("two", second[0], second[1:])
os.write(first[1], b"all")
os.close(first[1])
tell("parent")
os.waitpid(one, 0)
"""

# The same of a program that was started with it.
SECOND_PROGRAM = """
end, own = os.pipe()
os.set_inheritable(own, True)
one = subprocess.Popen(["cat"], stdin=end)
two = subprocess.Popen(["cat"], stdin=subprocess.PIPE, close_fds=False)
tell("one", one.pid)
tell("two", two.pid)
os.write(own, b"all")
os.close(own)
tell("parent")
one.wait()
"""

BOTH_WAYS = """
filter = subprocess.Popen(FILTER, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
tell("filter", filter.pid)
tell("parent")
filter.stdin.write(b"an x\\n")
filter.stdin.flush()
filter.stdout.readline()
"""

CLIENT = """
import socket
server = socket.create_server(("127.0.0.1", 0))
if os.fork() == 0:
    end = socket.create_connection(server.getsockname())
    server.close()
    tell("client")
"""

# The server of one thread asks itself, as its client has asked it to.
ASKS_ITSELF = CLIENT + """
    end.send(b"GET / HTTP/1.0\\r\\n\\r\\n")
    end.recv(100)
end = server.accept()[0]
end.recv(100)
tell("server")
other = socket.create_connection(server.getsockname())
other.send(b"GET /?inner HTTP/1.0\\r\\n\\r\\n")
other.recv(100)
"""

# Whoever listens waits for its child, whose connection it should accept.
WAITS_FOR_CLIENT = CLIENT + """
    end.recv(1)
tell("server")
os.wait()
"""

# It has sent the writing end to its child, which is done, and waits; its own it has still.
SENT = """
import socket
here, there = socket.socketpair()
end, own = os.pipe()
if os.fork() == 0:
    here.close(), os.close(end), os.close(own)
    sent = socket.recv_fds(there, 10, 1)[1][0]
    tell("child")
    os.write(sent, b"hello")
    os.close(sent)
    there.recv(1)
there.close()
socket.send_fds(here, [b"x"], [own])
tell("parent")
while os.read(end, 10):
    pass
"""

OWN_CHILD = FED_CHILD.replace("PROGRAM", "cat")

# The job has the lock by the descriptor that the shell gave it; a look does not tell who locked.
LOCK_OF_JOB = """
cd 'PLACE'; exec 9>lock; flock 9; sleep 60 & echo holder=$! >&2; exec 9>&-
echo waiter=$$ >&2; exec flock lock true
"""
LOCK_OF_CHILD = """
import fcntl
file = open("lock", "w")
fcntl.flock(file, fcntl.LOCK_EX)
os.set_inheritable(file.fileno(), True)
tell("holder", subprocess.Popen(["sleep", "60"], close_fds=False).pid)
file.close()
tell("waiter")
fcntl.flock(open("lock", "w"), fcntl.LOCK_EX)
"""


def both_ways(*words):
    return python(BOTH_WAYS.replace("FILTER", repr(list(words))))


KEPT = {
    "child": Case(python(SECOND_CHILD), 3, "no-eof", "close(4): python3["),
    "program": Case(python(SECOND_PROGRAM), 3, "no-eof", "leave subprocess' close_fds=True"),
    "sent": Case(python(SENT), 2, "no-eof", "close(6): python3["),
    "own child": Case(python(OWN_CHILD), 2, "no-eof", "after fork(): close(4): python3["),
}
BUFFERED = {
    "grep": Case(both_ways("grep", "x"), 2, "stdio-buffered", "grep --line-buffered; or, once"),
    "sed": Case(both_ways("sed", "s,x,y,"), 2, "stdio-buffered", "sed -u; or, once all is written"),
    "tr": Case(both_ways("tr", "x", "y"), 2, "stdio-buffered", "stdbuf -oL tr; or, once all is"),
    # Whoever collects until the end has nothing to write yet.
    "sort": Case(both_ways("sort"), 2, "deadlock", "close p.stdin once all is written"),
}
UNACCEPTED = {
    "client": Case(python(ASKS_ITSELF), 2, "never-accepted", "] asks itself, and comes to acc"),
    "parent": Case(python(WAITS_FOR_CLIENT), 2, "never-accepted", "call accept() in a loop"),
}
LOCKS = {
    "job": Case(["bash", "-c", LOCK_OF_JOB], 2, "blocked", "the descriptor of the lock: cmd 9>&-"),
    "child": Case(python(LOCK_OF_CHILD), 2, "blocked", "pass the descriptor of the lock on to"),
}


@scenario("a child that inherits the writing end of another one's input: no-eof, and no deadlock")
def kept(directory):
    three_ways(directory, KEPT)


@scenario("a filter fed both ways that keeps its line: stdio-buffered, and no deadlock")
def buffered(directory):
    three_ways(directory, BUFFERED)


@scenario("a server that waits for its client, or asks itself: never-accepted, and nothing else")
def unaccepted(directory):
    three_ways(directory, UNACCEPTED)


@scenario("a lock that a program has only by an inherited descriptor: start it without that")
def inherited_lock(directory):
    for name, case in LOCKS.items():
        top = os.path.join(directory, name)
        os.mkdir(top)
        by_run_and_trace(top, name, case)


if __name__ == "__main__":
    main()
