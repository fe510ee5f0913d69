#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Descriptors that one thread closes while another one sleeps on them: Linux does not wake it."""
import joining
from expectations import expect_equal, expect_in
from findings import diagnose
from harness import main, record, scenario

TIMED_OUT = 124
CALLS = {
    "read": "r, w = os.pipe(); fd, call = r, lambda: os.read(r, 1)",
    "accept": "s = socket.create_server(('127.0.0.1', 0)); fd, call = s.fileno(), s._accept",
    "recv": "s, p = socket.socketpair(); fd, call = s.fileno(), lambda: s.recv(1)",
}
CLOSES = """
import os, socket, threading, time
{call}
thread = threading.Thread(target=call)
thread.start()
time.sleep(0.3)
{end}
thread.join()
"""
CURES = {"read": "its writing end", "accept": "shutdown(fd, SHUT_RDWR)", "recv": "shutdown(fd,"}
# The remedy; and a thread that closes a copy, and waits for the other one, which waits for a sender.
SHUTS = "s.shutdown(socket.SHUT_RDWR); os.close(s.detach())"
CLOSES_COPY = "os.close(os.dup(fd))"


def blocked(directory, name, end, status):
    text = CLOSES.format(call=CALLS[name], end=end)
    folder = joining.folder(directory, name)
    command = ["/usr/bin/python3", "-c", text]
    result = record(folder, command, "--timeout", "2", status=status, whole=False)
    return [f for f in diagnose(result.trace_path)[0] if f["id"] == "blocked"]


@scenario("a thread sleeps on what another one closed: who closed it, and what wakes it")
def closed(directory):
    for name, cure in CURES.items():
        told = blocked(directory, name, "os.close(fd)", TIMED_OUT)
        expect_equal([f["severity"] for f in told], ["warning"], name)
        expect_in("while this call slept on it", " ".join(told[0]["evidence"]), name)
        expect_in(cure, told[0]["advice"], name)


@scenario("shutdown() ends the call, and who closes a copy closes nothing beneath it")
def not_closed(directory):
    expect_equal(blocked(directory, "recv", SHUTS, 0), [], "shutdown")
    for name in CALLS:
        told = blocked(directory, name, CLOSES_COPY, TIMED_OUT)
        expect_equal("slept on it" in str(told), False, name)


if __name__ == "__main__":
    main()
