#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""docs/analysis.md: each of its recipes, as it stands there, tells what a client logged of itself."""
import json
import os
import re
import subprocess

from expectations import expect, expect_equal
from harness import main, record, scenario
from traces import BUILD, ROOT, messages

DUCKDB_MODULES = os.path.join(BUILD, "duckdb", "node_modules")  # make duckdb
DOCUMENT = os.path.join(ROOT, "docs", "analysis.md")
ASKED = 40
SLOW = {7: 0.5, 19: 0.6, 31: 0.3}  # seconds that the server takes for these, at least

# A client and a server on a unix socket; the client prints when it sent, and when it had the answer.
TALK = rf"""
import json, os, socket, time
client, server = socket.socketpair()
if os.fork() == 0:
    open("/proc/self/comm", "w").write("server")
    client.close()
    while asked := server.recv(1000):
        time.sleep({SLOW}.get(int(asked.split()[0]), 0))
        server.send(b"answered")
    os._exit(0)
server.close()
open("/proc/self/comm", "w").write("client")
log = []
for i in range({ASKED}):
    text = b"%d %s" % (i, b"." * i)
    before = time.monotonic_ns()
    client.send(text)
    after = time.monotonic_ns()
    client.recv(1000)
    log.append((len(text), before, after, time.monotonic_ns()))
client.close()
os.wait()
with open("log.json", "w") as file:
    json.dump(log, file)
"""

# Runs the statements of its standard input in DuckDB, and prints the rows of the last one.
DUCKDB = r"""
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
const { DuckDBInstance } = createRequire(`${process.argv[2]}/`)("@duckdb/node-api");
const connection = await (await DuckDBInstance.create()).connect();
let rows = [];
for (const statement of JSON.parse(readFileSync(0, "utf8")))
	rows = (await connection.runAndReadAll(statement)).getRows();
for (const row of rows) console.log(row.join("\t"));
"""


def recipes():
    """The blocks of the document: (heading, language, text), in order."""
    with open(DOCUMENT, encoding="utf-8") as file:
        text = file.read()
    heading, found = "", []
    for match in re.finditer(r"^## ([^\n]*)$|^```(\w+)\n(.*?)^```$", text, re.M | re.S):
        if match[1]:
            heading = match[1]
        else:
            found.append((heading, match[2], match[3]))
    return found


def of(heading):
    return [text for where, _, text in recipes() if where == heading]


def output(command, directory, given=""):
    result = subprocess.run(command, input=given, text=True, capture_output=True, cwd=directory,
                            check=False)
    expect_equal((result.returncode, result.stderr), (0, ""), f"{command} in\n{given}")
    return result.stdout


def shell(directory, text):
    return output(["sh", "-e"], directory, text)


def duckdb(directory, *statements):
    script = os.path.join(directory, "duckdb.mjs")
    with open(script, "w", encoding="utf-8") as file:
        file.write(DUCKDB)
    return output(["node", script, DUCKDB_MODULES], directory, json.dumps(statements))


def talk(directory):
    """What the client logged; messages.ndjson is written as the document says."""
    result = record(directory, ["/usr/bin/python3", "-c", TALK.replace("log.json", f"{directory}/log.json")])
    with open(os.path.join(directory, "messages.ndjson"), "w", encoding="utf-8") as file:
        file.writelines(json.dumps(message) + "\n" for message in messages(result.trace_path))
    with open(os.path.join(directory, "log.json"), encoding="utf-8") as file:
        return json.load(file)


def expect_seconds(text, log):
    """Bytes of client to server by second, between what must and what may have been sent in it."""
    rows = [line.split("\t") for line in text.splitlines() if line]
    told = {int(float(second)): int(float(count)) for who, whom, second, count in rows
            if (who, whom) == ("client", "server")}
    least, most = {}, {}
    for count, before, after, _ in log:
        first, last = (before - log[0][2]) // 10**9, (after - log[0][1]) // 10**9
        for second in range(max(first, 0), last + 1):
            most[second] = most.get(second, 0) + count
            least[second] = least.get(second, 0) + (count if first == last else 0)
    expect_equal(sum(told.values()), sum(count for count, *_ in log), "bytes sent")
    expect(len(told) > 1, "more than one second", told)
    for second in sorted(set(told) | set(least)):
        count = told.get(second, 0)
        expect(least.get(second, 0) <= count <= most.get(second, 0), f"second {second}", rows)


def expect_slowest(text, log):
    """Each between the server's sleep and the time that the client measured around it."""
    told = [float(line) for line in text.split()]
    expect_equal(len(told), 10, "how many are told")
    expect_equal(told, sorted(told, reverse=True), "the slowest first")
    slow = sorted(SLOW.items(), key=lambda row: -row[1])
    for ms, (index, seconds) in zip(told, slow):
        measured = (log[index][3] - log[index][1]) / 1e6
        expect(seconds * 1e3 <= ms <= measured, f"request {index} in {told}", measured)


@scenario("docs/analysis.md: jq, SQLite, DuckDB and pandas give what the client logged")
def all_tools(directory):
    log = talk(directory)
    by_second, slowest = of("jq")
    expect_seconds(shell(directory, by_second), log)
    expect_slowest(shell(directory, slowest), log)
    load, by_second, slowest = of("SQLite")
    shell(directory, load)
    expect_seconds(shell(directory, by_second), log)
    expect_slowest(shell(directory, slowest), log)
    parquet, by_second, slowest = of("DuckDB")
    expect_seconds(duckdb(directory, parquet, by_second), log)
    expect_slowest(duckdb(directory, parquet, slowest), log)
    expect_seconds(output(["/usr/bin/python3", "-"], directory, of("pandas")[0]), log)


main()
