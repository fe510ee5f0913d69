#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Memory and time are bounded by the file, whatever is in it.

usage: test_growth.py [--scale N] [PATTERN...]

Each pattern (tests/growth/patterns.py, waits.py, endless.py) is a trace in which much meets much.
Of a trace four times as large every command takes at most about four times the processor time, and
of n bytes at most 64 n + 100 MB of memory. Of a BOUNDED one `diagnose` takes no more memory if it
is longer. What is known to be worse is a row of KNOWN, with what was measured.
"""
import argparse
import functools
import os
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "growth"))
import endless  # pylint: disable=wrong-import-position
import patterns  # pylint: disable=wrong-import-position
import waits  # pylint: disable=wrong-import-position
from measure import COMMANDS, Traces, problem, unbounded  # pylint: disable=wrong-import-position

MAY_RUN_BESIDE_OTHERS = True

# What is known to be worse: (pattern, command), and what was measured.
KNOWN = {}


def check(function, count):
    """The pattern's problems by command."""
    with tempfile.TemporaryDirectory(prefix="ipclens-growth-") as folder:
        traces = Traces(folder, functools.partial(patterns.generate, function), count)
        errors = os.path.join(folder, "stderr")
        found = {name: problem(words, traces, errors) for name, words in COMMANDS.items()}
    return {name: text for name, text in found.items() if text}


def check_bounded(function):
    with tempfile.TemporaryDirectory(prefix="ipclens-growth-") as folder:
        generate = functools.partial(patterns.generate, function)
        text = unbounded(folder, generate, os.path.join(folder, "stderr"))
    return {"diagnose in bounded memory": text} if text else {}


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
    rows = [row for row in patterns.PATTERNS + waits.PATTERNS
            if not options.pattern or row[0].__name__ in options.pattern]
    bounded = [row for row in patterns.BOUNDED + endless.BOUNDED
               if not options.pattern or row.__name__ in options.pattern]
    print(f"1..{len(rows) + len(bounded)}")
    good = [report(i + 1, function, check(function, count * options.scale))
            for i, (function, count) in enumerate(rows)]
    good += [report(len(rows) + 1 + i, function, check_bounded(function))
             for i, function in enumerate(bounded)]
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
