# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A part of a document that a program writes: what stands between two markers."""


def replace(path, name, body):
    """Puts body, whole lines, between the lines <!-- NAME:begin --> and <!-- NAME:end -->."""
    begin, end = f"<!-- {name}:begin -->\n", f"<!-- {name}:end -->\n"
    with open(path, encoding="utf-8") as file:
        text = file.read()
    before, rest = text.split(begin)
    after = rest.split(end)[1]
    with open(path, "w", encoding="utf-8") as file:
        file.write(before + begin + body + end + after)
