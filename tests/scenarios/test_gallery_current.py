#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""docs/gallery.md and the goldens of every format are what their traces are drawn as today."""
import glob
import json
import os
import re
import subprocess

from expectations import expect, expect_equal
from harness import BUILD, main, scenario

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
GALLERY = os.path.join(ROOT, "tests", "gallery")


@scenario("what is drawn of the stored traces is what was drawn: else `make goldens`, and look")
def goldens(_directory):
    done = subprocess.run([os.path.join(GALLERY, "generate"), BUILD, "--check"], check=False,
                          stderr=subprocess.PIPE)
    expect_equal(done.returncode, 0, done.stderr.decode())


def labs_shown():
    with open(os.path.join(GALLERY, "pictures.py"), encoding="utf-8") as file:
        text = file.read()
    return set(re.findall(r"\{labs\}/(\w+)", text))


@scenario("each lab has a picture in the gallery")
def labs(_directory):
    sources = {os.path.basename(path)[:-2] for path in
               glob.glob(os.path.join(ROOT, "tests", "labs", "*.c"))}
    with_main = {name for name in sources
                 if "int main(" in open(os.path.join(ROOT, "tests", "labs", name + ".c"),
                                        encoding="utf-8").read()}
    bare = sorted(with_main - labs_shown())
    expect(not bare, "each has a row in tests/gallery/pictures.py; then make gallery", bare)
    expect(labs_shown() <= with_main, "what is shown are labs", labs_shown() - with_main)


@scenario("the stored traces are normalised: no number, host or time of the machine they are from")
def normalised(_directory):
    for path in glob.glob(os.path.join(GALLERY, "traces", "*.ndjson")):
        with open(path, encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
        expect_equal(lines[0]["host"], "host", path)
        for line in lines:
            expect(line.get("pid", 0) < 1000, "small process numbers", line)
            expect(line.get("at_ns", 0) < 3e10, "times begin with the trace", line)


if __name__ == "__main__":
    main()
