#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The traced program cannot tell: what it can ask about itself is the same without ipclens."""
import ctypes
import os
import re
import resource
import shlex
import signal
import subprocess

from expectations import expect, expect_equal
from harness import main, scenario, test_user
from places import as_user, on_terminal, sudo_rule, user_folder
from traces import BUILD, IPCLENS, TIMEOUT, Trace

REPORT = os.path.join(BUILD, "tools", "selfreport")
LIBC = ctypes.CDLL(None, use_errno=True)

# What no two runs of a program have in common, with ipclens or without.
CHANCE = [
    r"status: (Vm|Rss|FDSize|nonvoluntary|voluntary|SigQ)",
]

# What differs by nature, and why. Each pattern is one line of the report.
NATURE = {
    # The command has a process of its own: ipclens stays to trace it and to draw.
    r"status: (Pid|Tgid|PPid|NStgid|NSpid):": "it is a child of ipclens",
}
LEADER = {
    # setsid(1), or a shell for each job, makes one process the leader, which then is ipclens.
    r"is (session|group) leader:": "ipclens is the leader",
    r"(session|group): ": "which has the leader's pid",
    r"status: (NSpgid|NSsid):": "the same",
    r"autogroup:": "each session has one of its own",
    r"parent: session": "its parent is in its session, since that is ipclens",
}
STREAMED = {
    # record -o - : the trace has stdout, so what the command writes there goes to stderr.
    r"fd 1: ": "the trace goes to stdout",
}
SUDO = {
    r"keyring:": "PAM of sudo may join a session keyring",
    r"environment: (_|PWD|OLDPWD|SHLVL)=": "by the shell, each time",
}
# sudo forbids core dumps for good (sudoers(5), rlimit_core); only this right takes that back.
CAP_SYS_RESOURCE = 24
NO_RESOURCE = {
    r"limit 4:|limits: Max core": "this root lacks CAP_SYS_RESOURCE, as in some containers",
}


def has_right(number):
    with open("/proc/self/status", encoding="ascii") as file:
        effective = next(line.split()[1] for line in file if line.startswith("CapEff:"))
    return int(effective, 16) >> number & 1


def ways(directory):
    """How ipclens is asked to start it: its words, and what differs then."""
    trace = os.path.join(directory, "trace.ndjson")
    return {
        "record": ([IPCLENS, "record", "-o", trace, "--"], {}),
        "run": ([IPCLENS, "run", "--trace", trace, "--"], {}),
        "record to stdout": ([IPCLENS, "record", "-o", "-", "--"], STREAMED),
        "run --live": ([IPCLENS, "run", "--live", "--trace", trace, "--"], {}),
    }


def stat_line(line):
    """/proc/PID/stat without pids, times, addresses and sizes: state, terminal, flags, priority …"""
    fields = line.rpartition(")")[2].split()
    fields[6] = str(int(fields[6]) & ~0x100)  # PF_SUPERPRIV: it has used a right; fork clears it
    return "stat: " + " ".join(fields[i] for i in (4, 6, 15, 16, 17, 35, 37, 38))


def facts(path, differing):
    """The lines of a report, but those that may differ."""
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        lines = [line.rstrip("\n") for line in file]
    left_out = [re.compile(pattern) for pattern in [*CHANCE, *NATURE, *differing]]
    lines = [stat_line(line) if line.startswith("stat: ") else line for line in lines]
    return [line for line in lines if not any(pattern.match(line) for pattern in left_out)]


def start(directory, command, prepare=None, **options):
    """Runs a command with streams that are the same files each time."""
    streams = {"stdin": subprocess.DEVNULL}
    for name in ("stdout", "stderr"):
        streams[name] = open(os.path.join(directory, name), "wb")
    options = {**streams, **options, "preexec_fn": prepare, "timeout": TIMEOUT}
    try:
        process = subprocess.run(command, **options)
    finally:
        for name in ("stdout", "stderr"):
            streams[name].close()
    return process.returncode


def compare(directory, before=(), prepare=None, differing=None, only=None, **options):
    """Runs the self-report alone and in each way; `before`: what comes first in both."""
    report = os.path.join(directory, "report")
    status = start(directory, [*before, REPORT, report], prepare, **options)
    expect_equal(status, 0, "the report's status alone")
    for name, (words, differs) in ways(directory).items():
        if only and name not in only:
            continue
        leave_out = {**differs, **(differing or {})}
        wanted = facts_of(directory, before, prepare, leave_out, options)
        status = start(directory, [*before, *words, REPORT, report], prepare, **options)
        expect_equal(status, 0, f"{name}: its status")
        check_same(facts(report, leave_out), wanted, name)


def facts_of(directory, before, prepare, leave_out, options):
    report = os.path.join(directory, "report")
    start(directory, [*before, REPORT, report], prepare, **options)
    found = facts(report, leave_out)
    expect(len(found) > 250, "the report is whole", len(found))
    return found


def check_same(got, wanted, name):
    """Also in number and order: a line more is a descriptor or a variable more."""
    more = [line for line in got if line not in wanted]
    missing = [line for line in wanted if line not in got]
    expect_equal((more, missing), ([], []), f"{name}: what differs with ipclens and without")
    expect_equal(got, wanted, f"{name}: the order")


@scenario("a program finds all about itself as it is without ipclens: run, record, to a pipe, live")
def plain(directory):
    compare(directory, cwd=directory)


def lower(limit, soft, hard):
    """Sets a limit. A hard one that is lower stays: sudo leaves one for cores, and where root lacks
    CAP_SYS_RESOURCE, as in some virtual machines and containers, none can be raised."""
    now = resource.getrlimit(limit)[1]
    hard = hard if now == resource.RLIM_INFINITY else min(hard, now)
    resource.setrlimit(limit, (min(soft, hard), hard))


def unusual():
    """All that a process can have set and a child keeps, and what fork(2) takes from it."""
    for number in (signal.SIGPIPE, signal.SIGHUP, signal.SIGINT, signal.SIGCHLD, signal.SIGTSTP):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(
        signal.SIG_BLOCK, [signal.SIGUSR2, signal.SIGTERM, signal.SIGCHLD, signal.SIGRTMIN]
    )
    lower(resource.RLIMIT_NOFILE, 128, 256)
    lower(resource.RLIMIT_CORE, 0, 4096)
    lower(resource.RLIMIT_STACK, 4 << 20, 4 << 20)
    lower(resource.RLIMIT_MEMLOCK, 1 << 16, 1 << 16)
    os.umask(0o137)
    os.nice(4)
    os.sched_setaffinity(0, {0})
    with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        file.write("321")
    with open("/proc/self/coredump_filter", "w", encoding="ascii") as file:
        file.write("0x11")
    LIBC.prctl(29, 123456, 0, 0, 0)  # PR_SET_TIMERSLACK
    LIBC.prctl(41, 1, 0, 0, 0)  # PR_SET_THP_DISABLE
    LIBC.prctl(24, 25, 0, 0, 0)  # PR_CAPBSET_DROP: CAP_SYS_TIME
    LIBC.prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
    LIBC.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
    LIBC.personality(0x0040000)  # ADDR_NO_RANDOMIZE
    LIBC.syscall(251, 1, 0, (3 << 13) | 5)  # ioprio_set: idle
    os.setgroups([0, 7, 4711])


@scenario("also where much is unusual: signals ignored and blocked, limits, rights, personality")
def unusual_parent(directory):
    compare(
        directory,
        prepare=unusual,
        differing={r"subreaper:": "fork(2) clears it, and who has no children needs none"},
        only=("record", "run"),
        env={"ONLY": "this", "EMPTY": "", "odd name": "with = and\nnewline"},
        cwd=directory,
    )


@scenario("what execve keeps and fork loses is kept: timers, the parent's death, scheduling")
def heritage(directory):
    def prepare():
        signal.setitimer(signal.ITIMER_REAL, 1000)
        signal.setitimer(signal.ITIMER_PROF, 1000)
        LIBC.prctl(1, signal.SIGUSR1, 0, 0, 0)  # PR_SET_PDEATHSIG
        os.sched_setscheduler(0, os.SCHED_BATCH | os.SCHED_RESET_ON_FORK, os.sched_param(0))

    compare(directory, prepare=prepare, only=("record",))


@scenario("alarm(2) before ipclens was executed ends the command, as it would without")
def alarm(directory):
    report = os.path.join(directory, "trace.ndjson")
    words = [IPCLENS, "record", "-o", report, "--", "sleep", "1000"]
    status = start(directory, words, prepare=lambda: signal.alarm(2))
    expect_equal(status, 128 + signal.SIGALRM, "its status")
    expect_equal(Trace(report).trailer()["signal"], "SIGALRM", "what ended it")


@scenario("descriptors: those that the shell closed are closed, those that it opened are open")
def descriptors(directory):
    for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-", "5>&1 7</dev/null <&- 100>>$0"):
        script = f'exec {closed}; exec "$@"'
        for only in ("record", "run"):
            compare(directory, ("bash", "-c", script, os.path.join(directory, "f")), only=(only,))


@scenario("where its folder is gone, and where its stdin is a pipe or a socket")
def places(directory):
    folder = os.path.join(directory, "gone")

    def leave():
        os.mkdir(folder)
        os.chdir(folder)
        os.rmdir(folder)

    compare(
        directory,
        prepare=leave,
        only=("record",),
        differing={r"cwd:": "the inode's name is another each time it is made"},
    )
    reading, writing = os.pipe()
    compare(directory, stdin=reading, only=("record", "run"))
    for fd in (reading, writing):
        os.close(fd)


@scenario("under setsid, nohup, timeout, nice, env, chroot and setpriv")
def wrapped(directory):
    for before in (
        ["nohup"],
        ["nice", "-n", "7"],
        ["env", "-i", "A=b"],
        ["setpriv", "--ambient-caps=+net_raw", "--inh-caps=+net_raw"],
        ["setpriv", "--securebits=+noroot_locked", "--bounding-set=-sys_chroot"],
    ):
        compare(directory, before, only=("record",))
    for before in (["setsid", "-w"], ["timeout", "60"], ["timeout", "--foreground", "60"]):
        compare(directory, before, only=("record",), differing=LEADER)


def terminal_report(directory, words):
    """The report of a program in the foreground of a terminal of its own."""
    report = os.path.join(directory, "report")
    process, master, _ = on_terminal([*words, REPORT, report])
    try:
        expect_equal(process.wait(TIMEOUT), 0, "its status")
    finally:
        os.close(master)
    return facts(report, {**LEADER, r"fd [012]: ": "another pseudo-terminal each time"})


@scenario("in the foreground of a terminal it has that terminal, its modes and its foreground")
def on_a_terminal(directory):
    def without_number(lines):
        return [line for line in lines if not line.startswith("stat: ")]

    alone = terminal_report(directory, [])
    for name in ("record", "run"):
        words = ways(directory)[name][0]
        check_same(
            without_number(terminal_report(directory, words)), without_number(alone), name
        )


@scenario("under sudo it is what the user's own shell would have started")
def under_sudo(directory):
    user = test_user()
    folder = user_folder(user, directory)
    report = os.path.join(folder, "report")
    prepare = "umask 027; export A='of mine'; trap '' HUP USR2; ulimit -n 512; exec >o 2>e; "
    as_user(user, prepare + shlex.join([REPORT, report]), folder)
    differing = {**SUDO, **LEADER, **({} if has_right(CAP_SYS_RESOURCE) else NO_RESOURCE)}
    wanted = facts(report, differing)
    rule = sudo_rule()
    try:
        words = ["sudo", IPCLENS, "record", "-o", os.path.join(folder, "t.ndjson"), "--"]
        as_user(user, prepare + shlex.join([*words, REPORT, report]), folder)
    finally:
        os.unlink(rule)
    check_same(facts(report, differing), wanted, "sudo ipclens record")


if __name__ == "__main__":
    main()
