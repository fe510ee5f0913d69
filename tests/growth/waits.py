# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Traces in which many wait, for what only a look at all calls or at all processes would tell."""
import io
import json

from patterns import FIRST, Writer, address, end_of, pipe


def socket(t, name, fd, pid=FIRST):
    t.call("socket", "open", pid, fd, flags=1, args={"domain": 2, "type": 1, "protocol": 0},
           new_fds=[end_of(name, fd, "both")])


def thread(t, number):
    t.put({"type": "process", "event": "fork", "at_ns": t.tick(), "pid": FIRST,
           "tid": FIRST + number, "ppid": FIRST, "maker_tid": FIRST, "shares_fds": True,
           "comm": "t"})
    return FIRST + number


def connects_at_full_listener(t, count):
    """Many sleep in connect(2) at a listener whose queue is full of connections."""
    t.first()
    count //= 10
    t.channel("tcp:[1]", "tcp", inode=1, network=1, local_address=address(80), listening=True)
    socket(t, "tcp:[1]", 3)
    t.call("listen", "control", FIRST, 0, fd=3, channel="tcp:[1]", args={"backlog": 1})
    for i in range(2 * count):
        name, fd = f"tcp:[{i + 2}]", 4 + i
        sleeps, pid = i >= count, FIRST + 1 + i
        own = {} if sleeps else {"local_address": address(1000 + i)}
        t.channel(name, "tcp", inode=i + 2, network=1, peer_address=address(80), **own)
        t.fork(pid)
        socket(t, name, fd, pid)
        call = {"fd": fd, "channel": name, "peer_address": address(80)}
        if sleeps:
            t.sleep("connect", "open", pid, **call)
        else:
            t.call("connect", "open", pid, 0, **call)


def filters_for_many_readers(t, count):
    """Many filters that have taken a line, and many who wait to read their common output."""
    t.first()
    count //= 6
    out, lines = pipe(t, 1, fd=1000), pipe(t, 2, fd=1002)
    for pid in range(FIRST + 1, FIRST + 1 + count):
        t.fork(pid)
        t.put({"type": "process", "event": "exec", "at_ns": t.tick(), "pid": pid, "tid": pid,
               "ppid": FIRST, "comm": "tr", "path": "/usr/bin/tr", "args": ["tr", "a", "b"]})
        t.descriptors("exec", pid, [end_of(out, 1, "write"), end_of(lines, 0, "read")])
        t.call("read", "receive", pid, 2, fd=0, channel=lines, requested=64, payload="x\n")
        t.sleep("read", "receive", pid, fd=0, channel=lines, requested=64)
    for pid in range(FIRST + 1 + count, FIRST + 1 + 2 * count):
        t.fork(pid)
        t.sleep("read", "receive", pid, fd=1000, channel=out, requested=64)


def openers_of_one_fifo(t, count):
    """Many sleep in open(2) of one FIFO, and one in that of another."""
    t.first()
    for i in range(count // 3):
        t.fork(FIRST + 1 + i)
        t.sleep("openat", "open", FIRST + 1 + i, path="/tmp/a" if i else "/tmp/b", flags=0,
                args={"dirfd": -100})


def timers_that_nobody_arms(t, count):
    """Many timers, at each of which a thread waits, and none was armed."""
    t.first()
    for i in range(count // 4):
        name, fd = f"timerfd:[{i + 1}]", 3 + i
        t.channel(name, "timerfd", inode=i + 1)
        t.call("timerfd_create", "open", FIRST, fd, flags=0, args={"clockid": 1},
               new_fds=[end_of(name, fd, "both")])
        tid = thread(t, 1 + i)
        t.sleep("read", "receive", FIRST, tid=tid, fd=fd, channel=name, requested=8)


def wait_for_locks(t, count):
    """Processes that nobody of the trace has made, each asleep at a lock of its own."""
    for i in range(count):
        t.first(FIRST + i)
        name = f"file-lock:[{i + 1}]"
        t.channel(name, "file-lock", inode=i + 1, name="lock", users=[FIRST - 1])
        t.sleep("flock", "control", FIRST + i, fd=3, channel=name,
                lock={"kind": "flock", "mode": "exclusive"})


def look_at_survivors(t, count):
    """Many outlive the time limit, and of each the look at the machine knows who has its lock."""
    count //= 12
    wait_for_locks(t, count)
    file = io.StringIO()
    look = Writer(file)
    look.process("snapshot", FIRST - 1, ppid=1)
    wait_for_locks(look, count)
    look.end("glance")
    for line in file.getvalue().splitlines():
        t.put({"type": "look", "line": json.loads(line)})


# As patterns.PATTERNS.
PATTERNS = [
    (connects_at_full_listener, 3000),
    (filters_for_many_readers, 1500),
    (openers_of_one_fifo, 3000),
    (timers_that_nobody_arms, 6000),
    (look_at_survivors, 3000),
]
