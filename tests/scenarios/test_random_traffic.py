#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Random traffic: each pair that `ipclens messages` tells of, against what the processes remember.

A small run of tests/truthgen; `make truth` is the large one.
"""
import importlib.machinery
import importlib.util
import json
import os
import re
import sys
from collections import Counter

from expectations import Failure, expect
from harness import main, scenario
from traces import ROOT

TRUTHGEN = os.path.join(ROOT, "tests", "truthgen")
sys.path.insert(0, TRUTHGEN)

import pairs  # noqa: E402
import verdict  # noqa: E402

loader = importlib.machinery.SourceFileLoader("truthgen_run", os.path.join(TRUTHGEN, "run"))
truthgen = importlib.util.module_from_spec(importlib.util.spec_from_loader("truthgen_run", loader))
loader.exec_module(truthgen)

MESSAGES = 3000

# Not as it must be where the kernel lacks this hook: faults of these kinds are told, not counted.
WITHOUT = {"tcp_sendmsg_locked": "tcp several", "sock_recv_length": "udp several"}

# What share is ambiguous depends on the run; many are judged together by tests/truthgen/run.
BY_SHARE = {"fifo several", "pipe several", "fifo varied", "pipe varied"}
# Nor need any be, but an interrupt between two packets may take the buffers that tell whose they are.
BY_SHARE |= {"udp several"}
DOUBTED_MOST = {"udp several": 0.02}
# One run may miss more than many together, where any may be missing at all.
MISSING_MOST = {"fifo varied": 0.01, "pipe varied": 0.01}


def kind_of(fault):
    return fault.split(":")[0]


def tolerated(directory):
    with open(f"{directory}/trace.ndjson", "rb") as file:
        hooks = json.loads(file.readline())["hooks"]
    return {kind for hook, kind in WITHOUT.items() if not hooks[hook]}


def is_share(kind, words):
    """True of a share that one run may have of what is ambiguous or missing."""
    missing = re.fullmatch(r"(\d+) of (\d+) missing", words)
    if missing:
        return int(missing[1]) <= MISSING_MOST.get(kind, 0) * int(missing[2])
    doubted = re.fullmatch(r"(\d+) of (\d+) ambiguous \(none need be\)", words)
    if doubted:
        return int(doubted[1]) <= DOUBTED_MOST.get(kind, 0) * int(doubted[2])
    return re.fullmatch(r"\d+ of \d+ ambiguous( ones wrong)?", words) is not None


def is_tolerated(fault, kinds):
    """What is missing or ambiguous may be so in some kinds, what is false nowhere."""
    said = fault.split(": ", 1)[1].split(", ")
    if kind_of(fault) in BY_SHARE:
        return all(is_share(kind_of(fault), words) for words in said)
    false = any(re.fullmatch(r"\d+ (wrong|length|fate|duplicate)", words) for words in said)
    return not false and kind_of(fault) in kinds


def judge(comparison, kinds):
    sums = verdict.Sums()
    sums.add(comparison)
    expect(sums.total()["pairs"] > MESSAGES, "messages were delivered", sums.total())
    found = verdict.verdict(sums)
    print("".join(f"# {line}\n" for line in found), end="")
    faults = [line for line in found if not is_tolerated(line, kinds)]
    faults += verdict.verdict_false(sums)
    if faults:
        shown = [f"{what} {stage} {str(told)[:500]}" for what, stage, told in comparison.examples[:5]]
        raise Failure("\n".join([*faults, *shown]) + "\n" + verdict.table(sums.by_stage))


def random_traffic(directory, variant, seed):
    truthgen.record(directory, variant, seed, MESSAGES)
    comparison = truthgen.compare(pairs.Truth(directory), f"{directory}/trace.ndjson")
    judge(comparison, tolerated(directory))


def judge_partial(comparison):
    """No pair is wrong and called exact, though calls are missing."""
    sums = verdict.Sums()
    sums.add(comparison)
    found = verdict.verdict_damaged(sums)
    print("".join(f"# {line}\n" for line in found), end="")
    wrong = [line for line in found if line.endswith((" wrong", " fate", " duplicate"))]
    if wrong:
        raise Failure("\n".join(wrong) + "\n" + verdict.table(sums.by_stage))


def found_of(comparison, is_one):
    """How much of what is left of some mechanisms is told of, right."""
    sums = verdict.Sums()
    sums.add(comparison)
    kinds = [kind for kind in sums.by_kind if is_one(kind[0])]
    counts = sum((sums.by_kind[kind] for kind in kinds), Counter())
    return 1 - counts["missing"] / counts["pairs"]


@scenario("a trace with lines dropped, swapped or cut off: nothing wrong is called exact")
def damaged(directory):
    truthgen.record(directory, "plain", 11, MESSAGES)
    truth = pairs.Truth(directory)
    for name in truthgen.DAMAGES:
        print(f"# {name}")
        comparison = truthgen.compare_damaged(truth, directory, name, 11)
        judge_partial(comparison)
        pipes = found_of(comparison, lambda mechanism: mechanism in verdict.PIPES)
        expect(pipes >= verdict.RECALL_PIPES, "most of what is left of pipes is found", pipes)
        named = found_of(comparison, lambda mechanism: mechanism not in verdict.BY_ORDER)
        least = 0 if tolerated(directory) else verdict.RECALL_NAMED
        expect(named >= least, "nearly all is found where the kernel gave an identity", named)


@scenario("joining a pipeline that has data in its pipes: nothing wrong is called exact")
def joined(directory):
    truthgen.attach(directory, 12, MESSAGES, "pipe-one,pipe-several,unix-one,tcp-one")
    truth = pairs.Truth(directory)
    comparison = truthgen.compare_partial(truth, f"{directory}/trace.ndjson")
    expect(sum(c["pairs"] for c in comparison.counts.values()) > 100, "some of it was traced")
    judge_partial(comparison)


for number, name in enumerate(truthgen.VARIANTS):
    scenario(f"random traffic, {name}: every pair is what the processes remember")(
        lambda directory, variant=name, seed=number: random_traffic(directory, variant, seed + 1)
    )


if __name__ == "__main__":
    main()
