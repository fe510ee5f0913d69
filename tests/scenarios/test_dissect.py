#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""--dissect: what tshark makes of real programs' bytes, and what a false tshark can do to ipclens."""
import errno
import json
import os
import re
import signal
import subprocess

from expectations import expect, expect_equal, expect_in, expect_row
from harness import gone, main, needs, record, run, scenario, test_user, wait_for
from places import on_terminal
from servers import WAIT, free_port, script
from traces import IPCLENS, call

MAY_RUN_BESIDE_OTHERS = True

PAYLOAD = ["--payload", "1024"]


def told(result, *protocols):
    """The summaries of messages of these protocols, in order of sending."""
    found = [m for m in result.messages("--dissect") if m.get("protocol") in protocols]
    found.sort(key=lambda m: (m["sent"] or m["received"])["enter_ns"])
    return [m["summary"] for m in found]


def unchanged_otherwise(result):
    plain, lines = result.messages(), result.messages("--dissect")
    for message in lines:
        message.pop("protocol", None)
        message.pop("summary", None)
    expect_equal(list(lines), list(plain), "the lines without their words")


@scenario("mosquitto: MQTT, also where a packet is read in pieces")
def mqtt(directory):
    needs("tshark", "mosquitto", "mosquitto_pub", "mosquitto_sub")
    port = free_port()
    with open(os.path.join(directory, "conf"), "w", encoding="ascii") as file:
        file.write(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
    result = script(
        directory,
        "mosquitto -c conf >log 2>&1 & S=$!",
        WAIT % f"bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}'",
        f"mosquitto_pub -p {port} -r -t rooms/a -m hallo",
        f"mosquitto_pub -p {port} -r -t rooms/b -m welt -q 1",
        f"mosquitto_sub -p {port} -t 'rooms/#' -C 2 >out",
        "kill $S; wait",
        options=PAYLOAD,
    )
    expect_equal(sorted(result.text("out").split()), [b"hallo", b"welt"], "what was received")
    words = told(result, "mqtt")
    expect_equal(words.count("Connect Command"), 3, "two publishers and a subscriber")
    expect_equal(words.count("Connect Ack"), 3, "each is let in")
    # Each goes to the broker, and from there to the subscriber.
    expect_equal(words.count("Publish Message [rooms/a]"), 2, "the first message")
    expect_equal(sum("[rooms/b]" in word for word in words), 2, "the second message")
    expect(any(re.match(r"Subscribe Request .*\[rooms/#\]$", word) for word in words), words)
    asked = [m for m in result.messages("--dissect") if m.get("summary") == "Connect Command"]
    expect_equal({m["bytes"] for m in asked}, {1}, "the words stand at the first piece of a send")
    unchanged_otherwise(result)
    for form in "text", "svg", "mermaid", "plantuml":
        picture = result.view("--dissect", "--as", form, "--mechanism", "tcp", columns=160)
        expect_in("Publish Message [rooms/a]", picture.replace("\u00a0", " "), form)
    expect("Publish Message" not in result.view("--mechanism", "tcp"), "only where it is asked for")


MEMCACHED = """
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as server:
    answers = server.makefile("rb")
    for request, lines in ("set name 0 0 5\\r\\nhallo\\r\\n", 1), ("get name\\r\\n", 3), ("get none\\r\\n", 1):
        server.sendall(request.encode())
        for _ in range(lines):
            print(answers.readline().decode().strip())
"""


@scenario("memcached: commands and replies")
def memcached(directory):
    needs("tshark", "memcached")
    port = free_port()
    with open(os.path.join(directory, "client.py"), "w", encoding="ascii") as file:
        file.write(MEMCACHED)
    result = script(
        directory,
        f"memcached -u nobody -l 127.0.0.1 -p {port} -U 0 & S=$!",
        WAIT % f"bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}'",
        f"/usr/bin/python3 client.py {port}",
        "kill $S; wait",
        options=PAYLOAD,
    )
    said = result.stdout.decode().split("\n")[:-1]
    expect_equal(said, ["STORED", "VALUE name 0 5", "hallo", "END", "END"], "what memcached said")
    wanted = ["set name 0 0 5", "STORED", "get name", "VALUE name 0 5", "get none", "END"]
    expect_equal(told(result, "memcache"), wanted, "what was said")
    for word in wanted:
        expect_row(result.view("--dissect", columns=160), word)


@scenario("dig and dnsmasq: DNS over UDP and TCP")
def dns(directory):
    needs("tshark", "dnsmasq", "dig")
    port = free_port()
    ask = f"dig @127.0.0.1 -p {port} +short"
    result = script(
        directory,
        f"dnsmasq -k -p {port} --no-resolv --no-hosts --listen-address=127.0.0.1 --bind-interfaces"
        " --address=/rows.test/10.1.2.3 -u root --conf-file=/dev/null --pid-file= >log 2>&1 & S=$!",
        WAIT % f"bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}'",
        f"{ask} www.rows.test A; {ask} +tcp ftp.rows.test A",
        "kill $S; wait",
        options=PAYLOAD,
    )
    expect_equal(result.stdout, b"10.1.2.3\n10.1.2.3\n", "what dig printed")
    words = [re.sub(r"0x[0-9a-f]{4}", "0x", word) for word in told(result, "dns")]
    expect_equal(
        words,
        [
            "Standard query 0x A www.rows.test OPT",
            "Standard query response 0x A www.rows.test A 10.1.2.3 OPT",
            "Standard query 0x A ftp.rows.test OPT",
            "Standard query response 0x A ftp.rows.test A 10.1.2.3 OPT",
        ],
        "what was said",
    )


@scenario("openssl: the handshake of TLS")
def tls(directory):
    needs("tshark", "openssl")
    port = free_port()
    make = "openssl req -x509 -newkey rsa:2048 -nodes -keyout key -out cert -days 2 -subj /CN=rows"
    call(["sh", "-c", f"exec {make}"], cwd=directory)
    result = script(
        directory,
        f"openssl s_server -accept 127.0.0.1:{port} -key key -cert cert -www -naccept 1 >log 2>&1"
        " & S=$!",
        WAIT % "grep -q ACCEPT log",
        f"printf 'GET / HTTP/1.0\\r\\n\\r\\n' | openssl s_client -connect 127.0.0.1:{port}"
        " -servername rows.test -quiet -tls1_2 >out 2>&1; wait",
        options=PAYLOAD,
    )
    words = told(result, "tls")
    expect(words[0].startswith("Client Hello"), "the client begins", words)
    expect(words[1].startswith("Server Hello, Certificate"), "the server answers", words)
    expect("Client Key Exchange" in words[2], "a key is agreed on", words)
    expect(any(word.startswith("Application Data") for word in words), "then both talk", words)


GRPC = """
import os, sys
read, write = os.pipe()
child = os.fork()
import grpc
from concurrent import futures
class Greeter(grpc.GenericRpcHandler):
    def service(self, details):
        if details.method == "/rows.Greeter/SayHello":
            return grpc.unary_unary_rpc_method_handler(lambda asked, _: b"\\n\\5hallo")
if child == 0:
    server = grpc.server(futures.ThreadPoolExecutor(1))
    server.add_generic_rpc_handlers((Greeter(),))
    os.write(write, str(server.add_insecure_port("127.0.0.1:0")).encode())
    server.start()
    server.wait_for_termination()
port = os.read(read, 10).decode()
with grpc.insecure_channel("127.0.0.1:" + port) as channel:
    print(channel.unary_unary("/rows.Greeter/SayHello")(b"\\n\\4rows", timeout=20))
os.kill(child, 15)
os.waitpid(child, 0)
"""


@scenario("gRPC over HTTP/2: the method, though its send has more buffers than the trace keeps")
def grpc(directory):
    needs("tshark")
    result = record(directory, ["/usr/bin/python3", "-c", GRPC], *PAYLOAD)
    expect_equal(result.stdout, b"b'\\n\\x05hallo'\n", "the answer")
    words = told(result, "grpc")
    expect(words[0].startswith("HEADERS[1]: POST /rows.Greeter/SayHello, and "), "asked", words)
    expect(words[1].startswith("HEADERS[1]: 200 OK"), "answered", words)
    expect_in("SETTINGS[0]", " ".join(told(result, "http2")), "what only manages the connection")


# The second packet has more buffers than the trace keeps, and is received with the first one.
READ_AT_ONCE = """
import os, socket
server = socket.create_server(("127.0.0.1", 0))
read, write = os.pipe()
topic = b"rows/that/need/many/buffers"
body = bytes([0, len(topic)]) + topic + b"x"
if os.fork() == 0:
    client = socket.create_connection(server.getsockname())
    client.send(bytes([16, 12, 0, 4]) + b"MQTT" + bytes([4, 2, 0, 60, 0, 0]))
    client.sendmsg([bytes([byte]) for byte in bytes([48, len(body)]) + body])
    os.write(write, b"x")
    client.recv(1)
    os._exit(0)
connection, _ = server.accept()
os.read(read, 1)
connection.recv(4096)
connection.send(bytes([32, 2, 0, 0]))
os.wait()
"""


@scenario("a send of many buffers that is received together with another one has its words, too")
def read_at_once(directory):
    needs("tshark")
    result = record(directory, ["/usr/bin/python3", "-c", READ_AT_ONCE], *PAYLOAD)
    words = told(result, "mqtt")
    wanted = ["Connect Command", "Publish Message [rows/that/need/many/buffers]"]
    expect_equal(words[:2], wanted, "both")


TALK = """
import os, socket
ours, theirs = socket.socketpair()
if os.fork() == 0:
    ours.close()
    for answer in b"END\\r\\n", b"STORED\\r\\n":
        theirs.recv(100)
        theirs.send(answer)
    os._exit(0)
theirs.close()
for question in b"get name\\r\\n", b"set name 0 0 1\\r\\nx\\r\\n":
    ours.send(question)
    ours.recv(100)
os.wait()
"""
WORDS = ["get name", "END", "set name 0 0 1", "STORED"]


def talk(directory):
    return record(directory, ["/usr/bin/python3", "-c", TALK])


def false_tshark(directory, text):
    """A PATH on which tshark is this shell script."""
    folder = os.path.join(directory, "bin")
    os.mkdir(folder)
    path = os.path.join(folder, "tshark")
    with open(path, "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\n" + text)
    os.chmod(path, 0o755)
    return dict(os.environ, PATH=f"{folder}:{os.environ['PATH']}", COLUMNS="160", LC_ALL="C.UTF-8")


def draw(result, environment, *options, form="text"):
    words = [IPCLENS, "view", result.trace_path, "--dissect", "--as", form, *options]
    return call(words, env=environment)


def complains(result, environment, *words):
    """One line on stderr has these words, and the picture is drawn with its bytes."""
    drawn = draw(result, environment)
    lines = drawn.stderr.decode().splitlines()
    expect_equal(len(lines), 1, f"one line on stderr: {lines}")
    for word in words:
        expect_in(word, lines[0], "what it says")
    expect("\x1b" not in lines[0], "no escapes", lines[0])
    expect_equal(drawn.stdout.decode(), result.view(columns=160), "the picture as without")
    asked = call([IPCLENS, "messages", "--dissect", result.trace_path], env=environment)
    plain = call([IPCLENS, "messages", result.trace_path])
    expect_equal(asked.stdout, plain.stdout, "and so are the messages")
    expect_in(words[0], asked.stderr.decode(), "and they say it, too")


# Words that no byte of the payload has, so that they are tshark's.
MQTT = """
import socket
ours, theirs = socket.socketpair()
ours.send(b"\\x10\\x0c\\x00\\x04MQTT\\x04\\x02\\x00\\x3c\\x00\\x00")
theirs.recv(100)
"""


@scenario("run --dissect has tshark's words, though the tracer itself can execute nothing any more")
def run_late(directory):
    needs("tshark")
    command = ["/usr/bin/python3", "-c", MQTT]
    result = run(directory, command, "--dissect", "--timeout", "60")
    expect_row(result.stderr.decode(), "Connect Command")
    picture = os.path.join(directory, "picture.svg")
    run(directory, command, "--dissect", "-o", picture)
    with open(picture, encoding="utf-8") as file:
        expect("Connect Command" in file.read(), "in a file, too")


@scenario("run --dissect keeps enough bytes, and says what was meant")
def run_dissect(directory):
    needs("tshark")
    result = run(directory, ["/usr/bin/python3", "-c", TALK], "--dissect")
    expect_equal(result.trace.lines[0]["options"]["payload_len"], 1024, "bytes that are kept")
    for word in WORDS:
        expect_row(result.stderr.decode(), word)
    again = os.path.join(directory, "again")
    os.mkdir(again)
    result = run(again, ["/usr/bin/python3", "-c", TALK], "--dissect", "--payload", "99")
    expect_equal(result.trace.lines[0]["options"]["payload_len"], 99, "the user's own wish counts")


LONG = """
import socket
ours, theirs = socket.socketpair()
ours.send(b"set name 0 0 200\\r\\n" + b"x" * 200 + b"\\r\\n")
theirs.recv(1000)
"""


@scenario("a trace that kept too little: the words are cut, and a line says what keeps more")
def too_little(directory):
    needs("tshark")
    for kept, cut in (1024, 0), (220, 0), (64, 1):
        own = os.path.join(directory, str(kept))
        os.mkdir(own)
        result = record(own, ["/usr/bin/python3", "-c", LONG], "--payload", kept)
        drawn = draw(result, dict(os.environ, COLUMNS="160", LC_ALL="C.UTF-8"))
        expect_equal(len(drawn.stderr.splitlines()), cut, f"lines on stderr with {kept} bytes")
        if cut:
            expect_in("of 1 sends the trace kept too little", drawn.stderr.decode(), "what it says")
            expect_in("record --payload 1024", drawn.stderr.decode(), "and what keeps more")


@scenario("tshark is not installed, or not this one: one line says so, and the picture comes")
def absent(directory):
    result = talk(directory)
    complains(result, dict(os.environ, PATH="/nonexistent", COLUMNS="160", LC_ALL="C.UTF-8"),
              "tshark is not installed", "apt-get install tshark")
    other = false_tshark(directory, "")
    os.chmod(os.path.join(directory, "bin", "tshark"), 0o644)
    other["PATH"] = os.path.join(directory, "bin")
    complains(result, other, "tshark cannot be started", "Permission denied")


@scenario("tshark fails or dies in the middle: what it said until then counts for nothing")
def dies(directory):
    result = talk(directory)
    half = "printf '1\\tMEMCACHE\\tforged\\n2\\tMEMC'\n"
    complain = "printf 'one\\n\\033[31mtwo\\n' >&2\n"
    complains(result, false_tshark(directory, half + complain + "exit 3\n"),
              "tshark ended with status 3", '"\\x1b[31mtwo"')
    with open(os.path.join(directory, "bin", "tshark"), "w", encoding="ascii") as file:
        file.write("#!/bin/sh\n" + half + "kill -9 $$\n")
    complains(result, dict(os.environ, PATH=f"{directory}/bin:{os.environ['PATH']}",
                           COLUMNS="160", LC_ALL="C.UTF-8"), "tshark was killed by signal 9")


@scenario("tshark prints without end: it is ended, and nothing is filled up")
def floods(directory):
    result = talk(directory)
    complains(result, false_tshark(directory, "exec yes '1\tMEMCACHE\tx'\n"),
              "tshark was killed by signal")


HOSTILE = r"""
printf '\n\t\t\t\ngarbage\377\n-1\tMEMCACHE\tno\n99999999999999999999\tMEMCACHE\tno\n0\tMEMCACHE\tno\n'
printf '1\tMEMCACHE\t\033[31m\033]0;x\007<script>alert(1)</script>"; A->>B: no\302\233\342\200\256'
head -c 100000 /dev/zero | tr '\0' x
printf '\n2\t\033[31m\tno\n3\tMEMCACHE\tlater\n2\tMEMCACHE\tearlier\n1\tMEMCACHE\tagain\n'
printf '5\tMEMCACHE\tbeyond\n4\tMEMCACHE\tcut off'
"""


@scenario("hostile output: escapes, garbage, long and forged lines become harmless words or none")
def hostile(directory):
    result = talk(directory)
    environment = false_tshark(directory, HOSTILE)
    for form in "text", "html", "svg", "mermaid", "plantuml", "dot", "trace-event":
        drawn = draw(result, environment, form=form)
        expect_equal(drawn.stderr, b"", f"{form}: nothing to complain of")
        for evil in b"\x1b", b"\x07", b"\xc2\x9b", "\u202e".encode():
            expect(evil not in drawn.stdout, f"{form}: {evil!r} is not in it")
        if form in ("html", "svg"):
            expect(b"<script>alert" not in drawn.stdout, f"{form}: no script is in it")
    asked = call([IPCLENS, "messages", "--dissect", "--mechanism", "unix-stream", result.trace_path],
                 env=environment).stdout
    words = [json.loads(line).get("summary") for line in asked.splitlines()]
    expect(words[0].startswith("\\x1b[31m\\x1b]0;x\\a<script>"), "the first line", words[0])
    expect(len(words[0]) < 400, "it is cut", len(words[0]))
    expect_equal(words[1:], [None, "later", None], "no line is believed that is out of order")


def told_by(result, environment):
    """What a false tshark says of itself: it fails, and its last complaint is quoted."""
    return re.search(r'status 9: "(.*?)"', draw(result, environment).stderr.decode()).group(1)


@scenario("tshark has no rights of root, no terminal, no descriptors, no environment of ours")
def confined(directory):
    result = talk(directory)
    environment = false_tshark(
        directory,
        "set -- $(id -u) $(id -g) $(id -G) fds $(ls /proc/self/fd | wc -l)\n"
        "tty=no; (exec </dev/tty) 2>/dev/null && tty=yes\n"
        'echo "$* $tty $(env | grep -c SECRET) $(grep -c NoNewPrivs:.1 /proc/self/status)" >&2\n'
        "exit 9\n",
    )
    environment["SECRET"] = "1"
    nobody = "65534 65534 65534"
    # ls has its three streams and the folder that it lists.
    expect_equal(told_by(result, environment), f"{nobody} fds 4 no 0 1", "as root without sudo")
    user = test_user()
    for path in (directory, result.trace_path):  # which is opened as that user, too
        os.chmod(path, os.stat(path).st_mode | 0o055)
    sudo = dict(environment, SUDO_UID=str(user.pw_uid), SUDO_GID=str(user.pw_gid))
    said = told_by(result, sudo).split(" fds")[0].split()
    expect_equal(said[:2], [str(user.pw_uid), str(user.pw_gid)], "by sudo")
    expect("0" not in said, "no group of root", said)


HANGS = """
trap '' INT TERM
echo $$ >"{directory}/pids/pid"
while :; do sleep 0.05; done
"""


def hanging(directory):
    """A tshark that never ends, and a function that waits for its number."""
    pids = os.path.join(directory, "pids")
    os.mkdir(pids)
    os.chmod(pids, 0o777)
    path = os.path.join(pids, "pid")

    def started():
        return os.path.exists(path) and os.path.getsize(path) > 1

    def pid():
        wait_for(started, "the start of tshark")
        with open(path, encoding="ascii") as file:
            return int(file.read())

    return false_tshark(directory, HANGS.format(directory=directory)), pid


@scenario("tshark hangs: it is ended at its limit, and the picture comes")
def hangs(directory):
    result = talk(directory)
    environment, pid = hanging(directory)
    drawn = draw(result, environment)
    expect_in("tshark was ended after 10 seconds", drawn.stderr.decode(), "what it says")
    expect_equal(drawn.stdout.decode(), result.view(columns=160), "the picture as without")
    wait_for(lambda: gone(pid()), "its end")


@scenario("Ctrl-C, and kill -9: tshark ends with ipclens")
def interrupted(directory):
    result = talk(directory)
    for number in signal.SIGINT, signal.SIGKILL:
        own = os.path.join(directory, str(int(number)))
        os.mkdir(own)
        os.chmod(own, 0o755)
        environment, pid = hanging(own)
        words = [IPCLENS, "view", "--dissect", result.trace_path]
        with subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL) as view:
            tshark = pid()
            view.send_signal(number)
            expect_equal(view.wait(20), -number, "how ipclens ended")
        wait_for(lambda n=tshark: gone(n), "the end of tshark")


def waiting(directory):
    """A tshark that reads nothing until let_go() is called; then it is the real one."""
    gate = os.path.join(directory, "gate")
    os.mkfifo(gate)
    os.chmod(gate, 0o644)  # it is nobody who reads it
    text = f'read -r _ <"{gate}"\nPATH=/usr/bin:/bin exec tshark "$@"\n'
    environment = dict(false_tshark(directory, text), TERM="xterm", NO_COLOR="1")

    def has_passed():
        try:
            os.close(os.open(gate, os.O_WRONLY | os.O_NONBLOCK))
        except OSError as error:
            expect_equal(error.errno, errno.ENXIO, "nobody reads the gate yet")
            return False
        return True

    return environment, lambda: wait_for(has_passed, "tshark at its gate")


def both(result, *options):
    """The picture without tshark's words, and with them."""
    plain, worded = (result.view(*more, *options, columns=160) for more in ((), ("--dissect",)))
    expect(plain != worded, "tshark has words for it")
    return plain, worded


def content(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None


def drawing_into(result, path, environment):
    words = [IPCLENS, "view", "--dissect", "-o", path, result.trace_path]
    return subprocess.Popen(words, env=environment, stderr=subprocess.PIPE)


@scenario("a file has the picture before tshark has answered, then the one with words in its place")
def replaced(directory):
    needs("tshark")
    result = talk(directory)
    environment, let_go = waiting(directory)
    folder = os.path.join(directory, "pictures")
    os.mkdir(folder)
    for form in "html", "txt", "svg", "mmd", "puml":
        plain, worded = both(result, "-o", "/dev/stdout", "--as",
                             {"txt": "text", "mmd": "mermaid", "puml": "plantuml"}.get(form, form))
        path = os.path.join(folder, f"page.{form}")
        with drawing_into(result, path, environment) as process:
            wait_for(lambda p=path, wanted=plain: content(p) == wanted, f"the first {form}")
            before = os.open(path, os.O_RDONLY)
            let_go()
            expect_equal(process.communicate(timeout=60)[1], b"", "nothing to complain of")
            expect_equal(process.returncode, 0, "exit status")
        expect_equal(content(path), worded, f"the {form} with words")
        expect_equal(os.stat(path).st_mode & 0o777, 0o600, "who may read it")
        with open(before, encoding="utf-8") as file:
            expect_equal(file.read(), plain, "who has opened the first one keeps it whole")
    names = [f"page.{form}" for form in ("html", "mmd", "puml", "svg", "txt")]
    expect_equal(sorted(os.listdir(folder)), names, "nothing else is left there")


@scenario("Ctrl-C before tshark has answered leaves the first picture, and nothing beside it")
def kept(directory):
    needs("tshark")
    result = talk(directory)
    environment, pid = hanging(directory)
    folder = os.path.join(directory, "pictures")
    os.mkdir(folder)
    path = os.path.join(folder, "page.html")
    plain = result.view("-o", "/dev/stdout", "--as", "html", columns=160)
    with drawing_into(result, path, environment) as process:
        wait_for(lambda: content(path) == plain, "the first page")
        process.send_signal(signal.SIGINT)
        expect_equal(process.wait(20), -signal.SIGINT, "how ipclens ended")
    expect_equal(content(path), plain, "the page")
    expect_equal(os.listdir(folder), ["page.html"], "what is there")
    wait_for(lambda: gone(pid()), "the end of tshark")


@scenario("a directory that takes no new file: the words come into the file that is there")
def in_place(directory):
    needs("tshark")
    result = talk(directory)
    os.chmod(result.trace_path, 0o644)
    plain, worded = both(result, "-o", "/dev/stdout", "--as", "html")
    environment, let_go = waiting(directory)
    user = test_user()
    path = os.path.join(directory, "page.html")
    with open(path, "wb"):
        os.chown(path, user.pw_uid, user.pw_gid)  # the directory is root's
    sudo = dict(environment, SUDO_UID=str(user.pw_uid), SUDO_GID=str(user.pw_gid))
    node = os.stat(path).st_ino
    with drawing_into(result, path, sudo) as process:
        wait_for(lambda: content(path) == plain, "the first page")
        let_go()
        expect_equal(process.communicate(timeout=60)[1], b"", "nothing to complain of")
        expect_equal(process.returncode, 0, "exit status")
    expect_equal(content(path), worded, "the page with words")
    expect_equal(os.stat(path).st_ino, node, "the same file")


@scenario("into a pipe the picture comes once, with its words")
def piped(directory):
    needs("tshark")
    result = talk(directory)
    _, worded = both(result)
    environment, let_go = waiting(directory)
    words = [IPCLENS, "view", "--dissect", result.trace_path]
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE) as process:
        let_go()
        expect_equal(process.communicate(timeout=60)[0].decode(), worded, "what came")


def on_screen(result, environment, *options, rows=0):
    """view --dissect on a terminal; screen() is what it showed until now."""
    words = [IPCLENS, "view", "--dissect", *options, result.trace_path]
    process, master, shown = on_terminal(words, rows=rows, env=environment)

    def screen():
        return shown().decode(errors="replace").replace("\r\n", "\n")

    def ended():
        screen()
        return process.poll() is not None

    return process, master, screen, ended


STILL = "tshark still reads what was said: below, all comes once more with its words.\n\n"
ONCE_MORE = "\nOnce more, with tshark's words:\n\n"


@scenario("on a terminal the picture comes at once, then how far tshark is, then all with words")
def shown_twice(directory):
    needs("tshark")
    result = talk(directory)
    plain, worded = both(result)
    environment, let_go = waiting(directory)
    process, _, screen, ended = on_screen(result, environment, "--no-pager")
    wait_for(lambda: plain in screen(), "the picture without words")
    wait_for(lambda: "the picture is there, and tshark reads" in screen(), "how far tshark is")
    let_go()
    wait_for(ended, "the second picture")
    expect_equal(process.returncode, 0, "exit status")
    *progress, second = screen().split("\x1b[K")  # before the first one, too, on a busy machine
    firsts = [part for part in progress if part.lstrip("\r").endswith(STILL + plain + "\r")]
    expect_equal(len(firsts), 1, f"what came at once, in {progress}")
    progress.remove(firsts[0])
    others = [part for part in progress if part.strip() and "ipclens: " not in part[:12]]
    expect_equal(others, [], "nothing but progress beside the two")
    expect_equal(second, ONCE_MORE + worded, "what came in the end, where progress was wiped")


@scenario("on a terminal tshark may have nothing to say, or fail: the picture stays alone")
def shown_once(directory):
    result = talk(directory)
    plain = result.view(columns=160)
    gate = os.path.join(directory, "gate")
    os.mkfifo(gate)
    os.chmod(gate, 0o644)
    environment = dict(
        false_tshark(directory, f'read -r status <"{gate}"; exit $status\n'),
        TERM="xterm", NO_COLOR="1"
    )
    for status, said in (0, ""), (3, "tshark ended with status 3"):
        _, _, screen, ended = on_screen(result, environment, "--no-pager")
        wait_for(lambda: STILL + plain in screen(), "the picture")
        with open(gate, "w", encoding="ascii") as file:
            file.write(f"{status}\n")
        wait_for(ended, "its end")
        shown = screen()
        expect_equal(shown.count(plain), 1, "pictures")
        expect_in("\ntshark has no words for it.\n", shown, "what it says instead")
        expect_in(said, shown.split("tshark has no words for it.")[-1], "why")


@scenario("a pager gets the second picture behind the first; who leaves it waits for nothing")
def paged(directory):
    needs("tshark", "less")
    result = talk(directory)
    _, worded = both(result)
    environment, let_go = waiting(directory)
    process, master, screen, ended = on_screen(result, environment, rows=8)
    wait_for(lambda: "tshark still reads" in screen(), "the first lines")
    let_go()
    os.write(master, b"G")
    last = worded.rstrip("\n").split("\n")[-1][:60]
    wait_for(lambda: last in screen(), "the end of all")
    os.write(master, b"?Once more\n")  # it marks what it finds
    begins = re.compile(r"Once more(?:\x1b\S*?m)+, with tshark's words:")
    wait_for(lambda: begins.search(screen()), "where the second picture begins")
    expect(process.poll() is None, "the pager is still there")
    os.write(master, b"q")
    wait_for(ended, "its end")
    expect_equal(process.returncode, 0, "exit status")
    left = os.path.join(directory, "left")
    os.mkdir(left)
    os.chmod(left, 0o755)
    environment, pid = hanging(left)
    process, master, screen, ended = on_screen(result, dict(environment, TERM="xterm"), rows=8)
    wait_for(lambda: "tshark still reads" in screen(), "the first lines")
    os.write(master, b"q")
    wait_for(ended, "its end, while tshark works")
    expect_equal(process.returncode, 0, "exit status")
    expect("ended after" not in screen(), "nothing to complain of", screen())
    wait_for(lambda: gone(pid()), "the end of tshark")


@scenario("a trace from a pipe is told as it comes, by what is built in")
def from_a_pipe(directory):
    result = talk(directory)
    with open(result.trace_path, "rb") as file:
        asked = call([IPCLENS, "messages", "--dissect", "-"], stdin=file)
    expect_equal(asked.stdout, call([IPCLENS, "messages", result.trace_path]).stdout, "the messages")
    expect_in("in a file", asked.stderr.decode(), "and it says why")


if __name__ == "__main__":
    main()
