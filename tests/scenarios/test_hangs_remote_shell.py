#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""ssh that does not return, as what it left in the background keeps its output open."""
import os
import signal
import subprocess

from expectations import expect, expect_equal, expect_in
from hangs import asleep, parties, traced, untraced
from harness import main, needs, scenario
from servers import remote_shell

# It runs alone: to shake hands two programs compute much, and the limit does not wait for them.

# Each tells the number of the process that keeps the output; only the first is left by its shell.
LEFT = "sleep 1000 & echo $!"
WORKS = "echo $$; exec sleep 1000"
REDIRECTED = "sleep 1000 >/dev/null 2>&1 </dev/null & echo $!"


def told_by_p(findings):
    """What is told of a wait, in one text, as `run` prints it."""
    told = [f for f in findings if f["id"] == "blocked"]
    expect_equal(len(told), 1, f"it waits: {findings}")
    sign = {"warning": "!", "note": "·"}[told[0]["severity"]]
    first = f"{sign} blocked  {told[0]['text']}"
    return "\n".join([first, *told[0]["evidence"], told[0]["advice"]])


def both_ways(directory, ssh, command):
    """What `run` says at its limit, when it looks who is at the other end, and what -p says; and
    whose output it is."""
    text, _, result = traced(directory, [*ssh, command], 5)  # it shakes hands first
    job = parties(result).pop()
    os.kill(job, signal.SIGKILL)
    yield text, job
    found, result = untraced(directory, [*ssh, command],
                             lambda run: parties(run) and asleep(max(parties(run))), "blocked")
    job = parties(result).pop()
    os.kill(job, signal.SIGKILL)
    yield told_by_p(found), job


# With the second ssh wakes up from time to time, to see if the other side is alive.
ALIVE = ("ServerAliveInterval=0", "ServerAliveInterval=300")


@scenario("ssh that waits for a job in the background: the job is named, and how to redirect it")
def left_behind(directory):
    needs("ssh", "ssh-keygen", "/usr/sbin/sshd")
    with remote_shell(directory) as ssh:
        for option in ALIVE:
            place = os.path.join(directory, option)
            os.mkdir(place)
            for told, job in both_ways(place, [*ssh[:1], "-o", option, *ssh[1:]], LEFT):
                expect_in("! blocked  ssh[", told, "a warning: it hangs")
                expect_in(f"only sleep[{job}] (fd 1) could write", told, "why")
                expect_in("redirect all of the job's output", told, "the remedy")


@scenario("ssh that waits for its command, which works, is not told to redirect anything")
def works(directory):
    needs("ssh", "ssh-keygen", "/usr/sbin/sshd")
    with remote_shell(directory) as ssh:
        for told, job in both_ways(directory, ssh, WORKS):
            expect_in(f"sleep[{job}]", told, "whom it waits for")
            expect("redirect" not in told, "no such advice", told)
        done = subprocess.run([*ssh, REDIRECTED], check=True, stdout=subprocess.PIPE)
        os.kill(int(done.stdout), signal.SIGKILL)


if __name__ == "__main__":
    main()
