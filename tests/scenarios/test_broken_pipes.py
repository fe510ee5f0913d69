#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""How grave a broken pipe is: a reader that has had enough is none of the writer's loss."""
import joining
from expectations import expect, expect_equal, expect_in
from findings import diagnose
from harness import main, record, scenario

# Each takes a line of what another program writes, closes the reading end and goes on.
CLOSES = """
from subprocess import Popen, PIPE
p = Popen(["yes"], stdout=PIPE)
p.stdout.readline(); p.stdout.close(); p.wait()
"""
ENOUGH = {
    "a pipeline": ["sh", "-c", "yes | head -1"],
    "perl": ["perl", "-e", 'open(P, "yes|"); <P>; close P'],
    "python": ["/usr/bin/python3", "-c", CLOSES],
    "coproc": ["bash", "-c", "coproc yes; read -u ${COPROC[0]}; exec {COPROC[0]}<&-; wait"],
    "substitution": ["bash", "-c", "exec 5< <(yes); read <&5; exec 5<&-; wait $!; true"],
}

# The reader takes nothing, or it fails when it learns how the writer ended.
TAKES_NOTHING = CLOSES.replace("p.stdout.readline(); ", "")
FAILS = CLOSES + "raise SystemExit(p.returncode != 0)"
FAULTS = {"takes nothing": (TAKES_NOTHING, 0), "fails": (FAILS, 1)}


def severities(directory, name, command, status=0):
    result = record(joining.folder(directory, name.replace(" ", "-")), command, status=status)
    return [f["severity"] for f in diagnose(result.trace_path)[0] if f["id"] == "broken-pipe"]


@scenario("a reader that took a line, closed and went on had enough: a note, as in yes | head")
def had_enough(directory):
    for name, command in ENOUGH.items():
        expect_equal(severities(directory, name, command), ["note"], name)


@scenario("a reader that closed before it took anything, or failed itself, is no such reader")
def had_nothing(directory):
    for name, (text, status) in FAULTS.items():
        command = ["/usr/bin/python3", "-c", text]
        expect_equal(severities(directory, name, command, status), ["error"], name)


# A write that has filled the pipe and sleeps when the reader closes returns what it has written.
PARTLY = """
import os, signal, time
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
r, w = os.pipe()
child = os.fork()
if not child:
    os.close(r); os.dup2(w, 1)
    os.execvp("yes", ["yes"])
os.close(w); os.read(r, 5000); time.sleep(0.3); os.close(r); os.wait()
"""


@scenario("a write that had written a part before the reader closed died of a broken pipe, too")
def partly(directory):
    found = severities(directory, "partly", ["/usr/bin/python3", "-c", PARTLY])
    expect_equal(found, ["note"], "it is told")


# Standard input is closed, so the pipe gets its number, and the reader closes what it just kept.
CLOSED_INPUT = """
import os, time
os.close(0)
r, w = os.pipe()
if not os.fork():
    time.sleep(0.3)
    os.dup2(w, 1); os.close(r); os.close(w)
    os.write(1, b"hello")
    os._exit(0)
os.close(w); os.dup2(r, 0){closes}
os.wait()
"""


@scenario("a pipe that got the number of a closed standard stream: who closed it by that is named")
def closed_input(directory):
    command = ["/usr/bin/python3", "-c", CLOSED_INPUT.format(closes="; os.close(r)")]
    result = record(joining.folder(directory, "closes"), command)
    found = [f for f in diagnose(result.trace_path)[0] if f["id"] == "broken-pipe"]
    expect_equal([finding["severity"] for finding in found], ["warning"], f"{found}")
    writer, closer = found[0]["processes"][:2]
    expect(f"whose reading end python3[{closer}] closed" in found[0]["text"], "the reader", found)
    expect(closer != writer, "it is not the writer's own end", found)
    expect_in("called dup2(0, 0), which changes nothing", found[0]["evidence"][0], "how")
    kept = ["/usr/bin/python3", "-c", CLOSED_INPUT.format(closes="; os.read(0, 9)")]
    expect_equal(severities(directory, "keeps", kept), [], "who keeps it reads")


if __name__ == "__main__":
    main()
