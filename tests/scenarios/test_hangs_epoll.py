#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Event loops that epoll tells nothing of what lies unread (EPOLLET, EPOLLONESHOT), by `run
--timeout`, in its trace and by -p; and threads that change what another one waits for.

Each workload tells who its processes are, as "name=pid", in its standard error.
"""
import os
import signal

from expectations import expect, expect_equal, expect_in
from findings import diagnose, severe
from hangs import PYTHON, hanging, looked_at, named_parties, traced
from harness import main, run, scenario, start, wait_for

MAY_RUN_BESIDE_OTHERS = True

TELL = """
import os, select, socket, sys, threading, time
def tell(name, what=None): os.write(2, f"{name}={what or os.getpid()}\\n".encode())
def wait_polling():
    # The main thread sleeps in epoll_wait(2) of x86-64, or epoll_pwait(2) of arm64.
    while True:
        with open(f"/proc/self/task/{os.getpid()}/syscall") as call:
            if call.read().split()[0] in ("232", "22"):
                return
        time.sleep(0.01)
"""

# With EPOLLET the loop is told once of what lies in its socket, and takes a part of it.
EDGE = TELL + """
ours, theirs = socket.socketpair()
if os.fork() == 0:
    ours.close()
    tell("sender")
    theirs.sendall(b"x" * 10000)
    theirs.recv(1)
    os._exit(0)
theirs.close()
loop, taken = select.epoll(), 0
loop.register(ours, select.EPOLLIN{edge})
tell("loop")
while taken < 10000:
    loop.poll()
    taken += len(ours.recv(4096))
ours.send(b"!")
os.wait()
"""

# The loop is told once of the first message, and does not ask again.
ONE_SHOT = TELL + """
ours, theirs = socket.socketpair()
if os.fork() == 0:
    ours.close()
    tell("sender")
    theirs.sendall(b"first")
    theirs.recv(1)
    theirs.sendall(b"second")
    theirs.recv(1)
    os._exit(0)
theirs.close()
loop = select.epoll()
loop.register(ours, select.EPOLLIN | select.EPOLLONESHOT)
tell("loop")
for _ in range(2):
    loop.poll()
    ours.recv(100)
    ours.send(b"!")
    {again}
os.wait()
"""
AGAIN = "loop.modify(ours, select.EPOLLIN | select.EPOLLONESHOT)"

# The same of two threads. The second message is sent when the loop has fallen asleep again.
THREADS = TELL + """
ours, theirs = socket.socketpair()
loop = select.epoll()
loop.register(ours, select.EPOLLIN | {mode})
def asleep(tid):
    with open(f"/proc/self/task/{{tid}}/stat") as stat:
        return stat.read().rsplit(")", 1)[1].split()[0] == "S"
def send():
    theirs.sendall(b"first")
    told.wait()
    wait_polling()
    {second}
    theirs.recv(1)
told = threading.Event()
threading.Thread(target=send, daemon=True).start()
tell("both")
while True:
    loop.poll()
    ours.recv(2)
    told.set()
"""

# While the loop sleeps, another thread takes away what it waits for, and gives it another pipe.
CHANGED = TELL + """
first, second = os.pipe(), os.pipe()
loop = select.epoll()
loop.register(first[0], select.EPOLLIN)
def change():
    wait_polling()
    loop.register(second[0], select.EPOLLIN)
    loop.unregister(first[0])
    tell("pipe", os.fstat(second[0]).st_ino)
    tell("parent")
if os.fork() == 0:
    os.close(first[1])
    tell("child")
    os.read(first[0], 1)
os.close(second[1])
threading.Thread(target=change).start()
loop.poll()
"""


def command(text):
    return [PYTHON, "-c", text]


def evidence(finding):
    return "\n".join(finding["evidence"])


@scenario("an edge-triggered loop that leaves bytes unread is told so; a level-triggered one reads on")
def edge_triggered(directory):
    text, findings, result = traced(directory, command(EDGE.replace("{edge}", "| select.EPOLLET")))
    names = named_parties(result)
    (found,) = severe(findings)
    expect_equal((found["id"], found["severity"]), ("deadlock", "error"), "what it is")
    expect_equal(set(found["processes"]), set(names.values()), "who is in it")
    expect_in("5904 B lie unread in unix-stream", evidence(found), "what was left")
    expect_in(f"python3[{names['loop']}] is told of new bytes only", found["advice"], "the remedy")
    expect_in("let it read until EAGAIN", text, "run says so")
    place = os.path.join(directory, "level")
    os.mkdir(place)
    result = run(place, command(EDGE.replace("{edge}", "")))
    expect_equal(severe(diagnose(result.trace_path)[0]), [], "it reads all, and ends")



def check_one_shot(found, names):
    expect_equal(found["id"], "blocked", "what it is")
    expect_in("(EPOLLONESHOT), has done so, and was not asked again", evidence(found), "why")
    expect_in(f"let python3[{names['loop']}] ask epoll again", found["advice"], "the remedy")


@scenario("a one-shot loop that does not ask again is told so by run, trace and -p")
def one_shot(directory):
    hangs = command(ONE_SHOT.replace("{again}", ""))
    text, findings, result = traced(directory, hangs)
    names = named_parties(result)
    (found,) = severe(findings)
    check_one_shot(found, names)
    expect_in("; 6 B lie unread there", evidence(found), "the second message")
    expect_in("epoll_ctl(EPOLL_CTL_MOD)", text, "run says so")
    process = start(directory, hangs, start_new_session=True)
    try:
        wait_for(lambda: hanging(2)(process), "both to sleep")
        names = named_parties(process)
        for name in names:
            told = lambda found: any("EPOLLONESHOT" in evidence(f) for f in found)
            check_one_shot(severe(looked_at(names[name], told, "the loop")[0])[0], names)
    finally:
        os.killpg(process.process.pid, signal.SIGKILL)
        process.process.wait()


@scenario("a one-shot loop that asks again ends, and nothing is found")
def asked_again(directory):
    result = run(directory, command(ONE_SHOT.replace("{again}", AGAIN)))
    expect_equal(severe(diagnose(result.trace_path)[0]), [], "it reads all, and ends")


@scenario("two threads of one process at a socket pair: not an end that should be closed")
def threads(directory):
    for mode, second, why in (
        ("EPOLLET", "pass", "is not told again (EPOLLET)"),
        ("EPOLLONESHOT", 'theirs.sendall(b"second")', "was not asked again; 9 B lie unread there"),
    ):
        place = os.path.join(directory, mode)
        os.mkdir(place)
        text = THREADS.replace("{mode}", "select." + mode).replace("{second}", second)
        said, findings, _ = traced(place, command(text))
        (found,) = severe(findings)
        expect_equal(found["id"], "blocked", mode)
        expect_in(why, evidence(found), mode)
        expect_in("! blocked  python3", said, "run says the same")
        expect_in(why, said, "run says why")


@scenario("what another thread makes a sleeping loop wait for is what it waits for")
def changed(directory):
    _, findings, result = traced(directory, command(CHANGED))
    names = named_parties(result)
    pipe = names.pop("pipe")
    (found,) = severe(findings)
    expect_equal((found["id"], found["severity"]), ("deadlock", "error"), "what it is")
    expect_equal(set(found["processes"]), set(names.values()), "who is in it")
    what = f"pipe:[{pipe}]: only python3[{names['child']}]"
    expect_in(what, evidence(found), "what the loop waits for")


main()
