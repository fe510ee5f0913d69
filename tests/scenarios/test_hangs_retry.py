#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Shells that start a command again and again until it succeeds, which it never does: by run, trace
and -p; and loops that get on."""
import os
import signal
import time

from expectations import expect_equal, expect_in
from findings import diagnose, severe
from hang_cases import Case, three_ways
from hangs import hanging, named_parties
from harness import each_in_place, main, needs, run, scenario, start, wait_for
from servers import free_port

MAY_RUN_BESIDE_OTHERS = True


def of_shell(loop, shell="bash"):
    return [shell, "-c", f"cd 'PLACE'; echo shell=$$ >&2; {loop}"]


LOCK = "mkdir lock; until mkdir lock 2>/dev/null; do sleep 0.1; done"
ENDS_WITH_OWNER = "use a lock that ends with its owner: exec 9>FILE; flock 9"
SERVER = "see whether the server runs, its log, and on which address it listens (ss -ltnp)"


def cases():
    port = free_port()
    return {
        "lock": Case(of_shell(LOCK), 1, "busy-wait", ENDS_WITH_OWNER, "] called mkdir lock "),
        "lock of dash": Case(of_shell(LOCK, "dash"), 1, "busy-wait", ENDS_WITH_OWNER,
                             "] called mkdir lock "),
        "flock": Case(of_shell("flock l sh -c ': >told; exec sleep 1000' & "
                               "until [ -e told ]; do sleep 0.02; done; "
                               "until flock -n l true; do sleep 0.1; done"), 1, "busy-wait",
                      "flock without -n", "] called flock -n l true ", "] has it locked"),
        # Each round has a connection refused, which is told with the loop.
        "server": Case(of_shell(f"while ! nc -z 127.0.0.1 {port}; do sleep 0.2; done"), 1,
                       "busy-wait", SERVER, f"] called nc -z 127.0.0.1 {port} "),
        "page": Case(of_shell(f"until curl -s http://127.0.0.1:{port}/ | grep -q up\n"
                              "do sleep 0.2; done"), 1,
                     "busy-wait", "run it once by hand, with its messages", "] called grep -q up "),
        "file": Case(of_shell("until [ -e come ]; do sleep 0.2; done"), 1, "busy-wait",
                     "give up after a while", "] called sleep 0.2 ", "] tests for come, which"),
    }  # fmt: skip


@scenario("a shell whose command fails in each round: what it repeats, and what to do about it")
def in_vain(directory):
    needs("nc", "curl", "dash")
    three_ways(directory, cases())


def of_script(loop, shell):
    def words(place):
        path = os.path.join(place, "script")
        with open(path, "w", encoding="ascii") as file:
            file.write(f"cd '{place}'; echo shell=$$ >&2\n{loop}\n")
        return [shell, path]

    return words


# What tells that each round has failed stands in other places.
BREAKS = """mkdir lock
while :
do
    if mkdir lock 2>/dev/null
    then
        break
    fi
    sleep 0.1
done"""


@scenario("the loop of a script is read from its file, by run's look at the limit as by -p")
def script(directory):
    three_ways(
        directory,
        {
            shell: Case(
                of_script(loop, shell), 1, "busy-wait", ENDS_WITH_OWNER, "] called mkdir lock "
            )
            for shell, loop in (("bash", LOCK), ("dash", BREAKS))
        },
    )


@scenario("a script that waits for a file is told as its loop is, one that goes on by it is not by -p")
def script_of_file(directory):
    loop = "while [ ! -s come ]\ndo\n    sleep 0.2\ndone"
    case = Case(of_script(loop, "dash"), 1, "busy-wait", "give up after a while",
                "] called sleep 0.2 ", "] tests for come, which")
    three_ways(directory, {"waits": case})
    words = of_script(": >come; while [ -s . ]; do sleep 0.2; done", "dash")(directory)
    result = start(directory, words, start_new_session=True)
    try:
        wait_for(lambda: hanging(1)(result), "it to pause")
        expect_equal(severe(diagnose("-p", str(named_parties(result)["shell"]))[0]), [], "works")
    finally:
        os.killpg(result.process.pid, signal.SIGKILL)
        result.process.wait()


@scenario("what a loop of a script repeats is told without its arguments where these are hidden")
def hidden(directory):
    for option, told in ((["--no-args"], "mkdir"), (["--redact", "lo[c]k"], "mkdir ****")):
        place = os.path.join(directory, option[0].strip("-"))
        os.mkdir(place)
        words = of_script(LOCK, "bash")(place)
        traced = run(place, words, "--timeout", 3, *option, status=124, whole=False)
        with open(traced.trace_path, encoding="utf-8") as file:
            looked = [line for line in file if '"repeated":' in line]
        expect_equal(len(looked), 1, f"{option}: the look tells of it")
        expect_in(f'"repeated":"{told}"', looked[0], f"{option}: and no more")


TURNS = """take() {
    while :; do
        until mkdir lock 2>/dev/null; do sleep 0.02; done
        sleep 0.05; rmdir lock; sleep 0.03
    done
}
take & take"""

# None hangs: they take turns, look after something, or get what they wait for.
SOUND = {
    "turns": of_shell(TURNS),
    "turns of a script": of_script(TURNS, "bash"),
    "looks": of_shell("while :; do grep -q x /dev/null; sleep 0.1; done"),
    "a script looks": of_script("while :; do grep -q x /dev/null && date; sleep 0.1; done", "dash"),
    "works": of_shell("while :; do date >/dev/null; sleep 0.1; done"),
}


def command_of(words, place):
    return words(place) if callable(words) else [word.replace("PLACE", place) for word in words]


@scenario("shells that take turns, or look after something now and then, are not told")
def sound(directory):
    for name, words, place in each_in_place(directory, SOUND):
        command = command_of(words, place)
        traced = run(place, command, "--timeout", 3, status=124, whole=False)
        expect_equal(severe(diagnose(traced.trace_path)[0]), [], f"{name}, traced")
        beside = os.path.join(place, "beside")
        os.mkdir(beside)
        command = command_of(words, beside)
        result = start(beside, command, start_new_session=True)
        try:
            wait_for(lambda result=result: named_parties(result), f"{name} to begin")
            time.sleep(0.5)  # it is in its rounds
            found = severe(diagnose("-p", str(named_parties(result)["shell"]))[0])
            expect_equal(found, [], f"{name} by -p")
        finally:
            os.killpg(result.process.pid, signal.SIGKILL)
            result.process.wait()


@scenario("a loop that got what it waited for before the end is not told")
def came(directory):
    loop = "mkdir lock; (sleep 1; rmdir lock) & until mkdir lock 2>/dev/null; do sleep 0.1; done; wait"
    command = [word.replace("PLACE", directory) for word in of_shell(loop + "; sleep 100")]
    result = run(directory, command, "--timeout", 4, status=124, whole=False)
    expect_equal(severe(diagnose(result.trace_path)[0]), [], "it goes on")


if __name__ == "__main__":
    main()
