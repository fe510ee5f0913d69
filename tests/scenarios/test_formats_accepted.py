#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Pictures for other programs: each is taken by the program it is for, whatever the names are."""
import json
import os
import re
from xml.etree import ElementTree

from expectations import expect, expect_equal, expect_in
from harness import lab, main, record, scenario
from postgres import SERVER, cluster
from servers import ask_echo
from traces import BUILD, call, view
from traces import messages as load_messages
from workloads import TCP_PAIR

MAY_RUN_BESIDE_OTHERS = True

HERE = os.path.dirname(os.path.abspath(__file__))
BROWSER = os.path.join(BUILD, "browser", "node_modules")  # make browser
WORKLOADS = {
    "hostile": lab("hostile"),
    "signals": lab("signals"),
    "pipeline": ["sh", "-c", "ls /usr | sort | wc"],
    "loops": lab("reqresp", "unix", "40"),
    "memory": lab("sysvshm"),
}
# What tests/labs/hostile.c calls itself and sends, as a picture shows it.
HOSTILE_NAMES = ("a\\x1b[1m<b>'", 'b\\n"\\,;\\xff\\xfe')
HOSTILE_WORDS = ('"</script><img src=x onerror=ale', '"\\x1b[31mred\\x1b[0m \\x1b]0;title')


def draw(directory, workload, ending, *options):
    """The picture's file, its name's ending being what chooses the format."""
    trace = record(directory, WORKLOADS[workload]).trace_path
    path = os.path.join(directory, f"{workload}.{ending}")
    view(trace, "-o", path, *options)
    return path


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def decoded(text, pattern, base):
    return re.sub(pattern, lambda m: chr(int(m[1], base)), text)


def expect_hostile(shown, what):
    for words in HOSTILE_NAMES + HOSTILE_WORDS:
        expect_in(words, shown, f"{what} shows the words as they are")


def arrows_of(diagram):
    return len(re.findall(r"^    P\d+-", diagram, re.MULTILINE))


def steps_of(diagram):
    return len(re.findall(r"^    (P\d+-|Note|loop|end$)", diagram, re.MULTILINE))


@scenario("mermaid: its own parser and renderer take it, and hostile words are text in its picture")
def mermaid(directory):
    paths = [draw(directory, workload, "mmd") for workload in WORKLOADS]
    hostile = read(paths[list(WORKLOADS).index("hostile")])
    expect_hostile(decoded(hostile, r"#(\d+);", 10), "the diagram")
    expect(not re.search(r"%%|\$\$|[<>{}]", hostile.replace("->>", "")), "no markup", hostile)
    if not os.path.isdir(os.path.join(BROWSER, "mermaid")):
        expect(not os.environ.get("CI"), "mermaid is installed: make browser")
        print("# mermaid is not installed: make browser")
        return
    script = os.path.join(HERE, "..", "browser", "mermaid.mjs")
    found = call(["node", script, BROWSER, *paths]).stdout.splitlines()
    for workload, path, line in zip(WORKLOADS, paths, found):
        diagram, understood = read(path), json.loads(line)
        expect_equal(understood["diagramType"], "sequence", workload)
        expect_equal(len(understood["messages"]), steps_of(diagram), f"{workload}: steps read")
        expect_equal(understood["arrows"], arrows_of(diagram), f"{workload}: arrows drawn")
        words = "\n".join(understood["actors"] + understood["messages"])
        drawn = "\n".join(understood["drawn"])
        expect(not re.search("Syntax error|Maximum text size", drawn), "a picture", drawn)
        if workload == "hostile":
            expect_hostile(words, "Mermaid")
            expect_hostile(drawn, "Mermaid's picture")
        if workload == "loops":
            expect_in("×", drawn, "how often the loop runs")


@scenario("plantuml draws it, and hostile words are text in its picture")
def plantuml(directory):
    paths = [draw(directory, workload, "puml") for workload in WORKLOADS]
    call(["plantuml", "-charset", "UTF-8", "-tsvg", *paths])  # 200: an error in one of them
    for path in paths:
        diagram = decoded(read(path), r"<U\+([0-9A-F]{4})>", 16)
        words = picture_words(path.replace(".puml", ".svg"))
        for name in re.findall(r'^participant "(.*)" as P\d+$', diagram, re.MULTILINE):
            expect_equal(words.count(name), 2, f"heads and feet of {name}")
        if "hostile" in path:
            expect_hostile("\n".join(words), "PlantUML")


def is_message(title):
    """Not the leaving half of one, nor the call itself of which the numbered rows are pieces."""
    if re.search(r": \S+ [\d.]+ \S+ \d+/\d+( \(leaves\))?( ·|$)", title):
        return True
    return "(leaves)" not in title and not re.search(r"pieces of \d+ sends|in \d+ pieces", title)


@scenario("svg: well formed, drawn by librsvg, every message of the trace in it, nothing active")
def svg(directory):
    for workload in WORKLOADS:
        path = draw(directory, workload, "svg", "--unfold")
        words = "\n".join(picture_words(path))
        call(["rsvg-convert", "-o", path + ".png", path])
        # The SIGCHLD of an exit is told in the row of the exit.
        rows = re.findall(r'<g class="(msg|row) .*?<title>(.*?)</title>', read(path))
        drawn = [t for kind, t in rows if (is_message(t) if kind == "msg" else "SIGCHLD" in t)]
        messages = load_messages(os.path.join(directory, "trace.ndjson"))
        # That of the command's own end, to who is not traced, is told nowhere.
        told = [m for m in messages if m.get("signal") != "SIGCHLD" or "comm" in m["to"]]
        expect_equal(len(drawn), len(told), f"messages in the picture of {workload}")
        tags = {e.tag.partition("}")[2] for e in ElementTree.parse(path).iter()}
        expect_equal(tags & {"script", "a", "image", "use", "foreignObject"}, set(), "active")
        if workload == "hostile":
            expect_hostile(words, "the picture")


@scenario("dot: Graphviz reads it, and its edges add up to the messages of the trace")
def dot(directory):
    for workload in WORKLOADS:
        path = draw(directory, workload, "dot")
        drawn = call(["dot", "-Tjson", path])
        expect_equal(drawn.stderr, b"", "Graphviz has nothing to say")
        graph = json.loads(drawn.stdout)
        nodes = {node["_gvid"]: node for node in graph["objects"]}
        # From a process: from an object (cds) they go on, and are counted already.
        counts = [
            int(re.search(r"([\d,]+) (message|signal)", edge["label"])[1].replace(",", ""))
            for edge in graph["edges"]
            if nodes[edge["tail"]]["shape"] != "cds"
            and nodes[edge["head"]]["shape"] != "cylinder"  # who has shared memory
        ]
        messages = load_messages(os.path.join(directory, "trace.ndjson"))
        expect_equal(sum(counts), len(messages), f"messages on the edges of {workload}")
        if workload == "hostile":
            call(["dot", "-Tsvg", "-o", path + ".svg", path])
            words = picture_words(path + ".svg")
            for name in HOSTILE_NAMES:
                expect(any(w.startswith(name) for w in words), f"{name} is a box", "\n".join(words))


def slices_around(slices, event):
    return [
        s
        for s in slices
        if (s["pid"], s["tid"]) == (event["pid"], event["tid"])
        and s["ts"] <= event["ts"] <= s["ts"] + s["dur"]
    ]


@scenario("trace events: an arrow from the send to the receive of each message, counters end empty")
def trace_events(directory):
    for workload in WORKLOADS:
        path = draw(directory, workload, "json", "--as", "trace-event")
        events = json.loads(read(path))["traceEvents"]
        slices = [e for e in events if e["ph"] == "X"]
        for message in load_messages(os.path.join(directory, "trace.ndjson")):
            sent, received = message["sent"], message["received"]
            if message["mechanism"] == "signal" or not sent or not received:
                continue
            # The ends of an arrow bind to the calls around them: these are those of the message.
            ends = [e for e in events if e["ph"] in "sf" and e["id"] == f"0x{message['id']:x}"]
            expect_equal([e["ph"] for e in ends], ["s", "f"], "an arrow's ends")
            for end, side in zip(ends, (sent, received)):
                calls = [s["name"] for s in slices_around(slices, end)]
                name = f"{side['syscall']}({side.get('fd', '')})"
                expect_in(name, calls, "the call that it binds to")
            expect(ends[0]["ts"] <= ends[1]["ts"], "it goes forward in time", str(ends))
        levels = {e["name"]: e["args"] for e in events if e["ph"] == "C"}  # the last of each
        expect(all(set(v.values()) == {0} for v in levels.values()), "all read", str(levels))
        if workload == "hostile":
            names = [e["args"]["name"] for e in events if e["ph"] == "M"]
            for name in HOSTILE_NAMES:
                expect_in(name, names, "processes")


@scenario("trace events: counters are what the kernel said lay in a channel when a call ended")
def counters(directory):
    for workload, unit in (("posixq", "messages in it"), ("reqresp pipe 3", "bytes in it")):
        result = record(directory, lab(*workload.split()))
        path = os.path.join(directory, "levels.json")
        view(result.trace_path, "--as", "trace-event", "-o", path)
        events = json.loads(read(path))["traceEvents"]
        names = {m["channel"] for m in result.messages() if m["mechanism"] != "signal"}
        for name in names:
            told = [
                op["queued"]
                for op in sorted(result.trace.operations(channel=name), key=lambda o: o["exit_ns"])
                if op["role"] in ("send", "receive") and "queued" in op
            ]
            counted = [e for e in events if e["ph"] == "C" and e["name"].split(" ")[0] == name]
            values = [e["args"][unit] for e in sorted(counted, key=lambda e: e["ts"])]
            expect(told and max(told) > 0, "the kernel tells levels", told)
            expect_equal(values, told, f"levels of {name}")


# Asks what lies in a socket after each write, once that has come, and after each read.
LEVELS = TCP_PAIR + r"""
import array, fcntl, os, socket, sys, termios
writer, reader = tcp_pair()
levels = []
def look():
    left = array.array("i", [0])
    fcntl.ioctl(reader, termios.FIONREAD, left)
    levels.append(str(left[0]))
for size in (4000, 307):
    writer.sendall(b"x" * size)
    reader.recv(4307 - 307 * (size == 4000), socket.MSG_PEEK | socket.MSG_WAITALL)
    look()
for size in (7, 993, 3300, 5, 2):
    reader.recv(size)
    look()
with open(sys.argv[1], "w") as log:
    log.write(" ".join(levels))
"""


@scenario("trace events: a TCP connection's counter is what its reader saw lie in it after each call")
def tcp_levels(directory):
    log = os.path.join(directory, "levels.log")
    result = record(directory, ["/usr/bin/python3", "-c", LEVELS, log])
    path = os.path.join(directory, "levels.json")
    view(result.trace_path, "--mechanism", "tcp", "--as", "trace-event", "-o", path)
    events = json.loads(read(path))["traceEvents"]
    counted = sorted((e for e in events if e["ph"] == "C"), key=lambda e: e["ts"])
    channels = {m["channel"] for m in result.messages() if m["mechanism"] == "tcp"}
    expect_equal({e["name"].split(" ")[0] for e in counted}, channels, "one socket is read")
    seen = [int(level) for level in read(log).split()]
    expect_equal([seen[0], seen[-1]], [4000, 0], "from the first write to the last read")
    levels = [e["args"]["bytes on the way"] for e in counted]
    expect_equal(levels, seen, "after each write, and each read: a look takes nothing")


def tshark(path, *fields):
    command = ["tshark", "-r", path, "-T", "fields"]
    for field in fields:
        command += ["-e", field]
    found = call(command)
    for word in (b"damaged", b"corrupt", b"error"):
        expect(word not in found.stderr, "tshark finds nothing wrong", found.stderr)
    return [line.split("\t") for line in found.stdout.decode().splitlines()]


@scenario("pcapng: Wireshark reads each message as a packet, its object being the interface")
def pcapng(directory):
    for workload in WORKLOADS:
        path = draw(directory, workload, "pcapng")
        rows = tshark(path, "frame.interface_name", "frame.comment", "frame.len", "frame.cap_len")
        messages = load_messages(os.path.join(directory, "trace.ndjson"))
        expect_equal(len(rows), len(messages), f"packets of {workload}")
        for channel in {m["channel"] for m in messages if m["mechanism"] != "signal"}:
            expect_equal(
                len([r for r in rows if r[0].split(" ")[0] == channel]),
                len([m for m in messages if m.get("channel") == channel]),
                f"packets of {channel}",
            )
        for name, comment, whole, kept in rows:
            expect(int(whole) >= int(kept), "no more is kept than there was", comment)
            expect((name == "signals") == ("SIG" in comment), "signals have an interface", comment)
        if workload == "hostile":
            for name in HOSTILE_NAMES:
                expect(any(r[1].startswith(name) for r in rows), f"{name} sends", str(rows))


def dissected(directory, command, *fields, **options):
    result = record(
        directory, ["sh", "-c", command], "--payload", "4096", cwd=directory, **options
    )
    path = os.path.join(directory, "dissected.pcapng")
    view(result.trace_path, "--mechanism", "tcp,unix-stream", "-o", path)
    return tshark(path, *fields)


# A server of its own, until one question was answered.
ASKS = SERVER + """
export PGHOST=$PWD PGUSER=test PGDATABASE=postgres
until psql -XAt -c 'select 6 * 7' >answer 2>&1; do kill -0 $S || exit 9; sleep 0.05; done
kill -INT $S; wait
"""


@scenario("pcapng: Wireshark's dissectors read HTTP, Redis, D-Bus and PostgreSQL")
def dissectors(directory):
    rows = dissected(directory, ask_echo(directory), "http.request.method", "http.response.code")
    expect_in(["GET", ""], rows, "the request")
    expect_in(["", "200"], rows, "the response")
    redis = (
        "redis-server --port 0 --unixsocket r.sock --save '' >log & S=$!; "
        "until redis-cli -s r.sock ping >out 2>&1; do kill -0 $S || exit 9; done; "
        "redis-cli -s r.sock set greeting over-unix; redis-cli -s r.sock shutdown nosave; wait"
    )
    rows = dissected(directory, redis, "resp.bulk_string.value", "resp.string")
    expect(any(b"greeting".hex() in row[0] for row in rows), "the command", str(rows))
    expect(any(row[1] == "OK" for row in rows), "the answer", str(rows))
    dbus = (
        "dbus-run-session -- dbus-send --session --print-reply --dest=org.freedesktop.DBus "
        "/org/freedesktop/DBus org.freedesktop.DBus.GetId"
    )
    rows = dissected(directory, dbus, "dbus.member")
    expect(any("GetId" in row[0] for row in rows), "the call", str(rows))
    rows = dissected(
        directory, ASKS, "pgsql.query", "pgsql.tag", environment=cluster(directory)
    )
    expect_in(["select 6 * 7", ""], rows, "PostgreSQL's query")
    expect(any(row[1] == "SELECT 1" for row in rows), "its answer", str(rows))
    with open(os.path.join(directory, "answer"), encoding="ascii") as file:
        expect_equal(file.read(), "42\n", "which psql was given")


def picture_words(path):
    """The texts of an SVG, each as a line."""
    call(["xmllint", "--noout", "--nonet", path])
    texts = ElementTree.parse(path).iter("{http://www.w3.org/2000/svg}text")
    return ["".join(text.itertext()).replace("\u00a0", " ") for text in texts]


if __name__ == "__main__":
    main()
