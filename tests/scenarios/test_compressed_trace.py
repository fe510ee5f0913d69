#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A trace in a file that ends in .zst is small, and every command reads it as a plain one."""
import os
import resource
import signal
import stat
import subprocess

from expectations import expect, expect_equal, expect_in
from harness import lab, main, needs, record, scenario, start, wait_for
from traces import IPCLENS, TIMEOUT, Trace, call, ipclens, messages, one_error

BYTES_A_MESSAGE = 65  # of about 900 in the plain trace
OWN_FAILURE = 125
READERS = (
    ["messages"],
    ["stats", "--json"],
    ["stats"],
    ["diagnose", "--json"],
    ["view", "--width", "120"],
    ["view", "--as", "mermaid"],
    ["view", "--as", "html"],
)


def record_packed(directory, command, *options, verb=("record", "-o"), status=0, **others):
    """The path of the compressed trace of this command, and the finished run."""
    path = os.path.join(directory, "t.ndjson.zst")
    words = [IPCLENS, *verb, path, *options, "--", *command]
    run = start(directory, words, **others).wait()
    expect_equal(run.status, status, f"exit status; stderr: {run.stderr!r}")
    return path, run


def unpacked(path):
    """The plain trace, as zstd(1) gets it, and its path."""
    plain = path.removesuffix(".zst")
    with open(plain, "wb") as file:
        call(["zstd", "-dcq", path], stdout=file, stderr=subprocess.PIPE)
    return Trace(plain, check=False), plain


def logged(truth, action):
    return sum(line["do"] == action for line in truth)


@scenario("a trace that zstd(1) packed: the same answers, from a file, from stdin, from a pipe")
def packed_by_zstd(directory):
    needs("zstd")
    plain = record(directory, lab("reqresp", "pipe", 300)).trace_path
    packed = os.path.join(directory, "packed")  # the name does not matter
    call(["zstd", "-q", plain, "-o", packed])
    for words in READERS:
        wanted = call([IPCLENS, *words, plain])
        expect(wanted.stdout, f"{words}: an answer")
        expect_equal(call([IPCLENS, *words, packed]).stdout, wanted.stdout, f"{words}: of a file")
        with open(packed, "rb") as file:
            told = call([IPCLENS, *words, "-"], stdin=file)
        expect_equal(told.stdout, wanted.stdout, f"{words}: of stdin, a file")
        script = 'f=$1; shift; cat "$f" | "$@"'
        told = call(["sh", "-c", script, "sh", packed, IPCLENS, *words, "-"])
        expect_equal(told.stdout, wanted.stdout, f"{words}: of a pipe")


@scenario("record -o FILE.zst of a ping-pong: all its messages, each exact, in few bytes")
def ping_pong(directory):
    needs("zstd")
    path, run = record_packed(directory, lab("reqresp", "pipe", 3000))
    trace, plain = unpacked(path)
    expect_equal((trace.trailer()["why"], trace.lost()), ("finished", 0), "the trace is whole")
    said = [m for m in messages(path) if m["mechanism"] == "pipe"]
    expect_equal(len(said), logged(run.truth, "send"), "what the program sent")
    expect_equal(len(said), logged(run.truth, "receive"), "what it received")
    expect_equal({m["match"] for m in said}, {"exact"}, "each pair")
    expect_equal(stat.S_IMODE(os.stat(path).st_mode), 0o600, "who may read it")
    size = os.path.getsize(path) / len(said)
    print(f"# {os.path.getsize(plain) / len(said):.0f} bytes a message, {size:.1f} compressed")
    expect(size <= BYTES_A_MESSAGE, f"at most {BYTES_A_MESSAGE} bytes a message", size)


@scenario("run --trace FILE.zst draws what it wrote, and --live tells of it while it grows")
def run_reads_it(directory):
    needs("zstd")
    pipeline = ["sh", "-c", "printf hello | cat"]
    path, run = record_packed(directory, pipeline, verb=("run", "--trace"))
    expect_in("hello", run.stderr.decode(), "the picture")
    unpacked(path)
    script = "printf hello | cat; read line; exit 3"
    words = ["run", "--live", "--mechanism", "pipe", "--trace", path, "--", "sh", "-c", script]
    with subprocess.Popen(
        [IPCLENS, *words], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        first = process.stderr.readline().decode()
        expect_equal(process.poll(), None, "the command still runs, until we let it end")
        process.communicate(b"now\n", timeout=TIMEOUT)
    expect_in('pipe 5 B "hello"', first, "what was said, while it runs")
    expect_equal(process.returncode, 3, "the command's status")
    unpacked(path)


def hellos(path):
    """How often this trace tells of the pipe's hello; what else `messages` says."""
    told = ipclens("messages", "--mechanism", "pipe", path)
    return told.stdout.count(b'"bytes":5'), told.stderr.decode()


@scenario("SIGKILL of the tracer: what was said until a moment before can be read")
def killed(directory):
    path = os.path.join(directory, "t.zst")
    script = "printf hello | cat; read line"
    words = [IPCLENS, "record", "-o", path, "--", "sh", "-c", script]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        wait_for(lambda: hellos(path)[0] == 1, "the message to be readable while the trace grows")
        process.send_signal(signal.SIGKILL)
        process.wait(TIMEOUT)
        count, said = hellos(path)
        process.stdin.close()  # the command ends, too
    expect_equal(count, 1, "the message is there")
    expect_in("cut off after line", said, "that there is no end")
    expect_equal(said.count("\n"), 1, "one line")


@scenario("a full disk (here ulimit -f) is told; what was written until then can be read")
def full_disk(directory):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 15, resource.RLIM_INFINITY))

    command = ["sh", "-c", 'ulimit -f unlimited; exec "$@"', "sh", *lab("reqresp", "pipe", 2000)]
    path, run = record_packed(directory, command, status=OWN_FAILURE, preexec_fn=limit)
    expect_in("File too large", run.stderr.decode(), "why the trace ends")
    expect_equal(os.path.getsize(path), 1 << 15, "the size of what was written")
    told = ipclens("messages", path)
    expect_equal(told.returncode, 0, "status of messages")
    expect(told.stdout.count(b'"match":"exact"') > 100, "messages", told.stdout[:200])
    expect_in(b"cut off after line", told.stderr, "that there is no end")


@scenario("a damaged one: what stands before is read, one line says where it ends")
def damaged(directory):
    path, _ = record_packed(directory, lab("reqresp", "pipe", 3000))
    whole = len(messages(path))
    with open(path, "r+b") as file:
        half = file.seek(os.path.getsize(path) // 2)
        file.write(b"\xff" * half)  # which is no block
    told = ipclens("messages", path)
    expect_equal(told.returncode, 0, "status")
    expect(100 < told.stdout.count(b"\n") < whole, "some of the messages", told.stdout[-200:])
    expect_in(b"cannot be decompressed after line", told.stderr, "where it ends")
    expect_equal(told.stderr.count(b"\n"), 1, "one line")
    with open(path, "r+b") as file:
        file.seek(4)
        file.write(b"\xff" * 64)
    for verb in ("messages", "stats", "view", "diagnose"):
        status = 2 if verb == "diagnose" else 1
        one_error(ipclens(verb, path), status, path, "cannot be decompressed")


if __name__ == "__main__":
    main()
