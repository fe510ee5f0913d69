#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Clients whose request lies unread at a server that sleeps in something else, or was read by one
that sleeps where no client matters, also behind a proxy; and sound twins."""
import os
import re
import shutil
import signal
import time

from expectations import expect, expect_equal, expect_in
from findings import diagnose, severe
from hangs import PYTHON, asleep, expect_named, hanging, named_parties, traced, untraced
from harness import each_in_place, main, needs, scenario, start, wait_for
from servers import free_port

MAY_RUN_BESIDE_OTHERS = True


# Tells where it listens, takes the connection, and then WHAT.
SERVER = """
import os, select, signal, socket, sys, time
where = sys.argv[1]
if where.startswith("/"):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(where)
else:
    listener = socket.create_server((where, 0), family=socket.AF_INET6 if ":" in where else socket.AF_INET)
listener.listen(8)
os.write(2, b"server=%d\\n" % os.getpid())
os.write(1, b"%s\\n" % (where if where.startswith("/") else str(listener.getsockname()[1])).encode())
taken = []
def take():
    taken.append(listener.accept()[0])
WHAT
"""
SLEEPS = "take()\ntime.sleep(1000)"
ACCEPTS = "while True: take()"
ELSEWHERE = """take()
other = os.pipe()
select.select([other[0]], [], [])"""

CLIENTS = {
    "python": PYTHON + """ -c 'import socket, sys
client = socket.create_connection(("127.0.0.1", sys.argv[1]))
client.send(b"hello")
client.recv(9)' $port""",
    "asyncio": PYTHON + """ -c 'import asyncio, sys
async def ask():
    reader, writer = await asyncio.open_connection("::1", sys.argv[1])
    writer.write(b"hello")
    await reader.read(9)
asyncio.run(ask())' $port""",
    "unix": PYTHON + """ -c 'import socket, sys
client = socket.socket(socket.AF_UNIX)
client.connect(sys.argv[1])
client.send(b"hello")
client.recv(9)' $port""",
    "rounds": PYTHON + """ -c 'import select, socket, sys
client = socket.create_connection(("127.0.0.1", sys.argv[1]))
client.send(b"hello")
poll = select.poll()
poll.register(client, select.POLLIN)
while not poll.poll(30):
    pass' $port""",
    "curl": "curl -sS --noproxy '*' http://127.0.0.1:$port/",
    "node": """node -e 'require("net").connect(process.argv[1], "127.0.0.1").write("hello")' $port""",
    "psql": "psql -h 127.0.0.1 -p $port",
    "redis-cli": "redis-cli -h ::1 -p $port ping",
}
PLACES = {"asyncio": "::1", "redis-cli": "::1", "unix": "$PWD/socket"}
BOTH = """
cd {place} && cd "$(mktemp -d -p .)"; mkfifo told; {python} -c '{server}' "{where}" >told & read -r port <told
echo client=$$ >&2; exec {client}
"""


def both(place, client, what, where="127.0.0.1"):
    """Both in a new folder of this place."""
    server = SERVER.replace("WHAT", what)
    return [
        "sh", "-c",
        BOTH.format(place=place, python=PYTHON, server=server, where=where, client=client),
    ]  # fmt: skip


def unread(findings, result, name):
    """The text of the finding, without what differs from run to run."""
    pids = named_parties(result)
    found = expect_named(findings, "no-answer", set(pids.values()))
    expect_equal(found["severity"], "warning", name)
    culprit = pids.get("culprit", pids["server"])
    if "FIFO" not in found["advice"]:
        expect_in(str(culprit), found["advice"], f"{name}: who should act")
    text = re.sub(r"waited for [0-9.]+ m?s", "waited", found["text"])
    text = re.sub(r" sent (something|5 B) to ", " sent it to ", text)  # a look may not see how much
    for party, pid in pids.items():
        text = text.replace(f"[{pid}]", f"[{party}]")
    return re.sub(r" to \S+ and|:\[\d+\]", "", text)


LEFT = "python3[server], who accepted the connection, did not read it"
READ = "python3[server] had received it"


def expect_each_way(directory, name, server, what, fate=LEFT, count=2):
    """`what` is what the finding says of the server at its end."""
    place = os.path.join(directory, name)
    os.mkdir(place)
    command = both(place, CLIENTS[name], server, PLACES.get(name, "127.0.0.1"))
    said, found, result = traced(place, command, 3)
    text = unread(found, result, name)
    expect_in(fate + what, text, name)
    expect_in(" got no answer: it has waited; ", text, name)
    expect_in(fate.replace("server", str(named_parties(result)["server"])), said,
              f"{name}: run says so")
    pid = lambda result: named_parties(result)["client"]
    found, result = untraced(place, command, hanging(count), "no-answer", severe, pid)
    expect_equal(unread(found, result, name), text, f"{name}: -p says the same")


@scenario("whose request a sleeping server leaves unread is told so by run, its trace and -p")
def left_unread(directory):
    for name, client in CLIENTS.items():
        needs(client.split()[0])
        expect_each_way(directory, name, SLEEPS, "; python3[server] sleeps until its time is over")


@scenario("so is whose server waits for other events, or only accepts")
def served_elsewhere(directory):
    expect_each_way(directory, "python", ACCEPTS, "")
    expect_each_way(directory, "asyncio", ELSEWHERE, "; python3[server] waits in ")


# What a server sleeps in that has read the request, and what is said of that. The culprit tells who
# it is, where it is not the server.
TAKES = "take()\ntaken[0].recv(999)\n"
HOLDER = '''os.write(2, b"culprit=%d\\n" % os.getpid())'''
CHILD = f"""
r, w = os.pipe()
child = os.fork()
if child == 0:
    {HOLDER}
    import fcntl
    lock = open("lock", "w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    listener.close()
    os.write(w, b"x")
    time.sleep(1000)
os.close(w)
os.read(r, 1)
"""
CLOCK = "; python3[culprit] sleeps until its time is over"
KEPT = {
    "python": (TAKES + "time.sleep(1000)", "; python3[server] sleeps until its time is over"),
    "curl": (CHILD + TAKES + "import fcntl\nfcntl.flock(open(\"lock\"), fcntl.LOCK_SH)",
             "; python3[server] waits for file-lock"),
    "asyncio": (CHILD + TAKES + "os.wait()",
                "; python3[server] waits for the end of python3[culprit]" + CLOCK),
    "node": (TAKES + "os.mkfifo(\"fifo\")\nopen(\"fifo\")", "; python3[server] waits in openat"),
    "psql": (CHILD + TAKES + "os.read(r, 1)",
             "; python3[server] waits to read from pipe"),
    "redis-cli": ("import threading\nlock = threading.Lock()\nlock.acquire()\n" + TAKES
                  + "lock.acquire()", "; python3[server]"),
}
KEPT["unix"] = KEPT["python"]
PARTIES = {"curl": 3, "asyncio": 3, "psql": 3}


@scenario("so is whose request was read by a server that sleeps where no client matters")
def read_and_kept(directory):
    for name, (server, what) in KEPT.items():
        needs(CLIENTS[name].split()[0])
        expect_each_way(directory, name, server, what, READ, PARTIES.get(name, 2))


MANY = PYTHON + """ -c 'import socket, sys
client = socket.socket(socket.AF_UNIX)
client.connect(sys.argv[1])
client.setblocking(False)
sent = 0
try:
    while True: sent += client.send(b"x")
except BlockingIOError: pass
print("sent=%d" % sent, file=sys.stderr, flush=True)
client.setblocking(True)
client.recv(9)' $port"""


@scenario("of more single bytes than a look counts it is told that there are more")
def uncounted(directory):
    command = both(directory, MANY, SLEEPS, "$PWD/socket")
    pid = lambda result: named_parties(result)["client"]
    ready = lambda result: b"sent=" in result.stderr and asleep(pid(result))
    found, result = untraced(directory, command, ready, "no-answer", whom=pid)
    expect(named_parties(result)["sent"] > 256, "more than are looked at", result.stderr)
    told = [finding["text"] for finding in found if finding["id"] == "no-answer"]
    expect_in(" sent at least 256 B to ", " ".join(told), "what is told")


BY_UNIX = "curl -s --unix-socket $port http://localhost/"
LOOKS = 8
READS_SLOWLY = "take()\nwhile True:\n    time.sleep(0.3)\n    taken[0].recv(1)"


@scenario("curl on a unix socket, which waits in rounds, is told of in each look, not of a slow server")
def in_rounds(directory):
    needs("curl")
    for name, server in {"left": SLEEPS, "slow": READS_SLOWLY}.items():
        place = os.path.join(directory, name)
        os.mkdir(place)
        result = start(place, both(place, BY_UNIX, server, "$PWD/socket"), start_new_session=True)
        try:
            wait_for(lambda result=result: hanging(2)(result), "it to hang")
            time.sleep(2.5)  # the server has slept for two seconds
            client = str(named_parties(result)["client"])
            for _ in range(LOOKS):
                found = [f["id"] for f in severe(diagnose("-p", client)[0])]
                expect_equal(found, ["no-answer"] if name == "left" else [], name)
        finally:
            os.killpg(result.process.pid, signal.SIGKILL)
            result.process.wait()


# Who reads all up to the end before it answers, in a call or in an event loop.
READS_ALL = {
    "call": "take()\nwhile taken[0].recv(99): pass\ntaken[0].send(b\"x\")",
    "loop": """import asyncio
async def serve(reader, writer):
    writer.write(await reader.read())
    writer.close()
async def main():
    async with await asyncio.start_server(serve, sock=listener) as server:
        await server.serve_forever()
asyncio.run(main())""",
}
RELAYS = {
    "nc": "echo hello >input; exec nc 127.0.0.1 $1 <input",
    "feeds": "tail -f /dev/null | nc 127.0.0.1 $1",
}


def nc_of(directory, name, server):
    place = os.path.join(directory, f"{name}-{server}")
    os.makedirs(place)
    return place, both(place, f"sh -c '{RELAYS[name]}' sh $port", READS_ALL[server])


@scenario("nc that does not say that its input has ended is told to do so, whoever waits for that")
def unsaid_end(directory):
    needs("nc")
    for server in READS_ALL:
        place, command = nc_of(directory, "nc", server)
        _, found, result = traced(place, command, 3)
        looked, other = untraced(place, command, hanging(2), "blocked",
                                 whom=lambda result: named_parties(result)["client"])
        for way, findings, pids in (("run", found, named_parties(result)),
                                    ("-p", looked, named_parties(other))):
            told = [f for f in findings if "nc -N" in f["advice"]]
            expect_equal(len(told), 1, f"{server}, {way}: {findings}")
            expect_in(pids["client"], told[0]["processes"], "who should say so")
            # A loop may wait for more of others: where nothing ended the wait, nobody can tell.
            milder = server == "loop" and way == "-p"
            expect_equal(told[0]["severity"], "note" if milder else "warning", f"{server}, {way}")


@scenario("nc whose input goes on is not told so")
def fed_relay(directory):
    needs("nc", "tail")
    place, command = nc_of(directory, "feeds", "loop")
    result = start(place, command, start_new_session=True)
    try:
        wait_for(lambda: hanging(2)(result), "it to wait")
        time.sleep(1.5)
        for pid in named_parties(result).values():
            found = diagnose("-p", str(pid))[0]
            expect_equal(severe(found), [], f"-p of {pid}")
            expect(not any("nc -N" in f["advice"] for f in found), "its input goes on", found)
    finally:
        os.killpg(result.process.pid, signal.SIGKILL)
        result.process.wait()


PROXY = """
cat >conf <<END
daemon off; master_process off; pid nginx.pid; error_log error.log; user root;
events {{}} http {{ access_log off; server {{ listen 127.0.0.1:{port};
location = /ready {{ return 200; }} location / {{ proxy_pass http://UPSTREAM; }} }} }}
END
nginx -p $PWD -c conf & echo proxy=$! >&2
until curl -s -o ready --noproxy "*" http://127.0.0.1:{port}/ready; do sleep 0.05; done
exec curl -sS --noproxy "*" http://127.0.0.1:{port}/
"""
UPSTREAMS = {
    "tcp": ("127.0.0.1:$1", SLEEPS, LEFT),
    "unix": ("unix:$1:/", SLEEPS, LEFT),
    "read": ("127.0.0.1:$1", TAKES + "time.sleep(1000)", READ),
}


@scenario("a client of nginx whose upstream does not read, or sleeps, is told of that by -p of each")
def proxied(directory):
    needs("nginx", "curl")
    for name, (upstream, server, fate) in UPSTREAMS.items():
        place = os.path.join(directory, name)
        os.mkdir(place)
        script = PROXY.format(port=free_port()).replace("UPSTREAM", upstream)
        command = both(place, f"sh -c '{script}' sh $port", server, PLACES.get(name, "127.0.0.1"))
        for party in ("client", "proxy", "server") if name == "tcp" else ("client",):
            shutil.rmtree(os.path.join(place, "untraced"), ignore_errors=True)
            pid = lambda result, party=party: named_parties(result)[party]
            found, result = untraced(place, command, hanging(3), "no-answer", severe, pid)
            text = unread(found, result, name)
            expect(text.startswith("curl[client] sent "), "who waits in the end", text)
            expect_in("; nginx[proxy] had received it; nginx[proxy] has sent ", text, name)
            expect_in(" since and got no answer; " + fate, text, name)


FED = """r, w = os.pipe()
if os.fork() == 0:
    client.close()
    time.sleep(1000)
os.close(w)
"""

# Each is looked at when it has said so; none is at fault.
SOUND = {
    # Nothing lies unread: a connection that is kept for later.
    "kept": ("take()\ntaken[0].recv(9)\ntaken[0].send(b\"x\")\ntime.sleep(1000)",
             "client.recv(9)\nready()\nclient.recv(9)"),
    # A ticket that TLS sends after its handshake lies unread at a client that asks nothing now.
    "ticket": ("take()\ntaken[0].recv(9)\ntaken[0].send(b\"ticket\")\nselect.select(taken, [], [])",
               "ready()\ntime.sleep(1000)"),
    # It reads on, slowly.
    "slow": ("take()\nwhile True:\n    time.sleep(0.3)\n    taken[0].recv(1)",
             "client.send(bytes(9999))\nready()\nclient.recv(9)"),
    # It computes.
    "busy": ("take()\nwhile True: pass", "ready()\nclient.recv(9)"),
    # Who logs, or waits for what he has subscribed to, waits for no answer of a server that reads.
    "logs": ("take()\nwhile taken[0].recv(99): pass", "ready()\nselect.select([client], [], [], 1000)"),
    # The other thread is about to read.
    "threads": ("take()\nimport threading\n"
                "threading.Thread(target=lambda: [taken[0].recv(1) for _ in iter(int, 1)]).start()\n"
                "time.sleep(1000)", "client.settimeout(1000)\nready()\nclient.recv(9)"),
    # A long poll: one thread has put the client off until there is news, another one sleeps.
    "news": ("import threading\nthreading.Thread(target=time.sleep, args=(1000,)).start()\n"
             + TAKES + "threading.Event().wait()", "ready()\nclient.recv(9)"),
    # The same in an event loop, without threads.
    "parked": (TAKES + "select.select([listener, taken[0]], [], [])",
               "ready()\nselect.select([client], [], [])"),
    # It was answered, and gets more each time the server wakes up.
    "ticks": (TAKES + "while True:\n    taken[0].send(b\"tick\")\n    time.sleep(5)",
              "client.recv(9)\nready()\nwhile client.recv(9): pass"),
    # Who sends what comes in wants no answer, though the server sleeps before it reads on.
    "passes on": (TAKES + "time.sleep(1000)", FED + "ready()\nselect.select([client, r], [], [])"),
    # The server waits for a child, which computes.
    "works": (TAKES + "import subprocess\n"
              "subprocess.run([\"sh\", \"-c\", \"while :; do :; done\"])",
              "ready()\nclient.recv(9)"),
}
SOUND_CLIENT = """
import os, select, socket, sys, time
client = socket.create_connection(("127.0.0.1", sys.argv[1]))
client.send(b"hello")
def ready():
    os.write(2, b"ready\\n")
"""


def expect_no_accusation(name, place, command):
    """-p of each party of a command that waits once it has said that it is ready."""
    result = start(place, command, start_new_session=True)
    try:
        wait_for(lambda: b"ready" in result.stderr, "it to wait")
        time.sleep(1.5)  # who is told has waited for a second
        for pid in named_parties(result).values():
            found = severe(diagnose("-p", str(pid))[0])
            expect_equal(found, [], f"{name}: -p of {pid}")
    finally:
        os.killpg(result.process.pid, signal.SIGKILL)
        result.process.wait()


@scenario("a server that reads, has answered or computes is not accused, nor a client that asks no more")
def sound(directory):
    for name, (server, client), place in each_in_place(directory, SOUND):
        script = f"{PYTHON} -c '{SOUND_CLIENT}{client}' $port"
        expect_no_accusation(name, place, both(place, script, server))


# What a look sees of none of these unix sockets is whether the client has asked for anything.
SOUND_UNIX = {
    # It sends each five minutes what is new.
    "ticks": "take()\nwhile True:\n    time.sleep(300)\n    taken[0].send(b\"tick\")",
    # A signal makes it tell its clients.
    "told": "signal.signal(signal.SIGUSR1, lambda *_: taken[0].send(b\"news\"))\n"
            "take()\nwhile True: time.sleep(3600)",
    # It begins when the other clients are there; its first thread has nothing to do.
    "gathers": "import threading\nthreading.Thread(target=lambda: [take() for _ in range(3)]).start()\n"
               "time.sleep(3600)",
    # It passes on what another program gathers now and then.
    "relays": "r, w = os.pipe()\nif os.fork() == 0: time.sleep(300)\nos.close(w)\n"
              "take()\nos.read(r, 1)",
}
SUBSCRIBER = PYTHON + """ -c 'import os, socket, sys
client = socket.socket(socket.AF_UNIX)
client.connect(sys.argv[1])
os.write(2, b"ready\\n")
client.recv(9)' $port"""


@scenario("a server on a unix socket that tells its clients now and then is not accused by -p")
def sound_unix(directory):
    for name, server, place in each_in_place(directory, SOUND_UNIX):
        expect_no_accusation(name, place, both(place, SUBSCRIBER, server, "$PWD/socket"))


if __name__ == "__main__":
    main()
