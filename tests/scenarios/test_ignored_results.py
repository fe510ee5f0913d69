#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Calls that fail and lose data or a wake-up, of programs that go on as if they had not."""
import os
import shlex

from expectations import expect, expect_equal, expect_in
from findings import diagnose, expect_finding, expect_nothing_rests_on_a_gap, in_batches, severe
from harness import main, record, scenario

# mistake: its finding, what its text and evidence say, and its advice; the same in German
IGNORED = {
    "writes-no-number": (
        "misuse",
        ("an eventfd takes a number of 8 bytes", "nobody is woken by what it refuses"),
        ("ein eventfd nimmt eine Zahl von 8 Bytes", "weckt niemanden"),
    ),
    "reads-no-number": (
        "misuse",
        ("gives a number of 8 bytes", "until then it stays ready"),
        ("liefert eine Zahl von 8 Bytes", "bis dahin bleibt er bereit"),
    ),
    "reads-no-record": (
        "misuse",
        ("gives whole records of 128 bytes", "struct signalfd_siginfo"),
        ("liefert ganze Sätze von 128 Bytes", "struct signalfd_siginfo"),
    ),
    "splices-sockets": (
        "misuse",
        ("neither of the two is a pipe", "splice() needs a pipe on one side"),
        ("keiner der beiden ist eine Pipe", "splice() braucht auf einer Seite eine Pipe"),
    ),
    "loses-semaphore": (
        "misuse",
        ("while this call waited", "who gets EIDRM has not got the semaphore"),
        ("während dieser Aufruf wartete", "wer EIDRM bekommt, hat den Semaphor nicht"),
    ),
    "fills-signal-queue": (
        "limit-reached",
        ("so this one is lost", "ulimit -i"),
        ("dieses ist verloren", "ulimit -i"),
    ),
    "drops-descriptors": (
        "message-truncated",
        ("received by read(", "receive by recvmsg() with a msg_control"),
        ("mit read(", "mit recvmsg() empfangen"),
    ),
    "sends-to-nobody": (
        "datagram-dropped",
        ("nobody has the socket ignored-", "start the receiver first"),
        ("Niemand hat den Socket ignored-", "zuerst den Empfänger starten"),
    ),
    "stays-connected": (
        "datagram-dropped",
        ("stays connected to the socket that had the name before", "call connect() again"),
        ("bleibt mit dem Socket verbunden, der den Namen vorher hatte", "noch einmal connect()"),
    ),
    "trailing-nuls": (
        "datagram-dropped",
        ("they differ by NUL bytes at the end", "give bind() and connect() the same length"),
        ("unterscheiden sich durch NUL-Bytes am Ende", "dieselbe Länge geben"),
    ),
    "ends-at-empty": (
        "datagram-dropped",
        ("an empty datagram at", "a datagram socket has no end"),
        ("ein leeres Datagramm", "ein Datagramm-Socket hat kein Ende"),
    ),
    "ends-at-empty-udp": (
        "datagram-dropped",
        ("an empty datagram at", "a datagram socket has no end"),
        ("ein leeres Datagramm", "ein Datagramm-Socket hat kein Ende"),
    ),
}


def check(told, name, words):
    expect_equal([finding["severity"] for finding in told], ["warning"], name)
    said = " ".join([told[0]["text"], *told[0]["evidence"]])
    expect_in(words[0], said, name)
    expect_in(words[1], told[0]["advice"], name)


@scenario("a call whose failure loses something is told with what is lost and what to do")
def ignored(directory):
    for run, words in in_batches(directory, [f"ignored {name}" for name in IGNORED]):
        name = words.split()[1]
        wanted, english, german = IGNORED[name]
        expect_equal(run.status, 0, name)
        check(expect_finding(run, wanted), name, english)
        findings = diagnose("--lang", "de", run.trace_path)[0]
        check([finding for finding in findings if finding["id"] == wanted], name, german)
        if name not in ("drops-descriptors", "ends-at-empty-udp"):  # they rest on one line alone
            expect_nothing_rests_on_a_gap(run.trace_path, 2, (wanted,))


@scenario("nothing is said of a program that makes up for it")
def made_up_for(directory):
    for run, name in in_batches(directory, [f"ignored {name} outsider" for name in IGNORED]):
        expect_equal(run.status, 0, name)
        expect_equal(severe(diagnose(run.trace_path)[0]), [], name)


WRITES = "process.stdout.write('x'.repeat(1000000));"


@scenario("node that calls process.exit() before its output is written is told to end by itself")
def node_exits(directory):
    for name, end in (("exit", "process.exit(0)"), ("sound", "process.exitCode = 0")):
        place = os.path.join(directory, name)
        os.mkdir(place)
        words = shlex.join(["node", "-e", f"{WRITES} {end}"])
        run = record(place, ["sh", "-c", f"{words} | (sleep 1; wc -c)"])
        found = [f for f in diagnose(run.trace_path)[0] if f["id"] == "partial-write"]
        if name == "sound":
            expect_equal(found, [], "all is written")
            expect_equal(run.stdout.split(), [b"1000000"], "all is read")
            continue
        expect(int(run.stdout) < 1000000, "some is lost", run.stdout)
        expect_equal([f["severity"] for f in found], ["warning"], name)
        expect(found[0]["text"].startswith("node["), "by node", found)
        expect_in("process.exitCode", found[0]["advice"], name)


if __name__ == "__main__":
    main()
