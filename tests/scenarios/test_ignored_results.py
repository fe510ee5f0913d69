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


# A new socket for each datagram, as systemd-notify(1) makes.
SENT_ANEW = """
import socket
for name in ("one", "one", "two"):
    try:
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"READY=1", name)
    except FileNotFoundError:
        pass
raise SystemExit(1)
"""


@scenario("what is sent to one name that nobody has, by whatever sockets, is told once")
def sent_anew(directory):
    run = record(
        directory, ["/usr/bin/python3", "-c", SENT_ANEW], status=1, cwd=directory
    )
    told = severe(diagnose(run.trace_path)[0])
    expect_equal({f["id"] for f in told}, {"datagram-dropped"}, "what")
    expect_equal(sorted(f["text"].split()[0] for f in told), ["1", "2"], f"how many: {told}")


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


# Records that are dropped where there is no room, or sent again; it says how many are dropped. Its
# child takes them one by one, and tells of each, once more were sent than there is room for.
DROPPER = r"""
import os, select, socket, sys
channel, way = sys.argv[1:]
if channel == "pipe":
    reading, writing = os.pipe()
else:
    pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    reading, writing = (end.detach() for end in pair)
told, tell = os.pipe()
full, fill = os.pipe()
if os.fork() == 0:
    for end in (writing, told):
        os.close(end)
    os.read(full, 1)
    while (taken := os.read(reading, 4000)) and not taken.startswith(b"end"):
        os.write(tell, b".")
    os._exit(0)
for end in (reading, tell):
    os.close(end)
os.set_blocking(writing, False)
dropped, waiting = 0, []
def send(record):
    try:
        os.write(writing, record)
        return True
    except BlockingIOError:
        return False
def repeat():
    while waiting:
        select.select([], [writing], [])
        if send(waiting[0]):
            waiting.pop(0)
for number in range(400):
    record = (b"%05d" % number).ljust(3999, b".") + b"\n"
    if way == "again" and waiting:
        waiting.append(record)
    elif not send(record):
        waiting.append(record) if way == "again" else None
        dropped += 1
    if number == 39:
        os.write(fill, b".")
    if number % 40 == 39:
        os.read(told, 1)
        repeat()
repeat()
os.set_blocking(writing, True)
os.write(writing, b"end".ljust(4000, b"."))
while os.read(told, 4000):
    pass
os.wait()
print(dropped)
"""


@scenario("records that find no room are lost, though later ones are sent; who sends them again loses none")
def dropped(directory):
    for channel in ("pipe", "socket"):
        for way in ("drop", "again"):
            place = os.path.join(directory, channel + way)
            os.mkdir(place)
            for option in ([], ["--no-payload"]):
                command = ["/usr/bin/python3", "-c", DROPPER, channel, way]
                run = record(place, command, *option)
                told = diagnose(run.trace_path)[0]
                # Before the first is taken, one has to wait, and all behind it do without a try.
                least = 1 if way == "again" else 2
                expect(int(run.stdout) >= least, f"{channel}: some found no room", run.stdout)
                if way == "again":
                    expect_equal(severe(told), [], f"{channel}: all was sent in the end")
                    continue
                found = [f for f in told if f["id"] == "send-given-up"]
                expect_equal([f["severity"] for f in found], ["warning"], f"{channel}: {told}")
                expect_in(f"no room {int(run.stdout)} times", found[0]["text"], channel)
                expect_in("POLLOUT", found[0]["advice"], channel)


if __name__ == "__main__":
    main()
