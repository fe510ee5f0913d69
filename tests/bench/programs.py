# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Real programs: processor time of a client and its server, or of a build, for each operation."""
import atexit
import os
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "scenarios"))
import postgres  # pylint: disable=wrong-import-position
from servers import free_port  # pylint: disable=wrong-import-position

REQUESTS, TRANSACTIONS, FILES = 60000, 20000, 40
TICK_NS = 10**9 // os.sysconf("SC_CLK_TCK")
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
MAKEFILE = """
all: $(patsubst %,file%.o,$(shell seq {}))
file%.o: file.c
	gcc -pipe -O2 -c -o $@ $<
"""


def used_ns(pid):
    """Of the process and of its children that have ended: proc(5), /proc/PID/stat."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        return sum(map(int, file.read().rpartition(")")[2].split()[11:15])) * TICK_NS


def sessions(pid):
    """The children of postgres that serve a client: their title has its user."""
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        found = file.read().split()
    count = 0
    for child in found:
        try:
            with open(f"/proc/{child}/cmdline", "rb") as file:
                count += file.read().startswith(b"postgres: test ")
        except FileNotFoundError:
            pass
    return count


def spent_ns(command, **options):
    """Processor time of a command, with all its children."""
    with subprocess.Popen(command, **QUIET, **options) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"bench: {' '.join(command)} failed")
    return (usage.ru_utime + usage.ru_stime) * 1e9


class Server:
    """A server that runs until the bench ends, and what its client asks it for."""

    def __init__(self, command, ready, **options):
        self.process = subprocess.Popen(command, **QUIET, **options)
        atexit.register(self.process.wait)
        atexit.register(self.process.terminate)
        while not ready():
            if self.process.poll() is not None:
                sys.exit(f"bench: {' '.join(command)} has ended")
            time.sleep(0.02)
        self.settle()

    def settle(self):
        """Waits until what served a client has ended, and is in the server's time."""
        while sessions(self.process.pid):
            time.sleep(0.01)

    def time_ns(self, client, count, **options):
        """Of both, for each operation."""
        before = used_ns(self.process.pid)
        client_ns = spent_ns(client, **options)
        self.settle()
        return (client_ns + used_ns(self.process.pid) - before) / count


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def redis(directory):
    port = str(free_port())
    server = Server(["redis-server", "--port", port, "--save", "", "--dir", directory],
                    lambda: answers(int(port)))
    client = ["redis-benchmark", "-p", port, "-n", str(REQUESTS), "-c", "5", "-t", "set", "-q"]
    return lambda: server.time_ns(client, REQUESTS)


def pgbench(directory):
    environment = postgres.cluster(directory)
    words = ["-D", f"{directory}/data", "-k", directory, "-c", "listen_addresses=",
             "-c", "fsync=off", "-c", "autovacuum=off"]
    client = postgres.owned(environment, "pgbench", "-h", directory, "-U", "test", "postgres")

    def ready():
        """True once the tables could be made."""
        done = subprocess.run([*client, "-i"], cwd=directory, **QUIET, check=False)
        return done.returncode == 0

    server = Server(postgres.owned(environment, "postgres", *words), ready, cwd=directory)
    return lambda: server.time_ns([*client, "-n", "-S", "-c", "2", "-t", str(TRANSACTIONS // 2)],
                                  TRANSACTIONS, cwd=directory)


def make(directory):
    texts = {"Makefile": MAKEFILE.format(FILES), "file.c": "int f(int a) { return a; }\n"}
    for name, text in texts.items():
        with open(os.path.join(directory, name), "w", encoding="ascii") as file:
            file.write(text)
    environment = {"PATH": os.environ["PATH"]}
    return lambda: spent_ns(["make", "-B", "-j2"], cwd=directory, env=environment) / FILES


STARTERS = {"redis": redis, "pgbench": pgbench, "make": make}


class Programs:
    """Those that were asked for; each starts when it is measured for the first time."""

    def __init__(self):
        self.started = {}

    def time_ns(self, name):
        """Processor time of one operation."""
        if name not in self.started:
            directory = tempfile.TemporaryDirectory(prefix="ipclens-bench-")
            os.chmod(directory.name, 0o755)
            atexit.register(directory.cleanup)
            self.started[name] = STARTERS[name](directory.name)
        return self.started[name]()
