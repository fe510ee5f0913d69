# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Compares what `ipclens messages` says with what truthgen's actors remember (gen.h).

A call is known by its thread and time: the actor looked at the clock before and after it, and an
operation's enter_ns lies between. So the log needs no operation numbers and loss does not shift it.
"""
import json
import struct
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict

ACTOR, SEND, RECEIVE, LOOK, RELAY, TEE, HANDLED, PART = range(8)
RECORD = struct.Struct("<IIQQQQQ")
STREAMS = ("pipe", "fifo", "unix-stream", "tcp")
PIPES = ("pipe", "fifo")  # where order alone tells, so that some may stay ambiguous


class Call:
    """One system call of an actor, or one run of its signal handler."""

    __slots__ = ("kind", "flow", "before", "after", "bytes", "first", "count", "to")

    def __init__(self, kind, flow, before, after, moved, first, count):
        self.kind, self.flow, self.before, self.after = kind, flow, before, after
        self.bytes, self.first, self.count, self.to = moved, first, count, None
        if kind in (RELAY, TEE):
            self.to, self.count = first, 1


class Truth:
    """The log: calls by thread, and which pairs of calls share which bytes."""

    def __init__(self, directory):
        with open(f"{directory}/flows", encoding="ascii") as file:
            self.flows = {flow["flow"]: flow for flow in map(json.loads, file)}
        self.calls = defaultdict(list)  # by thread
        self.handled = defaultdict(list)
        self.sent = {}  # (actor, message) -> (call, index in the call)
        self.pairs = defaultdict(list)  # (send, index, receive, index) -> [(place, place, bytes)]
        parts = self.load(f"{directory}/calls")
        self.join_parts(parts)
        self.join_flows()
        for calls in (*self.calls.values(), *self.handled.values()):
            calls.sort(key=lambda call: call.before)
        self.handler_starts = {t: [c.before for c in calls] for t, calls in self.handled.items()}
        self.starts = {tid: [c.before for c in calls] for tid, calls in self.calls.items()}
        self.received = defaultdict(list)  # (send, index) -> [(place, bytes, receive)]
        self.senders = defaultdict(list)  # (receive, index) -> [(send, pieces)]
        for (send, message, receive, other), pieces in self.pairs.items():
            self.received[send, message] += [(piece[0], piece[2], receive) for piece in pieces]
            self.senders[receive, other].append((send, pieces))

    def load(self, path):
        with open(path, "rb") as file:
            data = file.read()
        parts, mine, actor, tid = [], [], 0, 0
        for kind, flow, a, b, c, d, e in RECORD.iter_unpack(data):
            if kind == ACTOR:
                actor, tid, mine = flow, b, []
            elif kind == PART:
                streams = self.flows[mine[-1].flow]["mechanism"] in STREAMS
                back = flow if streams else 0
                parts.append((a, b, c, d, e, mine[-1 - back], 0 if streams else flow))
            else:
                call = Call(kind, flow, a, b, c, d, e)
                mine.append(call)
                (self.handled if kind == HANDLED else self.calls)[tid].append(call)
                for i in range(call.count if kind == SEND else 0):
                    self.sent[actor, d + i] = call, i
        return parts

    def join_parts(self, parts):
        for actor, message, place, at, size, receive, other in parts:
            send, index = self.sent[actor, message]
            self.pairs[send, index, receive, other].append((place, at, size))

    def join_flows(self):
        """Flows with one sender and one receiver: what went in comes out, in order."""
        sends, receives = defaultdict(list), defaultdict(list)
        for calls in self.calls.values():
            for call in calls:
                if call.kind == SEND:
                    sends[call.flow].append(call)
                elif call.kind == RECEIVE:
                    receives[call.flow].append(call)
                elif call.kind in (RELAY, TEE):
                    sends[call.to].append(call)
                    if call.kind == RELAY:
                        receives[call.flow].append(call)
        for number, flow in self.flows.items():
            for calls in sends[number], receives[number]:
                calls.sort(key=lambda call: call.before)
            if flow["manner"] == "bytes":
                self.join_bytes(sends[number], receives[number])
            elif flow["manner"] == "messages":
                for send, receive in zip(sends[number], receives[number]):
                    size = min(send.bytes, receive.bytes)
                    self.pairs[send, 0, receive, 0].append((0, 0, size))

    def join_bytes(self, sends, receives):
        i, at = 0, 0  # the send, and how much of it is taken
        for receive in receives:
            done = 0
            while done < receive.bytes:
                while sends[i].bytes == at:
                    i, at = i + 1, 0
                size = min(sends[i].bytes - at, receive.bytes - done)
                self.pairs[sends[i], 0, receive, 0].append((at, done, size))
                at, done = at + size, done + size

    def find(self, tid, at_ns):
        """The call of this thread that went on at that time, or None."""
        i = bisect_right(self.starts.get(tid, ()), at_ns) - 1
        if i < 0 or self.calls[tid][i].after < at_ns:
            return None
        return self.calls[tid][i]

    def calls_without(self, times):
        """Those of which nothing happened at one of these times, by thread: not in the trace."""
        here = {self.find(tid, at_ns) for tid, at_ns in times}
        return {call for calls in self.calls.values() for call in calls} - here

    def handled_without(self, deliveries):
        """Runs of handlers that none of these deliveries, (thread, when), began."""
        here = {self.find_handled(tid, at_ns, 1 << 63) for tid, at_ns in deliveries}
        return {call for calls in self.handled.values() for call in calls} - here

    def find_handled(self, tid, from_ns, to_ns):
        i = bisect_left(self.handler_starts.get(tid, ()), from_ns)
        if i < len(self.handled.get(tid, ())) and self.handled[tid][i].before <= to_ns:
            return self.handled[tid][i]
        return None


class Comparison:
    """Counts by flow: pairs that are true, and of those that the tool tells of: exact and right,
    doubted (ambiguous) and right, mistaken, wrong (and called exact), missing, duplicate; guessed:
    missing, but something else is told of its calls, and doubted;
    length: the right two calls, but another number of bytes; and fate: said to be unread or from
    outside, though a call here is its other side."""

    def __init__(self, truth, gone=(), moved=None):
        self.truth = truth
        self.gone = set(gone)  # calls that the trace does not have
        self.moved = moved or {}  # operation -> its time, where the trace has another one
        self.counts = defaultdict(Counter)
        self.found = Counter()
        self.guessed = set()  # calls of which something wrong is told, and doubted
        self.examples = []

    def note(self, flow, what, message):
        self.counts[flow][what] += 1
        self.examples.append((what, self.truth.flows[flow]["stage"], message))

    def note_missing(self, key):
        send, index, receive, other = key
        self.examples.append((
            "missing",
            self.truth.flows[receive.flow]["stage"],
            f"{send} message {index} to {receive} message {other}, told: {self.found.get(key, 0)} B",
        ))

    def side(self, message, who, side):
        """The call, and which of its messages; None where the log knows none."""
        if not message[who] or not message[side]:
            return None, 0
        line = message[side]
        at_ns = self.moved.get(line.get("op"), line["enter_ns"])
        call = self.truth.find(message[who]["tid"], at_ns)
        return call, line.get("message", 0)

    def signal_side(self, message):
        line = message["received"]
        if not line or not message["to"]:
            return None, 0
        if "op" in line:
            return self.side(message, "to", "received")
        end = line["exit_ns"] if line["exit_ns"] is not None else 1 << 63
        return self.truth.find_handled(message["to"]["tid"], line["enter_ns"], end), 0

    def add(self, message):
        send, index = self.side(message, "from", "sent")
        if message["mechanism"] == "signal":
            if not send:
                return
            receive, other = self.signal_side(message)
        else:
            receive, other = self.side(message, "to", "received")
        if send and receive:
            self.add_pair(message, (send, index, receive, other))
        elif send or receive:
            self.add_single(message, send, index, receive, other)

    def add_pair(self, message, key):
        send, _, receive, _ = key
        flow = receive.flow
        exact = message["match"] == "exact"
        if not self.fits(message, key):
            fault = "length" if self.right_but_for_length(message, key) else "wrong"
            self.note(flow, fault if exact else "mistaken", message)
            self.guessed |= set() if exact else {send, receive}
            return
        self.found[key] += message["bytes"] or 1
        total = sum(size for _, _, size in self.truth.pairs[key]) or 1
        whole = self.truth.flows[receive.flow]["mechanism"] in ("eventfd", "signal")
        if not whole and self.found[key] > total:
            self.note(flow, "duplicate", message)
        self.counts[flow]["exact" if exact else "doubted"] += 1

    def right_but_for_length(self, message, key):
        return key in self.truth.pairs and message["mechanism"] not in STREAMS

    def fits(self, message, key):
        pieces = self.truth.pairs.get(key)
        if not pieces:
            return False
        mechanism, size = message["mechanism"], message["bytes"]
        if mechanism in ("signal", "eventfd"):
            return True
        if mechanism not in STREAMS:
            return any(size == piece[2] for piece in pieces)
        begin, at = message["sent"]["offset"], message["received"]["offset"]
        return any(
            place <= begin and begin + size <= place + n and begin - place == at - there
            for place, there, n in pieces
        )

    def is_from_inside(self, message, receive, other):
        """True if a call of the trace sent what the message, or its part of a stream, has."""
        stream = message["mechanism"] in STREAMS
        begin = message["received"].get("offset", 0)
        end = begin + message["bytes"]
        return any(
            send not in self.gone and
            (not stream or any(at < end and begin < at + size for _, at, size in pieces))
            for send, pieces in self.truth.senders.get((receive, other), ())
        )

    def add_single(self, message, send, index, receive, other):
        """Nobody received it, or it came from outside, says the message."""
        if message["match"] != "exact":
            return
        if receive:
            if not message["from"] and self.is_from_inside(message, receive, other):
                self.note(receive.flow, "fate", message)
            return
        if message["to"] and message["received"]:
            return  # by a call that the log does not know: not an actor's
        pieces = self.truth.received.get((send, index), ())
        begin = message["sent"].get("offset", 0) if send.count == 1 else 0
        size = message["bytes"]
        for place, n, receive in pieces:
            if receive in self.gone:
                continue
            if (place < begin + size and begin < place + n) or n == size == 0:
                self.note(send.to or send.flow, "fate", message)
                return

    def finish(self):
        """Counts the pairs that are true, and those that nobody told of."""
        for key, pieces in self.truth.pairs.items():
            send, _, receive, _ = key
            if send in self.gone or receive in self.gone:
                continue
            counts = self.counts[receive.flow]
            counts["pairs"] += 1
            told = key in self.found and self.found[key] >= sum(size for _, _, size in pieces)
            counts["missing"] += not told
            if not told:
                self.note_missing(key)
            counts["guessed"] += not told and not self.guessed.isdisjoint((send, receive))
        return self


def compare(truth, messages, gone=(), moved=None, kind=Comparison):
    """messages: an iterable of `ipclens messages`' lines."""
    comparison = kind(truth, gone, moved)
    for line in messages:
        message = json.loads(line)
        if message["type"] == "message":
            comparison.add(message)
    return comparison.finish()
