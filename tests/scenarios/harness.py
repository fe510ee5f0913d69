# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What every scenario needs: run ipclens on a workload, and report in TAP.

To add a scenario: a function in the file that proves the same (tests/README.md lists them); for a
new kind of traffic a program tests/labs/NAME.c too, which logs what it did (tests/labs/truth.h):
    compare(record(directory, lab("NAME")), "mechanism")

A scenario is a function with @scenario("what must hold") that gets a directory of its own and
fails by an exception. main() runs those of one file and prints TAP. Arguments choose scenarios by
a part of their name; IPCLENS_KEEP=1 keeps their directories; IPCLENS_BUILD names the build.

Standard streams of what is traced are files, so the harness adds no pipe to the trace.
"""
import atexit
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

import invariants
from expectations import Failure, expect_equal
from traces import BUILD, IPCLENS, TIMEOUT, Trace, call, load_lines, messages, view

USER = "ipclens-test"


class Skip(Exception):
    """A program that the scenario needs is missing here; the text says which."""


scenarios = []


def scenario(name):
    def register(function):
        scenarios.append((name, function))
        return function

    return register


def each_in_place(directory, cases):
    """Each name with its case, and a directory of its own."""
    for name, case in cases.items():
        place = os.path.join(directory, name)
        os.mkdir(place)
        yield name, case, place


def needs(*programs):
    """Skips the scenario unless these programs are installed; in CI it fails."""
    absent = [name for name in programs if not shutil.which(name)]
    if absent and os.environ.get("CI"):
        raise Failure(f"{', '.join(absent)}: not installed, and in CI nothing may be skipped")
    if absent:
        raise Skip(f"needs {', '.join(absent)}")


def lab(name, *arguments):
    return [os.path.join(BUILD, "labs", name), *map(str, arguments)]


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
            raise Failure(
                f"ipclens did not end within {timeout} s\n{self.stderr.decode()}"
            ) from None
        return self

    @property
    def trace(self):
        if self.loaded is None:
            self.loaded = Trace(self.trace_path)
        return self.loaded

    @property
    def truth(self):
        """What the program has logged of itself so far: nothing before its first write."""
        path = os.path.join(self.directory, "truth")
        lines = load_lines(path) if ends_whole(path) else []
        return sorted(lines, key=lambda line: line["at_ns"])

    def messages(self, *options):
        return messages(self.trace_path, *options)

    def view(self, *options, **others):
        return view(self.trace_path, *options, **others)


def ends_whole(path):
    """True for a log that is there, and not just being written."""
    if not os.path.exists(path):
        return False
    with open(path, "rb") as file:
        return file.read().endswith(b"\n")


def start(directory, arguments, environment=None, **options):
    """Starts a program with its streams in files of the directory."""
    environment = dict(os.environ, **(environment or {}))
    environment.setdefault("IPCLENS_TRUTH", os.path.join(directory, "truth"))
    options.setdefault("stdin", subprocess.DEVNULL)
    with open(os.path.join(directory, "stdout"), "wb") as out, open(
        os.path.join(directory, "stderr"), "wb"
    ) as err:
        return Run(
            directory,
            subprocess.Popen(arguments, stdout=out, stderr=err, env=environment, **options),
        )


def recorder(directory, command, *options, verb="record", output="-o"):
    """The words of `ipclens record` into the directory's trace; command None: it joins others."""
    trace = os.path.join(directory, "trace.ndjson")
    end = [] if command is None else ["--", *command]
    return [IPCLENS, verb, output, trace, *map(str, options), *end]


def start_record(directory, command, *options, **others):
    """Starts `ipclens record` and does not wait for its end."""
    return start(directory, recorder(directory, command, *options), **others)


def record(directory, command, *options, status=0, whole=True, **others):
    """`ipclens record`, its trace validated line by line. `whole`: nothing lost, ended well."""
    result = start_record(directory, command, *options, **others).wait()
    return finish(result, status, whole)


def run(directory, command, *options, status=0, whole=True, **others):
    """`ipclens run`, its trace kept and validated, its picture in stderr."""
    words = recorder(directory, command, *options, verb="run", output="--trace")
    return finish(start(directory, words, **others).wait(), status, whole)


def finish(result, status, whole):
    expect_equal(
        result.status, status, "exit status; stderr: " + result.stderr.decode(errors="replace")
    )
    trace = result.trace
    expect_equal(trace.lines[0]["type"], "header", "the first line is the header")
    if whole:
        expect_equal(
            (trace.trailer()["why"], trace.trailer()["lost"], trace.lost()),
            ("finished", 0, 0),
            f"the trace is whole; lost: {trace.of('lost')}",
        )
        expect_equal(
            trace.trailer()["operations"],
            len(trace.operations()),
            "the trailer counts the operations",
        )
        expect_equal(
            trace.trailer()["signals"],
            len(trace.of("signal")),
            "the trailer counts the signal lines",
        )
        invariants.check_lines(trace)
        invariants.check_messages(trace, result.messages())
    return result


def test_user():
    """An ordinary user with a group more, made for this run where it is missing."""
    try:
        return pwd.getpwnam(USER)
    except KeyError:
        call(["useradd", "--create-home", "--shell", "/bin/sh", "--groups", "nogroup", USER])
        atexit.register(call, ["userdel", "--remove", USER])
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


def result_of(name, function, directory):
    """True, or False with what was wrong, or the reason to skip; and how its line goes on."""
    started = time.monotonic()
    try:
        function(directory)
    except Skip as reason:
        return True, [], f"{name} # SKIP {reason}"
    except Exception as error:
        report = str(error) if isinstance(error, Failure) else traceback.format_exc()
        if isinstance(error, Failure):
            frame = traceback.extract_tb(error.__traceback__)
            report += "".join(f"\nat {os.path.basename(f.filename)}:{f.lineno}" for f in frame[1:])
        return False, ["# " + line for line in report[:6000].splitlines()], name
    return True, [], f"{name} # {time.monotonic() - started:.1f} s"


def run_one(number, name, function):
    """Whether it was good, and its lines of TAP."""
    directory = tempfile.mkdtemp(prefix="ipclens-")
    os.chmod(directory, 0o755)
    good, lines, said = result_of(name, function, directory)
    if os.environ.get("IPCLENS_KEEP"):
        lines.append(f"# {directory}")
    else:
        shutil.rmtree(directory, ignore_errors=True)
    return good, lines + [f"{'ok' if good else 'not ok'} {number} - {said}"]


def signals_default():
    """Who starts the tests in the background has them inherit signals that are ignored."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


def run_or_skip(number, name, function):
    reason = missing()
    if not reason:
        return run_one(number, name, function)
    if os.environ.get("CI"):
        return False, [f"not ok {number} - {name}: {reason}, and in CI nothing may be skipped"]
    return True, [f"ok {number} - {name} # SKIP {reason}"]


def main():
    signals_default()
    chosen = [each for each in scenarios if all(word in each[0] for word in sys.argv[1:])]
    print(f"1..{len(chosen)}", flush=True)
    good = True
    for number, each in enumerate(chosen, 1):
        passed, lines = run_or_skip(number, *each)
        print("\n".join(lines), flush=True)
        good = good and passed
    sys.exit(0 if good else 1)
