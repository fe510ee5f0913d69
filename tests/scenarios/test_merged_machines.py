#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Two machines traced apart and merged: the same messages as one trace of both has."""
import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter

from expectations import expect, expect_equal, expect_in, expect_row
from harness import finish, main, needs, record, scenario, start_record, wait_for
from joining import attach, ends, folder
from networks import Machines, inside, wire
from pages import browse
from traces import Trace, ipclens, load_lines, messages, one_error, validate, view

HOSTS = ("10.83.0.1", "10.83.0.2")
SECOND = 1_000_000_000
SHIFT = 3 * SECOND
DEVICE = "veth-far"  # of the wire between them


class Two(Machines):
    """Two network namespaces with a wire between them."""

    def __init__(self, name):
        super().__init__(f"{name}-0", f"{name}-1")

    def connect(self):
        wire(DEVICE, *zip(self.names, HOSTS))


# Each waits to be told to go on, and says when it is ready for the other one.
ECHO = """
import socket, sys
tcp = socket.create_server(("0.0.0.0", 6001))
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("0.0.0.0", 6002))
print("ready", flush=True)
sys.stdin.readline()
print("goes on", flush=True)
for _ in range(3):
    talk, _ = tcp.accept()
    while (data := talk.recv(70000)):
        talk.sendall(data[::-1])
    talk.close()
for _ in range(5):
    data, client = udp.recvfrom(2000)
    udp.sendto(data + data, client)
"""

ASK = """
import socket, sys
print("ready", flush=True)
sys.stdin.readline()
for i in range(3):
    with socket.create_connection((sys.argv[1], 6001)) as tcp:
        for size in (1, 100, 60000 * i + 7):
            tcp.sendall(b"%d" % i * size)
            left = size
            while left:
                left -= len(tcp.recv(left))
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
    for i in range(5):
        udp.sendto(b"question %d" % i, (sys.argv[1], 6002))
        udp.recv(2000)
"""


class Waiting:
    """A Python program in a namespace, which waits for a line before it talks."""

    def __init__(self, network, code, *words):
        self.process = subprocess.Popen(
            inside(network, sys.executable, "-c", code, *words),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.pid = self.process.pid
        self.hear("ready")

    def hear(self, word):
        expect_equal(self.process.stdout.readline().strip(), word, "what it says")

    def go(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()


def merged(directory, *traces):
    """The trace that merge makes, and what it says."""
    path = os.path.join(directory, "merged.ndjson")
    result = ipclens("merge", *traces, "-o", path)
    expect_equal(result.returncode, 0, f"exit status; {result.stderr}")
    return path, result.stderr


def end_of(message, side):
    """Who, as pid on its machine; and its call, as it is told on that side."""
    if not message[side]:
        return None
    return message[side]["pid"] % 10_000_000


def told(path, *mechanisms):
    """From, to, bytes, offsets, exactness of each message, in each mechanism's order."""
    return [
        (
            message["mechanism"],
            end_of(message, "from"),
            end_of(message, "to"),
            message["bytes"],
            (message["sent"] or {}).get("offset"),
            (message["received"] or {}).get("offset"),
            message["match"],
        )
        for mechanism in mechanisms
        for message in messages(path, "--mechanism", mechanism)
        if message["type"] == "message"
    ]


@scenario("one machine's namespaces traced apart and merged: the messages of one trace of both")
def apart(directory):
    with Two("apart") as (near, far):
        server = Waiting(far, ECHO)
        client = Waiting(near, ASK, HOSTS[1])
        pids = [server.pid, client.pid]
        both = attach(folder(directory, "both"), "-p", pids[0], "-p", pids[1])
        runs = [attach(folder(directory, str(pid)), "-p", pid) for pid in pids]
        server.go()
        server.hear("goes on")
        client.go()
        for run in (both, *runs):
            ends(run)
    path, said = merged(directory, *(run.trace_path for run in runs))
    expect_in("3 TCP connections", str(said), "what merge says")
    validate(load_lines(path))
    whole = told(both.trace_path, "tcp", "udp")
    expect(len(whole) >= 3 * 6 + 10, "there is something to compare", whole)
    expect_equal(told(path, "tcp", "udp"), whole, "the messages")
    expect_equal({line[-1] for line in whole if line[0] == "tcp"}, {"exact"}, "no doubt")


SERVE = """
import http.server, socketserver, sys
class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass
server = socketserver.TCPServer(("10.83.0.2", 8000), Quiet)
open(sys.argv[1], "w").close()
for _ in range(3):
    server.handle_request()
"""


def moved(value, key=""):
    """The same with all moments of the clock later."""
    if isinstance(value, dict):
        return {inner: moved(part, inner) for inner, part in value.items()}
    if isinstance(value, list):
        return [moved(part) for part in value]
    lasting = ("off_cpu_ns", "timeout_ns", "realtime_offset_ns")
    return value + SHIFT if key.endswith("_ns") and key not in lasting else value


def other_machine(run, directory, name="far"):
    """The trace as if another machine of this name had made it, whose clock is ahead."""
    path = os.path.join(directory, name + ".ndjson")
    lines = [moved(line) for line in run.trace.lines]
    lines[0].update(host=name, boot_id=f"that of {name}")
    # Its wall clock is wrong by a second, too.
    lines[0]["realtime_offset_ns"] += SECOND - SHIFT
    with open(path, "w", encoding="utf-8") as file:
        for line in lines:
            # No kernel sees the sockets of another one.
            for key in ("to", "delivered", "woken_by") if line["type"] == "operation" else ():
                line.pop(key, None)
            print(json.dumps(line), file=file)
    return path


def times(path):
    return [
        message[side]["enter_ns"]
        for message in messages(path, "--mechanism", "tcp")
        for side in ("sent", "received")
    ]


def check_clock(path, plain):
    """All times are what they were, within what is told of their uncertainty."""
    (host,) = [line for line in Trace(path).of("host") if line["name"] == "far"]
    expect_equal(host["clock"], "both-ways", "how the clock is known")
    wrong = max(abs(one - other) for one, other in zip(times(path), times(plain)))
    expect(wrong <= host["uncertainty_ns"], f"no time is wrong by more: {wrong}", host)
    expect(host["uncertainty_ns"] < 20_000_000, "and is of use", host)


def check_kernels(path):
    """Each message goes through the kernel of its sender's machine, the network, and the other."""
    text = view(path, "--kernel", "--unfold", "--mechanism", "tcp", columns=240)
    rows = [line for line in text.splitlines() if " network " in line]
    expect_equal([row for row in rows if f"leaves by {DEVICE}" not in row], [], "named devices")
    picture = view(path, "--kernel", "--unfold", "--as", "mermaid", "--mechanism", "tcp")
    lane = {name.replace("#58;", ":"): number for number, name in
            re.findall(r"participant (P\d+) as (\S+)", picture)}
    near, far = (lane[f"{host}:kernel"] for host in (os.uname().nodename, "far"))
    steps = re.findall(r"(P\d+)--?>>(P\d+): (\S+)", picture)
    crossing = [ends for *ends, word in steps if word == "network"]
    calls = [len({message[side]["enter_ns"] for message in messages(path, "--mechanism", "tcp")})
             for side in ("sent", "received")]
    expect_equal(len(crossing), calls[0], "a row of the network for each send")
    expect({*map(tuple, crossing)} <= {(near, far), (far, near)}, "from kernel to kernel", crossing)
    for mark, side in (("▲", 0), ("▼", 1)):
        ends = [both[1 - side] for *both, word in steps if word == mark]
        expect_equal(ends.count(near) + ends.count(far), calls[side], f"{mark}: a copy each")
    expect_in(" ± ", picture, "what the clocks may make wrong")


def check_page(path, directory, hosts):
    """Each copy is drawn at the kernel of its machine, in the page and on paper."""
    page = os.path.join(directory, "page.html")
    view(path, "-o", page)
    browse(page, "machines", hosts=hosts, least=6, device=DEVICE)


def check_refused(trace):
    """What is no two traces is refused, in one line."""
    one_error(ipclens("merge", trace), 2, "give two or more")
    one_error(ipclens("merge", trace, trace), 1, "the same trace")
    one_error(ipclens("merge", trace, sys.argv[0]), 1, "JSON object")
    one_error(ipclens("merge", trace, "-"), 1, "must be a file")
    os.mkfifo(fifo := trace + ".fifo")
    one_error(ipclens("merge", trace, fifo), 1, "must be a regular file")


@scenario("curl and an HTTP server traced apart: each request and response is paired for certain, "
          "also where the clocks are 3 s apart")
def shifted(directory):
    needs("curl")
    ready = os.path.join(directory, "ready")
    url = f"http://{HOSTS[1]}:8000/"
    curl = f"for i in 1 2 3; do curl -s {url} > /dev/null; done"
    with Two("shifted") as (near, far):
        words = inside(far, sys.executable, "-c", SERVE, ready)
        server = start_record(folder(directory, "server"), words)
        wait_for(lambda: os.path.exists(ready), "the server to listen")
        client = record(folder(directory, "client"), inside(near, "sh", "-c", curl))
        finish(server.wait(), 0, True)
    plain, _ = merged(directory, client.trace_path, server.trace_path)
    expected = told(plain, "tcp")
    expect(len(expected) >= 6, "a request and a response each", expected)
    for line in expected:
        expect(None not in line[1:3] and line[-1] == "exact", "both ends are known", line)
    halves = [client.trace_path, other_machine(server, directory)]
    path, said = merged(directory, *halves)
    validate(load_lines(path))
    expect_equal(told(path, "tcp"), expected, "the messages")
    check_clock(path, plain)
    expect_in("clock of far: -", str(said), "what merge says")
    picture = view(path, "--mechanism", "tcp", columns=200)
    expect_row(picture, "clock of far", "by messages both ways")
    expect_in("far:python3 ", picture, "the names of processes")
    for who in ("far:python3", "far:*"):
        expect_in("far:python3 ", view(path, "--focus", who, columns=200), "a focus by that name")
    packed = path + ".zst"
    expect_equal(ipclens("merge", *halves, "-o", packed).returncode, 0, "a compressed one")
    expect(os.path.getsize(packed) < os.path.getsize(path) / 4, "it is smaller", packed)
    expect_equal(told(packed, "tcp"), expected, "the messages of the compressed trace")
    check_kernels(path)
    check_page(path, directory, [os.uname().nodename, "far"])
    check_refused(client.trace_path)
    hosts = Counter((line["from"]["host"], line["to"]["host"])
                    for line in messages(path, "--mechanism", "tcp"))
    expect_equal(len(hosts), 2, f"from each host to the other: {hosts}")


def expect_uncertainty(path, told):
    """Between two machines each time says by how much the clocks may make it wrong."""
    lines = load_lines(path)
    wrong = {line["name"]: line.get("uncertainty_ns", 0) for line in lines if line["type"] == "host"}
    hosts = {line["pid"]: line["host"] for line in lines if line["type"] == "process"}
    routes = [json.loads(line) for line in ipclens("stats", "--json", path).stdout.splitlines()]
    routes = [line for line in routes if line["type"] == "route"]
    apart = 0
    for line in [*routes, *messages(path)]:
        pids = [(line[side] or {}).get("pid") for side in ("from", "to")]
        two = {hosts[pid] for pid in pids if pid in hosts}
        known = sum(wrong[host] for host in two) if len(two) == 2 else None
        expect_equal(line.get("uncertainty_ns"), known, f"by how much it may be wrong: {line}")
        apart += len(two) == 2
    expect(apart > 4, "some are between two machines", apart)
    expect("tcp, latency ± " in told, "the table tells it", told)


@scenario("a server and two clients with short-lived children: no machine's lane stands among "
          "another's, and no copy is at another's kernel")
def three(directory):
    needs("curl")
    ready = os.path.join(directory, "ready")
    url = f"http://{HOSTS[1]}:8000/"
    work = f"echo local | cat; curl -s {url} > /dev/null; echo again | cat; "
    outside = subprocess.Popen(["sleep", "600"])
    kill = f"kill {outside.pid}"
    with Two("three") as (near, far):
        words = inside(far, sys.executable, "-c", SERVE, ready)
        server = start_record(folder(directory, "server"), words)
        wait_for(lambda: os.path.exists(ready), "the server to listen")
        clients = [record(folder(directory, name), inside(near, "sh", "-c", commands))
                   for name, commands in (("alpha", work), ("beta", work * 2 + kill))]
        finish(server.wait(), 0, True)
    expect_equal(outside.wait(), -signal.SIGTERM, "who is not traced got the signal")
    path, _ = merged(directory, clients[0].trace_path,
                     other_machine(server, directory, "server"),
                     other_machine(clients[1], directory, "beta"))
    own = os.uname().nodename
    lines = view(path, "--kernel", columns=400).splitlines()
    for host in (own, "server", "beta"):
        kernel = next(line.index(f"{host}:kern") for line in lines if f"{host}:kern" in line)
        places = [found.start() for line in lines
                  for found in re.finditer(rf"│ {re.escape(host)}:(?!kern)", line)]
        expect(places, "its processes have heads", host)
        expect(all((place < kernel) == (host == own) for place in places),
               f"the lanes of {host} are at their kernel's side", places)
    stats = ipclens("stats", "--max", "0", path).stdout.decode()
    told_there = view(path, columns=400) + stats
    expect_uncertainty(path, told_there)
    expect(not re.search(r"\b[12]00\d{5}\b", told_there), "each machine's own numbers", told_there)
    expect_in(f"pid {outside.pid} outside, of beta", told_there, "also of who is not traced")
    check_page(path, directory, [own, "server", "beta"])


MANY, LONG = 150, 200  # traces, and bytes in each part of their paths
READERS = ("messages", "stats", "stats --json", "diagnose", "diagnose --json", "view",
           "view --as svg")


def one_of_many(lines, path, number):
    """A trace of one process that does nothing, of a machine that is another one for the first."""
    shift = 10000 * number
    head, process, trailer = json.loads(json.dumps(lines))
    name = "far" if number else "near"
    head.update(host=name, boot_id=f"that of {name}", tracer=head["tracer"] + shift)
    process.update(pid=process["pid"] + shift, tid=process["pid"] + shift)
    trailer.update(operations=0, signals=0, lines=2)
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(line) + "\n" for line in (head, process, trailer))


@scenario("many traces with long paths merged: every command reads the line that has all the paths")
def many_paths(directory):
    lines = record(directory, ["true"]).trace.lines
    first = next(line for line in lines if line["type"] == "process")
    place = os.path.join(directory, "p" * LONG, "q" * LONG)
    os.makedirs(place)
    paths = [os.path.join(place, f"{i}.ndjson") for i in range(MANY)]
    for number, path in enumerate(paths):
        one_of_many((lines[0], first, lines[-1]), path, number)
    path, _ = merged(directory, *paths)
    validate(load_lines(path))
    told = {line["name"]: line["traces"] for line in load_lines(path) if line["type"] == "host"}
    expect_equal(told, {"near": paths[:1], "far": paths[1:]}, "the traces of each machine")
    for words in READERS:
        result = ipclens(*words.split(), path)
        expect_equal((result.returncode, result.stderr), (0, b""), f"{words}: nothing is wrong")


main()
