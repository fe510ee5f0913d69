#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Two machines, as network namespaces: who talks to whom over the wire between them."""
import os
import subprocess

from expectations import expect_equal, expect_row
from findings import faults
from harness import lab, main, record, scenario
from truth import compare

HOSTS = ("10.77.0.1", "10.77.0.2")


def ip(*words):
    subprocess.run(["ip", *words], check=True)


class Machines:
    """Two network namespaces with a wire between them; each knows one address of each."""

    def __init__(self, name):
        self.names = [f"ipclens-{name}-{os.getpid()}-{i}" for i in range(2)]

    def __enter__(self):
        for name in self.names:
            ip("netns", "add", name)
        ends = ["name", "wire", "netns", self.names[1]]
        ip("link", "add", "wire", "netns", self.names[0], "type", "veth", "peer", *ends)
        for name, host in zip(self.names, HOSTS):
            ip("-n", name, "addr", "add", f"{host}/24", "dev", "wire")
            ip("-n", name, "link", "set", "wire", "up")
        return self.names

    def __exit__(self, *_):
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name], check=False)


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
    with Machines("two") as (client, server):
        result = record(directory, lab("machines", client, server, HOSTS[1]))
    check_talk(result)
    expect_equal(faults(result.trace_path), [], "nothing is wrong")
    picture = result.view(columns=240)
    for words in ("a question over TCP", "an answer over TCP", "a question over UDP"):
        expect_row(picture, words)


@scenario("two pairs of machines with the same addresses: no talk crosses from one to the other")
def twins(directory):
    script = '"$0" $1 $2 $5 & "$0" $3 $4 $5; wait'
    with Machines("one") as one, Machines("other") as other:
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


main()
