# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Traces with something wrong in them: lines that are missing, in the wrong order, or cut off."""
import json
import random


def read(path):
    with open(path, "rb") as file:
        return file.read().splitlines(keepends=True)


def is_operation(line):
    return line.startswith(b'{"type":"operation"')


def drop(lines, chosen):
    """Without the chosen operations (begin lines too): what is left, and (tid, enter_ns) of each."""
    gone, kept = set(), []
    dropped = {json.loads(lines[i])["id"] for i in chosen}
    for line in lines:
        if is_operation(line):
            operation = json.loads(line)
            if operation["id"] in dropped:
                gone.add((operation["tid"], operation["enter_ns"]))
                continue
        kept.append(line)
    return kept, gone


def drop_singly(lines, seed, share=0.01):
    rng = random.Random(seed)
    return drop(lines, [i for i, l in enumerate(lines) if is_operation(l) and rng.random() < share])


def drop_bursts(lines, seed, burst=20, every=2000):
    rng = random.Random(seed)
    places = [i for i, line in enumerate(lines) if is_operation(line)]
    chosen = []
    for begin in range(0, len(places) - every + 1, every):
        at = begin + rng.randrange(every - burst)
        chosen += places[at : at + burst]
    return drop(lines, chosen)


def cut(lines, seed):
    """Ends somewhere in the middle of a line. What is gone is of no matter: nothing is claimed."""
    rng = random.Random(seed)
    at = rng.randrange(len(lines) // 4, len(lines))
    kept = lines[:at]
    gone = {
        (op["tid"], op["enter_ns"])
        for op in map(json.loads, filter(is_operation, lines[at:]))
    }
    return kept + [lines[at][: len(lines[at]) // 2]], gone


SWAPPED = ("pid", "tid", "id")  # who did it; what and when stays


def swap_sends(lines, seed):
    """Two sends that follow each other on one channel change places in time."""
    rng = random.Random(seed)
    by_channel = {}
    for i, line in enumerate(lines):
        if b'"role":"send"' in line and is_operation(line) and b'"state"' not in line:
            by_channel.setdefault(json.loads(line)["channel"], []).append(i)
    places = rng.choice([found for found in by_channel.values() if len(found) > 1])
    at = rng.randrange(len(places) - 1)
    first, second = json.loads(lines[places[at]]), json.loads(lines[places[at + 1]])
    for key in "enter_ns", "exit_ns":
        first[key], second[key] = second[key], first[key]
    swapped = list(lines)
    swapped[places[at]] = json.dumps(first, separators=(",", ":")).encode() + b"\n"
    swapped[places[at + 1]] = json.dumps(second, separators=(",", ":")).encode() + b"\n"
    return swapped, (first["channel"], first["id"], second["id"])
