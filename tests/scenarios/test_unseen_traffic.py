#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What passes no system call of its own: nothing that rests on its absence is said for certain."""
import json
import os
import struct
import subprocess
import sys

import ways
from expectations import expect, expect_equal, expect_row
from harness import finish, lab, main, record, scenario, start, start_record, wait_for
from traces import IPCLENS, call

PROGRAM = os.path.abspath(ways.__file__)
KINDS = ["pipe", "unix-stream", "unix-dgram", "unix-seqpacket", "tcp", "udp"]


def missing_here():
    """Some machines allow no rings."""
    try:
        os.close(ways.Ring().fd)
        return False
    except OSError:
        return True


def traced(directory, *arguments, options=(), status=0):
    """Nothing was lost; but bytes that nobody here took or sent are missing, and gaps tell so."""
    command = [sys.executable, PROGRAM, *arguments]
    result = record(directory, command, *options, status=status, whole=False)
    expect_equal(result.trace.lost(), 0, "nothing is lost")
    return result


def truth_of(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


def of_fds(result, kind, fds):
    return [
        m
        for m in result.messages().of(kind)
        if any(m[side] and m[side]["fd"] in fds for side in ("sent", "received"))
    ]


def matches_of(result, kind, line):
    """How certain it is who sent what one read received."""
    received = [m for m in of_fds(result, kind, [line["fd"]]) if m["received"]]
    expect_equal([m["bytes"] for m in received], [len(line["received"])], "it is received")
    return [m["match"] for m in received]


def calls_of(result, fd):
    roles = ("send", "receive")
    return [
        op["id"]
        for op in result.trace.operations()
        if op.get("fd") == fd and op["role"] in roles
    ]


def check_used(result, kind, fds):
    """ways.meet(): the first and third write were taken unseen, and the last; one read took what
    was sent unseen."""
    writes, reads = (calls_of(result, fd) for fd in fds)
    truth = {(writes[1], reads[0]), (writes[3], reads[1])}
    found = of_fds(result, kind, fds)
    expect(found, "there are messages of it")
    for m in found:
        pair = tuple(m[side] and m[side]["op"] for side in ("sent", "received"))
        expect(m["match"] == "ambiguous" or pair in truth, "nothing is certain but truth", m)


def findings_of(result):
    found = call([IPCLENS, "diagnose", "--json", result.trace_path], check=False).stdout
    lines = [json.loads(line) for line in found.splitlines()]
    return [line for line in lines if line["type"] == "finding"]


# By their sequence numbers, or by the kernel's buffers.
NAMED = ("tcp", "unix-dgram", "unix-seqpacket")


def check_kind(directory, way, kind):
    os.mkdir(directory)
    result = traced(directory, way, kind)
    early, beside, used = truth_of(result)
    check_used(result, kind, used["used"])
    expect_equal(matches_of(result, kind, early), ["exact"], "before it, all is certain")
    expect_equal(
        matches_of(result, kind, beside),
        ["exact" if way == "aio" or kind in NAMED else "ambiguous"],
        "aio tells of its objects, a ring of its holder",
    )
    expect_equal(findings_of(result), [], "nobody is accused")
    told = {line["what"] for line in result.trace.of("unseen")}
    expect_equal(told, {"aio" if way == "aio" else "io-uring"}, "it is announced")


def check_way(directory, way):
    for kind in KINDS:
        if way != "aio" and missing_here():
            return
        check_kind(os.path.join(directory, kind), way, kind)


@scenario("what io_uring moves leaves nothing certain of what it may have moved")
def uring(directory):
    check_way(directory, "uring")


@scenario("nor what it moves without any call")
def sqpoll(directory):
    if missing_here():
        return
    check_kind(os.path.join(directory, "pipe"), "sqpoll", "pipe")


@scenario("nor what aio moves, of the objects that it used alone")
def aio(directory):
    check_way(directory, "aio")


@scenario("who answers by io_uring alone is not called outside for certain, nor never accepting")
def accepted(directory):
    if missing_here():
        return
    result = traced(directory, "accept")
    matches = {m["match"] for m in result.messages().of("tcp")}
    expect_equal(matches, {"ambiguous"}, "nobody knows who it was")
    expect_equal(findings_of(result), [], "nobody is accused")


@scenario("who waits for what a ring may write is told of, and not accused")
def waiting(directory):
    if missing_here():
        return
    result = traced(directory, "wait", options=["--timeout", "1"], status=124)
    waits = truth_of(result)[0]["waits"]
    found = [f for f in findings_of(result) if f["processes"][0] == waits]
    expect_equal({f["severity"] for f in found}, {"note"}, "it is worth knowing, and no fault")


@scenario("a ring that was there before -p joined, and needs no call, is told of")
def joined(directory):
    if missing_here():
        return
    command = [sys.executable, PROGRAM, "joined"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        pid = json.loads(program.stdout.readline())["pid"]
        trace = os.path.join(directory, "trace.ndjson")
        tracer = start(directory, [IPCLENS, "record", "-p", str(pid), "-o", trace])
        wait_for(lambda: b"tracing" in tracer.stderr, "ipclens to join")
        program.stdin.write(b"\n")
        program.stdin.flush()
        used = json.loads(program.stdout.readline())["used"]
    result = finish(tracer.wait(), 0, whole=False)
    found = of_fds(result, "pipe", used)
    expect(found, "there are messages of it")
    expect_equal({m["match"] for m in found}, {"ambiguous"}, "none of it is certain")


OTHER_SOCKETS = """
import socket
def talk(protocol):
    a, b = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM, protocol) for _ in "ab")
    a.bind(("127.0.0.1", 0)); b.sendto(b"hello", a.getsockname()); print(a.recv(9).decode())
try: socket.socket(socket.AF_VSOCK, 99)
except OSError: talk(socket.IPPROTO_UDP)
if {other}: talk(socket.IPPROTO_UDPLITE)
"""


@scenario("a socket of a kind that is not traced is announced once; one that was refused, or UDP, is not")
def other_sockets(directory):
    for other in (False, True):
        place = os.path.join(directory, str(other))
        os.mkdir(place)
        result = record(place, ["/usr/bin/python3", "-c", OTHER_SOCKETS.format(other=other)])
        expect_equal(result.stdout, b"hello\n" * (1 + other), "all was received")
        expect_equal([u["what"] for u in result.trace.of("unseen")], ["socket"] * other, "told")
        found = [m["match"] for m in result.messages().of("udp")]
        expect_equal(found, ["exact"], "the others are as exact as without")
        expect_equal("a kind that is not traced" in result.view(), other, "the picture tells")


NOT_HERE = 77  # of the lab: this machine has no 32-bit calls


def outcome(directory):
    """The lab of 32-bit calls, and the process that made them; None where the machine has none."""
    result = start_record(directory, lab("compat")).wait()
    if result.status == NOT_HERE:
        return None
    finish(result, 0, whole=False)
    sends = [t for t in result.truth if t["do"] == "send" and t["channel"] == "32-bit"]
    return result, sends[0]["pid"]


def runs_32_bit(directory):
    """Whether the machine runs a program for i386: it calls exit(0), by the ELF header alone."""
    code = bytes.fromhex("31c04031dbcd80")  # xor eax, eax; inc eax; xor ebx, ebx; int 0x80
    start_at, headers = 0x08048000, 52 + 32
    size = headers + len(code)
    elf = b"\x7fELF\1\1\1" + bytes(9) + struct.pack(
        "<HHIIIIIHHHHHH", 2, 3, 1, start_at + headers, 52, 0, 0, 52, 32, 1, 0, 0, 0)
    elf += struct.pack("<IIIIIIII", 1, 0, start_at, start_at, size, size, 5, 0x1000) + code
    path = os.path.join(directory, "i386")
    with open(path, "wb") as file:
        file.write(elf)
    os.chmod(path, 0o755)
    try:
        return subprocess.run([path], check=False).returncode == 0
    except OSError:  # ENOEXEC: the kernel knows no such programs
        return False


@scenario("who makes 32-bit calls is said; what they sent and took is from nobody for certain")
def compat(directory):
    made = outcome(directory)
    expect_equal(bool(made), runs_32_bit(directory), "they are made where i386 programs run")
    if not made:
        return
    result, sender = made
    told = {(line["pid"], line["what"]) for line in result.trace.of("unseen")}
    expect((sender, "32-bit") in told, "it is announced", told)
    found = result.messages()
    for line in result.truth:
        if line["pid"] == sender and line["do"] == "send":
            came = [m for m in found.of(line["mechanism"]) if m["to"] and not m["from"]]
            expect_equal(
                [(m["bytes"], m["match"]) for m in came],
                [(line["bytes"], "ambiguous")],
                f"{line['mechanism']}: what the parent received",
            )
        elif line["pid"] == sender and line["do"] == "receive":
            went = [m for m in found.of(line["mechanism"]) if m["from"] and not m["to"]]
            expect_equal(
                [(m["bytes"], m["match"]) for m in went],
                [(line["bytes"], "ambiguous")],
                f"{line['mechanism']}: what the parent sent",
            )
    expect_equal(
        [f for f in findings_of(result) if f["severity"] != "note"], [], "nobody is accused"
    )
    expect_row(result.view(), f"[{sender}]", "32-bit")


if __name__ == "__main__":
    main()
