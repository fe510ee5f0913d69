#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What --no-args and --redact keep out of a trace, and that pairing is as exact without it."""
import os

from expectations import expect, expect_equal, expect_in
from harness import lab, main, record, scenario
from traces import blob, ipclens, one_error

# A server and a client by a path, another pair by an abstract name, a FIFO, a queue, a shared memory.
PROGRAM = """
import os, socket, sys
here = sys.argv[2]
for name in (here + "/SECRET-path", "\\0SECRET-abstract"):
    server = socket.socket(socket.AF_UNIX); server.bind(name); server.listen()
    client = socket.socket(socket.AF_UNIX); client.connect(name)
    peer, _ = server.accept()
    client.send(b"hello"); peer.recv(5)
end = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); end.bind(here + "/SECRET-datagram")
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"greetings", here + "/SECRET-datagram")
end.recvfrom(9)
os.mkfifo(here + "/SECRET-fifo")
both = os.open(here + "/SECRET-fifo", os.O_RDWR)
os.write(both, b"through"); os.read(both, 7)
os.unlink(here + "/SECRET-fifo")
"""


def command(directory):
    return ["/usr/bin/python3", "-c", PROGRAM, "SECRET-argument", directory]


def text_of(run):
    with open(run.trace.path, "rb") as file:
        return file.read()


def told(run, mechanism):
    return sorted((m["bytes"], m["match"]) for m in run.messages().of(mechanism))


@scenario("--no-args: no argument, no path and no abstract name; what was said, and its pairs, stay")
def no_args(directory):
    runs = {}
    for name, options in (("all", []), ("none", ["--no-args"])):
        folder = os.path.join(directory, name)
        os.mkdir(folder)
        runs[name] = record(folder, command(folder), *options)
    expect_in(b"SECRET", text_of(runs["all"]), "without the option it is there")
    for word in (b"SECRET", b"/usr/bin", os.fsencode(directory), b"import os"):
        expect(word not in text_of(runs["none"]), f"nothing of {word}")
    for mechanism in ("unix-stream", "unix-dgram", "fifo"):
        expect_equal(told(runs["none"], mechanism), told(runs["all"], mechanism), mechanism)
        expect_equal({match for _, match in told(runs["all"], mechanism)}, {"exact"}, mechanism)
    expect_in(b'"hello"', text_of(runs["none"]), "what was said is there")
    trace = runs["none"].trace
    names = {c["name"] for c in trace.of("channel") if "name" in c}
    bound = {o["peer_address"] for o in trace.operations() if o["syscall"] == "bind"}
    asked = {o["peer_address"] for o in trace.operations() if o["syscall"] == "connect"}
    expect_equal(len(bound), 3, "three names were bound")
    expect(asked < bound and bound < names, "equal names are equal", (names, bound, asked))
    expect_equal([n[:2] for n in names if n[0] == "@"], ["@~"], "an abstract one is told as such")


@scenario("--redact blanks what fits, with the same length, in payload, arguments and names")
def redact(directory):
    words = ["sh", "-c", "echo id=1 token=a1b2c3 end | cat; true", "--password", "hunter2"]
    options = ["--redact", "token=[0-9a-f]+", "--redact", "--password [^ ]+", "--redact", "7x"]
    run = record(directory, words, *options)
    for word in (b"a1b2c3", b"hunter2", b"--password"):
        expect(word not in text_of(run), f"nothing of {word}", text_of(run))
    kept = {blob(o["payload"]) for o in run.trace.operations() if "payload" in o}
    expect_in(b"id=1 " + b"*" * 12 + b" end\n", kept, "what is beside it is there")
    pairs = [(m["bytes"], m["match"]) for m in run.messages().of("pipe") if m["to"]]
    expect_in((22, "exact"), pairs, "and it is paired")
    expect_equal(run.trace.lines[0]["command"][3:], ["*" * 10, "*" * 7], "an option with its word")


@scenario("--redact sees bytes that are no text, and a pattern that is none is wrong usage")
def redact_bytes(directory):
    program = r"printf 'a\000SECRET\377\000SECRET' | cat"
    run = record(directory, ["sh", "-c", program], "--redact", "SEC[A-Z]*")
    kept = {blob(o["payload"]) for o in run.trace.operations() if "payload" in o}
    expect_in(b"a\0******\xff\0******", kept, "also behind a NUL")
    one_error(ipclens("record", "--redact", "a(", "--", "true"), 125, "--redact a(")
    one_error(ipclens("record", "--redact", "", "--", "true"), 125, "--redact")
    many = ["--redact", "a"] * 17
    one_error(ipclens("record", *many, "--", "true"), 125, "at most 16")


@scenario("--no-payload, --no-args together: neither what was said nor to whom by name")
def nothing(directory):
    run = record(directory, command(directory), "--no-payload", "--no-args")
    for word in (b"SECRET", b"hello", b"greetings", b"through", os.fsencode(directory)):
        expect(word not in text_of(run), f"nothing of {word}")
    expect(told(run, "unix-dgram"), "and messages are told")
    run.view()
    queue = record(directory, lab("posixq"), "--no-args")
    expect(b"posixq-" not in text_of(queue) and told(queue, "posix-mq"), "nor a queue's name")


if __name__ == "__main__":
    main()
