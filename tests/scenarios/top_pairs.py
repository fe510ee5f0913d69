# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Starts and ends `ipclens top`, and reads the pairs that it prints."""
import json
import os
import signal

from expectations import expect_equal
from harness import start, wait_for
from traces import IPCLENS, validate


def top(directory, *options, **others):
    """Starts `ipclens top` in the directory, and returns when it counts."""
    os.makedirs(directory, exist_ok=True)
    metrics = os.path.join(directory, "top.prom")
    command = [IPCLENS, "top", "--openmetrics", metrics, *options]
    result = start(directory, command, **others)
    wait_for(lambda: os.path.exists(metrics) or result.process.poll() is not None, "top to count")
    return result


def end(result):
    """Ends it as Ctrl-C does, and gives the pairs of all intervals."""
    result.process.send_signal(signal.SIGINT)
    expect_equal(result.wait().status, 0, "exit status; " + result.stderr.decode())
    return pairs_of(result)


def pairs_of(result):
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    validate(lines, "top")
    expect_equal(lines[0]["type"], "top", "the first line says what follows")
    last = lines[-1]
    expect_equal((last["type"], last["uncounted"]), ("interval", 0), "nothing was left out")
    return [line for line in lines if line["type"] == "pair"]
