#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Hangs of well-known tools: `run --timeout`, its trace and `diagnose -p` give the same answer."""
import os
import signal

from expectations import expect, expect_equal, expect_in
from findings import diagnose, severe
from hangs import (
    PYTHON,
    TIMED_OUT,
    expect_named,
    hangs,
    has_told,
    job_of,
    parties,
    traced,
    untraced,
)
from harness import each_in_place, finish, main, recorder, run, scenario, start, wait_for
from servers import free_port

MAY_RUN_BESIDE_OTHERS = True

# Both log their pids before they wait for each other; in between, what other threads do.
DEADLOCK = """
import os, socket, threading
def tell():
    os.write(1, b"%d\\n" % os.getpid())
a, b, done = os.pipe(), os.pipe(), threading.Event()
THREADS
if os.fork() == 0:
    tell()
    os.read(a[0], 1)
    os.write(b[1], b"x")
    os._exit(0)
tell()
os.read(b[0], 1)
os.write(a[1], b"x")
"""

IDLE = "threading.Thread(target=done.wait, daemon=True).start()"
TIMED = "threading.Thread(target=done.wait, args=[1000], daemon=True).start()"
SERVES = """
server = socket.socket()
server.bind(("127.0.0.1", 0))
server.listen()
threading.Thread(target=lambda: (server.accept(), done.set()), daemon=True).start()
threading.Thread(target=lambda: (done.wait(), os.write(a[1], b"y")), daemon=True).start()
"""


@scenario("a thread that idles in a private futex hides no deadlock")
def idle_thread(directory):
    command = [PYTHON, "-c", DEADLOCK.replace("THREADS", IDLE)]
    text, findings, result = traced(directory, command)
    expect_named(findings, "deadlock", parties(result))
    expect_in("deadlock", text, "run says so")
    expect_named(*untraced_deadlock(directory, command))


def untraced_deadlock(directory, command):
    findings, result = untraced(directory, command, hangs(2), "deadlock")
    return findings, "deadlock", parties(result)


@scenario("a thread with a timeout, or one that another one can wake, makes it no deadlock")
def working_threads(directory):
    for name, threads in {"timed": TIMED, "serves": SERVES}.items():
        place = os.path.join(directory, name)
        os.mkdir(place)
        command = [PYTHON, "-c", DEADLOCK.replace("THREADS", threads)]
        _, findings, _ = traced(place, command)
        expect(not [f for f in severe(findings) if f["id"] == "deadlock"], name, findings)
        findings, _ = untraced(place, command, hangs(2), "blocked")
        expect(not [f for f in severe(findings) if f["id"] == "deadlock"], name, findings)


SERVER = """
import os, socket
server = socket.socket()
server.bind(("127.0.0.1", 0))
server.listen()
os.write(1, b"%d\\n" % server.getsockname()[1])
connection, _ = server.accept()
os.read(os.pipe()[0], 1)
"""

CLIENT = """
import os, socket
os.write(1, b"%d\\n" % os.getpid())
socket.create_connection(("127.0.0.1", PORT)).recv(1)
"""


@scenario("when the limit fires, who outside the trace could help is looked up, and told once")
def outside_server(directory):
    place = os.path.join(directory, "server")
    os.mkdir(place)
    server = start(place, [PYTHON, "-c", SERVER])
    try:
        wait_for(lambda: parties(server), "the server to listen")
        client = CLIENT.replace("PORT", str(parties(server).pop()))
        text, _, result = traced(directory, [PYTHON, "-c", client])
        told = [line for line in text.splitlines() if " blocked " in line]
        expect_equal(len(told), 1, f"one finding: {text}")
        expect_in(f"python3[{parties(result).pop()}]", told[0], "who waits")
        expect_in(f"python3[{server.process.pid}]", told[0], "for whom, outside the trace")
    finally:
        server.process.kill()
        server.process.wait()


UDP_SERVER = """
import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 0))
{first}
while True:
    server.sendto(b"!", server.recvfrom(9)[1])
"""
UDP_SERVES = UDP_SERVER.format(first="""
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.sendto(b"?", server.getsockname())
""")
UDP_ASKS = UDP_SERVER.format(first="""
silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
silent.bind(("127.0.0.1", 0))
server.sendto(b"?", silent.getsockname())
""")


@scenario("what the time limit ended is told in any case: a note where it waited as sound ones do")
def limit_told(directory):
    commands = {
        "sleeps": (["sleep", "60"], "blocked note", "clock_nanosleep()"),
        "child sleeps": (["sh", "-c", "sleep 60 | cat; true"], "blocked note", "wait4()"),
        "own threads": (
            [PYTHON, "-c", "import threading; threading.Event().wait()"], "blocked warning",
            "futex()",
        ),
        "serves datagrams": ([PYTHON, "-c", UDP_SERVES], "blocked note", "recvfrom(3)"),
        "asks for one": ([PYTHON, "-c", UDP_ASKS], "no-answer warning", "recvfrom(3)"),
    }  # fmt: skip
    for name, (command, what, waits), place in each_in_place(directory, commands):
        result = run(place, command, "--timeout", "1.5", "--lang", "en", status=TIMED_OUT,
                     whole=False)  # fmt: skip
        found = [f for f in diagnose(result.trace_path)[0] if f["id"] in ("blocked", "no-answer")]
        expect_equal([f"{f['id']} {f['severity']}" for f in found], [what], name)
        expect_in(f" {found[0]['id']}  {command[0].rpartition('/')[2]}[", result.stderr.decode(), name)
        expect_in(waits, found[0]["text"], name)


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


def name_of(pid):
    with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
        return file.read().strip()


def looker(pid):
    """The child of ipclens that keeps the privilege to look, once the command runs; else None."""
    names = {name_of(child): child for child in children(pid)}
    return names.get("ipclens") if "sleep" in names else None


@scenario("a look at the limit that fails or takes too long is told, and the trace's findings hold")
def look_fails(directory):
    for number in (signal.SIGKILL, signal.SIGSTOP):
        place = os.path.join(directory, str(number))
        os.mkdir(place)
        words = recorder(
            place, ["sleep", "60"], "--timeout", "2", "--lang", "en", verb="run", output="--trace"
        )
        result = start(place, words)
        wait_for(lambda result=result: looker(result.process.pid), "the one that looks")
        os.kill(looker(result.process.pid), number)
        finish(result.wait(), TIMED_OUT, False)
        text = result.stderr.decode()
        expect_equal(text.count("the findings are of the trace alone"), 1, f"{number}: {text}")
        expect_in(" blocked  sleep[", text, "what the trace tells")


# It prints a line, and then waits for clients.
SERVES_LATER = """
import os, socket
print("listening", flush=True)
os.write(2, b"%d " % os.getpid())
socket.create_server(("127.0.0.1", 0)).accept()
"""

# The job that is left behind logs itself; nobody waits for it.
LEFT = {
    "pipeline": ["bash", "-c", "(echo $BASHPID >&2; exec sleep 60) | cat"],
    "piped job": ["bash", "-c", "({ echo $BASHPID >&3; exec sleep 60; } &) 3>&2 | cat"],
    "substitution": ["bash", "-c", "x=$({ echo $BASHPID >&2; exec sleep 60; } &)"],
    "communicate": [PYTHON, "-c", """
import subprocess
job = "sh -c 'echo $$ >&2; exec sleep 60' &"
subprocess.run(job, shell=True, stdout=subprocess.PIPE)
"""],
    "after others wrote": ["bash", "-c", "(echo started; sleep 60 & echo $! >&3) 3>&2 | cat"],
    "substitution of a server": ["bash", "-c", f"x=$({PYTHON} -c '{SERVES_LATER}' &)"],
}  # fmt: skip


@scenario("a job left in the background keeps a reader from its end: a warning that names it")
def left_in_background(directory):
    for name, command, place in each_in_place(directory, LEFT):
        text, findings, result = traced(place, command)
        wanted = "blocked" if name == "pipeline" else "no-eof"
        looked, untraced_result = untraced(place, command, has_told, wanted)
        for found, run_of in ((findings, result), (looked, untraced_result)):
            told = [f for f in found if f["id"] == "no-eof"]
            if name == "pipeline":
                expect(not told and not severe(found), "a pipeline's writer is not left", found)
                continue
            expect_equal([f["severity"] for f in told], ["warning"], f"{name} {found}")
            expect_in("redirect its output", told[0]["advice"], "the remedy")
            expect_in(job_of(run_of), told[0]["processes"], "the job")
        expect(("no-eof" in text) == (name != "pipeline"), "run says so", text)


# Who writes there is asleep and an orphan, too, but is meant to be read: it has written, it started
# its reader itself, or was started together with it.
READ_ON_PURPOSE = {
    "log of a server": ["bash", "-c", f"({PYTHON} -c '{SERVES_LATER}' &) | cat"],
    "own logger": [PYTHON, "-c", """
import os, socket, subprocess, time
if os.fork():
    time.sleep(60)
if os.fork():
    os._exit(0)
logger = subprocess.Popen("cat", stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
os.write(2, b"%d " % os.getpid())
os.dup2(logger.stdin.fileno(), 1)
os.dup2(1, 2)
logger.stdin.close()
socket.create_server(("127.0.0.1", 0)).accept()
"""],
    "pipeline in the background": [
        "bash", "-c", "({ echo $BASHPID >&2; exec sleep 60; } | cat >/dev/null &); sleep 60",
    ],
}  # fmt: skip


@scenario("who reads what a server writes, or what was started with it, is told no remedy for a job")
def read_on_purpose(directory):
    for name, command, place in each_in_place(directory, READ_ON_PURPOSE):
        text, findings, _ = traced(place, command)
        expect(" no-eof " not in text, name, text)
        expect_equal(severe(findings), [], name)
        for whom in (lambda result: result.process.pid, job_of):
            looked = os.path.join(place, whom.__name__)
            os.mkdir(looked)
            expect_equal(severe(untraced(looked, command, has_told, "blocked", whom=whom)[0]), [], name)


# Nobody has read from the pipe, and who could is asleep; it has read a line, and sleeps on each: that
# it keeps its writer waiting is seen in a trace, and -p cannot tell it from one that will go on soon.
FILLED = {
    "never read": (
        "seq 1000000 | { echo $BASHPID >&2; exec sleep 60; }", ["full-channel"], ["full-channel"],
    ),
    "read slowly": (
        "yes | while read -r line; do echo $BASHPID >&2; sleep 60; done", ["full-channel"], [],
    ),
}  # fmt: skip


@scenario("of a pipeline whose last command never reads -p of its shell says what run says")
def pipe_filled(directory):
    for name, (script, by_trace, by_look), place in each_in_place(directory, FILLED):
        command, waits_for = ["bash", "-c", script], (by_look or ["blocked"])[0]
        _, findings, _ = traced(place, command, 3)
        looked, result = untraced(place, command, has_told, waits_for)
        expect_in(result.process.pid, looked[0]["processes"], "the shell")
        for found, told in ((findings, by_trace), (looked, by_look)):
            expect_equal([f["id"] for f in severe(found)], told, name)


STOPPED = {
    "child": ["bash", "-c", "sh -c 'echo $$ >&2; kill -STOP $$' & wait"],
    "writer": ["bash", "-c", "cat < <(echo $BASHPID >&2; kill -STOP $BASHPID; echo too late)"],
}


# What computes, and what asks again and again, with the calls that it makes.
SPINNING = {
    "python": ([PYTHON, "-c", "print(1, flush=True)\nwhile True: pass"], "it computes"),
    "sh": (["sh", "-c", "echo 1; while :; do :; done"], "it computes"),
    "file": (
        [PYTHON, "-c", "import os\nprint(1, flush=True)\nwhile not os.access('x', 0): pass"],
        "access() = ENOENT ",
    ),
    "child": ([PYTHON, "-c", """
import os, signal
child = os.fork()
if not child:
    signal.pause()
print(1, flush=True)
while os.waitpid(child, os.WNOHANG) == (0, 0):
    pass
"""], "wait4() "),
    "pipe": ([PYTHON, "-c", """
import os
import signal
end = os.pipe()[0]
os.set_blocking(end, False)
print(1, flush=True)
while True:
    try:
        os.read(end, 1)
    except BlockingIOError:
        pass
"""], "read(3) = EAGAIN "),
}  # fmt: skip


@scenario("a stopped process is told where others wait for it, by run, in its trace and by -p")
def stopped(directory):
    for name, command, place in each_in_place(directory, STOPPED):
        text, findings, result = traced(place, command)
        expect_in(" stopped  ", text, "run says so")
        looked, untraced_result = untraced(place, command, has_told, "stopped")
        for found, run_of in ((findings, result), (looked, untraced_result)):
            told = expect_named(found, "stopped", {job_of(run_of)})
            expect_equal(told["severity"], "warning", name)
            expect_in(f"kill -CONT {job_of(run_of)}", told["advice"], "the remedy")


@scenario("of a process that runs -p says so, and which calls it makes all the time")
def running(directory):
    for name, (command, calls), place in each_in_place(directory, SPINNING):
        findings, result = untraced(place, command, parties, "running")
        told = expect_named(findings, "running", {result.process.pid})
        expect_equal(told["severity"], "note", "it is no fault")
        expect_in(calls, told["text"], f"{name}: in which loop")


# Where the one that runs is not the command itself, it is told of, too.
RUNNING_CHILD = ["bash", "-c", "sh -c 'while :; do :; done'; true"]


@scenario("of a command that runs until its time limit run says so, and which calls it makes")
def running_until_limit(directory):
    for name in ("sh", "file"):
        place = os.path.join(directory, name)
        os.mkdir(place)
        command, calls = SPINNING[name]
        text, findings, _ = traced(place, command)
        expect_in(calls, text, f"{name}: in which loop")
        expect_equal(text.count(" running  "), 1, f"{name} is told once: {text}")
        expect_equal(severe(findings), [], "it is no fault")
    text, _, _ = traced(directory, RUNNING_CHILD)
    expect_in("runs, and waits for nothing; in ", text, "its child")
    expect_in("sh[", text.partition(" running  ")[2], "its child is named")


CROWD = 300

# So polite that the one that is asked about gets its turn.
MANY_RUN = f"""
import os
for _ in range({CROWD}):
    if not os.fork():
        os.nice(19)
        while True:
            pass
print(1, flush=True)
os.wait()
"""

YIELDS = """
import os
print(1, flush=True)
while True:
    os.sched_yield()
"""


@scenario("however many run, -p watches all that it was asked about")
def many_run(directory):
    os.mkdir(os.path.join(directory, "crowd"))
    place = os.path.join(directory, "crowd")
    crowd = start(place, [PYTHON, "-c", MANY_RUN], start_new_session=True)
    one = start(directory, [PYTHON, "-c", YIELDS], start_new_session=True)
    try:
        wait_for(lambda: crowd.stdout and one.stdout, "all to run")
        children = f"/proc/{crowd.process.pid}/task/{crowd.process.pid}/children"
        with open(children, encoding="ascii") as file:
            pids = file.read().split()
        expect_equal(len(pids), CROWD, "the crowd")
        asked = [word for pid in (*pids, one.process.pid) for word in ("-p", str(pid))]
        findings = diagnose(*asked)[0]
        told = {f["processes"][0]: f["text"] for f in findings if f["id"] == "running"}
        advice = {f["processes"][0]: f["advice"] for f in findings if f["id"] == "running"}
        wanted = sorted([*map(int, pids), one.process.pid])
        expect_equal(sorted(told), wanted, "all are told of")
        expect_in("it called sched_yield()", told[one.process.pid], "the last one was watched")
        expect_in("sched_yield() does not wait", advice.pop(one.process.pid), "how to wait instead")
        expect("sched_yield" not in " ".join(advice.values()), "the others do not yield", advice)
    finally:
        for each in (crowd, one):
            os.killpg(each.process.pid, signal.SIGKILL)
            each.process.wait()


# SIGTERM to PID 1 of a pid namespace: by itself, from outside, and with a handler.
INITS = {
    "own": ("unshare -pf sh -c 'kill -TERM 1; true'", True),
    "outside": (
        "unshare -pf sleep 60 & U=$!; C=; "
        "until [ \"$C\" ]; do read -r C </proc/$U/task/$U/children; done; "
        "until read -r N </proc/$C/comm && [ \"$N\" = sleep ]; do :; done; "
        "kill -TERM $C; kill -KILL $C; wait $U; true",
        True,
    ),
    "handled": ("unshare -pf sh -c 'trap \"exit 0\" TERM; kill -TERM 1; sleep 9'", False),
    "no init": ("unshare -pf sh -c 'sleep 9 & kill -TERM $!; wait $!; true'", False),
}


@scenario("a signal to PID 1 of a container that has no handler for it does nothing: that is told")
def init_ignores(directory):
    for name, (script, told), place in each_in_place(directory, INITS):
        result = run(place, ["bash", "-c", script], "--lang", "en")
        found = [f for f in diagnose(result.trace_path)[0] if f["id"] == "signal-ignored"]
        expect_equal(len(found), told, f"{name}: {found}")
        for finding in found:
            expect_in("it is PID 1 of its namespace", finding["text"], name)
            expect_in("docker", finding["advice"], "what it means")


NC = "nc -l 127.0.0.1 {0} & until echo hello | nc {1} 127.0.0.1 {0}; do sleep 0.1; done; wait"


@scenario("nc that does not pass the end of its input on is named, with the option that does it")
def half_close(directory):
    command = ["sh", "-c", NC.format(free_port(), "")]
    text, findings, _ = traced(directory, command)
    told = [finding for finding in severe(findings) if finding["id"] == "blocked"]
    expect_equal(len(told), 1, f"told once: {findings}")
    expect_in("found the end of its input", " ".join(told[0]["evidence"]), "what nc has not said")
    expect_in("nc -N", told[0]["advice"], "the remedy")
    expect_in("nc -N", text, "run says so, too")
    ends = run(directory, ["sh", "-c", NC.format(free_port(), "-N")])
    expect_equal([f for f in diagnose(ends.trace_path)[0] if f["id"] == "blocked"], [], "-N")


if __name__ == "__main__":
    main()
