# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""HTML pages of traced commands, opened in a browser. Its pictures are kept in build/screenshots."""
import json
import os

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


def draw(directory, command, *options, **others):
    """The page of a traced command, and its messages."""
    traced = record(directory, command, *options, **others)
    page = os.path.join(directory, "page.html")
    view(traced.trace_path, "-o", page)
    return page, traced.messages()
