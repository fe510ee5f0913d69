// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What repeats is shown once: of a loop its first round stays, and one item stands for all others.
 * That is opened level by level: then each round is there, with what repeats in it shown once.
 * Only what went well and could not be paired otherwise is folded.
 */
import { release } from "./decode.js";
import { loopsOf } from "./loops.js";
import { FATE, KIND, PART } from "./store.js";

export const FOLD = 3; /* the half of such an item; its row is the first that is hidden */

const ROUNDS_LEAST = 4;
const ROWS_LEAST = 16; /* fewer are shown as they are */
const ROWS_MOST = 400; /* more are too many to look at */
const SAMPLE = 20000; /* rows that are tried first */
const STRETCH_LEAST = 64;
const STRETCH_SHOWN = 12;

/* Of each item its message, where that went well and could not be paired otherwise; else -1. */
function plain(store, list) {
	const messages = new Int32Array(list.length);

	for (let i = 0; i < list.length; i++) {
		const row = list[i] >>> 2;
		const m = store.rowRef[row];
		const good =
			m >= 0 &&
			store.rowKind(row) === KIND.MESSAGE &&
			store.rowPart(row) <= PART.RECEIVED &&
			store.fate(m) === FATE.NONE &&
			!store.ambiguous(m);

		messages[i] = good ? m : -1;
	}
	return messages;
}

/* Items of the same number look the same; -1: like no other. */
function exactly(store, list, messages) {
	const ids = new Int32Array(list.length).fill(-1);
	const typed = new Map();

	for (let i = 0; i < list.length; i++) {
		const m = messages[i];

		if (m < 0) continue;
		ids[i] = store.route[m] * 8 + store.rowPart(list[i] >>> 2);
		if (!store.types.size || store.type(m) === undefined) continue;
		const key = ids[i] + " " + store.type(m);

		if (!typed.has(key)) typed.set(key, store.routes.length * 8 + typed.size);
		ids[i] = typed.get(key);
	}
	return ids;
}

/* The same of whatever channel, type and way to draw it: from whom to whom, and by what. */
function roughly(store, list, messages) {
	const ids = new Int32Array(list.length).fill(-1);
	const ends = new Map();
	const shapes = store.routes.map(({ from, to, mechanism, fromName, toName }) => {
		const key = [from, to, mechanism, fromName, toName].join();

		if (!ends.has(key)) ends.set(key, ends.size);
		return ends.get(key);
	});

	for (let i = 0; i < list.length; i++)
		if (messages[i] >= 0) ids[i] = shapes[store.route[messages[i]]];
	return ids;
}

/* Long stretches in no order: of each some are shown. What repeats in it is looked for later. */
function stretches(messages) {
	const found = [];

	for (let i = 0, end; i < messages.length; i = end + 1) {
		for (end = i; messages[end] >= 0; ) end++;
		if (end - i < STRETCH_LEAST) continue;
		const body = i + STRETCH_SHOWN;

		found.push({ first: i, body, end, rounds: end - body + 1, inner: null, mixed: true });
	}
	return found;
}

function shift(loops, by) {
	for (const loop of loops) {
		loop.first += by;
		loop.body += by;
		loop.end += by;
		shift(loop.inner, by);
	}
	return loops;
}

const isWorth = (loop) => loop.rounds >= ROUNDS_LEAST && loop.end - loop.first >= ROWS_LEAST;

export class Folds {
	constructor(store, list) {
		const messages = plain(store, list);

		Object.assign(this, { store, list });
		if (!this.foldAs(exactly, messages) && !this.foldAs(roughly, messages))
			this.loops = stretches(messages);
	}

	/* Whether that leaves few rows. Mostly the first ones tell that it does not. */
	foldAs(shapes, messages) {
		for (const end of [SAMPLE, this.list.length]) {
			const part = messages.subarray(0, end);
			const ids = shapes(this.store, this.list.subarray(0, end), part);

			this.loops = loopsOf(ids);
			release(ids);
			if (this.shown(new Set(), part.length).list.length > ROWS_MOST) return false;
			if (part.length === messages.length) return true;
		}
	}

	innerOf(loop) {
		const part = this.list.subarray(loop.first, loop.end);

		loop.inner ??= shift(
			loopsOf(roughly(this.store, part, plain(this.store, part))),
			loop.first,
		);
		return loop.inner;
	}

	/* By this row a loop is told from others: the first that it hides. */
	hidden(loop) {
		return this.list[loop.body] >>> 2;
	}

	/* What is shown: {list, folds: Map from the first hidden row, opened: loops that are open}. */
	shown(open, end = this.list.length) {
		const out = { list: new Uint32Array(this.list.length), count: 0 };

		Object.assign(this, { out, open, folds: new Map(), opened: [] });
		this.put(0, end, this.loops, 0);
		const list = out.list.slice(0, out.count);

		release(out.list);
		return { list, folds: this.folds, opened: this.opened };
	}

	/* Items [from, end), and of loops among them what is shown. */
	put(from, end, loops, depth) {
		let at = from;

		for (const loop of loops) {
			if (loop.first >= end) break;
			this.copy(at, loop.first);
			this.putLoop(loop, depth);
			at = loop.end;
		}
		this.copy(at, end);
	}

	copy(from, end) {
		this.out.list.set(this.list.subarray(from, end), this.out.count);
		this.out.count += end - from;
	}

	putLoop(loop, depth) {
		if (!isWorth(loop)) {
			this.put(loop.first, loop.end, loop.inner, depth);
			return;
		}
		const fold = {
			first: this.list[loop.first] >>> 2,
			row: this.hidden(loop),
			last: this.list[loop.end - 1] >>> 2,
			rounds: loop.rounds - 1,
			mixed: loop.mixed,
			alike: loop.end - loop.first === loop.rounds * (loop.body - loop.first),
			depth,
		};

		if (this.open.has(fold.row)) {
			this.opened.push(fold);
			this.put(loop.first, loop.end, this.innerOf(loop), depth + 1);
			return;
		}
		this.put(loop.first, loop.body, loop.mixed ? [] : loop.inner, depth + 1);
		this.folds.set(fold.row, fold);
		this.out.list[this.out.count++] = (fold.row << 2) | FOLD;
	}

	/* What is to be opened for item i to be shown: hidden rows of all loops around it. */
	over(i) {
		const rows = [];
		let loops = this.loops;

		for (;;) {
			const loop = loops.find((each) => each.first <= i && i < each.end);

			if (!loop) return rows;
			if (isWorth(loop) && i >= loop.body) rows.push(this.hidden(loop));
			loops = this.innerOf(loop);
		}
	}
}

/* What a fold hides, added up: {messages, bytes, ns, latencies (sorted; a sample of many)}. */
export function summary(items, { row, last }) {
	const { store } = items.app;
	const latencies = [];
	let messages = 0;
	let bytes = 0;

	for (let r = row; r <= last; r++) {
		const m = store.rowRef[r];

		if (m < 0 || store.rowOf[m] !== r || !items.wantsRow(r)) continue;
		messages++;
		bytes += store.bytes[m];
		if (store.hasCalls && latencies.length < 100000)
			latencies.push(store.receivedNs(m) - store.sentNs(m));
	}
	return {
		messages,
		bytes,
		ns: store.rowAt[last] - store.rowAt[row],
		latencies: latencies.filter((ns) => ns >= 0).sort((a, b) => a - b),
	};
}
