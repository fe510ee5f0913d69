# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What the cells must come to, and tables of it."""
import math
from collections import Counter

import content  # noqa: F401: it finds the modules of truthgen
import verdict

COLUMNS = ("cells", "bad", *verdict.COLUMNS, "unseen")
FALSE = ("wrong", "length", "fate", "duplicate")
BY = ("send", "receive", "sharing")
PIPES = ("pipe", "pipe-packet", "fifo")
DOUBT_MOST = 0.005  # of the pairs of pipes with several writers or readers
UNSEEN = ("aio", "io_uring")  # ways that the trace announces as unseen


class Sums:
    """Counts by cell and condition."""

    def __init__(self):
        self.cells = {}  # (cell, condition) -> Counter
        self.several = set()

    def add(self, comparison, condition):
        for flow, about in comparison.truth.flows.items():
            key = about["stage"], condition
            self.cells.setdefault(key, Counter()).update(comparison.counts[flow])
            if about["senders"] > 1 or about["receivers"] > 1:
                self.several.add(about["stage"])

    def update(self, other):
        """The same cells, played once more."""
        for key, counts in other.cells.items():
            self.cells.setdefault(key, Counter()).update(counts)
        self.several |= other.several

    def by(self, part):
        """Summed up by one part of the cells' names."""
        rows = {}
        for (cell, condition), counts in self.cells.items():
            row = rows.setdefault((condition, cell.split("/")[part]), Counter())
            row.update(counts)
            if is_unseen(cell):
                for what in ("missing", "doubted", "mistaken"):
                    row["unseen"] += counts[what]
                    row[what] -= counts[what]
            row["cells"] += 1
            row["bad"] += bool(faults(cell, condition, counts, cell in self.several))
        return rows


def is_unseen(cell):
    return any(way in UNSEEN for way in cell.split("/")[1:3])


def may_doubt(cell, several):
    return several and cell.split("/")[0] in PIPES


def falsehoods(counts):
    return [f"{counts[what]} {what}" for what in FALSE if counts[what]]


def faults(cell, condition, counts, several):
    """What is wrong with a cell, in words."""
    found = falsehoods(counts)
    if condition == "loss" or is_unseen(cell):
        return found
    doubt = may_doubt(cell, several)
    missing = counts["missing"] - (counts["guessed"] if doubt else 0)
    doubted = counts["doubted"] + counts["mistaken"]
    if missing > 0:
        found.append(f"{missing} of {counts['pairs']} missing")
    if doubted and not doubt:
        found.append(f"{doubted} of {counts['pairs']} ambiguous")
    return found


def table(rows):
    return verdict.table(rows, COLUMNS, 28)


def is_too_much(doubted, pairs):
    """More than the share that is allowed, and more than chance makes of it in so few pairs: three
    standard deviations and one."""
    allowed = DOUBT_MOST * pairs
    return doubted > allowed + 3 * math.sqrt(allowed) + 1


def too_much_doubt(sums):
    """Where doubt is allowed, its share must be small."""
    rows = {}
    for (cell, condition), counts in sums.cells.items():
        if may_doubt(cell, cell in sums.several) and condition != "loss":
            rows.setdefault((cell.split("/")[0], condition), Counter()).update(counts)
    return [
        f"{mechanism} with several ({condition}): {doubted} of {counts['pairs']} ambiguous"
        for (mechanism, condition), counts in sorted(rows.items())
        if is_too_much(doubted := counts["doubted"] + counts["mistaken"], counts["pairs"])
    ]


def lines_of(sums, look):
    """A line for each cell in which look() finds something."""
    return [
        f"{cell} ({condition}): {', '.join(found)}"
        for (cell, condition), counts in sorted(sums.cells.items())
        if (found := look(cell, condition, counts, cell in sums.several))
    ]


def bad_cells(sums):
    """A line for each cell that is not as it must be."""
    return lines_of(sums, faults)


def is_bad(comparison, condition):
    sums = Sums()
    sums.add(comparison, condition)
    return bool(bad_cells(sums))


def false_cells(sums):
    """A line for each cell of which something false was said as exact."""
    return lines_of(sums, lambda _cell, _condition, counts, _several: falsehoods(counts))


def names_of_bad(sums):
    return [line.split(" ", maxsplit=1)[0] for line in bad_cells(sums)]


def report(sums, more, most):
    """Prints the tables and the bad cells; true where all is as it must be."""
    print(table(sums.by(0)))
    for name in more:
        print(table(sums.by(1 + BY.index(name))))
    bad, doubt = bad_cells(sums), too_much_doubt(sums)
    print("\n".join([*bad[:most], *doubt]) or "all as it must be")
    if len(bad) > most:
        print(f"and {len(bad) - most} more cells")
    return not bad and not doubt
