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
    """Without the chosen operations, their begin lines too."""
    dropped = {json.loads(lines[i])["id"] for i in chosen}
    return [l for l in lines if not is_operation(l) or json.loads(l)["id"] not in dropped]


def without_repeats(pairs):
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a key occurs twice")
    return dict(pairs)


def readable(lines):
    """The objects of the lines that are not garbled."""
    for line in lines:
        try:
            yield json.loads(line, object_pairs_hook=without_repeats)
        except ValueError:
            pass


def times(lines):
    """(thread, when) of all operations that ended."""
    ended = readable(line for line in lines if is_operation(line) and b'"state"' not in line)
    return {(op.get("tid", op["pid"]), op["enter_ns"]) for op in ended}


def deliveries(lines):
    """(thread, when) of all signals that were delivered."""
    signals = (json.loads(line) for line in lines if line.startswith(b'{"type":"signal"'))
    return [(s["to"]["tid"], s["at_ns"]) for s in signals if s["event"] == "deliver"]


def drop_singly(lines, seed, share=0.01):
    rng = random.Random(seed)
    return drop(lines, [i for i, l in enumerate(lines) if is_operation(l) and rng.random() < share])


def garble_singly(lines, seed, share=0.01):
    """Lines that are there, but cut in half or with a key that occurs twice."""
    rng = random.Random(seed)
    garbled = list(lines)
    for i, line in enumerate(lines):
        if is_operation(line) and rng.random() < share:
            half, twice = line[: len(line) // 2], line[:-2] + b',"type":"operation"}'
            garbled[i] = rng.choice((half, twice)) + b"\n"
    return garbled


def drop_bursts(lines, seed, burst=20, every=2000):
    rng = random.Random(seed)
    places = [i for i, line in enumerate(lines) if is_operation(line)]
    chosen = []
    for begin in range(0, len(places) - every + 1, every):
        at = begin + rng.randrange(every - burst)
        chosen += places[at : at + burst]
    return drop(lines, chosen)


def cut(lines, seed):
    """Ends in the middle of a line."""
    rng = random.Random(seed)
    at = rng.randrange(len(lines) // 4, len(lines))
    return lines[:at] + [lines[at][: len(lines[at]) // 2]]


def complete_sends(lines):
    """Places of the sends in `lines` that have one line each, by channel."""
    found, begun = {}, set()
    for i, line in enumerate(lines):
        if is_operation(line) and b'"role":"send"' in line:
            operation = json.loads(line)
            if "state" in operation:
                begun.add(operation["id"])
            elif operation["id"] not in begun and operation["returned"] >= 0:
                found.setdefault(operation["channel"], []).append(i)
    return [places for places in found.values() if len(places) > 1]


def swap_sends(lines, seed, count=20):
    """Pairs of neighbouring sends on one channel change places in time; their true times by id."""
    rng = random.Random(seed)
    swapped, moved = list(lines), {}
    for places in rng.choices(complete_sends(lines), k=count):
        at = rng.randrange(len(places) - 1)
        first, second = json.loads(swapped[places[at]]), json.loads(swapped[places[at + 1]])
        if first["id"] in moved or second["id"] in moved:
            continue
        moved[first["id"]], moved[second["id"]] = first["enter_ns"], second["enter_ns"]
        for key in "enter_ns", "exit_ns":
            first[key], second[key] = second[key], first[key]
        for place, operation in (places[at], second), (places[at + 1], first):
            swapped[place] = json.dumps(operation, separators=(",", ":")).encode() + b"\n"
    return swapped, moved
