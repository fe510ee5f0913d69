#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Who is said to end a wait has the channel then, or ends it in another way that is named."""
import shutil

from expectations import expect, expect_equal, expect_in
from findings import diagnose, severe
from hangs import named_parties, traced
from harness import each_in_place, main, run, scenario

MAY_RUN_BESIDE_OTHERS = True

# The loop of node waits for the end of its child, of which a handler of SIGCHLD tells it.
NODE = """
const child = require("child_process").spawn("sleep", ["60"], {stdio: "ignore"});
child.on("exit", () => console.error("ended"));
console.error("node=" + process.pid);
console.error("child=" + child.pid);
"""

# The child has no descriptor of the loop's own channels, but the other end of its own output.
NODE_READS = NODE.replace("ignore", "pipe")

WAYS = {
    "ends": (NODE, "the end of sleep[{child}] (SIGCHLD)"),
    "writes": (NODE_READS, "sleep[{child}] (fd "),
}


@scenario("of whom an event loop waits for it is told by which descriptor, or by its end")
def event_loop(directory):
    if not shutil.which("node"):
        return
    for name, (program, words), place in each_in_place(directory, WAYS):
        _, findings, result = traced(place, ["node", "-e", program], 4)
        names = named_parties(result)
        expect_equal(severe(findings), [], "waiting for a child is no fault")
        told = [f for f in findings if f"sleep[{names['child']}]" in f["text"]]
        expect_equal([f["id"] for f in told], ["blocked"], f"the loop's wait: {findings}")
        expect_in(words.format(**names), told[0]["text"], "by what")
        expect_in(words.format(**names), told[0]["evidence"][0], "so says the evidence")


# A signal ends the writer's sleep: its sender never had the pipe.
KILLED = """
yes & echo writer=$! >&2; killer=$$
sleep 1.5; kill $!; echo killer=$killer >&2; wait
"""
PIPE = "bash -c '{killed}' | {{ echo reader=$BASHPID >&2; exec sleep 3; }}"


@scenario("who ends a writer at a full pipe is not said to read there, who has it is")
def killed_writer(directory):
    result = run(directory, ["bash", "-c", PIPE.format(killed=KILLED)])
    names = named_parties(result)
    told = [f for f in diagnose(result.trace_path)[0] if f["id"] == "full-channel"]
    expect_equal(len(told), 1, "the writer is told of")
    expect_in(f"should be read by sleep[{names['reader']}]", told[0]["text"], "who reads")
    expect(names["killer"] not in told[0]["processes"], "the killer is not named", told)


@scenario("a reader that makes room, and sleeps, is named still")
def slow_reader(directory):
    result = run(directory, ["bash", "-c", "yes | (sleep 1.5; exec head -c 10000000 >/dev/null)"])
    told = [f for f in diagnose(result.trace_path)[0] if f["id"] == "full-channel"]
    expect_equal(len(told), 1, "the writer is told of")
    expect_in("should be read by head[", told[0]["text"], "who reads")


if __name__ == "__main__":
    main()
