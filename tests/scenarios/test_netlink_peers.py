#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Netlink: with the kernel, from process to process, to groups."""
from expectations import expect, expect_equal, expect_row
from harness import lab, main, record, scenario
from traces import stats
from truth import compare, latin, truth_of


def logged(truth, action, channel):
    return [line["result"] for line in truth_of(truth, action, "netlink", channel)]


@scenario("a question to the kernel and its answer: the other side is outside")
def kernel(directory):
    result = record(directory, lab("netlinks", "kernel"))
    found = result.messages().of("netlink")
    asked = [m for m in found if m["from"]]
    answered = [m for m in found if m["to"]]
    expect_equal(
        [m["bytes"] for m in asked], logged(result.truth, "send", "question"), "the question"
    )
    expect_equal(
        [m["bytes"] for m in answered], logged(result.truth, "receive", "answer"), "the answers"
    )
    expect(all(m["to"] is None and "fate" not in m for m in asked), "to the kernel", asked)
    expect(all(m["from"] is None for m in answered), "from the kernel", answered)
    expect_equal({m["match"] for m in found}, {"exact"}, "how sure the pairing is")
    trace = result.trace
    socket = trace.channel(asked[0]["channel"])
    expect_equal(socket["protocol"], "route", "its protocol")
    expect(
        socket["local_address"].startswith("route:") and socket["local_address"] != "route:0",
        "the socket's own number",
        socket,
    )
    addresses = {trace.operation(m["received"]["op"])["peer_address"] for m in answered}
    expect_equal(addresses, {"route:0"}, "the kernel is number 0, asked for or not")
    expect_row(result.view(), "netlink", "the kernel")


@scenario("two processes by their numbers")
def user(directory):
    result = record(directory, lab("netlinks", "user"))
    for message in compare(result, "netlink"):
        receiver = result.trace.channel(message["channel"])
        sent = result.trace.operation(message["sent"]["op"])
        expect_equal(sent["peer_address"], receiver["local_address"], "sent to that number")


@scenario("a group: each that listens gets each message")
def group(directory):
    result = record(directory, lab("netlinks", "group"))
    found = result.messages().delivered("netlink")
    news = [latin(line).decode() for line in truth_of(result.truth, "send", "netlink")]
    wanted = sorted(
        (line["pid"], latin(line).decode()) for line in truth_of(result.truth, "receive", "netlink")
    )
    expect_equal(len(wanted), 2 * len(news), "two listeners heard it all")
    got = sorted(
        (m["to"]["pid"], result.trace.operation(m["received"]["op"])["payload"]) for m in found
    )
    expect_equal(got, wanted, "who got what")
    for message in found:
        order = [op["id"] for op in result.trace.operations(syscall="sendto")]
        heard = result.trace.operation(message["received"]["op"])["payload"]
        expect_equal(order.index(message["sent"]["op"]), news.index(heard), "of which send")
    expect_equal({m["match"] for m in found}, {"exact"}, "how sure the pairing is")
    total = next(line for line in stats(result.trace_path) if line["type"] == "total")
    expect(total["bytes"]["balances"], "each copy counts as sent", total)
    groups = {result.trace.channel(m["channel"]).get("groups") for m in found}
    expect_equal(groups, {"0x1"}, "what they listen to")


@scenario("ip(8) asks the kernel for its links")
def ip_program(directory):
    result = record(directory, ["ip", "link"])
    found = result.messages().of("netlink")
    expect(any(m["from"] for m in found) and any(m["to"] for m in found), "both ways", found)
    expect(not [m for m in found if m["from"] and m["to"]], "never with itself", found)


if __name__ == "__main__":
    main()
