# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""HTML pages of traced commands, opened in a browser. Its pictures are kept in build/screenshots."""
import base64
import json
import os
import re
import zlib

from expectations import Failure
from harness import record
from traces import BUILD, call, view

HERE = os.path.dirname(os.path.abspath(__file__))
BROWSER = os.path.join(BUILD, "browser", "node_modules")  # make browser
SHOTS = os.path.join(BUILD, "screenshots")


def browse(page, check, **expected):
    """Does with the page what tests/browser/checks.mjs or panels.mjs says."""
    if not os.path.isdir(BROWSER):
        if os.environ.get("CI"):
            raise Failure("nothing drives a browser here: make browser")
        print("# nothing drives a browser here: make browser")
        return
    os.makedirs(SHOTS, exist_ok=True)
    script = os.path.join(HERE, "..", "browser", "page.mjs")
    with open(page + ".json", "w", encoding="utf-8") as file:
        json.dump(expected, file)
    call(["node", script, BROWSER, page, SHOTS, check, file.name])


def section_of(page, name):
    """The JSON of a part of a page's data, as its script reads it."""
    chunks = re.findall(rf'<script type="text/plain" data-section="{name}"[^>]*>([^<]*)<', page)
    data = zlib.decompress(b"".join(map(base64.b64decode, chunks)), wbits=31)
    length = int.from_bytes(data[:4], "little")
    return json.loads(data[4 : 4 + length])


def core_of(page):
    """The first part of a page's data: lanes, rows with words, notes."""
    return section_of(page, "core")


def said_in(page):
    """The rows of a page that are no messages: label and detail of each."""
    return [(row[3], row[4]) for row in core_of(page)["said"]]


def draw(directory, command, *options, **others):
    """The page of a traced command, and its messages."""
    traced = record(directory, command, *options, **others)
    page = os.path.join(directory, "page.html")
    view(traced.trace_path, "-o", page)
    return page, traced.messages()
