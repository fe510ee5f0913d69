# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What the actors of truthmatrix logged (matrix.h), and `ipclens messages` compared with it.

Which bytes of which send a receive took is known from what these bytes are, not from an order.
"""
import os
import sys
from collections import defaultdict

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "truthgen"))

import damage
import pairs
from pairs import ACTOR, HANDLED, PART, RECEIVE, RELAY, SEND, Call

STREAMS = pairs.STREAMS = (*pairs.STREAMS, "pty")
NAMES = 16
EMPTY = 0x3FFFFF  # "actor" of an empty message


def joined(pieces):
    """Those that go on where another one ends, as one."""
    pieces.sort()
    whole = pieces[:1]
    for place, at, size in pieces[1:]:
        last = whole[-1]
        if last[0] + last[2] == place and last[1] + last[2] == at:
            whole[-1] = (last[0], last[1], last[2] + size)
        else:
            whole.append((place, at, size))
    return whole


class Truth(pairs.Truth):
    """The log. Which calls share which bytes: self.pairs."""

    def load(self, path):
        with open(path, "rb") as file:
            data = file.read()
        self.pieces = defaultdict(list)  # (actor, message) -> [(call, index, place, bytes)]
        parts, mine, actor, tid = [], [], 0, 0
        for kind, flow, a, b, c, d, e in pairs.RECORD.iter_unpack(data):
            if kind == ACTOR:
                actor, tid, mine = flow, b, []
            elif kind == NAMES:
                mine[-1].count = 1
                self.pieces[actor, a].append((mine[-1], 0, b, c))
            elif kind == PART:
                parts.append((a, b, c, d & 0xFFFFFFFF, e, mine[flow], d >> 32))
            else:
                call = Call(kind, flow, a, b, c, d, e)
                mine.append(call)
                (self.handled if kind == HANDLED else self.calls)[tid].append(call)
                for i in range(call.count if kind == SEND else 0):
                    self.pieces[actor, d + i].append((call, i, 0, 1 << 32))
        return parts

    def name_stages(self):
        """An actor's own pipe belongs to its cell, whose flow is its name."""
        for flow in self.flows.values():
            if flow["stage"].isdigit():
                flow["stage"] = self.flows[int(flow["stage"])]["stage"]

    def join_parts(self, parts):
        self.name_stages()
        taken = defaultdict(int)
        for actor, message, place, at, size, receive, other in parts:
            taken[receive] += size
            if actor == EMPTY:
                continue
            for call, index, begin, length in self.pieces[actor, message]:
                first, last = max(place, begin), min(place + size, begin + length)
                if first < last:
                    piece = (first - begin, at + first - place, last - first)
                    self.pairs[call, index, receive, other].append(piece)
        for key, pieces in self.pairs.items():
            self.pairs[key] = joined(pieces)
        for call, size in taken.items():
            if call.kind in (RECEIVE, RELAY) and size != call.bytes:
                stage = self.flows[call.flow]["stage"]
                raise RuntimeError(f"{stage}: {call.bytes} bytes taken, {size} known")
        self.join_empty(parts)

    def join_empty(self, parts):
        """The one message of a flow that nobody took is the empty one that was received."""
        received = {(part[5].flow): (part[5], part[6]) for part in parts if part[0] == EMPTY}
        got = {(call, index) for call, index, _, _ in self.pairs}
        if not received:
            return
        for pieces in self.pieces.values():
            for call, index, _, _ in pieces:
                if call.flow in received and (call, index) not in got and call.count > 1:
                    self.pairs[call, index, *received[call.flow]].append((0, 0, 0))


class Comparison(pairs.Comparison):
    """As of truthgen, where a stream's calls are one item however many messages they name, and so
    is a datagram that was sent in several calls or is several ones of one call."""

    def side(self, message, who, side):
        call, index = super().side(message, who, side)
        if call and (message["mechanism"] in STREAMS or call.count <= 1):
            index = 0
        return call, index

    def add(self, message):
        if not self.is_cut_off(message):
            super().add(message)

    def fits(self, message, key):
        """Of the datagrams into which a call is cut (UDP_SEGMENT) the very one must be told."""
        if not super().fits(message, key):
            return False
        send, _, receive, _ = key
        if "segment" not in self.truth.flows[receive.flow]["stage"].split("/")[1]:
            return True
        places = [piece[0] for piece in self.truth.pairs[key]]
        return not message["bytes"] or message["sent"]["offset"] in places

    def is_cut_off(self, message):
        """Of a datagram of several sends the last ones may lie behind what the receiver had room
        for: nobody has a byte of them, and what came before them this very call has taken."""
        if message["bytes"] or message.get("fate") != "truncated" or not message.get("cut"):
            return False
        send, _ = self.side(message, "from", "sent")
        receive, other = self.side(message, "to", "received")
        if not send or not receive:
            return False
        sends = [c for c in self.truth.calls[message["from"]["tid"]] if c.kind == SEND]
        at = sends.index(send)
        while at > 0 and not self.truth.received.get((sends[at], 0)):
            at -= 1
        taken = {s for s, _, r, o in self.truth.pairs if (r, o) == (receive, other)}
        return sends[at] != send and sends[at] in taken


def compare(truth, messages, gone=()):
    return pairs.compare(truth, messages, gone, kind=Comparison)


def missing_calls(truth, path):
    """Those that the trace does not have, as records were lost."""
    with open(path, "rb") as file:
        lines = file.readlines()
    gone = truth.calls_without(damage.times(lines))
    return gone | truth.handled_without(damage.deliveries(lines))
