#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Memory and time are bounded by the file, whatever is in it.

usage: test_growth.py [--scale N] [PATTERN...]

Each pattern (tests/growth/patterns.py) is a trace in which much meets much. Of a trace four times
as large every command takes at most about four times the processor time, and of n bytes at most
64 n + 100 MB of memory. What is known to be worse is a row of KNOWN, with what was measured.
"""
import argparse
import os
import resource
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "growth"))
import patterns  # pylint: disable=wrong-import-position

BUILD = os.environ.get("IPCLENS_BUILD", os.path.join(ROOT, "build"))
VIEW = os.path.join(BUILD, "ipclens-view")

COMMANDS = {
    "messages": ["messages"],
    "stats": ["stats"],
    "view": ["view"],
    "view --unfold": ["view", "--unfold", "--max", "0"],
    "view -o page.html": ["view", "-o", "page.html"],
    "view --as trace-event": ["view", "--as", "trace-event"],
    "diagnose": ["diagnose"],
}
LARGER = 4
TIMES_MOST = 6  # the processor time of the larger trace, as a multiple of the smaller one's
SECONDS_LEAST = 0.3  # less says nothing of how it grows
RUNS_MOST = 6  # until it is believed
SECONDS_MOST = 20  # then it is ended
BYTES_MOST, MEMORY_BASE = 64, 100 * 10**6  # of memory, for each byte of the trace and beside

# What is known to be worse: (pattern, command), and what was measured.
KNOWN = {}


class Cost:
    """What one run took."""

    def __init__(self, status, usage):
        self.status, self.seconds, self.memory = status, usage.ru_utime, usage.ru_maxrss * 1024


def limit():
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS_MOST, SECONDS_MOST))
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))


def measure(words, trace, errors):
    with open(errors, "wb") as err, subprocess.Popen(
        [VIEW, *words, trace], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=err,
        cwd=os.path.dirname(trace), preexec_fn=limit,  # pylint: disable=subprocess-popen-preexec-fn
    ) as child:
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    return Cost(child.returncode, usage)


class Traces:
    """A pattern's two traces; the smaller one is written if it is asked for."""

    def __init__(self, folder, function, count):
        self.folder, self.function, self.count = folder, function, count
        self.large = self.write("large", count * LARGER)
        self.made = None

    def write(self, name, count):
        path = os.path.join(self.folder, f"{name}.ndjson")
        with open(path, "w", encoding="utf-8") as file:
            patterns.generate(self.function, count, file)
        return path

    @property
    def small(self):
        if not self.made:
            self.made = self.write("small", self.count)
        return self.made


def is_too_slow(words, traces, large, errors):
    """
    The times of both traces where the larger one takes too long; else nothing. Of each it is the
    shortest of several runs, as a busy machine makes a run longer and never shorter.
    """
    most, least = large.seconds, float("inf")
    for _ in range(RUNS_MOST):
        if most <= SECONDS_LEAST:
            return None
        least = min(least, measure(words, traces.small, errors).seconds)
        if most <= TIMES_MOST * least:
            return None
        most = min(most, measure(words, traces.large, errors).seconds)
    return f"{least:.2f} s, then {most:.2f} s"


def problem(words, traces, errors):
    """What is wrong with a command on a pattern, or nothing."""
    large = measure(words, traces.large, errors)
    with open(errors, encoding="utf-8") as file:
        said = file.read().strip()
    if large.status not in (0, 1) or "left out" in said:
        return f"status {large.status} after {large.seconds:.1f} s: {said}"
    size = os.path.getsize(traces.large)
    if large.memory > BYTES_MOST * size + MEMORY_BASE:
        return f"{large.memory / 1e6:.0f} MB for a trace of {size / 1e6:.1f} MB"
    return is_too_slow(words, traces, large, errors)


def check(function, count):
    """The pattern's problems by command."""
    with tempfile.TemporaryDirectory(prefix="ipclens-growth-") as folder:
        traces = Traces(folder, function, count)
        errors = os.path.join(folder, "stderr")
        found = {name: problem(words, traces, errors) for name, words in COMMANDS.items()}
    return {name: text for name, text in found.items() if text}


def report(number, function, found):
    """One line of TAP. False if something is wrong that is not known."""
    name = f"{function.__name__}: {function.__doc__.strip()}"
    unknown = [c for c in found if (function.__name__, c) not in KNOWN]
    todo = " # TODO too much time or memory" if found and not unknown else ""
    print(f"{'not ok' if found else 'ok'} {number} - {name}{todo}", flush=True)
    for command, text in found.items():
        print(f"# {command}: {text}")
    for (pattern, command), text in KNOWN.items():
        if pattern == function.__name__:
            print(f"# known of {command}: {text}")
    return not unknown


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--scale", type=int, default=1, help="traces so many times as large")
    parser.add_argument("pattern", nargs="*")
    options = parser.parse_args()
    rows = [row for row in patterns.PATTERNS
            if not options.pattern or row[0].__name__ in options.pattern]
    print(f"1..{len(rows)}")
    good = [report(i + 1, function, check(function, count * options.scale))
            for i, (function, count) in enumerate(rows)]
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
