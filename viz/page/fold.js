// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What repeats is shown once: of a loop its first round stays, and one item stands for all others.
 * That is opened level by level: then each round is there, with what repeats in it shown once.
 * Only what went well and could not be paired otherwise is folded. Where each message is two items,
 * into what it passes and out of it, a round has both, each in its place.
 */
import { release } from "./decode.js";
import { loopsOf } from "./loops.js";
import { FATE, KIND, PART } from "./store.js";

/* The half of such an item. Its row is a number of its own, behind those of all rows. */
export const FOLD = 3;
const HALVES = 4;
const IN = 1; /* the half that goes into what a message passes */

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
		const half = list[i] % HALVES;

		ids[i] = (store.route[m] * 8 + store.rowPart(list[i] >>> 2)) * HALVES + half;
		if (!store.types.size || store.type(m) === undefined) continue;
		const key = ids[i] + " " + store.type(m);

		if (!typed.has(key)) typed.set(key, store.routes.length * 8 * HALVES + typed.size);
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
		if (messages[i] >= 0)
			ids[i] = shapes[store.route[messages[i]]] * HALVES + (list[i] % HALVES);
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

	/* By this item a loop is told from others, whatever else is shown: the first that it hides. */
	hidden(loop) {
		return this.list[loop.body];
	}

	/*
	 * What is shown: {list, places (of its items among all), folds: Map by their rows' numbers,
	 * opened: loops that are open}.
	 */
	shown(open, end = this.list.length) {
		const places = new Uint32Array(this.list.length);

		Object.assign(this, { places, count: 0, open, folds: new Map(), opened: [] });
		this.put(0, end, this.loops, 0);
		const out = { places: places.slice(0, this.count), folds: this.folds, opened: this.opened };

		release(places);
		out.list = out.places.map((place) => this.list[place]);
		for (const fold of this.folds.values()) out.list[fold.at] = fold.row * HALVES + FOLD;
		return out;
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
		for (let i = from; i < end; i++) this.places[this.count++] = i;
	}

	putLoop(loop, depth) {
		if (!isWorth(loop)) {
			this.put(loop.first, loop.end, loop.inner, depth);
			return;
		}
		const key = this.hidden(loop);
		const fold = {
			key,
			row: this.store.rowCount + key,
			first: loop.first, /* places among all items */
			from: loop.body, /* [from, end) are hidden */
			end: loop.end,
			rounds: loop.rounds - 1,
			mixed: loop.mixed,
			alike: loop.end - loop.first === loop.rounds * (loop.body - loop.first),
			depth,
		};

		if (this.open.has(key)) {
			this.opened.push(fold);
			this.put(loop.first, loop.end, this.innerOf(loop), depth + 1);
			return;
		}
		this.put(loop.first, loop.body, loop.mixed ? [] : loop.inner, depth + 1);
		fold.at = this.count;
		this.folds.set(fold.row, fold);
		this.places[this.count++] = loop.body;
	}

	/* What is to be opened for item i to be shown: keys of all loops around it that hide it. */
	over(i) {
		const keys = [];
		let loops = this.loops;

		for (;;) {
			const loop = loops.find((each) => each.first <= i && i < each.end);

			if (!loop) return keys;
			if (isWorth(loop) && i >= loop.body) keys.push(this.hidden(loop));
			loops = this.innerOf(loop);
		}
	}
}

/*
 * What a fold hides, added up: {messages, bytes, ns, latencies (sorted; a sample of many)}. A
 * message counts where it arrives, unless none does here.
 */
export function summary(items, { from, end }) {
	const { store } = items.app;
	const arrived = { messages: 0, bytes: 0, latencies: [] };
	const left = { messages: 0, bytes: 0, latencies: [] };

	for (let place = from; place < end; place++) {
		const row = items.all[place] >>> 2;
		const half = items.all[place] % HALVES;
		const m = store.rowRef[row];

		if (m < 0 || (!half && store.rowOf[m] !== row)) continue;
		const sum = half === IN ? left : arrived;

		sum.messages++;
		sum.bytes += store.bytes[m];
		if (store.hasCalls && sum.latencies.length < 100000)
			sum.latencies.push(store.receivedNs(m) - store.sentNs(m));
	}
	const sum = arrived.messages ? arrived : left;

	sum.latencies = sum.latencies.filter((ns) => ns >= 0).sort((a, b) => a - b);
	return { ...sum, ns: items.allAt[end - 1] - items.allAt[from] };
}
