#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Pipes, FIFOs and eventfds: who sent what to whom, in what pieces, and how it ended."""
import os
import re
import shlex

from expectations import Failure, expect, expect_equal, expect_row
from harness import lab, main, record, run, scenario
from traces import blob, call
from truth import compare


def make_files(directory):
    folder = os.path.join(directory, "files")
    os.mkdir(folder)
    for name in ("one", "two", "three and four"):
        with open(os.path.join(folder, name), "w", encoding="ascii") as file:
            file.write(name)
    return folder


def check_ls_wc(result, folder):
    """Bytes and text are those of ls itself; wc's output is unchanged; the picture shows it all."""
    listing = call(["ls"], cwd=folder).stdout
    expect_equal(result.stdout, call(["sh", "-c", "ls | wc"], cwd=folder).stdout, "what wc printed")
    trace = result.trace
    writer, reader = trace.pid_of("ls"), trace.pid_of("wc")
    found = result.messages("--from", "ls", "--to", "wc")
    expect_equal(sum(m["bytes"] for m in found), len(listing), "bytes from ls to wc")
    for message in found:
        expect_equal(
            (message["mechanism"], message["from"]["pid"], message["to"]["pid"], message["match"]),
            ("pipe", writer, reader, "exact"),
            "from ls to wc",
        )
        expect_equal((message["from"]["comm"], message["to"]["comm"]), ("ls", "wc"), "the names")
    first = trace.operation(found[0]["sent"]["op"])
    expect_equal(blob(first["payload"]), listing[:64], "the payload is what ls wrote")
    expect_equal((first["syscall"], first["fd"]), ("write", 1), "ls wrote to its stdout")
    name = found[0]["channel"]
    channel = trace.channel(name)
    expect_equal(
        (name, channel["mechanism"]), (f"pipe:[{channel['inode']}]", "pipe"), "the channel"
    )
    end = [op for op in trace.operations(syscall="read", channel=name, pid=reader)][-1]
    expect_equal((end["returned"], end["writers"]), (0, 0), "wc's last read is the end of file")
    return trace, name


def check_picture(result, name):
    picture = result.stderr.decode()
    expect_row(picture, "ls", "wc")
    expect(name in picture, f"the picture names {name}", picture)
    expect_row(picture, "EOF")
    expect("one" in picture, "the picture shows what was said", picture)
    return picture


@scenario("connect ls wc: the lecture's program, traced and drawn")
def connect_ls_wc(directory):
    folder = make_files(directory)
    result = run(directory, lab("connect", "ls", "wc"), cwd=folder)
    trace, name = check_ls_wc(result, folder)
    check_picture(result, name)
    opened = trace.operations(syscall="pipe2") + trace.operations(syscall="pipe")
    expect(
        any(fd["channel"] == name for op in opened for fd in op["new_fds"]),
        "the call that made the pipe is there",
        opened,
    )


@scenario("sh -c 'ls | wc': traced and drawn, with SIGCHLD for the shell")
def shell_ls_wc(directory):
    folder = make_files(directory)
    result = run(directory, ["sh", "-c", "ls | wc"], cwd=folder)
    trace, name = check_ls_wc(result, folder)
    picture = check_picture(result, name)
    shell = trace.pid_of("sh")
    for child in (trace.pid_of("ls"), trace.pid_of("wc")):
        sent = [
            s
            for s in trace.of("signal", event="generate", signal="SIGCHLD")
            if s["to"]["pid"] == shell and s.get("from", {}).get("pid") == child
        ]
        expect_equal(len(sent), 1, f"{child} made one SIGCHLD for the shell")
    expect_row(picture, "SIGCHLD")


@scenario("the pipe's name is the one that /proc shows")
def pipe_name(directory):
    result = record(directory, ["sh", "-c", "readlink /proc/self/fd/1 | cat"])
    name = result.stdout.decode().strip()
    expect(re.fullmatch(r"pipe:\[\d+\]", name), "readlink saw a pipe", name)
    found = [
        m for m in result.messages().of("pipe") if m["from"] and m["from"]["comm"] == "readlink"
    ]
    expect_equal([m["channel"] for m in found], [name], "the channel of readlink's message")


@scenario("a FIFO between two processes: name, pieces, end")
def fifo(directory):
    path = os.path.join(directory, "the fifo")
    result = record(directory, lab("fifo", path))
    found = compare(result, "fifo")
    channel = result.trace.channel(found[0]["channel"])
    expect_equal((channel["mechanism"], channel["name"]), ("fifo", path), "the FIFO's name")
    opened = [
        op
        for op in result.trace.operations(syscall="openat")
        if op.get("channel") == channel["id"]
        or any(fd["channel"] == channel["id"] for fd in op.get("new_fds", []))
    ]
    expect_equal([op["path"] for op in opened], [path, path], "both opened it by its name")
    expect_equal(
        sorted(op["new_fds"][0]["access"] for op in opened),
        ["read", "write"],
        "one for reading and one for writing",
    )
    picture = result.view()
    expect_row(picture, "EOF")
    expect("EOF?" not in picture, "the counts of open ends prove whose close it was", picture)


@scenario("one write of 1 MiB through a pipe of 64 KiB: pieces, blocking, exact pairing")
def bigwrite(directory):
    result = record(directory, lab("bigwrite"))
    found = compare(result, "pipe")
    trace = result.trace
    sends = {m["sent"]["op"] for m in found}
    expect_equal(len(sends), 1, "all pieces came from one write")
    write = trace.operation(sends.pop())
    expect_equal((write["requested"], write["returned"]), (1 << 20, 1 << 20), "the write's size")
    expect(write.get("off_cpu_ns", 0) > 0, "the write slept", write)
    expect("began_ns" in write, "and says since when", write)
    offset = 0
    for message in sorted(found, key=lambda m: m["sent"]["offset"]):
        expect_equal(message["sent"]["offset"], offset, "the pieces cover the write, in order")
        offset += message["bytes"]
    expect_equal(offset, 1 << 20, "the pieces cover the write")
    expect_equal(trace.channel(found[0]["channel"])["capacity"], 65536, "the pipe's capacity")


@scenario("dup, dup2, F_DUPFD_CLOEXEC, fork and exec: one pipe under six descriptors")
def dupfork(directory):
    result = record(directory, lab("dupfork"))
    found = compare(result, "pipe")
    trace = result.trace
    expect_equal(len({m["channel"] for m in found}), 1, "they are all one pipe")
    logged = [(t["pid"], t["fd"]) for t in result.truth if t["do"] == "send"]
    sent = {m["sent"]["op"]: m for m in found}
    expect_equal(
        sorted((trace.operation(op)["pid"], m["sent"]["fd"]) for op, m in sent.items()),
        sorted(logged),
        "by the descriptors that the program used",
    )
    check_duplicates(trace, found[0]["channel"])
    check_exec(trace, found[0]["channel"], [pid for pid, fd in logged][-1])


def check_duplicates(trace, pipe):
    made = {}
    for syscall in ("dup", "dup2", "fcntl"):
        for op in trace.operations(syscall=syscall):
            for fd in op.get("new_fds", []):
                if fd["channel"] == pipe:
                    made[syscall] = (op["returned"], fd["fd"], fd["access"])
    expect_equal(set(made), {"dup", "dup2", "fcntl"}, "each duplication is there")
    for syscall, (returned, fd, access) in made.items():
        expect_equal((returned, access), (fd, "write"), f"what {syscall} made")
    expect_equal((made["dup2"][0], made["fcntl"][0]), (9, 20), "their numbers")


def check_exec(trace, pipe, child):
    held = [line for line in trace.of("descriptors", event="exec", pid=child)]
    expect_equal(len(held), 1, "the descriptors of the child after its exec")
    ends = {fd["fd"]: fd["access"] for fd in held[0]["fds"] if fd["channel"] == pipe}
    expect_equal(ends, {9: "write"}, "close-on-exec closed all but one")


@scenario("two threads of one process over a pipe")
def threads(directory):
    result = record(directory, lab("threads"))
    found = compare(result, "pipe")
    tids = {(t["do"], t["tid"]) for t in result.truth if t["do"] in ("send", "receive")}
    expect_equal(
        {("send", m["from"]["tid"]) for m in found} | {("receive", m["to"]["tid"]) for m in found},
        tids,
        "the threads",
    )
    forks = [
        line for line in result.trace.of("process", event="fork") if line["pid"] != line["tid"]
    ]
    expect(len(forks) == 1 and forks[0]["shares_fds"], "the thread's birth", forks)


@scenario("pages that are not in memory when the call begins: their bytes are in the trace")
def coldpage(directory):
    result = record(directory, lab("coldpage"))
    found = compare(result, "pipe")
    payloads = {blob(result.trace.operation(m["sent"]["op"])["payload"]) for m in found}
    expect_equal(payloads, {b"a cold literal", b"a page of a mapping"}, "the payloads of the sends")
    opened = [op["path"] for op in result.trace.operations(syscall="openat") if op.get("new_fds")]
    names = [t["channel"] for t in result.truth if t["do"] == "opens"]
    expect_equal([p for p in opened if p in names or not p], names, "the name of the FIFO")


@scenario("an eventfd that is summed: two additions, one read")
def eventfd_sum(directory):
    result = record(directory, lab("eventfd", "sum"))
    check_eventfd(result)
    # 3 and 4 are taken by one read, 5 by another that waited for it
    wanted = []
    reads = [t for t in result.truth if t["do"] == "receive"]
    for send, receive in zip(
        [t for t in result.truth if t["do"] == "send"], [reads[0], reads[0], reads[1]]
    ):
        wanted.append((send["pid"], receive["pid"]))
    found = [m for m in result.messages().delivered("eventfd")]
    expect_equal([(m["from"]["pid"], m["to"]["pid"]) for m in found], wanted, "additions and reads")
    expect_equal(len({m["received"]["op"] for m in found}), 2, "two reads took them")


@scenario("an eventfd as a semaphore: each read takes one")
def eventfd_semaphore(directory):
    result = record(directory, lab("eventfd", "semaphore"))
    check_eventfd(result)
    found = result.messages().delivered("eventfd")
    expect_equal(len({m["received"]["op"] for m in found}), 8, "eight reads took from three writes")
    expect_equal(len({m["sent"]["op"] for m in found}), 3, "eight reads took from three writes")


def check_eventfd(result):
    trace = result.trace
    values = []
    for op in trace.operations():
        if (
            op["role"] in ("send", "receive")
            and trace.channel(op["channel"])["mechanism"] == "eventfd"
        ):
            values.append((op["pid"], op["role"], int.from_bytes(blob(op["payload"]), "little")))
    logged = [
        (t["pid"], t["do"], t["value"]) for t in result.truth if t["do"] in ("send", "receive")
    ]
    expect_equal(sorted(values), sorted(logged), "the values written and read")
    expect_equal(
        len({op["channel"] for op in trace.operations() if op["role"] == "send"}), 1, "one eventfd"
    )


@scenario("a pipeline of five commands: bytes of each pipe")
def long_pipeline(directory):
    text = "".join(f"line {i}\n" for i in range(2000))
    source = os.path.join(directory, "source")
    with open(source, "w", encoding="ascii") as file:
        file.write(text)
    script = f"cat {shlex.quote(source)} | tr a-z A-Z | sort -r | head -3 | wc -c"
    result = record(directory, ["sh", "-c", script])
    sizes = {}
    for message in result.messages().delivered("pipe"):
        ends = (message["from"]["comm"], message["to"]["comm"])
        sizes[ends] = sizes.get(ends, 0) + message["bytes"]
    lines = sorted(text.upper().splitlines(keepends=True), reverse=True)
    expect_equal(sizes[("cat", "tr")], len(text), "from cat to tr")
    expect_equal(sizes[("tr", "sort")], len(text), "from tr to sort")
    expect_equal(sizes[("head", "wc")], sum(map(len, lines[:3])), "from head to wc")
    expect_equal(int(result.stdout), sizes[("head", "wc")], "what wc counted")


@scenario("an end that exec closes: the reader's EOF is that process's, or in doubt, not outside")
def closed_by_exec(directory):
    script = (
        "import subprocess, sys\n"
        "forks = {'preexec_fn': lambda: None} if sys.argv[1] == 'fork' else {}\n"
        "for _ in range(5): subprocess.run(['true'], **forks, check=True)\n"
    )
    for way in ("fork", "vfork"):
        result = record(directory, ["/usr/bin/python3", "-c", script, way])
        reads = [
            op
            for op in result.trace.operations(syscall="read")
            if op["returned"] == 0 and op.get("channel", "").startswith("pipe")
        ]
        expect_equal(len(reads), 5, "Python reads the end of its pipe to each child")
        ends = [line for line in result.view("--unfold").splitlines() if "EOF" in line]
        expect(len(ends) >= 5, f"{way}: each end is drawn", ends)
        expect("○" not in "".join(ends), "by a process of the trace", ends)


@scenario("names and contents with escapes, quotes and bytes that are no UTF-8")
def hostile(directory):
    result = record(directory, lab("hostile"))
    compare(result, "fifo")
    trace = result.trace
    payloads = [
        blob(op["payload"])
        for op in trace.operations(syscall="write")
        if trace.channel(op["channel"])["mechanism"] == "fifo"
    ]
    logged = [t["text"].encode("latin-1") for t in result.truth if t["do"] == "send"]
    expect_equal(payloads, [text[:64] for text in logged], "every byte survives")
    names = {blob(line["comm"]) for line in trace.of("process", event="name")}
    expect_equal(names, {b"a\x1b[1m<b>'", b'b\n"\\,;\xff\xfe'}, "the names survive")
    channel = blob(trace.channel(trace.of("channel", mechanism="fifo")[0]["id"])["name"])
    expect(channel.startswith(b'/tmp/\x1b[2J"<b>\n\xff-'), "the FIFO's name survives", channel)
    for options in ([], ["--color", "never"]):
        check_harmless(result.view(*options))
    check_harmless(run(directory, lab("hostile")).stderr.decode())


def check_harmless(picture):
    """Nothing in it moves a terminal's cursor, sets its title or turns the direction of text."""
    bad = re.findall(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", picture)
    if bad:
        raise Failure(f"control characters in the picture: {set(bad)!r}")


if __name__ == "__main__":
    main()
