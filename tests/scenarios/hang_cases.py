# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Hangs as rows of a table: each has one finding, with its parties and its remedy, each way.

Each workload tells who its processes are, as "name=pid", in its standard error.
"""
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from expectations import expect, expect_equal, expect_in
from findings import AT_ONCE, severe
from hangs import PYTHON, asleep, named_parties, traced, untraced

BEGIN = """
import ctypes, fcntl, mmap, multiprocessing, os, signal, subprocess, sys
os.chdir("PLACE")
def tell(name, pid=0):
    os.write(2, f"{name}={pid or os.getpid()}\\n".encode())
"""

# Its parent closes a child's input only after it has waited.
FED_CHILD = """
child = subprocess.Popen(["PROGRAM"], stdin=subprocess.PIPE)
tell("child", child.pid)
tell("parent")
child.stdin.write(b"line\\n")
child.stdin.flush()
child.wait()
"""


class Case(NamedTuple):
    command: object  # its words, or what makes them, of the folder PLACE
    parties: int
    finding: object  # its id, or several that it may be
    advice: str
    text: str = ""
    evidence: str = ""  # of the trace
    seconds: int = 4


def python(*parts):
    return [PYTHON, "-c", BEGIN + "".join(parts)]


def ids_of(case):
    return [case.finding] if isinstance(case.finding, str) else case.finding


def check(name, case, findings, parties):
    told = [f for f in severe(findings) if f["id"] not in ("killed-by-signal", "zombie")]
    expect_equal(len(told), 1, f"{name}: {findings}")
    expect_in(told[0]["id"], ids_of(case), f"{name}: {findings}")
    missing = set(parties.values()) - set(told[0]["processes"])
    expect(not missing, f"{name} names {parties}", told)
    expect_in(case.advice, told[0]["advice"], f"{name}: the remedy")
    expect_in(case.text, told[0]["text"], name)
    return told[0]


def words_of(case, place):
    """In a folder that is empty but for what the case puts there."""
    shutil.rmtree(place, ignore_errors=True)
    os.mkdir(place)
    words = case.command(place) if callable(case.command) else case.command
    return [word.replace("PLACE", place) for word in words]


def living(parties):
    """Those that the workload itself has not killed."""
    return {name: pid for name, pid in parties.items() if name != "killed"}


def all_sleep(count):
    def check_all(result):
        parties = named_parties(result)
        return len(parties) == count and all(map(asleep, living(parties).values()))

    return check_all


def by_run_and_trace(top, name, case):
    text, findings, result = traced(top, words_of(case, os.path.join(top, "work")), case.seconds)
    parties = named_parties(result)
    expect_equal(len(parties), case.parties, f"{name}: all came so far")
    told = check(name, case, findings, parties)
    expect_in(case.evidence, " ".join(told["evidence"]), name)
    expect_in(case.advice, " ".join(text.split()), f"{name}: run gives the advice")


def by_look(top, name, case):
    words = words_of(case, os.path.join(top, "work of another"))
    as_told = lambda found: [{"id": f["id"] in ids_of(case)} for f in found]
    findings, result = untraced(top, words, all_sleep(case.parties), True, as_told)
    check(f"{name} by -p", case, findings, living(named_parties(result)))


def three_ways(directory, cases):
    """Several at a time: each hangs for as long as its time limit."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        jobs = []
        for name, case in cases.items():
            top = os.path.join(directory, name)
            os.mkdir(top)
            jobs += [pool.submit(way, top, name, case) for way in (by_run_and_trace, by_look)]
        for job in jobs:
            job.result()
