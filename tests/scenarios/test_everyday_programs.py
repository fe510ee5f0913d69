#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Programs that nobody wrote for this: shells, make, Python. All invariants must hold."""
import os
import shlex

from expectations import expect, expect_equal
from harness import lab, main, record, scenario


def total(messages, sender, receiver):
    return sum(
        m["bytes"]
        for m in messages
        if m["from"] and m["to"] and (m["from"]["comm"], m["to"]["comm"]) == (sender, receiver)
    )


@scenario("bash: process substitution, a here-document, a coprocess")
def bash(directory):
    script = (
        "diff <(seq 100) <(seq 2 100); cat <<END\n$(seq 10)\nEND\n"
        "coproc tr a-z A-Z; echo hello >&${COPROC[1]}; exec {COPROC[1]}>&-; cat <&${COPROC[0]}; true"
    )
    result = record(directory, ["bash", "-c", script])
    expect(result.stdout.endswith(b"HELLO\n"), "the coprocess answered", result.stdout)
    found = result.messages().of("pipe")
    expect_equal(
        total(found, "seq", "diff"),
        len("".join(f"{i}\n" for i in range(1, 101))) * 2 - 2,
        "bytes from both seqs to diff",
    )
    expect_equal((total(found, "bash", "tr"), total(found, "tr", "cat")), (6, 6), "the coprocess")


@scenario("make -j: a job server's tokens in a pipe with several readers and writers")
def make(directory):
    with open(os.path.join(directory, "Makefile"), "w", encoding="ascii") as file:
        file.write(
            ".PHONY: all a b c d\nall: a b c d\na b c d:\n\t@+$(MAKE) -s -f $(firstword $(MAKEFILE_LIST)) $@.x $@.y\n"
            "%.x %.y:\n\t@echo $@ | cat >/dev/null\n"
        )
    result = record(directory, ["make", "-s", "-r", "-j4", "all"], cwd=directory)
    tokens = [m for m in result.messages().of("pipe") if m["bytes"] == 1]
    expect(len(tokens) >= 3, "three tokens at least went through the job server", tokens)
    expect(
        all(m[end] and m[end]["comm"] == "make" for m in tokens for end in ("from", "to")),
        "both ends of each are makes, and none is left: the first make collects them",
        tokens,
    )


@scenario("Python: a pool of processes, its pipes and its results")
def python_pool(directory):
    script = (
        "import multiprocessing as m\n"
        "def square(x): return x * x\n"
        "if __name__ == '__main__':\n"
        "    with m.get_context('fork').Pool(2) as pool: print(sum(pool.map(square, range(100))))\n"
    )
    path = os.path.join(directory, "pool.py")
    with open(path, "w", encoding="ascii") as file:
        file.write(script)
    result = record(directory, ["/usr/bin/python3", path])
    expect_equal(result.stdout, b"328350\n", "the program's result")
    parent = result.trace.of("process", event="exec")[0]["pid"]
    born = {line["pid"] for line in result.trace.of("process", event="fork") if line["ppid"] == parent}
    workers = {pid for pid in born if result.trace.of("process", event="exit", pid=pid, last=True)}
    pairs = {
        (m["from"]["pid"], m["to"]["pid"]) for m in result.messages().delivered("pipe")
    } & ({(parent, pid) for pid in workers} | {(pid, parent) for pid in workers})
    expect({a for a, _ in pairs} > {parent}, "tasks go out, and results come back", pairs)


@scenario("a pipeline that breaks: the writer dies of SIGPIPE")
def broken_pipe(directory):
    result = record(directory, ["bash", "-c", "yes | head -c 5 >/dev/null; echo ${PIPESTATUS[0]}"])
    expect_equal(result.stdout, b"141\n", "what became of yes")
    trace = result.trace
    failed = [
        op
        for op in trace.operations(syscall="write", pid=trace.pid_of("yes"))
        if op["returned"] < 0
    ]
    expect_equal([op["error"] for op in failed], ["EPIPE"], "the write that failed")
    unread = [m for m in result.messages().of("pipe") if m["to"] is None]
    expect(
        unread and all(m["fate"] == "discarded" for m in unread),
        "what nobody read is told",
        unread,
    )


@scenario("a large file over TCP: every byte is in a message, though calls do not match")
def large_tcp(directory):
    script = (
        "import socket,os\n"
        "s = socket.create_server(('127.0.0.1', 0))\n"
        "if os.fork():\n"
        "    c, _ = s.accept()\n    n = 0\n"
        "    while data := c.recv(100000): n += len(data)\n"
        "    os.wait()\n    print(n)\n"
        "else:\n"
        "    c = socket.create_connection(s.getsockname())\n"
        "    c.sendall(os.urandom(3000001))\n"
    )
    result = record(directory, ["/usr/bin/python3", "-c", script])
    expect_equal(result.stdout, b"3000001\n", "what the program received")
    found = result.messages().delivered("tcp")
    expect_equal(sum(m["bytes"] for m in found), 3000001, "bytes in messages")
    expect_equal({m["match"] for m in found}, {"exact"}, "how sure the pairing is")


@scenario("two writers of one pipe: what is called exact is right")
def two_writers(directory):
    script = "(for i in $(seq 300); do echo a$i; done & for i in $(seq 300); do echo b$i; done; wait) | cat"
    result = record(directory, ["bash", "-c", script])
    expect_equal(
        sorted(result.stdout.split()),
        sorted(f"{w}{i}".encode() for w in "ab" for i in range(1, 301)),
        "what cat printed",
    )
    trace = result.trace
    for message in result.messages().delivered("pipe"):
        if message["match"] == "exact":
            sent, received = (
                trace.operation(message[side]["op"]).get("payload", "")[message[side]["offset"] :][
                    : message["bytes"]
                ]
                for side in ("sent", "received")
            )
            size = min(len(sent), len(received))
            expect_equal(sent[:size], received[:size], f"the bytes of both sides of {message}")


@scenario("a shell script of everything at once")
def everything(directory):
    words = [
        "fifo",
        "sysvq",
        "posixq",
        "unixstream",
        "unixdgram",
        "seqpacket",
        "udp",
        "tcp6",
        "eventfd",
        "vio",
        "dupfork",
        "threads",
        "signals",
        "pidfdsignal",
    ]
    script = " & ".join(shlex.join(lab(word)) for word in words) + " & wait"
    result = record(directory, ["sh", "-c", script])
    kinds = {m["mechanism"] for m in result.messages()}
    expect_equal(
        kinds,
        {
            "pipe",
            "fifo",
            "sysv-msg",
            "posix-mq",
            "unix-stream",
            "unix-dgram",
            "unix-seqpacket",
            "udp",
            "tcp",
            "eventfd",
            "signal",
        },
        "every mechanism",
    )
    picture = result.view(columns=800)  # room for a lane each
    expect(all(kind in picture for kind in kinds - {"signal"}), "is in the picture", picture)


if __name__ == "__main__":
    main()
