# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""
What the operation lines of a trace leave out because other keys tell the same, by the words of
fields.def: put in again, and left out of lines that have it.
"""
PIPE = ("head", "tail", "end", "start")
TCP = ("write_seq", "copied_seq", "rcv_nxt", "snd_una")


def is_sent_whole(op):
    return op["role"] == "send" and "state" not in op and op.get("returned", -1) >= 0


def sleep_of(op):
    """What began_ns and resumed_ns tell of a call that slept once; None: they do not."""
    if "state" in op or not {"began_ns", "resumed_ns"} <= op.keys():
        return None
    return op["resumed_ns"] - op["began_ns"]


def is_pipe(op):
    return "head" in op.get("at_entry", {}) and "at_exit" in op and "state" not in op


def unknown(op):
    """The keys that a whole operation lacks though their absence would mean something."""
    return ((["requested"] if is_sent_whole(op) and "requested" not in op else [])
            + (["readers", "writers"] if is_pipe(op) and "readers" not in op else []))


def put_in(op):
    """The operation with all that its line stands for."""
    op = dict(op)
    lacks = op.pop("unknown", [])
    op.setdefault("tid", op["pid"])
    if "woken_by" in op:
        op["woken_by"] = {"tid": op["woken_by"]["pid"], **op["woken_by"]}
    if is_sent_whole(op) and "requested" not in lacks:
        op.setdefault("requested", op["returned"])
    if sleep_of(op) is not None:
        op.setdefault("off_cpu_ns", sleep_of(op))
    if is_pipe(op):
        if "readers" not in lacks:
            op.setdefault("readers", 1)
            op.setdefault("writers", 1)
        if "queued" in op:
            op["at_exit"] = {"bytes": op["queued"], **op["at_exit"]}
    if "at_exit" in op and "at_entry" in op:
        same = {key: op["at_entry"][key] for key in PIPE + TCP if key in op["at_entry"]}
        op["at_exit"] = {**same, **op["at_exit"]}
    return op


def leave_out(op):
    """The same operation as version 2 of the format writes it; `op` leaves nothing out."""
    op = dict(op)
    if unknown(op):
        op["unknown"] = unknown(op)
    if op["tid"] == op["pid"]:
        del op["tid"]
    if "woken_by" in op and op["woken_by"]["tid"] == op["woken_by"]["pid"]:
        op["woken_by"] = {k: v for k, v in op["woken_by"].items() if k != "tid"}
    if is_sent_whole(op) and op.get("requested") == op["returned"]:
        del op["requested"]
    if sleep_of(op) is not None and op.get("off_cpu_ns") == sleep_of(op):
        del op["off_cpu_ns"]
    if is_pipe(op) and (op.get("readers"), op.get("writers")) == (1, 1):
        del op["readers"], op["writers"]
    if "at_exit" in op and "at_entry" in op:
        same = {k for k in PIPE + TCP if k in op["at_entry"]
                and op["at_exit"].get(k) == op["at_entry"][k]}
        if is_pipe(op) and op["at_exit"].get("bytes") == op.get("queued"):
            same.add("bytes")
        op["at_exit"] = {k: v for k, v in op["at_exit"].items() if k not in same}
    return op


def whole(lines):
    return [put_in(line) if line["type"] == "operation" else line for line in lines]
