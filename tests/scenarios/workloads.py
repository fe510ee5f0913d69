# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What workloads begin with that are Python programs in a string; they import socket themselves."""

# A TCP connection over loopback whose listener is gone.
TCP_PAIR = """
def tcp_pair():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sender = socket.create_connection(listener.getsockname())
        return sender, listener.accept()[0]
"""

# Talk with oneself and with netlink: 6 messages of a self-pipe, 5 of an eventfd, 6 of netlink.
NOISY = """
import os, socket, struct
r, w = os.pipe()
event = os.eventfd(0)
for _ in range(6):
    os.write(w, b'!')
    os.read(r, 1)
for _ in range(5):
    os.eventfd_write(event, 1)
    os.eventfd_read(event)
with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as n:
    n.bind((0, 0))
    for i in range(3):
        n.send(struct.pack('=IHHIIBxxxiII', 32, 18, 1, i, 0, 0, 1, 0, 0))
        n.recv(65536)
"""

# Beside that, a child that says hello to its parent.
TALK = """
a, b = socket.socketpair()
if os.fork() == 0:
    b.send(b'hello')
    os._exit(0)
a.recv(5)
os.wait()
"""
