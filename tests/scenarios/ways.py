# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Ways to move data that pass no system call of their own: io_uring and aio, by their numbers.

As a program: `ways.py KIND` moves messages both ways and logs as truth(), a JSON line to standard
output each, which call of this trace received what: `by` is the descriptor's call or "unseen".
"""
import ctypes
import json
import mmap
import os
import socket
import struct
import sys

libc = ctypes.CDLL(None, use_errno=True)
READ, WRITE, SEND, RECV, ACCEPT, CLOSE = 22, 23, 26, 27, 13, 19
SETUP, ENTER, IO_SETUP, IO_GETEVENTS, IO_SUBMIT = 425, 426, 206, 208, 209
SQPOLL, NEED_WAKEUP, SQ_WAKEUP = 2, 1, 2
PREAD, PWRITE = 0, 1


def call(number, *arguments):
    result = libc.syscall(number, *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


class Ring:
    """One operation at a time."""

    def __init__(self, flags=0):
        p = (ctypes.c_uint32 * 30)()
        p[2], p[4] = flags, 1000
        self.polled = bool(flags & SQPOLL)
        self.fd = call(SETUP, 8, p)
        self.sq, self.cq = p[10:20], p[20:30]
        self.masks = p[0] - 1, p[1] - 1
        size = max(self.sq[6] + 4 * p[0], self.cq[5] + 16 * p[1])
        self.ring = mmap.mmap(self.fd, size, offset=0)
        self.entries = mmap.mmap(self.fd, 64 * p[0], offset=0x10000000)

    def word(self, at):
        return struct.unpack_from("I", self.ring, at)[0]

    def put(self, at, value):
        struct.pack_into("I", self.ring, at, value & 0xFFFFFFFF)

    def do(self, opcode, fd, data=None, size=0):
        """The bytes that it moved; or the new descriptor."""
        buf = ctypes.create_string_buffer(data or b"", len(data) if data else size + 1)
        tail = self.word(self.sq[1])
        place = 0 if opcode in (ACCEPT, CLOSE) else ctypes.addressof(buf)
        offset = (1 << 64) - 1 if opcode in (READ, WRITE) else 0
        length = len(data) if data else size
        entry = struct.pack(
            "=BBHiQQIIQQQQ", opcode, 0, 0, fd, offset, place, length, 0, 1, 0, 0, 0
        )
        index = tail & self.masks[0]
        self.entries[64 * index : 64 * index + 64] = entry
        self.put(self.sq[6] + 4 * index, index)
        self.put(self.sq[1], tail + 1)
        head = self.word(self.cq[0])
        if not self.polled:
            call(ENTER, self.fd, 1, 1, 1, None, 0)
        while self.word(self.cq[1]) == head:
            if self.word(self.sq[4]) & NEED_WAKEUP:
                call(ENTER, self.fd, 0, 0, SQ_WAKEUP, None, 0)
            os.sched_yield()
        at = self.cq[5] + 16 * (head & self.masks[1])
        result = struct.unpack_from("QiI", self.ring, at)[1]
        self.put(self.cq[0], head + 1)
        if result < 0:
            raise OSError(-result, os.strerror(-result))
        return result if opcode == ACCEPT else buf.raw[:result]

    def send(self, fd, data):
        return self.do(WRITE, fd, data)

    def receive(self, fd, size):
        return self.do(READ, fd, size=size)


class Aio:
    def __init__(self):
        self.context = ctypes.c_ulong(0)
        call(IO_SETUP, 8, ctypes.byref(self.context))

    def do(self, opcode, fd, data, size):
        buf = ctypes.create_string_buffer(data or b"", len(data) if data else size + 1)
        length = len(data) if data else size
        block = struct.pack(
            "=QIIHhIQQqQII", 0, 0, 0, opcode, 0, fd, ctypes.addressof(buf), length, 0, 0, 0, 0
        )
        block = ctypes.create_string_buffer(block, len(block))
        event = ctypes.create_string_buffer(32)
        call(IO_SUBMIT, self.context, 1, (ctypes.c_void_p * 1)(ctypes.addressof(block)))
        call(IO_GETEVENTS, self.context, 1, 1, event, None)
        return buf.raw[: struct.unpack_from("=QQqq", event, 0)[2]]

    def send(self, fd, data):
        return self.do(PWRITE, fd, data, 0)

    def receive(self, fd, size):
        return self.do(PREAD, fd, None, size)


def truth(**values):
    print(json.dumps(values), flush=True)


def ends(kind):
    if kind == "pipe":
        return tuple(reversed(os.pipe()))
    if kind == "udp":
        receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        receiver.bind(("127.0.0.1", 0))
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sender.connect(receiver.getsockname())
    elif kind == "tcp":
        with socket.create_server(("127.0.0.1", 0)) as listener:
            sender = socket.create_connection(listener.getsockname())
            receiver = listener.accept()[0]
    else:
        types = {
            "unix-stream": socket.SOCK_STREAM,
            "unix-dgram": socket.SOCK_DGRAM,
            "unix-seqpacket": socket.SOCK_SEQPACKET,
        }
        sender, receiver = socket.socketpair(socket.AF_UNIX, types[kind])
    return sender.detach(), receiver.detach()


def meet(way, kind):
    """Messages of the same bytes on purpose: payload settles nothing."""
    before, used, beside = ends(kind), ends(kind), ends(kind)
    os.write(before[0], b"early")
    truth(received=os.read(before[1], 5).decode(), fd=before[1])
    way = {"uring": Ring, "sqpoll": lambda: Ring(SQPOLL), "aio": Aio}[way]()
    os.write(beside[0], b"aside")
    truth(received=os.read(beside[1], 5).decode(), fd=beside[1])
    for _ in range(4):
        os.write(used[0], b"equal")
    way.receive(used[1], 5)
    os.read(used[1], 5)
    way.receive(used[1], 5)
    way.send(used[0], b"extra")
    os.read(used[1], 5)
    os.read(used[1], 5)
    os.write(used[0], b"equal")
    way.receive(used[1], 5)
    truth(used=used)
    for fd in used:
        os.close(fd)


def accept():
    """A server whose every step is the ring's; its client calls."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        ring = Ring()
        client.send(b"question")
        server = ring.do(ACCEPT, listener.fileno())
        ring.do(RECV, server, size=8)
        ring.do(SEND, server, b"answer")
        client.recv(6)
        ring.do(CLOSE, server)
        client.recv(1)


def wait():
    """Waits for good; but nobody can know that the ring does not write."""
    source, sink = os.pipe()
    if not os.fork():
        os.close(source)
        ring = Ring()
        ring.send(sink, b"once")
        os.read(os.pipe()[0], 1)
    os.read(source, 9)
    truth(waits=os.getpid())
    os.read(source, 9)


def joined():
    """Has its ring before it is told to go on."""
    source, sink = os.pipe()
    ring = Ring(SQPOLL)
    truth(pid=os.getpid())
    sys.stdin.readline()
    os.write(sink, b"equal")
    os.write(sink, b"equal")
    ring.receive(source, 5)
    os.read(source, 5)
    os.write(sink, b"equal")
    truth(used=[sink, source])
    os._exit(0)


if __name__ == "__main__":
    {"accept": accept, "wait": wait, "joined": joined}.get(sys.argv[1], lambda: meet(*sys.argv[1:]))()
