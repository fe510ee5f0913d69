#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Go programs that hang, for all the threads of Go's runtime; sound ones get no error, no warning.

The scheduler's threads sleep in futexes, one of them (sysmon) with a time limit, and one waits in
epoll for the descriptors of all goroutines.
"""
import os
import signal

from expectations import expect, expect_equal, expect_in
from findings import diagnose, severe
from hangs import hanging, looked_at, named_parties, traced, untraced
from harness import each_in_place, main, needs, record, scenario, start, wait_for
from traces import call

MAY_RUN_BESIDE_OTHERS = True

SOURCE = """
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

func tell(name string) { fmt.Fprintf(os.Stderr, "%s=%d\\n", name, os.Getpid()) }

// Asks itself over HTTP; what it answers comes from a child.
func answer(w http.ResponseWriter, r *http.Request) {
	out, _ := exec.Command("echo", "hi").Output()
	w.Write(out)
}

func ask(address string) string {
	answer, err := http.Get("http://" + address)
	if err != nil {
		return err.Error()
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	return string(text)
}

func work(listener net.Listener) {
	go http.Serve(listener, http.HandlerFunc(answer))
	for i := 0; i < 8; i++ {
		if text := ask(listener.Addr().String()); text != "hi\\n" {
			fmt.Fprintln(os.Stderr, text)
			os.Exit(3)
		}
	}
}

func fifos(first, second string) {
	os.OpenFile(first, os.O_WRONLY, 0)
	os.Open(second)
}

// Collects its own output by a pipe; the one that hangs never closes the end that it writes to.
func capture(pause time.Duration) {
	from, to, _ := os.Pipe()
	done := make(chan bool)
	os.Stdout = to
	go func() {
		io.Copy(io.Discard, from)
		done <- true
	}()
	fmt.Println("captured")
	if pause > 0 {
		time.Sleep(pause)
		to.Close()
	}
	<-done
	to.Close()
}

func interrupted() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt)
	<-signals
}

// The first thread is the main function's alone: another one waits for events.
func init() {
	if os.Args[1] == "locked" {
		runtime.LockOSThread()
	}
}

func main() {
	child := exec.Command("sh", "-c", "echo child=$$ >&3; exec head -c 1000000 /dev/zero")
	child.ExtraFiles = []*os.File{os.Stderr}
	listener, _ := net.Listen("tcp", "127.0.0.1:0")
	switch os.Args[1] {
	case "waits": // for a child whose output nobody reads
		listener.Close()
		tell("parent")
		child.StdoutPipe()
		child.Start()
		child.Wait()
	case "reads": // the one pipe of its child, while the other one is full
		listener.Close()
		child.Args[2] = "echo child=$$ >&3; head -c 1000000 /dev/zero >&2; echo"
		tell("parent")
		out, _ := child.StdoutPipe()
		child.StderrPipe()
		child.Start()
		io.ReadAll(out)
	case "itself": // reads a pipe that only it could write to
		listener.Close()
		tell("itself")
		from, to, _ := os.Pipe()
		from.Read(make([]byte, 1))
		to.Close()
	case "unclosed", "locked":
		listener.Close()
		tell(os.Args[1])
		capture(0)
	case "captures":
		listener.Close()
		tell("captures")
		capture(time.Hour)
	case "fifos":
		os.Chdir(os.Args[2])
		syscall.Mkfifo("a", 0600)
		syscall.Mkfifo("b", 0600)
		child = exec.Command("/proc/self/exe", "other")
		child.Stderr = os.Stderr
		child.Start()
		tell("one")
		fifos("a", "b")
	case "other":
		tell("two")
		fifos("b", "a")
	case "works":
		work(listener)
	case "serves":
		work(listener)
		tell("server")
		select {}
	case "signal":
		listener.Close()
		tell("idle")
		interrupted()
	case "daemon": // captures its own output, and waits for a signal
		listener.Close()
		tell("daemon")
		go capture(0)
		interrupted()
	}
}
"""

# What hangs: its parties; which findings tell of it, as the trace and a look see it, which depends
# on whether a thread of the runtime waits in epoll_wait() at that moment; who is named in each;
# what the text says, and what the advice.
HANGS = {
    "waits": (
        2, "full-channel", {"full-channel"}, ["parent", "child"],
        "waits for the end of head[{child}]", "before you wait for the child",
    ),
    "reads": (2, "full-channel", {"full-channel", "blocked"}, ["parent"], "[{parent}] ", ""),
    "itself": (1, "blocked", {"blocked"}, ["itself"], "could be ended by hang[{itself}]", ""),
    "unclosed": (1, "blocked", {"blocked"}, ["unclosed"], "be ended by hang[{unclosed}]", ""),
    "locked": (1, "blocked", {"blocked"}, ["locked"], "be ended by hang[{locked}]", ""),
    "fifos": (
        2, "blocked", {"blocked"}, ["one", "two"], "whoever opens b for reading",
        "in the same order",
    ),
}  # fmt: skip


def program(directory):
    """Compiles it, with the packages as Debian has compiled them, and without a network."""
    needs("go")
    source, binary = (os.path.join(directory, name) for name in ("hang.go", "hang"))
    with open(source, "w", encoding="ascii") as out:
        out.write(SOURCE)
    environment = {
        "GO111MODULE": "off", "GOFLAGS": "", "GOCACHE": os.path.join(directory, "cache"),
        "HOME": directory,
    }  # fmt: skip
    call(["go", "build", "-o", binary, source], env=dict(os.environ, **environment))
    return binary


def check(findings, name, ids, names):
    *_, parties, text, advice = HANGS[name]
    told = [f for f in severe(findings) if f["id"] in ids]
    expect(told, f"{name} is an error or a warning", findings)
    pids = {names[party] for party in parties}
    named = [f for f in told if pids <= set(f["processes"])]
    expect(named, f"{name} names {pids}", told)
    expect_in(text.format(**names), named[0]["text"], name)
    expect_in(advice, named[0]["advice"], name)


@scenario("Go programs that hang get an error or a warning by run, of their trace and by -p")
def go_hangs(directory):
    binary = program(directory)
    for name, (count, traces, looks, *_), place in each_in_place(directory, HANGS):
        command = [binary, name, place]
        text, findings, result = traced(place, command)
        check(findings, name, {traces}, named_parties(result))
        expect_in(f"! {traces}  ", text, f"{name}: run says so")
        for left in "ab":
            if name == "fifos":
                os.unlink(os.path.join(place, left))
        told = lambda found, ids=looks: [{"id": f["id"] in ids} for f in severe(found)]
        findings, result = untraced(place, command, hanging(count), True, told)
        check(findings, name, looks, named_parties(result))


@scenario("a Go server, its client and its children at work have no error and no warning")
def go_works(directory):
    result = record(directory, [program(directory), "works"])
    expect_equal(result.status, 0, result.stderr.decode())
    expect_equal(severe(diagnose(result.trace_path)[0]), [], "it is sound")


@scenario("nor by -p has an idle Go server, one that waits for a signal, or captures its output")
def go_idles(directory):
    binary = program(directory)
    for name in ("serves", "signal", "captures", "daemon"):
        place = os.path.join(directory, name)
        os.mkdir(place)
        result = start(place, [binary, name], start_new_session=True)
        try:
            wait_for(lambda result=result: hanging(1)(result), "it to be idle")
            expect_idle(name, result.process.pid)
        finally:
            os.killpg(result.process.pid, signal.SIGKILL)
            result.process.wait()


@scenario("a Go daemon that captures its output has no warning by run, whose time limit ends it")
def go_daemon_runs(directory):
    text, findings, _ = traced(directory, [program(directory), "daemon"])
    expect_equal(severe(findings), [], text)


def expect_idle(name, pid):
    found, _ = looked_at(pid, bool, "the wait to be long enough to be told")
    expect_equal([(f["id"], f["severity"]) for f in found], [("blocked", "note")], name)


if __name__ == "__main__":
    main()
