# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What a viewer's command takes for a trace, and for one that is four times as large."""
import os
import resource
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("IPCLENS_BUILD", os.path.join(ROOT, "build")))
VIEW = os.path.join(BUILD, "ipclens-view")

OTHER = "other.ndjson"  # the trace of another machine, in which nothing happens
FORMATS = ("trace-event", "svg", "mermaid", "plantuml", "dot", "otlp", "pcapng", "pcapng-tcp")

COMMANDS = {
    "messages": ["messages"],
    "stats": ["stats"],
    "stats --json": ["stats", "--json"],
    "view": ["view"],
    "view --unfold": ["view", "--unfold", "--max", "0"],
    "view --threads": ["view", "--threads"],
    "view --kernel": ["view", "--kernel"],
    "view -o page.html": ["view", "-o", "page.html"],
    **{f"view --as {name}": ["view", "--as", name] for name in FORMATS},
    "diagnose": ["diagnose"],
    "diagnose --json": ["diagnose", "--json"],
    "merge": ["merge", OTHER],
}
OTHER_TRACE = (
    '{"type":"header","format":"ipclens-trace","version":1,"tool":"0","kernel":"6","machine":"x86_64",'
    '"host":"other","boot_id":"other","clock":"CLOCK_MONOTONIC","start_ns":5,"realtime_offset_ns":0,'
    '"options":{},"hooks":{}}\n'
    '{"type":"trailer","at_ns":9,"why":"finished","operations":0,"signals":0,"lost":0,"lines":1}\n'
)
LARGER = 4
TIMES_MOST = 6  # the processor time of the larger trace, as a multiple of the smaller one's
SECONDS_LEAST = 0.5  # less says nothing of how it grows, beside other programs
RUNS_MOST = 6  # until it is believed
SECONDS_MOST = 20  # then it is ended
BYTES_MOST, MEMORY_BASE = 64, 100 * 10**6  # of memory, for each byte of the trace and beside


# Lines of a trace that `diagnose` has read more than it keeps at a time, and how much more memory
# it may take for twice as many.
BOUNDED_LINES, BOUNDED_MOST = 150000, 1.2


class Cost:
    """What one run took."""

    def __init__(self, status, usage):
        self.status, self.seconds, self.memory = status, usage.ru_utime, usage.ru_maxrss * 1024


def limit():
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS_MOST, SECONDS_MOST))
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))


def measure(words, trace, errors):
    with open(errors, "wb") as err, subprocess.Popen(
        [VIEW, *words, trace], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=err,
        cwd=os.path.dirname(trace), preexec_fn=limit,  # pylint: disable=subprocess-popen-preexec-fn
    ) as child:
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    return Cost(child.returncode, usage)


class Traces:
    """Two traces that `generate(count, file)` writes; the smaller one if it is asked for."""

    def __init__(self, folder, generate, count):
        self.folder, self.generate, self.count = folder, generate, count
        self.large = self.write("large", count * LARGER)
        with open(os.path.join(folder, OTHER), "w", encoding="utf-8") as file:
            file.write(OTHER_TRACE)
        self.made = None

    def path(self, name):
        return os.path.join(self.folder, f"{name}.ndjson")

    def write(self, name, count):
        path = self.path(name)
        with open(path, "w", encoding="utf-8") as file:
            self.generate(count, file)
        return path

    @property
    def small(self):
        if not self.made:
            self.made = self.write("small", self.count)
        return self.made


def is_too_slow(words, traces, large, errors):
    """
    The times of both traces where the larger one takes too long; else nothing. Of each it is the
    shortest of several runs, as a busy machine makes a run longer and never shorter.
    """
    most, least = large.seconds, float("inf")
    for _ in range(RUNS_MOST):
        if most <= SECONDS_LEAST:
            return None
        least = min(least, measure(words, traces.small, errors).seconds)
        if most <= TIMES_MOST * least:
            return None
        most = min(most, measure(words, traces.large, errors).seconds)
    return f"{least:.2f} s, then {most:.2f} s"


def problem(words, traces, errors, whole=True):
    """What is wrong with a command on these traces, or nothing. `whole`: no line may be wrong."""
    large = measure(words, traces.large, errors)
    with open(errors, encoding="utf-8") as file:
        said = file.read().strip()
    if large.status not in (0, 1) or (whole and "left out" in said):
        return f"status {large.status} after {large.seconds:.1f} s: {said}"
    size = os.path.getsize(traces.large)
    if large.memory > BYTES_MOST * size + MEMORY_BASE:
        return f"{large.memory / 1e6:.0f} MB for a trace of {size / 1e6:.1f} MB"
    return is_too_slow(words, traces, large, errors)


def unbounded(folder, generate, errors):
    """What is wrong with the memory of `diagnose` for what goes on without a fault, or nothing."""
    path = os.path.join(folder, "bounded.ndjson")
    costs = []
    for count in BOUNDED_LINES, 2 * BOUNDED_LINES:
        with open(path, "w", encoding="utf-8") as file:
            generate(count, file)
        costs.append(measure(["diagnose", "--json"], path, errors))
    small, large = costs
    if small.status or large.status:
        return f"status {small.status}, then {large.status}"
    if large.memory > BOUNDED_MOST * small.memory:
        return f"{small.memory / 1e6:.0f} MB, then {large.memory / 1e6:.0f} MB"
    return None
