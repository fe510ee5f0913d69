# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""
A trace as it would be on any machine and any day: processes, objects and ports have small numbers
in order of their own, times are those of a quick machine. What came first comes first still, and
what was long is long; nothing else of the trace changes.
"""
import json
import re

PIDS = {"pid", "tid", "ppid", "maker_tid", "tracer", "child", "woken_tid", "peer_pid", "tgid"}
OBJECTS = {"inode", "msqid", "semid", "shmid", "addr"}
PID_CALLS = {"wait4", "waitid", "fork", "vfork", "clone", "clone3"}
OBJECT_CALLS = {"msgget", "semget", "shmget"}
KEPT_TIMES = {"off_cpu_ns", "realtime_offset_ns", "timeout_ns"}
SMALL = 1000  # object numbers below are no inodes: signalfd:[1]


def is_time(key):
    return key.endswith("_ns") and key not in KEPT_TIMES


def leaves(value, key=""):
    """Each value that holds no others, with the key that it stands under."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, key)
    else:
        yield key, value


def step(gap_ns):
    """A gap between two events: as short as can be, or as long as it was meant to be."""
    for most_ns, stands_for_ns in ((20_000, 1_000), (500_000, 10_000), (5_000_000, 100_000)):
        if gap_ns < most_ns:
            return stands_for_ns
    return max(round(gap_ns, -7), 5_000_000)


def number(values, first):
    return {value: first + i for i, value in enumerate(sorted(values))}


class Normal:
    """The new numbers of a trace: lines are dicts."""

    def __init__(self, lines, strip):
        self.strip = strip
        found = [(key, value) for line in lines for key, value in leaves(line)]
        texts = [value for _, value in found if isinstance(value, str)]
        self.pids = number({v for k, v in found if k in PIDS and v > 0}, 101)
        self.objects = number(
            {int(n) for text in texts for n in re.findall(r"\[(\d+)\]", text) if int(n) >= SMALL}
            | {v for k, v in found if k in OBJECTS and v}, 1001)
        ports = {p for text in texts for p in re.findall(r"(?:\d|\]):(\d{5})\b", text)}
        self.ports = {port: str(40001 + i) for i, port in enumerate(sorted(ports))}
        keys = {v for k, v in found if k == "key" and isinstance(v, str) and int(v, 16)}
        self.keys = {key: f"0x{1 + i:08x}" for i, key in enumerate(sorted(keys))}
        self.times = {0: 0}
        now, before = 0, None
        for at in sorted({v for k, v in found if is_time(k) and v}):
            now += step(at - before) if before is not None else 1_000_000
            self.times[at] = now
            before = at

    def text(self, value):
        for prefix, short in self.strip.items():
            value = value.replace(prefix, short)
        value = re.sub(r"\[(\d+)\]",
                       lambda n: f"[{self.objects.get(int(n[1]), n[1])}]", value)
        value = re.sub(r"(\d|\]):(\d{5})\b",
                       lambda p: f"{p[1]}:{self.ports.get(p[2], p[2])}", value)
        return re.sub(r"(-)(\d{3,7})\b",
                      lambda n: f"-{self.pids.get(int(n[2]), n[2])}", value)

    def leaf(self, key, value):
        if isinstance(value, str):
            return self.text(self.keys.get(value, value)) if key != "payload" else value
        if isinstance(value, bool) or value is None:
            return value
        if key in PIDS:
            return self.pids.get(value, value)
        if key in OBJECTS:
            return self.objects.get(value, value)
        return self.times[value] if is_time(key) else value

    def value(self, value, key=""):
        if isinstance(value, dict):
            return {name: self.value(inner, name) for name, inner in value.items()}
        if isinstance(value, list):
            return [self.value(inner, key) for inner in value]
        return self.leaf(key, value)

    def line(self, line):
        new = self.value(line)
        if line["type"] == "header":
            new.update(host="host", kernel="6.12", realtime_offset_ns=0)
        numbers = {**dict.fromkeys(PID_CALLS, self.pids), **dict.fromkeys(OBJECT_CALLS,
                                                                         self.objects)}
        returned = line.get("returned")
        new_numbers = numbers.get(line.get("syscall"), {})
        if returned in new_numbers:
            new["returned"] = new_numbers[returned]
        if line.get("off_cpu_ns") and "exit_ns" in line:
            share = line["off_cpu_ns"] / max(line["exit_ns"] - line["enter_ns"], 1)
            new["off_cpu_ns"] = round((new["exit_ns"] - new["enter_ns"]) * min(share, 1))
        return new


def normal(data, strip):
    """The trace `data` (bytes), normalised; `strip` maps parts of paths to shorter ones."""
    lines = [json.loads(line) for line in data.decode().splitlines()]
    numbers = Normal(lines, strip)
    return "".join(json.dumps(numbers.line(line), ensure_ascii=False, separators=(",", ":")) + "\n"
                   for line in lines).encode()
