#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""UDP to a group and to all, over loopback: who got it is told, or in doubt, never denied."""
import json

from expectations import expect, expect_equal
from harness import main, record, scenario
from traces import stats

# Two sockets of one port, each with a process; prints what each call sent and received.
PROGRAM = r"""
import json, os, socket, struct, sys
GROUP, LOOPBACK = map(socket.inet_aton, ("239.7.7.7", "127.0.0.1"))
def open_socket(port):
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    one.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, LOOPBACK)
    member = struct.pack("4s4s", GROUP, LOOPBACK)
    one.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
    one.bind(("", port))
    return one
first = open_socket(0)
port = first.getsockname()[1]
sockets = [first, open_socket(port)]
sender = open_socket(0)
def note(do, text):
    line = {"do": do, "pid": os.getpid(), "text": text.decode()}
    os.write(1, json.dumps(line).encode() + b"\n")
def send(text, host):
    sender.sendto(text, (host, port))
    note("send", text)
def receive(one, times):
    for _ in range(times):
        note("receive", one.recv(100))
for i, host in enumerate(sys.argv[1:]):
    send(b"word %d" % i, host)
for one in sockets:
    if os.fork() == 0:
        one.setblocking(False)
        try:
            receive(one, 100)
        except BlockingIOError:
            os._exit(0)
    os.wait()
"""

GROUP, EVERYBODY, ONE = "239.7.7.7", "127.255.255.255", "127.0.0.1"


def play(directory, hosts, *options):
    """The messages as (receiver, sent word), what the processes say of these, and the trace."""
    output = f"{directory}/said"
    script = f'exec /usr/bin/python3 -c "$0" "$@" >{output}'
    result = record(directory, ["sh", "-c", script, PROGRAM, *hosts], *options)
    with open(output, encoding="ascii") as file:
        said = [json.loads(line) for line in file]
    sends = [op["id"] for op in result.trace.operations(syscall="sendto")]
    found = [m for m in result.messages() if m["mechanism"] == "udp"]
    got = [
        (m["to"]["pid"], f"word {sends.index(m['sent']['op'])}")
        for m in found
        if m["sent"] and m["to"]
    ]
    heard = [(line["pid"], line["text"]) for line in said if line["do"] == "receive"]
    return result, found, got, heard


def books_balance(result, sends):
    total = next(line for line in stats(result.trace_path) if line["type"] == "total")
    expect(total["bytes"]["balances"], "bytes balance", total)
    expect(total["bytes"]["delivered"] > sends * len("word 0"), "each copy counts", total)


@scenario("UDP to a group and to all: each that got it is told, the second one as in doubt")
def both(directory):
    result, found, got, heard = play(directory, [GROUP, EVERYBODY])
    expect_equal(len(heard), 4, "both heard both")
    expect_equal(sorted(got), sorted(heard), "who got what")
    expect_equal(sorted(m["match"] for m in found), ["ambiguous"] * 2 + ["exact"] * 2, "how sure")
    books_balance(result, 2)
    words = {
        line["kind"]["receivers"]["is"]
        for line in stats(result.trace_path)
        if line["type"] == "channel" and "receivers" in line.get("kind", {})
        and line["mechanism"] == "udp"
    }
    expect_equal(words, {"broadcast"}, "what it was")


@scenario("the same where the kernel's buffers are followed: all is exact")
def followed(directory):
    result, found, got, heard = play(directory, [GROUP, EVERYBODY, GROUP], "--buffers")
    expect_equal(sorted(got), sorted(heard), "who got what")
    expect_equal({m["match"] for m in found}, {"exact"}, "how sure")
    books_balance(result, 3)


@scenario("a message to one behind one to a group, of the same length and without payload")
def mixed(directory):
    hosts = [GROUP, ONE, EVERYBODY, ONE, ONE, GROUP]
    _, found, got, heard = play(directory, hosts, "--payload=0")
    expect_equal(len(heard), 9, "three to both, three to one")
    for message in found:
        expect(message["sent"] and message["to"], "nothing came from elsewhere", message)
    wrong = [m for m, pair in zip(found, got) if m["match"] == "exact" and pair not in heard]
    expect_equal(wrong, [], "what is called exact is right")
    expect("exact" in {m["match"] for m in found}, "and something is", found)


if __name__ == "__main__":
    main()
