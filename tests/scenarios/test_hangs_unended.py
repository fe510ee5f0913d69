#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Programs that wait for each other, as the end of a line or of a head of HTTP was not sent: told
with what was read; and twins whose texts are whole."""
from expectations import expect, expect_equal, expect_in
from findings import diagnose, severe
from hangs import PYTHON, expect_named, named_parties, traced
from harness import each_in_place, main, run, scenario

MAY_RUN_BESIDE_OTHERS = True

# The server reads lines up to LAST, and then answers.
TALK = r"""
import os, socket
here, there = SOCKETS
os.write(2, b"client=%d\n" % os.getpid())
if os.fork() == 0:
    here.close(); os.write(2, b"server=%d\n" % os.getpid())
    lines = there.makefile("rb")
    while lines.readline() != LAST: pass
    there.sendall(ANSWER); MORE; os._exit(0)
there.close()
here.sendall(TEXT)
here.recv(100)
THEN
os.wait()
"""
PAIR = "socket.socketpair()"
TCP = """(lambda s: (socket.create_connection(s.getsockname()), s.accept()[0]))(
    socket.create_server(("127.0.0.1", 0)))"""
COPROC = r"""
coproc { PROGRAM; }
echo "client=$$" >&2; echo "server=$COPROC_PID" >&2
printf 'hello' >&"${COPROC[1]}"
read -r line <&"${COPROC[0]}"
"""
GET = r'b"GET / HTTP/1.1\r\nHost: x\r\nEND"'
LINE = "without an end of line; it has sent nothing since, and reads on"
HEAD = "of the head of an HTTP message, and no empty line, which ends it; it reads on"


def talk(sockets, text, last, answer='b"ok\\n"', more="pass", then="pass"):
    words = {"SOCKETS": sockets, "TEXT": text, "LAST": last, "ANSWER": answer, "MORE": more,
             "THEN": then}  # fmt: skip
    program = TALK
    for word, value in words.items():
        program = program.replace(word, value)
    return [PYTHON, "-c", program]


def of_bash(program):
    return ["bash", "-c", COPROC.replace("PROGRAM", program)]


# Each: the program, who reads on, what is told, and the remedy.
UNENDED = {
    "line": (talk(PAIR, 'b"quit"', r'b"quit\n"'), "server", f'there is "quit", {LINE}', '"\\n"'),
    "second line": (talk(TCP, r'b"user x\nquit"', r'b"quit\n"'), "server",
                    f'there is "quit", {LINE}', '"\\n"'),
    "answer": (talk(PAIR, r'b"quit\n"', r'b"quit\n"', 'b"o"', "there.recv(1)",
                    'here.makefile("rb").readline()'),
               "client", f'there is "o", {LINE}', '"\\n"'),
    "head": (talk(TCP, GET.replace("END", ""), r'b"\r\n"'), "server",
             f"has read 25 B {HEAD}", "empty line"),
    "line of bash": (of_bash("read -r line; echo $line"), "server",
                     f'there is "hello", {LINE}', "close the pipe to the child's"),
}  # fmt: skip


@scenario("who waits for the end of a line or of a head that was not sent is told with what was read")
def unended(directory):
    for name, (command, reader, words, remedy), place in each_in_place(directory, UNENDED):
        said, findings, result = traced(place, command)
        parties = named_parties(result)
        found = expect_named(findings, "deadlock", set(parties.values()))
        text = "\n".join(found["evidence"])
        expect_in(words, text, name)
        expect_in(f"[{parties[reader]}]", next(s for s in found["evidence"] if words in s), name)
        expect_in(words, said, f"{name}: run says so")
        expect_in(remedy, found["advice"], name)


# They wait for each other, and what came last was whole, or is no text.
OTHERWISE = {
    "whole line": talk(PAIR, r'b"quit\n"', r'b"quit\n"', more="there.recv(1)",
                       then="here.recv(100)"),
    "no text": talk(PAIR, r'b"\1\2\3\4"', r'b"quit\n"'),
    "whole head": talk(TCP, GET.replace("END", r"\r\n"), r'b"\r\n"', more="there.recv(1)",
                       then="here.recv(100)"),
}  # fmt: skip


@scenario("where the last line and head are whole, or no text came, nothing is told of their end")
def otherwise(directory):
    for name, command, place in each_in_place(directory, OTHERWISE):
        _, findings, result = traced(place, command)
        found = expect_named(findings, "deadlock", set(named_parties(result).values()))
        text = "\n".join(found["evidence"])
        expect("end of line" not in text and "HTTP message" not in text, name, text)


SOUND = {
    "line": talk(PAIR, r'b"quit\n"', r'b"quit\n"'),
    "head": talk(TCP, GET.replace("END", r"\r\n"), r'b"\r\n"'),
}


@scenario("a line and a head that are ended get their answer, and nothing is found wrong")
def sound(directory):
    for name, command, place in each_in_place(directory, SOUND):
        result = run(place, command, "--diagnose-only")
        expect_equal(severe(diagnose(result.trace_path)[0]), [], name)


if __name__ == "__main__":
    main()
