#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Programs that are sound, busy ones too, get no error and no warning from diagnose."""
import os
import resource
import shutil
import signal
import subprocess

import harness
from expectations import expect, expect_equal
from findings import diagnose, expect_nothing_rests_on_a_gap, severe
from harness import lab, main, needs, scenario, start, start_record, wait_for
from postgres import SCRIPT as POSTGRES
from postgres import cluster
from servers import APACHE, NGINX, WAIT, free_port
from traces import IPCLENS, call

SOUND_LABS = [
    ["connect", "ls", "wc"],
    ["fifo"],
    ["posixq"],
    ["sysvq"],
    ["eventfd"],
    ["reqresp"],
    ["seqpacket"],
    ["shmem"],
    ["unixdgram"],
    ["unixstream"],
    ["tcp6"],
    ["threads"],
    ["dupfork"],
    ["udp"],
    ["relay"],
]

# Workers that write in shared memory, each in a place of its own: nobody has to wait for anybody.
SLOTS = """
import mmap, os
slots = mmap.mmap(-1, 3)
for slot in range(3):
    if not os.fork():
        slots[slot] = slot
        os._exit(0)
for _ in range(3):
    os.wait()
assert slots[:] == bytes(range(3))
"""

# Several children end within one SIGCHLD, and the handler collects them all.
COLLECTS_ALL = """
import os, signal, time
def collect(*_):
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
signal.signal(signal.SIGCHLD, collect)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
for _ in range(12):
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
time.sleep(0.8)
"""

# Nobody has to collect them; and somebody does, but later.
KEEPS_NONE = """
use POSIX; sigaction SIGCHLD, POSIX::SigAction->new(sub {}, POSIX::SigSet->new, SA_NOCLDWAIT);
for (1..12) { fork or exit } select undef, undef, undef, 0.8 for 1..4;
"""
IGNORES = "$SIG{CHLD} = IGNORE; for (1..12) { fork or exit } select undef, undef, undef, 0.8"
COLLECTS_LATE = """
import subprocess, time
children = [subprocess.Popen(["true"]) for _ in range(12)]
time.sleep(0.8)
for child in children:
    child.wait()
"""

# It asks again and again, but sleeps in between.
ASKS_SLOWLY = """
import os, time
child = os.fork()
if not child:
    time.sleep(0.6)
    os._exit(0)
while os.waitpid(child, os.WNOHANG) == (0, 0):
    os.kill(child, 0)
    time.sleep(0.001)
"""

# What finds no room is sent when there is some.
SENDS_AGAIN = """
import os, select, socket
sender, receiver = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
if not os.fork():
    sender.close()
    for _ in range(100):
        receiver.recv(9)
    os._exit(0)
receiver.close()
sender.setblocking(False)
for number in range(100):
    while True:
        try:
            sender.send(b"%d" % number)
            break
        except BlockingIOError:
            select.select([], [sender], [])
os.wait()
"""

SOUND_COMMANDS = [
    *(
        f"/usr/bin/python3 -c '{code}'"
        for code in (COLLECTS_ALL, COLLECTS_LATE, ASKS_SLOWLY, SENDS_AGAIN)
    ),
    f"perl -e '{KEEPS_NONE}'",
    f"perl -e '{IGNORES}'",
    "(seq 100000 & seq 100000 & wait) | wc -l",
    f"/usr/bin/python3 -c '{SLOTS}'",
    "ls | wc",
    "yes | head -1",
    "bash -c 'exec 3< <(yes); head -1 <&3; exec 3<&-'",  # the shell's end is the last
    "seq 10000 | sort -n | tail -1",
    "echo a | cat | cat | cat",
    "sleep 0.2 & wait",
    "cat <<. | tr a b\naaa\n.",
    "x=$(echo hi); echo $x",
    "for i in 1 2 3; do echo $i; done | while read j; do echo $j; done",
    "sleep 5 & kill $!; wait; true",
    "sleep 5 & kill -USR1 $!",  # its last act, as of Erlang's inet_gethost
    "perl -e 'alarm 1; sleep 9' || true",  # the alarm is its own
    "find /usr/share/doc -name 'a*' | xargs echo | wc -c",
    "tar c /etc/alternatives 2>/dev/null | gzip | wc -c",
    "git --version | cat",
    "sleep 0.1 | cat",
    "(echo a; echo b >&2) 2>&1 | sort",
    "timeout 0.1 sleep 5; true",
    "dd if=/dev/zero bs=64k count=50 2>/dev/null | dd of=/dev/null bs=1k 2>/dev/null",
    "mkfifo p; (echo a; echo b) >p & cat p; wait; rm p",
    "seq 3 | xargs -P3 -n1 sh -c 'echo $0 | cat'",
    "seq 1000 | dd bs=48 2>/dev/null | dd bs=64 2>/dev/null | cat",
    "seq 1000 | dd bs=48 2>/dev/null | gzip | gzip -d | md5sum",
    "seq 5000 | dd bs=100 2>/dev/null | (head -c 150; cat) | od -c | tail -1",
    "tar c /etc/alternatives 2>/dev/null | dd bs=100 2>/dev/null | tar t | wc -l",
    "for i in 1 2 3 4 5 6 7 8 9; do echo tick $i; done | perl -e 'while (sysread STDIN, $b, 9) {}'",
    "bash -c 'for i in {100..140}; do printf %s $i; done | while read -rN 4 x; do :; done'",
    "for i in 1 2 3 4 5 6 7 8 9; do echo $i$i; done | awk '{ print; fflush() }' | dd bs=4",
    "/usr/bin/python3 -uc 'for i in range(100, 140): print(i)' | dd bs=7 of=copied",
    "dd if=/dev/zero bs=600 count=99 2>/dev/null | dd bs=512 2>/dev/null | wc -c",
    "printf 'all: a b\\na b: ; @sleep 0.1; echo $@\\n' | make -j4 -f -",
]


# 400 requests, 8 at a time: each on a connection of its own, then several on one (ab(1)).
LOAD = "ab -q -n 400 -c 8 {keep}http://127.0.0.1:{port}/conf >ab"
LOADED = "grep -q '^Complete requests: *400$' ab && grep -q '^Failed requests: *0$' ab"
LOADS = [f"{LOAD.replace('{keep}', keep)} && {LOADED} || exit 8" for keep in ("", "-k ")]

# Two workers share one port, and are told to end when all answers have come.
CLUSTER = """
const cluster = require("cluster"), http = require("http");
const port = +process.argv[2], host = "127.0.0.1";
let listening = 0, left = 6;
function ask() {
	http.get({ port, host, agent: false }, answer => answer.resume().on("end", () => {
		if (--left)
			ask();
		else
			cluster.disconnect();
	}));
}
if (cluster.isPrimary) {
	cluster.on("listening", () => ++listening == 2 && ask());
	cluster.fork();
	cluster.fork();
} else {
	http.createServer((question, answer) => answer.end("hi")).listen(port, host);
}
"""

# A thread takes from a child what the main one gives it, and passes that on.
JAVA = """
import java.util.concurrent.SynchronousQueue;
class Upper {
    static final SynchronousQueue<String> lines = new SynchronousQueue<>();
    static void take(Process child) {
        try (var from = child.inputReader()) {
            for (String line; (line = from.readLine()) != null;) lines.put(line);
        } catch (Exception wrong) { System.exit(3); }
    }
    public static void main(String[] words) throws Exception {
        Process child = new ProcessBuilder("tr", "a-z", "A-Z").start();
        Thread taker = new Thread(() -> take(child));
        taker.start();
        try (var to = child.outputWriter()) {
            for (int i = 0; i < 50; i++) to.write("line " + i + "\\n");
        }
        for (int i = 0; i < 50; i++) if (!lines.take().equals("LINE " + i)) System.exit(4);
        taker.join();
        System.exit(child.waitFor());
    }
}
"""

CHROMIUM = "chromium --headless --no-sandbox --disable-gpu --user-data-dir=$PWD/profile --dump-dom"

# A server, what loads it, and its orderly end; {directory} and {port} are filled in.
BUSY = {
    "redis-server": [
        "redis-server --port {port} --save '' --daemonize no >log & S=$!",
        WAIT % "redis-cli -p {port} ping",
        "redis-benchmark -p {port} -q -c 8 -n 2000 -t set,get,lpush",
        "redis-cli -p {port} shutdown nosave; wait",
    ],
    "memcached": [
        "memcached -u nobody -l 127.0.0.1 -p {port} -t 2 & S=$!",
        WAIT % "bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}'",
        "cat >load <<'END'\nexec 3<>/dev/tcp/127.0.0.1/{port}",
        "for i in $(seq 200); do printf 'set k%d 0 0 2\\r\\nhi\\r\\nget k%d\\r\\n' $i $i >&3; "
        "for k in 1 2 3 4; do read -r line <&3; done; done\nEND",
        "bash load; kill $S; wait",
    ],
    "nginx": [
        f"cat >conf <<'END'\n{NGINX}END",
        "nginx -p {directory} -c conf & S=$!",
        WAIT % "curl -s http://127.0.0.1:{port}/ping",
        *LOADS,
        "kill -QUIT $S; wait",
    ],
    "apache2": [
        f"cat >conf <<'END'\n{APACHE}END",
        "setsid apache2 -f {directory}/conf -DFOREGROUND & S=$!",
        WAIT % "curl -s http://127.0.0.1:{port}/conf",
        *LOADS,
        "kill -TERM $S; wait",
    ],
    "mosquitto": [
        "printf 'listener {port} 127.0.0.1\\nallow_anonymous true\\n' >conf",
        "mosquitto -c conf >log 2>&1 & S=$!",
        WAIT % "mosquitto_pub -p {port} -r -t rooms/0 -m hello",
        "for i in 1 2 3 4 5; do mosquitto_pub -p {port} -r -t rooms/$i -m $i -q $((i % 3)); done",
        "test $(mosquitto_sub -p {port} -t 'rooms/#' -C 6 | wc -l) = 6 || exit 8",
        "kill $S; wait",
    ],
    "node": [f"cat >cluster.js <<'END'\n{CLUSTER}END", "node cluster.js {port}"],
    "java": [f"cat >Upper.java <<'END'\n{JAVA}END", "java Upper.java"],
    "chromium": [
        "echo '<p id=p></p><script>p.textContent = 6 * 7</script>' >page.html",
        f"{CHROMIUM} file://$PWD/page.html >dom 2>log; grep '>42</p>' dom",
    ],
    "dbus-daemon": [
        "dbus-run-session -- sh -c 'for i in 1 2 3 4 5; do dbus-send --session --print-reply "
        "--dest=org.freedesktop.DBus / org.freedesktop.DBus.ListNames; done'",
    ],
    "git": [
        "git init -q a; cd a; git config user.email a@b; git config user.name a",
        "for i in 1 2 3; do seq 20000 >$i; git add $i; git commit -qm $i; done",
        "git log --stat | cat; git gc -q; cd ..; git clone -q file://$PWD/a b; git -C b fsck",
    ],
    "rsync": [
        "mkdir a; for i in $(seq 30); do seq $((i * 300)) >a/$i; done; rsync -a a/ b",
        "printf 'port = {port}\naddress = 127.0.0.1\nuse chroot = no\nuid = root\n"
        "[a]\npath = {directory}/a\n' >conf",
        "rsync --daemon --no-detach --config=conf & S=$!",
        WAIT % "rsync rsync://127.0.0.1:{port}/",
        "rsync -a rsync://127.0.0.1:{port}/a/ c; kill $S; wait; diff -r a b && diff -r a c",
    ],
    "make": [
        "printf 'all: a b c d e f\n%%: ; @seq 2000 | sort | wc -l\n' >m; make -j4 -f m",
    ],
    "tmux": [
        "tmux -S s -f /dev/null new-session -d -s work 'seq 1000; exec sh'",
        "for i in 1 2 3; do tmux -S s send-keys -t work 'seq 500' Enter; done",
        "tmux -S s new-window; tmux -S s list-windows; tmux -S s kill-server",
    ],
    "ssh-agent": [
        "eval $(ssh-agent -s); ssh-keygen -q -t ed25519 -N '' -f key",
        "for i in 1 2 3 4 5; do ssh-add -q key; ssh-add -l; done; ssh-agent -k",
    ],
    "sqlite3": [
        "for i in 1 2 3; do sqlite3 db 'pragma busy_timeout=9999; create table if not exists "
        "t(x); insert into t select 1' & done; wait; sqlite3 db 'select count(*) from t'",
    ],
    "python3": [
        "/usr/bin/python3 -c 'import multiprocessing as m\n"
        'if __name__ == "__main__":\n'
        ' with m.get_context("fork").Pool(3) as p: print(sum(p.map(abs, range(5000))))\n\'',
    ],
    "perl": [
        "perl -e 'open(P, \"seq 30000 |\"); $s += $_ while <P>; close P; print \"$s\\n\"'",
    ],
    "bash": [
        "bash -c 'coproc tr a-z A-Z; echo hi >&${COPROC[1]}; exec {COPROC[1]}>&-; "
        "cat <&${COPROC[0]}; diff <(seq 9) <(seq 9)'",
    ],
}


def is_torn_pipe(finding):
    """A pipe that is a byte stream, taken for one of messages."""
    return finding["id"] == "split-stream" and finding["channel"].startswith(("pipe", "fifo"))


def expect_sound(path, what):
    findings, summary = diagnose(path)
    faults = [f for f in findings if is_torn_pipe(f)] + severe(findings)
    expect(not faults, f"{what}: a sound program has no error and no warning", faults)
    expect_equal(summary["lost"], 0, f"{what}: nothing is lost")
    expect_nothing_rests_on_a_gap(path, 3)


def trace(directory, name, command, **options):
    place = os.path.join(directory, name)
    os.mkdir(place)
    return start_record(place, command, cwd=place, **options).wait()


@scenario("sound programs that look alike have no error and no warning")
def sound_programs(directory):
    commands = [lab(*words) for words in SOUND_LABS] + [["sh", "-c", c] for c in SOUND_COMMANDS]
    for number, command in enumerate(commands):
        run = trace(directory, str(number), command)
        expect_sound(run.trace_path, command)
        shutil.rmtree(run.directory)


def busy(directory, name):
    needs(name)
    place = os.path.join(directory, name)
    port = free_port()
    lines = [l.replace("{directory}", place).replace("{port}", str(port)) for l in BUSY[name]]
    options = {"environment": {"TERM": "xterm", "REDISCLI_HISTFILE": "/dev/null"}}
    run = trace(directory, name, ["sh", "-c", "\n".join(lines)], **options)
    expect_equal(run.status, 0, f"{name} ends well: {run.stderr.decode()}")
    expect_sound(run.trace_path, name)


for each in BUSY:
    scenario(f"{each} at work has no error and no warning")(
        lambda directory, each=each: busy(directory, each)
    )


def busy_s(command, path):
    """What a processor has to do for it; the least of three."""
    times = []
    for _ in range(3):
        began = resource.getrusage(resource.RUSAGE_CHILDREN)
        call([IPCLENS, command, path], stdout=subprocess.DEVNULL)
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(ended.ru_utime + ended.ru_stime - began.ru_utime - began.ru_stime)
    return min(times)


# A server of asyncio that waits for room, as its client reads slowly.
SLOWLY_READ = """
import asyncio, os, socket, threading, time
def read_slowly(port):
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        client.connect(("127.0.0.1", port))
        client.send(b"all, please\\n")
        while client.recv(1000):
            time.sleep(0.05)
async def answer(reader, writer):
    await reader.readline()
    writer.write(bytes(20_000_000))
    await writer.drain()
async def main():
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    if not os.fork():
        read_slowly(port)
        os._exit(0)
    await server.serve_forever()
asyncio.run(main())
"""

# A shell that waits for a program which starts one after another.
STARTS_PROGRAMS = """python3 -c '
import subprocess
while True:
    subprocess.run(["/bin/true"])'; true"""
LOOKS = 10


@scenario("a large answer that is still being sent at the time limit is no lost one")
def slowly_read(directory):
    command = ["/usr/bin/python3", "-c", SLOWLY_READ]
    result = harness.run(directory, command, "--timeout", "2", "--diagnose-only", status=124, whole=False)
    findings, _ = diagnose(result.trace_path)
    expect("partial-write" not in {finding["id"] for finding in findings}, "no lost rest", findings)


@scenario("who waits for a program that starts others all the time is not held up")
def starts_programs(directory):
    started = start(directory, ["sh", "-c", STARTS_PROGRAMS], start_new_session=True)
    shell = str(started.process.pid)
    try:
        wait_for(lambda: diagnose("-p", shell)[0], "a look that tells of the wait")
        for _ in range(LOOKS):
            faults = severe(diagnose("-p", shell)[0])
            expect(not faults, "it works", faults)
    finally:
        os.killpg(started.process.pid, signal.SIGKILL)
        started.process.wait()


@scenario("diagnosing takes no more than twice the time that pairing takes")
def time_taken(directory):
    copy = "dd if=/dev/zero bs=64 count=50000 2>/dev/null | dd of=/dev/null bs=64 2>/dev/null"
    run = trace(directory, "copy", ["sh", "-c", copy])
    pairing, diagnosing = (busy_s(name, run.trace_path) for name in ("messages", "diagnose"))
    expect(diagnosing <= 2 * pairing, "in processor time", (pairing, diagnosing))


@scenario("PostgreSQL under pgbench has no error and no warning")
def postgres(directory):
    environment = cluster(directory)
    command = ["sh", "-c", POSTGRES]
    run = start_record(directory, command, cwd=directory, environment=environment).wait()
    expect_equal(run.status, 0, run.stderr.decode())
    expect_sound(run.trace_path, "PostgreSQL")


if __name__ == "__main__":
    main()
