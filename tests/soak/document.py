# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Puts what a soak came to into docs/soak.md, between its markers."""
import marked

HEAD = ("rounds", "lost", "pairs", "exact", "ambiguous", "false")


def rows(by_load):
    """by_load: {name: counts}"""
    lines = ["| load | records lost | truthgen's pairs | exact | ambiguous | false |",
             "|---|---:|---:|---:|---:|---:|"]
    lines += [f"| {name} | " + " | ".join(f"{counts[column]:,}" for column in HEAD[1:]) + " |"
              for name, counts in by_load.items()]
    return lines


def write(path, by_load, said):
    """said: what was printed about losses and memory, a line each."""
    body = "\n".join([*rows(by_load), "", *(f"- {line}" for line in said)]) + "\n"
    marked.replace(path, "soak", body)
