# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Puts what a soak came to into docs/soak.md, between its markers."""

BEGIN, END = "<!-- soak:begin -->\n", "<!-- soak:end -->\n"
HEAD = ("rounds", "lost", "pairs", "exact", "doubted", "false")


def rows(by_load):
    """by_load: {name: counts}"""
    lines = ["| load | records lost | truthgen's pairs | exact | ambiguous | false |",
             "|---|---:|---:|---:|---:|---:|"]
    lines += [f"| {name} | " + " | ".join(f"{counts[column]:,}" for column in HEAD[1:]) + " |"
              for name, counts in by_load.items()]
    return lines


def write(path, by_load, said):
    """said: what was printed about losses and memory, a line each."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    body = "\n".join([*rows(by_load), "", *(f"- {line}" for line in said)]) + "\n"
    with open(path, "w", encoding="utf-8") as file:
        file.write(before + BEGIN + body + END + after)
