# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Traces in which something meets something else n times n: what a viewer must not do.

To add a pattern: a function that writes a whole trace of `count` things, and a row of PATTERNS.
As a program it writes the trace of one pattern: patterns.py NAME COUNT > FILE
"""
import base64
import json
import struct
import sys

HEADER = {
    "type": "header", "format": "ipclens-trace", "version": 1, "tool": "0.1.0", "kernel": "6.12",
    "machine": "x86_64", "clock": "CLOCK_MONOTONIC", "start_ns": 1000000, "realtime_offset_ns": 0,
    "command": ["./growth"], "tracer": 101, "processors": 1,
    "options": {"payload_len": 64, "ring_len": 67108864, "futex": True, "buffers": False},
    "hooks": {"sys_enter": True, "sys_exit": True},
}
FIRST = 200  # pid of the first process
STEP_NS = 1000
NAME_MOST = 4352  # READER_NAME_MAX of viz/reader/reader.h


class Writer:
    """Writes lines in order of time; each step is a microsecond."""

    def __init__(self, file):
        self.file = file
        self.now, self.lines, self.number = 2000000, 0, 0
        self.operations = self.signals = 0
        self.sleeping, self.why = [], "finished"
        self.put(HEADER)

    def put(self, line):
        self.file.write(json.dumps(line, separators=(",", ":")) + "\n")
        self.lines += 1

    def tick(self):
        self.now += STEP_NS
        return self.now

    def process(self, event, pid, **more):
        line = {"type": "process", "event": event, "at_ns": self.tick(), "pid": pid, "tid": pid,
                "comm": "p", **more}
        self.put(line)

    def first(self, pid=FIRST):
        self.process("exec", pid, ppid=101, path="./growth", args=["./growth"])
        self.descriptors("exec", pid, [])

    def fork(self, pid, parent=FIRST, **more):
        self.process("fork", pid, ppid=parent, maker_tid=parent, **more)

    def exit(self, pid, fds=()):
        self.descriptors("exit", pid, list(fds))
        self.process("exit", pid, exit_code=0, last=True)

    def descriptors(self, event, pid, fds, **more):
        self.put({"type": "descriptors", "event": event, "at_ns": self.tick(), "pid": pid,
                  "fds": fds, **more})

    def channel(self, ident, mechanism, /, **more):
        self.put({"type": "channel", "id": ident, "at_ns": self.tick(), "mechanism": mechanism,
                  **more})

    def call(self, syscall, role, pid, returned, **more):
        """A call that returned. Gives its id."""
        self.number += 1
        self.operations += 1
        line = {"type": "operation", "id": self.number, "syscall": syscall, "role": role,
                "pid": pid, "tid": pid, "enter_ns": self.tick(), "exit_ns": self.tick(),
                "returned": returned}
        line.update(more)
        self.put(line)
        return self.number

    def sleep(self, syscall, role, pid, **more):
        """A call that began, and is still under way at the end."""
        self.number += 1
        line = {"type": "operation", "id": self.number, "syscall": syscall, "role": role,
                "pid": pid, "tid": pid, "enter_ns": self.tick(), "state": "begin",
                "at_ns": self.tick()}
        line.update(more)
        self.put(line)
        self.sleeping.append(line)

    def signal(self, event, pid, **more):
        self.signals += 1
        self.put({"type": "signal", "event": event, "at_ns": self.tick(), "signal": "SIGUSR1",
                  "number": 10, "to": {"pid": pid, "tid": pid}, **more})

    def end(self, why=None):
        why = why or self.why
        if self.sleeping:
            self.now += 10**9
            why = "timeout" if why == "finished" else why
        for line in self.sleeping:
            self.put({**line, "state": "pending", "at_ns": self.now})
        self.put({"type": "trailer", "at_ns": self.tick(), "why": why,
                  "operations": self.operations, "signals": self.signals, "lost": 0,
                  "lines": self.lines})


def end_of(name, fd, access):
    return {"fd": fd, "channel": name, "access": access}


def pipe(t, number, pid=FIRST, fd=3):
    """A pipe, held as fd and fd + 1."""
    name = f"pipe:[{number}]"
    t.channel(name, "pipe", inode=number, capacity=65536)
    t.call("pipe2", "open", pid, 0, flags=0,
           new_fds=[end_of(name, fd, "read"), end_of(name, fd + 1, "write")])
    return name


def write(t, name, pid=FIRST, fd=4, payload="x"):
    return t.call("write", "send", pid, len(payload), fd=fd, channel=name, requested=len(payload),
                  payload=payload)


def read(t, name, pid=FIRST, fd=3, payload="x"):
    return t.call("read", "receive", pid, len(payload), fd=fd, channel=name, requested=64,
                  payload=payload)


# --- descriptors ---


def shared_table_dups(t, count):
    """Many processes with one table, and many descriptors that come into it."""
    t.first()
    name = pipe(t, 1)
    for i in range(count // 2):
        t.fork(FIRST + 1 + i, shares_fds=True)
    for i in range(count // 2):
        t.call("dup", "control", FIRST, 5 + i, fd=3, channel=name, args={"oldfd": 3},
               new_fds=[end_of(name, 5 + i, "read")])


def forks_of_many_descriptors(t, count):
    """Many descriptors, and many processes that inherit all of them."""
    t.first()
    for i in range(count // 4):
        pipe(t, i + 1, fd=3 + 2 * i)
    for i in range(count // 2):
        t.fork(FIRST + 1 + i)


def forks_that_exit(t, count):
    """Many descriptors, and many short lives that inherit all of them."""
    t.first()
    for i in range(count // 4):
        pipe(t, i + 1, fd=3 + 2 * i)
    for i in range(count // 4):
        t.fork(FIRST + 1 + i)
        t.process("exit", FIRST + 1 + i, exit_code=0, last=True)


def forks_of_one_pipe(t, count):
    """One pipe that all processes inherit; each sleeps reading it."""
    t.first()
    name = pipe(t, 1)
    for i in range(count // 2):
        t.fork(FIRST + 1 + i)
    for i in range(count // 2):
        t.sleep("read", "receive", FIRST + 1 + i, fd=3, channel=name, requested=64)


def closes_in_order(t, count):
    """Many descriptors that are closed in ascending order."""
    t.first()
    names = [pipe(t, i + 1, fd=3 + 2 * i) for i in range(count // 4)]
    for i, name in enumerate(names):
        for fd in 3 + 2 * i, 4 + 2 * i:
            t.call("close", "close", FIRST, 0, fd=fd, channel=name, last=True)


def opens_in_descending_order(t, count):
    """Many descriptors whose numbers come in descending order."""
    t.first()
    for i in range(count // 2):
        pipe(t, i + 1, fd=3 + 2 * (count - i))


def writers_end_in_turns(t, count):
    """One pipe; writers come and go, and between them the reader finds the end."""
    t.first()
    name = pipe(t, 1)
    t.call("close", "close", FIRST, 0, fd=4, channel=name)
    for i in range(count // 4):
        t.call("openat", "open", FIRST, 4, path="/proc/self/fd/3", flags=1,
               new_fds=[end_of(name, 4, "write")])
        t.call("close", "close", FIRST, 0, fd=4, channel=name)
        t.call("read", "receive", FIRST, 0, fd=3, channel=name, requested=64)


def readers_behind_writers(t, count):
    """One pipe, which many writers have had when many readers wait there."""
    t.first()
    name = pipe(t, 1)
    t.call("close", "close", FIRST, 0, fd=4, channel=name)
    for i in range(count // 3):
        t.call("openat", "open", FIRST, 4, path="/proc/self/fd/3", flags=1,
               new_fds=[end_of(name, 4, "write")])
        t.call("close", "close", FIRST, 0, fd=4, channel=name)
    for i in range(count // 3):
        t.fork(FIRST + 1 + i)
        t.sleep("read", "receive", FIRST + 1 + i, fd=3, channel=name, requested=64)


def orphans_at_the_limit(t, count):
    """The time is up: the command has ended, and many that it started have not."""
    t.first()
    for i in range(count):
        t.fork(FIRST + 1 + i)
    t.exit(FIRST)
    t.why = "timeout"


def process_ids_again(t, count):
    """One pid, used again and again."""
    t.first()
    pipe(t, 1)
    for _ in range(count // 3):
        t.fork(FIRST + 1)
        t.exit(FIRST + 1)


def threads_of_one_process(t, count):
    """Many threads, each with a table of its own, that come and go."""
    t.first()
    name = pipe(t, 1)
    for i in range(count // 3):
        t.put({"type": "process", "event": "fork", "at_ns": t.tick(), "pid": FIRST,
               "tid": FIRST + 1 + i, "ppid": FIRST, "maker_tid": FIRST, "comm": "t"})
        t.call("read", "receive", FIRST, 1, tid=FIRST + 1 + i, fd=3, channel=name, requested=64,
               payload="x")
        t.put({"type": "process", "event": "exit", "at_ns": t.tick(), "pid": FIRST,
               "tid": FIRST + 1 + i, "comm": "t"})


# --- waits ---


def shared_lock_waiters(t, count):
    """Shared holders of one file lock, and as many that wait to have it alone."""
    name = "file-lock:[9]"
    t.first()
    for i in range(count // 2):
        t.fork(FIRST + 1 + i)
    t.channel(name, "file-lock", name="a", inode=9)
    for i in range(count // 4):
        t.call("flock", "control", FIRST + 1 + i, 0, fd=7, channel=name, args={"operation": 1},
               lock={"kind": "flock", "mode": "shared"})
    for i in range(count // 4):
        t.sleep("flock", "control", FIRST + 1 + count // 4 + i, fd=7, channel=name,
                args={"operation": 2}, lock={"kind": "flock", "mode": "exclusive"})


def children_waited_for(t, count):
    """A chain of processes, each of which sleeps in wait4 for the next."""
    t.first()
    for i in range(count // 3):
        t.fork(FIRST + 1 + i, parent=FIRST + i)
        t.sleep("wait4", "wait", FIRST + i, flags=0, args={"pid": -1})


def threads_in_wait4(t, count):
    """Threads of one process, each asleep in wait4 for any of its many children."""
    t.first()
    for i in range(count // 4):
        t.fork(FIRST + 1 + i)
    for i in range(count // 4):
        tid = FIRST + 1 + count + i
        t.put({"type": "process", "event": "fork", "at_ns": t.tick(), "pid": FIRST, "tid": tid,
               "ppid": FIRST, "maker_tid": FIRST, "shares_fds": True, "comm": "t"})
        t.sleep("wait4", "wait", FIRST, tid=tid, flags=0, args={"pid": -1})


def semaphore(t):
    t.first()
    t.channel("sysv-sem:[1]", "sysv-sem", key="0x00000000", capacity=1)
    t.call("semget", "open", FIRST, 1, channel="sysv-sem:[1]", flags=384,
           args={"key": 0, "nsems": 1})
    return "sysv-sem:[1]"


def take(change):
    return {"requested": 1, "sems": [{"number": 0, "change": change, "flags": 0}],
            "args": {"semid": 1}}


def semaphore_users(t, count):
    """One semaphore that many processes take and give back."""
    name = semaphore(t)
    for i in range(count // 3):
        t.fork(FIRST + 1 + i)
        t.call("semtimedop", "wait", FIRST + 1 + i, 0, channel=name, **take(-1))
        t.call("semtimedop", "wake", FIRST + 1 + i, 0, channel=name, **take(1))


def semaphore_waiters(t, count):
    """One semaphore that many processes sleep at."""
    name = semaphore(t)
    for i in range(count // 2):
        t.fork(FIRST + 1 + i)
    for i in range(count // 2):
        t.sleep("semtimedop", "wait", FIRST + 1 + i, channel=name, **take(-1))


def queue_waiters(t, count):
    """One System V queue that many processes sleep at."""
    name = "sysv-msg:[1]"
    t.first()
    t.channel(name, "sysv-msg", key="0x00000001")
    t.call("msgget", "open", FIRST, 1, channel=name, queued=0, flags=1920, args={"key": 1})
    for i in range(count // 2):
        t.fork(FIRST + 1 + i)
    for i in range(count // 2):
        t.sleep("msgrcv", "receive", FIRST + 1 + i, channel=name, requested=64, flags=0,
                args={"msqid": 1, "msgtyp": i + 1})


def queue_types(t, count):
    """One System V queue: as many types as messages, which are received in another order."""
    name = "sysv-msg:[1]"
    t.first()
    t.channel(name, "sysv-msg", key="0x00000001")
    t.call("msgget", "open", FIRST, 1, channel=name, queued=0, flags=1920, args={"key": 1})
    for i in range(count // 2):
        t.call("msgsnd", "send", FIRST, 0, channel=name, requested=1, transferred=1, queued=i + 1,
               message_type=i + 1, flags=0, args={"msqid": 1}, payload="x")
    for i in reversed(range(count // 2)):
        t.call("msgrcv", "receive", FIRST, 1, channel=name, requested=64, queued=i,
               message_type=i + 1, flags=0, args={"msqid": 1, "msgtyp": i + 1}, payload="x")


def futex_waits(t, count):
    """One futex: each waits in turn and is woken by the next."""
    name = "futex:[1]"
    t.first()
    for i in range(count // 4):
        t.fork(FIRST + 1 + i)
    t.channel(name, "futex")
    waits = []
    for i in range(count // 4):
        t.number += 1
        waits.append((t.number, t.tick()))
    for i, (number, enter_ns) in enumerate(waits):
        pid = FIRST + 1 + i
        waker = t.call("futex", "wake", FIRST, 1, channel=name, args={"op": 1, "val": 1})
        t.operations += 1
        t.put({"type": "operation", "id": number, "syscall": "futex", "role": "wait", "pid": pid,
               "tid": pid, "channel": name, "enter_ns": enter_ns, "began_ns": enter_ns + 10,
               "exit_ns": t.tick(), "returned": 0, "off_cpu_ns": 100, "resumed_ns": t.now - 10,
               "woken_by": {"pid": FIRST, "tid": FIRST, "operation": waker,
                            "at_ns": t.now - STEP_NS}, "args": {"op": 0, "val": 1}})


def polls_of_many(t, count):
    """Processes asleep in poll, each on some of many pipes."""
    t.first()
    names = [pipe(t, i + 1, fd=3 + 2 * i) for i in range(64)]
    for i in range(count // 8):
        t.fork(FIRST + 1 + i)
    for i in range(count // 8):
        waits = [{"fd": 3 + 2 * k, "channel": names[k], "events": ["in"]}
                 for k in range(i % 8, 64, 8)]
        t.sleep("poll", "wait", FIRST + 1 + i, waits_for=waits, args={"nfds": 8, "timeout": -1})


def ended_children(t, count):
    """Children that have ended and that nobody waits for."""
    t.first()
    for i in range(count // 3):
        t.fork(FIRST + 1 + i)
    for i in range(count // 3):
        t.exit(FIRST + 1 + i)
    t.sleep("pause", "wait", FIRST)


# --- glances ---


def address(port):
    return f"127.0.0.1:{port}"


def glance_at_tcp(t, count):
    """A glance at many TCP connections, a process asleep at each end."""
    sockets = count // 4
    for i in range(sockets):
        t.process("snapshot", FIRST + i, ppid=1)
    for i in range(sockets):
        other, name = i ^ 1, f"tcp:[{i + 1}]"
        t.channel(name, "tcp", inode=i + 1, network=1, local_address=f"10.0.{i >> 8}.{i & 255}:80",
                  peer_address=f"10.0.{other >> 8}.{other & 255}:80")
        t.descriptors("snapshot", FIRST + i, [end_of(name, 3, "both")])
    for i in range(sockets):
        t.sleep("read", "receive", FIRST + i, fd=3, channel=f"tcp:[{i + 1}]", requested=64,
                entered_before=True)
    t.end("glance")


def glance_at_shared_tables(t, count):
    """A glance at many processes of one table with many descriptors."""
    processes = count // 4
    for i in range(processes):
        t.process("snapshot", FIRST + i, ppid=1)
    names = [f"pipe:[{i + 1}]" for i in range(count // 4)]
    for i, name in enumerate(names):
        t.channel(name, "pipe", inode=i + 1, capacity=65536)
    fds = [end_of(name, 3 + i, "read") for i, name in enumerate(names)]
    t.descriptors("snapshot", FIRST, fds, table=1)
    for i in range(1, processes):
        t.descriptors("snapshot", FIRST + i, [], table=1)
    t.end("glance")


# --- traffic ---


def terminal(t):
    for end, more in ("pty:[1]", {"end": "slave"}), ("pty:[1:master]", {"end": "master"}):
        t.channel(end, "pty", name="/dev/pts/1", peer=others(end), **more)
    t.call("openat", "open", FIRST, 3, flags=2, args={"dirfd": -100}, path="/dev/ptmx",
           new_fds=[end_of("pty:[1:master]", 3, "both")])
    t.call("openat", "open", FIRST, 4, flags=2, args={"dirfd": -100}, path="/dev/pts/1",
           new_fds=[end_of("pty:[1]", 4, "both")])


def others(end):
    return "pty:[1:master]" if end == "pty:[1]" else "pty:[1]"


LINE = {"input": 1280, "output": 5, "local": 35387}
LINES = {"at_entry": LINE, "at_exit": LINE}


def terminal_backlog(t, count):
    """A terminal: many writes to both ends that are read only at the end."""
    t.first()
    terminal(t)
    for i in range(count // 4):
        t.call("write", "send", FIRST, 2, fd=4, channel="pty:[1]", requested=2, payload="a\n",
               **LINES)
        t.call("write", "send", FIRST, 2, fd=3, channel="pty:[1:master]", requested=2,
               payload="b\n", **LINES)
    for i in range(count // 4):
        t.call("read", "receive", FIRST, 2, fd=4, channel="pty:[1]", requested=64, payload="b\n",
               **LINES)


def terminal_settings(t, count):
    """A terminal whose settings change between its calls, with no reader."""
    t.first()
    terminal(t)
    for i in range(count // 2):
        line = {"at_entry": LINE, "at_exit": LINE}
        t.call("write", "send", FIRST, 2, fd=3, channel="pty:[1:master]", requested=2,
               payload="b\n", **line)
        t.call("read", "receive", FIRST, 2, fd=3, channel="pty:[1:master]", requested=64,
               payload="b\r", **line)


def pipe_backlog(t, count):
    """A pipe: many writes that are read only at the end."""
    t.first()
    name = pipe(t, 1)
    for _ in range(count // 2):
        write(t, name)
    for _ in range(count // 2):
        read(t, name)


def unread_writes(t, count):
    """A pipe that is written to and never read."""
    t.first()
    name = pipe(t, 1)
    for _ in range(count):
        write(t, name)


def overlapping_writers(t, count):
    """Many writers of one pipe, all under way at the same time."""
    t.first()
    name = pipe(t, 1)
    for i in range(count // 3):
        t.fork(FIRST + 1 + i)
    enter_ns = t.tick()
    for i in range(count // 3):
        t.call("write", "send", FIRST + 1 + i, 1, fd=4, channel=name, requested=1, payload="x",
               enter_ns=enter_ns, exit_ns=t.now + STEP_NS * count)
    t.now += STEP_NS * count
    for i in range(count // 3):
        read(t, name)


def sleeping_readers(t, count):
    """Many readers asleep at one pipe, which return one after the other."""
    t.first()
    name = pipe(t, 1)
    begun = []
    for i in range(count // 4):
        t.fork(FIRST + 1 + i)
        t.number += 1
        line = {"type": "operation", "id": t.number, "syscall": "read", "role": "receive",
                "pid": FIRST + 1 + i, "tid": FIRST + 1 + i, "fd": 3, "channel": name,
                "enter_ns": t.tick(), "requested": 64}
        t.put({**line, "state": "begin", "at_ns": t.tick()})
        begun.append(line)
    for line in begun:
        write(t, name)
        t.operations += 1
        t.put({**line, "exit_ns": t.tick(), "returned": 1, "payload": "x"})


def many_pipes(t, count):
    """Many pipes with a message each."""
    t.first()
    for i in range(count // 4):
        name = pipe(t, i + 1, fd=3 + 2 * i)
        write(t, name, fd=4 + 2 * i)
        read(t, name, fd=3 + 2 * i)


def many_senders(t, count):
    """Many UDP sockets that send to one."""
    t.first()
    t.channel("udp:[1]", "udp", inode=1, network=1, local_address=address(9))
    t.call("socket", "open", FIRST, 3, flags=2, args={"domain": 2, "type": 2, "protocol": 0},
           new_fds=[end_of("udp:[1]", 3, "both")])
    for i in range(count // 4):
        name, fd = f"udp:[{i + 2}]", 4 + i
        t.channel(name, "udp", inode=i + 2, network=1, local_address=address(1000 + i))
        t.call("socket", "open", FIRST, fd, flags=2, args={"domain": 2, "type": 2, "protocol": 0},
               new_fds=[end_of(name, fd, "both")])
        t.call("sendto", "send", FIRST, 1, fd=fd, channel=name, requested=1, flags=0, payload="x",
               peer_address=address(9), to="udp:[1]")
    for i in range(count // 4):
        t.call("recvfrom", "receive", FIRST, 1, fd=3, channel="udp:[1]", requested=64, flags=0,
               payload="x", peer_address=address(1000 + i))


def tcp_connections(t, count):
    """Many TCP connections to one listener."""
    t.first()
    t.channel("tcp:[1]", "tcp", inode=1, network=1, local_address=address(80), listening=True)
    for i in range(count // 8):
        client, server, fd = f"tcp:[{2 * i + 2}]", f"tcp:[{2 * i + 3}]", 4 + 2 * i
        t.channel(client, "tcp", inode=2 * i + 2, network=1, local_address=address(1000 + i),
                  peer_address=address(80))
        t.call("socket", "open", FIRST, fd, flags=1, args={"domain": 2, "type": 1, "protocol": 0},
               new_fds=[end_of(client, fd, "both")])
        t.call("connect", "open", FIRST, 0, fd=fd, channel=client, peer_address=address(80))
        t.channel(server, "tcp", inode=2 * i + 3, network=1, local_address=address(80),
                  peer_address=address(1000 + i))
        t.call("accept4", "open", FIRST, fd + 1, fd=3, channel="tcp:[1]", flags=0,
               new_fds=[end_of(server, fd + 1, "both")])
        t.call("write", "send", FIRST, 1, fd=fd, channel=client, requested=1, payload="x")
        t.call("read", "receive", FIRST, 1, fd=fd + 1, channel=server, requested=64, payload="x")


def eventfd_calls(t, count):
    """An eventfd that many write to at the same time."""
    t.first()
    t.channel("eventfd:[1]", "eventfd", inode=1)
    t.call("eventfd2", "open", FIRST, 3, flags=0, args={"initval": 0},
           new_fds=[end_of("eventfd:[1]", 3, "both")])
    for i in range(count // 3):
        t.fork(FIRST + 1 + i)
    number = {"requested": 8, "payload": {"base64": "AQAAAAAAAAA="}}
    for i in range(count // 3):
        t.call("write", "send", FIRST + 1 + i, 8, fd=3, channel="eventfd:[1]", **number)
        t.call("read", "receive", FIRST, 8, fd=3, channel="eventfd:[1]", **number)


def signals_not_taken(t, count):
    """Signals that are sent and never delivered."""
    t.first()
    for i in range(count // 2):
        t.fork(FIRST + 1 + i)
    for i in range(count // 2):
        send_signal(t, FIRST + 1 + i, FIRST)


def send_signal(t, pid, to):
    t.signal("generate", to, origin="kill", code=0, group=True, result="queued",
             operation=t.number + 1, **{"from": {"pid": pid, "tid": pid}})
    t.call("kill", "signal", pid, 0, args={"pid": to, "sig": 10})


def signals_of_one_process(t, count):
    """One process: a signal after the other, with handler."""
    t.first()
    t.fork(FIRST + 1)
    for _ in range(count // 4):
        send_signal(t, FIRST + 1, FIRST)
        t.signal("deliver", FIRST, code=0, action="handler")
        t.signal("return", FIRST)


def timer_signal(t, pid, **more):
    """A timer of the process raises a signal; a handler takes it (`more`: deliver, end)."""
    alarm = {"signal": "SIGALRM", "number": 14}
    t.signal("generate", pid, origin="timer", group=True, result="queued", **alarm)
    t.signal("deliver", pid, code=128, action="handler", **alarm, **more.get("deliver", {}))
    t.signal("return", pid, **alarm, **more.get("end", {}))


def timer_signals(t, count):
    """One process: the signals of its timer, with handler, while it computes."""
    t.first()
    for _ in range(count // 3):
        timer_signal(t, FIRST)


def timer_pauses(t, count):
    """One process that its timer wakes from pause(2) again and again."""
    t.first()
    for _ in range(count // 4):
        t.call("pause", "wait", FIRST, -514, error="ERESTARTNOHAND", off_cpu_ns=100)
        ident = t.number
        timer_signal(t, FIRST, deliver={"operation": ident},
                     end={"operation": ident, "interrupted": "EINTR"})


def timer_sleeps(t, count):
    """One process that its timer wakes from nanosleep(2) again and again."""
    t.first()
    for _ in range(count // 4):
        t.call("clock_nanosleep", "wait", FIRST, -516, error="ERESTART_RESTARTBLOCK",
               off_cpu_ns=100, timeout_ns=1000000000)
        ident = t.number
        timer_signal(t, FIRST, deliver={"operation": ident},
                     end={"operation": ident, "interrupted": "EINTR"})


def thread_signals(t, count):
    """A thread that another one of its process signals again and again, with handler."""
    tid = FIRST + 1
    t.first()
    t.put({"type": "process", "event": "fork", "at_ns": t.tick(), "pid": FIRST, "tid": tid,
           "ppid": FIRST, "maker_tid": FIRST, "shares_fds": True, "comm": "t"})
    to = {"to": {"pid": FIRST, "tid": tid}}
    for _ in range(count // 6):
        t.call("rt_sigprocmask", "control", FIRST, 0, args={"how": 0})
        t.signal("generate", FIRST, origin="thread", code=-6, group=False, result="queued",
                 operation=t.number + 1, **{"from": {"pid": FIRST, "tid": FIRST}}, **to)
        t.call("tgkill", "signal", FIRST, 0, args={"tgid": FIRST, "tid": tid, "sig": 10})
        t.call("rt_sigprocmask", "control", FIRST, 0, args={"how": 2})
        t.signal("deliver", FIRST, code=-6, sender_pid=FIRST, action="handler", **to)
        t.signal("return", FIRST, **to)


def memory_users(t, count):
    """Shared memory that many processes inherit, and many that each attach."""
    t.first()
    for i in range(count // 8):
        name = f"shared-mmap:[{i + 1}]"
        t.channel(name, "shared-mmap", inode=i + 1, capacity=4096, device="0:1")
        t.call("mmap", "open", FIRST, 140515123052544 + 4096 * i, channel=name, flags=33,
               args={"length": 16, "prot": 3, "fd": -1, "offset": 0})
    for i in range(count // 4):
        t.fork(FIRST + 1 + i)
    for i in range(count // 4):
        t.exit(FIRST + 1 + i)


def memory_attached(t, count):
    """One process that attaches one memory after the other, and detaches all."""
    t.first()
    for i in range(count // 3):
        name = f"sysv-shm:[{i + 1}]"
        t.channel(name, "sysv-shm", key="0x00000000", capacity=4096)
        t.call("shmat", "open", FIRST, 140515123052544 + 4096 * i, channel=name, flags=0,
               args={"shmid": i + 1})
    for i in range(count // 3):
        t.call("shmdt", "close", FIRST, 0, channel=f"sysv-shm:[{i + 1}]",
               args={"addr": 140515123052544 + 4096 * i})


def socket_stock(t, count):
    """A socket in which many datagrams lay before the trace began."""
    name = "unix-dgram:[1]"
    t.process("snapshot", FIRST, ppid=1)
    t.channel(name, "unix-dgram", inode=1, name="@a", stock=count // 2)
    t.descriptors("snapshot", FIRST, [end_of(name, 3, "both")])
    for _ in range(count):
        t.call("recvfrom", "receive", FIRST, 1, fd=3, channel=name, requested=64, flags=0,
               payload="x")


def unseen_users(t, count):
    """Many processes that use io_uring, and many pipes that all of them inherit."""
    t.first()
    names = [pipe(t, i + 1, fd=3 + 2 * i) for i in range(count // 8)]
    for i in range(count // 4):
        t.fork(FIRST + 1 + i)
        t.put({"type": "unseen", "at_ns": t.tick(), "pid": FIRST + 1 + i, "tid": FIRST + 1 + i,
               "what": "io-uring"})
    for i, name in enumerate(names):
        write(t, name, fd=4 + 2 * i)
        read(t, name, fd=3 + 2 * i)


def descriptors_in_flight(t, count):
    """Descriptors that are sent in messages which nobody receives."""
    t.first()
    for i in (1, 2):
        t.channel(f"unix-stream:[{i}]", "unix-stream", inode=i, peer=f"unix-stream:[{3 - i}]")
    t.call("socketpair", "open", FIRST, 0, flags=1, args={"domain": 1, "type": 1, "protocol": 0},
           new_fds=[end_of("unix-stream:[1]", 3, "both"), end_of("unix-stream:[2]", 4, "both")])
    for i in range(count // 5):
        pipe(t, i + 1, fd=5)
        t.call("sendmsg", "send", FIRST, 1, fd=3, channel="unix-stream:[1]", requested=1, flags=0,
               payload="x", fds=[5, 6], to="unix-stream:[2]")
        t.call("close", "close", FIRST, 0, fd=5, channel=f"pipe:[{i + 1}]")
        t.call("close", "close", FIRST, 0, fd=6, channel=f"pipe:[{i + 1}]")
    t.sleep("pause", "wait", FIRST)


def slow_rounds(t, count):
    """A write that sleeps all the time, while others use the pipe, a tenth of a second each."""
    t.first()
    name = pipe(t, 1)
    t.fork(FIRST + 1)
    t.sleep("write", "send", FIRST + 1, fd=4, channel=name, requested=100000)
    for _ in range(count // 2):
        t.now += 10**8
        write(t, name)
        read(t, name)


def slow_sleepers(t, count):
    """Many readers that sleep, each at a pipe of its own, and one that works slowly."""
    t.first()
    names = [pipe(t, i + 1, fd=3 + 2 * i) for i in range(count // 4)]
    for i, name in enumerate(names):
        t.fork(FIRST + 1 + i, shares_fds=True)
        t.sleep("read", "receive", FIRST + 1 + i, fd=3 + 2 * i, channel=name, requested=64)
    for _ in range(count // 8):
        t.now += 10**8
        write(t, names[0])


# --- pictures ---


def loops_of_loops(t, count):
    """Rounds within rounds, none like the one before."""
    t.first()
    names = [pipe(t, i + 1, fd=3 + 2 * i) for i in range(8)]
    made, size = 0, 1
    while made < count // 2:
        for i in range(size % 7 + 1):
            for _ in range(size % 5 + 1):
                write(t, names[i], fd=4 + 2 * i)
                read(t, names[i], fd=3 + 2 * i)
                made += 1
        size += 1


def two_pipes(t):
    """Those of two processes: there and back."""
    t.first()
    pipes = pipe(t, 1), pipe(t, 2, fd=5)
    t.fork(FIRST + 1)
    return pipes


def equal_rounds(t, count):
    """The same exchange between two processes, again and again."""
    there, back = two_pipes(t)
    for _ in range(count // 4):
        write(t, there, fd=4)
        read(t, there, FIRST + 1, fd=3)
        write(t, back, FIRST + 1, fd=6)
        read(t, back, fd=5)


def single_bytes(t, count):
    """A shell reads, byte by byte, what another process writes in lines."""
    name = two_pipes(t)[0]
    for _ in range(count // 34):
        write(t, name, fd=4, payload="x" * 31 + "\n")
        for i in range(32):
            t.call("read", "receive", FIRST + 1, 1, fd=3, channel=name, requested=1,
                   payload="x" if i < 31 else "\n")
        t.call("rt_sigprocmask", "control", FIRST + 1, 0, args={"how": 0})


def writes_read_at_once(t, count):
    """Many small writes, of which each read takes some."""
    name = two_pipes(t)[0]
    for _ in range(count // 9):
        for _ in range(8):
            write(t, name, fd=4)
        read(t, name, FIRST + 1, fd=3, payload="x" * 8)


def queue_rounds(t, count):
    """Messages of two priorities through a POSIX queue, each received by the same process."""
    name = "posix-mq:[1]"
    t.first()
    t.channel(name, "posix-mq", inode=1, name="/q", capacity=10)
    t.call("mq_open", "open", FIRST, 3, path="/q", flags=66,
           new_fds=[end_of(name, 3, "both")])
    t.fork(FIRST + 1)
    for i in range(count // 2):
        urgent = int(i % 16 == 0)
        sent = t.call("mq_timedsend", "send", FIRST, 0, fd=3, channel=name, requested=1,
                      transferred=1, queued=0, priority=urgent, payload="x")
        t.call("mq_timedreceive", "receive", FIRST + 1, 1, fd=3, channel=name, requested=64,
               queued=0, priority=urgent, payload="x", chunks=[{"operation": sent}])


def counter_rounds(t, count):
    """A number is added to an eventfd, and another process takes it."""
    name = "eventfd:[1]"
    t.first()
    t.channel(name, "eventfd", inode=1)
    t.call("eventfd2", "open", FIRST, 3, flags=0, args={"initval": 0},
           new_fds=[end_of(name, 3, "both")])
    t.fork(FIRST + 1)
    number = {"fd": 3, "channel": name, "requested": 8, "payload": {"base64": "AQAAAAAAAAA="}}
    for _ in range(count // 2):
        t.call("write", "send", FIRST, 8, **number)
        t.call("read", "receive", FIRST + 1, 8, **number)


def poll(t, name, returned, timeout=0, pid=FIRST, fd=3, **more):
    wait = {"fd": fd, "channel": name, "events": ["in"]}
    ready = {"ready": [wait]} if returned else {}
    t.call("poll", "wait", pid, returned, waits_for=[wait], **ready,
           args={"nfds": 1, "timeout": timeout}, **more)


def read_nothing(t, name, pid=FIRST, fd=3):
    t.call("read", "receive", pid, -11, error="EAGAIN", fd=fd, channel=name, requested=64)


def polls_in_vain(t, count):
    """A loop asks again and again whether there is something to read, without waiting."""
    t.first()
    name = pipe(t, 1)
    for _ in range(count):
        poll(t, name, 0)


def polls_that_time_out(t, count):
    """A program that waits for input that never comes, and looks after its own every 10 ms."""
    t.first()
    name = pipe(t, 1)
    for _ in range(count):
        enter_ns = t.tick()
        t.now += 10**7
        poll(t, name, 0, 10, enter_ns=enter_ns, began_ns=enter_ns + 10, exit_ns=t.now,
             off_cpu_ns=10**7 - 100, resumed_ns=t.now - 10)


def reads_in_vain(t, count):
    """A loop that polls and reads by turns, although there is nothing."""
    t.first()
    name = pipe(t, 1)
    for i in range(count // 2):
        poll(t, name, 0)
        read_nothing(t, name)


def sends_in_vain(t, count):
    """A loop that tries to send the same through a full pipe."""
    t.first()
    name = pipe(t, 1)
    for _ in range(count):
        t.call("write", "send", FIRST, -11, error="EAGAIN", fd=4, channel=name, requested=100,
               payload="ab")


def sleeps(t, count):
    """A loop that sleeps a hundredth of a second each time."""
    t.first()
    for i in range(count):
        enter_ns = t.tick()
        t.now += 10**7
        t.call("clock_nanosleep", "wait", FIRST, 0, enter_ns=enter_ns, began_ns=enter_ns + 10,
               exit_ns=t.now, resumed_ns=t.now - 10, timeout_ns=10**7 - i % 100)


def event_loop(t, count):
    """A server that reads, of each request, until there is no more."""
    there, back = two_pipes(t)
    for _ in range(count // 6):
        write(t, there, fd=4)
        poll(t, there, 1, 1000, FIRST + 1)
        read(t, there, FIRST + 1, fd=3)
        read_nothing(t, there, FIRST + 1)
        write(t, back, FIRST + 1, fd=6)
        read(t, back, fd=5)


def semaphore_rounds(t, count):
    """Two processes that tell each other by two semaphores of a set whose turn it is."""
    name = semaphore(t)
    t.fork(FIRST + 1)
    for _ in range(count // 4):
        for pid, other, number in (FIRST, FIRST + 1, 0), (FIRST + 1, FIRST, 1):
            wake(t, "semtimedop", name, pid, other, change(number, 1), change(number, -1))


def semaphore_locks(t, count):
    """Two processes that take a semaphore by turns and give it back."""
    name = semaphore(t)
    t.fork(FIRST + 1)
    for i in range(count // 2):
        pid = FIRST + i // 3 % 2
        t.call("semtimedop", "wait", pid, 0, channel=name, **change(0, -1))
        t.call("semtimedop", "wake", pid, 0, channel=name, **change(0, 1))


def file_locks(t, count):
    """A file that two processes lock by turns, write to, and unlock."""
    name = "file-lock:[9]"
    t.first()
    t.fork(FIRST + 1)
    t.channel(name, "file-lock", name="a", inode=9)
    for i in range(count // 2):
        pid = FIRST + i // 3 % 2
        for operation, mode in (2, "exclusive"), (8, "unlock"):
            t.call("flock", "control", pid, 0, fd=7, channel=name, args={"operation": operation},
                   lock={"kind": "flock", "mode": mode})


def futex_rounds(t, count):
    """Two processes that tell each other by futexes whose turn it is."""
    t.first()
    t.fork(FIRST + 1)
    for name in "futex:[1]", "futex:[2]":
        t.channel(name, "futex")
    for _ in range(count // 6):
        for pid, other, name in (FIRST, FIRST + 1, "futex:[1]"), (FIRST + 1, FIRST, "futex:[2]"):
            wake(t, "futex", name, pid, other, {"args": {"op": 1, "val": 1}},
                 {"args": {"op": 265, "val": 0}}, woken=1)
            t.call("futex", "wait", pid, -11, error="EAGAIN", channel=name,
                   args={"op": 265, "val": 0})


def signals_by_turns(t, count, lines, syscall, returned, **more):
    """Two processes that signal each other by turns, and sleep meanwhile. Gives their sleeps."""
    t.first()
    t.fork(FIRST + 1)
    for i in range(count // lines):
        pid, sleeper = FIRST + i % 2, FIRST + 1 - i % 2
        enter_ns = t.tick()
        t.number += 1
        ident = t.number
        send_signal(t, pid, sleeper)
        t.operations += 1
        t.put({"type": "operation", "id": ident, "syscall": syscall, "role": "wait", "pid": sleeper,
               "tid": sleeper, "enter_ns": enter_ns, "began_ns": enter_ns + 10, "exit_ns": t.tick(),
               "returned": returned, "off_cpu_ns": 100, "resumed_ns": t.now - 10, **more})
        yield sleeper, ident


def pauses(t, count):
    """Two processes that wake each other from pause(2) by turns."""
    for pid, ident in signals_by_turns(t, count, 5, "pause", -514, error="ERESTARTNOHAND"):
        t.signal("deliver", pid, code=0, action="handler", operation=ident)
        t.signal("return", pid, operation=ident, interrupted="EINTR")


def signals_waited_for(t, count):
    """Two processes that signal each other by turns, and take that with sigwaitinfo(2)."""
    for _ in signals_by_turns(t, count, 3, "rt_sigtimedwait", 10, signals=["SIGUSR1"]):
        pass


def signals_read(t, count):
    """One process reads from a signalfd what another one sends it."""
    record = struct.pack("<IiiI", 10, 0, 0, FIRST + 1) + bytes(48)
    t.first()
    t.channel("signalfd:[1]", "signalfd", inode=1)
    t.call("signalfd4", "open", FIRST, 3, flags=0, args={"fd": -1},
           new_fds=[end_of("signalfd:[1]", 3, "read")])
    t.fork(FIRST + 1)
    for _ in range(count // 3):
        send_signal(t, FIRST + 1, FIRST)
        t.call("read", "receive", FIRST, 128, fd=3, channel="signalfd:[1]", requested=128,
               payload={"base64": base64.b64encode(record).decode()})


def change(number, by):
    return {"requested": 1, "sems": [{"number": number, "change": by, "flags": 0}],
            "args": {"semid": 1}}


def wake(t, syscall, name, pid, sleeper, gives, takes, woken=0):
    """A process wakes another one, which has slept for a moment."""
    enter_ns = t.tick()
    t.number += 1
    wait = {"id": t.number, "enter_ns": enter_ns, "began_ns": enter_ns + 10}
    waker = t.call(syscall, "wake", pid, woken, channel=name, woke_ns=t.now + STEP_NS, **gives)
    t.operations += 1
    t.put({"type": "operation", "syscall": syscall, "role": "wait", "pid": sleeper, "tid": sleeper,
           "channel": name, **wait, "exit_ns": t.tick(), "returned": 0, "off_cpu_ns": 100,
           "resumed_ns": t.now - 10,
           "woken_by": {"pid": pid, "tid": pid, "operation": waker, "at_ns": t.now - 2 * STEP_NS},
           **takes})


def datagram_rounds(t, count):
    """Datagrams from one process to another."""
    t.first()
    t.channel("unix-dgram:[1]", "unix-dgram", inode=1, peer="unix-dgram:[2]")
    t.channel("unix-dgram:[2]", "unix-dgram", inode=2, peer="unix-dgram:[1]")
    t.call("socketpair", "open", FIRST, 0, flags=2, args={"domain": 1, "type": 2, "protocol": 0},
           new_fds=[end_of("unix-dgram:[1]", 3, "both"), end_of("unix-dgram:[2]", 4, "both")])
    t.fork(FIRST + 1)
    for _ in range(count // 2):
        t.call("sendto", "send", FIRST, 1, fd=3, channel="unix-dgram:[1]", requested=1, flags=0,
               payload="x", to="unix-dgram:[2]")
        t.call("recvfrom", "receive", FIRST + 1, 1, fd=4, channel="unix-dgram:[2]", requested=64,
               flags=0, payload="x")


def failed_calls(t, count):
    """Calls that fail, each on an object of its own."""
    t.first()
    for i in range(count // 3):
        name = pipe(t, i + 1, fd=3 + 2 * i)
        t.call("read", "receive", FIRST, -11, error="EAGAIN", fd=3 + 2 * i, channel=name,
               requested=64)


def lives(t, count):
    """Many processes that each send one message to their parent and end."""
    t.first()
    name = pipe(t, 1)
    for i in range(count // 5):
        t.fork(FIRST + 1 + i)
        write(t, name, FIRST + 1 + i)
        read(t, name)
        t.exit(FIRST + 1 + i, [end_of(name, 3, "read"), end_of(name, 4, "write")])


def short_lives(t, count):
    """A shell that starts a process after the other, and takes what each writes into a pipe."""
    t.first()
    for i in range(count // 16):
        child = FIRST + 1 + i
        name = pipe(t, i + 1)
        t.fork(child)
        close(t, name, FIRST, 4)
        close(t, name, child, 3)
        t.process("exec", child, ppid=FIRST, path="/bin/echo", args=["echo", "x"])
        t.descriptors("exec", child, [end_of(name, 4, "write")])
        write(t, name, child)
        read(t, name)
        close(t, name, child, 4, last=True)
        read(t, name, payload="")
        close(t, name, FIRST, 3, last=True)
        t.exit(child)
        child_ends(t, child)
        t.call("rt_sigprocmask", "control", FIRST, 0, args={"how": 2})


def close(t, name, pid, fd, last=False):
    t.call("close", "close", pid, 0, fd=fd, channel=name, last=last)


def child_ends(t, child):
    """FIRST is told of the end of its child, and collects it."""
    both = {"signal": "SIGCHLD", "number": 17}
    t.signal("generate", FIRST, origin="child", code=1, group=True, result="queued",
             **{"from": {"pid": child, "tid": child}}, **both)
    t.call("wait4", "wait", FIRST, child, child=child, flags=0, args={"pid": -1})
    t.signal("deliver", FIRST, code=1, action="handler", **both)
    t.signal("return", FIRST, **both)


def outsiders(t, count):
    """A socket that many processes outside the trace were met at."""
    t.first()
    t.channel("unix-dgram:[1]", "unix-dgram", inode=1, name="@a")
    t.call("socket", "open", FIRST, 3, flags=2, args={"domain": 1, "type": 2, "protocol": 0},
           new_fds=[end_of("unix-dgram:[1]", 3, "both")])
    for i in range(count // 2):
        t.channel("unix-dgram:[1]", "unix-dgram", outside={"pid": 100000 + i, "comm": "o"})
        t.call("recvfrom", "receive", FIRST, 1, fd=3, channel="unix-dgram:[1]", requested=64,
               flags=0, payload="x")


def long_names(t, count):
    """Names as long as a trace may have them, of what a few processes do again and again."""
    name = "n" * NAME_MOST
    t.put({"type": "process", "event": "exec", "at_ns": t.tick(), "pid": FIRST, "tid": FIRST,
           "ppid": 101, "comm": name, "path": name, "args": [name]})
    t.descriptors("exec", FIRST, [])
    t.channel("fifo:[1]", "fifo", inode=1, name=name, capacity=65536)
    t.call("openat", "open", FIRST, 3, flags=2, args={"dirfd": -100}, path=name,
           new_fds=[end_of("fifo:[1]", 3, "both")])
    for _ in range(count // 2):
        write(t, "fifo:[1]", fd=3)
        read(t, "fifo:[1]", fd=3)


# A row each: the function, and how many lines, about, of the small trace; the large has four times
# as many.
PATTERNS = [
    (shared_table_dups, 2000),
    (forks_of_many_descriptors, 2000),
    (forks_that_exit, 2000),
    (forks_of_one_pipe, 3000),
    (closes_in_order, 3000),
    (opens_in_descending_order, 3000),
    (writers_end_in_turns, 3000),
    (readers_behind_writers, 6000),
    (orphans_at_the_limit, 6000),
    (process_ids_again, 3000),
    (threads_of_one_process, 3000),
    (shared_lock_waiters, 3000),
    (children_waited_for, 3000),
    (threads_in_wait4, 3000),
    (semaphore_users, 3000),
    (semaphore_waiters, 3000),
    (queue_waiters, 3000),
    (queue_types, 3000),
    (futex_waits, 3000),
    (polls_of_many, 3000),
    (ended_children, 3000),
    (glance_at_tcp, 3000),
    (glance_at_shared_tables, 3000),
    (terminal_backlog, 3000),
    (terminal_settings, 3000),
    (pipe_backlog, 3000),
    (unread_writes, 3000),
    (overlapping_writers, 3000),
    (sleeping_readers, 3000),
    (many_pipes, 3000),
    (many_senders, 3000),
    (tcp_connections, 3000),
    (eventfd_calls, 3000),
    (signals_not_taken, 3000),
    (signals_of_one_process, 3000),
    (memory_users, 2000),
    (memory_attached, 3000),
    (socket_stock, 3000),
    (unseen_users, 2000),
    (descriptors_in_flight, 3000),
    (slow_rounds, 3000),
    (slow_sleepers, 2000),
    (loops_of_loops, 3000),
    (equal_rounds, 3000),
    (failed_calls, 3000),
    (lives, 3000),
    (short_lives, 3000),
    (outsiders, 3000),
    (long_names, 10000),
]

# What goes on and on without a fault: `diagnose` takes no more memory for twice as much of it.
BOUNDED = [
    equal_rounds,
    single_bytes,
    writes_read_at_once,
    queue_rounds,
    counter_rounds,
    datagram_rounds,
    polls_in_vain,
    polls_that_time_out,
    reads_in_vain,
    sends_in_vain,
    sleeps,
    event_loop,
    semaphore_rounds,
    futex_rounds,
    semaphore_locks,
    file_locks,
    signals_of_one_process,
    pauses,
    signals_waited_for,
    signals_read,
    timer_signals,
    timer_pauses,
    timer_sleeps,
    thread_signals,
]


def generate(function, count, file):
    """Writes the trace of a pattern; those that say why it ends have ended it themselves."""
    t = Writer(file)
    function(t, count)
    if not function.__name__.startswith("glance"):
        t.end()


def main():
    name, count = sys.argv[1], int(sys.argv[2])
    generate(globals()[name], count, sys.stdout)


if __name__ == "__main__":
    main()
