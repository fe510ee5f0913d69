# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""`ipclens record` that joins what runs already."""
import os

import invariants
from expectations import expect, expect_equal
from harness import start_record, wait_for


def folder(directory, name):
    path = os.path.join(directory, name)
    os.makedirs(path, exist_ok=True)
    return path


def attach(directory, *options):
    """`record` on what the options select, once it says that it traces."""
    run = start_record(directory, None, *options)
    wait_for(lambda: b"ipclens:" in run.stderr or run.process.poll() is not None, "tracing")
    expect(run.process.poll() is None, "record runs", run.stderr.decode())
    return run


def ends(run, why="finished", status=0):
    """The trace of an attached record, whole."""
    run.wait()
    expect_equal(run.status, status, f"exit status; {run.stderr.decode()}")
    trailer = run.trace.trailer()
    expect_equal((trailer["why"], trailer["lost"]), (why, 0), "the trace is whole")
    invariants.check_lines(run.trace)
    invariants.check_messages(run.trace, run.messages())
    return run.trace
