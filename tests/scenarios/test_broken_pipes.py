#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""How grave a broken pipe is: a reader that has had enough is none of the writer's loss."""
import joining
from expectations import expect, expect_equal, expect_in
from findings import diagnose, severe
from hangs import looked_at, named_parties, traced
from harness import main, record, scenario, start

MAY_RUN_BESIDE_OTHERS = True

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


# SIGPIPE is ignored, so echo only fails, and the loop goes on.
WRITES_ON = """
trap '' PIPE
{ echo writer=$BASHPID >&2; exec 2>/dev/null; while :; do echo x; sleep 0.05; done; } | head -1
"""
# A server whose log nobody reads goes on for its clients, and a loop may end soon.
STOPS = "trap '' PIPE; { while echo x; do :; done; } 2>/dev/null | head -1"
SERVES = """
import os, signal, time
log, to_log = os.pipe()
asked, ask = os.pipe()
os.close(log)
if os.fork() == 0:
    for _ in range(30):
        os.write(ask, b"a request")
        time.sleep(0.05)
    os._exit(0)
os.close(ask)
while os.read(asked, 9):
    try:
        os.write(to_log, b"served\\n")
    except BrokenPipeError:
        pass
"""


@scenario("who goes on to write where nobody reads is warned of, how often and for how long")
def writes_on(directory):
    text, findings, result = traced(directory, ["bash", "-c", WRITES_ON], 3)
    told = severe(findings)
    expect_equal([f["id"] for f in told], ["broken-pipe"], f"one finding: {findings}")
    expect_equal(told[0]["processes"][0], named_parties(result)["writer"], "the writer")
    expect_in("it went on to write there: ", told[0]["evidence"][0], "how often")
    expect_in("stop at the first EPIPE", told[0]["advice"], "the remedy")
    expect_in("stop at the first EPIPE", " ".join(text.split()), "run says so")
    stops = ["bash", "-c", STOPS]
    expect_equal(severities(directory, "stops", stops), ["note"], "it stops at the first")
    serves = ["/usr/bin/python3", "-c", SERVES]
    result = record(joining.folder(directory, "serves"), serves)
    found = [f for f in diagnose(result.trace_path)[0] if f["id"] == "broken-pipe"]
    expect_equal([f["evidence"] for f in found], [[]], f"a server does so for its clients: {found}")


@scenario("-p of a program that goes on to write where nobody reads is a warning, too")
def looked_at_writer(directory):
    script = "trap '' PIPE; exec > >(head -1); while :; do echo x; done 2>/dev/null"
    result = start(directory, ["bash", "-c", script])
    try:
        found, _ = looked_at(result.process.pid, lambda found: severe(has_running(found)), "a loop")
    finally:
        result.process.kill()
        result.process.wait()
    told = severe(found)
    expect_equal([f["id"] for f in told], ["running"], f"{found}")
    expect_in("write(1) = EPIPE", told[0]["text"], "in which loop")
    expect_in("stop at the first EPIPE", told[0]["advice"], "the remedy")


def has_running(found):
    return [finding for finding in found if finding["id"] == "running"]


if __name__ == "__main__":
    main()
