# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Traces, messages and pictures: what ipclens wrote, loaded and validated against its schema."""
import base64
import json
import os
import subprocess

import jsonschema

import left_out
from expectations import Failure, expect, expect_equal

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("IPCLENS_BUILD", os.path.join(ROOT, "build")))
IPCLENS = os.path.join(BUILD, "ipclens")
TIMEOUT = 60

validators = {}


def call(arguments, check=True, **options):
    """Runs a program to its end; its result with bytes as output."""
    options.setdefault("timeout", TIMEOUT)
    options.setdefault("stdin", subprocess.DEVNULL)
    if "stdout" not in options:
        options["capture_output"] = True
    result = subprocess.run(arguments, check=False, **options)
    if check:
        expect_equal(result.returncode, 0, f"{arguments} succeeds; stderr: {result.stderr!r}")
    return result


def schema(*lines):
    """Of a trace, or with "top" of what `ipclens top --json` prints."""
    if ("schema", *lines) not in validators:
        text = subprocess.run(
            [IPCLENS, "schema", *lines], capture_output=True, check=True, timeout=TIMEOUT
        ).stdout
        validators["schema", *lines] = json.loads(text)
    return validators["schema", *lines]


def validator(*lines):
    if lines not in validators:
        document = schema(*lines)
        kind = jsonschema.validators.validator_for(document)
        kind.check_schema(document)
        validators[lines] = kind(document)
    return validators[lines]


def validate(lines, *of):
    for number, line in enumerate(lines, 1):
        if not validator(*of).is_valid(line):
            error = jsonschema.exceptions.best_match(validator(*of).iter_errors(line))
            path = "/".join(map(str, error.absolute_path))
            raise Failure(
                f"line {number} does not fit the schema at {path!r}: {error.message}\n"
                f"{json.dumps(line)}"
            )


def load_lines(path):
    with open(path, "rb") as file:
        data = file.read()
    expect(data.endswith(b"\n"), "the trace ends with a whole line", data[-200:])
    return [json.loads(line) for line in data.splitlines()]


def blob(value):
    """The bytes that a trace's or a message's value stands for."""
    if isinstance(value, dict):
        return base64.b64decode(value["base64"], validate=True)
    return value.encode() if value is not None else b""


class Trace:
    """A trace file: its lines, and questions about them."""

    def __init__(self, path, check=True):
        self.path = path
        lines = load_lines(path)
        if check:
            validate(lines)
        self.lines = left_out.whole(lines)
        self.ended = {line["id"]: line for line in self.of("operation") if "state" not in line}
        self.merged = {}
        for line in self.of("channel"):
            self.merged.setdefault(blob(line["id"]), {}).update(line)

    def of(self, kind, **wanted):
        return [
            line
            for line in self.lines
            if line["type"] == kind and all(line.get(key) == value for key, value in wanted.items())
        ]

    def one(self, kind, **wanted):
        found = self.of(kind, **wanted)
        expect_equal(len(found), 1, f"there is one {kind} line with {wanted}")
        return found[0]

    def operations(self, **wanted):
        """Operations that ended; begin lines are left out."""
        return [op for op in self.of("operation", **wanted) if "state" not in op]

    def operation(self, identity):
        expect(identity in self.ended, f"operation {identity} is in the trace, and ended")
        return self.ended[identity]

    def channel(self, identity):
        """All that the trace says of a channel: later lines add to earlier ones."""
        expect(blob(identity) in self.merged, f"there is a channel line for {identity!r}")
        return self.merged[blob(identity)]

    def trailer(self):
        expect_equal(self.lines[-1]["type"], "trailer", "the last line is the trailer")
        return self.lines[-1]

    def lost(self):
        return sum(line["count"] for line in self.of("lost"))

    def pid_of(self, comm):
        """The process whose last name this is."""
        last = {
            line["pid"]: blob(line["comm"])
            for line in self.of("process")
            if line["pid"] == line["tid"]
        }
        pids = {pid for pid, name in last.items() if name == comm.encode()}
        expect_equal(len(pids), 1, f"one process is called {comm}")
        return pids.pop()


def sides(operation):
    """(send or receive, channel): a transfer is both, and sends nothing where it found the end."""
    role = operation["role"]
    if role in ("send", "receive") and "channel" in operation:
        return [(role, operation["channel"])]
    found = []
    if role == "transfer" and "channel" in operation and operation["syscall"] != "tee":
        found.append(("receive", operation["channel"]))
    if role == "transfer" and "channel_out" in operation and operation["returned"]:
        found.append(("send", operation["channel_out"]))
    return found


def mechanism_of(trace, operation):
    if "channel" not in operation:
        return None
    return trace.channel(operation["channel"])["mechanism"]


class Messages(list):
    """What `ipclens messages` printed; what it skipped of a flow is in `gaps`."""

    def __init__(self, lines):
        super().__init__(line for line in lines if line["type"] == "message")
        self.gaps = [line for line in lines if line["type"] == "gap"]

    def of(self, mechanism):
        return [m for m in self if m["mechanism"] == mechanism]

    def delivered(self, mechanism):
        return [m for m in self.of(mechanism) if m["from"] and m["to"]]


def messages(path, *options):
    result = call([IPCLENS, "messages", *options, path])
    expect_equal(result.stderr, b"", "messages has nothing to say on stderr")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    expect_equal({line["type"] for line in lines} - {"message", "gap"}, set(), "kinds of lines")
    return Messages(lines)


def view(path, *options, columns=120, **others):
    environment = dict(os.environ, COLUMNS=str(columns), LC_ALL="C.UTF-8", **others)
    result = call([IPCLENS, "view", path, *options], env=environment)
    return result.stdout.decode()


def stats(path, *options):
    """The lines of `ipclens stats --json`."""
    result = call([IPCLENS, "stats", "--json", path, *options])
    expect_equal(result.stderr, b"", "stats has nothing to say on stderr")
    return [json.loads(line) for line in result.stdout.splitlines()]


def stats_lines(lines, kind, **wanted):
    """Those of stats() that are of this kind and have these values."""
    return [
        line
        for line in lines
        if line["type"] == kind and all(line.get(key) == value for key, value in wanted.items())
    ]


def one_stats_line(lines, kind, **wanted):
    found = stats_lines(lines, kind, **wanted)
    expect_equal(len(found), 1, f"there is one {kind} line with {wanted}")
    return found[0]


def stats_text(path, *options, columns=120):
    environment = dict(os.environ, COLUMNS=str(columns), LC_ALL="C.UTF-8")
    return call([IPCLENS, "stats", path, *options], env=environment).stdout.decode()


def one_error(result, status, *words):
    """It failed with this status and said so in one line that has these words."""
    expect_equal(result.returncode, status, f"exit status; stderr: {result.stderr!r}")
    lines = result.stderr.decode().splitlines()
    expect_equal(len(lines), 1, f"one line on stderr: {lines}")
    expect(lines[0].startswith("ipclens"), "it says who speaks", lines[0])
    for word in words:
        expect(word.lower() in lines[0].lower(), f"the error has {word!r}", lines[0])


def ipclens(*arguments, **options):
    return call([IPCLENS, *arguments], check=False, **options)
