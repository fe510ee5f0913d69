#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""ipclens top beside real programs: what it counts is what they count themselves."""
import os
import re
import socket
import subprocess

import postgres
from expectations import expect, expect_equal
from harness import main, needs, scenario, start, wait_for
from servers import free_port
from top_pairs import end, top
from traces import call

REQUESTS = 20000
FILES = 8


def between(pairs, sender, receiver):
    """The pairs from processes of the one name to those of the other, both known."""
    def names(members):
        return {member["comm"] for member in members}

    return [p for p in pairs if names(p["from"]) == {sender} and names(p["to"]) == {receiver}]


def total(pairs, side, what):
    return sum(member[what] for pair in pairs for member in pair[side])


def counted(pairs, side, comm, what):
    """Of all processes of this name on a socket, also where the other side is not known."""
    return sum(member[what] for pair in pairs if pair["mechanism"] in ("tcp", "unix-stream")
               for member in pair[side] if member["comm"] == comm)


def check_partners(pairs, client, server):
    """A session whose other side is not known may be shown so; none is shown with another one."""
    for pair in pairs:
        comms = {member["comm"] for side in ("from", "to") for member in pair[side]}
        if pair["mechanism"] in ("tcp", "unix-stream") and client in comms:
            expect(comms <= {client, server}, "nobody else is its partner", pair)


class Redis:
    """A server, and a connection that asks it for its own counters."""

    def __init__(self, directory, port):
        os.mkdir(directory)
        words = ["redis-server", "--port", str(port), "--save", "", "--dir", directory]
        self.run, self.asked, self.answered = start(directory, words), 0, 0
        wait_for(lambda: b"eady to accept connections" in self.run.stdout, "redis-server")
        self.connection = socket.create_connection(("127.0.0.1", port))

    def counters(self):
        """Bytes that it has received and sent, but for these questions and their answers."""
        request = b"INFO stats\r\n"
        self.connection.sendall(request)
        self.asked += len(request)
        answer = self.connection.recv(65536)
        while not answer.endswith(b"\r\n") or len(answer) < int(answer[1:answer.index(b"\r")]):
            answer += self.connection.recv(65536)
        found = [int(re.search(rb"total_net_%s_bytes:(\d+)" % way, answer)[1])
                 for way in (b"input", b"output")]
        counters = found[0] - self.asked, found[1] - self.answered
        self.answered += len(answer)
        return counters

    def stop(self):
        self.connection.close()
        self.run.process.terminate()
        expect_equal(self.run.wait().status, 0, "redis-server ends")


@scenario("redis-benchmark: bytes are those that the server counts, messages its requests")
def redis(directory):
    needs("redis-server", "redis-benchmark")
    port = free_port()
    server = Redis(f"{directory}/server", port)
    before = server.counters()
    result = top(f"{directory}/top", "--json", "--every", "1h")
    call(["redis-benchmark", "-p", str(port), "-n", str(REQUESTS), "-c", "5", "-t", "set", "-q"],
         stdout=subprocess.DEVNULL)
    pairs = end(result)
    after = server.counters()
    server.stop()
    check_partners(pairs, "redis-benchmark", "redis-server")
    expect_equal([counted(pairs, side, "redis-server", "bytes") for side in ("to", "from")],
                 [after[0] - before[0], after[1] - before[1]], "bytes")
    for sender in "redis-benchmark", "redis-server":
        # it asks for the configuration, too
        messages = counted(pairs, "from", sender, "messages")
        expect(REQUESTS <= messages <= REQUESTS + 20, f"the messages of {sender}", messages)


def transactions(directory, environment, count):
    """Messages of pgbench to postgres, and back, in a run of so many transactions."""
    result = top(f"{directory}/top{count}", "--json", "--every", "1h")
    told = call(postgres.owned(environment, "pgbench", "-h", directory, "-U", "test", "-n", "-S",
                               "-c", "2", "-t", str(count), "postgres"), cwd=directory)
    pairs = end(result)
    done = int(re.search(rb"actually processed: (\d+)/", told.stdout)[1])
    check_partners(pairs, "pgbench", "postgres")
    for sender, receiver in ("pgbench", "postgres"), ("postgres", "pgbench"):
        expect_equal(counted(pairs, "from", sender, "bytes"),
                     counted(pairs, "to", receiver, "bytes"), f"bytes from {sender}")
    return done, *(counted(pairs, "from", sender, "messages") for sender in ("pgbench", "postgres"))


@scenario("pgbench: a message each way for each transaction that it counts")
def pgbench(directory):
    needs("pgbench")
    environment, stop = postgres.started(directory)
    try:
        call(postgres.owned(environment, "pgbench", "-h", directory, "-U", "test", "-i", "-q",
                            "postgres"), cwd=directory)
        few, many = (transactions(directory, environment, count) for count in (500, 2500))
    finally:
        stop()
    # what opens and closes the sessions is the same in both
    expect_equal([many[way] - few[way] for way in (1, 2)], [many[0] - few[0]] * 2, "transactions")
    expect_equal(many[0], 5000, "those that were asked for")


MAKEFILE = """
OBJECTS := $(patsubst %,file%.o,$(shell seq {files}))
all: $(OBJECTS)
file%.c:
	printf 'int f%s(int a) {{ return a * %s; }}\\n' $* $* >$@
%.o: %.c
	gcc -pipe -O2 -c -o $@ $<
%.s: %.c
	gcc -O2 -S -o $@ $<
.SECONDARY:
"""


@scenario("make -j2: its tokens are those that it tells of, and cc1 sends as the assembler's text")
def make(directory):
    with open(f"{directory}/Makefile", "w", encoding="ascii") as file:
        file.write(MAKEFILE.format(files=FILES))
    result = top(f"{directory}/top", "--json", "--every", "1h")
    environment = {name: os.environ[name] for name in ("PATH",)}
    words = ["make", "-j2", "--debug=jobs"]
    with subprocess.Popen(words, cwd=directory, env=environment, stdout=subprocess.PIPE,
                          text=True) as process:
        told = process.stdout.read()
    expect_equal(process.returncode, 0, "make succeeds")
    pairs = end(result)
    names = [f"file{number}.s" for number in range(1, FILES + 1)]
    call(["make", "-s", *names], cwd=directory, env=environment)
    texts = sum(os.path.getsize(f"{directory}/{name}") for name in names)
    found = between(pairs, "cc1", "as")
    expect_equal((total(found, "from", "bytes"), total(found, "to", "bytes")), (texts, texts),
                 "the text of the assembler")
    tokens = [pair for pair in between(pairs, "make", "make")
              if process.pid in {member["pid"] for member in pair["from"]}]
    obtained = told.count("Obtained token")
    # there is one in the pipe at the beginning, and it takes each back at its end
    expect_equal((total(tokens, "from", "messages"), total(tokens, "to", "messages")),
                 (told.count("Released token") + 1, obtained + 1), "tokens")
    expect(obtained, "it asked for some", told)


if __name__ == "__main__":
    main()
