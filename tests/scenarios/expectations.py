# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Saying what must hold."""


class Failure(Exception):
    """What a scenario saw is not what it must be."""


def expect(condition, what, *evidence):
    if not condition:
        raise Failure(
            "\n".join([what] + [repr(e) if not isinstance(e, str) else e for e in evidence])
        )


def expect_equal(got, wanted, what):
    expect(got == wanted, what, f"got:    {got!r}", f"wanted: {wanted!r}")


def expect_in(part, whole, what):
    expect(part in whole, what, f"looked for {part!r} in", str(whole))


def expect_row(picture, *words):
    """Some one line of the picture has all these words: that line."""
    rows = [line for line in picture.splitlines() if all(word in line for word in words)]
    expect(rows, f"the picture has a line with {words}", picture)
    return rows[0]
