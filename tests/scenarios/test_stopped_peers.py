#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Who waits for a process that is stopped is told so: a socket's other end, a terminal's job."""
import os
import re

from expectations import expect, expect_equal, expect_in
from hangs import PYTHON, expect_named, named_parties, traced, untraced
from harness import each_in_place, main, needs, scenario

MAY_RUN_BESIDE_OTHERS = True

# The peer stops itself once the connection stands; each logs who it is.
PROGRAM = """
import os, select, signal, socket
{connect}
if not os.fork():
    {peer}
    os.write(1, b"%d\\n" % os.getpid())
    os.kill(os.getpid(), signal.SIGSTOP)
{own}
os.write(1, b"%d\\n" % os.getpid())
{wait}
"""

CONNECTIONS = {
    "unix": ("own, other = socket.socketpair()", "own.close()", "other.close()"),
    "tcp": (
        'server = socket.create_server(("127.0.0.1", 0))',
        "server, other = server.accept()[0], server.close()",
        "own = socket.create_connection(server.getsockname()); server.close()",
    ),
}

WAITS = {
    "poll": "poll = select.poll(); poll.register(own, select.POLLIN); poll.poll()",
    "select": "select.select([own], [], [])",
    "epoll": "epoll = select.epoll(); epoll.register(own, select.EPOLLIN); epoll.poll()",
    "two": "mine = os.pipe(); select.select([own, mine[0]], [], [])",
    "thread": "import threading; threading.Thread(target=threading.Event().wait, daemon=True)"
    ".start(); select.select([own], [], [])",
}


def state(pid):
    with open(f"/proc/{pid}/stat", "rb") as file:
        return file.read().rpartition(b")")[2].split()[0]


def ready(result):
    pids = [int(word) for word in result.stdout.split()]
    return len(pids) == 2 and sorted(map(state, pids)) == [b"S", b"T"]


def look(directory, connection, wait):
    connect, peer, own = CONNECTIONS[connection]
    text = PROGRAM.format(connect=connect, peer=peer, own=own, wait=WAITS[wait])
    findings, result = untraced(directory, [PYTHON, "-c", text], ready, "stopped")
    waiting = result.process.pid
    stopped = next(pid for pid in map(int, result.stdout.split()) if pid != waiting)
    told = [f for f in findings if f["severity"] != "note"]
    expect_equal([f["id"] for f in told], ["stopped"], f"one finding: {findings}")
    expect({waiting, stopped} <= set(told[0]["processes"]), "both are named", told)
    expect_in(f"python3[{stopped}] is stopped", told[0]["text"], "who is stopped")
    expect_in(f"python3[{waiting}]", " ".join(told[0]["evidence"]), "who waits for it")
    expect_in(f"kill -CONT {stopped}", told[0]["advice"], "what to do")


for each in [(connection, wait) for connection in CONNECTIONS for wait in WAITS]:
    scenario(f"{each[1]} on {each[0]}: the peer, which is stopped, is named")(
        lambda directory, each=each: look(directory, *each)
    )


# Runs the code as the leader of a terminal's session; who it is about goes to descriptor 3.
TERMINAL = """
import os, pty
os.dup2(2, 3)
if not pty.fork()[0]:
    {code}
os.wait()
"""

# A job in a process group of its own, for whose end its parent waits.
CHILD = """import termios
    def tell(name): os.write(3, b"%s=%d\\n" % (name, os.getpid()))
    now = termios.tcgetattr(0)
    now[3] |= termios.TOSTOP
    termios.tcsetattr(0, termios.TCSANOW, now)
    job = os.fork()
    if not job:
        os.setpgid(0, 0)
        tell(b"job")
        {act}
        os._exit(0)
    tell(b"waiter")
    os.waitpid(job, 0)"""

# A job of a shell, from which a command in the foreground reads.
SHELL = """os.execlp("bash", "bash", "--norc", "-ic", r'''
        cd "{place}"; rm -f fifo; mkfifo fifo; stty tostop
        (exec >fifo; echo job=$BASHPID >&3; {act}) &
        (echo waiter=$BASHPID >&3; exec wc -c <fifo)
    ''')"""

# Name: the signal, the code, the remedy.
JOBS = {
    "reads": ("SIGTTIN", CHILD.format(act="os.read(0, 1)"), "/dev/null"),
    "writes": ("SIGTTOU", CHILD.format(act='os.write(1, b"x")'), "stty -tostop"),
    "reads in bash": ("SIGTTIN", SHELL.replace("{act}", "exec cat"), "/dev/null"),
    "writes in bash": ("SIGTTOU", SHELL.replace("{act}", "echo >&2"), "stty -tostop"),
}


def names(result):
    told = re.findall(r"(?m)^(job|waiter)=(\d+)$", result.stderr.decode())
    return {name: int(pid) for name, pid in told}


def job_stopped(result):
    told = names(result)
    return len(told) == 2 and state(told["job"]) == b"T" and state(told["waiter"]) == b"S"


@scenario("a job in the background that the terminal stopped is named, with the signal, each way")
def jobs(directory):
    for name, (signal, code, remedy), place in each_in_place(directory, JOBS):
        text = TERMINAL.format(code=code.replace("{place}", place))
        told, findings, result = traced(place, [PYTHON, "-c", text], 4)
        words = f"[{names(result)['job']}] is stopped by {signal} "
        expect_in(words, " ".join(told.split()), f"{name}: run says so")
        looked, looked_at = untraced(place, [PYTHON, "-c", text], job_stopped, "stopped")
        for found, run_of in ((findings, result), (looked, looked_at)):
            job, waiter = names(run_of)["job"], names(run_of)["waiter"]
            finding = expect_named(found, "stopped", {job, waiter})
            expect_equal(finding["severity"], "warning", name)
            expect_in(f"[{job}] is stopped by {signal} ", finding["text"], f"{name}: by what")
            expect_in(f"[{waiter}] ", " ".join(finding["evidence"]), f"{name}: who waits")
            expect_in("fg in the shell of", finding["advice"], f"{name}: how it goes on")
            expect_in(f"kill -CONT {job} alone", finding["advice"], f"{name}: how it does not")
            expect_in(remedy, finding["advice"], f"{name}: the remedy")


# The server is stopped once it listens; the kernel goes on to take connections for it.
LISTENER = """
import os, signal, socket
listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
os.write(1, b"%d\\n" % listener.getsockname()[1])
os.write(2, b"server=%d\\n" % os.getpid())
os.kill(os.getpid(), signal.SIGSTOP)
listener.accept()
"""
CLIENT = """
mkfifo told; {python} -c '{server}' >told & read -r port <told
echo client=$$ >&2; exec {client}
"""
STOPPED_CLIENTS = {
    "curl": "curl -sS --noproxy '*' http://127.0.0.1:$port/",
    "node": """node -e 'fetch("http://127.0.0.1:" + process.argv[1])' $port""",
    "psql": "psql -h 127.0.0.1 -p $port",
}


def expect_only_stopped(name, findings, result):
    pids = named_parties(result)
    told = [f for f in findings if f["severity"] != "note"]
    expect_equal([f["id"] for f in told], ["stopped"], f"{name}: one finding: {findings}")
    expect_named(findings, "stopped", set(pids.values()))
    expect_equal(told[0]["processes"][0], pids["server"], f"{name}: who is stopped")
    expect_in(f"[{pids['client']}] ", " ".join(told[0]["evidence"]), f"{name}: who waits")


@scenario("of a stopped server that accepts nobody it is told once, with who waits, each way")
def stopped_listener(directory):
    for name, client in STOPPED_CLIENTS.items():
        needs(name)
        server = LISTENER.replace("BACKLOG", "5")
        script = CLIENT.format(python=PYTHON, server=server, client=client)
        places = [os.path.join(directory, name + word) for word in ("-run", "-look")]
        for place in places:
            os.mkdir(place)
        text, findings, result = traced(places[0], ["sh", "-c", f"cd {places[0]}; {script}"], 5)
        expect_in(" is stopped by SIGSTOP ", text, f"{name}: run says so")
        expect("never accepted" not in text, f"{name}: run says it once", text)
        expect_only_stopped(name, findings, result)
        looked, result = untraced(
            places[1], ["sh", "-c", f"cd {places[1]}; {script}"],
            lambda result: len(named_parties(result)) == 2, "stopped",
        )  # fmt: skip
        expect_only_stopped(name, looked, result)


if __name__ == "__main__":
    main()
