#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The commands: statuses, errors, outputs, time limits."""
import json
import os
import re
import shlex
import signal
import stat
import time

from expectations import expect, expect_equal, expect_in, expect_row
from harness import gone, lab, main, record, scenario, start_record, test_user, wait_for
from traces import IPCLENS, Trace, blob, call, ipclens, one_error, validate

MAY_RUN_BESIDE_OTHERS = True

OWN_FAILURE, TIMED_OUT = 125, 124


@scenario("exit statuses are passed on, of an end and of a signal")
def statuses(directory):
    for command, wanted in (
        (lab("exitcodes", 0), 0),
        (lab("exitcodes", 42), 42),
        (lab("exitcodes", "signal", 15), 143),
        (lab("exitcodes", "signal", 9), 137),
    ):
        for name in ("run", "record"):
            output = ["-o", os.path.join(directory, f"{name}-{wanted}")]
            expect_equal(
                ipclens(name, *output, "--", *command).returncode, wanted, f"{name} {command}"
            )
    trailer = Trace(os.path.join(directory, "record-143")).trailer()
    expect_equal(trailer.get("signal"), "SIGTERM", "the trailer says what ended the command")
    expect_equal(
        Trace(os.path.join(directory, "record-42")).trailer()["exit_code"], 42, "or its status"
    )


@scenario("examples in --help are whole lines, which a terminal of 80 columns can copy")
def examples(_directory):
    for line in call([IPCLENS, "--describe"]).stdout.decode().splitlines():
        command = line.split("\t")[1]
        told = call([IPCLENS, command, "--describe"]).stdout.decode()
        shown = call([IPCLENS, command, "--help"]).stdout.decode().splitlines()
        more = re.search(r"^more\t(.*)$", told, re.MULTILINE)[1].split("\\n")
        for example in (text for text in more if text.startswith("  ")):
            expect(example in shown, f"{command}: an example that is not broken", example)


@scenario("no such command: 127; not executable: 126; each one clear error")
def cannot_execute(directory):
    plain = os.path.join(directory, "plain")
    with open(plain, "w", encoding="ascii") as file:
        file.write("text")
    for name in ("run", "record"):
        output = ["-o", os.path.join(directory, "out")]
        one_error(
            ipclens(name, *output, "--", "no-such-command-here"),
            127,
            "no-such-command-here",
            "no such",
        )
        one_error(ipclens(name, *output, "--", plain), 126, plain, "permission denied")
        one_error(ipclens(name, *output, "--", directory), 126, directory, "permission denied")


@scenario("without root: one clear error that says what to do; the viewer's commands work")
def no_root(directory):
    user = test_user()
    folder = os.path.join(directory, "of the user")
    os.mkdir(folder)
    os.chown(folder, user.pw_uid, user.pw_gid)
    demote = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--"]
    for name in ("run", "record"):
        result = call([*demote, IPCLENS, name, "--", "touch", "ran"], check=False, cwd=folder)
        one_error(result, OWN_FAILURE, "root")
    expect_equal(os.listdir(folder), [], "nothing ran and nothing was written")
    expect(
        call([*demote, IPCLENS, "doctor"], check=False).returncode != 0,
        "doctor says it cannot work",
    )
    trace = record(directory, lab("fifo")).trace_path
    os.chmod(trace, 0o644)
    for name in ("messages", "view"):
        expect(call([*demote, IPCLENS, name, trace]).stdout, f"{name} works without root")


@scenario("without BTF: one clear error, and doctor says so")
def no_btf(directory):
    hidden = "mount -t tmpfs none /sys/kernel/btf && exec "
    for name in ("run", "record"):
        command = [IPCLENS, name, "-o", os.path.join(directory, "out"), "--", "true"]
        result = call(["unshare", "--mount", "sh", "-c", hidden + shlex.join(command)], check=False)
        one_error(result, OWN_FAILURE, "BTF")
    result = call(
        ["unshare", "--mount", "sh", "-c", hidden + shlex.join([IPCLENS, "doctor"])], check=False
    )
    expect(result.returncode != 0, "doctor's status")
    expect_in("BTF", result.stdout.decode(), "doctor names what is missing")


@scenario("doctor: status 0 where tracing works, and every hook is named")
def doctor(directory):
    result = ipclens("doctor")
    expect_equal(result.returncode, 0, f"status; it says {result.stdout!r} {result.stderr!r}")
    hooks = record(directory, ["true"]).trace.lines[0]["hooks"]
    text = result.stdout.decode()
    expect(hooks and hooks["sys_enter"] and hooks["sys_exit"], "the hooks in the trace", hooks)
    for hook in hooks:
        expect_in(hook, text, "doctor names the hook")


@scenario("an output that cannot be written: one clear error, and the command does not run")
def unwritable(directory):
    marker = os.path.join(directory, "ran")
    for output, word in (
        (os.path.join(directory, "no", "such", "folder"), "no such file"),
        (directory, "directory"),
    ):
        one_error(ipclens("record", "-o", output, "--", "touch", marker), OWN_FAILURE, output, word)
        one_error(
            ipclens("run", "--trace", output, "--", "touch", marker), OWN_FAILURE, output, word
        )
        one_error(ipclens("run", "-o", output, "--", "touch", marker), OWN_FAILURE, output, word)
    expect(not os.path.exists(marker), "the command did not run")


@scenario("an output that is a symbolic link is refused")
def symlink(directory):
    target, link = os.path.join(directory, "target"), os.path.join(directory, "link")
    with open(target, "w", encoding="ascii") as file:
        file.write("precious")
    os.symlink(target, link)
    one_error(ipclens("record", "-o", link, "--", "true"), OWN_FAILURE, link, "symbolic link")
    one_error(ipclens("run", "--trace", link, "--", "true"), OWN_FAILURE, link, "symbolic link")
    one_error(ipclens("run", "-o", link, "--", "true"), OWN_FAILURE, link, "symbolic link")
    with open(target, encoding="ascii") as file:
        expect_equal(file.read(), "precious", "the target is untouched")


@scenario("a full disk: one clear error, not a silent half of a trace")
def full_disk(directory):
    folder = os.path.join(directory, "small disk")
    os.mkdir(folder)
    call(["mount", "-t", "tmpfs", "-o", "size=16k", "none", folder])
    try:
        result = ipclens(
            "record", "-o", os.path.join(folder, "t"), "--", *lab("flood", 2000, 64, "alone")
        )
        expect_equal(result.returncode, OWN_FAILURE, f"status; stderr: {result.stderr!r}")
        expect_in("No space left", result.stderr.decode(), "it says why")
        left = ipclens("messages", os.path.join(folder, "t"))
        expect(left.returncode in (0, 1), "what is there can be read or is refused", left.stderr)
    finally:
        call(["umount", folder])


@scenario("the trace: mode 0600, default name, what record says at its end")
def default_name(directory):
    folder = os.path.join(directory, "folder")
    os.mkdir(folder)
    result = ipclens("record", "--", *lab("fifo"), cwd=folder)
    expect_equal(os.listdir(folder), ["ipclens.ndjson"], "the default name")
    path = os.path.join(folder, "ipclens.ndjson")
    expect_equal(stat.S_IMODE(os.stat(path).st_mode), 0o600, "the mode")
    told = result.stderr.decode()
    expect_in("ipclens.ndjson", told, "it says what it wrote")
    expect_in(str(Trace(path).trailer()["operations"]), told, "it says how many operations")
    expect_in("ipclens view", told, "it says what to type next")
    expect_equal(result.stdout, b"", "stdout is the command's")
    by_default, by_name = ipclens("view", cwd=folder), ipclens("view", "ipclens.ndjson", cwd=folder)
    expect(by_default.stdout and by_default.stdout == by_name.stdout, "view reads it by default")
    with open(path, "rb") as file:
        by_stdin = call([IPCLENS, "messages", "-"], stdin=file)
    expect_equal(by_stdin.stdout, ipclens("messages", cwd=folder).stdout, "messages - reads stdin")


@scenario("run: stdin and stdout are the command's, the picture goes to stderr or -o")
def run_streams(directory):
    folder = os.path.join(directory, "folder")
    os.mkdir(folder)
    text = b"from outside\n"
    result = call([IPCLENS, "run", "--", "cat"], input=text, cwd=folder, stdin=None)
    expect_equal(result.stdout, text, "the command's stdin and stdout")
    expect_equal(os.listdir(folder), [], "no trace is left behind")
    expect_in("cat", result.stderr.decode(), "the picture is on stderr")
    result = call([IPCLENS, "run", "-o", "picture", "--", *lab("fifo")], cwd=folder)
    with open(os.path.join(folder, "picture"), encoding="utf-8") as file:
        expect_row(file.read(), "fifo")
    expect("EOF" not in result.stderr.decode(), "then the picture is not on stderr", result.stderr)


@scenario("record -o -: the trace on stdout, the command's stdout on stderr")
def to_stdout(directory):
    result = ipclens("record", "-o", "-", "--", "sh", "-c", "echo said by the command | cat")
    expect_equal(result.returncode, 0, "status")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    validate(lines)
    expect_equal((lines[0]["type"], lines[-1]["type"]), ("header", "trailer"), "a whole trace")
    expect_in("said by the command", result.stderr.decode(), "the command's stdout")
    piped = call(
        [
            "sh",
            "-c",
            f"{IPCLENS} record -o - -- {shlex.join(lab('fifo'))} 2>/dev/null | "
            f"{IPCLENS} messages -",
        ]
    )
    expect_equal(len(piped.stdout.splitlines()) > 0, True, "record | messages")


@scenario("a closed stdout ends messages, view and record -o - without noise")
def closed_stdout(directory):
    trace = record(directory, lab("vio")).trace_path
    for command in (
        [IPCLENS, "messages", trace],
        [IPCLENS, "view", trace],
        [IPCLENS, "schema"],
        [IPCLENS, "doctor"],
    ):
        result = call(["bash", "-c", f"{shlex.join(command)} | head -1; echo ${{PIPESTATUS[0]}}"])
        first, status = result.stdout.decode().splitlines()
        expect(first and status in ("0", "1", "141"), f"{command[1]} | head -1", first, status)
        expect(len(result.stderr.splitlines()) <= 1, "at most one line about it", result.stderr)
    for command in (["messages", trace], ["view", trace], ["schema"], ["doctor"]):
        result = call(["bash", "-c", f"{shlex.join([IPCLENS, *command])} >&-"], check=False)
        expect_equal(result.returncode, 1, f"{command[0]} >&-")
        expect_equal(len(result.stderr.splitlines()), 1, "one line about it")
    started = time.monotonic()
    flood = shlex.join([IPCLENS, "record", "-o", "-", "--", *lab("flood", 20000, 64, "alone")])
    result = call(["bash", "-c", f"{flood} | head -1; echo ${{PIPESTATUS[0]}}"])
    first, status = result.stdout.decode().splitlines()
    expect_equal(json.loads(first)["type"], "header", "the first line of record -o - | head -1")
    expect(status in ("0", "125", "141"), "record's status", status, result.stderr)
    expect(len(result.stderr.splitlines()) <= 3, "at most a few lines about it", result.stderr)
    expect(time.monotonic() - started < 20, "it ended soon")


@scenario("--timeout on a deadlock: status 124, the waiting reads with their channels, nobody left")
def timeout(directory):
    result = record(directory, lab("deadlock"), "--timeout", "1", status=TIMED_OUT, whole=False)
    trace = result.trace
    trailer = trace.trailer()
    expect_equal((trailer["why"], trailer["lost"]), ("timeout", 0), "why it ended")
    waiting = {(t["pid"], t["fd"]) for t in result.truth if t["do"] == "waits"}
    pending = trace.of("operation", state="pending", syscall="read")
    expect_equal({(op["pid"], op["fd"]) for op in pending}, waiting, "who waits, and on what")
    for op in pending:
        expect_equal(trace.channel(op["channel"])["mechanism"], "pipe", "the channel waited for")
        expect(
            "returned" not in op and op["at_ns"] >= op["enter_ns"] + 10**8, "still waiting", op
        )
    expect_equal(len({op["channel"] for op in pending}), 2, "each waits for another pipe")
    check_deadlock(result, pending)
    for pid, _ in waiting:
        expect(gone(pid), f"{pid} is gone")
    picture = result.view(columns=160)
    expect_row(picture, "read")
    for op in pending:
        row = expect_row(picture, f"waits in read({op['fd']})", "deadlock")
        number, unit = re.search(r" for ([\d.]+) (m?s)", row).groups()
        shown_ms = float(number) * (1 if unit == "ms" else 1000)
        waited_ms = (op["at_ns"] - op["enter_ns"]) / 1e6
        expect(abs(shown_ms - waited_ms) <= 10, "how long it waited", row, waited_ms)


def check_deadlock(result, pending):
    """From the trace alone: since when each waits, and that only the other could end it."""
    trace = result.trace
    held = {
        line["pid"]: {(fd["fd"], fd["channel"], fd["access"]) for fd in line["fds"]}
        for line in trace.of("descriptors", event="snapshot")
    }
    for op in pending:
        begin = trace.one("operation", id=op["id"], state="begin")
        logged = next(t for t in result.truth if (t["pid"], t["do"]) == (op["pid"], "waits"))
        expect_equal(begin["channel"], op["channel"], "what it waited for from the beginning")
        expect(
            logged["at_ns"] < begin["enter_ns"] == op["enter_ns"] <= begin["at_ns"],
            "since when",
            begin,
            logged,
        )
        writers = {
            (pid, fd)
            for pid, fds in held.items()
            for fd, channel, access in fds
            if channel == op["channel"] and access in ("write", "both")
        }
        other = next(t for t in result.truth if t["do"] == "holds" and t["pid"] != op["pid"])
        expect_equal(writers, {(other["pid"], other["fd"])}, "who alone can write to it")


@scenario("--timeout ends a command that ignores SIGTERM, and all of its children")
def timeout_kill(directory):
    script = "trap '' TERM; sleep 1000 & echo $! $$; wait; wait; sleep 1000"
    result = record(
        directory, ["sh", "-c", script], "--timeout", "900ms", status=TIMED_OUT, whole=False
    )
    expect_equal(result.trace.trailer()["why"], "timeout", "why it ended")
    for pid in result.stdout.split():
        expect(gone(int(pid)), f"{pid} is gone")


@scenario("--timeout that is not reached changes nothing")
def timeout_unused(directory):
    record(directory, lab("exitcodes", 4), "--timeout", "30", status=4)


@scenario("SIGTERM to record ends the command and leaves a whole trace")
def terminated(directory):
    marker = os.path.join(directory, "ready")
    script = f"echo $$ >{marker}; exec {shlex.join(lab('deadlock'))}"
    run = start_record(directory, ["sh", "-c", script])

    def is_ready():
        expect(run.process.poll() is None, "record runs")
        return os.path.exists(marker) and os.stat(marker).st_size

    wait_for(is_ready, "the command's start")
    run.process.send_signal(signal.SIGTERM)
    expect_equal(run.wait(30).status, 143, "the command's status")
    expect_equal(run.trace.trailer().get("signal"), "SIGTERM", "what ended the command")
    with open(marker, encoding="ascii") as file:
        expect(gone(int(file.read())), "the command is gone")


@scenario("--payload: none, 16 bytes, 4096 bytes")
def payload(directory):
    for size in (0, 16, 4096):
        folder = os.path.join(directory, str(size))
        os.mkdir(folder)
        result = record(folder, lab("bigwrite", 20000, 9000), "--payload", str(size))
        text = next(t for t in result.truth if t["do"] == "send")["text"].encode()
        operations = [
            op
            for op in result.trace.operations()
            if op["role"] in ("send", "receive") and op["returned"] > 0 and "channel" in op
        ]
        expect_equal(result.trace.lines[0]["options"]["payload_len"], size, "the header says it")
        expect(len(operations) >= 4, "the transfers are there", operations)
        for op in operations:
            if not size:
                expect("payload" not in op, "no payload is kept", op)
            else:
                expect_equal(len(blob(op["payload"])), min(size, op["returned"]), "its length")
        sent = [op for op in operations if op["role"] == "send"]
        if size:
            expect_equal(blob(sent[0]["payload"]), text[:size], "its bytes")


@scenario("--no-payload: nothing of what was said is in the trace, and pairing is as exact")
def no_payload(directory):
    salts = []
    for turn in ("first", "second"):
        folder = os.path.join(directory, turn)
        os.mkdir(folder)
        result = record(folder, lab("bigwrite", 20000, 9000), "--no-payload")
        (sent,) = [t for t in result.truth if t["do"] == "send"][:1]
        with open(result.trace.path, "rb") as file:
            expect(sent["text"][:8].encode() not in file.read(), "no word of it")
        found = result.messages().of("pipe")
        expect_equal({m["match"] for m in found}, {"exact"}, "all pairs are certain")
        send = result.trace.operation(found[0]["sent"]["op"])
        receive = result.trace.operation(found[0]["received"]["op"])
        expect_equal(send["digest"], receive["digest"], "the same bytes, the same digest")
        expect_equal(send["digest_len"], 64, "of as many as would be kept")
        salts.append(send["digest"])
    expect(salts[0] != salts[1], "another trace has another salt")


@scenario("wrong usage: status 2 or 125, one clear line, and help that has examples")
def usage(_):
    for arguments, word in (
        (["veiw"], "view"),
        (["view", "--as", "crayon"], "crayon"),
        (["messages", "--no-such-option"], "no-such-option"),
        (["messages", "--mechanism", "telepathy"], "telepathy"),
    ):
        result = ipclens(*arguments)
        expect_equal(result.returncode, 2, f"{arguments}: {result.stderr!r}")
        expect_in(word, result.stderr.decode(), "the error")
        expect_equal(result.stderr.count(b"\n"), 1, f"{arguments}: lines of the error")
    for arguments in (
        ["run"],
        ["record", "--payload", "many", "--", "true"],
        ["run", "--timeout", "soon", "--", "true"],
        ["run", "--no-such-option", "--", "true"],
        ["record", "--ring", "x", "--", "true"],
        ["record", "--width"],
    ):
        result = ipclens(*arguments)
        expect_equal(result.returncode, OWN_FAILURE, f"{arguments}: {result.stderr!r}")
        expect_equal(result.stderr.count(b"\n"), 1, f"{arguments}: lines of the error")
    for name in ("run", "record", "view", "messages", "schema", "doctor"):
        text = ipclens(name, "--help").stdout.decode()
        expect(re.search(r"(?i)examples?", text), f"{name} --help has examples", text)


if __name__ == "__main__":
    main()
