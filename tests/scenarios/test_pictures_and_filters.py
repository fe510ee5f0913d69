#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The viewer on real traces: pictures, filters, traces cut short or damaged."""
import os

from expectations import expect, expect_equal, expect_in
from harness import lab, main, record, scenario
from traces import IPCLENS, call, ipclens, one_error, view


@scenario("the picture fits 80 and 140 columns, in UTF-8 and in ASCII, with and without color")
def widths(directory):
    trace = record(directory, ["sh", "-c", "ls /usr/bin | sort -r | head -5 | wc"]).trace_path
    for columns in (80, 140):
        picture = view(trace, columns=columns)
        for line in picture.splitlines():
            expect(len(line) <= columns, f"a line fits {columns} columns", picture)
        expect("\x1b" not in picture, "no color where stdout is no terminal", picture)
        for comm in ("ls", "sort", "head", "wc"):
            expect_in(comm, picture, "every process has a lane")
    environment = dict(os.environ, COLUMNS="80", LC_ALL="C")
    plain = call([IPCLENS, "view", trace], env=environment).stdout
    expect(plain.isascii(), "ASCII where the terminal is not UTF-8", plain)
    expect("\x1b[" in view(trace, "--color", "always"), "--color always")


LIVING = "│┃┊░▒┬◆◇✗┿┝┥┼├┤╳"  # what may stand in the column of a process that lives


def check_lifelines(picture):
    """Below a process's birth its column has nothing but its line, until it ends."""
    body = picture[picture.index("◆") :].split("\n\n")[0]
    rows = [
        picture[: picture.index("◆")].splitlines()[-1] + body.splitlines()[0],
        *body.splitlines()[1:],
    ]
    births = ends = 0
    alive = {rows[0].index("◆")}
    for row in rows[1:]:
        for column in alive:
            expect(
                len(row) > column and row[column] in LIVING,
                f"column {column} of {row!r} is a lifeline",
                picture,
            )
        for column, glyph in enumerate(row):
            if glyph == "┬" and row[column - 1] in "▶│├─":
                alive.add(column)
                births += 1
            elif glyph == "╳" and column in alive:
                alive.remove(column)
                ends += 1
    return births, ends


@scenario("lifelines are straight: from each birth to each end, crossed by arrows only")
def lifelines(directory):
    trace = record(directory, ["sh", "-c", "ls /usr/bin | sort -r | head -5 | wc"]).trace_path
    for columns in (80, 100, 140):
        expect_equal(check_lifelines(view(trace, columns=columns)), (4, 5), "births and ends drawn")


def cuts(data, header):
    """Where to cut: all through the trace, and on either side of its header's line break."""
    seams = {0, 1, header - 2, header - 1, header, header + 1, len(data) - 1}
    return sorted(seams | set(range(0, len(data), 97)))


@scenario("a trace cut anywhere: read up to its last whole line, and the reader says so")
def cut_trace(directory):
    whole = record(directory, lab("fifo")).trace_path
    with open(whole, "rb") as file:
        data = file.read()
    header = data.index(b"\n") + 1
    path = os.path.join(directory, "cut")
    for end in cuts(data, header):
        with open(path, "wb") as file:
            file.write(data[:end])
        for name in ("messages", "view"):
            result = ipclens(name, path)
            if end < header - 1:  # without its line break the header is whole
                one_error(result, 1)
            else:
                expect_equal(result.returncode, 0, f"{name} of {end} bytes: {result.stderr!r}")
                told = (result.stderr + result.stdout).decode()
                if end < len(data) - 1:  # the last line break alone is no loss
                    expect_in("cut off after line", told, f"{name} of {end} bytes says so")


@scenario("a line that is damaged costs that line, which is told; without a header, one error")
def damaged_trace(directory):
    trace = record(directory, lab("fifo")).trace_path
    with open(trace, "rb") as file:
        lines = file.read().splitlines(keepends=True)
    broken = os.path.join(directory, "broken")
    for number, garbage in (
        (3, b'{"type":\n'),
        (4, b"\x1b[31mred\n"),
        (1, b"hello\n"),
        (5, b"\0\n"),
    ):
        with open(broken, "wb") as file:
            file.writelines(lines[: number - 1] + [garbage] + lines[number:])
        for name in ("messages", "view"):
            result = ipclens(name, broken)
            if number == 1:
                one_error(result, 1, "1")
            else:
                expect_equal(result.returncode, 0, f"{name}: status")
                said = " ".join((result.stderr + result.stdout).decode().split())
                expect_in(f"broken:{number}: is not a JSON object; 1 such line", said, name)
            escapes = b"\x1b" in result.stderr + result.stdout
            expect(not escapes, "no escape of the trace's reaches the terminal")


@scenario("filters mean the same in messages and view")
def filters(directory):
    result = record(directory, ["sh", "-c", "ls /usr/bin | sort | wc -l"])
    chosen = result.messages("--from", "ls")
    everything = result.messages()
    expect_equal(
        chosen, [m for m in everything if m["from"] and m["from"]["comm"] == "ls"], "--from"
    )
    pipe = chosen.of("pipe")[0]["channel"]
    expect_equal(
        result.messages("--channel", pipe),
        [m for m in everything if m.get("channel") == pipe],
        "--channel",
    )
    expect_equal(result.messages("--mechanism", "signal"), everything.of("signal"), "--mechanism")
    picture = result.view("--mechanism", "signal")
    expect("SIGCHLD" in picture and "EOF" not in picture, "view shows signals only", picture)


if __name__ == "__main__":
    main()
