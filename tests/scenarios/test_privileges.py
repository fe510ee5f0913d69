#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Root's rights: who has them, for how long, and that nobody gets them by way of ipclens."""
import contextlib
import os
import re
import shutil
import signal
import stat
import subprocess

from expectations import expect, expect_equal
from harness import lab, main, scenario, test_user, wait_for
from places import as_user, becoming, login, on_terminal, sudo_rule, user_folder
from traces import IPCLENS, TIMEOUT, Trace, call, messages, one_error

HERE = os.path.dirname(os.path.abspath(__file__))
LONG_TRACE = os.path.join(HERE, "..", "gallery", "traces", "deadlock.ndjson")
ROWS = 5  # of a terminal too low for what is shown: a pager is started


@contextlib.contextmanager
def rule(commands=IPCLENS):
    """The test user may run ipclens as root, and nothing else."""
    path = sudo_rule("ipclens-test-privileges", commands)
    try:
        yield
    finally:
        os.unlink(path)


def long_trace(directory):
    """A trace that everybody can read, in a folder of the test user."""
    user = test_user()
    folder = user_folder(user, directory)
    trace = os.path.join(folder, "t.ndjson")
    shutil.copyfile(LONG_TRACE, trace)
    os.chmod(trace, 0o644)
    return user, folder, trace


def sudo_environment(user):
    return dict(
        os.environ, SUDO_UID=str(user.pw_uid), SUDO_GID=str(user.pw_gid), SUDO_USER=user.pw_name
    )


def paged(words, typed, shows, environment):
    """What a terminal shows of a pager in which something is typed; it must show `shows` then."""
    environment = dict(environment, TERM="xterm")
    process, master, screen = on_terminal(words, rows=ROWS, env=environment)
    try:
        wait_for(lambda: b"\x1b[7m" in screen() or b":" in screen()[-20:], "the pager")
        before = len(screen())
        os.write(master, typed + b"\r")
        wait_for(lambda: shows(screen()[before:]), f"an answer to {typed}; {screen()!r}", 20)
        os.write(master, b"\rq")
        wait_for(lambda: screen() and process.poll() is not None, "the pager's end")
    finally:
        process.kill()
        process.wait()
    seen = screen()[before:]
    os.close(master)
    return seen


def shell_of_pager(words, environment):
    """The ids of the shell that `!` starts in less: the terminal's text from `uid=` on."""
    words_of_id = rb"uid=[^\r\n]*groups=[^\r\n]*"
    seen = paged(words, b"!id", lambda text: re.search(words_of_id, text), environment)
    return re.search(words_of_id, seen).group().decode()


def ids_of(user):
    """What id(1) says of a process that has the user's ids and groups, and no others."""
    return call([*becoming(user), "id"]).stdout.decode().strip()


@scenario("the shell of the pager of `sudo ipclens view`, stats, diagnose is the user's, not root's")
def pager_under_sudo(directory):
    user, _, trace = long_trace(directory)
    with rule():
        for verb in ("view", "stats", "diagnose"):
            words = [*becoming(user), "sudo", IPCLENS, verb, trace]
            expect_equal(shell_of_pager(words, login(user)), ids_of(user), f"{verb}: its ids")


@scenario("and so is that of `sudo ipclens diagnose -p`, which needed root to look")
def pager_after_glance(directory):
    user, _, _ = long_trace(directory)
    truth = os.path.join(directory, "truth")
    hanging = subprocess.Popen(
        lab("deadlock"),
        env=dict(os.environ, IPCLENS_TRUTH=truth),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_for(lambda: asleep_in_read(hanging.pid, fd=None), "the deadlock")
        with rule():
            words = [*becoming(user), "sudo", IPCLENS, "diagnose", "-p", str(hanging.pid)]
            expect_equal(shell_of_pager(words, login(user)), ids_of(user), "its ids")
    finally:
        os.killpg(hanging.pid, signal.SIGKILL)
        hanging.wait()


@scenario("$PAGER and $IPCLENS_PAGER run as the user who typed sudo")
def pager_of_environment(directory):
    user, folder, trace = long_trace(directory)
    ids = os.path.join(folder, "ids")
    for name in ("PAGER", "IPCLENS_PAGER"):
        environment = dict(sudo_environment(user), TERM="xterm")
        environment[name] = f"id > '{ids}'; cat /proc/self/status >> '{ids}'; cat > /dev/null"
        process, master, _ = on_terminal([IPCLENS, "view", trace], rows=ROWS, env=environment)
        expect_equal(process.wait(TIMEOUT), 0, "its status")
        os.close(master)
        with open(ids, encoding="ascii") as file:
            told = file.read()
        expect_equal(told.splitlines()[0], ids_of(user), f"${name}: its ids")
        check_no_rights(told, user)
        os.unlink(ids)


def check_no_rights(status, user):
    """A text of /proc/PID/status: the user's ids in all places, and no capability."""
    uid, gid = ([str(number)] * 4 for number in (user.pw_uid, user.pw_gid))
    lines = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    expect_equal((lines["Uid"].split(), lines["Gid"].split()), (uid, gid), "its ids")
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        expect_equal(int(lines[name], 16), 0, name)


@scenario("root whom nobody called has less without a shell, whatever $PAGER says")
def pager_of_root(directory):
    _, folder, trace = long_trace(directory)
    mark = os.path.join(folder, "ran")
    for settings in ({}, {"PAGER": f"touch '{mark}'; cat"}, {"LESSOPEN": f"|touch '{mark}'"}):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SUDO_")}
        words = [IPCLENS, "view", trace]
        seen = paged(
            words, b"!id", lambda text: b"not available" in text, {**environment, **settings}
        )
        expect(b"uid=" not in seen, "no shell", seen)
        expect(not os.path.exists(mark), f"nothing of {settings} ran")


def waiting_for_input(words, environment, folder):
    """A command that has begun and reads its trace from a pipe that stays open, and that pipe."""
    reading, writing = os.pipe()
    process = subprocess.Popen(
        words,
        stdin=reading,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
        cwd=folder,
    )
    os.close(reading)
    wait_for(lambda: asleep_in_read(process.pid), "that it reads")
    return process, writing


def asleep_in_read(pid, fd=0):
    """The process sleeps in read(2) of that descriptor; None: of any."""
    try:
        with open(f"/proc/{pid}/syscall", encoding="ascii") as file:
            call_and_fd = file.read().split()[:2]
            return call_and_fd == ["0", hex(fd)] if fd is not None else call_and_fd[0] == "0"
    except OSError:
        return False


@scenario("every command that reads traces has none of root's rights when it opens one")
def readers_drop(directory):
    user, folder, _ = long_trace(directory)
    for verb in ("view", "stats", "diagnose", "messages"):
        process, writing = waiting_for_input(
            [IPCLENS, verb, "-"], sudo_environment(user), folder
        )
        with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
            status = file.read()
        os.close(writing)
        process.wait(TIMEOUT)
        check_no_rights(status, user)
        groups = re.search(r"^Groups:\t(.*)$", status, re.M).group(1).split()
        expect_equal(
            sorted(map(int, groups)),
            sorted(os.getgrouplist(user.pw_name, user.pw_gid)),
            f"{verb}: its groups",
        )


@scenario("a trace of root's is not shown to who may run ipclens by sudo, nor a file written there")
def others_files(directory):
    user, folder, trace = long_trace(directory)
    secret = os.path.join(directory, "secret.ndjson")
    shutil.copyfile(LONG_TRACE, secret)
    os.chmod(secret, 0o600)
    with rule():
        for verb in ("view", "stats", "diagnose", "messages"):
            told = as_user(user, f"sudo {IPCLENS} {verb} {secret}", folder, check=False)
            expect(told.returncode != 0 and not told.stdout, f"{verb} shows nothing", told.stdout)
            expect(b"Permission denied" in told.stderr, f"{verb} says why", told.stderr)
        as_user(user, f"sudo {IPCLENS} view -o mine.svg '{trace}'", folder)
        told = as_user(
            user, f"sudo {IPCLENS} view -o {directory}/not.svg '{trace}'", folder, check=False
        )
    info = os.stat(os.path.join(folder, "mine.svg"))
    expect_equal(
        (info.st_uid, info.st_gid, stat.S_IMODE(info.st_mode)),
        (user.pw_uid, user.pw_gid, 0o600),
        "whose the picture is",
    )
    expect(told.returncode != 0 and b"Permission denied" in told.stderr, "refused", told.stderr)
    expect(not os.path.exists(os.path.join(directory, "not.svg")), "nothing is made in root's")


def linked(directory, folder, owner):
    """A link of that user, among others' files, that leads to the folder."""
    link = os.path.join(directory, f"link {len(os.listdir(directory))}")
    os.symlink(folder, link)
    os.lchown(link, owner, owner)
    return link


def outputs(folder, trace):
    """The words of each command that writes a file there."""
    return (
        ["record", "-o", os.path.join(folder, "new.ndjson"), "--", "true"],
        ["run", "--trace", os.path.join(folder, "new.ndjson"), "--", "true"],
        ["run", "-o", os.path.join(folder, "p.html"), "--", "true"],
        ["view", "-o", os.path.join(folder, "p.html"), trace],
    )


def is_refused(told, path, status):
    one_error(told, status, path, "symbolic link of another user")


@scenario("no output goes through the link of another user: not of root's, nor by sudo")
def others_links(directory):
    user, folder, trace = long_trace(directory)
    stranger = linked(directory, folder, user.pw_uid + 1)
    roots = linked(directory, directory, user.pw_uid)
    before = sorted(os.listdir(folder)), sorted(os.listdir(directory))
    for words in outputs(stranger, trace):
        told = call([IPCLENS, *words], check=False, env=sudo_environment(user), cwd=folder)
        is_refused(told, stranger, 1 if words[0] == "view" else 125)
    plain = {k: v for k, v in os.environ.items() if not k.startswith("SUDO_")}
    for words in outputs(roots, trace):  # root's directory, where somebody's link leads to
        told = call([IPCLENS, *words], check=False, env=plain, cwd=directory)
        is_refused(told, roots, 1 if words[0] == "view" else 125)
    after = sorted(os.listdir(folder)), sorted(os.listdir(directory))
    expect_equal(after, before, "nothing was written")
    for link in (linked(directory, folder, user.pw_uid), linked(directory, folder, 0)):
        for words in outputs(link, trace):
            call([IPCLENS, *words], env=sudo_environment(user), cwd=folder)
            os.unlink(words[2])


@scenario("where SUDO_UID is no number nothing is shown with root's rights")
def nonsense_of_sudo(directory):
    _, folder, trace = long_trace(directory)
    for uid, gid in (("x", "1"), ("1000", ""), ("-1", "1"), ("4294967295", "1")):
        environment = dict(os.environ, SUDO_UID=uid, SUDO_GID=gid)
        told = call(
            [IPCLENS, "view", trace], env=environment, cwd=folder, check=False
        )
        expect(told.returncode != 0 and not told.stdout, f"{uid!r} {gid!r}", told.stdout)
        expect(b"SUDO_UID" in told.stderr, "it says why", told.stderr)


def status_of(pid):
    """/proc/PID/status as a dictionary."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return list(map(int, file.read().split()))


def hidden(pid):
    """Only root may look at what the process holds: it can be traced by nobody, and has no core."""
    return os.stat(f"/proc/{pid}/fd").st_uid == 0


CAP_KILL = 1 << 5


def check_confined(pid, rights, user, what):
    """The process has these capabilities and no others, and can get none."""
    status = status_of(pid)
    for name in ("CapPrm", "CapEff"):
        expect_equal(int(status[name], 16), rights, f"{what}: {name}")
    for name in ("CapInh", "CapBnd", "CapAmb"):
        expect_equal(int(status[name], 16), 0, f"{what}: {name}")
    expect_equal(status["NoNewPrivs"], "1", f"{what}: no_new_privs")
    expect_equal(status["Seccomp"], "2", f"{what}: a filter of system calls")
    expect_equal(status["Uid"].split(), [str(user.pw_uid)] * 4, f"{what}: its ids")
    expect(hidden(pid), f"{what}: it cannot be looked into")
    with open(f"/proc/{pid}/limits", encoding="ascii") as file:
        cores = next(line.split()[4:6] for line in file if line.startswith("Max core"))
    expect_equal(cores, ["0", "0"], f"{what}: no core")


def while_tracing(directory, verb, options, look):
    """Calls look(pid of ipclens, pid of the command) while a command of the user is traced."""
    user, folder, _ = long_trace(directory)
    reading, writing = os.pipe()
    mark = os.path.join(folder, "begun")
    words = [IPCLENS, verb, *options, "--", "sh", "-c", f"echo $$ > '{mark}'; read line; exit 0"]
    process = subprocess.Popen(
        words,
        stdin=reading,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=sudo_environment(user),
        cwd=folder,
    )
    os.close(reading)
    try:
        wait_for(lambda: os.path.exists(mark) and os.stat(mark).st_size, "the command")
        with open(mark, encoding="ascii") as file:
            look(user, process.pid, int(file.read()))
    finally:
        os.close(writing)
        told = process.communicate(timeout=TIMEOUT)[1]
    expect_equal(process.returncode, 0, f"its status; stderr: {told!r}")


@scenario("once it traces, ipclens is the user, without any right and without a way to one")
def confined(directory):
    def look(user, tracer, command):
        check_confined(tracer, 0, user, "ipclens record")
        status = status_of(command)
        expect_equal((status["NoNewPrivs"], status["Seccomp"]), ("0", "0"), "the command is free")

    while_tracing(directory, "record", ["-o", "x.ndjson"], look)


@scenario("with --timeout it keeps CAP_KILL, to end a command of another user, and nothing else")
def confined_but_kills(directory):
    def look(user, tracer, command):
        del command
        check_confined(tracer, CAP_KILL, user, "ipclens run --timeout")

    while_tracing(directory, "run", ["--timeout", "50", "-o", "x.txt"], look)


@scenario("the process that prints --live has no right at all, also with --timeout")
def confined_printer(directory):
    def look(user, tracer, command):
        beside = [pid for pid in children_of(tracer) if pid != command]
        printer = [pid for pid in beside if status_of(pid)["Uid"].split()[1] == str(user.pw_uid)]
        expect_equal((len(printer), len(beside)), (1, 2), "the printer, and who waits for the limit")
        check_confined(printer[0], 0, user, "the printer")

    while_tracing(directory, "run", ["--live", "--timeout", "50"], look)


def poor(user, *rights):
    """The words that make a command one of the user with these capabilities and no others."""
    kept = ",".join("+" + right for right in rights)
    return [*becoming(user)[:-2], f"--inh-caps={kept}", f"--ambient-caps={kept}", "--"]


@scenario("CAP_BPF and CAP_PERFMON are enough to trace, without uid 0")
def two_capabilities(directory):
    user, folder, _ = long_trace(directory)
    words = poor(user, "bpf", "perfmon")
    options = {"env": login(user), "cwd": folder}
    call([*words, IPCLENS, "doctor"], **options)
    call([*words, IPCLENS, "record", "-o", "c.ndjson", "--", "sh", "-c", "ls / | wc"], **options)
    pipes = [m for m in messages(os.path.join(folder, "c.ndjson")) if m["mechanism"] == "pipe"]
    named = [m for m in pipes if m["from"] and m["from"]["comm"] == "ls"]
    expect_equal({(m["to"]["comm"], m["match"]) for m in named}, {("wc", "exact")}, "its messages")
    told = call(
        [*words, IPCLENS, "run", "--timeout", "1", "--follow-peers", "-o", "p.txt", "--", "sleep"]
        + ["50"],
        check=False,
        **options,
    )
    expect_equal(told.returncode, 124, f"run --timeout; stderr: {told.stderr!r}")
    others = subprocess.Popen(["sleep", "50"])  # root's
    try:
        call([*words, IPCLENS, "diagnose", "-p", str(others.pid)], **options)
    finally:
        others.kill()
        others.wait()


@scenario("what lacks a capability says which")
def capability_named(directory):
    user, folder, _ = long_trace(directory)
    for rights, missing in (
        ((), "CAP_BPF and CAP_PERFMON"),
        (("bpf",), "CAP_PERFMON"),
        (("perfmon",), "CAP_BPF"),
    ):
        words = poor(user, *rights) if rights else becoming(user)
        told = call([*words, IPCLENS, "run", "--", "true"], check=False, cwd=folder)
        one_error(told, 125, missing, "sudo")
    words = ["run", "--lossless", "--", "true"]
    told = call([*poor(user, "bpf", "perfmon"), IPCLENS, *words], check=False, cwd=folder)
    one_error(told, 125, "Permission denied (CAP_DAC_OVERRIDE)")
    call([*poor(user, "bpf", "perfmon", "dac_override"), IPCLENS, *words], cwd=folder)
    told = call(
        ["setpriv", "--bounding-set=-bpf,-perfmon,-sys_admin", IPCLENS, "run", "--", "true"],
        check=False,
    )
    one_error(told, 125, "CAP_BPF and CAP_PERFMON", "--cap-add BPF")


@scenario("file capabilities are enough, and are gone once it traces or reads")
def file_capabilities(directory):
    user, folder, _ = long_trace(directory)
    program = os.path.join(directory, "ipclens")
    shutil.copyfile(IPCLENS, program)
    os.chmod(program, 0o755)
    call(["setcap", "cap_bpf,cap_perfmon+ep", program])
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [*becoming(user), program, "record", "-o", "f.ndjson", "--timeout", "50", "--"]
        + ["sh", "-c", "echo $$ > begun; read line"],
        stdin=reading,
        env=login(user),
        cwd=folder,
        stderr=subprocess.DEVNULL,
    )
    os.close(reading)
    mark = os.path.join(folder, "begun")
    wait_for(lambda: os.path.exists(mark) and os.stat(mark).st_size, "the command")
    status = status_of(process.pid)
    os.close(writing)
    expect_equal(process.wait(TIMEOUT), 1, "the status of the command, whose read found the end")
    for name in ("CapPrm", "CapEff", "CapInh", "CapAmb"):
        expect_equal(int(status[name], 16), 0, name)
    expect_equal((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"), "it is confined")
    process, writing = waiting_for_input(
        [*becoming(user), program, "messages", "-"], login(user), folder
    )
    status = status_of(process.pid)
    os.close(writing)
    process.wait(TIMEOUT)
    expect_equal(int(status["CapPrm"], 16), 0, "nor has a command that reads")


@scenario("--timeout ends the command's processes, and none that --follow-peers has joined")
def peers_live_on(directory):
    reading, writing = os.pipe()
    back, answer = os.pipe()
    program = "import os\nwhile os.read(0, 1): os.write(1, b'y')"
    peer = subprocess.Popen(["/usr/bin/python3", "-c", program], stdin=reading, stdout=answer)
    os.close(reading)
    os.close(answer)
    trace = os.path.join(directory, "t.ndjson")
    program = f"import os, time\nos.write({writing}, b'x')\nos.read({back}, 1)\ntime.sleep(100)"
    try:
        told = call(
            [IPCLENS, "record", "-o", trace, "--timeout", "2", "--follow-peers", "--"]
            + ["/usr/bin/python3", "-c", program],
            check=False,
            pass_fds=(writing, back),
        )
        expect_equal(told.returncode, 124, f"its status; stderr: {told.stderr!r}")
        joined = {p["pid"] for p in Trace(trace).of("process")}
        expect(peer.pid in joined, "the peer was traced")
        os.write(writing, b"x")
        expect_equal(os.read(back, 1), b"y", "the peer still answers")
    finally:
        os.close(writing)
        os.close(back)
        status = peer.wait(TIMEOUT)
    expect_equal(status, 0, "and ends when it wants to")


@scenario("all calls of a whole capture are among those allowed: none is refused")
def nothing_refused(directory):
    user, folder, _ = long_trace(directory)
    for verb, options in (
        ("run", ["--timeout", "0.5", "--live", "-o", "p.html", "--follow-peers"]),
        ("run", ["--timeout", "0.5"]),
        ("record", ["-o", "x.ndjson", "--timeout", "0.5"]),
    ):
        log = os.path.join(directory, "calls")
        words = ["strace", "-f", "-o", log, IPCLENS, verb, *options]
        call(
            [*words, "--", "sh", "-c", "ls / | wc; exec sleep 50"],
            env=sudo_environment(user),
            cwd=folder,
            check=False,
        )
        with open(log, encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
        begun = next(i for i, line in enumerate(lines) if "PR_SET_SECCOMP" in line)
        refused = [line for line in lines[begun:] if "EPERM" in line]
        expect_equal(refused, [], f"{verb} {options}: refused calls")


if __name__ == "__main__":
    main()
