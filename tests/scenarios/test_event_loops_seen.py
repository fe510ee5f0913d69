#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Event loops find nothing in each round, which is one remark; busy asking is seen as failing."""
import os
import re
import shutil

from expectations import expect, expect_equal, expect_row
from harness import main, record, scenario
from servers import free_port

# A server that takes until nothing is left, as loops on edge-triggered epoll do, then answers: who
# asks waits for that, so that it finds nothing after each question.
DRAINS = """
import os, select, socket
listener = socket.create_server(('127.0.0.1', 0))
child = os.fork()
if child == 0:
    talk = socket.create_connection(listener.getsockname())
    for _ in range(12):
        talk.sendall(b'question')
        talk.recv(64)
    os._exit(0)
peer, _ = listener.accept()
peer.setblocking(False)
poll = select.epoll()
poll.register(peer, select.EPOLLIN | select.EPOLLET)
vain = 0
ended = False
while not ended:
    poll.poll()
    while True:
        try:
            data = peer.recv(64)
        except BlockingIOError:
            vain += 1
            break
        if not data:
            ended = True
            break
    if not ended:
        peer.sendall(b'answer')
os.wait()
print(vain)
"""
# Twelve clients ask asyncio's server, one after the other.
ASYNCIO = """
import asyncio
async def answer(reader, writer):
    writer.write(await reader.readline())
    await writer.drain()
    writer.close()
async def talk():
    server = await asyncio.start_server(answer, '127.0.0.1', 0)
    address = server.sockets[0].getsockname()
    for _ in range(12):
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b'hello\\n')
        assert await reader.readline() == b'hello\\n'
        writer.close()
        await writer.wait_closed()
    server.close()
asyncio.run(talk())
"""
NODE = """
const http = require('http');
const server = http.createServer((question, answer) => answer.end('hello'));
let left = 12;
function ask() {
    http.get({port: server.address().port, host: '127.0.0.1'}, (answer) => {
        answer.resume();
        answer.on('end', () => (--left ? ask() : server.close()));
    });
}
server.listen(0, '127.0.0.1', ask);
"""
REDIS = (
    "redis-server --port 0 --unixsocket r.sock --save '' >log & S=$!; "
    "until redis-cli -s r.sock ping >out 2>&1; do kill -0 $S || exit 9; done; "
    "redis-benchmark -s r.sock -n 200 -c 4 -q -t set >bench; "
    "redis-cli -s r.sock shutdown nosave; wait"
)
NGINX = """daemon off; worker_processes 2; pid nginx.pid; error_log error.log; user root;
events {{ multi_accept on; }} http {{ access_log off; server {{
listen 127.0.0.1:{port}; location / {{ return 200 'from nginx'; }} }} }}
"""
ASK_NGINX = (
    "nginx -p {directory} -c conf & S=$!; "
    "until curl -s http://127.0.0.1:{port}/ >out; do kill -0 $S || exit 9; done; "
    "for i in 1 2 3 4 5 6; do curl -s http://127.0.0.1:{port}/ >out; done; kill -QUIT $S; wait"
)
# An empty queue that is asked without a wait between, until something comes.
BUSY = """
import os, socket
a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
b.setblocking(False)
vain = 0
while vain < 50:
    try:
        b.recv(10)
    except BlockingIOError:
        vain += 1
a.send(b'at last')
b.recv(10)
print(vain)
"""
# It only looks whether there is something, and sleeps elsewhere: nothing tells it.
ASLEEP_ELSEWHERE = """
import os, select, socket, time
a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
b.setblocking(False)
poll = select.epoll()
poll.register(b, select.EPOLLIN)
vain = 0
for _ in range(5):
    poll.poll(0)
    try:
        b.recv(10)
    except BlockingIOError:
        vain += 1
    time.sleep(0.002)
a.send(b'at last')
b.recv(10)
print(vain)
"""


def python(directory, text):
    return record(directory, ["/usr/bin/python3", "-c", text])


def picture(result, *options):
    return result.view("--width", "200", *options).replace("\u00a0", " ")


def vain_receives(result):
    """What the trace says: receives, and accepts, that would have had to wait, by call."""
    calls = {}
    for op in result.trace.operations():
        if op.get("error") == "EAGAIN" and (
            op["role"] == "receive" or op["syscall"].startswith("accept")
        ):
            calls[op["syscall"]] = calls.get(op["syscall"], 0) + 1
    return calls


def remarks(drawn):
    """How many receives the remarks on event loops stand for."""
    counts = re.findall(r"◇ (?:([\d,]+)× )?(?:recv|read|accept)\S* EAGAIN", drawn)
    return sum(int((count or "1").replace(",", "")) for count in counts), len(counts)


def failures(drawn):
    return [row for row in drawn.splitlines() if re.search(r"✗ (recv|read|accept)\S* EAGAIN", row)]


@scenario("a loop that takes until nothing is left: one remark")
def drains(directory):
    result = python(directory, DRAINS)
    vain = int(result.stdout)
    expect_equal(vain, 12, "it found nothing more, after each question")
    drawn = picture(result)
    expect_equal(remarks(drawn), (vain, 1), "one row for all")
    expect_equal(failures(drawn), [], "and none of them is a failure")
    unfolded = picture(result, "--unfold", "--max", "0")
    expect_equal(unfolded.count("◇ recvfrom EAGAIN"), vain, "each, where all are asked for")


def expect_calm(result, what):
    drawn = picture(result)
    vain = sum(vain_receives(result).values())
    told, rows = remarks(drawn)
    expect_equal(failures(drawn), [], f"{what}: no failures")
    expect_equal(told, vain, f"{what}: all are told of")
    expect(rows <= 6, f"{what}: in a few rows", drawn)


@scenario("asyncio, nginx, Node and Redis: nothing that they do in each round is a failure")
def servers(directory):
    expect_calm(python(directory, ASYNCIO), "asyncio")
    expect_calm(record(directory, ["sh", "-c", REDIS], cwd=directory), "Redis")
    words = {"directory": directory, "port": free_port()}
    with open(os.path.join(directory, "conf"), "w", encoding="ascii") as file:
        file.write(NGINX.format(**words))
    expect_calm(record(directory, ["sh", "-c", ASK_NGINX.format(**words)], cwd=directory), "nginx")
    if shutil.which("node"):
        expect_calm(record(directory, ["node", "-e", NODE]), "Node")


@scenario("an empty socket asked fifty times without a wait is seen as failing fifty times")
def busy(directory):
    result = python(directory, BUSY)
    expect_equal(result.stdout, b"50\n", "what the program did")
    drawn = picture(result)
    expect_row(drawn, "✗ recvfrom EAGAIN: empty", "50 times")
    expect("as event loops do" not in drawn, "no loop does so", drawn)


@scenario("so is one that is looked at now and then, and slept elsewhere")
def asleep_elsewhere(directory):
    result = python(directory, ASLEEP_ELSEWHERE)
    expect_equal(result.stdout, b"5\n", "what the program did")
    drawn = picture(result)
    expect_row(drawn, "✗ recvfrom EAGAIN: empty", "5 times")
    expect("as event loops do" not in drawn, "no loop does so", drawn)


if __name__ == "__main__":
    main()
