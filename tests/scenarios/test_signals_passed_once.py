#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Signals and job control: the command gets each signal once, as it would without ipclens."""
import ctypes
import os
import pty
import re
import select
import shlex
import signal
import subprocess
import time

from expectations import Failure, expect, expect_equal
from harness import main, recorder, scenario, test_user, wait_for
from places import on_terminal, user_folder
from traces import IPCLENS, TIMEOUT, Trace

# Those that a process can handle and that no library keeps for itself.
NUMBERS = sorted(
    set(signal.valid_signals()) - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD, signal.SIGCONT}
)

# Handles every signal and tells how often each came; `do` is what it does first.
COUNTER = """
import collections, os, signal, sys, time
came = collections.Counter()
numbers = %r
for number in numbers:
    signal.signal(number, lambda n, _: came.update([n]))
%s
end = time.monotonic() + %g
while time.monotonic() < end:
    time.sleep(0.01)
print(dict(sorted(came.items())))
"""


def counter(do, settle=0.4):
    """It waits longer than ipclens takes to pass anything on."""
    return ["/usr/bin/python3", "-c", COUNTER % ([int(n) for n in NUMBERS], do, settle)]


def recorded(directory, command):
    return recorder(directory, command), os.path.join(directory, "trace.ndjson")


def in_group(arguments, **options):
    """In a session and group of its own, so that its signals reach nobody else."""
    return subprocess.run(
        arguments,
        stdout=subprocess.PIPE,
        start_new_session=True,
        timeout=TIMEOUT,
        check=False,
        **options,
    )


@scenario("what a command sends to its own group comes to each of its processes once, every signal")
def own_group(directory):
    command = counter("for number in numbers: os.kill(0, number)")
    alone = in_group(command)
    wanted = {int(n): 1 for n in NUMBERS}
    expect_equal(eval(alone.stdout), wanted, "each once, alone")
    path = os.path.join(directory, "trace.ndjson")
    for how in (["record", "-o"], ["run", "--live", "--trace"]):
        traced = in_group([IPCLENS, *how, path, "--", *command], stderr=subprocess.PIPE)
        expect_equal((traced.returncode, eval(traced.stdout)), (0, wanted), "each once, traced")
        expect_equal(Trace(path).trailer()["why"], "finished", "and the trace is whole")
    expect(b"SIGRTMIN+30" in traced.stderr, "told live, to the last one", traced.stderr)


@scenario("trap 'echo HUP' HUP; kill -HUP 0 prints once, by run and by record, and from a child")
def kill_zero(directory):
    for script in (
        "trap 'echo HUP' HUP; kill -HUP 0; sleep 0.3",
        "trap 'echo HUP' HUP; sh -c 'trap : HUP; kill -HUP 0'; sleep 0.3",
    ):
        for how in ("run", "record"):
            option = "--trace" if how == "run" else "-o"
            path = os.path.join(directory, how)
            words = [IPCLENS, how, option, path, "--", "sh", "-c", script]
            result = in_group(words, stderr=subprocess.DEVNULL)
            expect_equal((result.returncode, result.stdout), (0, b"HUP\n"), how)


@scenario("kill -1 of an ordinary user, and ipclens beside it, which survives to write the trace")
def kill_all(directory):
    user = test_user()  # nothing but this runs as that user, also ipclens once it is ready
    words, path = recorded(user_folder(user, directory), counter("os.kill(-1, signal.SIGUSR1)"))
    ids = {"SUDO_UID": str(user.pw_uid), "SUDO_GID": str(user.pw_gid), "SUDO_USER": user.pw_name}
    done = in_group(words, env={**os.environ, **ids})
    expect_equal((done.returncode, eval(done.stdout)), (0, {}), "kill(2) spares who calls it")
    sent = Trace(path).of("signal", event="generate", signal="SIGUSR1")
    expect_equal(len(sent), 1, "those that ipclens, the only other one, was sent")
    expect_equal(Trace(path).trailer()["why"], "finished", "its end")


@scenario("SIGKILL to the whole group: what was written of the trace can be read")
def kill_group(directory):
    script = "echo a | cat >/dev/null; sleep 0.5; kill -KILL 0"
    words, path = recorded(directory, ["sh", "-c", script])
    expect_equal(in_group(words).returncode, -signal.SIGKILL, "its status")
    done = subprocess.run([IPCLENS, "messages", path], capture_output=True, check=False)
    expect(b'"mechanism":"pipe"' in done.stdout, "the message before is there", done.stdout)
    expect(b"cut off" in done.stderr, "and that the rest is missing is told", done.stderr)


def waiting(directory, settle=0.4):
    """A counter under ipclens that has told its pid and ends a while after SIGUSR2."""
    ready = os.path.join(directory, "ready")
    do = (
        f"open({ready!r} + '.new', 'w').write(str(os.getpid())); "
        f"os.rename({ready!r} + '.new', {ready!r})\n"
        "while not came[signal.SIGUSR2]: time.sleep(0.01)"
    )
    words, path = recorded(directory, counter(do, settle))
    process = subprocess.Popen(words, stdout=subprocess.PIPE, start_new_session=True)
    wait_for(lambda: os.path.exists(ready), "the command's start")
    with open(ready, encoding="ascii") as file:
        return process, int(file.read()), path


def finish(process, pid):
    """What came to the command until a while after the signal that ends it."""
    os.kill(pid, signal.SIGUSR2)
    came = eval(process.communicate(timeout=TIMEOUT)[0])
    del came[int(signal.SIGUSR2)]
    return came


@scenario("what is sent to ipclens alone comes to the command once, with its value")
def alone(directory):
    process, pid, path = waiting(directory)
    queued = int(signal.SIGRTMIN) + 3
    numbers = [int(n) for n in NUMBERS if n not in (signal.SIGUSR2, signal.SIGPIPE, queued)]
    for number in numbers:
        process.send_signal(number)
    # It cannot be queued while somebody else's signals fill root's queue (RLIMIT_SIGPENDING).
    if ctypes.CDLL(None).sigqueue(process.pid, queued, ctypes.c_void_p(4711)) == 0:
        numbers.append(queued)
    wanted = {number: 1 for number in sorted(numbers)}
    expect_equal(finish(process, pid), wanted, "what came")
    lines = Trace(path).of("signal", event="generate", number=queued)
    expect_equal(
        [line.get("value") for line in lines],
        [4711] if queued in numbers else [],
        "the value that was queued",
    )


@scenario("who signals both, as systemd and a shell's kill of a job do, is heard once")
def both(directory):
    process, pid, _ = waiting(directory)
    os.kill(process.pid, signal.SIGTERM)  # the order of systemd: the main process first
    os.kill(pid, signal.SIGTERM)
    os.kill(pid, signal.SIGHUP)
    os.kill(process.pid, signal.SIGHUP)
    os.killpg(process.pid, signal.SIGINT)
    expect_equal(
        finish(process, pid),
        {int(signal.SIGTERM): 1, int(signal.SIGHUP): 1, int(signal.SIGINT): 1},
        "what came",
    )


@scenario("a command that is killed before it executes anything has that status, and no other error")
def killed_at_the_gate(directory):
    words, path = recorded(directory, ["true"])
    process = subprocess.Popen(words, stderr=subprocess.PIPE)
    children = f"/proc/{process.pid}/task/{process.pid}/children"

    def child():
        with open(children, encoding="ascii") as file:
            return file.read().split()

    wait_for(child, "the child")
    os.kill(int(child()[0]), signal.SIGTERM)
    told = process.communicate(timeout=TIMEOUT)[1]
    expect_equal(process.returncode, 128 + signal.SIGTERM, "its status")
    expect(b"Broken pipe" not in told, "and it is not said to be missing", told)
    expect_equal(Trace(path).trailer().get("signal"), "SIGTERM", "the trailer says so")


@scenario("a terminal that goes tells the leader of its session, and so the command")
def hangup(directory):
    told = os.path.join(directory, "told")
    program = (
        "import os, signal\n"
        f"def end(*_):\n    open({told!r}, 'w').write('HUP')\n    os._exit(3)\n"
        "signal.signal(signal.SIGHUP, end)\n"
        "os.write(1, b'ready')\nr, w = os.pipe()\nos.read(r, 1)\n"
    )
    words, path = recorded(directory, ["/usr/bin/python3", "-c", program])
    process, master, screen = on_terminal(words)
    try:
        wait_for(lambda: b"ready" in screen(), "the command's start")
        os.close(master)
        expect_equal(process.wait(TIMEOUT), 3, "the command's own status")
    finally:
        process.kill()
        process.wait()
    expect(os.path.exists(told), "the command got SIGHUP")
    expect_equal(Trace(path).trailer()["exit_code"], 3, "and the trace tells its end")


def states_of_group(group):
    """Of each process in it, as in /proc/PID/stat."""
    states = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                state, _, its_group = file.read().rpartition(")")[2].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        states += [state] if int(its_group) == group else []
    return states


class Shell:
    """An interactive bash in a terminal of its own, which controls jobs."""

    def __init__(self):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.environ.update(PS1="PROMPT> ", TERM="dumb", HISTFILE="")
            os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
        self.shown = ""
        self.expect("PROMPT> ")

    def send(self, text):
        os.write(self.terminal, text.encode())

    def expect(self, pattern):
        """Waits until the terminal shows it; what was shown up to there is used up."""
        end = time.monotonic() + TIMEOUT
        while not (found := re.search(pattern, self.shown)):
            ready, _, _ = select.select([self.terminal], [], [], max(0, end - time.monotonic()))
            if not ready:
                raise Failure(f"no {pattern!r} in {self.shown!r}")
            self.shown += os.read(self.terminal, 4096).decode(errors="replace")
        self.shown = self.shown[found.end() :]

    def job_runs(self):
        """The shell has given its terminal to a job, and none of that is stopped: what is typed
        before comes to the shell, and a stop that is pending is discarded by SIGCONT."""
        group = os.tcgetpgrp(self.terminal)
        return group != self.pid and "T" not in states_of_group(group)

    def close(self):
        self.send("\x03\x03exit\nexit\n")
        os.close(self.terminal)
        os.waitpid(self.pid, 0)


FOREGROUND = (("type", "fg\n"), ("see", "fg\r\n.*python3"), ("see", r"\n"))


def in_shell(directory, script, *steps):
    """The same conversation with a job of the shell, without ipclens and with it."""
    words, path = recorded(directory, ["/usr/bin/python3", "-c", script])
    for job in (words[5:], words):
        shell = Shell()
        try:
            shell.send(shlex.join(job).replace("\n", "'$'\\n''") + steps[0])
            for kind, text in steps[1:]:
                shell.send(text) if kind == "type" else shell.expect(text)
                if (kind, text) == FOREGROUND[-1]:
                    wait_for(shell.job_runs, "the job to go on")
            shell.send("echo status $?\n")
            shell.expect(r"status 7\r")
        finally:
            shell.close()
    return Trace(path)


READS = "print('re' + 'ady', flush=True); print('got', input()); exit(7)"


@scenario("Ctrl-Z stops the job, fg goes on with it, and so often as one likes")
def ctrl_z(directory):
    once = [
        ("type", "\x1a"), ("see", "Stopped"), ("see", "PROMPT> "), *FOREGROUND,
    ]  # fmt: skip
    trace = in_shell(
        directory, READS, "\n", ("see", "ready"), *once, *once,
        ("type", "word\n"), ("see", "got word"), ("see", "PROMPT> "),
    )  # fmt: skip
    stops = trace.of("signal", event="generate", signal="SIGTSTP")
    expect_equal(len(stops), 2, "the stops of the command in the trace")


@scenario("a command that ignores Ctrl-Z keeps the terminal, and one that stops itself gives it back")
def own_stop(directory):
    in_shell(
        directory,
        "import signal; signal.signal(signal.SIGTSTP, signal.SIG_IGN); " + READS,
        "\n", ("see", "ready"), ("type", "\x1a"), ("type", "word\n"),
        ("see", "got word"), ("see", "PROMPT> "),
    )  # fmt: skip
    in_shell(
        directory,
        "import os, signal; os.kill(os.getpid(), signal.SIGSTOP); " + READS,
        "\n", ("see", "Stopped"), ("see", "PROMPT> "), ("type", "fg\n"), ("see", "ready"),
        ("type", "word\n"), ("see", "got word"), ("see", "PROMPT> "),
    )  # fmt: skip


@scenario("a job in the background that reads from the terminal stops, and goes on with fg")
def background(directory):
    in_shell(
        directory, READS, " &\n", ("see", "PROMPT> "), ("see", "ready"),
        ("type", "wait %1; jobs\n"), ("see", "Stopped"), ("see", "PROMPT> "),
        *FOREGROUND, ("type", "word\n"), ("see", "got word"), ("see", "PROMPT> "),
    )  # fmt: skip


@scenario("whoever continues a stopped command himself finds ipclens going on with it")
def continued_by_another(directory):
    script = (
        "import os, signal, time\n"
        "if not os.fork():\n"
        "    me = os.getppid()\n"
        "    while open(f'/proc/{me}/stat').read().split()[2] != 'T': time.sleep(0.01)\n"
        "    time.sleep(0.2); os.kill(me, signal.SIGCONT); os._exit(0)\n"
        "os.kill(os.getpid(), signal.SIGTSTP); os.wait(); exit(7)\n"
    )
    words, path = recorded(directory, ["/usr/bin/python3", "-c", script])
    # A group without a parent in its session is orphaned: SIGTSTP would do nothing (setpgid(2)).
    result = subprocess.run(
        words, timeout=TIMEOUT, check=False, stderr=subprocess.DEVNULL, process_group=0
    )
    expect_equal(result.returncode, 7, "its status")
    expect_equal(Trace(path).trailer()["why"], "finished", "the trace is whole")


if __name__ == "__main__":
    main()
