#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Who waits for what its own buffer has, for a group that it has not joined, for an answer that
comes from elsewhere, or for a reader that has ended: the evidence in the trace says so."""
import os
import re

from expectations import expect, expect_equal, expect_in
from findings import diagnose, expect_nothing_rests_on_a_gap
from hangs import PYTHON, TIMED_OUT, untraced
from harness import main, record, scenario

MAY_RUN_BESIDE_OTHERS = True

# readline() reads ahead: the second line lies in its buffer, of which select() knows nothing.
READ_AHEAD = """
import select, subprocess
program = subprocess.Popen(["sh", "-c", "{lines}; sleep 60"], stdout=subprocess.PIPE)
for _ in range(3):
    select.select([program.stdout], [], [])
    program.stdout.readline()
"""
AT_ONCE = "printf 'one\\\\ntwo\\\\n'"
APART = "echo one; sleep 0.2; echo two"

GROUP = """
import os, socket
hears = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
hears.bind(("", 0))
own, group = socket.inet_aton("127.0.0.1"), socket.inet_aton("239.1.2.3")
{joins}
if not os.fork():
    sends = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sends.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, own)
    sends.sendto(b"hello", ("239.1.2.3", hears.getsockname()[1]))
    os._exit(0)
os.wait()
hears.recv(100)
"""
JOINS = "hears.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group + own)"

NETLINK = """
import socket
link = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
link.bind((0, {groups}))
link.recv(9999)
"""

QUEUE = """
import ctypes, os
libc = ctypes.CDLL(None)
name = b"/ipclens-%d" % os.getpid()
attributes = (ctypes.c_long * 8)(0, 2, 8)
queue = libc.mq_open(name, os.O_CREAT | os.O_RDWR, 0o600, attributes)
libc.mq_send(queue, b"m", 1, 0)
child = os.fork()
if not child:
    libc.mq_receive(queue, ctypes.create_string_buffer(8), 8, None)
    os._exit(0)
os.wait()
print(name.decode(), child, flush=True)
if not os.fork():
    import time
    time.sleep(5)
    libc.mq_unlink(name)
    os._exit(0)
for _ in range(3):
    libc.mq_send(queue, b"m", 1, 0)
"""

# The pipeline's parts are told by their names; {last} reads what grep writes, and may end.
PIPELINE = """
echo line >log
tail -f log | grep --line-buffered line | {last}
"""

# name: the program, what the evidence says, what the advice says
TOLD = {
    "read ahead": (READ_AHEAD.format(lines=AT_ONCE), "took 2 lines in one read", "readline()"),
    "no member": (GROUP.format(joins=""), "no socket got it", "IP_ADD_MEMBERSHIP"),
    "no group": (NETLINK.format(groups=0), "hears no group", "nl_groups"),
}
SILENT = {
    "line by line": (READ_AHEAD.format(lines=APART), "in one read"),
    "a group": (NETLINK.format(groups=1), "hears no group"),
}


def recorded(directory, name, script, status=TIMED_OUT, seconds=2):
    place = os.path.join(directory, name.replace(" ", "-"))
    os.mkdir(place)
    options = ["--timeout", seconds]
    return record(place, [PYTHON, "-c", script], *options, status=status, whole=False)


def blocked(run, name):
    found = [finding for finding in diagnose(run.trace_path)[0] if finding["id"] == "blocked"]
    expect_equal(len(found), 1, f"{name}: {found}")
    return found[0]


@scenario("what is waited for in vain is told, where the trace has the evidence")
def told(directory):
    for name, (script, evidence, advice) in TOLD.items():
        run = recorded(directory, name, script)
        found = blocked(run, name)
        expect_in(evidence, " ".join(found["evidence"]), name)
        expect_in(advice, found["advice"], name)
        expect_nothing_rests_on_a_gap(run.trace_path, 3)


@scenario("of those that look alike and wait for more it is not told")
def silent(directory):
    for name, (script, evidence) in SILENT.items():
        found = blocked(recorded(directory, name, script), name)
        expect(evidence not in " ".join(found["evidence"]), name, found)
    run = recorded(directory, "member", GROUP.format(joins=JOINS), 0, 20)
    found = [finding for finding in diagnose(run.trace_path)[0] if finding["id"] == "blocked"]
    expect_equal(found, [], "who has joined hears it")


@scenario("of a full queue it is told who received there and has ended, and who else could")
def ended_reader(directory):
    run = recorded(directory, "queue", QUEUE)
    name, child = run.stdout.decode().split()
    found = [f for f in diagnose(run.trace_path)[0] if f["id"] == "full-channel"]
    expect_equal(len(found), 1, f"one send waits: {found}")
    expect_in(f"whoever opens {name}", found[0]["text"], "who could receive")
    evidence = " ".join(found[0]["evidence"])
    expect_in(f"python3[{child}], which received there before, ended", evidence, "who did")
    expect("outside the trace" not in str(found), "no one is guessed at", found)


# A server with two sockets: it is asked on one, and answers on the other.
ELSEWHERE = """
import os, socket
asked = socket.socket(socket.{family}, socket.SOCK_DGRAM)
asked.bind(("{address}", 0))
if not os.fork():
    other = socket.socket(socket.{family}, socket.SOCK_DGRAM)
    while True:
        _, client = asked.recvfrom(99)
        {by}.sendto(b"answer", client)
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
port = asked.getsockname()[1]
asked.close()
{asks}
try:
    print(client.recv(99), flush=True)
except TimeoutError:
    raise SystemExit(1)
"""
CONNECTED = """client.connect(("127.0.0.1", port))
client.send(b"ask")"""
GIVES_UP = "client.settimeout(0.6)\n" + CONNECTED
UNCONNECTED = """client.sendto(b"ask", ("127.0.0.1", port))"""
FOUR = {"family": "AF_INET", "address": ""}
SIX = {"family": "AF_INET6", "address": "::"}
UNHEARD_ANSWERS = {
    "waits": (FOUR, "other", CONNECTED),
    "waits, mapped": (SIX, "other", CONNECTED),
    "gives up": (FOUR, "other", GIVES_UP),
}
HEARD_ANSWERS = {
    "not connected": (FOUR, "other", UNCONNECTED),
    "same socket": (SIX, "asked", CONNECTED),
}


def answers(directory, name, case):
    family, by, asks = case
    # The server goes on until the limit.
    run = recorded(directory, name, ELSEWHERE.format(by=by, asks=asks, **family))
    return run, diagnose(run.trace_path)[0]


@scenario("a server of UDP that answers on another socket is told so, where the client is connected")
def elsewhere(directory):
    for name, case in UNHEARD_ANSWERS.items():
        run, findings = answers(directory, name, case)
        found = [f for f in findings if f["id"] == "no-answer"]
        expect_equal([f["severity"] for f in found], ["warning"], f"{name}: {findings}")
        expect(re.search(r"answered on udp:\[\d+\] .*, another socket than the one that was asked",
                         " ".join(found[0]["evidence"])), name, found)
        expect_in("answer on the socket that was asked", found[0]["advice"], name)
        expect_nothing_rests_on_a_gap(run.trace_path, 3)
    for name, case in HEARD_ANSWERS.items():
        run, findings = answers(directory, name, case)
        expect_equal(run.stdout, b"b'answer'\n", f"{name}: the client heard it")
        expect_equal([f for f in findings if f["id"] == "no-answer"], [], name)


def pipeline(place, last):
    return ["sh", "-c", f"cd {place}; {PIPELINE.format(last=last)}"]


def recorded_pipeline(directory, name, last):
    place = os.path.join(directory, name)
    os.mkdir(place)
    command = pipeline(place, last)
    return record(place, command, "--timeout", 3, status=TIMED_OUT, whole=False)


@scenario("of a pipeline whose last one has ended it is told who learns that only when it writes")
def ended_pipeline(directory):
    run = recorded_pipeline(directory, "ended", "head -1")
    expect_equal(run.stdout, b"line\n", "head has what it wanted, and ended")
    found = blocked(run, "head")
    expect_equal(found["severity"], "warning", found)
    evidence = " ".join(found["evidence"])
    expect(re.search(r"head\[\d+\], the last .* has ended; grep\[\d+\], who wrote", evidence),
           "who has ended, and who wrote to it", evidence)
    expect_in("<(tail -f FILE", found["advice"], "the way out")
    expect_nothing_rests_on_a_gap(run.trace_path, 3)
    run = recorded_pipeline(directory, "reading", "cat")
    expect_equal(run.stdout, b"line\n", "cat has the same, and waits for more")
    found = blocked(run, "cat")
    expect_equal(found["severity"], "note", found)
    expect("has ended" not in str(found), "all of them live", found)


@scenario("-p of the shell says that nobody reads any more")
def ended_pipeline_untraced(directory):
    found, _ = untraced(
        directory, pipeline(directory, "head -1"), lambda result: result.stdout == b"line\n",
        "blocked", among=lambda found: [f for f in found if f["severity"] == "warning"],
    )  # fmt: skip
    evidence = " ".join(line for finding in found for line in finding["evidence"])
    expect(re.search(r"nobody reads any more what grep\[\d+\] writes", evidence), "who", evidence)


if __name__ == "__main__":
    main()
