#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A FIFO is another one when all of its ends were closed, and only then."""
import json

from expectations import expect, expect_equal
from harness import main, record, scenario

# Each round opens the FIFO anew and does one thing to its ends between messages; what these were,
# in which round, is the output. But for them no call comes between the opening and that.
PROGRAM = r"""
import ctypes, json, os, socket, sys
from fcntl import F_DUPFD, F_DUPFD_CLOEXEC, fcntl
libc = ctypes.CDLL(None, use_errno=True)
path, rounds = sys.argv[1], int(sys.argv[2])
os.mkfifo(path)
here, there = socket.socketpair()
out, into = os.pipe()
me = os.pidfd_open(os.getpid())
with open(path + ".data", "wb+") as file:
    file.write(b"data")
data = os.open(path + ".data", os.O_RDONLY)
bytes_of = ctypes.create_string_buffer(b"vm")
class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]
vector = Vector(ctypes.addressof(bytes_of), 2)
messages = []

def checked(returned):
    if returned < 0:
        raise OSError(ctypes.get_errno(), "call")
    return returned
def took(reader, text):
    assert os.read(reader, 100) == text
def tells(reader, writer, text):
    os.write(writer, text)
    took(reader, text)
    messages.append((number, text.decode()))
def over_pidfd(reader, writer):
    return [checked(libc.syscall(438, me, writer, 0))]
def over_socket(reader, writer):
    socket.send_fds(here, [b"x"], [reader, writer])
    return socket.recv_fds(there, 1, 2)[1]
def by_sendfile(reader, writer):
    os.sendfile(writer, data, 0, 4)
    took(reader, b"data")
def by_splice(reader, writer):
    os.write(into, b"spliced")
    os.splice(out, writer, 7)
    os.splice(reader, into, 7)
    took(out, b"spliced")
def at_once(reader, writer):
    os.splice(out, writer, 3)
    took(reader, b"now")
def by_tee(reader, writer):
    os.write(into, b"teed")
    checked(libc.tee(out, writer, 4, 0))
    took(reader, b"teed")
    took(out, b"teed")
def by_vmsplice(reader, writer):
    checked(libc.vmsplice(writer, ctypes.byref(vector), 1, 0))
    took(reader, b"vm")
def again(*_):
    return [os.open(path, os.O_RDONLY | os.O_NONBLOCK), os.open(path, os.O_WRONLY)]

WAYS = {
    "dup": lambda r, w: [os.dup(w), os.dup(r)],
    "dup2": lambda r, w: [os.dup2(w, 90), os.dup2(r, 91)],
    "dup3": lambda r, w: [os.dup2(w, 90, False), os.dup2(r, 91, False)],
    "F_DUPFD": lambda r, w: [fcntl(w, F_DUPFD, 50), fcntl(r, F_DUPFD, 50)],
    "F_DUPFD_CLOEXEC": lambda r, w: [fcntl(w, F_DUPFD_CLOEXEC, 50), fcntl(r, F_DUPFD_CLOEXEC, 50)],
    "pidfd_getfd": over_pidfd, "SCM_RIGHTS": over_socket, "sendfile": by_sendfile,
    "splice": by_splice, "splice at once": at_once, "tee": by_tee, "vmsplice": by_vmsplice,
    "O_PATH": lambda *_: [os.open(path, os.O_PATH)], "open": again,
    "/proc": lambda r, w: [os.open(f"/proc/self/fd/{w}", os.O_WRONLY)],
}
number = 0
for _ in range(rounds):
    for way, do in WAYS.items():
        if way == "splice at once":
            os.write(into, b"now")
        ends = [os.open(path, os.O_RDONLY | os.O_NONBLOCK), os.open(path, os.O_WRONLY)]
        tells(*ends, b"before of %d" % number)
        more = do(*ends) or []
        tells(*ends, b"first of %d" % number)
        for fd in more:
            os.close(fd)
        tells(*ends, b"second of %d" % number)
        for fd in ends:
            os.close(fd)
        number += 1
print(json.dumps(messages))
"""
ROUNDS, WAYS = 3, 15


@scenario("whatever is done with a FIFO's ends, it is the same one until all are closed")
def generations(directory):
    said = f"{directory}/said"
    script = f'exec /usr/bin/python3 -c "$0" "$@" >{said}'
    result = record(directory, ["sh", "-c", script, PROGRAM, f"{directory}/ff", str(ROUNDS)])
    with open(said, encoding="ascii") as file:
        told = json.load(file)
    texts = {
        op["id"]: op["payload"] for op in result.trace.operations(syscall="write")
        if "payload" in op
    }
    found = [m for m in result.messages() if m["mechanism"] == "fifo" and m["sent"]
             and m["sent"]["op"] in texts]
    expect(all(m["match"] == "exact" for m in found), "each is exact", found)
    expect(all(m["received"] for m in found), "each was received", found)
    expect_equal([texts[m["sent"]["op"]] for m in found], [text for _, text in told], "all told")
    of_round = [{m["channel"] for m in found if texts[m["sent"]["op"]].endswith(f" of {number}")}
                for number in range(ROUNDS * WAYS)]
    expect(all(len(channels) == 1 for channels in of_round), "one FIFO a round", of_round)
    expect_equal(len(set.union(*of_round)), ROUNDS * WAYS, "and another one each round")


if __name__ == "__main__":
    main()
