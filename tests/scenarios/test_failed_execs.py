#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Children that could not execute a program and go on in the code of their parent; and sound
programs, which end such a child or tell its parent."""
import os

from expectations import expect, expect_equal, expect_in
from findings import diagnose, severe
from hangs import PYTHON, expect_named, named_parties, traced
from harness import each_in_place, main, needs, run, scenario

MAY_RUN_BESIDE_OTHERS = True

PERL = "/usr/bin/perl"
# Each logs the child and its parent, in the words of named_parties().
FAULTS = {
    # The child reads the pipe as its parent does, and keeps its writing end: neither sees the end.
    "reads": ([PERL, "-e", r"""
        pipe R, W; select STDERR; $| = 1;
        if (fork) { print "parent=$$\n"; close W }
        else { print "child=$$\n"; exec { "no-such" } "no-such" }
        sysread R, $b, 1; wait"""], "no-such", "ENOENT"),
    "waits": ([PYTHON, "-c", r"""
import os, time
pid = os.fork()
if pid == 0:
    os.write(2, b"child=%d\n" % os.getpid())
    try:
        os.execv("plain", ["plain"])
    except OSError:
        pass
else:
    os.write(2, b"parent=%d\n" % os.getpid())
while True:
    time.sleep(1)
"""], "plain", "EACCES"),
    "is no program": ([PYTHON, "-c", r"""
import os
r, w = os.pipe()
if os.fork() == 0:
    os.write(2, b"child=%d\n" % os.getpid())
    try:
        os.execv("./text", ["text"])
    except OSError:
        pass
else:
    os.write(2, b"parent=%d\n" % os.getpid())
os.read(r, 1)
"""], "./text", "ENOEXEC"),
}


def files(place):
    with open(os.path.join(place, "plain"), "w", encoding="ascii") as file:
        file.write("no program\n")
    with open(os.path.join(place, "text"), "w", encoding="ascii") as file:
        file.write("no program\n")
    os.chmod(os.path.join(place, "text"), 0o755)


@scenario("a child that goes on where exec failed is told, with the program and why, by run and trace")
def goes_on(directory):
    needs(PERL)
    for name, (command, program, why), place in each_in_place(directory, FAULTS):
        files(place)
        said, findings, result = traced(
            place, ["sh", "-c", 'cd "$0"; exec "$@"', place, *command], 3)
        pids = named_parties(result)
        found = expect_named(findings, "exec-failed", {pids["child"], pids["parent"]})
        expect_equal(found["severity"], "warning", name)
        expect_in(f"[{pids['child']}] could not execute {program}: ", said, name)
        expect_in(f"({why})", found["text"], name)


# The reader of a pipe could not be executed: its writer is told why it is gone.
GONE = r"""
pipe R, W; select STDERR; $| = 1;
unless ($child = fork) { open STDIN, "<&R"; close W; exec { "no-such" } "no-such"; exit 1 }
print "child=$child\nparent=$$\n"; waitpid $child, 0; close R; syswrite W, "x"
"""


@scenario("a writer whose reader could not be executed is told so")
def reader_gone(directory):
    needs(PERL)
    result = run(directory, [PERL, "-e", GONE], "--diagnose-only", status=128 + 13)
    child = named_parties(result)["child"]
    found = diagnose(result.trace_path)[0]
    note = expect_named(found, "exec-failed", {child})
    expect_equal(note["severity"], "note", "it ended")
    expect_in("it ended with status 1", note["text"], "how it ended")
    broken = expect_named(found, "broken-pipe", set())
    expect(any("could not execute no-such" in line for line in broken["evidence"]) or
           child not in broken["processes"], "the cause stands there", broken)


SOUND = {
    "python": [PYTHON, "-c", """
import subprocess
for shell in (False, True):
    try:
        subprocess.run("no-such-program", shell=shell, stderr=subprocess.DEVNULL)
    except FileNotFoundError:
        print("told")
"""],
    "perl": [PERL, "-e", 'system "no-such"; print `no-such` // "undefined"'],
    "sh": ["sh", "-c", "./no-such; (exec /no-such); echo on; true"],
    "bash": ["bash", "-c", "(./no-such; echo on) | cat; ./no-such || true"],
    "env": ["sh", "-c", "env no-such-program; nohup no-such-program; xargs no-such </dev/null; true"],
    # It is in the last folder of PATH.
    "path": [PYTHON, "-c", """
import os
os.environ["PATH"] = "/nowhere:/proc:" + os.environ["PATH"]
if os.fork() == 0:
    os.execvp("true", ["true"])
os.wait()
"""],
}


@scenario("who ends such a child, finds the program in another folder, or tells its parent, is not told")
def sound(directory):
    needs(PERL)
    for name, command, place in each_in_place(directory, SOUND):
        result = run(place, command, "--diagnose-only")
        found = diagnose(result.trace_path)[0]
        expect_equal([f for f in found if f["id"] == "exec-failed"], [], name)
        expect_equal(severe(found), [], name)


if __name__ == "__main__":
    main()
