# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What a comparison must come to, and a table of it."""
from collections import Counter

COLUMNS = ("pairs", "exact", "doubted", "mistaken", "wrong", "missing", "length", "fate",
           "duplicate")
PIPES = ("pipe", "fifo")
BY_ORDER = (*PIPES, "eventfd")  # nothing but the order of calls tells, where records are missing
DOUBT_MOST = 0.025  # of the pairs of these
DOUBT_RIGHT = 0.9  # of the doubted ones
DOUBT_FEW = 100  # of fewer, the share says nothing
# Where the kernel tells the parts of large writes but in part, some stay without their partners,
# which the trace then tells as a gap.
VARIED = "pipe-varied"
MISSING_VARIED = 0.001


def sharing(about):
    if about["stage"] == VARIED:
        return "varied"
    return "several" if about["senders"] > 1 or about["receivers"] > 1 else "one"


class Sums:
    """Counts of many comparisons, by mechanism; one sender and receiver apart from several, and
    writes of all lengths into a pipe apart from both."""

    def __init__(self):
        self.by_kind, self.by_stage = {}, {}

    def add(self, comparison):
        for flow, counts in comparison.counts.items():
            about = comparison.truth.flows[flow]
            kind = about["mechanism"], sharing(about)
            self.by_kind.setdefault(kind, Counter()).update(counts)
            self.by_stage.setdefault((about["stage"], ""), Counter()).update(counts)

    def total(self):
        return sum(self.by_kind.values(), Counter())


def table(rows, columns=COLUMNS, width=26):
    """rows: {(name, name): Counter}; width: of the names."""
    lines = [f"{'':{width}}" + "".join(f"{name:>10.9}" for name in columns)]
    total = sum(rows.values(), Counter())
    for name, counts in [*sorted(rows.items()), (("all", ""), total)]:
        title = " ".join(name)
        lines.append(f"{title:{width}}" + "".join(f"{counts[column]:10}" for column in columns))
    return "\n".join(lines)


def found_false(counts):
    false = ("wrong", "length", "fate", "duplicate")
    return [f"{counts[what]} {what}" for what in false if counts[what]]


def faults(kind, counts):
    """What is wrong with these counts, in words."""
    mechanism, shared = kind
    found = found_false(counts)
    by_order = mechanism in PIPES and shared != "one"
    # Where doubt is allowed, a message that is told otherwise and doubted is not missing.
    missing = counts["missing"] - (counts["guessed"] if by_order else 0)
    allowed = MISSING_VARIED * counts["pairs"] if shared == "varied" else 0
    if missing > allowed:
        found.append(f"{missing} of {counts['pairs']} missing")
    doubted = counts["doubted"] + counts["mistaken"]
    if by_order:
        if doubted > DOUBT_MOST * counts["pairs"]:
            found.append(f"{doubted} of {counts['pairs']} ambiguous")
        if doubted >= DOUBT_FEW and counts["doubted"] < DOUBT_RIGHT * doubted:
            found.append(f"{counts['mistaken']} of {doubted} ambiguous ones wrong")
    elif doubted:
        found.append(f"{doubted} of {counts['pairs']} ambiguous (none need be)")
    return found


def verdict(sums):
    """One line for each kind that is not as it must be."""
    return [
        f"{' '.join(kind)}: {', '.join(found)}"
        for kind, counts in sorted(sums.by_kind.items())
        if (found := faults(kind, counts))
    ]


def verdict_false(sums):
    """The same of what is false alone."""
    return [
        f"{' '.join(kind)}: {', '.join(found)}"
        for kind, counts in sorted(sums.by_kind.items())
        if (found := found_false(counts))
    ]


# Recall of what is left in a damaged trace: some have order alone, the rest an identity.
RECALL_PIPES = 0.9
RECALL_NAMED = 0.99


def verdict_damaged(sums):
    """The same for a trace with something wrong in it: nothing false, most of the rest found."""
    found = []
    for kind, counts in sorted(sums.by_kind.items()):
        title = " ".join(kind)
        least = RECALL_PIPES if kind[0] in BY_ORDER else RECALL_NAMED
        found += [f"{title}: {counts[w]} {w}" for w in ("wrong", "fate", "duplicate") if counts[w]]
        if counts["pairs"] - counts["missing"] < least * counts["pairs"]:
            found.append(f"{title}: {counts['missing']} of {counts['pairs']} missing")
    return found
