#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The end of a stream: whose close it was, by whatever way an end can be given up."""
import json
import os
import re
import shlex

from expectations import expect, expect_equal
from harness import main, record, scenario

# Two hold a writing end of a pipe, and give it up one right after the other: who is the second
# waits for the first by memory that they share, so the order is certain, and no call tells of it.
CLOSERS = r"""
import ctypes, json, mmap, os, signal, socket, sys

libc = ctypes.CDLL(None, use_errno=True)
flag = mmap.mmap(-1, 4096)
null = os.open("/dev/null", os.O_RDWR)


def close(fd):
    os.close(fd)


def over(fd):
    os.dup2(null, fd)


def over_pipe(fd):
    os.dup2(other[1], fd)


def ranged(fd):
    libc.syscall(436, fd, fd, 0)


def leave(fd):
    os._exit(0)


def killed(fd):
    os.kill(os.getpid(), signal.SIGKILL)


def execute(fd):
    os.set_inheritable(fd, False)
    os.execv("/bin/true", ["true"])


ways = [close, over, over_pipe, ranged, leave, killed, execute]


def wait_for(value):
    while flag[0] != value:
        pass


def holder(number, way, fd, end):
    # Its turn comes when the one before is done; of an exit, its parent tells.
    wait_for(number)
    way(fd)
    flag[0] = number + 1
    os.close(0)
    os.read(end, 1)
    os._exit(0)


def round_of(first, second):
    reading, writing = os.pipe()
    done = os.pipe()
    flag[0] = 0
    pids = []
    for number, way in enumerate((first, second)):
        pid = os.fork()
        if pid == 0:
            os.close(done[1])
            os.close(reading)
            holder(number + 1, way, writing, done[0])
        pids.append(pid)
    os.close(writing)
    flag[0] = 1
    if first in (leave, killed, execute):
        os.waitpid(pids[0], 0)
        flag[0] = 2
    os.read(reading, 1)
    print(json.dumps([os.getpid(), pids[1], f"{first.__name__}, then {second.__name__}"]))
    os.close(done[1])
    os.close(done[0])
    os.close(reading)
    for pid in pids:
        try:
            os.waitpid(pid, 0)
        except ChildProcessError:
            pass


other = os.pipe()
for first in ways:
    for second in ways:
        round_of(first, second)
sys.stdout.flush()
"""


def ends(result):
    """Every end that was read: who closed, who read, and how it is told."""
    picture = result.view("--as", "mermaid", "--unfold", "--max=0")
    pids, found = {}, []
    for line in picture.splitlines():
        actor = re.match(r" *(?:create )?participant (P\d+) as .*\[(\d+)\]", line)
        if actor:
            pids[actor[1]] = int(actor[2])
        end = re.match(r" *(P\d+)\W+(P\d+): (EOF.*)", line)
        if end:
            found.append((pids.get(end[1]), pids.get(end[2]), end[3]))
    return found


def expect_sure(result, count, what):
    """As many ends as that, each by somebody in the trace, beyond doubt."""
    found = ends(result)
    expect(len(found) >= count, f"{what}: ends", found)
    for closer, reader, text in found:
        expect(closer and reader and "?" not in text, f"{what}: an end is in doubt", text)
    return found


@scenario("each way to give up an end after each other way: the second was the last, for certain")
def each_way(directory):
    result = record(directory, ["/usr/bin/python3", "-c", CLOSERS])
    truth = [json.loads(line) for line in result.stdout.splitlines()]
    reader = truth[0][0]
    found = [end for end in ends(result) if end[1] == reader]
    expect_equal(len(found), len(truth), "ends that were read")
    for (closer, _, text), (_, last, ways) in zip(found, truth):
        expect_equal(closer, last, f"{ways}: who closed last")
        expect("?" not in text, f"{ways}: it is certain", text)


@scenario("the lesson of the FIFO: the shell puts its own output back, and ends the stream by that")
def fifo_lesson(directory):
    for shell in ("sh", "dash", "bash"):
        for out in ("", ">/dev/null"):
            folder = os.path.join(directory, f"{shell}{len(out)}")
            os.mkdir(folder)
            path = shlex.quote(os.path.join(folder, "ff"))
            lines = f"mkfifo {path}; cat {path} {out} & echo hallo > {path}; wait"
            result = record(folder, [shell, "-c", lines])
            found = expect_sure(result, 1, shell)
            trace = result.trace
            expect_equal(
                [end[:2] for end in found], [(trace.pid_of(shell), trace.pid_of("cat"))], shell
            )
            expect("dup2" in found[0][2], f"{shell}: by what call", found[0][2])


POPEN = """
import subprocess
subprocess.run(["true"])
subprocess.check_output(["echo", "hi"])
subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE).communicate(b"x")
"""

PROGRAMS = [
    (["/usr/bin/python3", "-c", POPEN], 5),
    (["sh", "-c", "echo a | cat | wc"], 2),
    (["bash", "-c", "cat <(echo x) <(seq 3)"], 2),
    (["bash", "-c", "x=$(echo a; /bin/echo b); echo $x | tee >(wc) | cat"], 3),
    (["sh", "-c", "seq 9 | xargs -n1 -P3 echo"], 1),
    (
        [
            "bash",
            "-c",
            "coproc cat; echo hi >&${COPROC[1]}; read -u ${COPROC[0]} l;"
            ' eval "exec ${COPROC[1]}>&-"; wait',
        ],
        1,
    ),
]


@scenario("Popen, pipelines, substitutions, coprocesses, xargs: every end has its last closer")
def programs(directory):
    for number, (command, count) in enumerate(PROGRAMS):
        folder = os.path.join(directory, str(number))
        os.mkdir(folder)
        expect_sure(record(folder, command), count, shlex.join(command))


@scenario("gcc and make: every end has its last closer")
def compilers(directory):
    with open(os.path.join(directory, "x.c"), "w", encoding="ascii") as file:
        file.write("int main(void) { return 0; }\n")
    with open(os.path.join(directory, "Makefile"), "w", encoding="ascii") as file:
        file.write("all: a b\na b:\n\t@x=`echo $@`; echo $$x | cat\n")
    for name, command in (
        ("gcc", ["gcc", "-pipe", "x.c", "-o", "x"]),
        ("make", ["make", "-j2"]),
    ):
        os.mkdir(os.path.join(directory, name))
        expect_sure(record(os.path.join(directory, name), command, cwd=directory), 2, name)


if __name__ == "__main__":
    main()
