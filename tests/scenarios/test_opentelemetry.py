#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""`view --as otlp`: spans that the published schema takes, as many as requests that were logged."""
import json
import os
import time
from collections import Counter

from expectations import expect, expect_equal, expect_in
from harness import lab, main, needs, record, scenario
from traces import BUILD, ROOT, call

MODULES = os.path.join(BUILD, "browser", "node_modules")  # make browser
READER = os.path.join(ROOT, "tests", "browser", "otlp.mjs")
INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER = 1, 2, 3, 4, 5
ERROR = 2
BATCH = 256  # spans a line, at most
WAYS = {"unix": BATCH + 1, "tcp": 30, "pipe": 30, "sysv": 30, "posix": 30}  # and rounds


def values(attributes):
    """A list of attributes as a dictionary."""

    def value(of):
        ((kind, plain),) = of.items()
        if kind == "arrayValue":
            return [value(each) for each in plain["values"]]
        return int(plain) if kind == "intValue" else plain

    found = {each["key"]: value(each["value"]) for each in attributes}
    expect_equal(len(found), len(attributes), "attributes of different names")
    return found


class Span:
    def __init__(self, plain, resource):
        self.plain, self.resource = plain, resource
        self.kind, self.name, self.id = plain["kind"], plain["name"], plain["spanId"]
        self.start, self.end = int(plain["startTimeUnixNano"]), int(plain["endTimeUnixNano"])
        self.about = values(plain["attributes"])
        self.events = plain.get("events", [])
        self.messages = {values(event["attributes"])["messaging.message.id"] for event in self.events}
        self.links = [(link["traceId"], link["spanId"]) for link in plain.get("links", [])]


def expect_sound(spans):
    """What holds of any file: identities, times, parents and links."""
    known = {(span.plain["traceId"], span.id): span for span in spans}
    expect_equal(len(known), len(spans), "identities of their own")
    for span in spans:
        expect(span.start <= span.end, "it ends after it began", span.plain)
        expect_equal("parentSpanId" in span.plain, span.kind == SERVER, "servers have a parent")
        for event in span.events:
            at = int(event["timeUnixNano"])
            expect(span.kind in (PRODUCER, CONSUMER) or span.start <= at <= span.end,
                   "its messages moved while it lasted", span.plain)
        if span.kind == SERVER:
            parent = known[span.plain["traceId"], span.plain["parentSpanId"]]
            expect_equal(parent.kind, CLIENT, "who asked")
            expect_equal(parent.messages, span.messages, "the same messages")
            expect(parent.start <= span.start <= span.end <= parent.end, "within it", span.plain)
        for link in span.links:
            expect_equal((span.kind, known[link].kind), (CONSUMER, PRODUCER), "a link")


def expect_taken(path, count):
    """The schema takes the file."""
    if not os.path.isdir(os.path.join(MODULES, "@opentelemetry")):
        expect(not os.environ.get("CI"), "the schema is installed: make browser")
        print("# the schema of OTLP is not installed: make browser")
        return
    expect_equal(call(["node", READER, MODULES, path]).stdout, b"%d\n" % count, "spans read")


def otlp(result, *options):
    """The spans of the trace, after the schema has taken them."""
    path = os.path.join(result.directory, "spans.otlp")
    result.view("-o", path, *options)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    expect(all(0 < line.count('"kind":') <= BATCH for line in text.splitlines()), "batches")
    spans = [
        Span(plain, values(resource["resource"]["attributes"]))
        for line in text.splitlines()
        for resource in json.loads(line)["resourceSpans"]
        for scope in resource["scopeSpans"]
        for plain in scope["spans"]
    ]
    expect_taken(path, len(spans))
    expect_sound(spans)
    return spans


def of_kind(spans, kind):
    return [span for span in spans if span.kind == kind]


@scenario("as many requests as each process logged, by any mechanism: server below client, in time")
def requests(directory):
    for number, (way, rounds) in enumerate(WAYS.items()):
        own = os.path.join(directory, str(number))
        os.mkdir(own)
        begun = time.time_ns()
        result = record(own, lab("reqresp", way, rounds))
        ended = time.time_ns()
        logged = Counter((line["pid"], line["channel"]) for line in result.truth
                         if line["do"] == "send")
        expect_equal(sorted(logged.values()), [rounds, rounds], f"{way}: what was logged")
        spans = otlp(result)
        for kind, channel in ((CLIENT, "requests"), (SERVER, "responses")):
            found = Counter((span.resource["process.pid"], channel) for span in of_kind(spans, kind))
            expect_equal(found, Counter({key: count for key, count in logged.items()
                                         if key[1] == channel}), f"{way}: spans of {channel}")
        others = {span.name for span in spans if span.kind not in (CLIENT, SERVER)}
        expect_equal(others, {"SIGCHLD"}, f"{way}: nothing else was sent")
        expect(all(begun <= span.start and span.end <= ended for span in spans), f"{way}: wall clock")


def redis_script(directory):
    socket = os.path.join(directory, "r.sock")
    return (
        f"redis-server --port 0 --unixsocket {socket} --save '' >log & S=$!; "
        "until grep -qi 'ready to accept connections' log; do kill -0 $S || exit 9; sleep 0.05; done; "
        f"for i in 1 2 3 4 5 6 7; do echo SET k$i $i; done | redis-cli -s {socket} >out; "
        f"redis-cli -s {socket} get k7 >>out; redis-cli -s {socket} info commandstats; "
        f"redis-cli -s {socket} shutdown nosave; wait"
    )


@scenario("redis-cli and redis-server: a span for each command that the server counted, with its words")
def redis(directory):
    needs("redis-server", "redis-cli")
    result = record(directory, ["sh", "-c", redis_script(directory)], cwd=directory,
                    environment={"REDISCLI_HISTFILE": "/dev/null"})
    lines = result.stdout.decode().split()
    counted = {line.split(":")[0][8:]: int(line.split("calls=")[1].split(",")[0])
               for line in lines if line.startswith("cmdstat_")}
    spans = otlp(result)
    for kind, program in ((CLIENT, "redis-cli"), (SERVER, "redis-server")):
        found = Counter(span.name.lower() for span in of_kind(spans, kind))
        # The server counts INFO when it has answered, and redis-cli asks for COMMAND DOCS by itself.
        found["command|docs"] = found.pop("command", 0)
        expect_equal(found.pop("info"), 1, "the question for the counts")
        expect_equal({name: count for name, count in found.items() if count}, counted, program)
    for span in of_kind(spans, SERVER):
        redis_server(span, result)


def redis_server(span, result):
    expect_equal(span.resource["service.name"].split("-")[0], "redis", "the program")
    expect_in("--unixsocket", span.resource["process.command_args"], "its arguments")
    expect_equal(span.resource["host.name"], result.trace.lines[0]["host"], "the machine")
    expect_equal((span.about["network.transport"], span.about["network.protocol.name"]),
                 ("unix", "resp"), "what was spoken")


# Two requests before the first response, then one that waits for the second.
PIPELINED = r"""
import os, socket
client, server = socket.socketpair()
if os.fork() == 0:
    client.close()
    while asked := server.recv(3):
        server.send(b"a" + asked[1:])
    os._exit(0)
server.close()
client.send(b"q1.")
client.send(b"q2.")
assert client.recv(3) + client.recv(3) == b"a1.a2."
client.send(b"q3.")
assert client.recv(3) == b"a3."
client.close()
os.wait()
"""


@scenario("pipelined requests: no response is anybody's, each receive links to the send of its bytes")
def pipelined(directory):
    result = record(directory, ["/usr/bin/python3", "-c", PIPELINED])
    spans = otlp(result, "--mechanism", "unix-stream")
    expect_equal(Counter(span.kind for span in spans),
                 Counter({CLIENT: 1, SERVER: 1, PRODUCER: 4, CONSUMER: 4}), "spans")
    (last,) = of_kind(spans, CLIENT)
    by_id = {str(message["id"]): message for message in result.messages()}
    expect_equal([by_id[id]["sent"]["op"] for id in sorted(last.messages, key=int)],
                 [m["sent"]["op"] for m in list(by_id.values())
                  if m["mechanism"] == "unix-stream"][-2:], "the one that waited")
    senders = {(span.plain["traceId"], span.id): span for span in of_kind(spans, PRODUCER)}
    for span in of_kind(spans, CONSUMER):
        expect_equal([senders[link].messages for link in span.links], [span.messages], "its send")


REFUSED = r"""
import socket
with socket.socket() as taken, socket.socket() as client:
    taken.bind(("127.0.0.1", 0))
    assert client.connect_ex(taken.getsockname()) == 111
    print(taken.getsockname()[1])
"""


@scenario("a refused connection is a client's span with the error")
def refused(directory):
    result = record(directory, ["/usr/bin/python3", "-c", REFUSED])
    (span,) = [span for span in otlp(result) if span.plain.get("status")]
    expect_equal((span.kind, span.name), (CLIENT, "connect"), "the call")
    expect_equal(span.plain["status"], {"code": ERROR, "message": "ECONNREFUSED"}, "its status")
    expect_equal(span.about["error.type"], "ECONNREFUSED", "the kind of error")


@scenario("the same trace gives the same bytes in any language, and hostile names stay text")
def deterministic(directory):
    result = record(directory, lab("hostile"))
    expect(of_kind(otlp(result), PRODUCER), "messages")
    english, again, german = (result.view("--as", "otlp", *options)
                              for options in ((), (), ("--lang", "de")))
    expect_equal(again, english, "once more")
    expect_equal(german, english, "in German")
    names = {json.loads(line)["resourceSpans"][0]["resource"]["attributes"][0]["value"]["stringValue"]
             for line in english.splitlines()}
    expect(names and all(name.isprintable() for name in names), "names are harmless", names)


main()
