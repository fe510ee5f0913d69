#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What `ipclens explain` has to be typed shows the finding that it explains."""
import os
import subprocess

from expectations import expect, expect_equal, expect_in
from harness import main, needs, scenario
from traces import BUILD, IPCLENS, TIMEOUT, call

HEAD = "Try it:"
QUEUES = ("msg", "sem", "shm")  # what a command leaves in the kernel


def explain(*words):
    return call([IPCLENS, "explain", "--lang", "en", *words], stdout=subprocess.PIPE).stdout.decode()


def command_of(name):
    """As it stands there."""
    text = explain(name)
    expect_in(f"\n{HEAD}\n", text, name)
    return text.partition(f"\n{HEAD}\n")[2].rstrip("\n")


def objects():
    """(kind, id) of all System V objects."""
    found = set()
    for kind in QUEUES:
        with open(f"/proc/sysvipc/{kind}", encoding="ascii") as file:
            found |= {(kind, line.split()[1]) for line in list(file)[1:]}
    return found


def typed(directory, command):
    """What ipclens says when this is typed in a shell, with this build as `ipclens`."""
    before = objects()
    environment = dict(os.environ, PATH=f"{BUILD}:{os.environ['PATH']}", TMPDIR=directory)
    command = command.replace("sudo ipclens ", "ipclens ", 1)
    done = subprocess.run(["sh", "-c", command], stdin=subprocess.DEVNULL, capture_output=True,
                          cwd=directory, env=environment, timeout=TIMEOUT, check=False)
    for kind, number in objects() - before:
        call(["ipcrm", {"msg": "-q", "sem": "-s", "shm": "-m"}[kind], number])
    return done.stderr.decode()


@scenario("a command for each finding, typed as it is, shows the finding")
def each(directory):
    needs("curl", "ipcmk", "perl", "python3")
    names = [line.split()[0] for line in explain().splitlines()]
    expect(len(names) > 30, "the list of findings", names)
    missed = {name: said for name in names
              if f"explain {name}`" not in (said := typed(directory, command_of(name)))}
    expect(not missed, ", ".join(missed), missed)


@scenario("docs/findings.md has the same commands")
def documented(_directory):
    page = explain("--markdown")
    names = [line.split()[0] for line in explain().splitlines()]
    expect_equal(page.count("```sh\nsudo ipclens run "), len(names), "one for each finding")
    for name in names:
        expect_in(f"```sh\n{command_of(name)}\n```", page, name)


if __name__ == "__main__":
    main()
