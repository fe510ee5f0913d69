#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Threads that an exception has ended, while the others wait for their work: which one died, what it
said, and what to do, by run and of a trace."""
import os
import subprocess

from expectations import expect, expect_equal, expect_in
from findings import diagnose
from hangs import PYTHON, TIMED_OUT, traced
from harness import each_in_place, main, needs, recorder, scenario, start

MAY_RUN_BESIDE_OTHERS = True

WORKER = """
import queue, threading
asked, done = queue.Queue(), queue.Queue()
def work():
    while True:
        done.put(10 // asked.get())
threading.Thread(target=work, daemon=True).start()
for number in 2, 0:
    asked.put(number)
for _ in range(2):
    done.get()
"""

POOL = """
import multiprocessing
def half(number):
    return number / 2
def complain(result):
    raise ValueError("nobody catches this")
if __name__ == "__main__":
    with multiprocessing.Pool(2) as pool:
        results = [pool.apply_async(half, (n,), callback=complain) for n in range(3)]
        for result in results:
            result.get()
"""

PERL = """
use threads; use Thread::Queue;
my ($asked, $done) = (Thread::Queue->new, Thread::Queue->new);
threads->create(sub { $done->enqueue(10 / $asked->dequeue) while 1 })->detach;
$asked->enqueue(2, 0);
$done->dequeue for 1 .. 2;
"""

JAVA = """
import java.util.concurrent.LinkedBlockingQueue;
class Worker {
    public static void main(String[] words) throws Exception {
        LinkedBlockingQueue<Integer> done = new LinkedBlockingQueue<>();
        new Thread(() -> { done.add(10 / words.length); }).start();
        done.take();
    }
}
"""


def python(text):
    return lambda place: [PYTHON, written(place, "program.py", text)]


def perl(place):
    return ["perl", written(place, "program.pl", PERL)]


def java(place):
    subprocess.run(["javac", written(place, "Worker.java", JAVA)], check=True, cwd=place)
    return ["java", "-cp", place, "Worker"]


def written(place, name, text):
    path = os.path.join(place, name)
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
    return path


def heard(command):
    """Its standard error is a pipe, as what goes into a file is not traced."""
    return ["bash", "-c", 'exec "$@" 2> >(exec cat >&2)', "bash", *command]


# name: its command, seconds, what it said, and the remedy
DIED = {
    "queue": (python(WORKER), 4, "ZeroDivisionError: integer division or modulo by zero",
              "concurrent.futures"),
    "perl": (perl, 4, "Illegal division by zero", "with eval"),
    "java": (java, 6, "java.lang.ArithmeticException: / by zero", "ExecutorService"),
}  # fmt: skip


@scenario("who waits for the work of a thread that an exception has ended is told so, and the remedy")
def died(directory):
    needs("perl", "javac")
    for name, (command, seconds, said, remedy), place in each_in_place(directory, DIED):
        text, findings, _ = traced(place, heard(command(place)), seconds)
        check(name, findings, text, said, remedy)


def check(name, findings, text, said, remedy):
    told = [f for f in findings if f["id"] == "blocked" and f["severity"] == "warning"]
    expect_equal(len(told), 1, f"{name}: one warning: {findings}")
    evidence = " ".join(told[0]["evidence"])
    expect_in("ended by an exception, and", evidence, name)
    expect_in(said, evidence, name)
    expect_in(remedy, told[0]["advice"], name)
    expect_in(said, text, f"{name}: run tells it, too")


@scenario("so is who waits for a Pool whose thread for the results has died")
def pool(directory):
    words = heard(python(POOL)(directory))
    options = ["--timeout", "3", "--diagnose-only", "--lang", "en"]
    # The Pool asks all the time whether a worker has ended: too many lines to look at each.
    result = start(directory, recorder(directory, words, *options, verb="run", output="--trace"))
    expect_equal(result.wait().status, TIMED_OUT, result.stderr.decode())
    check("pool", diagnose(result.trace_path)[0], result.stderr.decode(),
          "ValueError: nobody catches this", "let callbacks catch")


WAITS = """
import os, queue
def work():
    {work}
threading.Thread(target=work).start()
queue.Queue().get()
"""

# In none of these does anybody wait for the thread that died: in the last three other threads of the
# program sleep so, and work.
ALIVE = {
    "waits for its input": "import os; r, w = os.pipe(); os.read(r, 1)",
    "sleeps": "import time; time.sleep(60)",
    "waits for a child": "import subprocess; subprocess.run(['sleep', '60'])",
    "accepts": "import socket; socket.create_server(('127.0.0.1', 0)).accept()",
    "waits for one that computes": WAITS.replace("{work}", "while True: pass"),
    "waits for one that reads": WAITS.replace("{work}", "os.read(os.pipe()[0], 1)"),
    "computes": "threading.Thread(target=threading.Event().wait).start()\nwhile True: pass",
}
BREAKS = """
import threading
thread = threading.Thread(target=lambda: 1 // 0)
thread.start()
thread.join()
"""


@scenario("of who waits for something else it is not said that a thread of it died")
def alive(directory):
    for name, script, place in each_in_place(directory, ALIVE):
        _, findings, _ = traced(place, heard([PYTHON, "-c", BREAKS + script]))
        said = " ".join(line for f in findings for line in f["evidence"])
        expect("exception" not in said, name, findings)


if __name__ == "__main__":
    main()
