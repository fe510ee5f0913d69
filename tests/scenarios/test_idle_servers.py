#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Servers that have nothing to do get no error and no warning from diagnose -p."""
import os
import signal
import socket
import time

import postgres
from expectations import expect, expect_equal
from findings import diagnose, severe
from harness import main, needs, scenario, start, wait_for
from servers import APACHE, NGINX, free_port

PYTHON = "/usr/bin/python3"
TOLD_S = 1.1  # a wait of half a second is told, one of a second may be a fault

ASYNCIO = """
import asyncio
async def serve():
    async with await asyncio.start_server(lambda r, w: w.close(), "127.0.0.1", {port}) as server:
        await server.serve_forever()
asyncio.run(serve())
"""

UNIX = """
import socketserver
socketserver.ThreadingUnixStreamServer("{name}", None).serve_forever()
"""

# These tell that they are ready, as nobody can connect to them.
UDP = """
import socketserver
server = socketserver.UDPServer(("127.0.0.1", 0), None)
print("ready", flush=True)
server.serve_forever()
"""

DATAGRAMS = """
import socket
server = socket.socket(socket.FAMILY, socket.SOCK_DGRAM)
server.bind(ADDRESS)
print("ready", flush=True)
server.recv(9)
"""
INET_DATAGRAMS = DATAGRAMS.replace("FAMILY", "AF_INET").replace("ADDRESS", '("127.0.0.1", 0)')
UNIX_DATAGRAMS = DATAGRAMS.replace("FAMILY", "AF_UNIX").replace("ADDRESS", '"{name}"')

POOL = """
import multiprocessing, signal
pool = multiprocessing.get_context("fork").Pool(3)
pool.map(abs, range(9))
print("ready", flush=True)
signal.pause()
"""

# The same, and only a thread that is not there could wake the main one.
WAITING_POOL = POOL.replace("signal.pause()", "threading.Event().wait()").replace(
    "signal\n", "threading\n"
)
# The numbers of its workers are smaller than its own, as where they have come round (ns_last_pid:
# Documentation/admin-guide/sysctl/kernel.rst).
ROUND = 'open("/proc/sys/kernel/ns_last_pid", "w").write("400")\n'
WRAPPED_POOL = WAITING_POOL.replace("pool =", f"{ROUND}pool =")
EXECUTOR = """
import concurrent.futures, threading
pool = concurrent.futures.ProcessPoolExecutor(2)
list(pool.map(abs, range(9)))
print("ready", flush=True)
threading.Event().wait()
"""

EXECUTORS = """
import concurrent.futures, signal
pools = concurrent.futures.ThreadPoolExecutor(2), concurrent.futures.ProcessPoolExecutor(2)
for pool in pools:
    list(pool.map(abs, range(9)))
print("ready", flush=True)
signal.sigwait([signal.SIGTERM])
"""

INOTIFY = """
import ctypes, os
libc = ctypes.CDLL(None)
watch = libc.inotify_init()
assert libc.inotify_add_watch(watch, b".", 0x100) == 1  # IN_CREATE
print("ready", flush=True)
os.read(watch, 4096)
"""

ZMQ = """
import zmq
server = zmq.Context().socket(zmq.REP)
server.bind("tcp://127.0.0.1:{port}")
server.recv()
"""

GRPC = """
import concurrent.futures, grpc
server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
server.add_insecure_port("127.0.0.1:{port}")
server.start()
server.wait_for_termination()
"""

# A FIFO that the reader has open to write too, so that it never ends; one reader, then two.
FIFO = """
mkfifo {name}
{ echo ready; while read -r job; do :; done; } <>{name}
"""
FIFO_OF_TWO = """
mkfifo {name}
trap : TERM  # the shell stays, and waits for its workers
bash -c 'echo ready; while read -r job; do :; done; :' <>{name} &
bash -c 'echo ready; while read -r job; do :; done; :' <>{name} &
wait
"""

PERL = """
use IO::Socket::INET;
my $server = IO::Socket::INET->new(LocalAddr => "127.0.0.1:{port}", Listen => 5);
while ($server->accept) {}
"""

NODE = 'require("http").createServer((_, answer) => answer.end()).listen({port}, "127.0.0.1")'
NODE_CLUSTER = f"""
const cluster = require("cluster");
cluster.isPrimary ? cluster.fork() && cluster.fork() : {NODE};
"""

JAVA = """
import java.net.*;
class Idle {
    public static void main(String[] words) throws Exception {
        ServerSocket server = new ServerSocket({port}, 5, InetAddress.getLoopbackAddress());
        while (true) server.accept().close();
    }
}
"""

# What is started; {port} is one for it, {name} one for a socket or FIFO, {directory} where it is.
# It is ready when its port or name takes a connection, or when it has said so.
# The subscriber, which the words that are looked at become, and its server.
DBUS_MONITOR = """
dbus-daemon --session --nofork --address=unix:path={name} --print-address >told &
until [ -s told ]; do :; done
exec dbus-monitor --address unix:path={name}
"""

READS_CHILD = """
require("child_process").spawn("sleep", ["1000"]).stdout.on("data", () => 0);
console.log("ready");
"""

SERVERS = {
    "redis": ["redis-server", "--port", "{port}", "--save", ""],
    "memcached": ["memcached", "-u", "nobody", "-l", "127.0.0.1", "-p", "{port}"],
    "mosquitto": ["mosquitto", "-p", "{port}"],
    "nginx": ["nginx", "-p", "{directory}", "-c", "conf"],
    "apache2": ["apache2", "-f", "{directory}/conf", "-DFOREGROUND"],
    "dbus": ["dbus-daemon", "--session", "--nofork", "--address=unix:path={name}"],
    "dnsmasq": ["dnsmasq", "-k", "-p", "{port}", "-C", "/dev/null", "-u", "root", "-i", "lo",
                "--bind-interfaces", "--pid-file="],
    "git daemon": ["git", "daemon", "--port={port}", "--listen=127.0.0.1", "--base-path=."],
    "tmux": ["tmux", "-S", "{name}", "-f", "/dev/null", "-D"],
    "ssh-agent": ["ssh-agent", "-D", "-a", "{name}"],
    "openssl": ["openssl", "s_server", "-accept", "127.0.0.1:{port}", "-nocert", "-www"],
    "java": ["java", "--source", "17", "conf"],
    "node": ["node", "-e", NODE],
    "node cluster": ["node", "conf"],
    "node of a child": ["node", "-e", READS_CHILD],
    "dbus-monitor": ["bash", "-c", DBUS_MONITOR],
    "perl": ["perl", "-e", PERL],
    "tail": ["tail", "-f", "conf"],
    "rsync": ["rsync", "--daemon", "--no-detach", "--address=127.0.0.1", "--port={port}",
              "--config=/dev/null"],
    "bash": ["bash", "-c", FIFO],
    "bash of two": ["bash", "-c", FIFO_OF_TWO],
    "http.server": [PYTHON, "-m", "http.server", "-b", "127.0.0.1", "{port}"],
    "asyncio": [PYTHON, "-c", ASYNCIO],
    "zmq": [PYTHON, "-c", ZMQ],
    "grpc": [PYTHON, "-c", GRPC],
    "unix": [PYTHON, "-c", UNIX],
    "udp": [PYTHON, "-c", UDP],
    "datagrams": [PYTHON, "-c", INET_DATAGRAMS],
    "unix datagrams": [PYTHON, "-c", UNIX_DATAGRAMS],
    "pool": [PYTHON, "-c", POOL],
    "waiting pool": [PYTHON, "-c", WAITING_POOL],
    "pool of one": [PYTHON, "-c", WAITING_POOL.replace("Pool(3)", "Pool(1)")],
    "pool of small numbers": [PYTHON, "-c", WRAPPED_POOL],
    "executor": [PYTHON, "-c", EXECUTOR],
    "executors": [PYTHON, "-c", EXECUTORS],
    "inotify": [PYTHON, "-c", INOTIFY],
}  # fmt: skip
CONF = {
    "nginx": NGINX,
    "apache2": APACHE,
    "java": JAVA,
    "tail": "ready\n",
    "node cluster": NODE_CLUSTER,
}

# These wait in one call, without a time limit: the look has to tell of them.
SLEEP = ["bash", "bash of two", "inotify", "datagrams", "unix datagrams", "java", "node",
         "waiting pool", "pool of one", "pool of small numbers", "executor"]


class Server:
    """One that is started."""

    def __init__(self, directory, name):
        self.place = os.path.join(directory, name.replace(" ", "-"))
        os.mkdir(self.place, 0o755)
        self.port = free_port()
        words = [self.filled(word) for word in SERVERS[name]]
        conf = self.filled(CONF.get(name, ""))
        with open(os.path.join(self.place, "conf"), "w", encoding="ascii") as out:
            out.write(conf)
        self.told = " ".join([*words, conf])
        self.run = start(self.place, words, cwd=self.place, start_new_session=True)
        self.pid = self.run.process.pid

    def filled(self, text):
        values = {"port": self.port, "name": "n", "directory": self.place}
        for name, value in values.items():
            text = text.replace("{" + name + "}", str(value))
        return text

    def ready(self):
        """It has said so, as often as its text has the word, or somebody can connect."""
        expect_equal(self.run.process.poll(), None, f"{self.told} runs: {self.run.stderr}")
        if "ready" in self.told:
            return self.run.stdout.count(b"ready") == self.told.count("ready")
        if str(self.port) in self.told:
            return connects(socket.AF_INET, ("127.0.0.1", self.port))
        return connects(socket.AF_UNIX, os.path.join(self.place, "n"))

    def end(self):
        if self.run.process.poll() is None:
            os.killpg(self.pid, signal.SIGKILL)
            self.run.process.wait()


def connects(family, address):
    with socket.socket(family) as client:
        return client.connect_ex(address) == 0


@scenario("idle servers of many kinds: diagnose -p of all has no error and no warning")
def idle(directory):
    needs(*{words[0] for words in SERVERS.values()}, "psql", "dbus-monitor")
    _, stop = postgres.started(directory)
    servers = {}
    try:
        for name in SERVERS:
            servers[name] = Server(directory, name)
        for server in servers.values():
            wait_for(server.ready, server.told)
        expect_calm(directory, servers)
    finally:
        for server in servers.values():
            server.end()
        stop()


def expect_calm(directory, servers):
    with open(os.path.join(directory, "data", "postmaster.pid"), encoding="ascii") as file:
        pids = [int(file.readline()), *(server.pid for server in servers.values())]
    since = time.monotonic()
    wait_for(lambda: time.monotonic() - since > TOLD_S, "the waits to be long enough")
    for server in servers.values():
        expect_equal(server.run.process.poll(), None, f"{server.told}: {server.run.stderr}")
    findings, _ = diagnose(*(word for pid in pids for word in ("-p", str(pid))))
    expect(not severe(findings), "no error and no warning", severe(findings))
    looked = {pid for finding in findings for pid in finding["processes"]}
    asleep = {server.pid for name, server in servers.items() if name in SLEEP}
    expect(asleep <= looked, f"notes say for what {asleep} wait", findings)


if __name__ == "__main__":
    main()
