#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What real programs say to each other in a known protocol stands on the arrow."""
import os
import shlex
import shutil

from expectations import expect, expect_equal, expect_in, expect_row
from harness import main, scenario
from postgres import started
from servers import WAIT, free_port, script


def dissected(result, protocol):
    """What `messages --dissect` says of the messages of a protocol, in order of sending."""
    found = [m for m in result.messages("--dissect") if m.get("protocol") == protocol]
    found.sort(key=lambda m: (m["sent"] or m["received"])["enter_ns"])
    return [m["summary"] for m in found]


def unchanged_without(result):
    """Without the option no line has the keys; with it, nothing else is different."""
    plain, told = result.messages(), result.messages("--dissect")
    expect(not any("summary" in m or "protocol" in m for m in plain), "no words unless asked for")
    for message in told:
        message.pop("protocol", None)
        message.pop("summary", None)
    expect_equal(list(told), list(plain), "the lines without their words")


@scenario("http.server of Python and curl: request and status lines")
def http(directory):
    port = free_port()
    with open(os.path.join(directory, "hallo"), "w", encoding="ascii") as file:
        file.write("GET / HTTP/1.1 is no request here\n")
    result = script(
        directory,
        f"/usr/bin/python3 -m http.server {port} --bind 127.0.0.1 >server.log 2>&1 & S=$!",
        WAIT % f"bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}'",
        f"curl -s http://127.0.0.1:{port}/hallo",
        f"curl -s -o page http://127.0.0.1:{port}/nein",
        "kill $S; wait",
    )
    expect_equal(result.stdout, b"GET / HTTP/1.1 is no request here\n", "what curl printed")
    words = ["GET /hallo", "200 OK", "GET /nein", "404 File not found"]
    expect_equal(dissected(result, "http"), words, "what was said")
    unchanged_without(result)
    for form in "text", "svg", "mermaid", "plantuml":
        picture = result.view("--as", form, "--mechanism", "tcp").replace("\u00a0", " ")
        for word in words:
            expect_row(picture, word)
    wide = result.view("--mechanism", "tcp", "--width", "200")  # else a long note may cut them
    expect_in("GET / HTTP/1.1 is no request", wide, "the bytes")


@scenario("redis-cli and redis-server: commands and replies")
def redis(directory):
    if not shutil.which("redis-server") or not shutil.which("redis-cli"):
        return
    result = script(
        directory,
        "redis-server --port 0 --unixsocket r.sock --save '' >server.log & S=$!",
        WAIT % "grep -qi 'ready to accept connections' server.log",
        "redis-cli -s r.sock SET name hallo; redis-cli -s r.sock GET name",
        "redis-cli -s r.sock nothing; redis-cli -s r.sock shutdown nosave; wait",
        environment={"REDISCLI_HISTFILE": "/dev/null"},
    )
    words = dissected(result, "resp")
    expect_equal(words[:5], ["SET name", "+OK", "GET name", '"hallo"', "nothing"], "what was said")
    expect(words[5].startswith("-ERR unknown command"), "the error", words)
    expect_row(result.view(), "SET name")
    expect_row(result.view(), "+OK")


@scenario("psql and PostgreSQL: queries, tags and errors")
def postgresql(directory):
    _, stop = started(directory)
    try:
        options = f"psql -X -h {shlex.quote(directory)} -U test -d postgres"
        result = script(
            directory,
            f"{options} -c 'select 6 * 7 as n' -c 'create temp table t(id int)' -c 'select * from no'"
            " >out 2>&1; true",
        )
    finally:
        stop()
    words = dissected(result, "postgresql")
    expect(words[0].startswith("startup user=test database=postgres"), "the begin", words)
    for word in "select 6 * 7 as n", "SELECT 1", "CREATE TABLE", "select * from no", "Terminate":
        expect_in(word, words, "what was said")
    expect_in('ERROR relation "no" does not exist', words, "the error")


@scenario("dbus-send and its daemon: the member and the path")
def dbus(directory):
    if not shutil.which("dbus-run-session"):
        return
    send = "dbus-send --session --print-reply --dest=org.freedesktop.DBus /org/freedesktop/DBus"
    result = script(
        directory,
        f"dbus-run-session -- {send} org.freedesktop.DBus.GetId >out",
        options=["--payload", "256"],
    )
    words = dissected(result, "dbus")
    expect_in("Hello() @ /org/freedesktop/DBus", words, "the first call")
    expect_in("GetId() @ /org/freedesktop/DBus", words, "the call")
    expect_in("signal NameAcquired @ /org/freedesktop/DBus", words, "the signal")


@scenario("a text that only looks like a protocol stays bytes")
def looks_alike(directory):
    text = "220 volts\nGET better\n+OK then\n$5 for a hat\nQUIT\n* one\n- two\n"
    result = script(
        directory,
        f"printf %s {shlex.quote(text)} >text",
        "while read -r line; do printf '%s\\n' \"$line\"; done <text | cat",
    )
    expect_equal(result.stdout.decode(), text, "what went through the pipe")
    spoken = [m for m in result.messages("--dissect") if "summary" in m]
    expect_equal(spoken, [], "no line has words")


if __name__ == "__main__":
    main()
