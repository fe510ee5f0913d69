# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Puts the matrix's table into docs/fidelity.md, between its markers."""
import judge
import marked

HEAD = ("condition", "mechanism", "cells", "pairs", "exact", "ambiguous", "missing", "false",
        "announced as unseen")


def row(condition, name, counts):
    doubted = counts["doubted"] + counts["mistaken"]
    false = sum(counts[what] for what in judge.FALSE)
    numbers = (counts["cells"], counts["pairs"], counts["exact"], doubted, counts["missing"], false,
               counts["unseen"])
    return f"| {condition} | {name} | " + " | ".join(f"{number:,}" for number in numbers) + " |"


def table(sums):
    lines = ["| " + " | ".join(HEAD) + " |", "|---|---|" + "---:|" * (len(HEAD) - 2)]
    lines += [row(*name, counts) for name, counts in sorted(sums.by(0).items())]
    return "\n".join(lines) + "\n"


def write(path, sums):
    marked.replace(path, "matrix", table(sums))
