#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Sockets: unix stream, dgram and seqpacket, TCP and UDP over IPv4 and IPv6, the vectored calls."""
import os
import re
import subprocess

from expectations import expect, expect_equal, expect_row
from findings import faults
from harness import lab, main, record, run, scenario, start_record, wait_for
from servers import ask_echo
from traces import blob, call, mechanism_of
from truth import compare


def channel_pair(trace, message):
    return (
        trace.channel(trace.operation(message["sent"]["op"])["channel"]),
        trace.channel(trace.operation(message["received"]["op"])["channel"]),
    )


def check_peers(trace, found):
    """Both ends of a unix connection name each other."""
    for message in found:
        sender, receiver = channel_pair(trace, message)
        expect_equal(
            blob(sender["peer"]), blob(receiver["id"]), "the sender's peer is the receiver"
        )
        expect_equal(blob(receiver["peer"]), blob(sender["id"]), "and the other way round")


@scenario("a unix stream by path: question, half-close, answer")
def unix_stream_path(directory):
    result = record(directory, lab("unixstream", "path"))
    found = compare(result, "unix-stream")
    check_peers(result.trace, found)
    listening = [line for line in result.trace.of("channel") if line.get("listening")]
    expect(
        listening and re.fullmatch(r"/tmp/unixstream-\d+", listening[-1]["name"]),
        "the listening socket and its path",
        listening,
    )
    expect_equal(len(result.trace.operations(syscall="shutdown")), 1, "the half-close")
    expect_row(result.view(), "unix-stream")


@scenario("a unix stream by abstract name")
def unix_stream_abstract(directory):
    result = record(directory, lab("unixstream", "abstract"))
    check_peers(result.trace, compare(result, "unix-stream"))
    names = {line["name"] for line in result.trace.of("channel") if "name" in line}
    expect(
        any(re.fullmatch(r"@lab/unixstream-\d+", name) for name in names), "@ and the name", names
    )


@scenario("a unix stream by socketpair")
def unix_stream_pair(directory):
    result = record(directory, lab("unixstream", "pair"))
    check_peers(result.trace, compare(result, "unix-stream"))
    made = result.trace.one("operation", syscall="socketpair", state=None)
    expect_equal([fd["access"] for fd in made["new_fds"]], ["both", "both"], "two ends, both ways")


@scenario("unix datagrams: two senders, one receiver at a path, one of each empty")
def unix_dgram_path(directory):
    result = record(directory, lab("unixdgram", "path"))
    found = compare(result, "unix-dgram")
    expect_equal(sum(m["bytes"] == 0 for m in found), 2, "an empty datagram is a message")
    names = {channel_pair(result.trace, m)[1].get("name") for m in found}
    expect(
        len(names) == 1 and re.fullmatch(r"/tmp/unixdgram-\d+", names.pop()), "the receiver's path"
    )


@scenario("unix datagrams over a socketpair")
def unix_dgram_pair(directory):
    result = record(directory, lab("unixdgram", "pair"))
    compare(result, "unix-dgram")


@scenario("unix sequenced packets: borders kept, and an end")
def seqpacket(directory):
    result = record(directory, lab("seqpacket"))
    found = compare(result, "unix-seqpacket")
    check_peers(result.trace, found)
    expect_row(result.view(), "EOF")


def check_udp(directory, family, host):
    result = record(directory, lab("udp", family))
    found = compare(result, "udp")
    trace = result.trace
    expect_equal(sum(m["bytes"] == 0 for m in found), 1, "the empty datagram is a message")
    for message in found:
        sender, receiver = channel_pair(trace, message)
        for channel in (sender, receiver):
            expect(
                channel["local_address"].startswith(host + ":"),
                f"its address is of {host}",
                channel,
            )
        received = trace.operation(message["received"]["op"])
        expect_equal(
            received["peer_address"], sender["local_address"], "who the kernel says sent it"
        )
    expect_row(result.view(), "udp")


@scenario("UDP over IPv4: unconnected, connected, empty, and an answer")
def udp4(directory):
    check_udp(directory, 4, "127.0.0.1")


@scenario("UDP over IPv6: unconnected, connected, empty, and an answer")
def udp6(directory):
    check_udp(directory, 6, "[::1]")


def check_addresses(trace, found, host):
    """Each end's own address is the other's peer address."""
    for message in found:
        sender, receiver = channel_pair(trace, message)
        expect_equal(
            (sender["local_address"], sender["peer_address"]),
            (receiver["peer_address"], receiver["local_address"]),
            "the ends' addresses",
        )
        expect(sender["local_address"].startswith(host + ":"), f"addresses of {host}", sender)


@scenario("TCP over IPv6: pieces joined, half-close, answer")
def tcp6(directory):
    result = record(directory, lab("tcp6"))
    found = compare(result, "tcp")
    check_addresses(result.trace, found, "[::1]")
    for syscall in ("bind", "listen", "connect", "shutdown"):
        expect_equal(len(result.trace.operations(syscall=syscall)), 1, f"{syscall} is there")
    expect_row(result.view(), "tcp")
    expect_row(result.view(), "EOF")


@scenario("MPTCP: between two of its sockets, and from and to one of plain TCP")
def mptcp(directory):
    known = os.path.exists("/proc/sys/net/mptcp/enabled")
    for ends in (("mptcp", "mptcp"), ("mptcp", "tcp"), ("tcp", "mptcp")) if known else ():
        place = os.path.join(directory, "-".join(ends))
        os.mkdir(place)
        result = record(place, lab("tcp6", *ends))
        check_addresses(result.trace, compare(result, "tcp"), "[::1]")
        made = result.trace.one("operation", syscall="accept", state=None)
        expect_equal(len(made["new_fds"]), 1, "the accepted connection")
        expect_equal(faults(result.trace_path), [], "nothing is wrong")


def http_bytes(truth):
    request = b"".join(t["text"].encode("latin-1") for t in truth if t.get("channel") == "request")
    sizes = {
        word: sum(t["bytes"] for t in truth if t.get("channel") == word)
        for word in ("request", "response")
    }
    return request, sizes


@scenario("the HTTP echo server on port 6789, asked by curl: both sides of the conversation")
def httpecho_curl(directory):
    result = run(directory, ["sh", "-c", ask_echo(directory, 6789, "--header", "X-Lens: yes")])
    expect(b"X-Lens: yes" in result.stdout, "the page shows the request", result.stdout)
    trace = result.trace
    request, sizes = http_bytes(result.truth)
    server = next(t["pid"] for t in result.truth if t.get("channel") == "request")
    client = trace.pid_of("curl")
    found = result.messages().delivered("tcp")
    for ends, word in (((client, server), "request"), ((server, client), "response")):
        one_way = [m for m in found if (m["from"]["pid"], m["to"]["pid"]) == ends]
        expect_equal(sum(m["bytes"] for m in one_way), sizes[word], f"bytes of the {word}")
        expect_equal({m["match"] for m in one_way}, {"exact"}, "how sure the pairing is")
    check_addresses(trace, found, "127.0.0.1")
    first = trace.operation(found[0]["sent"]["op"])
    expect_equal((first["pid"], blob(first["payload"])), (client, request[:64]), "curl's request")
    addresses = {
        blob(op["peer_address"])
        for op in trace.operations(syscall="connect", pid=client)
        if mechanism_of(trace, op) == "tcp"
    }
    expect_equal(addresses, {b"127.0.0.1:6789"}, "curl connected to port 6789")
    picture = result.stderr.decode()
    expect_row(picture, "httpecho", "curl")
    expect_row(picture, "tcp", f"{sizes['response']}")


@scenario("the HTTP echo server alone, asked from outside the trace")
def httpecho_alone(directory):
    traced = start_record(directory, lab("httpecho", 0, 2))
    try:
        wait_for(lambda: traced.stdout.endswith(b"\n"), "the server's address")
        for _ in range(2):
            answer = call(["curl", "--silent", "--max-time", "20", traced.stdout.decode().strip()])
            expect(b"Your request was" in answer.stdout, "an answer came", answer.stdout)
        traced.wait()
    finally:
        if traced.process.poll() is None:
            traced.process.send_signal(subprocess.signal.SIGINT)
            traced.wait()
    expect_equal(traced.status, 0, "exit status")
    _, sizes = http_bytes(traced.truth)
    found = traced.messages().of("tcp")
    inward = [m for m in found if m["from"] is None]
    outward = [m for m in found if m["to"] is None]
    expect_equal(len(inward) + len(outward), len(found), "one side of each is outside")
    expect_equal(sum(m["bytes"] for m in inward), sizes["request"], "bytes that came from outside")
    expect_equal(sum(m["bytes"] for m in outward), sizes["response"], "bytes that went outside")
    expect_equal(len({m["channel"] for m in found}), 2, "two connections")


@scenario("writev, readv, pwritev2, preadv2, sendmsg and recvmsg with a descriptor, sendmmsg, recvmmsg")
def vio(directory):
    result = record(directory, lab("vio"))
    trace = result.trace
    compare(result, "pipe")
    found = compare(result, "unix-dgram")
    many = [m for m in found if trace.operation(m["sent"]["op"])["syscall"] == "sendmmsg"]
    expect_equal([m["bytes"] for m in many], [13, 3, 9], "three messages by one call, in order")
    expect_equal(
        {trace.operation(m["received"]["op"])["syscall"] for m in many},
        {"recvmmsg"},
        "and received by one call",
    )
    for syscall in ("sendmmsg", "recvmmsg"):
        op = trace.one("operation", syscall=syscall, state=None)
        expect_equal((op["returned"], op["lengths"]), (3, [13, 3, 9]), f"{syscall}'s messages")
    gathered = {
        syscall: blob(trace.one("operation", syscall=syscall, state=None)["payload"])
        for syscall in ("writev", "readv", "pwritev2", "preadv2", "sendmsg", "recvmsg")
    }
    expect_equal(
        gathered,
        {
            "writev": b"scattered",
            "readv": b"scattered",
            "pwritev2": b"with flags",
            "preadv2": b"with flags",
            "sendmsg": b"take this",
            "recvmsg": b"take this",
        },
        "the parts are put together",
    )
    flags = {trace.one("operation", syscall=s, state=None)["flags"] for s in ("pwritev2", "preadv2")}
    expect_equal(flags, {os.RWF_NOWAIT}, "how they were asked")
    for action, syscall in (("send", "sendmsg"), ("receive", "recvmsg")):
        passed = [
            t["fd"]
            for t in result.truth
            if t["do"] == action and "fd" in t and t["mechanism"] == "unix-dgram"
        ]
        expect_equal(
            trace.one("operation", syscall=syscall, state=None)["fds"],
            passed,
            f"the descriptor passed, in the numbers of {syscall}'s process",
        )


@scenario("a connection to where nobody listens is refused")
def refused(directory):
    script = (
        "import socket\ns=socket.socket()\ns.bind(('127.0.0.1',0))\na=s.getsockname()\ns.close()\n"
        "try: socket.create_connection(a)\nexcept ConnectionRefusedError: print('%s:%d' % a)\n"
    )
    result = record(directory, ["/usr/bin/python3", "-c", script])
    op = result.trace.operations(syscall="connect")[-1]
    expect_equal((op["returned"], op["error"]), (-111, "ECONNREFUSED"), "the refusal")
    expect_equal(op["peer_address"], result.stdout.decode().strip(), "where to")


if __name__ == "__main__":
    main()
