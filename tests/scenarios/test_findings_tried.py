#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What `ipclens explain` has to be typed shows the finding that it explains."""
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor

from expectations import expect, expect_equal, expect_in
from harness import main, needs, scenario
from traces import BUILD, IPCLENS, TIMEOUT, call

# It runs alone: the commands have limits of some seconds, as a reader types them.

HEAD = "Try it:"
AT_ONCE = 4  # most of them sleep until a limit of some seconds


def explain(*words):
    return call([IPCLENS, "explain", "--lang", "en", *words], stdout=subprocess.PIPE).stdout.decode()


def command_of(name):
    """As it stands there."""
    text = explain(name)
    expect_in(f"\n{HEAD}\n", text, name)
    return text.partition(f"\n{HEAD}\n")[2].rstrip("\n")


def typed(place, command):
    """What ipclens says when this is typed in a shell, with this build as `ipclens`. What it leaves
    behind of System V is gone with a namespace of its own."""
    os.mkdir(place)
    environment = dict(os.environ, PATH=f"{BUILD}:{os.environ['PATH']}", TMPDIR=place)
    command = command.replace("sudo ipclens ", "ipclens ", 1)
    done = subprocess.run(["unshare", "--ipc", "sh", "-c", command], stdin=subprocess.DEVNULL,
                          capture_output=True, cwd=place, env=environment, timeout=TIMEOUT,
                          check=False)  # fmt: skip
    return done.stderr.decode()


@scenario("a command for each finding, typed as it is, shows the finding")
def each(directory):
    needs("curl", "ipcmk", "perl", "python3")
    names = [line.split()[0] for line in explain().splitlines()]
    expect(len(names) > 30, "the list of findings", names)
    places = [os.path.join(directory, name) for name in names]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        told = pool.map(typed, places, map(command_of, names))
        missed = {name: said for name, said in zip(names, told) if f"explain {name}`" not in said}
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
