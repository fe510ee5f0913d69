#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A kernel that lacks a field of a structure: that costs what the field tells, never the tool."""
import os
import re
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor

import btf
from expectations import expect_equal, expect_in
from harness import lab, main, record, scenario
from traces import IPCLENS

MAY_RUN_BESIDE_OTHERS = True


def types_without(directory, fields):
    path = os.path.join(directory, "types")
    with open(path, "wb") as out:
        out.write(btf.kernel_types().without(fields))
    return {"IPCLENS_BTF": path}


def doctor(environment):
    return subprocess.run(
        [IPCLENS, "doctor"],
        env=dict(os.environ, **environment),
        text=True,
        capture_output=True,
        check=False,
    )


def bytes_of(messages, mechanism):
    return sum(
        m["bytes"] for m in messages if m["mechanism"] == mechanism and m["from"] and m["to"]
    )


@scenario("where every field that may be missing is, what is told of pipes and sockets is true")
def nothing_but_the_needed(directory):
    environment = types_without(directory, btf.fields_optional())
    for name, mechanism in (("bigwrite", "pipe"), ("unixstream", "unix-stream"), ("udp", "udp")):
        place = os.path.join(directory, name)
        os.mkdir(place)
        result = record(place, lab(name), environment=environment)
        logged = sum(
            t["result"]
            for t in result.truth
            if t["do"] == "receive" and t["mechanism"] == mechanism and t["result"] > 0
        )
        expect_equal(bytes_of(result.messages(), mechanism), logged, f"{name}: bytes received")


def named(said):
    """The fields that doctor says are missing; of a|b both."""
    rows = re.findall(r"^weak  (\S+) +this kernel lacks it: less is told of \w", said.stdout, re.M)
    return sorted(tuple(field.split(".")) for row in rows for field in row.split("|"))


@scenario("doctor names each field that is missing, and what that costs; here none is")
def fields_named(directory):
    expect_equal(named(doctor({})), [], "the kernel that runs has all")
    fields = btf.fields_optional()
    expect_equal(named(doctor(types_without(directory, fields))), fields, "all are missing")


# What is asked for in one place and read in another.
NAMED = [("dentry", "d_u"), ("task_struct", "on_cpu"), ("pipe_inode_info", "head")]
NAMED += [("pipe_buffer", "len"), ("sk_buff", "prev"), ("sk_buff", "transport_header")]


@scenario("where any one of the fields is missing, what the others tell can be had")
def one_alone(directory):
    def doctor_without(field):
        with tempfile.TemporaryDirectory(dir=directory) as place:
            return field, doctor(types_without(place, [field]))

    # One program is verified on one processor, so two doctors take little longer than one.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for field, said in pool.map(doctor_without, btf.fields_optional()):
            expect_equal(said.returncode, 0, f"{'.'.join(field)}: {said.stdout}")
            if field in NAMED:
                expect_in(field, named(said), "what doctor says is missing")


@scenario("a field without which nothing would be true is named, and nothing is traced")
def one_of_the_needed(directory):
    said = doctor(types_without(directory, [("task_struct", "tgid")]))
    expect_equal(said.returncode, 1, said.stdout)
    expect_in("task_struct.tgid", said.stdout, "what is missing")


REFUSED = "failed to load object"  # in the words of libbpf, with IPCLENS_DEBUG


@scenario("programs that ask for no field are loaded where none is missing, else those that ask")
def direct_or_asking(directory):
    debug = {"IPCLENS_DEBUG": "1"}
    said = doctor(debug)
    expect_equal((said.returncode, said.stderr.count(REFUSED)), (0, 0), said.stderr)
    said = doctor(debug | types_without(directory, [("pipe_inode_info", "head")]))
    expect_equal((said.returncode, said.stderr.count(REFUSED)), (0, 1), said.stderr)


@scenario("fields that are named as needed are read")
def needed_is_read(_):
    expect_equal(sorted(btf.fields_needed() - btf.fields_read()), [], "named and never read")


main()
