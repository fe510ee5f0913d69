#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Bytes that nobody read though the sender itself had kept a reading end."""
import joining
from expectations import expect_equal, expect_in
from findings import diagnose
from harness import main, record, scenario

# Parent and child keep both ends; the parent writes, and then both end.
NOBODY_READS = """
import os, select
r, w = os.pipe()
until = os.pipe()
if not os.fork():
    os.close(until[1])
    os.read(until[0], 1)
    os._exit(0)
os.write(w, b"hello")
os.close(until[1])
os.wait()
"""
# The same where the bytes are there before the child is.
WRITTEN_BEFORE = """
import os
r, w = os.pipe()
os.write(w, b"hello")
if not os.fork():
    os._exit(0)
os.wait()
"""
# Tokens of a job server that no job took; a process that wakes itself, and starts another one.
TOKENS = NOBODY_READS.replace("hello", "++++")
WAKES_ITSELF = """
import os, subprocess
r, w = os.pipe()
os.write(w, b"wake up")
subprocess.run(["true"], pass_fds=[])
"""
# As multiprocessing.Pool tells its own thread of changes: who waits there need not take the last.
WAITS = "select.select([r], [], [], 0.05)"
NOTIFIES_ITSELF = NOBODY_READS.replace("os.write(w", f"{WAITS}; os.write(w")
READS_BACK = NOBODY_READS.replace("os.wait()", "os.wait(); os.read(r, 3)")
LOST = {"nobody reads": NOBODY_READS, "written before": WRITTEN_BEFORE}
SOUND = {
    "tokens": ["/usr/bin/python3", "-c", TOKENS],
    "wakes itself": ["/usr/bin/python3", "-c", WAKES_ITSELF],
    "notifies itself": ["/usr/bin/python3", "-c", NOTIFIES_ITSELF],
    "reads back": ["/usr/bin/python3", "-c", READS_BACK],
    "a here-string": ["bash", "-c", "true <<< hello; { true; sh -c true; } <<< hello"],
    "a here-document": ["bash", "-c", "true <<END\nhello\nEND\n:"],
}


def unread(directory, name, command):
    result = record(joining.folder(directory, name.replace(" ", "-")), command)
    return [f for f in diagnose(result.trace_path)[0] if f["id"] == "unread-data"]


@scenario("what lies in a pipe when all have ended is lost, whoever had kept its reading end")
def lost(directory):
    for name, text in LOST.items():
        told = unread(directory, name, ["/usr/bin/python3", "-c", text])
        expect_equal([f["severity"] for f in told], ["warning"], name)
        expect_in("5 B that python3", told[0]["text"], name)


@scenario("tokens, wake-ups, what is read back and here-documents are not lost")
def kept_on_purpose(directory):
    for name, command in SOUND.items():
        expect_equal(unread(directory, name, command), [], name)


if __name__ == "__main__":
    main()
