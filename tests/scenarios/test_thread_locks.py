#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Threads of one process that wait for each other's locks, by `diagnose -p` and `run --timeout`."""
import os
import signal

from expectations import expect, expect_equal, expect_in
from findings import severe
from hangs import compiled_java, has, looked_at, parties, traced, untraced
from harness import each_in_place, lab, main, run, scenario, start, wait_for

MAY_RUN_BESIDE_OTHERS = True

PYTHON = "/usr/bin/python3"
TIMED_OUT = 124

# Mutexes that tell who holds them; all threads that the lab logs are in the circle.
CIRCLES = ["two", "three", "robust", "itself"]

# Sound where somebody reads for all; and the C library puts who would close a circle of mutexes that
# inherit priority to sleep for ever, at nothing (pthread_mutex_lock(3): EDEADLK).
HELD = {"leader": ("note", "read("), "inheriting": ("warning", "waits for the lock at 0x")}

# Sleepers of which nobody can tell who could wake them: no thread is accused.
OWNERLESS = ["pool", "tokens", "rwlocks", "dead-owner"]

# As of a student's bank: two accounts, a transfer each way.
ACCOUNTS = """
import os, threading
a, b = threading.Lock(), threading.Lock()
both = threading.Barrier(2)
def transfer(one, other):
    with one:
        both.wait()
        with other:
            pass
threads = [threading.Thread(target=transfer, args=pair) for pair in ((a, b), (b, a))]
for thread in threads:
    thread.start()
os.write(1, b"%d\\n" % os.getpid())
for thread in threads:
    thread.join()
"""


def threads(pid):
    return [int(tid) for tid in os.listdir(f"/proc/{pid}/task")]


def sleeps(pid, tid):
    """In a futex, or to read: it says so only while it sleeps."""
    try:
        with open(f"/proc/{pid}/task/{tid}/syscall", encoding="ascii") as file:
            return file.read().split()[0] in ("0", "202")
    except (FileNotFoundError, ProcessLookupError):
        return False


def hang(directory, words, count):
    """Once all of its `count` threads sleep, main included."""
    os.makedirs(directory)
    result = start(directory, words, start_new_session=True)
    pid = result.process.pid
    wait_for(
        lambda: len(threads(pid)) == count and all(sleeps(pid, tid) for tid in threads(pid)),
        f"{words} to hang",
    )
    return result


def end(result):
    os.killpg(result.process.pid, signal.SIGKILL)
    result.process.wait()


def told(pid, name):
    """What -p finds once that finding is among it, and those of that name."""
    findings, _ = looked_at(pid, has(name), name)
    return findings, [finding for finding in findings if finding["id"] == name]


def logged(result):
    return [line["to"] for line in result.truth if line["do"] == "thread"]


def count_of(name):
    return {"two": 3, "robust": 3, "inheriting": 3, "rwlocks": 3, "itself": 2, "dead-owner": 2}.get(
        name, 4
    )


@scenario("diagnose -p names a circle of threads, each by the lock that the next one holds")
def circles(directory):
    for name in CIRCLES:
        result = hang(os.path.join(directory, name), lab("threadlocks", name), count_of(name))
        try:
            _, found = told(result.process.pid, "thread-lock")
            expect_equal([f["severity"] for f in found], ["error"], name)
            expect_equal(found[0]["processes"], [result.process.pid], name)
            for tid in logged(result):
                expect_in(f"thread {tid} ", found[0]["text"].replace(",", " "), name)
            others = [f"thread {tid} holds it" for tid in logged(result)]
            for line, tid in zip(found[0]["evidence"], logged(result)):
                expect_in(" waits for the lock at 0x", line, f"{name}: {tid}")
                expect_in(line.split(", which ")[1] + " it", others, f"{name}: who holds it")
            main_waits = f"thread {result.process.pid} waits for the end of thread "
            expect_in(main_waits, found[0]["evidence"][-1], f"{name}: main joins one of them")
            expect_in(f"gdb -p {result.process.pid}", found[0]["advice"], "where to look next")
        finally:
            end(result)


@scenario("diagnose -p accuses nobody of a lock where no owner can be told: condition variables")
def ownerless(directory):
    for name in OWNERLESS:
        result = hang(os.path.join(directory, name), lab("threadlocks", name), count_of(name))
        try:
            findings, found = told(result.process.pid, "blocked")
            expect(all(f["id"] != "thread-lock" for f in findings), name, findings)
            expect(any("each of its threads sleeps" in f["evidence"][0] for f in found), name, found)
            expect_in("it is no IPC", found[0]["advice"], name)
        finally:
            end(result)


@scenario("a thread that holds a lock and waits for no other's is no error: a note where it may act")
def held(directory):
    for name, (severity, evidence) in HELD.items():
        result = hang(os.path.join(directory, name), lab("threadlocks", name), count_of(name))
        try:
            findings, found = told(result.process.pid, "thread-lock")
            expect_equal([f["severity"] for f in found], [severity], f"{name}: {findings}")
            expect(any(evidence in line for line in found[0]["evidence"]), name, found)
        finally:
            end(result)


@scenario("threading.Lock of python3 tells no owner: all threads wait in memory of their own")
def python_locks(directory):
    result = hang(os.path.join(directory, "python"), [PYTHON, "-c", ACCOUNTS], 3)
    try:
        _, found = told(result.process.pid, "blocked")
        expect_equal([f["severity"] for f in found], ["warning"], "it hangs")
        expect_in("each of its threads sleeps", found[0]["evidence"][0], "why")
        expect_in(f"py-spy dump --pid {result.process.pid}", found[0]["advice"], "what tells more")
        expect_in("Python's lock keeps no owner", found[0]["text"], "why nobody is named")
    finally:
        end(result)


HELD_BY_READER = """
import os, threading, time
ends = os.pipe()
if not os.fork():
    time.sleep(60)
os.close(ends[1])
lock, taken = threading.Lock(), threading.Event()
def hold():
    with lock:
        taken.set()
        os.read(ends[0], 1)
threading.Thread(target=hold, daemon=True).start()
taken.wait()
lock.acquire()
"""


@scenario("who waits for a threading.Lock beside a thread that waits for IPC is told, too")
def python_lock_of_reader(directory):
    result = hang(os.path.join(directory, "reader"), [PYTHON, "-c", HELD_BY_READER], 2)
    try:
        _, found = told(result.process.pid, "blocked")
        evidence = " ".join(found[0]["evidence"])
        expect_in(f"thread {result.process.pid} of python3", evidence, "who waits")
        expect_in("Python's lock keeps no owner", evidence, "why nobody is named")
    finally:
        end(result)


@scenario("run --timeout says of such a circle what diagnose -p says")
def by_limit(directory):
    result = run(
        directory, lab("threadlocks", "two"), "--timeout", "2", "--diagnose-only", "--lang", "en",
        status=TIMED_OUT, whole=False,
    )  # fmt: skip
    text = result.stderr.decode()
    expect_in(" thread-lock ", text, "run says so")
    for tid in logged(result):
        expect_in(f"thread {tid} ", text, "who")
    expect_equal(text.count(" blocked "), 0, f"it is told once: {text}")


# Two locks taken in opposite orders, and a queue that nobody fills; then what only the clock keeps
# busy, and a server.
JAVA = """
import java.net.*;
import java.util.concurrent.*;
import java.util.concurrent.locks.*;
public class Threads {
    static void locks() throws Exception {
        var both = new CyclicBarrier(2);
        Lock a = new ReentrantLock(), b = new ReentrantLock();
        new Thread(() -> take(b, a, both)).start();
        take(a, b, both);
    }
    static void take(Lock first, Lock second, CyclicBarrier both) {
        try {
            first.lock();
            both.await();
            second.lock();
        } catch (Exception e) {
            System.exit(1);
        }
    }
    public static void main(String[] words) throws Exception {
        System.out.println(ProcessHandle.current().pid());
        switch (words[0]) {
        case "locks": locks(); break;
        case "queue": new LinkedBlockingQueue<String>().take(); break;
        case "ticks": while (true) Thread.sleep(300);
        case "timer": Executors.newScheduledThreadPool(2).scheduleAtFixedRate(
                          () -> {}, 100, 100, TimeUnit.MILLISECONDS); break;
        case "serves": var server = new ServerSocket(0);
                       new Thread(() -> {
                           try { server.accept(); } catch (Exception e) { System.exit(1); }
                       }).start();
                       new CountDownLatch(1).await();
        }
    }
}
"""
SLEEPS_FOR_GOOD = {"locks": True, "queue": True, "ticks": False, "timer": False, "serves": False}


@scenario("a program in Java whose threads all sleep for good is told, one with a timer or a server not")
def java_sleeps(directory):
    options = compiled_java(directory, "Threads", JAVA)
    for name, stuck, place in each_in_place(directory, SLEEPS_FOR_GOOD):
        command = ["java", *options, name]
        text, findings, _ = traced(place, command, 4)
        expect_java(findings, stuck, text)
        found, _ = untraced(place, command, parties, "blocked", severe if stuck else list)
        expect_java(found, stuck, f"{name} by -p")


def expect_java(findings, stuck, what):
    told = [f for f in severe(findings) if f["id"] == "blocked"]
    expect_equal(len(told), stuck, what)
    for finding in told:
        expect_in("jstack", finding["advice"], "the remedy")
        expect_in("none ever does", finding["evidence"][0], "the cause")


if __name__ == "__main__":
    main()
