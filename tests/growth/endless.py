# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Traces of what goes on and on without a fault: signals, calls that they break off, locks."""
import base64
import struct

from patterns import FIRST, change, end_of, pipe, semaphore, send_signal, timer_signal, write

OTHER = FIRST + 1


def interrupt(t, syscall, role, error, restarts, raised, **call):
    """A call of FIRST that a signal breaks off, and that is made anew. `raised` tells of it."""
    enter_ns = t.tick()
    t.number += 1
    ident = t.number
    ends = {"deliver": {"operation": ident},
            "end": {"operation": ident, "interrupted": "restart" if restarts else "EINTR"}}
    handled = raised(ends)
    t.operations += 1
    t.put({"type": "operation", "id": ident, "syscall": syscall, "role": role, "pid": FIRST,
           "tid": FIRST, "enter_ns": enter_ns, "began_ns": enter_ns + 10, "exit_ns": t.tick(),
           **error, "off_cpu_ns": 100, "resumed_ns": t.now - 10, **call})
    handled()


def by_timer(t):
    """The signal of a timer, of which all events are told after the call."""
    return lambda ends: lambda: timer_signal(t, FIRST, **ends)


def by_other(t):
    """A signal of another process, sent while the call sleeps."""
    def raised(ends):
        send_signal(t, OTHER, FIRST)

        def handled():
            t.signal("deliver", FIRST, code=0, action="handler", **ends["deliver"])
            t.signal("return", FIRST, **ends["end"])
        return handled
    return raised


def receives_interrupted(t, count, restarts, raised):
    t.first()
    name = pipe(t, 1)
    t.fork(OTHER)
    for _ in range(count // 7):
        interrupt(t, "read", "receive", {"returned": -512, "error": "ERESTARTSYS"}, restarts,
                  raised(t), fd=3, channel=name, requested=64)
        write(t, name, OTHER)
        t.call("read", "receive", FIRST, 1, fd=3, channel=name, requested=64, payload="x")


def reads_interrupted_by_timer(t, count):
    """A process whose timer breaks a read(2) off again and again, which it then makes anew."""
    receives_interrupted(t, count, False, by_timer)


def reads_restarted_by_timer(t, count):
    """The same with SA_RESTART."""
    receives_interrupted(t, count, True, by_timer)


def reads_interrupted_by_other(t, count):
    """A process that another one signals while it sleeps in read(2), which it then makes anew."""
    receives_interrupted(t, count, False, by_other)


def polls_interrupted(t, count):
    """An event loop whose poll(2) a timer breaks off again and again."""
    t.first()
    name = pipe(t, 1)
    t.fork(OTHER)
    asked = {"waits_for": [{"fd": 3, "channel": name, "events": ["in"]}],
             "args": {"nfds": 1, "timeout": 1000}, "timeout_ns": 10**9}
    for _ in range(count // 8):
        interrupt(t, "poll", "wait", {"returned": -516, "error": "ERESTART_RESTARTBLOCK"}, False,
                  by_timer(t), **asked, ready=[])
        write(t, name, OTHER)
        t.call("poll", "wait", FIRST, 1, **asked,
               ready=[{"fd": 3, "channel": name, "events": ["in"]}])
        t.call("read", "receive", FIRST, 1, fd=3, channel=name, requested=64, payload="x")


def raise_by_timer(t):
    t.signal("generate", FIRST, origin="timer", group=True, result="queued", signal="SIGALRM",
             number=14)


def timer_waited_for(t, count):
    """A process that waits for the signals of its timer with sigwaitinfo(2)."""
    t.first()
    for _ in range(count // 2):
        raise_by_timer(t)
        t.call("rt_sigtimedwait", "wait", FIRST, 14, taken={"code": 128}, signals=["SIGALRM"])


def timer_read(t, count):
    """A process that reads the signals of its timer from a signalfd."""
    record = struct.pack("<IiiI", 14, 0, 128, 0) + bytes(48)
    t.first()
    t.channel("signalfd:[1]", "signalfd", inode=1)
    t.call("signalfd4", "open", FIRST, 3, flags=0, args={"fd": -1},
           new_fds=[end_of("signalfd:[1]", 3, "read")])
    for _ in range(count // 2):
        raise_by_timer(t)
        t.call("read", "receive", FIRST, 128, fd=3, channel="signalfd:[1]", requested=128,
               payload={"base64": base64.b64encode(record).decode()})


def hand_over(t, count, syscall, take, give, **call):
    """Two processes that take a lock by turns: each sleeps until the other gives it back."""
    t.call(syscall, take["role"], FIRST, 0, **call, **take["more"])
    for i in range(count // 2):
        pid, sleeper = FIRST + i % 2, FIRST + 1 - i % 2
        began = t.tick()
        t.number += 1
        wait = t.number
        waker = t.call(syscall, give["role"], pid, 0, woke_ns=t.now + 1500, **call, **give["more"])
        t.operations += 1
        t.put({"type": "operation", "id": wait, "syscall": syscall, "role": take["role"],
               "pid": sleeper, "tid": sleeper, "enter_ns": began, "began_ns": began + 10,
               "exit_ns": t.tick(), "returned": 0, "off_cpu_ns": 100, "resumed_ns": t.now - 10,
               "woken_by": {"pid": pid, "tid": pid, "operation": waker, "at_ns": t.now - 1500},
               **call, **take["more"]})


def contended_file_lock(t, count):
    """Two processes that wait for each other's lock on a file."""
    name = "file-lock:[9]"
    t.first()
    t.fork(OTHER)
    t.channel(name, "file-lock", name="a", inode=9)
    take, give = ({"role": "control", "more": {"args": {"operation": operation},
                                               "lock": {"kind": "flock", "mode": mode}}}
                  for operation, mode in ((2, "exclusive"), (8, "unlock")))
    hand_over(t, count, "flock", take, give, fd=7, channel=name)


def contended_semaphore(t, count):
    """Two processes that wait for each other's semaphore."""
    name = semaphore(t)
    t.fork(OTHER)
    hand_over(t, count, "semtimedop", {"role": "wait", "more": change(0, -1)},
              {"role": "wake", "more": change(0, 1)}, channel=name)


# As patterns.BOUNDED.
BOUNDED = [
    reads_interrupted_by_timer,
    reads_restarted_by_timer,
    reads_interrupted_by_other,
    polls_interrupted,
    timer_waited_for,
    timer_read,
    contended_file_lock,
    contended_semaphore,
]
