#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A request that nobody answers: who asked, for how long, and what the server did with it."""
import os
import re
import shlex

from expectations import expect, expect_equal, expect_in
from findings import diagnose, severe
from hangs import hanging, named_parties, traced, untraced
from harness import main, needs, run, scenario, start, wait_for
from postgres import SERVER as POSTGRES
from postgres import cluster, started
from servers import free_port

MAY_RUN_BESIDE_OTHERS = True

PYTHON = "/usr/bin/python3"

# While a thread of node changes the mappings, nobody can tell whether a futex in them is shared,
# and the call counts as lost. None is of interest here.
NO_FUTEX = ["--no-futex"]

# Tells its port and its pid, and takes the requests: datagrams, or those of one connection.
SERVER = """
import os, select, socket
stream = socket.create_server(("127.0.0.1", 0))
packets = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
packets.bind(stream.getsockname())
os.write(1, b"%d %d\\n" % (stream.getsockname()[1], os.getpid()))
while packets in select.select([stream, packets], [], [])[0]:
    packets.recv(9999)
connection, _ = stream.accept()
while connection.recv(9999):
    pass
"""

NODE = """
const request = require("http").get({port: PORT, host: "127.0.0.1", timeout: 700});
request.on("timeout", () => request.destroy());
request.on("error", error => { console.error(error.message); process.exitCode = 3; });
"""

ASYNCIO = """
import asyncio
async def ask():
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
    writer.write(b"hello")
    try:
        await asyncio.wait_for(reader.read(9), 0.7)
    finally:
        writer.close()
asyncio.run(ask())
"""

SETTIMEOUT = """
import socket
client = socket.create_connection(("127.0.0.1", PORT), 0.7)
client.send(b"hello")
client.recv(9)
"""

RCVTIMEO = """
import socket, struct
client = socket.create_connection(("127.0.0.1", PORT))
client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, 700000))
client.send(b"hello")
client.recv(9)
"""

DATAGRAM = """
import socket
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.settimeout(0.7)
client.sendto(b"hello", ("127.0.0.1", PORT))
client.recv(9)
"""

CLIENTS = {
    "curl": ["curl", "-sS", "--noproxy", "*", "--max-time", "0.7", "http://127.0.0.1:PORT/"],
    "node": ["node", "-e", NODE],
    "asyncio": [PYTHON, "-c", ASYNCIO],
    "settimeout": [PYTHON, "-c", SETTIMEOUT],
    "SO_RCVTIMEO": [PYTHON, "-c", RCVTIMEO],
    "a datagram": [PYTHON, "-c", DATAGRAM],
    "dig": ["dig", "@127.0.0.1", "-p", "PORT", "+time=1", "+tries=1", "example.org"],
}

# The server is the shell's child; the client begins when it has told where it listens.
INSIDE = """
{python} -c {server} >told & until [ -s told ]; do sleep 0.02; done
read -r port pid <told; CLIENT; kill $pid 2>/dev/null; wait; true
"""


def words(name, port):
    return [word.replace("PORT", port) for word in CLIENTS[name]]


def place_of(directory, name):
    place = os.path.join(directory, name.replace(" ", "-"))
    os.makedirs(os.path.join(place, "server"))
    return place


def told(result, name):
    """Its finding, which the trace tells as run does."""
    found = [f for f in diagnose(result.trace_path)[0] if f["id"] == "no-answer"]
    expect(len(found) == 1, f"{name}: it is told once; its last calls:", *last_calls(result))
    return found[0]


def last_calls(result):
    """What the trace has of sockets and waits, for whoever looks why nothing was found."""
    words_of = ("tcp:", "udp:", "epoll")
    with open(result.trace_path, encoding="utf-8") as trace:
        return [line for line in trace if any(word in line for word in words_of)][-20:]


def available(names):
    return [name for name in names if os.path.isabs(CLIENTS[name][0]) or needed(name)]


def needed(name):
    needs(CLIENTS[name][0])
    return True


def asked_inside(directory, name):
    place = place_of(directory, name)
    client = " ".join(f"'{word}'" for word in words(name, "'$port'"))
    script = INSIDE.format(python=PYTHON, server=shlex.quote(SERVER)).replace("CLIENT", client)
    return run(place, ["sh", "-c", script], *NO_FUTEX, "--diagnose-only", "--lang", "en", cwd=place)


@scenario("a client whose time limit ended its wait is named, and who had its request")
def given_up(directory):
    for name in available(CLIENTS):
        result = asked_inside(directory, name)
        port, server = result.text("told").decode().split()
        finding = told(result, name)
        expect_equal(finding["severity"], "warning", name)
        expect_in(finding["text"], result.stderr.decode(), "run says so")
        expect_in(f" to 127.0.0.1:{port} and got no answer: it gave up after ", finding["text"],
                  name)
        expect_in(f"; python3[{server}] had received it", finding["text"], name)
        expect_in(int(server), finding["processes"], name)


@scenario("of a server outside the trace its address is told")
def outside(directory):
    for name in available(("curl", "settimeout")):
        place = place_of(directory, name)
        server = start(os.path.join(place, "server"), [PYTHON, "-c", SERVER])
        try:
            wait_for(lambda server=server: server.stdout, "the server to listen")
            port = server.stdout.split()[0].decode()
            command = ["sh", "-c", '"$@"; true', "sh", *words(name, port)]
            result = run(place, command, "--diagnose-only", "--lang", "en")
        finally:
            server.process.kill()
            server.process.wait()
        finding = told(result, name)
        expect_equal(finding["severity"], "warning", name)
        expect_in(f" to 127.0.0.1:{port} and got no answer: it gave up after ", finding["text"],
                  name)


# These have no time limit of their own: they ask again and again whether something has come.
PATIENT = {
    "curl": ["curl", "-sS", "--noproxy", "*", "http://127.0.0.1:PORT/"],
    "git": ["git", "-c", "http.proxy=", "ls-remote", "http://127.0.0.1:PORT/x"],
    "mosquitto_pub": ["mosquitto_pub", "-p", "PORT", "-t", "topic", "-m", "hello"],
}
# Answers what comes first, and nothing after that.
ANSWERS_ONCE = """
import socket
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
client, _ = server.accept()
client.recv(999)
client.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
client.recv(999)
server.accept()
"""


def kept_waiting(place, command, program):
    server = start(os.path.join(place, "server"), [PYTHON, "-c", program])
    try:
        wait_for(lambda: server.stdout, "the server to listen")
        port = server.stdout.split()[0].decode()
        command = [word.replace("PORT", port) for word in command]
        result = run(place, command, "--diagnose-only", "--lang", "en", "--timeout", "2",
                     status=124, whole=False)  # fmt: skip
    finally:
        server.process.kill()
        server.process.wait()
    finding = told(result, command[0])
    expect_equal(finding["severity"], "warning", command[0])
    expect_in(f" to 127.0.0.1:{port} and got no answer: it has waited for ", finding["text"],
              command[0])


@scenario("a client that still waits when the user's time limit fires is named, and for whom")
def patient(directory):
    for name, command in PATIENT.items():
        needs(name)
        place = place_of(directory, name)
        kept_waiting(place, command, SERVER)


@scenario("a client whose second request on one connection is not answered is named, too")
def second(directory):
    needs("curl")
    page = "http://127.0.0.1:PORT/"
    kept_waiting(place_of(directory, "curl"),
                 ["curl", "-sS", "--noproxy", "*", page + "one", page + "two"], ANSWERS_ONCE)


# Passes on what it is asked to a server that takes the connection, and READS the request or not.
UPSTREAM = """
import os, socket
stream = socket.create_server(("127.0.0.1", 0))
os.write(1, b"%d\\n" % stream.getsockname()[1])
os.write(2, b"upstream=%d\\n" % os.getpid())
taken = []
while True:
    taken.append(stream.accept()[0])
    READS
"""
PROXY = """
mkfifo told; {python} -c '{upstream}' >told & P=$!; read -r upstream <told
cat >conf <<END
daemon off; worker_processes 2; pid nginx.pid; error_log error.log; user root;
events {{}} http {{ access_log off; server {{ listen 127.0.0.1:{port};
location / {{ proxy_pass http://127.0.0.1:$upstream; {limit} }} }} }}
END
nginx -p $PWD -c conf & S=$!
until [ -s nginx.pid ]; do kill -0 $S || exit 9; sleep 0.02; done
(echo client=$(exec sh -c 'echo $PPID') >&2; exec curl -sS -o body --noproxy '*' http://127.0.0.1:{port}/)
kill -QUIT $S; wait $S; kill $P; wait; true
"""
READS = {"taken[-1].recv(999)": "; python3[{}] had received it",
         "": "; python3[{}], who accepted the connection, did not read it"}


def proxied(directory, reads, limit, *options, **others):
    needs("nginx", "curl")
    place = os.path.join(directory, "reads" if reads else "leaves")
    os.mkdir(place)
    port = free_port()
    script = PROXY.format(python=PYTHON, upstream=UPSTREAM.replace("READS", reads), port=port,
                          limit=limit)
    result = run(place, ["sh", "-c", script], "--diagnose-only", "--lang", "en", *options,
                 cwd=place, **others)
    return result, port, named_parties(result)


@scenario("a client behind nginx that waits for nginx' upstream is told of that, in one finding")
def silent_upstream(directory):
    for reads, fate in READS.items():
        result, port, pids = proxied(directory, reads, "", "--timeout", "3", status=124,
                                     whole=False)
        finding = told(result, reads)
        expect_equal(finding["severity"], "warning", reads)
        expect_in(f"curl[{pids['client']}] sent ", finding["text"], "who waits")
        expect_in(f" to 127.0.0.1:{port} and got no answer: it has waited for ",
                  finding["text"], "for whom")
        expect_in("since and got no answer" + fate.format(pids["upstream"]), finding["text"],
                  "who keeps it waiting")
        expect_in(pids["upstream"], finding["processes"], reads)
        expect_in(finding["text"], result.stderr.decode(), "run says so")


@scenario("nginx that gives up its upstream has failed its client, though it ends well itself")
def gateway_timeout(directory):
    for reads, fate in READS.items():
        result, _, pids = proxied(directory, reads, "proxy_read_timeout 1s;")
        expect_in(b"504 Gateway", result.text("body"), "what the client got")
        finding = told(result, reads)
        expect_equal(finding["severity"], "warning", reads)
        expect(finding["text"].startswith("nginx["), "who gave up", finding)
        gave_up = r" and got no answer: it gave up after 1(\.\d+)? s\b"
        expect(re.search(gave_up, finding["text"]), reads, finding)
        expect_in(fate.format(pids["upstream"]), finding["text"], "who kept it waiting")


# The first session tells its server process and asks; the other one kills that while it works.
# The server ends by that: one that recovers may miss a signal that tells it to end.
KILLED = POSTGRES.replace("-c fsync", "-c restart_after_crash=off -c fsync") + """
export PGHOST=$PWD PGUSER=test PGDATABASE=postgres
until psql -c 'select 1' >/dev/null 2>&1; do kill -0 $S || exit 9; sleep 0.05; done
psql -XAt -c 'select pg_backend_pid()' -c 'select pg_sleep(60)' >asked 2>error & P=$!
until [ -s asked ]; do sleep 0.02; done
read -r backend <asked
until psql -XAt -c "select wait_event from pg_stat_activity where pid = $backend" | grep -q PgSleep
do sleep 0.05; done
kill -KILL $backend
wait $P; echo $? >status
wait; true
"""


@scenario("psql whose server process is killed hears nothing more: who was killed is named")
def killed(directory):
    needs("psql")
    result = run(directory, ["sh", "-c", KILLED], "--diagnose-only", "--lang", "en",
                 cwd=directory, environment=cluster(directory))
    expect_equal(int(result.text("status")), 2, "psql says that it failed")
    expect_in("server closed the connection unexpectedly", result.text("error").decode(), "psql")
    backend = int(result.text("asked").split()[0])
    found = [f for f in diagnose(result.trace_path)[0]
             if f["id"] == "no-answer" and backend in f["processes"]]
    expect_equal(len(found), 1, "the killed one is named once")
    expect_equal(found[0]["severity"], "warning", "psql failed by it")
    expect_in(f"postgres[{backend}] was ended by SIGKILL", found[0]["text"], "by what")


# The first session holds a lock while its input goes on; the second one waits for it.
LOCKED = """
cd %s; rm -f held
export PGHOST=$PWD PGUSER=test PGDATABASE=postgres
(echo 'select pg_advisory_lock(7), 1;'; sleep 60) | psql -XAtq >held &
until [ -s held ]; do sleep 0.05; done
echo "psql=$$" >&2
exec psql -XAtq -c 'select pg_advisory_lock(7)'
"""


@scenario("psql that waits for a lock of another session is told where the database says whose it is")
def locked(directory):
    needs("psql")
    _, stop = started(directory)
    try:
        script = ["sh", "-c", LOCKED % directory]
        _, findings, _ = traced(directory, script, 4)
        looked, _ = untraced(directory, script, hanging(1), "blocked", severe)
    finally:
        stop()
    for found in (findings, looked):
        told = [f for f in severe(found) if f["text"].startswith("psql[")]
        expect_equal([f["id"] for f in told], ["blocked"], f"told once: {found}")
        expect_in("SELECT pg_blocking_pids(", told[0]["advice"], "the remedy")


# None of these waits in vain for an answer, though none gets one.
ONE_WAY = """
import os, select, signal, socket, time
server = socket.create_server(("127.0.0.1", 0))
if os.fork() == 0:
    log = socket.create_connection(server.getsockname())
    for _ in range(3):
        log.send(b"line")
        select.select([log], [], [], 0.3)
    log.send(b"end")
    os._exit(0)
peer, _ = server.accept()
while peer.recv(99):
    pass
idle = socket.create_connection(server.getsockname())
served, _ = server.accept()
idle.send(b"question")
served.recv(99)
served.send(b"answer")
idle.recv(99)
select.select([idle, served], [], [], 0.7)
idle.close()
served.close()
"""


@scenario("who logs one way, or closes an idle connection, is not said to wait in vain")
def one_way(directory):
    result = run(directory, [PYTHON, "-c", ONE_WAY], "--diagnose-only", "--lang", "en")
    expect_equal(severe(diagnose(result.trace_path)[0]), [], "nothing is wrong")


# Knows nothing of 100 Continue: it reads the whole request, and then answers.
READS_ON = """
import socket, subprocess, sys
server = socket.create_server(("127.0.0.1", 0))
url = "http://127.0.0.1:%d/" % server.getsockname()[1]
curl = ["curl", "-s", "--noproxy", "*", "--data-binary", "@-", url, *sys.argv[1:]]
client = subprocess.Popen(curl, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
client.stdin.write(bytes(2000000))
client.stdin.close()
connection, _ = server.accept()
data = b""
while len(data.partition(b"\\r\\n\\r\\n")[2]) < 2000000:
    data += connection.recv(1 << 20)
connection.send(b"HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n")
client.wait()
"""


@scenario("curl that waits for a '100 Continue' that never comes is told how to do without")
def awaited_continue(directory):
    needs("curl")
    found = {}
    for name, options in {"waits": [], "does not": ["-H", "Expect:"]}.items():
        place = os.path.join(directory, name)
        os.mkdir(place)
        result = run(place, [PYTHON, "-c", READS_ON, *options])
        findings = diagnose(result.trace_path)[0]
        found[name] = [f for f in findings if f["id"] == "awaited-continue"]
    expect_equal([len(told) for told in found.values()], [1, 0], f"only where it waits: {found}")
    told = found["waits"][0]
    expect(told["text"].startswith("curl["), "it is curl that waits", told)
    expect(re.search(r" waited [\d.]+ m?s ", told["text"]), "for how long", told)
    expect_in("curl -H 'Expect:'", told["advice"], "the remedy")


if __name__ == "__main__":
    main()
