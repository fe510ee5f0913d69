#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Well-known hangs of Python's processes and threads, by `run --timeout`, in its trace and by -p; a
daemon that waits for a signal is none.

Each workload tells who its processes are, as "name=pid", in its standard error.
"""
import os
import signal
import time

from expectations import expect, expect_equal, expect_in
from findings import diagnose, severe
from hangs import (
    PYTHON, TIMED_OUT, asleep, hanging, has, looked_at, named_parties, traced, untraced,
)  # fmt: skip
from harness import main, run, scenario, start, wait_for

MAY_RUN_BESIDE_OTHERS = True

TELL = """
import os, sys
def tell(name): os.write(2, f"{name}={os.getpid()}\\n".encode())
"""

# The third task ends its worker, and multiprocessing.Pool waits for its result for ever.
POOL = TELL + """
import multiprocessing
def work(number):
    if number == 3:
        tell("worker")
        os._exit(7)
    return number
if __name__ == "__main__":
    tell("pool")
    with multiprocessing.Pool(2) as pool:
        pool.map(work, range(6), chunksize=1)
"""

# The worker raises an exception instead of putting something into the queue.
QUEUE = TELL + """
import multiprocessing
def work(queue):
    tell("worker")
    raise ValueError
if __name__ == "__main__":
    tell("reader")
    queue = multiprocessing.Queue()
    multiprocessing.Process(target=work, args=(queue,)).start()
    queue.get()
"""

# Workers that are killed while their parent waits: before or after they have put something into
# the queue, beside another one, with a task that is never done; and one whose end was asked for.
KILLED = TELL + """
import multiprocessing, time
how = sys.argv[1]
def work(tasks, results):
    while True:
        number = tasks.get()
        if number == {"silent": 0}.get(how, 2):
            tell("worker")
            results.close()
            results.join_thread()
            os.kill(os.getpid(), 9)
        results.put(number)
        if how == "task":
            tasks.task_done()
if __name__ == "__main__":
    tell("reader")
    context = multiprocessing.get_context("fork")
    tasks, results = context.JoinableQueue(), context.Queue()
    workers = [context.Process(target=work, args=(tasks, results)) for _ in range(1 + (how == "two"))]
    for worker in workers:
        worker.start()
    for number in range(4):
        tasks.put(number)
    if how == "reaped":
        workers[0].join()
        while not results.empty():
            results.get()
    if how == "task":
        tasks.join()
    while True:
        results.get()
"""

# What is said of each, by a trace and by -p: the finding, the evidence, and the remedy.
SAID_OF_KILLED = {
    "silent": ("no-eof", "could have written there, ended before it did (SIGKILL)", "a timeout"),
    "some": ("no-eof", "which had written there, ended (SIGKILL)", "give get() a timeout"),
    "two": ("deadlock", "ended (SIGKILL)", "raises BrokenProcessPool"),
    "task": ("semaphore-stuck", None, "let a monitor that sees the end post"),
}

# It waits for a filter's answer, or for a handler of its own to write, and a child of it failed.
UNRELATED = TELL + """
import signal, subprocess
failed = subprocess.Popen(["false"])
os.waitid(os.P_PID, failed.pid, os.WEXITED | os.WNOWAIT)
tell("daemon")
if sys.argv[1] == "filter":
    filter = subprocess.Popen(["sort"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    filter.stdout.read()
ready, wake = os.pipe()
signal.signal(signal.SIGUSR1, lambda *_: os.write(wake, b"x"))
os.read(ready, 1)
"""

# The child has the lock as it was at the fork: taken, by a thread that it does not have.
FORKED = TELL + """
import multiprocessing, threading
lock, taken, done = threading.Lock(), threading.Event(), threading.Event()
def hold():
    with lock:
        taken.set()
        done.wait(1)
def wait():
    tell("child")
    with lock: pass
tell("parent")
threading.Thread(target=hold).start()
taken.wait()
child = multiprocessing.get_context("fork").Process(target=wait)
child.start()
done.set()
child.join()
"""

# The parent notifies before the child waits, and then waits for the child's end.
EARLY = TELL + """
import multiprocessing
def wait(condition, notified):
    tell("child")
    with condition:
        notified.acquire()
        condition.wait()
if __name__ == "__main__":
    fork = multiprocessing.get_context("fork")
    condition, notified = fork.Condition(), fork.Semaphore(0)
    tell("parent")
    with condition:
        condition.notify()
    notified.release()
    child = fork.Process(target=wait, args=(condition, notified))
    child.start()
    child.join()
"""

DAEMON = TELL + """
import signal, threading
stop = threading.Event()
{handler}
tell("daemon")
stop.wait()
"""
HANDLER = "signal.signal(signal.SIGTERM, lambda *_: stop.set())"


def command(text):
    return [PYTHON, "-c", text]


def told_of(findings, pid):
    """The errors and warnings that name this process."""
    found = [finding for finding in severe(findings) if pid in finding["processes"]]
    expect(found, f"something is told of {pid}", findings)
    return found


def evidence(finding):
    return "\n".join(finding["evidence"])


@scenario("a Pool whose worker ended with its task: run and trace say which worker, and how")
def lost_task(directory):
    text, findings, result = traced(directory, command(POOL), 3)
    names = named_parties(result)
    said = [f for f in told_of(findings, names["pool"]) if names["worker"] in f["processes"]]
    expect(said, "the worker is named", findings)
    expect_equal(text.count("] ended (exit 7) after"), 1, "run says it once, of all threads")
    expect_in(f"[{names['worker']}] ended (exit 7) after the last thing", evidence(said[0]), "how")
    expect_in("ProcessPoolExecutor raises BrokenProcessPool", said[0]["advice"], "the remedy")
    expect_in(f"[{names['worker']}] ended (exit 7)", text, "run says so")


@scenario("a Pool whose tasks all had an answer lacks nothing, whatever its workers end with")
def no_lost_task(directory):
    healthy = POOL.replace("if number == 3:", "if number == 9:").replace(
        "range(6), chunksize=1)",
        "range(6), chunksize=1)\n        tell('done')\n        import time\n        time.sleep(60)",
    )
    _, findings, result = traced(directory, command(healthy), 3)
    expect_in("done", named_parties(result), "it came so far")
    expect(not any("ended (" in evidence(finding) for finding in findings), "no task", findings)


@scenario("a Queue whose writer raised: run and trace say who failed, and a remedy that is one for Queues")
def failed_writer(directory):
    text, findings, result = traced(directory, command(QUEUE), 3)
    names = named_parties(result)
    (found,) = told_of(findings, names["reader"])
    expect_in(names["worker"], found["processes"], "the worker is named")
    expect_in(f"[{names['worker']}], which could have written there, ended before it did (exit 1)",
              evidence(found), "how")
    expect_in("give get() a timeout", found["advice"], "the remedy")
    expect_in("ended before it did (exit 1)", text, "run says so")


def check_forked(findings, names):
    (found,) = told_of(findings, names["parent"])
    expect_in(names["child"], found["processes"], "who waits for the lock")
    expect_in(f"is a copy of python3[{names['parent']}] by fork()", found["text"], "why")
    expect_in('set_start_method("spawn")', found["advice"], "the remedy")


@scenario("a child forked while another thread held a lock: run, trace and -p say what it lacks")
def forked(directory):
    text, findings, result = traced(directory, command(FORKED), 3)
    check_forked(findings, named_parties(result))
    expect_in("by fork(), which copies a lock", text, "run says so")
    process = start(directory, command(FORKED), start_new_session=True)
    try:
        wait_for(lambda: hanging(2)(process), "both to sleep")
        names = named_parties(process)
        copied = lambda found: any("by fork()" in finding["text"] for finding in found)
        check_forked(looked_at(names["parent"], copied, "the copied lock")[0], names)
    finally:
        os.killpg(process.process.pid, signal.SIGKILL)
        process.process.wait()


# Each worker raises before it takes a task, and the pool starts another one for it.
FAILING = TELL + """
import multiprocessing, time
def begin():
    raise ValueError
if __name__ == "__main__":
    tell("pool")
    with multiprocessing.Pool(2, initializer=begin) as pool:
        pool.apply(abs, (-1,))
"""
# Each worker ends well after one task, or fails at its end: the others go on.
SOUND_POOL = TELL + """
import multiprocessing, time
def work(number):
    time.sleep(0.1)
    return number
if __name__ == "__main__":
    tell("pool")
    with multiprocessing.Pool(2, maxtasksperchild=1) as pool:
        while True:
            pool.map(work, range(6), chunksize=1)
"""


def pool_waits(result):
    names = named_parties(result)
    return "pool" in names and asleep(names["pool"])


@scenario("a Pool whose workers fail before they take a task is told why it waits, with the remedy")
def failing(directory):
    result = run(directory, command(FAILING), "--timeout", 5, "--diagnose-only", "--lang", "en",
                 status=TIMED_OUT, whole=False)
    (found,) = severe(diagnose(result.trace_path)[0])
    expect_equal(found["id"], "blocked", "what is told")
    expect_in(named_parties(result)["pool"], found["processes"], "who waits")
    expect_in(" have failed one after the other (exit 1), ", found["text"], "the cause")
    expect_in("initializer", found["advice"], "the remedy")
    expect_in(" have failed one after the other ", result.stderr.decode(), "run says so")
    pool = lambda result: named_parties(result)["pool"]
    looked, result = untraced(directory, command(FAILING), pool_waits, "blocked", severe, pool)
    (seen,) = severe(looked)
    expect_in(pool(result), seen["processes"], "-p: who waits")
    expect_in(" have failed one after the other (exit 1), ", seen["text"], "-p: the cause")
    expect_equal(seen["advice"], found["advice"], "-p: the same remedy")


@scenario("a Pool that replaces workers which have done their task is sound")
def replaced(directory):
    result = run(directory, command(SOUND_POOL), "--timeout", 2, status=TIMED_OUT, whole=False)
    expect_equal(severe(diagnose(result.trace_path)[0]), [], "no fault")
    place = os.path.join(directory, "untraced")
    os.mkdir(place)
    for name, program in {"tasks": SOUND_POOL, "jobs": JOBS}.items():
        sound_at_a_look(place, command(program), name)


# It waits for orders, and each job of its own that fails is done by another program.
JOBS = TELL + """
import subprocess, threading, time
def work():
    while True:
        subprocess.run(["false"])
threading.Thread(target=work, daemon=True).start()
r, w = os.pipe()
tell("pool")
os.read(r, 1)
"""


def sound_at_a_look(place, words, name):
    result = start(place, words, start_new_session=True)
    try:
        wait_for(lambda: pool_waits(result), f"{name} to wait")
        time.sleep(1)  # a wait is told of when it has lasted for half a second
        found = severe(diagnose("-p", str(named_parties(result)["pool"]))[0])
        expect("failed" not in str(found), f"{name}: no child is at fault", found)
    finally:
        os.killpg(result.process.pid, signal.SIGKILL)
        result.process.wait()


@scenario("a Condition that is notified before the other process waits: run tells of one circle, once")
def notified_early(directory):
    text, findings, result = traced(directory, command(EARLY), 3)
    names = named_parties(result)
    told_of(findings, names["child"])
    circle = [f"python3[{names[one]}] and python3[{names[other]}] wait for each"
              for one, other in (("parent", "child"), ("child", "parent"))]
    expect(any(order in text for order in circle), "who, whichever slept first", text)
    expect_in("\n1 error, 0 warnings, ", text, "the wait in the circle is told once")


def look(directory, name, words, whom="daemon", told="blocked"):
    """What -p says of it, once it is told that it sleeps; and who is who."""
    place = os.path.join(directory, name)
    os.mkdir(place)
    process = start(place, words, start_new_session=True)
    try:
        wait_for(lambda: whom in named_parties(process), "it to begin")
        names = named_parties(process)
        wait_for(lambda: asleep(names[whom]), "it to sleep")
        return looked_at(names[whom], has(told), told)[0], named_parties(process)
    finally:
        os.killpg(process.process.pid, signal.SIGKILL)
        process.process.wait()


@scenario("-p: who sleeps until a handler of SIGTERM wakes it is healthy; without one it hangs")
def daemon(directory):
    findings, _ = look(directory, "handled", command(DAEMON.replace("{handler}", HANDLER)))
    expect_equal(severe(findings), [], "no fault")
    expect_in("its handler of SIGTERM", findings[0]["text"], "what it waits for")
    findings, _ = look(directory, "unhandled", command(DAEMON.replace("{handler}", "")))
    (found,) = severe(findings)
    expect_in("and has none", evidence(found), "nobody wakes it")


def check_killed(findings, names, name, line, remedy):
    found = next(f for f in findings if f["id"] == name and names["reader"] in f["processes"])
    expect_equal(found["severity"], "error", "it hangs for ever")
    if line:
        expect_in(names["worker"], found["processes"], "the worker is named")
        expect_in(f"[{names['worker']}]", evidence(found), "also in the evidence")
        expect_in(line, evidence(found), "how it ended")
    expect_in(remedy, found["advice"], "the remedy")


@scenario("a worker that is killed while its parent waits: run, trace and -p say so, and one remedy")
def killed(directory):
    for how, (name, line, remedy) in SAID_OF_KILLED.items():
        words = [*command(KILLED), how]
        place = os.path.join(directory, how)
        os.mkdir(place)
        text, findings, result = traced(place, words, 3)
        check_killed(findings, named_parties(result), name, line, remedy)
        expect_in(f" {name}  ", text, "run says so")
        findings, names = look(place, "untraced", words, "reader", name)
        ended = f"a child of python3[{names['reader']}], has ended (SIGKILL)"
        check_killed(findings, names, name, ended, remedy)


@scenario("-p of one whose worker was killed and collected says what a Queue does not notice")
def reaped(directory):
    findings, names = look(directory, "reaped", [*command(KILLED), "reaped"], "reader")
    (found,) = severe(findings)
    expect_equal(found["processes"], [names["reader"]], "nobody else is there")
    expect_in("multiprocessing.Queue does not notice that; give get() a timeout", found["advice"], "")


@scenario("-p: a failed child that is not collected is no writer where a handler writes, and no worker")
def unrelated(directory):
    findings, _ = look(directory, "handler", [*command(UNRELATED), "handler"])
    expect(not has("no-eof")(findings), "its handler writes", findings)
    findings, _ = look(directory, "filter", [*command(UNRELATED), "filter"], told="deadlock")
    (found,) = severe(findings)
    expect_in("close p.stdin", found["advice"], "the remedy of filters")
    expect("has ended" not in evidence(found), "false(1) was no filter", found)


main()
