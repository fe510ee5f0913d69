# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What every scenario needs: run ipclens, load and validate what it wrote, compare with the truth.

A scenario is a function with @scenario("what must hold") that gets a directory of its own and
fails by an exception. main() runs those of one file and prints TAP. Arguments choose scenarios by
a part of their name; IPCLENS_KEEP=1 keeps their directories; IPCLENS_BUILD names the build.

The workloads (build/labs/NAME, from tests/labs) log their own truth, see tests/labs/truth.h.
Standard streams of what is traced are files, so the harness adds no pipe to the trace.
"""
import base64
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter

import jsonschema

import invariants

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("IPCLENS_BUILD", os.path.join(ROOT, "build")))
IPCLENS = os.path.join(BUILD, "ipclens")
USER = "ipclens-test"
TIMEOUT = 60

scenarios = []
validators = {}


class Failure(Exception):
    """What a scenario saw is not what it must be."""


def scenario(name):
    def register(function):
        scenarios.append((name, function))
        return function
    return register


def expect(condition, what, *evidence):
    if not condition:
        raise Failure("\n".join([what] + [repr(e) if not isinstance(e, str) else e for e in evidence]))


def expect_equal(got, wanted, what):
    expect(got == wanted, what, f"got:    {got!r}", f"wanted: {wanted!r}")


def expect_in(part, whole, what):
    expect(part in whole, what, f"looked for {part!r} in", str(whole))


def lab(name, *arguments):
    return [os.path.join(BUILD, "labs", name), *map(str, arguments)]


# --- the trace and the schema ---------------------------------------------------------------------

def schema():
    if "schema" not in validators:
        text = subprocess.run([IPCLENS, "schema"], capture_output=True, check=True,
                              timeout=TIMEOUT).stdout
        validators["schema"] = json.loads(text)
    return validators["schema"]


def validator():
    if "line" not in validators:
        document = schema()
        kind = jsonschema.validators.validator_for(document)
        kind.check_schema(document)
        validators["line"] = kind(document)
    return validators["line"]


def validate(lines):
    for number, line in enumerate(lines, 1):
        if not validator().is_valid(line):
            error = jsonschema.exceptions.best_match(validator().iter_errors(line))
            path = "/".join(map(str, error.absolute_path))
            raise Failure(f"line {number} does not fit the schema at {path!r}: {error.message}\n"
                          f"{json.dumps(line)}")


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
        self.lines = load_lines(path)
        if check:
            validate(self.lines)
        self.ended = {line["id"]: line for line in self.of("operation") if "state" not in line}
        self.merged = {}
        for line in self.of("channel"):
            self.merged.setdefault(blob(line["id"]), {}).update(line)

    def of(self, kind, **wanted):
        return [line for line in self.lines if line["type"] == kind
                and all(line.get(key) == value for key, value in wanted.items())]

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
        last = {line["pid"]: blob(line["comm"]) for line in self.of("process")
                if line["pid"] == line["tid"]}
        pids = {pid for pid, name in last.items() if name == comm.encode()}
        expect_equal(len(pids), 1, f"one process is called {comm}")
        return pids.pop()


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


class Messages(list):
    """What `ipclens messages` printed."""

    def of(self, mechanism):
        return [m for m in self if m["mechanism"] == mechanism]

    def delivered(self, mechanism):
        return [m for m in self.of(mechanism) if m["from"] and m["to"]]


def messages(path, *options):
    result = call([IPCLENS, "messages", *options, path])
    expect_equal(result.stderr, b"", "messages has nothing to say on stderr")
    found = Messages(json.loads(line) for line in result.stdout.splitlines())
    expect(all(m["type"] == "message" for m in found), "every line is a message")
    return found


def view(path, *options, columns=120, **others):
    environment = dict(os.environ, COLUMNS=str(columns), LC_ALL="C.UTF-8", **others)
    result = call([IPCLENS, "view", path, *options], env=environment)
    return result.stdout.decode()


class Run:
    """A finished `ipclens record` or `ipclens run`."""

    def __init__(self, directory, process):
        self.directory, self.process = directory, process
        self.trace_path = os.path.join(directory, "trace.ndjson")
        self.status = None
        self.loaded = None

    def text(self, name):
        with open(os.path.join(self.directory, name), "rb") as file:
            return file.read()

    stdout = property(lambda self: self.text("stdout"))
    stderr = property(lambda self: self.text("stderr"))

    def wait(self, timeout=TIMEOUT):
        try:
            self.status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Failure(f"ipclens did not end within {timeout} s\n{self.stderr.decode()}") from None
        return self

    @property
    def trace(self):
        if self.loaded is None:
            self.loaded = Trace(self.trace_path)
        return self.loaded

    @property
    def truth(self):
        path = os.path.join(self.directory, "truth")
        lines = load_lines(path) if os.path.exists(path) else []
        return sorted(lines, key=lambda line: line["at_ns"])

    def messages(self, *options):
        return messages(self.trace_path, *options)

    def view(self, *options, **others):
        return view(self.trace_path, *options, **others)


def start(directory, arguments, environment=None, **options):
    """Starts a program with its streams in files of the directory."""
    environment = dict(os.environ, **(environment or {}))
    environment.setdefault("IPCLENS_TRUTH", os.path.join(directory, "truth"))
    options.setdefault("stdin", subprocess.DEVNULL)
    with open(os.path.join(directory, "stdout"), "wb") as out, \
         open(os.path.join(directory, "stderr"), "wb") as err:
        return Run(directory, subprocess.Popen(arguments, stdout=out, stderr=err, env=environment,
                                               **options))


def record(directory, command, *options, status=0, whole=True, **others):
    """`ipclens record`, its trace validated line by line. `whole`: nothing lost, ended well."""
    run = start(directory, [IPCLENS, "record", "-o", os.path.join(directory, "trace.ndjson"),
                            *options, "--", *command], **others).wait()
    return finish(run, status, whole)


def run(directory, command, *options, status=0, whole=True, **others):
    """`ipclens run`, its trace kept and validated, its picture in stderr."""
    result = start(directory, [IPCLENS, "run", "--trace", os.path.join(directory, "trace.ndjson"),
                               *options, "--", *command], **others).wait()
    return finish(result, status, whole)


def finish(result, status, whole):
    expect_equal(result.status, status, "exit status; stderr: " + result.stderr.decode(errors="replace"))
    trace = result.trace
    expect_equal(trace.lines[0]["type"], "header", "the first line is the header")
    if whole:
        expect_equal((trace.trailer()["why"], trace.trailer()["lost"], trace.lost()),
                     ("finished", 0, 0), "the trace is whole")
        expect_equal(trace.trailer()["operations"], len(trace.operations()),
                     "the trailer counts the operations")
        expect_equal(trace.trailer()["signals"], len(trace.of("signal")),
                     "the trailer counts the signal lines")
        invariants.check_lines(trace, expect)
        invariants.check_messages(trace, result.messages(), expect)
    return result


# --- comparing messages with the workload's own log ---------------------------------------------------

class Expected:
    """A message as the workload's log knows it."""

    def __init__(self, sender, receiver, size, text):
        self.sender, self.receiver, self.size, self.text = sender, receiver, size, text

    def __repr__(self):
        return f"{self.sender} -> {self.receiver} {self.size} bytes {self.text[:40]!r}"


def latin(line):
    return line.get("text", "").encode("latin-1")


def truth_of(truth, action, mechanism, channel=None):
    return [t for t in truth if t["do"] == action and t.get("mechanism") == mechanism
            and t["result"] >= 0 and (channel is None or t.get("channel") == channel)]


def channels_of(truth, mechanism):
    return sorted({t["channel"] for t in truth if t.get("mechanism") == mechanism
                   and t["do"] in ("send", "receive") and "channel" in t})


def expected_stream(truth, mechanism, channel):
    """Sends and receives of one direction of one stream, joined by their offsets."""
    sends = [[t["pid"], t["bytes"], latin(t)] for t in truth_of(truth, "send", mechanism, channel)]
    found = []
    for receive in truth_of(truth, "receive", mechanism, channel):
        left = receive["bytes"]
        while left:
            sender, size, text = sends[0]
            taken = min(size, left)
            at = receive["bytes"] - left
            found.append(Expected(sender, receive["pid"], taken,
                                  text[:taken] or latin(receive)[at:at + taken]))
            sends[0] = [sender, size - taken, text[taken:]]
            if size == taken:
                sends.pop(0)
            left -= taken
    expect(not sends, "the workload received all that it sent", sends)
    return found


def expected_whole(truth, mechanism):
    """Messages with borders, all received: matched by their text, and by kind where texts repeat."""
    def key(line):
        return (line.get("channel"), latin(line), line.get("type"), line.get("priority"))

    receivers = {}
    for line in truth_of(truth, "receive", mechanism):
        receivers.setdefault(key(line), []).append(line["pid"])
    found = []
    for line in truth_of(truth, "send", mechanism):
        expect(receivers.get(key(line)), "the workload received all that it sent", line)
        found.append(Expected(line["pid"], receivers[key(line)].pop(0), line["bytes"], latin(line)))
    expect(not any(receivers.values()), "the workload sent all that it received", receivers)
    return found


def expected(truth, mechanism):
    if mechanism in ("pipe", "fifo", "unix-stream", "tcp"):
        return [e for channel in channels_of(truth, mechanism)
                for e in expected_stream(truth, mechanism, channel)]
    return expected_whole(truth, mechanism)


def piece(trace, side, size):
    """What the trace kept of a message's bytes on one side; None where it kept nothing."""
    operation = trace.operation(side["op"])
    if "payload" not in operation or "lengths" in operation:
        return None
    return blob(operation["payload"])[side["offset"]:side["offset"] + size]


def same_start(some, other):
    """Both are the beginning of a message, kept up to different lengths."""
    size = min(len(some), len(other))
    return some[:size] == other[:size]


def fits(trace, message, wanted):
    if (message["from"]["pid"], message["to"]["pid"], message["bytes"]) != \
            (wanted.sender, wanted.receiver, wanted.size):
        return False
    return all(got is None or same_start(got, wanted.text)
               for got in (piece(trace, message["sent"], wanted.size),
                           piece(trace, message["received"], wanted.size)))


def compare(run_, mechanism, match="exact"):
    """The messages of a mechanism are those that the workload logged: no more, no less, no other."""
    wanted = expected(run_.truth, mechanism)
    expect(wanted, f"the workload logged {mechanism} messages")
    found = run_.messages().delivered(mechanism)
    left = list(found)
    for one in wanted:
        got = next((m for m in left if fits(run_.trace, m, one)), None)
        expect(got, f"a message is missing: {one}", *[json.dumps(m) for m in left])
        left.remove(got)
    expect(not left, "messages that the workload knows nothing of", *[json.dumps(m) for m in left])
    expect_equal({m["match"] for m in found}, {match}, "how sure the pairing is")
    compare_results(run_, mechanism)
    return found


def compare_results(run_, mechanism):
    """Every transfer the workload logged is an operation, inside the time it logged."""
    transfers = Counter()
    for op in run_.trace.operations():
        if op["role"] in ("send", "receive") and mechanism_of(run_.trace, op) == mechanism:
            sizes = op.get("lengths") or [op.get("transferred", op["returned"])]
            for size in sizes:
                transfers[(op["pid"], op["tid"], op["role"], size)] += 1
    logged = Counter()
    for line in run_.truth:
        if line.get("mechanism") == mechanism and line["do"] in ("send", "receive", "eof"):
            role = "send" if line["do"] == "send" else "receive"
            if line["result"] >= 0:
                logged[(line["pid"], line["tid"], role, line["bytes"])] += 1
    failed = {key for key in transfers if key[3] < 0}
    for key in failed:
        del transfers[key]
    expect_equal(transfers, logged, f"the {mechanism} operations are those that the workload logged")


def expect_row(picture, *words):
    """Some one line of the picture has all these words."""
    expect(any(all(word in line for word in words) for line in picture.splitlines()),
           f"the picture has a line with {words}", picture)


def mechanism_of(trace, operation):
    if "channel" not in operation:
        return None
    return trace.channel(operation["channel"])["mechanism"]


# --- users and running ------------------------------------------------------------------------------

def test_user():
    """An ordinary user with a group more, made where it is missing."""
    try:
        return pwd.getpwnam(USER)
    except KeyError:
        call(["useradd", "--create-home", "--shell", "/bin/sh", "--groups", "nogroup", USER])
        return pwd.getpwnam(USER)


def wait_for(condition, what, timeout=TIMEOUT):
    """Polls for something that another process does."""
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            raise Failure(f"waited {timeout} s for {what}")
        time.sleep(0.01)


def gone(pid):
    """The process has ended; whether its parent has asked for its status does not matter."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] in (b"Z", b"X")
    except (FileNotFoundError, ProcessLookupError):
        return True


def missing():
    """Why nothing can be traced here, or None."""
    if os.geteuid() != 0:
        return "needs root"
    if not os.path.exists("/sys/kernel/btf/vmlinux"):
        return "needs /sys/kernel/btf/vmlinux"
    if not os.access(IPCLENS, os.X_OK):
        raise SystemExit(f"Bail out! {IPCLENS} is not built: make")
    return None


def run_one(number, name, function):
    directory = tempfile.mkdtemp(prefix="ipclens-")
    os.chmod(directory, 0o755)
    started = time.monotonic()
    try:
        function(directory)
    except Exception as error:
        report = str(error) if isinstance(error, Failure) else traceback.format_exc()
        if isinstance(error, Failure):
            frame = traceback.extract_tb(error.__traceback__)
            report += "".join(f"\nat {os.path.basename(f.filename)}:{f.lineno}" for f in frame[1:])
        print("\n".join("# " + line for line in report[:6000].splitlines()))
        print(f"not ok {number} - {name}")
        return False
    finally:
        if not os.environ.get("IPCLENS_KEEP"):
            shutil.rmtree(directory, ignore_errors=True)
        else:
            print(f"# {directory}")
    print(f"ok {number} - {name} # {time.monotonic() - started:.1f} s")
    return True


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    chosen = [s for s in scenarios if all(word in s[0] for word in sys.argv[1:])]
    print(f"1..{len(chosen)}")
    reason = missing()
    good = True
    for number, (name, function) in enumerate(chosen, 1):
        if reason and not os.environ.get("CI"):
            print(f"ok {number} - {name} # SKIP {reason}")
        elif reason:
            print(f"not ok {number} - {name}: {reason}, and in CI nothing may be skipped")
            good = False
        else:
            good = run_one(number, name, function) and good
        sys.stdout.flush()
    sys.exit(0 if good else 1)
