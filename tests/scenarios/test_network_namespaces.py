#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Two machines, as network namespaces: who talks to whom over the wire between them."""
import os
import shutil
import subprocess

from expectations import expect_equal, expect_row
from findings import faults
from harness import lab, main, record, scenario
from networks import Machines, inside, ip, wire
from truth import compare

HOSTS = ("10.77.0.1", "10.77.0.2")


class Two(Machines):
    """Two network namespaces with a wire between them; each knows one address of each."""

    def __init__(self, name):
        super().__init__(f"{name}-0", f"{name}-1")

    def connect(self):
        wire("wire", *zip(self.names, HOSTS))


def check_talk(result):
    networks = set()
    for mechanism in ("tcp", "udp"):
        for message in compare(result, mechanism):
            for side in ("sent", "received"):
                op = result.trace.operation(message[side]["op"])
                networks.add(result.trace.channel(op["channel"])["network"])
    expect_equal(len(networks), 2, "of two network namespaces")


@scenario("two machines: TCP and UDP from one network namespace to another, both ends named")
def machines(directory):
    with Two("two") as (client, server):
        result = record(directory, lab("machines", client, server, HOSTS[1]))
    check_talk(result)
    expect_equal(faults(result.trace_path), [], "nothing is wrong")
    picture = result.view(columns=240)
    for words in ("a question over TCP", "an answer over TCP", "a question over UDP"):
        expect_row(picture, words)


@scenario("two pairs of machines with the same addresses: no talk crosses from one to the other")
def twins(directory):
    script = '"$0" $1 $2 $5 & "$0" $3 $4 $5; wait'
    with Two("one") as one, Two("other") as other:
        words = [*lab("machines"), *one, *other, HOSTS[1]]
        result = record(directory, ["sh", "-c", script, *words])
    of_process = {}
    for message in result.messages().delivered("tcp") + result.messages().delivered("udp"):
        expect_equal(message["match"], "exact", "no doubt")
        of_process.setdefault(message["from"]["pid"], set()).add(message["to"]["pid"])
    expect_equal(sorted(len(to) for to in of_process.values()), [1, 1, 1, 1], "one partner each")
    expect_equal(
        {pid: partner for pid, (partner,) in of_process.items()},
        {partner: pid for pid, (partner,) in of_process.items()},
        "and each is the other's",
    )
    expect_equal(
        len(result.messages().delivered("tcp") + result.messages().delivered("udp")),
        len([line for line in result.truth if line["do"] == "send"]),
        "all that was sent",
    )
    expect_equal(faults(result.trace_path), [], "nothing is wrong")


ROUTES = (("0", "10.78.0.2"), ("1", "10.79.0.2"))

SERVER = """
import os, socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.79.0.2", 5300))
os.write(1, b".")
os.close(1)
for _ in range(int(sys.argv[1])):
    text, client = s.recvfrom(100)
    s.sendto(b"re " + text, client)
"""

CLIENT = """
import os, socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(int(sys.argv[1])):
    text = b"%d of %d" % (i, os.getpid())
    s.sendto(text, ("10.78.0.1", 7000))
    assert s.recv(100) == b"re " + text
"""

RULES = """
table ip translation {
    chain before {
        type nat hook prerouting priority -100
        ip daddr 10.78.0.1 udp dport 7000 dnat to 10.79.0.2:5300
    }
    chain behind {
        type nat hook postrouting priority 100
        oifname wire1 masquerade
    }
}
"""


class Translated(Machines):
    """A client and a server, and between them a router that gives both other addresses."""

    def __init__(self):
        super().__init__("nat-router", "nat-0", "nat-1")

    def __enter__(self):
        return super().__enter__()[1:]

    def connect(self):
        router, *hosts = self.names
        for (number, host), name in zip(ROUTES, hosts):
            gate = host[:-1] + "1"
            wire(f"wire{number}", (router, gate), (name, host))
            ip("-n", name, "route", "add", "default", "via", gate)
        subprocess.run(inside(router, "sysctl", "-qw", "net.ipv4.ip_forward=1"), check=True)
        subprocess.run(inside(router, "nft", "-f", "-"), check=True, input=RULES.encode())


def translated_talk(directory, *options):
    script = (
        'mkfifo "$3"; ip netns exec $2 python3 -c "$SERVER" 10 > "$3" & read -r x < "$3";'
        'for i in 1 2; do ip netns exec $1 python3 -c "$CLIENT" 5 & done; wait'
    )
    environment = {"SERVER": SERVER, "CLIENT": CLIENT}
    with Translated() as names:
        words = ["sh", "-c", script, "sh", *names, os.path.join(directory, "ready")]
        return record(directory, words, *options, environment=environment)


def check_texts(result):
    """What is called exact is right, and nothing is said to be outside for certain."""
    messages = result.messages().of("udp")
    for message in messages:
        if message["match"] == "exact":
            expect_equal(bool(message["sent"] and message["received"]), True, f"both: {message}")
            texts = [
                result.trace.operation(message[side]["op"])["payload"]
                for side in ("sent", "received")
            ]
            expect_equal(texts[0], texts[1], "what was sent was received")
    return messages


@scenario("two machines behind address translation: no datagram is said to go outside for certain")
def translated(directory):
    if not shutil.which("nft"):
        return
    check_texts(translated_talk(directory))


@scenario("two machines behind address translation, buffers followed: each datagram is paired")
def translated_buffers(directory):
    if not shutil.which("nft"):
        return
    messages = check_texts(translated_talk(directory, "--buffers"))
    pairs = [message for message in messages if message["sent"] and message["received"]]
    expect_equal(len(pairs) >= 10, True, f"those to the server at least: {len(pairs)}")


main()
