#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Talk with oneself and with the kernel, and what is lost or refused in bursts, is one row each."""
import os

from expectations import expect_equal, expect_row
from harness import main, record, scenario
from workloads import NOISY, TALK

LEFT = """
import os, socket
r, w = os.pipe()
os.write(w, b'*')
os.close(r)
os.close(w)
x, y = socket.socketpair()
x.send(b'*')
y.close()
x.close()
"""
BURSTS = """
import socket, sys
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
a = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
b = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
b.bind(sys.argv[1])
lost = refused = 0
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
    deaf.bind(('127.0.0.1', 0))
    while lost < 40:
        sender.sendto(b'lost', deaf.getsockname())
        lost += 1
b.close()
for _ in range(50):
    try:
        a.sendto(b'refused', sys.argv[1])
    except ConnectionRefusedError:
        refused += 1
print(lost, refused)
"""


def python(directory, text, *arguments):
    return record(directory, ["/usr/bin/python3", "-c", text, *arguments])


def rows(result, word, *options):
    picture = result.view("--width", "200", *options).replace("\u00a0", " ")
    return [line for line in picture.splitlines() if word in line and set(line) & set("│┝┥")]


@scenario("a self-pipe, an eventfd and netlink beside other talk: one row each, with its count")
def noise(directory):
    result = python(directory, NOISY + TALK)
    picture = result.view("--width", "200").replace("\u00a0", " ")
    for words in ("6× pipe with itself", "6 B"), ("5× eventfd with itself",), (
            "6× netlink with the kernel", "▣"):
        expect_row(picture, *words)
    for word in "pipe", "eventfd", "netlink":
        expect_equal(len(rows(result, f" {word} ")), 1, f"rows of {word}")
    expect_equal(len(rows(result, " pipe 1 B ", "--unfold")), 6, "each, if asked for")
    expect_equal(len(rows(result, " netlink ", "--mechanism", "netlink")), 6, "by a filter, too")
    for form in "svg", "mermaid", "plantuml":
        expect_row(result.view("--as", form), "5× eventfd with itself")


@scenario("what a process leaves in a pipe or pair of its own is no loss, where there is other talk")
def left(directory):
    result = python(directory, LEFT + TALK)
    picture = result.view("--width", "200").replace("\u00a0", " ")
    for mechanism in ("pipe", "unix-stream"):
        expect_row(picture, f"{mechanism} with itself", "1 never taken")
    expect_equal(rows(result, "thrown away"), [], "rows of loss")
    expect_equal(len(rows(result, "thrown away", "--unfold")), 2, "each, if asked for")


@scenario("what a process leaves in its own pipe is shown where nothing else is")
def left_alone(directory):
    result = python(directory, LEFT)
    expect_equal(len(rows(result, "thrown away")), 2, "what it is about")


@scenario("where there is no other talk, each message is shown")
def alone(directory):
    result = python(directory, NOISY)
    expect_equal(len(rows(result, " pipe 1 B ")), 6, "the self-pipe is what it is about")


@scenario("bursts of datagrams that nobody received, and of refused ones")
def bursts(directory):
    result = python(directory, BURSTS, os.path.join(directory, "socket"))
    lost, refused = map(int, result.stdout.split())
    expect_equal(len(rows(result, f"{lost}× udp 4 B")), 1, f"{lost} lost datagrams")
    picture = result.view("--width", "200")
    expect_row(picture, "sendto ECONNREFUSED", f"{refused} times")


if __name__ == "__main__":
    main()
