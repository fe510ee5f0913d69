#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""UDP to a group and to all, over loopback: who got it is told, never denied."""
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


@scenario("UDP to a group and to all: each that got it is told, and all is exact")
def both(directory):
    result, found, got, heard = play(directory, [GROUP, EVERYBODY, GROUP])
    expect_equal(len(heard), 6, "both heard all")
    expect_equal(sorted(got), sorted(heard), "who got what")
    expect_equal({m["match"] for m in found}, {"exact"}, "how sure")
    books_balance(result, 3)
    words = {
        line["kind"]["receivers"]["is"]
        for line in stats(result.trace_path)
        if line["type"] == "channel" and "receivers" in line.get("kind", {})
        and line["mechanism"] == "udp"
    }
    expect_equal(words, {"broadcast"}, "what it was")


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


# Two senders of the same words to three of a group, which read while more comes, and one socket
# with that port that is not of the group; each logs the order in which it heard whom.
CROWD = r"""
import os, socket, struct, sys
GROUP, LOOPBACK = map(socket.inet_aton, ("239.7.7.8", "127.0.0.1"))
TIMES, sockets = 400, []
for i in range(4):
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.setsockopt(socket.IPPROTO_IP, 49, 0)  # IP_MULTICAST_ALL
    one.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)  # SO_RCVBUFFORCE
    one.bind(("", sockets[0].getsockname()[1] if i else 0))
    if i < 3:
        member = struct.pack("4s4s", GROUP, LOOPBACK)
        one.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
    sockets.append(one)
port = sockets[0].getsockname()[1]
senders = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
for sender in senders:
    sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, LOOPBACK)
    sender.bind(("127.0.0.1", 0))
names = [sender.getsockname()[1] for sender in senders]
for one in sockets[:3]:
    if os.fork() == 0:
        heard = [names.index(one.recvfrom(9)[1][1]) for _ in range(2 * TIMES)]
        os.write(1, b"%d hears %s\n" % (os.getpid(), bytes(48 + i for i in heard)))
        os._exit(0)
for i, sender in enumerate(senders):
    if os.fork() == 0:
        os.write(1, b"%d is %d\n" % (os.getpid(), i))
        for _ in range(TIMES):
            sender.sendto(b"same", ("239.7.7.8", port))
        os._exit(0)
for sender in senders:
    sender.close()
for _ in range(5):
    os.wait()
"""


def crowd_truth(result):
    """(send, receive): each sender's words come in order, and each receiver's calls too."""
    calls = {}
    for op in result.trace.operations():
        if op["syscall"] in ("sendto", "recvfrom"):
            calls.setdefault(op["pid"], []).append(op["id"])
    lines = [line.split() for line in result.stdout.decode().splitlines()]
    senders = {who: calls[int(pid)] for pid, verb, who in lines if verb == "is"}
    truth = set()
    for pid, verb, heard in lines:
        turns = {who: iter(ids) for who, ids in senders.items()}
        if verb == "hears":
            truth |= {(next(turns[who]), op) for who, op in zip(heard, calls[int(pid)])}
    return truth


@scenario("each of a group that takes its own copy has it from its sender, whoever frees the data")
def crowd(directory):
    result = record(directory, ["/usr/bin/python3", "-c", CROWD], "--buffers", "--payload=0")
    found = [m for m in result.messages().of("udp") if m["sent"] and m["received"]]
    truth = crowd_truth(result)
    pairs = {(m["sent"]["op"], m["received"]["op"]) for m in found if m["match"] == "exact"}
    expect_equal(pairs - truth, set(), "what is called exact is right")
    expect_equal(truth - pairs, set(), "and all is exact")


GONE = r"""
import os, socket
box = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
box.bind(("127.0.0.1", 0))
port = 0
for word in (b"first", b"later"):
    if os.fork() == 0:
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.bind(("127.0.0.1", port))
        one.sendto(word, box.getsockname())
        one.sendto(word, box.getsockname())
        os._exit(0)
    os.wait()
for _ in range(2):
    port = box.recvfrom(9)[1][1]
if os.fork() == 0:
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.bind(("127.0.0.1", port))
    one.sendto(b"again", box.getsockname())
    os._exit(0)
os.wait()
for _ in range(3):
    box.recvfrom(9)
"""


@scenario("who is gone before his datagrams are received has sent them, also if his port lives on")
def gone(directory):
    result = record(directory, ["/usr/bin/python3", "-c", GONE])
    calls = [op["id"] for op in result.trace.operations(syscall="sendto")]
    reads = [op["id"] for op in result.trace.operations(syscall="recvfrom")]
    found = result.messages().of("udp")
    wrong = [
        m
        for m in found
        if m["match"] == "exact"
        and (not m["sent"] or not m["received"]
             or calls.index(m["sent"]["op"]) != reads.index(m["received"]["op"]))
    ]
    expect_equal(wrong, [], "what is called exact is right")
    expect_equal({bool(m["sent"] and m["received"]) for m in found}, {True}, "nobody is outside")
    expect_equal({m["match"] for m in found}, {"exact"}, "and all of it is")


if __name__ == "__main__":
    main()
