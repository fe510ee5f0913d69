# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Programs that hang, diagnosed in three ways: by `run --timeout`, of its trace, and by -p."""
import os
import re
import signal

from expectations import Failure, expect, expect_equal
from findings import diagnose, expect_nothing_rests_on_a_gap
from harness import needs, run, start, wait_for
from traces import call

PYTHON = "/usr/bin/python3"
TIMED_OUT = 124


def compiled_java(directory, name, source):
    """Compiles the class of that name. Returns the options of java(1) that run it."""
    needs("java", "javac")
    path = os.path.join(directory, f"{name}.java")
    with open(path, "w", encoding="ascii") as file:
        file.write(source)
    call(["javac", "-d", directory, path])
    return ["-cp", directory, name]


def parties(result):
    return {int(word) for word in result.stdout.split()}


def hangs(count):
    """All parties have told who they are, and sleep: where they hang."""
    return lambda result: len(parties(result)) == count and all(map(asleep, parties(result)))


def named_parties(result):
    """Those that told who they are as "name=pid", in standard error."""
    told = re.findall(r"(?m)^(\w+)=(\d+)$", result.stderr.decode())
    return {name: int(pid) for name, pid in told}


def hanging(count):
    """As hangs(), of named parties."""
    return lambda result: (
        len(named_parties(result)) == count and all(map(asleep, named_parties(result).values()))
    )


def asleep(pid, states=b"ST"):
    with open(f"/proc/{pid}/stat", "rb") as file:
        return file.read().rpartition(b")")[2].split()[0] in states


def traced(directory, command, seconds=2):
    """What `run --timeout` says, the findings of its trace, and the run itself. With a part of its
    lines the trace tells nothing false."""
    place = os.path.join(directory, "traced")
    os.mkdir(place)
    result = run(
        place, command, "--timeout", seconds, "--diagnose-only", "--lang", "en",
        status=TIMED_OUT, whole=False,
    )  # fmt: skip
    expect_nothing_rests_on_a_gap(result.trace_path, 3)
    return result.stderr.decode(), diagnose(result.trace_path)[0], result


def looked_at(pid, holds, what):
    """What -p says of it (findings, and its output), once holds(findings): a wait is told of when
    it has lasted for half a second."""
    answers = []

    def look():
        answers.append(diagnose("-p", str(pid)))
        return holds(answers[-1][0])

    try:
        wait_for(look, what)
    except Failure as failure:
        raise Failure(f"{failure}; the last answer: {answers[-1][0]}") from None
    return answers[-1]


def has(name):
    return lambda findings: any(finding["id"] == name for finding in findings)


def untraced(directory, command, ready, name, among=list, whom=lambda result: result.process.pid):
    """The findings of -p (of the command, or of `whom`), once one of that name is `among` them."""
    place = os.path.join(directory, "untraced")
    os.mkdir(place)
    result = start(place, command, start_new_session=True)
    try:
        wait_for(lambda: ready(result), "it to hang")
        findings, _ = looked_at(whom(result), lambda found: has(name)(among(found)), name)
    finally:
        os.killpg(result.process.pid, signal.SIGKILL)
        result.process.wait()
    return findings, result


def expect_named(findings, name, pids):
    found = [finding for finding in findings if finding["id"] == name]
    expect_equal(len(found), 1, f"{name} is told once: {findings}")
    expect(pids <= set(found[0]["processes"]), f"{name} names {pids}", found)
    return found[0]


def job_of(result):
    return int(next(word for word in result.stderr.split() if word.isdigit()))


def has_told(result):
    return any(word.isdigit() for word in result.stderr.split()) and asleep(job_of(result))
