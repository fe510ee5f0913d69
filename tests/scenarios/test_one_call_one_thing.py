#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""One call is one thing in a picture: one tail or one head at its time, whatever its pieces."""
import json
import re
import shutil

from expectations import expect, expect_equal, expect_in
from harness import main, record, scenario
from servers import free_port, script
from traces import stats, stats_text

PYTHON = ["/usr/bin/python3", "-S", "-I", "-c"]
CAPTION = re.compile(r"(\d+) sends?, (\d+) receives?, (\d+) pieces?")

# Each prints what its calls returned, which is the truth here.
THREES = """
import os
r, w = os.pipe()
if os.fork() == 0:
    os.close(w)
    sizes = []
    while piece := os.read(r, 3):
        sizes.append(len(piece))
    print(sizes, flush=True)
    os._exit(0)
os.close(r)
os.write(w, b"abcdefghijkl")
os.close(w)
os.wait()
"""

AT_ONCE = """
import os
r, w = os.pipe()
go, start = os.pipe()
if os.fork() == 0:
    os.read(go, 1)
    print([len(os.read(r, 100))], flush=True)
    os._exit(0)
for piece in (b"ab", b"cde", b"fghi", b"jklmn"):
    os.write(w, piece)
os.write(start, b"!")
os.wait()
"""

# The reader begins when the writer sleeps on a full pipe.
BIG = """
import os, time
r, w = os.pipe()
if os.fork() == 0:
    os.close(w)
    state = lambda: open("/proc/%d/wchan" % os.getppid()).read()
    while "pipe" not in state():
        time.sleep(0.001)
    sizes = []
    while piece := os.read(r, 65536):
        sizes.append(len(piece))
    print(sizes, flush=True)
    os._exit(0)
os.close(r)
os.write(w, b"x" * 300000)
os.close(w)
os.wait()
"""

# Nobody takes the rest.
REST = """
import os
r, w = os.pipe()
if os.fork() == 0:
    print([len(os.read(r, 5))], flush=True)
    os._exit(0)
os.write(w, b"hello, nobody")
os.wait()
"""

LATER = """
import os
r, w = os.pipe()
here, there = os.pipe(), os.pipe()
if os.fork() == 0:
    for i in range(%(rounds)d):
        os.read(here[0], 1)
        os.write(there[1], b".")
    os.read(r, 100)
    os._exit(0)
os.write(w, b"early")
for i in range(%(rounds)d):
    os.write(here[1], b"!")
    os.read(there[0], 1)
os.wait()
"""

UNREAD = """
import os, time
r, w = os.pipe()
if os.fork() == 0:
    time.sleep(0.3)
    os.read(r, 100)
    os._exit(0)
os.write(w, b"a message that waits for its reader for long")
os.wait()
"""


def logged(result):
    return json.loads(result.stdout)


def rows(picture, word):
    return [line for line in picture.splitlines() if word in line]


def times(picture, word):
    """The times of rows with this word, in ns."""
    units = {"µs": 1e3, "ms": 1e6, "s": 1e9}
    unit = re.search(r"^\s+(µs|ms|s)\s+╰", picture, re.MULTILINE).group(1)
    found = [re.match(r"\s*([\d.]+) ", line) for line in rows(picture, word)]
    return [float(match.group(1)) * units[unit] for match in found if match]


def pieces(result, mechanism):
    return result.messages().delivered(mechanism)


def expect_counts(result, sends, receives, count):
    wanted = (sends, receives, count)
    found = CAPTION.search(" ".join(result.view(columns=160).split()))
    expect(found, "the caption counts calls and pieces", result.view())
    expect_equal(tuple(map(int, found.groups())), wanted, "sends, receives, pieces of the caption")
    told = CAPTION.search(" ".join(stats_text(result.trace_path).split()))
    expect_equal(tuple(map(int, told.groups())), wanted, "and of stats")
    total = [line for line in stats(result.trace_path) if line["type"] == "total"][0]
    expect_equal(
        (total["sends"], total["receives"], total["messages"]), wanted, "and of stats --json"
    )


def call_times(result, mechanism):
    """When each call of these messages began and ended, since the trace's first row."""
    calls = {}
    for message in pieces(result, mechanism):
        for side in ("sent", "received"):
            calls[message[side]["op"]] = (message[side]["enter_ns"], message[side]["exit_ns"])
    return calls


def expect_call_times(result, mechanism, word, *options):
    """No row of these messages has a time that is neither the begin nor the end of a call."""
    begin = min(
        line["at_ns"] if "at_ns" in line else line["enter_ns"]
        for line in result.trace.of("process", event="exec")
    )
    known = [ns - begin for call in call_times(result, mechanism).values() for ns in call]
    for at in times(result.view("--unfold", *options), word):
        nearest = min(abs(at - ns) for ns in known)
        expect(nearest <= 1000, "a row has the time of a call", at, known, result.view(*options))


@scenario("a write that is read in threes: one tail, four heads, a brace")
def in_threes(directory):
    result = record(directory, [*PYTHON, THREES])
    expect_equal(logged(result), [3, 3, 3, 3], "what the reader got")
    expect_counts(result, 1, 4, 4)
    for columns in (80, 100, 140):
        picture = result.view(columns=columns)
        found = rows(picture, "pipe 3 B")
        expect_equal(len(found), 4, "a row for each piece")
        expect_equal(sum("┝" in line for line in found), 1, "one tail")
        expect_equal([found[0].count("┳"), found[-1].count("┗")], [1, 1], "a brace")
        expect_equal(sum("▶" in line for line in found), 4, "four heads")
        expect_in("write(", picture, "what the whole send was")
    expect_call_times(result, "pipe", "pipe 3 B")


@scenario("a write that is read in threes, in the other formats")
def threes_elsewhere(directory):
    result = record(directory, [*PYTHON, THREES])
    for form in ("mermaid", "plantuml"):
        labels = re.findall(r"pipe 3 B (\d/\d)", result.view("--as", form))
        expect_equal(labels, ["1/4", "2/4", "3/4", "4/4"], form)
    svg = result.view("--as", "svg")
    lines = re.findall(r'class="copy" d="M([\d.]+) ([\d.]+)L[\d.]+ ([\d.]+)"', svg)
    expect_equal(len(lines), 3, "three lines of the fan slant")
    expect_equal(len({(x, y) for x, y, _ in lines}), 1, "from one tail")
    expect_equal(len({end for _, _, end in lines}), 3, "to heads of their own")
    events = json.loads(result.view("--as", "trace-event"))["traceEvents"]
    flows = [e for e in events if e.get("cat") == "message" and e["ph"] == "s"]
    pipes = [e["ts"] for e in flows if e["name"].startswith("pipe")]
    expect_equal((len(pipes), len(set(pipes))), (4, 1), "four flows leave at one time")


@scenario("a write that is read in threes, with the kernel's lane: one ▲, four ▼")
def threes_in_kernel(directory):
    picture = record(directory, [*PYTHON, THREES]).view("--kernel", columns=140)
    expect_equal(len(rows(picture, "▲ pipe 12 B")), 1, "one goes in")
    expect_equal(len(rows(picture, "▲")), 1, "and no other")
    out = rows(picture, "▼ pipe 3 B")
    expect_equal(len(out), 4, "four come out")
    left = [re.search(r"leaves (\d+) B", line) for line in out]
    expect_equal([m and int(m.group(1)) for m in left], [9, 6, 3, None], "what lay there then")


@scenario("four writes that are read at once: four tails, one head")
def at_once(directory):
    result = record(directory, [*PYTHON, AT_ONCE])
    expect_equal(logged(result), [14], "what the reader got")
    expect_counts(result, 5, 2, 5)
    picture = result.view(columns=100)
    tails = [line for line in rows(picture, "/4 ") if "┝" in line]
    heads = rows(picture, "pipe 14 B")
    expect_equal((len(tails), len(heads)), (4, 1), "four tails, one head")
    number = re.search(r"●(\d+)", heads[0]).group(1)
    expect(all(f"●{number}" in line for line in tails), "all bear its number", picture)
    kernel = result.view("--kernel", columns=140)
    expect_equal(len(rows(kernel, "▼ pipe 14 B")), 1, "one comes out")
    holds = re.findall(r"holds (\d+) B", kernel)
    expect_equal(holds, ["5", "9", "14"], "what lay there after each")


@scenario("300,000 bytes through a pipe: one ▲, and when room came for each part")
def through_a_full_pipe(directory):
    result = record(directory, [*PYTHON, BIG])
    sizes = logged(result)
    expect_equal(sum(sizes), 300000, "what the reader got")
    expect_counts(result, 1, len(sizes), len(sizes))
    write = result.trace.operations(syscall="write", returned=300000)[0]
    parts = len(write["turns"]) // 2
    picture = result.view("--kernel", "--unfold", columns=160)
    expect_equal(len(rows(picture, "▲")), 1, "one goes in")
    expect_equal(len(rows(picture, "▼")), len(sizes), "as many come out as were read")
    room = rows(picture, "room: ")
    expect_equal(len(room), parts - 1, "room came for each further part")
    expect_in("64 KiB at once", picture, "what went in before it slept")
    expect_call_times(result, "pipe", "/%d" % len(sizes))


@scenario("the rest of a write that nobody reads hangs on what was read")
def the_rest(directory):
    result = record(directory, [*PYTHON, REST])
    picture = result.view(columns=100)
    found = rows(picture, "/2")
    expect_equal(len(found), 2, "two pieces")
    expect("┝" in found[0] and "┝" not in found[1], "one tail", picture)
    expect(re.search("[●✗]", found[1]), "the rest was received by nobody", found[1])
    expect_in("8 B of it nobody received", result.view(columns=160), "and that is told")


@scenario("a message that is received some rows later slants; one much later is two halves")
def slants(directory):
    result = record(directory, [*PYTHON, LATER % {"rounds": 2}])
    svg = result.view("--as", "svg")
    lines = re.findall(r'class="copy" d="M[\d.]+ ([\d.]+)L[\d.]+ ([\d.]+)"', svg)
    expect(any(float(b) - float(a) > 28 * 3 for a, b in lines), "one line slants", svg)
    result = record(directory, [*PYTHON, LATER % {"rounds": 9}])
    svg = result.view("--as", "svg", "--unfold")
    expect('class="tie"' in svg, "half arrows with a number", svg)


@scenario("how long a message lay unread is told at every width")
def unread(directory):
    result = record(directory, [*PYTHON, UNREAD])
    for columns in (40, 50, 60, 70, 80, 90, 100, 110, 120, 140, 200):
        picture = " ".join(result.view(columns=columns).split())
        expect(re.search(r"lay unread [23]\d\d [│ ]*ms", picture), "it is told", columns, picture)


@scenario("MQTT: a CONNECT is one send, however the broker reads it")
def mqtt(directory):
    if not shutil.which("mosquitto", path="/usr/sbin:/usr/bin") or not shutil.which(
        "mosquitto_pub"
    ):
        print("# no mosquitto here")
        return
    port = free_port()
    publish = f"mosquitto_pub -h 127.0.0.1 -p {port} -t rows -m hallo"
    result = script(
        directory,
        f"/usr/sbin/mosquitto -p {port} & S=$!",
        f"until {publish} >/dev/null 2>&1; do kill -0 $S || exit 9; sleep 0.02; done",
        "kill $S; wait $S; exit 0",
    )
    sends = {}
    for message in pieces(result, "tcp"):
        sends.setdefault(message["sent"]["op"], []).append(message["bytes"])
    several = [sizes for sizes in sends.values() if len(sizes) > 1]
    expect(several, "a broker that reads byte by byte", sends)
    picture = result.view("--mechanism", "tcp", "--unfold", columns=200)
    # The publisher may have ended before the broker read: then the tail is that of a half arrow.
    read = [line for line in rows(picture, " tcp ") if "✗" not in line]
    tails = [line for line in read if "┝" in line or "┥" in line]
    expect_equal(len(tails), len(sends), "each that was read has one tail")
    later = re.compile(r" B ([2-9])/\d")
    for line in picture.splitlines():
        if later.search(line):
            expect(not re.search(r"[┝┥]", line), "and no other piece has one", line)


@scenario("D-Bus: a header of 16 bytes and the rest are pieces of one send")
def dbus(directory):
    if not shutil.which("dbus-run-session") or not shutil.which("gdbus"):
        print("# no gdbus here")
        return
    call = "gdbus call --session -d org.freedesktop.DBus -o / -m org.freedesktop.DBus.ListNames"
    result = script(directory, f"dbus-run-session -- {call} >/dev/null")
    sends = {}
    for message in pieces(result, "unix-stream"):
        sends.setdefault(message["sent"]["op"], []).append(message["bytes"])
    split = [sizes for sizes in sends.values() if len(sizes) == 2 and sizes[0] == 16]
    expect(split, "gdbus reads the header first", sends)
    picture = result.view("--mechanism", "unix-stream", "--unfold", columns=200)
    expect_in("unix-stream 16 B 1/2", picture, "the header is the first piece")


if __name__ == "__main__":
    main()
