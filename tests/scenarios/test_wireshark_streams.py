#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Streams as TCP: Wireshark follows each one, and reads the bytes that the workload itself logged."""
import json
import os
from collections import Counter

from expectations import expect, expect_equal, expect_in
from harness import lab, main, record, scenario
from traces import call, view

MAY_RUN_BESIDE_OTHERS = True

# Labs whose streams are logged in full, and of which mechanisms.
LABS = {
    "crew": {"pipe"},
    "fifo": {"fifo"},
    "threads": {"pipe"},
    "unixstream": {"unix-stream"},
    "tcp6": {"tcp"},
    "reqresp pipe 3": {"pipe"},
    "reqresp tcp 3": {"tcp"},
}


def capture(directory, trace, *options):
    path = os.path.join(directory, "streams.pcapng")
    view(trace, "--as", "pcapng-tcp", "-o", path, *options)
    return path


def tshark(path, *words):
    found = call(["tshark", "-o", "tcp.check_checksum:TRUE", "-r", path, *words])
    for word in (b"damaged", b"corrupt", b"error"):
        expect(word not in found.stderr, "tshark finds nothing wrong", found.stderr)
    return found.stdout.decode()


def fields(path, *names, only=""):
    words = [word for name in names for word in ("-e", name)]
    return [
        line.split("\t")
        for line in tshark(path, *(["-Y", only] if only else []), "-T", "fields", *words).splitlines()
    ]


def follow(path, number):
    """The bytes of both directions, as Follow Stream puts them together."""
    told = tshark(path, "-q", "-z", f"follow,tcp,raw,{number}").split("=" * 67)[1].splitlines()
    lines = [line for line in told if line and ":" not in line]
    return tuple(
        bytes.fromhex("".join(line.strip() for line in lines if line.startswith("\t") == second))
        for second in (False, True)
    )


def streams(path):
    numbers = {int(row[0]) for row in fields(path, "tcp.stream")}
    return [follow(path, number) for number in sorted(numbers)]


def logged(truth, mechanisms):
    """What was received on each channel of the log, in the order of each receiver."""
    texts = {}
    for line in truth:
        if line["do"] == "receive" and line["mechanism"] in mechanisms:
            key = (line["mechanism"], line["channel"])
            texts[key] = texts.get(key, b"") + line["text"].encode("latin-1")
    return Counter(text for text in texts.values() if text)


@scenario("follow stream: the bytes of each direction are those that the receivers logged")
def followed(root):
    for words, mechanisms in LABS.items():
        name, *arguments = words.split()
        directory = os.path.join(root, name + str(len(os.listdir(root))))
        os.mkdir(directory)
        if name == "fifo":
            arguments = [os.path.join(directory, "fifo")]
        result = record(directory, lab(name, *arguments), "--payload", "4096")
        path = capture(directory, result.trace_path, "--mechanism", ",".join(mechanisms))
        found = Counter(text for both in streams(path) for text in both if text)
        expect_equal(found, logged(result.truth, mechanisms), words)
        expect_equal(fields(path, "frame.comment", only="tcp.analysis.flags"), [], f"{words}: whole")
        bad = fields(path, "frame.number", only="tcp.checksum.status == 0 || ip.checksum.status == 0")
        expect_equal(bad, [], f"{words}: checksums")


@scenario("follow stream: a handshake where the trace saw the object made, FIN where its end was read")
def ends(directory):
    result = record(directory, lab("crew"))
    path = capture(directory, result.trace_path)
    rows = fields(path, "frame.interface_name", "tcp.flags.syn", "tcp.flags.fin")
    eofs = sum(line["do"] == "eof" for line in result.truth)
    expect_equal(sum(row[2] in ("1", "True") for row in rows), eofs, "an end for each that was read")
    expect_equal(sum(row[1] in ("1", "True") for row in rows), 2 * eofs, "SYN and SYN, ACK each")
    names = {row[0] for row in rows}
    channels = {m["channel"] for m in result.messages("--mechanism", "pipe")}
    expect_equal(names, channels, "an interface an object")
    whole = tshark(path, "-N", "n", "-T", "fields", "-e", "ip.src_host")
    expect_in("crew.", whole, "processes are hosts")


@scenario("follow stream: what the trace kept only in part is missing, not glued together")
def cut(directory):
    result = record(directory, lab("bigwrite"), "--payload", "16")
    path = capture(directory, result.trace_path, "--mechanism", "pipe")
    total = sum(line["result"] for line in result.truth if line["do"] == "receive")
    taken = max(int(row[0]) for row in fields(path, "tcp.ack", only="tcp.ack"))
    expect_equal(taken, 1 + total + 1, "all bytes have their place, and SYN and FIN")
    told = tshark(path, "-q", "-z", "follow,tcp,ascii,0")
    expect_in("bytes missing in capture file", told, "and what is not there is told")


def without(trace, drop, path, count=2, noticed_ns=None):
    """The trace without some of its operations, and one that tells of it: by then, or at the end."""
    with open(trace, encoding="utf-8") as source, open(path, "w", encoding="utf-8") as out:
        for line in source:
            told = json.loads(line)
            if told["type"] == "operation" and drop(told):
                continue
            if told["type"] == "trailer":
                at_ns = noticed_ns or told["at_ns"]
                lost = {"type": "lost", "at_ns": at_ns, "where": "ring", "count": count}
                told.update(lost=count, operations=told["operations"] - count)
                out.write(json.dumps(lost) + "\n" + json.dumps(told) + "\n")
            else:
                out.write(line)
    return path


@scenario("follow stream: a lost message is a missing segment between its neighbours")
def lost(directory):
    result = record(directory, lab("reqresp", "unix", "5"), "--payload", "4096")
    moved = [
        op
        for op in result.trace.operations()
        if op.get("channel", "").startswith("unix-stream") and op.get("returned", 0) > 0
        and op["role"] in ("send", "receive")
    ]
    first = next(op for op in moved[4:] if op["role"] == "send")
    taken = min((op for op in moved if op["role"] == "receive" and op["pid"] != first["pid"]
                 and op["exit_ns"] >= first["enter_ns"]), key=lambda op: op["exit_ns"])
    gone = {first["id"], taken["id"]}
    trace = without(result.trace_path, lambda op: op["id"] in gone,
                    os.path.join(directory, "lossy.ndjson"))
    whole, lossy = capture(directory, result.trace_path), os.path.join(directory, "lossy.pcapng")
    expect_equal(fields(whole, "frame.number", only="tcp.analysis.lost_segment"), [], "all is there")
    view(trace, "--as", "pcapng-tcp", "-o", lossy)
    rows = fields(lossy, "frame.comment", only="tcp.analysis.lost_segment")
    expect(rows and all("has lost records" in row[0] for row in rows), "segments are missing", rows)
    told = tshark(lossy, "-q", "-z", "follow,tcp,ascii,0")
    expect_in("bytes missing in capture file", told, "follow stream says so")

    # What was received after the loss was noticed is whole, and what stood right before may not be.
    noticed = next(op for op in moved if op["role"] == "receive" and op["enter_ns"] > taken["exit_ns"])
    trace = without(result.trace_path, lambda op: op["id"] in gone, trace,
                    noticed_ns=noticed["enter_ns"])
    view(trace, "--as", "pcapng-tcp", "-o", lossy)
    known = fields(lossy, "frame.comment", only="tcp.analysis.lost_segment")
    expect(0 < len(known) < len(rows), "fewer gaps are announced, and that one is", [known, rows])


@scenario("follow stream: after a loss TCP's positions tell how many bytes are missing, and where none are")
def placed(directory):
    result = record(directory, lab("reqresp", "tcp", "6"), "--payload", "4096")
    moved = [
        op
        for op in result.trace.operations()
        if op.get("channel", "").startswith("tcp") and op.get("returned", 0) > 0
        and op["role"] in ("send", "receive")
    ]
    sender = next(op["pid"] for op in moved if op["role"] == "send")
    asked = [op for op in moved if op["role"] == "send" and op["pid"] == sender][2]
    heard = [op for op in moved if op["role"] == "receive" and op["pid"] != sender][2]
    expect_equal(asked["returned"], heard["returned"], "what is lost: both ends of a request")
    gone = {asked["id"], heard["id"]}
    trace = without(result.trace_path, lambda op: op["id"] in gone,
                    os.path.join(directory, "lossy.ndjson"))
    path = capture(directory, trace)
    comments = [row[0] for row in fields(path, "frame.comment", only="tcp.len > 0")]
    expect_equal(len(comments), 11, "six requests but one, and six answers")
    missing = [text for text in comments if "bytes before it" in text]
    exact = f"; {asked['returned']} bytes before it are missing"
    expect_equal(sum(exact in text for text in missing), 1, "the lost request, in its place")
    # Of a direction's first message nobody knows what was before it.
    expect_equal(len(missing), 3, "and no other gap")


@scenario("follow stream: a conversation with redis over a unix socket, dissected and put together")
def redis(directory):
    command = (
        "redis-server --port 0 --unixsocket r.sock --save '' >log & S=$!; "
        "until redis-cli -s r.sock ping >out 2>&1; do kill -0 $S || exit 9; done; "
        "redis-cli -s r.sock set greeting over-unix >out; redis-cli -s r.sock get greeting >out; "
        "redis-cli -s r.sock shutdown nosave; wait"
    )
    result = record(directory, ["sh", "-c", command], "--payload", "4096", cwd=directory)
    path = capture(directory, result.trace_path, "--mechanism", "unix-stream")
    values = fields(path, "resp.bulk_string.value", "resp.string", only="resp")
    expect(any(b"greeting".hex() in row[0] for row in values), "the command", str(values))
    expect(any(row[1] == "OK" for row in values), "the answer", str(values))
    found = streams(path)
    asked = b"*3\r\n$3\r\nset\r\n$8\r\ngreeting\r\n$9\r\nover-unix\r\n"
    expect(any(asked in both[0] and b"+OK\r\n" in both[1] for both in found), "set", str(found)[:400])
    expect(any(b"$9\r\nover-unix\r\n" in both[1] for both in found), "get", str(found)[:400])


@scenario("what is no stream is counted, not drawn as one")
def others(directory):
    result = record(directory, lab("unixdgram"))
    path = capture(directory, result.trace_path)
    expect_equal(fields(path, "frame.number"), [], "no packet")
    told = call(["capinfos", path]).stdout.decode()
    count = len(result.messages())
    expect_in(f"{count} messages of no stream are not in it", told, "the remark")


if __name__ == "__main__":
    main()
