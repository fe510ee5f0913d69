# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Machines, as network namespaces with wires between them."""
import os
import subprocess


def ip(*words):
    subprocess.run(["ip", *words], check=True)


class Machines:
    """As a context: namespaces of these names, made unique for this run, as a list."""

    def __init__(self, *names):
        self.names = [f"ipclens-{os.getpid()}-{name}" for name in names]

    def __enter__(self):
        try:
            for name in self.names:
                ip("netns", "add", name)
            self.connect()
        except BaseException:
            self.__exit__()
            raise
        return self.names

    def connect(self):
        """What a subclass puts between them."""

    def __exit__(self, *_):
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name], check=False, stderr=subprocess.DEVNULL)


def wire(device, *ends):
    """A veth of that name in both of two namespaces; ends: (namespace, its address there)."""
    (one, _), (other, _) = ends
    peer = ["peer", "name", device, "netns", other]
    ip("link", "add", device, "netns", one, "type", "veth", *peer)
    for name, address in ends:
        ip("-n", name, "addr", "add", f"{address}/24", "dev", device)
        ip("-n", name, "link", "set", device, "up")


def inside(name, *words):
    """The words that execute a command in a namespace."""
    return ["ip", "netns", "exec", name, *words]


def alone(command):
    """The words that execute a command in a network of its own, which has only loopback."""
    return ["unshare", "-n", "sh", "-c", 'ip link set lo up; exec "$@"', "sh", *command]
