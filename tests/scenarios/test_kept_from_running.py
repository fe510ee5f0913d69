#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Who is kept from running, by a debugger or the freezer of its cgroup, is told so by -p."""
import ctypes
import os
import subprocess
import time

from expectations import expect, expect_in
from findings import diagnose
from hangs import looked_at
from harness import main, run, scenario

UNIFIED = ("/sys/fs/cgroup/unified", "/sys/fs/cgroup")

# The reader is the shell's child, too; what would write sleeps for a moment, over and over.
PIPELINE = "while sleep 0.1; do echo x; done | cat >/dev/null"


def freezer():
    """A new cgroup of version 2 that can be frozen; None where there is no such thing."""
    for root in UNIFIED:
        folder = os.path.join(root, f"ipclens-{os.getpid()}")
        if os.path.exists(os.path.join(root, "cgroup.procs")):
            os.mkdir(folder)
            if os.path.exists(os.path.join(folder, "cgroup.freeze")):
                return folder
            os.rmdir(folder)
    return None


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def remove(folder):
    write(os.path.join(folder, "cgroup.freeze"), "0")
    write(os.path.join(folder, "cgroup.kill"), "1")
    for _ in range(50):
        try:
            os.rmdir(folder)
            return
        except OSError:
            time.sleep(0.1)


@scenario("diagnose -p says which file of a cgroup keeps a process frozen")
def frozen(_):
    folder = freezer()
    if not folder:
        return
    with subprocess.Popen(["sh", "-c", PIPELINE], start_new_session=True) as shell:
        try:
            write(os.path.join(folder, "cgroup.procs"), str(shell.pid))
            time.sleep(0.3)
            write(os.path.join(folder, "cgroup.freeze"), "1")
            findings, _ = looked_at(
                shell.pid, lambda found: any(f["id"] == "stopped" for f in found), "a finding"
            )
            told = next(f for f in findings if f["id"] == "stopped")
            expect_in("stopped by the freezer of its cgroup", told["text"], "by what")
            expect_in(f"echo 0 > {folder}/cgroup.freeze", told["advice"], "the remedy")
            expect("the clock" not in str(findings), "no clock ends that", findings)
        finally:
            remove(folder)


@scenario("diagnose -p names the tracer of a process that ptrace stopped, not kill -CONT")
def traced_by_another(_):
    ptrace = ctypes.CDLL(None).ptrace
    reader, writer = os.pipe()
    with subprocess.Popen(["sleep", "60"], stdout=writer) as sleeper:
        os.close(writer)
        with subprocess.Popen(["cat"], stdin=reader, stdout=subprocess.DEVNULL) as cat:
            os.close(reader)
            try:
                ptrace(16, sleeper.pid, None, None)  # PTRACE_ATTACH
                findings, _ = looked_at(
                    cat.pid, lambda found: any(f["id"] == "stopped" for f in found), "a finding"
                )
                told = next(f for f in findings if f["id"] == "stopped")
                expect_in(f"[{os.getpid()}] since", told["text"], "who traces it")
                expect_in("detach", told["advice"], "the remedy")
                expect_in("kill -CONT does not help", told["advice"], "what is none")
            finally:
                sleeper.kill()
                cat.kill()


# Nothing but the freezer keeps it from going on, which a trace does not show.
FROZEN = """
cd "$0"; sleep 0.5 & echo $! > cgroup.procs; echo 1 > cgroup.freeze; wait
"""


@scenario("a trace does not say that the clock ends a sleep whose time is over")
def frozen_while_traced(directory):
    folder = freezer()
    if not folder:
        return
    try:
        result = run(directory, ["bash", "-c", FROZEN, folder], "--timeout", 3, status=124,
                     whole=False)  # fmt: skip
        told = diagnose(result.trace_path)[0]
        expect_in("blocked", [f["id"] for f in told], "the shell waits for it")
        expect("until its time is over" not in str(told), "its time is over", told)
        expect("the clock" not in str(told), "no clock ends that", told)
    finally:
        remove(folder)


if __name__ == "__main__":
    main()
