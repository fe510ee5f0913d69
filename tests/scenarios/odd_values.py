#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Calls with the oddest numbers that a program may give, each of which the kernel takes or refuses.

Raw system calls, as no library lets such numbers through.
"""
import ctypes
import os
import platform
import signal
import socket
import sys

if platform.machine() != "x86_64":
    sys.exit("the numbers of the calls are those of x86-64")

NUMBERS = [2**64 - 1, 2**63 - 1, -(2**63), 2**53, 2**53 + 1, 2**60 + 8, 2**32, 0xFFFFFFFF, -1]
NUMBERS += [-(2**31), 0]
TIMES = [(10**9, 0), (2**63 - 1, 999999999), (2**40, 1), (9007200, 0), (9223372036, 854775807)]
DONTWAIT, NOWAIT, REALTIME = 0x40, 0o4000, 256

libc = ctypes.CDLL(None, use_errno=True)
room = ctypes.create_string_buffer(8192)


class Message(ctypes.Structure):
    _fields_ = [("type", ctypes.c_long), ("text", ctypes.c_char * 64)]


def long(number):
    return ctypes.c_long(number if number < 2**63 else number - 2**64)


def call(number, *arguments):
    given = [long(value) if isinstance(value, int) else value for value in arguments]
    return libc.syscall(ctypes.c_long(number), *given)


def longs(*values):
    return (ctypes.c_long * len(values))(*[long(value).value for value in values])


def ended(number, *arguments):
    """By one of the signals that come until it is."""
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
    call(number, *arguments)
    signal.setitimer(signal.ITIMER_REAL, 0)


def pipes_and_sockets():
    reads, writes = os.pipe()
    left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    own.bind(("127.0.0.1", 0))
    own.connect(own.getsockname())
    fds = (reads, writes, left.fileno(), right.fileno(), own.fileno())
    for fd in fds:
        os.set_blocking(fd, False)
    for n in NUMBERS:
        for fd in (*fds, -1, -(2**31), 2**31 - 1, 2**64 - 1):
            libc.write(writes, b"ten bytes.", 10)
            libc.send(left.fileno(), b"hello", 5, 0)
            libc.send(own.fileno(), b"hi", 2, 0)
            for operation in (0, 1):  # read, write
                call(operation, fd, room if operation == 0 else None, n)
            for positioned in (17, 18, 295, 296):  # pread64, pwrite64, preadv, pwritev
                call(positioned, fd, room, n, n)
            for vector in (19, 20):  # readv, writev
                call(vector, fd, room, n)
            call(45, fd, room, n, DONTWAIT, None, None)  # recvfrom
            call(44, fd, None, n, 0xFFFFFFFF, None, n)  # sendto
            call(299, fd, room, n & 0xFFFFFFFF, DONTWAIT, None)  # recvmmsg
            call(307, fd, None, n, DONTWAIT)  # sendmmsg
            call(8, fd, n, 0)  # lseek
            call(40, writes, fd, None, n)  # sendfile
            call(275, fd, None, writes, None, n, 2)  # splice
            call(276, fd, writes, n, 2)  # tee
            call(278, writes, room, n, n | 2)  # vmsplice
            call(16, fd, n, n)  # ioctl
            call(54, fd, 1, 20, room, n)  # setsockopt
            call(73, fd, n)  # flock
            call(33, fd, n if n & 0xFFFFFFFF > 2**20 else -1)  # dup2


def queues():
    queue = libc.msgget(0, 0o600)
    for kind in (1, 2**63 - 1, 2**53 + 1, 2**62 + 1, -(2**63), 0, -1):
        libc.msgsnd(queue, ctypes.byref(Message(kind, b"x")), ctypes.c_size_t(1), NOWAIT)
    for kind in (-(2**63), 2**63 - 1, 2**53 + 1, 1 - 2**63, -1, 0):
        call(70, queue, ctypes.byref(Message()), 64, kind, NOWAIT)  # msgrcv
    name = b"ipclens-odd-%d" % os.getpid()
    posix = call(240, name, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK, 0o600, longs(0, 10, 64, 0))
    for priority in (0, 32767, 32768, 0xFFFFFFFF, 2**64 - 1, -1):
        call(242, posix, b"x", 1, priority, None)  # mq_timedsend
    for n in NUMBERS:
        call(69, queue, room, n, n)
        call(70, queue, room, n, n, NOWAIT)
        call(71, queue, n if n != 0 else 3, room)  # msgctl, and not IPC_RMID
        call(242, posix, b"x", n, n, None)
        call(243, posix, room, n, room, None)  # mq_timedreceive
        call(240, name, n & ~os.O_CREAT, n, None)
        call(245, posix, longs(n, n, n, n), room)  # mq_getsetattr
        call(243, posix, room, 8192, room, longs(abs(n), 999999999))
    call(241, name)
    libc.msgctl(queue, 0, None)
    os.close(posix)


def signals():
    libc.sigqueue.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_void_p]
    for n in NUMBERS:
        libc.sigqueue(os.getpid(), signal.SIGUSR1, ctypes.c_void_p(n))
        call(234, n, n, 0)  # tgkill
        if n & 0xFFFFFFFF > 64:
            call(62, os.getpid(), n)  # kill
        call(13, n, room, room, n)  # rt_sigaction
        call(14, n, room, room, n)


def others():
    """System V semaphores and memory, eventfd, timerfd, epoll, memory of others, pidfd."""
    semaphores, segment = libc.semget(0, 1, 0o600), libc.shmget(0, 4096, 0o600)
    counter, timer = call(290, 0xFFFFFFFF, NOWAIT), call(283, 1, NOWAIT)
    for n in (2**63 + 1, 2**64 - 2, 2**53, 1):
        libc.write(counter, ctypes.byref(ctypes.c_uint64(n)), 8)
        libc.read(counter, room, 8)
        call(286, timer, 0, longs(n, n, n, n), room)
    for n in NUMBERS:
        call(65, semaphores, room, n)
        call(66, semaphores, n, 16, n)
        call(30, segment, n, n)
        call(9, 0, n, 3, 1, -1, n)  # mmap
        call(310, os.getpid(), room, n, room, n, n)  # process_vm_readv
        call(434, n, n)
        call(438, n, n, n)
        call(61, n, room, 0x40000001, room)  # wait4
        call(202, room, 128 | 1, n, n, n, n)  # futex
    libc.semctl(semaphores, 0, 0)
    libc.shmctl(segment, 0, None)


def waits():
    """For longer than anybody lives, but a signal ends each."""
    reads, _ = os.pipe()
    mask, word = ctypes.create_string_buffer(128), ctypes.c_int(0)
    ready = (ctypes.c_int * 2)(reads, 1)
    semaphores, epoll = libc.semget(0, 1, 0o600), call(291, 0)
    for seconds, fraction in TIMES:
        time = longs(seconds, fraction)
        one, other = socket.socketpair()
        for option in (20, 21):  # SO_RCVTIMEO, SO_SNDTIMEO
            libc.setsockopt(one.fileno(), 1, option, longs(seconds, 0), 16)
        for number, *arguments in (
            (128, mask, None, time, 8),  # rt_sigtimedwait
            (271, ready, 1, time, None, 8),  # ppoll
            (23, 0, None, None, None, longs(seconds, 0)),  # select
            (270, 0, None, None, None, time, None),  # pselect6
            (35, time, None),  # nanosleep
            (230, 1, 0, time, None),  # clock_nanosleep
            (230, 1, 1, time, None),
            (230, 0, 1, time, None),
            (220, semaphores, (ctypes.c_short * 3)(0, -1, 0), 1, time),  # semtimedop
            (202, ctypes.byref(word), 0, 0, time, None, 0),  # futex
            (202, ctypes.byref(word), 9, 0, time, None, 0xFFFFFFFF),
            (202, ctypes.byref(word), 9 | REALTIME, 0, time, None, 0xFFFFFFFF),
            (441, epoll, room, 10, time, None, 8),  # epoll_pwait2
            (232, epoll, room, 10, 2**31 - 1),  # epoll_wait
            (45, one.fileno(), room, 100, 0, None, None),
            (299, one.fileno(), room, 1, 0, time),
        ):
            ended(number, *arguments)
        one.close()
        other.close()
    ended(0, reads, room, 2**64 - 1)
    libc.semctl(semaphores, 0, 0)


for caught in (signal.SIGUSR1, signal.SIGALRM):
    signal.signal(caught, lambda *_: None)
pipes_and_sockets()
queues()
signals()
others()
waits()
print("all were tried")
