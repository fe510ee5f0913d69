#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""--threads: a lane for each thread, in every format, as the threads themselves logged it."""
import html
import json
import os
import re
from collections import Counter

from expectations import expect, expect_equal, expect_in
from harness import lab, main, record, scenario
from pages import browse
from traces import call, view


def crew_of(directory):
    """The trace of the lab, the names of its threads by their number, and what went where."""
    result = record(directory, lab("crew"))
    names = {t["tid"]: t["channel"] for t in result.truth if t["do"] == "thread"}
    sends = [t for t in result.truth if t["do"] == "send"]
    receives = {(t["channel"], t["text"]): t["tid"] for t in result.truth if t["do"] == "receive"}
    moved = Counter((t["tid"], receives[(t["channel"], t["text"])]) for t in sends)
    expect_equal((len(names), len(sends)), (4, 8), "the lab's log")
    return result, names, moved


def drawn(directory, result, ending, *options):
    path = os.path.join(directory, "crew." + ending)
    view(result.trace_path, "--threads", "-o", path, *options)
    with open(path, encoding="utf-8") as file:
        return file.read()


def numbered(names, pid):
    return {tid: f"{name} [{pid}/{tid}]" for tid, name in names.items()}


def check_sequence(names, moved, lanes, arrows, what):
    """`lanes`: names by the diagram's own word; `arrows`: (from, to, label) in these words."""
    tids = {name: tid for tid, name in names.items()}
    expect_equal(sorted(lanes.values()), sorted(names.values()), f"{what}: the lanes")
    found = Counter(
        (tids[lanes[a]], tids[lanes[b]]) for a, b, label in arrows if label.startswith("pipe")
    )
    expect_equal(found, moved, f"{what}: from thread to thread")
    signals = [(tids[lanes[a]], tids[lanes[b]]) for a, b, label in arrows if "SIGUSR1" in label]
    return signals


@scenario("threads: sequence diagrams have the messages and the signal between the right ones")
def sequences(directory):
    result, names, moved = crew_of(directory)
    pid = result.truth[0]["pid"]
    sent = [(t["tid"], t["to"]) for t in result.truth if t["do"] == "signal-sent"]
    text = drawn(directory, result, "mmd", "--unfold")
    lanes = dict(re.findall(r'participant (P\d+) as (.*)', text))
    lanes = {p: re.sub(r"#(\d+);", lambda m: chr(int(m[1])), name) for p, name in lanes.items()}
    arrows = re.findall(r"^    (P\d+)-\S+?(P\d+): (.*)$", text, re.MULTILINE)
    signals = check_sequence(numbered(names, pid), moved, lanes, arrows, "mermaid")
    expect_equal(signals, sent, "mermaid: the signal")
    text = drawn(directory, result, "puml", "--unfold")
    lanes = {p: name for name, p in re.findall(r'participant "(.*)" as (P\d+)', text)}
    lanes = {p: re.sub(r"<U\+(\w{4})>", lambda m: chr(int(m[1], 16)), n) for p, n in lanes.items()}
    arrows = re.findall(r"^(P\d+) -\S+ (P\d+) : (.*)$", text, re.MULTILINE)
    signals = check_sequence(numbered(names, pid), moved, lanes, arrows, "plantuml")
    expect_equal(signals, sent, "plantuml: the signal")


@scenario("threads: text and SVG name each thread, who made it, and for how long it slept")
def pictures(directory):
    result, names, _ = crew_of(directory)
    pid = result.truth[0]["pid"]
    text = drawn(directory, result, "txt", "--width", "160")
    svg = html.unescape(drawn(directory, result, "svg"))
    for tid, name in names.items():
        expect_in(f"{pid}/{tid}", text, "a lane's number")
        expect_in(f"{name} [{pid}/{tid}]", svg, "a lane's name")
    expect_in("4 threads", text.splitlines()[0], "the caption counts them")
    made = [(f["maker_tid"], f["tid"]) for f in result.trace.of("process", event="fork")]
    by_name = {name: tid for tid, name in names.items()}
    wanted = [("crew", "fetch"), ("crew", "store"), ("fetch", "parse")]
    expect_equal(sorted(made), sorted((by_name[a], by_name[b]) for a, b in wanted), "who made whom")
    titles = re.findall(r"<title>(.*?)</title>", svg)
    for maker, child in wanted:
        expect(
            any(f"{maker} [" in t and f"{child} [" in t and "thread" in t for t in titles),
            f"{maker} made {child}",
            "\n".join(titles),
        )
    # All but the one that has the job are asleep, so three of four lanes have a bar.
    row = next(line for line in text.splitlines() if '"job 1"' in line)
    expect("░" in row, "who waits has a bar", row)


@scenario("threads: map, capture, trace events and page have them too")
def data(directory):
    result, names, moved = crew_of(directory)
    pid = result.truth[0]["pid"]
    names_in = numbered(names, pid)
    drawn(directory, result, "dot")
    graph = json.loads(call(["dot", "-Tjson", os.path.join(directory, "crew.dot")]).stdout)
    boxes = {o["_gvid"]: o["label"].replace("\\n", " ") for o in graph["objects"]}
    for name in names_in.values():
        expect(any(b.startswith(name) for b in boxes.values()), f"a box for {name}", str(boxes))
    view(result.trace_path, "--threads", "-o", os.path.join(directory, "crew.pcapng"))
    rows = call(
        ["tshark", "-r", os.path.join(directory, "crew.pcapng"), "-T", "fields", "-e",
         "frame.comment"]
    ).stdout.decode().splitlines()
    found = Counter(
        (a, b)
        for row in rows
        for a in names
        for b in names
        if row.startswith(f"{names_in[a]} → {names_in[b]} pipe")
    )
    expect_equal(found, moved, "packets from thread to thread")
    events = json.loads(drawn(directory, result, "json", "--as", "trace-event"))["traceEvents"]
    threads = {e["tid"]: e["args"]["name"] for e in events if e.get("name") == "thread_name"}
    expect_equal(threads, names, "the threads' names")
    slices = [e for e in events if e["ph"] == "X" and e["name"].startswith("write")]
    expect_equal(Counter(e["tid"] for e in slices), Counter(a for a, _ in moved.elements()), "writes")
    page = os.path.join(directory, "crew.html")
    view(result.trace_path, "--threads", "-o", page)
    inline = {tid: name.replace(" [", "[") for tid, name in names_in.items()}
    browse(page, "threads", moved=sorted([inline[a], inline[b]] for a, b in moved.elements()))


if __name__ == "__main__":
    main()
