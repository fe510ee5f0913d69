#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The library as somebody uses it who has it installed: docs/examples/visit.c, just as it stands."""
import glob
import json
import os
import re
from collections import Counter

from expectations import expect, expect_equal, expect_in
from harness import BUILD, main, record, scenario
from traces import IPCLENS, call, load_lines, messages

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EXAMPLE = os.path.join(ROOT, "docs", "examples", "visit.c")
TRACES = sorted(glob.glob(os.path.join(ROOT, "tests", "gallery", "traces", "*.ndjson")))
CORPUS = sorted(glob.glob(os.path.join(ROOT, "tests", "fuzz", "corpus", "*")))
LINE = re.compile(r"(.*) (\d+) to (.*) (\d+): (\d+)")
WARNINGS = ["-Wall", "-Wextra", "-Werror"]
COMPILERS = [
    ["gcc", "-std=c11"],
    ["clang", "-std=c11"],
    ["g++", "-std=c++17", "-x", "c++"],
    ["clang++", "-std=c++17", "-x", "c++"],
]

# Each child gets messages of its own number: what the parent logs is what it has sent.
WORKLOAD = """
import os, socket
for count in (3, 7, 12):
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if pid == 0:
        for _ in range(count):
            theirs.recv(100)
        os._exit(0)
    for i in range(count):
        ours.send(b"message")
    os.waitpid(pid, 0)
    print(os.getpid(), pid, count)
"""


def install(directory):
    """The library in a prefix of its own: the flags that pkg-config gives."""
    prefix = os.path.join(directory, "prefix")
    # With the objects that were built: -o keeps make from building anew for other flags than these.
    environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS")}
    flags = os.path.relpath(os.path.join(BUILD, "flags"), ROOT)
    call(["make", "-s", "-C", ROOT, "-o", flags, "B=" + os.path.dirname(flags),
          "PREFIX=" + prefix, "install-library"], env=environment, timeout=120)
    environment["PKG_CONFIG_PATH"] = os.path.join(prefix, "lib", "pkgconfig")
    return call(["pkg-config", "--cflags", "--libs", "ipclens"],
                env=environment).stdout.decode().split()


def build(directory, flags, compiler=("gcc",), source=EXAMPLE):
    program = os.path.join(directory, "visit")
    call([*compiler, *WARNINGS, source, "-x", "none", *flags, "-o", program])
    return program


def visit(program, trace):
    """Messages by sender's and receiver's pid, and findings, as the example prints them."""
    counts, findings = Counter(), []
    for line in call([program, trace]).stdout.decode().splitlines():
        found = LINE.fullmatch(line)
        if found:
            counts[int(found[2]), int(found[4])] += int(found[5])
        else:
            findings.append(tuple(line.split(": ", 1)))
    return counts, findings


def check_gallery(program):
    for trace in TRACES:
        known = {line["pid"] for line in load_lines(trace) if line["type"] == "process"}
        wanted = Counter()
        for message in messages(trace):
            pids = [(message[end] or {}).get("pid", 0) for end in ("from", "to")]
            wanted[tuple(pid if pid in known else 0 for pid in pids)] += 1
        counts, findings = visit(program, trace)
        expect_equal(counts, wanted, f"messages of {trace}")
        done = call([IPCLENS, "diagnose", "--json", "--lang", "en", trace])
        said = [json.loads(line) for line in done.stdout.splitlines()][:-1]
        expect_equal(findings, [(f["id"], f["text"]) for f in said], f"findings of {trace}")


@scenario("the example of docs/library.md, with each compiler, C and C++: what the commands say")
def compilers(directory):
    flags = install(directory)
    for compiler in COMPILERS:
        check_gallery(build(directory, flags, compiler))


@scenario("of a program that counts what it sends to each of its children: the same numbers")
def live(directory):
    program = build(directory, install(directory))
    result = record(directory, ["/usr/bin/python3", "-c", WORKLOAD])
    counts, _ = visit(program, result.trace_path)
    for line in result.stdout.decode().splitlines():
        parent, child, count = map(int, line.split())
        expect_equal(counts[parent, child], count, f"messages from {parent} to {child}")


CLASH = """
#include <ipclens/viz.h>
int diagnose(void); int viz_pair(void); int json_bool(void); int command_main(void);
int diagnose(void) { return 1; }
int viz_pair(void) { return 2; }
int json_bool(void) { return 3; }
int command_main(void) { return 4; }
int main(void)
{
	struct ipclens_trace *trace;
	struct ipclens_error error;

	if (ipclens_open("TRACE", NULL, &trace, &error))
		return 1;
	ipclens_close(trace);
	return 0;
}
"""


@scenario("a program's functions may be called what the library's own are called")
def names(directory):
    source = os.path.join(directory, "clash.c")
    with open(source, "w", encoding="ascii") as file:
        file.write(CLASH.replace("TRACE", TRACES[0]))
    call([build(directory, install(directory), source=source)])


@scenario("a plug-in, which is a shared object, may contain it")
def shared(directory):
    flags = install(directory)
    source, plugin = (os.path.join(directory, name) for name in ("plugin.c", "plugin.so"))
    with open(source, "w", encoding="ascii") as file:
        file.write(CLASH.replace("main", "plugin_main").replace("TRACE", TRACES[0]))
    call(["gcc", "-shared", "-fPIC", "-Wl,-z,defs", "-Wl,-z,text", source, *flags, "-o", plugin])
    done = call(["/usr/bin/python3", "-c",
                 f"import ctypes; print(ctypes.CDLL({plugin!r}).plugin_main())"])
    expect_equal(done.stdout, b"0\n", "it opened the trace")


@scenario("damaged traces, under ASAN and UBSAN: lines or one error that names the file")
def damaged(directory):
    library = os.path.join(BUILD, "san", "libviz.a")
    expect(os.path.exists(library), "make units builds the library with sanitizers", library)
    include = os.path.join(directory, "include")
    os.mkdir(include)
    os.symlink(os.path.join(ROOT, "viz", "library"), os.path.join(include, "ipclens"))
    program = build(directory, ["-I" + include, library, "-lcjson", "-lzstd"],
                    ["gcc", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"])
    for trace in CORPUS + TRACES:
        done = call([program, trace], check=False)
        expect(done.returncode in (0, 1), f"{trace} ends well", done.stderr.decode())
        if done.returncode:
            expect_in(trace, done.stderr.decode(), "the error names the file")
            expect_equal(done.stderr.count(b"\n"), 1, "one line")
        else:
            expect_equal(done.stderr, b"", "nothing is said but on stdout")


if __name__ == "__main__":
    main()
