#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The cross product of sending calls, receiving calls, mechanisms, sharing and lives of objects.

A part of it that does not change; `make truth-matrix` plays the whole (docs/fidelity.md).
"""
import importlib.machinery
import importlib.util
import os
import sys

from expectations import Failure, expect
from harness import main, scenario
from traces import ROOT, call

MATRIX = os.path.join(ROOT, "tests", "truthmatrix")
sys.path.insert(0, MATRIX)

import content  # noqa: E402
import judge  # noqa: E402

loader = importlib.machinery.SourceFileLoader("truthmatrix_run", os.path.join(MATRIX, "run"))
truthmatrix = importlib.util.module_from_spec(
    importlib.util.spec_from_loader("truthmatrix_run", loader)
)
loader.exec_module(truthmatrix)

SEED = 7
PARTS = {"asleep": 4, "joined": 200, "joined-busy": 400}  # one cell in so many; the others
OTHER_PARTS = 120


REPLAYS = 5
DOUBT_PLAYS = 12  # the more pairs there are, the closer their share must be to what is allowed


def played(directory, condition, chosen):
    """What the pairs of these cells are, compared with what their programs logged."""
    os.makedirs(directory)
    said = truthmatrix.record(directory, condition, [f"--seed={SEED}", *chosen])
    truth, path = content.Truth(directory), f"{directory}/trace.ndjson"
    partial = condition.startswith("joined") or " 0 lost" not in said
    gone = content.missing_calls(truth, path) if partial else ()
    sums = judge.Sums()
    sums.add(truthmatrix.compare(truth, path, gone), condition)
    return sums


def part_of(condition):
    parts = PARTS.get(condition, OTHER_PARTS)
    part = [f"--part={SEED % parts}/{parts}"]
    if condition in truthmatrix.LIVES:
        part += [f"--only={truthmatrix.CELLS[condition]}", "--together=200"]
    return part


def expect_clean(sums, faults):
    if faults:
        raise Failure("\n".join(faults) + "\n" + judge.table(sums.by(0)))


def little_doubt(directory, condition):
    """One overlap of two calls leaves several pairs of a pipe in doubt, and of some hundred pairs
    that is a large share: while there are too many, more are played, and the share is of all."""
    sums = judge.Sums()
    for i in range(DOUBT_PLAYS):
        again = played(f"{directory}/all-{i}", condition, part_of(condition))
        expect_clean(again, judge.false_cells(again))
        sums.update(again)
        if not judge.too_much_doubt(sums):
            return again
    raise Failure("\n".join(judge.too_much_doubt(sums)) + "\n" + judge.table(sums.by(0)))


def judged(directory, condition):
    """Nothing false is forgiven. What is only in doubt may be so because a switch of threads was
    not reported, or an interrupt took buffers among the call's own (docs/fidelity.md): chance, where it
    is not in doubt each time."""
    sums = little_doubt(directory, condition)
    expect(sum(counts["pairs"] for counts in sums.cells.values()) > 50, "messages were delivered")
    for cell in judge.names_of_bad(sums):
        for i in range(REPLAYS):
            again = played(f"{directory}/{cell.replace('/', '-')}-{i}", condition,
                           ["--part=0/1", f"--only={cell}"])
            expect_clean(again, judge.false_cells(again))
            if not judge.bad_cells(again):
                break
        else:
            expect_clean(again, judge.bad_cells(again))


@scenario("what cannot be is refused, as the matrix says")
def refused(_):
    call([truthmatrix.PROGRAM, "--refused"])


# On demand: what a loss hits, and who sleeps where when time is up, is up to the machine.
# test_loss_announced.py and test_sleeping_senders.py have cases of these that do not change.
LATER = ("loss", "asleep")

for name in (*truthmatrix.CONDITIONS, *truthmatrix.LIVES):
    if name in LATER:
        continue
    scenario(f"cells of the matrix, {name}: every pair is what the receivers read")(
        lambda directory, condition=name: judged(directory, condition)
    )


if __name__ == "__main__":
    main()
