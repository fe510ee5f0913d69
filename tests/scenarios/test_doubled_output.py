#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Lines that fork() doubles in stdio's buffer, and blocks that dd counts though they are not whole; and sound twins."""
import os

from expectations import expect, expect_equal, expect_in
from findings import diagnose
from harness import lab, main, record, scenario

MAY_RUN_BESIDE_OTHERS = True

NAME = "doubled-output"

# -E: PYTHONUNBUFFERED, if it is set, leaves nothing to be doubled.
PYTHON = ["/usr/bin/python3", "-E", "-c"]

# Programs, how often "begin" comes out, and how many children wrote it, too.
DOUBLED = {
    "C": (lab("doubled", "printed-before"), 2, 1),
    "C, three children": (lab("doubled", "three-children"), 4, 3),
    "python3": ([*PYTHON, "import os; print('begin'); print(os.fork())"], 2, 1),
    "python3, an empty child": (
        [*PYTHON, "import os; print('begin'); os.fork() and print('parent')"],
        2,
        1,
    ),
}
ONCE = {
    "flushed": lab("doubled", "flushed"),
    "by line": lab("doubled", "by-line"),
    "left alone": lab("doubled", "leaves-it"),
    "python3 flushes": [*PYTHON, "import os; print('begin', flush=True); print(os.fork())"],
    "multiprocessing": [
        *PYTHON,
        "import multiprocessing as m; print('begin'); p = m.Process(target=print, args=('x',));"
        "p.start(); p.join()",
    ],
    "perl": ["perl", "-e", 'print "begin\\n"; print fork() ? "parent\\n" : "child\\n"; wait'],
}
# The line comes out more often, and is no buffer's copy.
MEANT = {
    "printed after": lab("doubled", "printed-after"),
    "another program": lab("doubled", "executes"),
    "a shell": ["bash", "-c", "printf 'begin\\n%s\\n' a & printf 'begin\\n%s\\n' b; wait"],
}


def written(directory, command):
    """Traces the command with its output in a pipe; returns the findings and the output's lines."""
    place = os.path.join(directory, str(len(os.listdir(directory))))
    os.mkdir(place)
    result = record(place, ["sh", "-c", '"$@" | cat >lines', "sh", *command], cwd=place)
    with open(os.path.join(place, "lines"), encoding="utf-8") as file:
        return diagnose(result.trace_path)[0], file.read().splitlines()


@scenario("lines that fork() doubled are a note that names the line, the parent and the children")
def doubled_lines(directory):
    for name, (command, times, children) in DOUBLED.items():
        findings, lines = written(directory, command)
        expect_equal(lines.count("begin"), times, f"{name}: the line came out")
        found = [f for f in findings if f["id"] == NAME]
        expect_equal([f["severity"] for f in found], ["note"], f"{name}: {findings}")
        expect_in(f" and {children} child", found[0]["text"], name)
        expect_in('with the same 6 B ("begin")', found[0]["text"], name)
        expect_equal(len(found[0]["processes"]), children + 1, f"{name}: {found}")


@scenario("lines that were flushed, left alone or printed after the fork get no such note")
def undoubled_lines(directory):
    for name, command in {**ONCE, **MEANT}.items():
        findings, lines = written(directory, command)
        expect((lines.count("begin") == 1) == (name in ONCE), name, lines)
        expect(NAME not in [f["id"] for f in findings], name, findings)


# What dd is told, and what it has copied when it ends without having met the end of its input.
WRITER = "seq 1000000"
PARTIAL = {"bs=1M count=2": "warning", "count=1 bs=2M": "note", "ibs=200000 count=9": "warning"}
WHOLE = [
    "bs=1M count=2 iflag=fullblock",
    "bs=1M iflag=count_bytes count=4096",
    "bs=1M count=4096B",
    "bs=1M",
    "bs=4096 count=4",
    "bs=1M count=9999",
]


def copied(directory, words, writer=WRITER, first=":"):
    """Traces dd with these words behind the writer; returns the findings and how many bytes dd copied.

    `first` is what the shell does at that end before it becomes dd."""
    place = os.path.join(directory, str(len(os.listdir(directory))))
    os.mkdir(place)
    result = record(place, ["sh", "-c", f"{writer} | {{ {first}; exec dd {words} status=none of=copy; }}"], cwd=place)
    found = [f for f in diagnose(result.trace_path)[0] if f["id"] == "partial-read"]
    return found, os.path.getsize(os.path.join(place, "copy"))


@scenario("dd that counts partial reads as blocks is told what it did not copy")
def partial_reads(directory):
    for words, severity in PARTIAL.items():
        found, size = copied(directory, words)
        expect_equal([f["severity"] for f in found], [severity], words)
        if size % 1024 == 0:
            told = f"{size} B" if size < 10000 else f"{size // 1024} KiB"
            expect_in(f" copied {told} from pipe:[", found[0]["text"], words)
        expect_in("iflag=fullblock", found[0]["advice"], words)


@scenario("dd that reads whole blocks, counts bytes, or has met the end of its input is not")
def whole_reads(directory):
    for words in WHOLE:
        found, _ = copied(directory, words)
        expect(not found, words, found)
    for words in ("bs=1M count=1", "bs=512 count=1"):
        found, size = copied(directory, words, "echo hello")
        expect_equal((found, size), ([], 6), f"{words}: there was no more")
        found, size = copied(directory, words, "printf 'line\\nrest'", "read -r line")
        expect_equal((found, size), ([], 4), f"{words}: another one took what was before")


@scenario("what a shell read before it became dd is none of dd's reads")
def reads_of_shell(directory):
    (found,), _ = copied(directory, "bs=1M count=2", WRITER, "read -r line")
    expect_in("2 of its 2 reads", found["text"], "dd's own")


if __name__ == "__main__":
    main()
