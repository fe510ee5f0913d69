#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Datagrams to a port that nobody has are dropped, and are told so only where the kernel tells it:
packets may be handled on another processor, where the sender's call does not see what becomes of
them (Receive Packet Steering, Documentation/networking/scaling.rst).
"""
import os

from expectations import expect_equal, expect_in
from findings import diagnose
from harness import main, needs, run, scenario, start, wait_for

PYTHON = "/usr/bin/python3"
SENT = 5

# A network of its own: how packets are handled is a setting of its loopback.
SERVER = """
mount -t sysfs s /sys && ip link set lo up || exit 9
echo %d >/sys/class/net/lo/queues/rx-0/rps_cpus || exit 9
exec /usr/bin/python3 -uc '
import socket
open_port = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
open_port.bind(("127.0.0.1", 0))
closed = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
closed.bind(("127.0.0.1", 0))
ports = open_port.getsockname()[1], closed.getsockname()[1]
closed.close()
print(*ports)
while True:
    print("got", len(open_port.recv(100)))
'
"""

SENDER = f"""
import socket, sys
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for port in sys.argv[1:]:
    for _ in range({SENT}):
        sender.sendto(b"ten bytes.", ("127.0.0.1", int(port)))
"""


def findings_of(directory, name, processors):
    """What is said of datagrams that were dropped, and the ports: that of the server, and the one
    that nobody has."""
    place = os.path.join(directory, name)
    os.mkdir(place)
    server = start(place, ["unshare", "-nm", "sh", "-c", SERVER % processors])
    try:
        wait_for(lambda: server.stdout.count(b"\n"), "the server to have a port")
        ports = server.stdout.decode().split()[:2]
        command = ["nsenter", "-t", str(server.process.pid), "-n", "taskset", "-c", "0",
                   PYTHON, "-c", SENDER, *ports]
        result = run(place, command, "--diagnose-only", "--lang", "en")
        wait_for(lambda: server.stdout.count(b"got 10\n") == SENT, "the server to have all")
    finally:
        server.process.kill()
        server.process.wait()
    found = diagnose(result.trace_path)[0]
    return [f for f in found if f["id"] == "datagram-dropped"], ports


@scenario("datagrams to a port that nobody has are found, those to an untraced server are not")
def closed_port(directory):
    needs("unshare", "nsenter", "taskset", "ip")
    found, ports = findings_of(directory, "here", 0)
    expect_equal(len(found), 1, f"one finding: {found}")
    expect_equal(found[0]["severity"], "warning", "they are lost")
    expect_in(f"{SENT} datagrams that python3", found[0]["text"], "as many as were sent there")
    expect_in(f"nobody has the port of 127.0.0.1:{ports[1]}", found[0]["text"], "which port")


@scenario("where another processor handles the packets, none is said to be dropped")
def elsewhere(directory):
    needs("unshare", "nsenter", "taskset", "ip")
    found, ports = findings_of(directory, "elsewhere", 2)
    expect_equal(found, [], f"nobody can tell: {ports}")


if __name__ == "__main__":
    main()
