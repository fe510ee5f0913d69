// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What repeats, and repeats within that. Items go one by one to the end of a list; whenever it ends
 * with the same few entries twice, or with one more round of the loop before them, these become one
 * entry. What follows itself is one entry too, so that a round may have two of something where the
 * next has five. An item is looked at as often as the longest round has entries.
 *
 * A loop: {first, body, end, rounds, rows, inner}: items [first, end), of which [first, body) are
 * its first round, and the loops in any of its rounds. rows: how few it could be told by, one for
 * what follows itself, and its begin and its end.
 */
import { release } from "./decode.js";

const RUN_LEAST = 16; /* of one and the same item: fewer are no loop worth telling */
const LOOP_ID = 1 << 30; /* and above: numbers of loops */

const runOf = (first, end) => ({
	first,
	body: first + 1,
	end,
	rounds: end - first,
	rows: 1,
	inner: [],
});

class Entries {
	constructor(room, most) {
		this.most = most;
		this.id = new Int32Array(room);
		this.first = new Uint32Array(room + 1);
		this.loops = new Map(); /* of entries that are loops */
		this.count = 0;
		this.bodies = new Map();
		this.freeId = LOOP_ID;
	}

	/* A number for a loop of such a body. */
	idOf(ids) {
		const key = ids.join();

		if (!this.bodies.has(key)) this.bodies.set(key, this.freeId++);
		return this.bodies.get(key);
	}

	same(a, b, count) {
		for (let k = count - 1; k >= 0; k--)
			if (this.id[a + k] !== this.id[b + k] || this.id[a + k] < 0) return false;
		return true;
	}

	/* What is a loop in entries [from, to), in order; they are no more. */
	take(from, to) {
		const inner = [];

		for (let e = from; e < to; e++) {
			const [first, end] = [this.first[e], this.first[e + 1]];
			const loop = this.loops.get(e);

			if (loop) inner.push(loop);
			else if (end - first >= RUN_LEAST) inner.push(runOf(first, end));
			this.loops.delete(e);
		}
		return inner;
	}

	/* Of entries [from, to). */
	rowsOf(from, to) {
		let rows = 0;

		for (let e = from; e < to; e++) rows += this.loops.get(e)?.rows ?? 1;
		return rows;
	}

	addRound(count) {
		const round = this.count - count;

		const loop = this.loops.get(round - 1);

		if (!loop || loop.ids.length !== count) return false;
		for (let k = 0; k < count; k++) if (loop.ids[k] !== this.id[round + k]) return false;
		loop.inner.push(...this.take(round, this.count));
		loop.rounds++;
		loop.end = this.first[this.count];
		this.count = round;
		this.first[round] = loop.end;
		return true;
	}

	makeLoop(count) {
		const second = this.count - count;
		const from = second - count;

		if (from < 0 || !this.same(from, second, count)) return false;
		const ids = Array.from(this.id.subarray(from, second));
		const loop = {
			ids,
			first: this.first[from],
			body: this.first[second],
			end: this.first[this.count],
			rounds: 2,
			rows: this.rowsOf(from, second) + 2,
			inner: this.take(from, this.count),
		};

		this.id[from] = this.idOf(ids);
		this.loops.set(from, loop);
		this.count = from + 1;
		this.first[this.count] = loop.end;
		return true;
	}

	/* Longer and longer ends of the list, until none repeats. */
	findLoops() {
		let last = this.id[this.count - 1];

		for (let n = 2; last >= 0 && n <= this.most && n < this.count; n++) {
			const before = this.id[this.count - n - 1];

			/* An end repeats a loop right before it, or has at its own end what that has. */
			if (before !== last && before < LOOP_ID) continue;
			if (!this.addRound(n) && !this.makeLoop(n)) continue;
			last = this.id[this.count - 1];
			n = 1;
		}
	}

	/* Item i, which is as others with this id; -1: as none. */
	add(i, id) {
		const last = this.count - 1;

		if (last < 0 || id < 0 || this.id[last] !== id) {
			this.findLoops();
			this.id[this.count++] = id;
		}
		this.first[this.count] = i + 1;
	}
}

/* The loops of a list whose items have these ids; `most` entries are in a round. */
export function loopsOf(ids, most) {
	const entries = new Entries(ids.length, most);

	for (let i = 0; i < ids.length; i++) entries.add(i, ids[i]);
	entries.findLoops();
	const loops = entries.take(0, entries.count);

	release(entries.id);
	release(entries.first);
	return loops;
}
