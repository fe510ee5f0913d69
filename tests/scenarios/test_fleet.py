#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""docs/fleet.md: Prometheus collects the sums of two machines, and tells what was logged there.

The machines are network namespaces with a node_exporter each, and a third one has Prometheus. They
share one kernel, so `ipclens top` of a machine is told by --comm which programs run there.
"""
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from typing import NamedTuple

from expectations import Failure, expect, expect_equal, expect_in
from harness import main, needs, scenario, start, wait_for
from joining import folder
from networks import Machines, inside, wire
from traces import IPCLENS, ROOT

DOCUMENT = os.path.join(ROOT, "docs", "fleet.md")
UNIT = os.path.join(ROOT, "docs", "examples", "ipclens-top.service")
DASHBOARD = os.path.join(ROOT, "docs", "examples", "grafana-dashboard.json")
MONITOR = "http://127.0.0.1:9090"
EVERY, SCRAPE = "250ms", "1s"  # instead of the 15 s of unit and document
SLEEP = 0.3  # seconds

ANSWER = 10  # bytes


class Machine(NamedTuple):
    """A machine of the document: its wire to that of Prometheus, and who talks there."""

    near: str  # the address of Prometheus' end
    address: str
    client: str
    server: str
    own: str  # which of them no other machine has
    size: int  # bytes of a question
    datagrams: int  # that the client sends to nobody
    sleep: float  # before the second answer

    @property
    def instance(self):
        return f"{self.address}:9100"


MACHINES = {
    "web": Machine("10.84.1.1", "10.84.1.2", "frontend", "backend", "frontend", 100, 7, 0),
    "db": Machine("10.84.2.1", "10.84.2.2", "backend", "store", "store", 1000, 0, SLEEP),
}

# Asks a server, a message after the other, and sends datagrams that nobody receives.
TALK = """
import json, os, socket, sys, time
client, server, count, size, answer, udp, sleep = json.loads(sys.argv[1])
def be(name):
    open("/proc/self/comm", "w").write(name)
be(client)
here, there = socket.socketpair()
if os.fork() == 0:
    here.close()
    be(server)
    for i in range(count):
        there.recv(size)
        time.sleep(sleep if i == 1 else 0)
        there.send(b"." * answer)
    os._exit(0)
there.close()
for _ in range(count):
    here.send(b"." * size)
    here.recv(answer)
os.wait()
deaf = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
deaf.bind(("127.0.0.1", 0))
mouth = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(udp):
    mouth.sendto(b"." * size, deaf.getsockname())
"""


class Fleet(Machines):
    """The two machines, each with a wire to the one of Prometheus."""

    def __init__(self):
        super().__init__("monitor", *MACHINES)

    def connect(self):
        monitor, *others = self.names
        for (name, machine), network in zip(MACHINES.items(), others):
            wire(name, (monitor, machine.near), (network, machine.address))
        for network in self.names:
            subprocess.run(["ip", "-n", network, "link", "set", "lo", "up"], check=True)


def blocks(language):
    with open(DOCUMENT, encoding="utf-8") as file:
        return re.findall(rf"^```{language}\n(.*?)^```$", file.read(), re.M | re.S)


def unit():
    """The settings of the unit, as (name, value)."""
    with open(UNIT, encoding="utf-8") as file:
        return dict(line.rstrip("\n").split("=", 1) for line in file if re.match("[A-Z]", line))


def top_as_the_unit(directory, metrics, *options):
    """`ipclens top` with the words and the rights of the unit, at another pace and place."""
    rights = [f"+{right.removeprefix('CAP_').lower()}"
              for right in unit()["CapabilityBoundingSet"].split()]
    expect_equal(sorted(rights), ["+bpf", "+perfmon"], "the rights of the unit")
    words = [{"ipclens": IPCLENS, "15s": EVERY}.get(word, word)
             for word in unit()["ExecStart"].split()]
    words[words.index("--openmetrics") + 1] = metrics
    result = start(directory, ["setpriv", "--bounding-set", ",".join(["-all", *rights]),
                               "--no-new-privs", *words, *options])
    wait_for(lambda: os.path.exists(metrics) or result.process.poll() is not None, "top to count")
    expect(result.process.poll() is None, "top counts", result.stderr.decode())
    return result


PPOLL = "271"


def stopped_between_reads(pid):
    """It is stopped where it waits for its next interval, and not where it reads the counts."""
    os.kill(pid, signal.SIGSTOP)
    with open(f"/proc/{pid}/syscall", encoding="ascii") as file:
        waits = file.read().split()[0] == PPOLL
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        waits = waits and file.read().rpartition(")")[2].split()[0] == "T"
    if not waits:
        os.kill(pid, signal.SIGCONT)
    return waits


@contextlib.contextmanager
def between_intervals(tops):
    """
    No interval ends in between, though the kernel counts. It could end where a message has been
    sent and its receiver has done nothing yet: then who that will be is unknown (docs/top.md).
    """
    for top, _ in tops:
        wait_for(lambda: stopped_between_reads(top.process.pid), "top to wait")
    yield
    for top, _ in tops:
        os.kill(top.process.pid, signal.SIGCONT)


@contextlib.contextmanager
def running(directory, network, *words):
    """A program of a machine, ended with the context."""
    with open(os.path.join(directory, "log"), "wb") as log:
        process = subprocess.Popen(inside(network, *words), cwd=directory, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


class Prometheus:
    """Asks it by its HTTP API."""

    def __init__(self, network):
        self.network = network

    def get(self, path, **fields):
        words = [word for name, value in fields.items()
                 for word in ("--data-urlencode", f"{name}={value}")]
        done = subprocess.run(
            inside(self.network, "curl", "--silent", "--get", MONITOR + path, *words),
            capture_output=True, text=True, check=False)
        return done.stdout

    def ready(self):
        return "Ready" in self.get("/-/ready")

    def ask(self, question):
        """What it answers: [(labels, value)]."""
        said = json.loads(self.get("/api/v1/query", query=question))
        expect_equal(said["status"], "success", question)
        return [(line["metric"], float(line["value"][1])) for line in said["data"]["result"]]

    def table(self, question, *labels):
        """The same as {values of the labels: value}; there are no other labels."""
        answers = self.ask(question)
        for metric, _ in answers:
            expect(set(metric) <= set(labels), f"labels of {question}", metric)
        return {tuple(metric.get(label) for label in labels): value for metric, value in answers}

    def wait_for_messages(self, logged):
        """Until the document's first question is answered as it must be."""
        question, *_ = blocks("promql")
        wanted, told = {key: messages for key, (messages, _) in logged.items()}, {}

        def has_them():
            told.clear()
            told.update(self.table(question, "instance", "from", "to"))
            return told == wanted

        with contextlib.suppress(Failure):
            wait_for(has_them, "Prometheus to have what was logged", 20)
        missing = self.ask(blocks("promql")[-1])  # where the machine is busy with other things
        expect_equal(told, wanted, f"messages; missing are {missing}")


def configuration(directory):
    """The file of the document, with addresses for its names, at another pace."""
    (text,) = blocks("yaml")
    for name, machine in MACHINES.items():
        expect_in(f"'{name}:9100'", text, "the document's machines")
        text = text.replace(f"{name}:9100", machine.instance)
    path = os.path.join(directory, "prometheus.yml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace("15s", SCRAPE))
    checked = subprocess.run(["promtool", "check", "config", path], capture_output=True, text=True,
                             check=False)
    expect_equal(checked.returncode, 0, checked.stdout + checked.stderr)
    return path


@contextlib.contextmanager
def fleet(directory):
    """Prometheus, and where node_exporters of the machines look for files."""
    with contextlib.ExitStack() as stack:
        monitor, *networks = stack.enter_context(Fleet())
        for name, network in zip(MACHINES, networks):
            stack.enter_context(running(
                folder(directory, f"{name}-exporter"), network, "prometheus-node-exporter",
                "--collector.disable-defaults", "--collector.textfile",
                f"--collector.textfile.directory={folder(directory, f'{name}-files')}"))
        place = folder(directory, "prometheus")
        process = stack.enter_context(running(
            place, monitor, "prometheus", f"--config.file={configuration(place)}",
            f"--storage.tsdb.path={place}/data", "--web.listen-address=127.0.0.1:9090"))
        prometheus = Prometheus(monitor)
        wait_for(lambda: prometheus.ready() or process.poll() is not None, "Prometheus")
        yield prometheus


def talk(count):
    """Has the programs of all machines talk, and gives what each pair sent: messages, bytes."""
    sent = {}
    for one in MACHINES.values():
        words = [one.client, one.server, count, one.size, ANSWER, one.datagrams, one.sleep]
        subprocess.run([sys.executable, "-c", TALK, json.dumps(words)], check=True)
        sent[one.instance, one.client, one.server] = count, count * one.size
        sent[one.instance, one.server, one.client] = count, count * ANSWER
        if one.datagrams:
            sent[one.instance, one.client, "unknown"] = one.datagrams, one.datagrams * one.size
    return sent


def added(*logs):
    return {key: tuple(map(sum, zip(*(log[key] for log in logs)))) for key in logs[0]}


class Told:
    """The answers to the document's questions."""

    def __init__(self, prometheus, logged, last):
        self.prometheus, self.logged, self.last = prometheus, logged, last
        self.questions = iter(blocks("promql"))
        self.silent = None  # the question for machines that do not count

    def next(self, *labels):
        return self.prometheus.table(next(self.questions), *labels)

    def expect_rates(self, told, wanted):
        """Of what the last talk added, in 5 minutes; Prometheus extrapolates, but never down."""
        expect_equal(set(told), set(wanted), "the pairs")
        for key, amount in wanted.items():
            expect(amount / 300 * 0.999 <= told[key], f"{key}: {amount} in 5 minutes", told)

    def check_totals(self):
        told = self.next("instance", "from", "to")
        expect_equal(told, {key: count for key, (count, _) in self.logged.items()}, "messages")

    def check_rates(self):
        self.expect_rates(self.next("instance", "from", "to"),
                          {key: count for key, (count, _) in self.last.items()})
        told = self.next("instance", "mechanism", "from", "to")
        expect_equal({key[1] for key in told}, {"unix-stream", "udp"}, "mechanisms")
        rates = {(key[0], *key[2:]): rate for key, rate in told.items()}
        sizes = {key: size for key, (_, size) in self.last.items()}
        self.expect_rates(rates, sizes)
        expect_equal(max(rates, key=rates.get), max(sizes, key=sizes.get), "the pair of most bytes")

    def check_sizes(self):
        told = self.next("instance", "from", "to")
        wanted = {key: size // count for key, (count, size) in self.logged.items()}
        expect_equal({key: round(size, 6) for key, size in told.items()}, wanted, "bytes a message")

    def check_sleep(self):
        told = self.next("instance", "from", "to")
        slow = (MACHINES["db"].instance, "store", "backend")
        expect(told[slow] >= SLEEP / 300 * 0.99, f"{slow} waited", told)
        told = self.next("instance", "from", "to")
        expect(sum(told.values()) < SLEEP / 300, "no sender sleeps long", told)

    def check_places(self):
        expect_equal(self.next("from"), {("frontend",): 1, ("backend",): 2, ("store",): 1},
                     "on how many machines each sends")
        outside = {(key[0], "udp", key[1]): count for key, (count, _) in self.logged.items()
                   if key[2] == "unknown"}
        expect_equal(self.next("instance", "mechanism", "from"), outside, "to whom nobody saw")
        told = self.next("instance", "mechanism", "from", "to")
        expect_equal({(key[0], *key[2:]) for key in told}, set(self.logged), "new pairs")

    def check_gaps(self, tops):
        self.silent = next(self.questions)
        expect_equal(self.prometheus.ask(self.silent), [], "all machines count")
        told = self.next("instance", "__name__")
        texts = {MACHINES[name].instance: text_of(metrics) for name, (_, metrics) in tops.items()}
        for one, name in told:  # by what else runs here
            expect(re.search(rf"^{name} [1-9]", texts[one], re.M), f"{name} of {one}", texts)
        expect_equal(list(self.questions), [], "there is no further question")


def text_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def check_lint(path):
    """Prometheus' own rules on names, units and types."""
    with open(path, "rb") as metrics:
        said = subprocess.run(["promtool", "check", "metrics"], stdin=metrics, text=True,
                              capture_output=True, check=False)
    expect_equal((said.returncode, said.stdout + said.stderr), (0, ""), "promtool check metrics")


def queries():
    """Of the dashboard: (title, expression), with variables as Grafana fills them in."""
    with open(DASHBOARD, encoding="utf-8") as file:
        board = json.load(file)
    values = {"$__rate_interval": "5m", "$__range": "5m"}
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            values[f"${variable['name']}"] = variable["allValue"]
            yield variable["name"], re.sub(r"label_values\((.*), (\w+)\)", r"count by (\2) (\1)",
                                           variable["definition"])
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            text = target["expr"]
            for name, value in values.items():
                text = text.replace(name, value)
            expect("$" not in text, "all variables are known", text)
            yield panel["title"], text


def check_dashboard(prometheus):
    asked = list(queries())
    expect(len(asked) > 5, "the dashboard has panels", asked)
    for title, question in asked:
        expect(prometheus.ask(question), f"{title}: {question} has an answer")


def check_end(told, tops):
    """A machine whose service ends is named, and no other."""
    top, metrics = tops["web"]
    top.process.send_signal(signal.SIGTERM)
    expect_equal(top.wait().status, 0, top.stderr.decode())
    words = unit()["ExecStopPost"].split()
    expect_equal(words[-1], unit()["ExecStart"].split()[-1], "the unit removes what it writes")
    subprocess.run([*words[:-1], metrics], check=True)
    wait_for(lambda: told.prometheus.ask(told.silent), "a machine that does not count")
    silent = [metric["instance"] for metric, _ in told.prometheus.ask(told.silent)]
    expect_equal(silent, [MACHINES["web"].instance], "the machine that does not count")


def start_tops(directory):
    """Of each machine: `ipclens top`, and its file."""
    tops = {}
    for name, machine in MACHINES.items():
        metrics = os.path.join(directory, f"{name}-files", "ipclens.prom")
        top = top_as_the_unit(folder(directory, name), metrics, "--comm", machine.own)
        tops[name] = top, metrics
    return tops


@scenario("two machines: Prometheus has what their programs logged; the document's questions, the "
          "dashboard's, and the rights of its service are enough")
def two_machines(directory):
    needs("prometheus", "prometheus-node-exporter", "promtool", "curl", "setpriv")
    with fleet(directory) as prometheus:
        tops, logs = start_tops(directory), []
        for count in 30, 50:
            with between_intervals(tops.values()):
                logs.append(talk(count))
            prometheus.wait_for_messages(added(*logs))
        told = Told(prometheus, added(*logs), logs[-1])
        told.check_totals()
        told.check_rates()
        told.check_sizes()
        told.check_sleep()
        told.check_places()
        told.check_gaps(tops)
        check_dashboard(prometheus)
        check_lint(tops["web"][1])
        check_end(told, tops)


@scenario("systemd understands each line of the service, and finds it well confined")
def unit_is_sound(directory):
    needs("systemd-analyze")
    copy = os.path.join(directory, "ipclens-top.service")
    with open(UNIT, encoding="utf-8") as file, open(copy, "w", encoding="utf-8") as out:
        out.write(file.read().replace("ExecStart=ipclens", f"ExecStart={os.path.abspath(IPCLENS)}"))
    for words in (["verify", "--man=no"], ["security", "--offline=true", "--threshold=15"]):
        said = subprocess.run(["systemd-analyze", "--no-pager", *words, copy], capture_output=True,
                              text=True, check=False)
        expect_equal((said.returncode, said.stderr), (0, ""), f"{words}: {said.stdout}")


main()
