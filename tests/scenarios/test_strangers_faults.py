#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Faults that strangers brought, each with its cause and remedy; and the sound programs beside."""
import os

from expectations import expect, expect_equal, expect_in
from findings import diagnose, severe
from hangs import PYTHON, asleep, has_told, job_of, named_parties, traced, untraced
from harness import main, needs, record, scenario

MAY_RUN_BESIDE_OTHERS = True

NOT_SHARED = """
import multiprocessing, os, sys, threading, queue
kind, where = sys.argv[1:]
module = multiprocessing if where == "shared" else {"Event": threading, "Queue": queue}[kind]
waited_for = getattr(module, kind)()
child = multiprocessing.Process(target=waited_for.wait if kind == "Event" else waited_for.get)
child.start()
os.write(2, b"%d\\n" % child.pid)
waited_for.set() if kind == "Event" else waited_for.put(1)
child.join()
"""

# Nobody reads a log of datagrams, which is told by the name that the sender connected to.
UNREAD_LOG = """
import os, signal, socket, sys
log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
log.bind("log")
child = os.fork()
if child == 0:
    log.close()
    writer = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    writer.connect(os.path.abspath("log"))
    os.write(2, b"%d\\n" % os.getpid())
    for line in range(2000 if sys.argv[1] == "unread" else 20): writer.send(b"line")
    os._exit(0)
if sys.argv[1] == "unread": signal.pause()
for line in range(20): log.recv(100)
os.waitpid(child, 0)
"""

REPOSITORIES = """
git init -q --bare there.git; git init -q here; cd here
git -c user.email=x@x -c user.name=x commit -q --allow-empty -m x
printf '#!/bin/sh\\n%s\\n' 'HOOK' >../there.git/hooks/post-receive
chmod +x ../there.git/hooks/post-receive; git push -q ../there.git HEAD:refs/heads/x
"""

LOCKED = "import fcntl; open('x', 'w').close(); fcntl.lockf(open('x', 'MODE'), fcntl.LOCK_EX)"

# A segment of 4,096 bytes, and one that asks for more, or as much, without IPC_CREAT.
SEGMENT = """
$segment = shmget(0x53747267, 4096, 01600) // die;
$again = shmget(0x53747267, $ARGV[0], 0600);
shmctl($segment, 0, 0);
exit(!defined $again);
"""

LISTENS = """
import os, socket, sys
os.mkdir("there"); os.mkdir("here")
server = socket.socket(socket.AF_UNIX); server.bind("there/.s.5432"); server.listen()
child = os.fork()
if child == 0:
    socket.socket(socket.AF_UNIX).connect(sys.argv[1] + "/.s.5432"); os._exit(0)
if sys.argv[1] == "there": server.accept()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""

# Looks for a server that need not be there, goes on, and is ended by its parent when it is done.
DOES_WITHOUT = """
import os, signal, socket
ready, done = os.pipe()
child = os.fork()
if child == 0:
    try: socket.socket(socket.AF_UNIX).connect("nobody")
    except FileNotFoundError: os.write(done, b"!")
    while True: signal.pause()
os.read(ready, 1); os.kill(child, signal.SIGTERM); os.wait()
"""

FULL_MEMORY = """
import mmap, os
file = os.open("shm/x", os.O_RDWR | os.O_CREAT)
os.ftruncate(file, 1 << 20); mmap.mmap(file, 1 << 20)[:] = bytes(1 << 20)
"""


# A server of one client, curl(1), which ends when its answer is whole; both tell who they are.
HTTP = r"""
import os, socket, subprocess, sys, threading, time
server = socket.create_server(("127.0.0.1", 0))
url = "%s://127.0.0.1:%d/" % (sys.argv[2], server.getsockname()[1])
curl = subprocess.Popen(["curl", "-sk", "--noproxy", "*", *sys.argv[3:], url], stdout=2)
os.write(2, b"server=%d\nclient=%d\n" % (os.getpid(), curl.pid))
client = server.accept()[0]
def read():
    while b"\r\n\r\n" not in client.recv(4096): pass
def answer(head, body): client.sendall(b"HTTP/1.1 %s\r\n\r\n%s" % (head, body))
def late(): time.sleep(1000); answer(b"204 No Content", b"")
def short(): read(); answer(b"200 OK\r\nContent-Length: 9", b"hi"); client.recv(4096)
def endless(): read(); answer(b"200 OK", b"hi"); client.recv(4096)
def whole(): read(); answer(b"200 OK\r\nContent-Length: 2", b"hi"); client.recv(4096)
def streams(): read(); answer(b"200 OK", b"hi"); time.sleep(1000)
def uploads(): read(); answer(b"100 Continue", b""); client.recv(4096)
def reads_on(): read(); client.recv(4096)
def passes_on(): read(); threading.Thread(target=late).start(); client.recv(4096)
globals()[sys.argv[1]]()
sys.exit(curl.wait())
"""


# Each line is read by an open(2) of its own, or all by one; or each has a writer of its own.
# The first reader goes on when the writer has closed the FIFO, so that the second line is lost.
REOPENED = """
mkfifo f closed; for i in 1 2; do { read -r _ <closed; read -r line; } <f; done &
printf 'a\\nb\\n' >f; echo >closed; wait
"""
OPENED_ONCE = "mkfifo f; for i in 1 2; do read -r line; done <f & printf 'a\\nb\\n' >f; wait"
OPENED_TWICE = """
mkfifo f told; for i in 1 2; do read -r line <f; echo >told; done &
for line in a b; do echo $line >f; read -r _ <told; done; wait
"""

# timeout(1) at a terminal of its own, whose command, which tells its pid, reads in the background.
AT_TERMINAL = """
import os, pty, signal, sys
pid, master = pty.fork()
if pid == 0:
    os.execvp("bash", ["bash", "-c", sys.argv[1] + " sh -c 'echo $$ >&9; exec cat'; true"])
while True: os.read(master, 100)
"""

# A length of 4 bytes before a message, which counts itself, too; or one byte too many; or neither.
COUNTED = """
import os, socket, struct, sys
asker, server = socket.socketpair()
def get(size):
    got = b""
    while len(got) < size:
        got += server.recv(size - len(got)) or sys.exit(1)
if os.fork() == 0:
    asker.close(); length = server.recv(4); get(struct.unpack("!I", length)[0])
    server.sendall(b"ok"); os._exit(0)
server.close()
asker.sendall(struct.pack("!I", 5 + int(sys.argv[1]))); asker.sendall(b"hello"); asker.recv(2)
os.wait()
"""

# A server of JSON in messages with a length in words (LSP), which counts too much, or characters.
WORDED = """
import os, sys
asked, answer = os.pipe(), os.pipe()
if os.fork() == 0:
    os.close(asked[1]); os.close(answer[0])
    text = "{\\"r\\": \\"gr\u00fc\u00dfe\\"}"
    count = {"more": len(text.encode()) + 2, "characters": len(text), "right": len(text.encode())}
    while os.read(asked[0], 100):
        os.write(answer[1], b"Content-Length: %d\\r\\n\\r\\n" % count[sys.argv[1]] + text.encode())
    os._exit(0)
os.close(asked[0]); os.close(answer[1])
stream = open(answer[0], "rb")
for i in range(2):
    os.write(asked[1], b"Content-Length: 2\\r\\n\\r\\n{}")
    length = 0
    while (line := stream.readline().strip()) or not length:
        if line.startswith(b"Content-Length:"): length = int(line.split(b":")[1])
    stream.read(length)
os.close(asked[1]); os.wait()
"""

# A child that fills a socket, and a parent that waits for its end.
SOCKET_JOINED = """
import os, socket
mine, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
if os.fork() == 0:
    mine.close()
    while True: other.send(b"x")
other.close(); os.wait()
"""


def in_place(place, command):
    return ["sh", "-c", f'cd "{place}" && exec "$@"', "sh", *command]


def made(directory, name):
    place = os.path.join(directory, name)
    os.mkdir(place)
    return place


def told(findings, name):
    found = [finding for finding in findings if finding["id"] == name]
    expect_equal(len(found), 1, f"{name} is told once: {findings}")
    return found[0]


@scenario("a child that waits for an Event or a Queue of threads is told that processes share none")
def not_shared(directory):
    for kind in ("Event", "Queue"):
        command = [PYTHON, "-c", NOT_SHARED, kind, "own"]
        place = made(directory, kind)
        _, findings, _ = traced(place, command)
        finding = told(severe(findings), "blocked")
        expect_in("reaches no copy", finding["text"], "what fork() copies")
        expect_in("multiprocessing instead of threading and queue", finding["advice"], "remedy")
        findings, _ = untraced(place, command, has_told, "blocked", severe)
        expect_in("Queue from multiprocessing", told(findings, "blocked")["advice"], "by -p")
        run = record(made(place, "sound"), [PYTHON, "-c", NOT_SHARED, kind, "shared"])
        expect_equal(severe(diagnose(run.trace_path)[0]), [], "of multiprocessing's nothing")


@scenario("who sends to a log of datagrams that nobody reads is told who should, each way")
def unread_log(directory):
    command = in_place(made(directory, "log"), [PYTHON, "-c", UNREAD_LOG, "unread"])
    _, findings, result = traced(directory, command)
    finding = told(findings, "full-channel")
    expect_equal(finding["processes"][0], job_of(result), "it is of the sender")
    expect_in("it should be read by python3[", finding["text"], "whoever has bound the name")
    command = in_place(made(directory, "again"), [PYTHON, "-c", UNREAD_LOG, "unread"])
    findings, result = untraced(
        directory, command, lambda run: has_told(run) and asleep(job_of(run)), "full-channel"
    )
    expect_in("it should be read by python3[", told(findings, "full-channel")["text"], "by -p")
    command = in_place(made(directory, "read"), [PYTHON, "-c", UNREAD_LOG, "read"])
    run = record(made(directory, "sound"), command)
    expect_equal(severe(diagnose(run.trace_path)[0]), [], "whose log is read")


def pushed(place, hook):
    return in_place(place, ["sh", "-c", REPOSITORIES.replace("HOOK", hook)])


@scenario("git push that waits for what its server's hook left in the background is told so")
def left_by_hook(directory):
    needs("git")
    _, findings, _ = traced(directory, pushed(made(directory, "left"), "sleep 100 &"), 4)
    finding = told(severe(findings), "no-eof")
    expect_in("sleep[", finding["text"], "it is named")
    expect_in(">/dev/null 2>&1 &", finding["advice"], "and how to redirect it")


@scenario("a hook that ends well without its input, or redirects its job, is not accused")
def sound_hook(directory):
    needs("git")
    for name, hook in (("ends", "exit 0"), ("redirects", "sleep 0.1 >/dev/null 2>&1 &")):
        run = record(made(directory, name), pushed(made(directory, name + "-in"), hook))
        expect_equal(severe(diagnose(run.trace_path)[0]), [], name)


@scenario("a lock to write of a file that is open to read, and a segment that is smaller: misuse")
def misused(directory):
    place = made(directory, "x")
    for words, wrong, right, advice in (
        ([PYTHON, "-c", LOCKED], "r", "r+", "O_RDWR"),
        (["perl", "-e", SEGMENT], "8192", "4096", "ipcrm removes it"),
    ):
        failing = [word.replace("MODE", wrong) for word in words] + [wrong]
        run = record(made(directory, wrong), in_place(place, failing), status=1)
        finding = told(severe(diagnose(run.trace_path)[0]), "misuse")
        expect_in(advice, finding["advice"], "the remedy")
        sound = [word.replace("MODE", right) for word in words] + [right]
        run = record(made(directory, right), in_place(place, sound))
        expect_equal(severe(diagnose(run.trace_path)[0]), [], "with what it takes")


@scenario("a client of a unix socket whose server listens in another folder is told in which")
def other_folder(directory):
    command = in_place(made(directory, "x"), [PYTHON, "-c", LISTENS, "here"])
    run = record(made(directory, "fails"), command, status=1)
    finding = told(severe(diagnose(run.trace_path)[0]), "connection-failed")
    expect_in("another folder: there/.s.5432", " ".join(finding["evidence"]), "where it is")
    command = in_place(made(directory, "y"), [PYTHON, "-c", LISTENS, "there"])
    run = record(made(directory, "sound"), command)
    expect_equal(severe(diagnose(run.trace_path)[0]), [], "in the right one")


@scenario("who did without a server until another process ended it did not fail by that")
def does_without(directory):
    run = record(directory, [PYTHON, "-c", DOES_WITHOUT])
    expect_equal(severe(diagnose(run.trace_path)[0]), [], "nothing is told")


@scenario("who touches a page where its file system is full is told to look at that, too")
def full_memory(directory):
    os.mkdir(os.path.join(directory, "shm"))
    script = f"mount -t tmpfs -o size=64k x '{directory}/shm' && cd '{directory}' && exec \"$@\""
    command = ["unshare", "-m", "sh", "-c", script, "sh", PYTHON, "-c", FULL_MEMORY]
    run = record(directory, command, status=128 + 7)
    finding = told(severe(diagnose(run.trace_path)[0]), "killed-by-signal")
    expect_in("df /dev/shm", finding["advice"], "which may be full")
    findings, _ = diagnose("--lang", "de", run.trace_path)
    expect(any("Dateisystem voll" in f["advice"] for f in findings), "in German", findings)


@scenario("who opens a FIFO for each line, and so loses the next ones, is told to open it once")
def reopened(directory):
    command = in_place(made(directory, "x"), ["bash", "-c", REOPENED])
    _, findings, _ = traced(directory, command)
    finding = told(severe(findings), "blocked")
    expect_in("closed it while 2 B lay there unread", " ".join(finding["evidence"]), "what is lost")
    expect_in("open the FIFO once", finding["advice"], "the remedy")
    for name, script in (("once", OPENED_ONCE), ("twice", OPENED_TWICE)):
        run = record(directory, in_place(made(directory, name), ["bash", "-c", script]))
        expect_equal(severe(diagnose(run.trace_path)[0]), [], name)


@scenario("who waits for the rest of what a length says is told what came, and what it may count")
def counted(directory):
    for more, advice in (("4", "count it on both sides"), ("1", "a final NUL only if it is sent")):
        _, findings, _ = traced(made(directory, more), [PYTHON, "-c", COUNTED, more])
        finding = told(severe(findings), "deadlock")
        wanted = f"took a length of {5 + int(more)} B, after which 5 B came"
        expect_in(wanted, " ".join(finding["evidence"]), "what it waits for")
        expect_in(advice, finding["advice"], "the remedy")
    run = record(directory, [PYTHON, "-c", COUNTED, "0"])
    expect_equal(severe(diagnose(run.trace_path)[0]), [], "a right length")


@scenario("who waits for what a length in words says is told what came, and to count bytes")
def worded(directory):
    for kind, wanted in (
        ("more", "took a length of 18 B, after which 16 B came"),
        ("characters", "took a length of 14 B for a message of 16 B, which has as many characters"),
    ):
        _, findings, _ = traced(made(directory, kind), [PYTHON, "-c", WORDED, kind])
        finding = told(severe(findings), "deadlock")
        expect_in(wanted, " ".join(finding["evidence"]), kind)
        expect_in("count bytes, not characters", finding["advice"], "the remedy")
    run = record(directory, [PYTHON, "-c", WORDED, "right"])
    expect_equal(severe(diagnose(run.trace_path)[0]), [], "a right length")


@scenario("a child that fills a socket before its parent reads is not taken for one of a Queue")
def socket_joined(directory):
    _, findings, _ = traced(directory, [PYTHON, "-c", SOCKET_JOINED])
    advice = told(severe(findings), "deadlock")["advice"]
    expect_in("while the socket is full", advice, "it is a socket")


def under(timeout):
    """Its standard error is the command's descriptor 9 as well."""
    return ["sh", "-c", 'exec 9>&2 "$@"', "sh", PYTHON, "-c", AT_TERMINAL, timeout]


def hangs_at_terminal(result):
    return has_told(result) and asleep(job_of(result), b"T")


@scenario("what timeout(1) runs in the background of its terminal, and stops, is told, each way")
def stopped_under_timeout(directory):
    _, findings, _ = traced(directory, under("timeout 1000"), 3)
    expect_in("timeout --foreground", told(findings, "stopped")["advice"], "the remedy")
    findings, _ = untraced(directory, under("timeout 1000"), hangs_at_terminal, "stopped")
    finding = told(findings, "stopped")
    expect_in("timeout --foreground", finding["advice"], "by -p of whoever reads its output")
    os.mkdir(os.path.join(directory, "sound"))
    place = os.path.join(directory, "sound")
    _, findings, _ = traced(place, under("timeout --foreground 1000"), 3)
    expect_equal([f for f in findings if f["id"] == "stopped"], [], "in the foreground")


def http(how, *options, scheme="http"):
    needs("curl")
    return [PYTHON, "-c", HTTP, how, scheme, *options]


def expect_http(directory, name, command, finding, evidence, advice):
    _, findings, result = traced(made(directory, name), command)
    parties = named_parties(result)
    found = told(severe(findings), finding)
    expect_equal(found["processes"][0], parties["client"], f"{name}: it is of the client")
    expect_in(parties["server"], found["processes"], f"{name}: and names the server")
    expect_in(evidence, found["text"], name)
    expect_in(advice, found["advice"], f"{name}: the remedy")
    german = diagnose("--lang", "de", result.trace_path)[0]
    expect(told(german, finding)["advice"] != found["advice"], "in German, too", german)


@scenario("an answer of HTTP that never ends, as its length is wrong or missing, is told of")
def never_ends(directory):
    for how in ("short", "endless"):
        wanted = "waits there for the next request", "Content-Length in bytes"
        expect_http(directory, how, http(how), "answer-not-ended", *wanted)


@scenario("a request that is no whole one for its server, or begins TLS where that speaks none")
def no_whole_request(directory):
    for name, command, advice in (
        ("length", http("reads_on", "-H", "Content-Length: 9", "-d", "hi"), "as its length says"),
        ("tls", http("reads_on", scheme="https"), "begins a handshake of TLS"),
    ):
        expect_http(directory, name, command, "no-answer", "waits for more of it", advice)


@scenario("an answer that is whole, streamed or passed on, or an upload that goes on: not told")
def sound_http(directory):
    run = record(made(directory, "whole"), http("whole"))
    expect_equal(severe(diagnose(run.trace_path)[0]), [], "a whole answer")
    slow = ["sh", "-c", 'sleep 100 | "$@"', "sh", *http("uploads", "-T", "-")]
    for name, command in (("streams", http("streams")), ("uploads", slow)):
        _, findings, _ = traced(made(directory, name), command)
        expect(all(f["id"] != "answer-not-ended" for f in findings), name, findings)
    _, findings, _ = traced(made(directory, "passes_on"), http("passes_on"))
    text = told(findings, "no-answer")["text"]
    expect("waits for more" not in text, "another thread answers", text)


if __name__ == "__main__":
    main()
