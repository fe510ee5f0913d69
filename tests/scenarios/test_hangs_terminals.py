#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Two programs at the ends of a pseudo-terminal that wait for each other; and sound twins."""
import os
import signal
import time

from expectations import expect, expect_equal, expect_in
from findings import diagnose, expect_nothing_rests_on_a_gap, severe
from hangs import PYTHON, TIMED_OUT, asleep, traced, untraced
from harness import each_in_place, main, needs, record, scenario, start, wait_for
from places import on_terminal
from traces import call

MAY_RUN_BESIDE_OTHERS = True

# A child reads a line at the slave; its parent types a name and waits at the master for the answer.
ASKS = """
import os, pty, time
master, slave = pty.openpty()
child = os.fork()
if not child:
    os.close(master)
    name = os.read(slave, 100)
    os.write(slave, b"hi " + name)
    os._exit(0)
os.close(slave)
print(os.getpid(), child, flush=True)
os.write(master, b"TYPED")
got = b""
while b"hi" not in got:
    got += os.read(master, 100)
os.wait()
"""

# A child in raw mode, to which nothing is sent: it waits for a key, and its parent for its output.
RAW = """
import os, pty, tty
child, master = pty.fork()
if not child:
    tty.setraw(0)
    os.write(1, b"ready")
    os.read(0, 1)
    os._exit(0)
while len(os.read(master, 100)) < 5:
    pass
os.read(master, 100)
"""

EXPECT = """
set timeout {limit}
spawn sh -c {{printf "Passwort: "; read x; echo ok}}
expect "Password:"
send "s\\r"
"""


def recorded(directory, name, command, status):
    place = os.path.join(directory, name)
    os.mkdir(place)
    return record(place, command, "--timeout", "3", status=status, whole=False)


def asks(typed):
    return [PYTHON, "-c", ASKS.replace("TYPED", typed)]


def check_circle(findings, name):
    found = severe(findings)
    expect_equal([finding["id"] for finding in found], ["deadlock"], name)
    expect("outside the trace" not in str(found), "nobody outside could help", found)
    return found[0]


@scenario("who types no end of the line waits for an answer that cannot come, and is told why")
def lacks_line_end(directory):
    run = recorded(directory, "traced", asks("joe"), TIMED_OUT)
    found = check_circle(diagnose(run.trace_path)[0], "a name without a line's end")
    expect_in("whole lines only (ICANON)", " ".join(found["evidence"]), "why")
    expect_in("send the end of the line too", found["advice"], "the remedy")
    expect_nothing_rests_on_a_gap(run.trace_path, 3)


@scenario("-p tells of the circle, too")
def not_traced(directory):
    pids = lambda result: [int(word) for word in result.stdout.split()]
    both = lambda result: len(pids(result)) == 2 and all(map(asleep, pids(result)))
    check_circle(untraced(directory, asks("joe"), both, "deadlock")[0], "-p")


@scenario("a program that waits for a key is in a circle with who has the master and waits, too")
def raw(directory):
    run = recorded(directory, "traced", [PYTHON, "-c", RAW], TIMED_OUT)
    found = check_circle(diagnose(run.trace_path)[0], "raw")
    expect("ICANON" not in " ".join(found["evidence"]), "nothing was sent", found)


@scenario("with the end of the line both go on")
def sound(directory):
    run = recorded(directory, "traced", asks("joe\\n"), 0)
    expect_equal(severe(diagnose(run.trace_path)[0]), [], "nothing is wrong")


@scenario("expect(1) that waits for a prompt which does not come is in a circle with its program")
def wrong_prompt(directory):
    needs("expect")
    script = EXPECT.format(limit=-1)
    run = recorded(directory, "traced", ["expect", "-c", script], TIMED_OUT)
    found = check_circle(diagnose(run.trace_path)[0], "expect")
    expect_in("expect[", found["text"], "who has the master")


@scenario("expect(1) with a time limit goes on; its program waits for it, and for no key")
def timed_prompt(directory):
    needs("expect")
    script = EXPECT.format(limit=60)
    run = recorded(directory, "traced", ["expect", "-c", script], TIMED_OUT)
    findings = diagnose(run.trace_path)[0]
    expect_equal(severe(findings), [], "nothing is wrong yet")
    expect("a key press" not in str(findings), "nobody types there", findings)


# Each waits, in the way of its own library, for words that its program never prints.
TALKERS = {
    "expect": ["expect", "-c", EXPECT.format(limit=-1)],
    "expect of bash": ["expect", "-c", """set timeout -1
spawn bash --norc -i
expect "never said" """],
    "pexpect": [PYTHON, "-c", """import pexpect
child = pexpect.spawn("sh", ["-c", 'printf "Passwort: "; read x'], timeout=None)
child.expect("Password:")"""],
    "Expect": ["perl", "-e", """use Expect;
my $child = Expect->spawn("sh", "-c", 'printf "Passwort: "; read x');
$child->log_stdout(0);
$child->expect(undef, "Password:");"""],
}
MODULES = {"pexpect": [PYTHON, "-c", "import pexpect"], "Expect": ["perl", "-MExpect", "-e", "1"]}


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


def waits_for_key(pid):
    """It sleeps, and shows that it is a program of its own by what it holds: no master."""
    master = "/dev/ptmx", "/dev/pts/ptmx"
    try:
        names = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
    except FileNotFoundError:  # it has just closed one
        return False
    return asleep(pid) and not any(name in master for name in names)


def child_waits(result):
    children = children_of(result.process.pid)
    return len(children) == 1 and waits_for_key(children[0]) and asleep(result.process.pid)


def available(name):
    module = MODULES.get(name)
    needs(TALKERS[name][0])
    return not module or os.spawnvp(os.P_WAIT, module[0], module) == 0


@scenario("expect(1), pexpect and Perl's Expect that wait for what never comes are told so in each way")
def talkers(directory):
    for name, command, place in each_in_place(directory, TALKERS):
        if not available(name):
            continue
        said, findings, _ = traced(place, command, 3)
        advice = check_circle(findings, name)["advice"]
        expect_in("deadlock", said, f"{name}: run says so")
        child = lambda result: children_of(result.process.pid)[0]
        for number, whom in enumerate((lambda result: result.process.pid, child)):
            folder = os.path.join(place, str(number))
            os.mkdir(folder)
            found, result = untraced(folder, command, child_waits, "deadlock", whom=whom)
            told = check_circle(found, f"{name}, by -p")
            expect_in(result.process.pid, told["processes"], name)
            plain = lambda text: "".join(letter for letter in text if not letter.isdigit())
            expect_equal(plain(told["advice"]), plain(advice), f"{name}: the same remedy")


ALONE = """
import os, pty, select, signal, socket, threading
WHAT
pid, master = pty.fork()
if not pid:
    os.execvp("sh", ["sh", "-c", "printf ready >&2; read x"])
WAITS
"""
LOOPS = "while select.select([master], [], [])[0]:\n    os.read(master, 99)"
ON_TERMINAL = {
    "script": ["script", "-qc", "sh -c 'read x'", "/dev/null"],
    "interact": ["expect", "-c", "set timeout -1\nspawn -noecho sh -c {read x}\ninteract"],
    "pty.spawn": [PYTHON, "-c", "import pty\npty.spawn(['sh', '-c', 'read x'])"],
    "timed": ["expect", "-c", "set timeout 1000\nspawn sh -c {read x}\nexpect never"],
    # As a terminal emulator: who asks it for something comes by another thread.
    "threads": ("listener = socket.create_server((\"127.0.0.1\", 0))\n"
                "threading.Thread(target=listener.accept).start()", LOOPS),
    # A signal makes it type.
    "told": ("signal.signal(signal.SIGUSR1, lambda *_: os.write(master, b\"x\\n\"))", LOOPS),
    # In one loop with its users, who come by a socket.
    "served": ("listener = socket.create_server((\"127.0.0.1\", 0))",
               LOOPS.replace("[master]", "[master, listener]", 1)),
}


def words_of(command):
    if isinstance(command, list):
        return command
    return [PYTHON, "-c", ALONE.replace("WHAT", command[0]).replace("WAITS", command[1])]


def expect_sound(pids, name):
    for pid in pids:
        expect_equal(severe(diagnose("-p", str(pid))[0]), [], f"{name}: -p of {pid}")


@scenario("who passes on what a user types, or may type when asked, is in no circle with its program")
def passes_on(directory):
    for name, command in ON_TERMINAL.items():
        needs(words_of(command)[0])
        process, master, screen = on_terminal(words_of(command), cwd=directory)
        try:
            wait_for(lambda pid=process.pid: screen() is not None and asleep(pid) and
                     children_of(pid) and waits_for_key(children_of(pid)[0]), f"{name} to wait")
            time.sleep(1.5)  # a wait is told of when it has lasted for half a second
            expect_sound([process.pid, *children_of(process.pid)], name)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            os.close(master)


# A device that is simulated, and a program that somebody started at it.
DEVICE = """
import os, pty, select, tty
master, slave = pty.openpty()
tty.setraw(slave)
print(os.getpid(), flush=True)
print(os.ttyname(slave), flush=True)
while select.select([master], [], [])[0]:
    os.read(master, 99)
"""
AT_DEVICE = "import os, sys; os.write(1, b'%d' % os.getpid()); open(sys.argv[1]).read(1)"


@scenario("a device that is simulated waits for whoever opens it, also while one of them waits for it")
def simulated(directory):
    places = [os.path.join(directory, name) for name in ("device", "user")]
    for place in places:
        os.mkdir(place)
    device = start(places[0], [PYTHON, "-c", DEVICE])
    wait_for(lambda: device.stdout.count(b"\n") == 2, "the device")
    user = start(places[1], [PYTHON, "-c", AT_DEVICE, device.stdout.split()[1].decode()])
    pids = [device.process.pid, user.process.pid]
    try:
        wait_for(lambda: user.stdout and all(map(asleep, pids)), "both to wait")
        time.sleep(1.5)  # as above
        expect_sound(pids, "a device")
    finally:
        for run in (device, user):
            run.process.kill()
            run.process.wait()


@scenario("a program at a terminal of tmux that waits for a key is in no circle with it")
def in_tmux(directory):
    needs("tmux")
    tmux = ["tmux", "-f", "/dev/null", "-S", os.path.join(directory, "socket")]
    call([*tmux, "new-session", "-d", "sh", "-c", "read x"])
    try:
        pids = call([*tmux, "display", "-p", "#{pid} #{pane_pid}"]).stdout.split()
        wait_for(lambda: asleep(int(pids[1])), "it to wait")
        time.sleep(1.5)  # as above
        expect_sound([int(pid) for pid in pids], "tmux")
    finally:
        call([*tmux, "kill-server"])


if __name__ == "__main__":
    main()
