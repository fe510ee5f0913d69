// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What repeats is shown once: of a loop its first round stays, and one item stands for all others.
 * That is opened level by level: then each round is there, with what repeats in it shown once.
 * Where each message is two items, into what it passes and out of it, a round has both, each in its
 * place. It finds what the folds of the text find (viz/scene/fold.c), by its bounds.
 */
import { release } from "./decode.js";
import { loopsOf } from "./loops.js";
import { isLife, PLAIN_LANES, shapesOf } from "./shape.js";
import { PART } from "./store.js";

/* The half of such an item. Its row is a number of its own, behind those of all rows. */
export const FOLD = 3;
const HALVES = 4;
const IN = 1; /* the half that goes into what a message passes */

const MIX_SHOWN = 12; /* rows of what has no order */
const SAMPLE = 2048;

function shift(loops, by) {
	for (const loop of loops) {
		loop.first += by;
		loop.body += by;
		loop.end += by;
		shift(loop.inner, by);
	}
	return loops;
}

export class Folds {
	constructor(store, list, lanes = PLAIN_LANES) {
		Object.assign(this, { store, list, lanes, bounds: store.bounds });
		const ids = shapesOf(store, list, lanes, false);

		this.loops = this.hasLoops(ids) ? this.loopsOf(ids) : [];
		const total = this.rowsOf(this.loops, list.length);

		if (total > this.bounds.ROWS_MANY) this.loops = this.mixed(ids, total);
		release(ids);
	}

	loopsOf(ids) {
		return loopsOf(ids, this.bounds.BODY_MOST);
	}

	/* Long enough, and much shorter for it. */
	isWorth({ first, end, rows }) {
		return end - first >= this.bounds.ROWS_LEAST && end - first >= 2 * rows;
	}

	/* What is within a loop that is folded is so too. */
	isFolded(loop, depth) {
		return loop.mixed || depth > 0 || this.isWorth(loop);
	}

	/* How many rows that is, when what is worth it is folded. */
	rowsOf(loops, count) {
		let rows = count;

		for (const loop of loops)
			if (this.isWorth(loop)) rows -= loop.end - loop.first - loop.rows;
		return rows;
	}

	/*
	 * Whether there may be a loop that stays by itself. It lies around one of the samples, and
	 * these are soon looked through: of a million items in no order nothing else is known in time.
	 */
	hasLoops(ids) {
		const step = Math.floor(ids.length / (2 * this.bounds.ALONE_PART));

		if (step <= SAMPLE) return true;
		for (let from = 0; from + SAMPLE <= ids.length; from += step) {
			const loops = this.loopsOf(ids.slice(from, from + SAMPLE));

			if (this.rowsOf(loops, SAMPLE) <= SAMPLE / 2) return true;
		}
		return false;
	}

	/* Whether an item keeps its place. */
	isFixed(ids, i) {
		return ids[i] < 0 || isLife(this.store, this.list[i] >>> 2, this.lanes);
	}

	/* Whether a loop stays one among what has no order. */
	isAlone(ids, loop) {
		const part = (loop.end - loop.first) * this.bounds.ALONE_PART;

		if (this.isWorth(loop) && part > this.list.length) return true;
		for (let i = loop.first; i < loop.body; i++) if (this.isFixed(ids, i)) return true;
		return false;
	}

	/* Long stretches in no order: of each some are shown. Its loops are looked for later. */
	mixed(ids, total) {
		const found = [];
		let stretch = { first: 0, loops: [] };
		const close = (end, next) => {
			const { first, loops } = stretch;
			const body = first + MIX_SHOWN;

			if (!this.isWorthMixing(total, loops, first, end)) found.push(...loops);
			else found.push({ first, body, end, rounds: end - body + 1, inner: null, mixed: true });
			stretch = { first: next, loops: [] };
		};

		for (let i = 0, l = 0; i < ids.length; ) {
			const loop = this.loops[l]?.first === i ? this.loops[l++] : null;

			if (loop && this.isAlone(ids, loop)) {
				close(i, loop.end);
				found.push(loop);
			} else if (loop) {
				stretch.loops.push(loop);
			} else if (this.isFixed(ids, i)) {
				close(i, i + 1);
			}
			i = loop ? loop.end : i + 1;
		}
		close(ids.length, ids.length);
		return found;
	}

	/* Of a picture with `total` rows, those of items [first, end). */
	isWorthMixing(total, loops, first, end) {
		const { ROWS_MOST, MIX_LEAST, FEW_LEAST, FEW_TIMES } = this.bounds;
		const rows = this.rowsOf(loops, end - first);

		if (total > ROWS_MOST || rows < FEW_LEAST) return total > ROWS_MOST && rows >= MIX_LEAST;
		const ids = shapesOf(this.store, this.list.subarray(first, end), this.lanes, true);

		return new Set(ids).size * FEW_TIMES <= rows;
	}

	/* Of what had no order: of whatever channel and type. */
	innerOf(loop) {
		if (loop.inner) return loop.inner;
		const part = this.list.subarray(loop.first, loop.end);
		const ids = shapesOf(this.store, part, this.lanes, true);

		loop.inner = shift(this.loopsOf(ids), loop.first);
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
	shown(open) {
		const places = new Uint32Array(this.list.length);

		Object.assign(this, { places, count: 0, open, folds: new Map(), opened: [] });
		this.put(0, this.list.length, this.loops, 0);
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
		if (!this.isFolded(loop, depth)) {
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

		for (let depth = 0; ; ) {
			const loop = loops.find((each) => each.first <= i && i < each.end);

			if (!loop) return keys;
			if (this.isFolded(loop, depth) && i >= loop.body) keys.push(this.hidden(loop));
			depth += this.isFolded(loop, depth) ? 1 : 0;
			loops = this.innerOf(loop);
		}
	}
}

/* Of rows here and there that one row tells of. */
function noiseSummary(items, noise) {
	const { store } = items.app;
	const rows = items.noise.rowsOf(noise);
	const sum = new Sum();

	for (const row of rows) {
		const m = store.rowRef[row];

		if (store.rowOf[m] === row) sum.add(store, m);
	}
	sum.latencies.sort((a, b) => a - b);
	return Object.assign(sum, { ns: store.rowAt[rows.at(-1)] - store.rowAt[rows[0]] });
}

const LATENCIES_MOST = 100000; /* that are kept of many */

class Sum {
	constructor() {
		Object.assign(this, { messages: 0, signals: 0, bytes: 0, lost: 0, ambiguous: 0 });
		this.latencies = [];
		this.least = Infinity;
		this.most = -Infinity;
		this.wrong = 0;
	}

	add(store, m) {
		this[store.isSignal(m) ? "signals" : "messages"]++;
		this.bytes += store.bytes[m];
		this.lost += store.rowPart(store.rowOf[m]) > PART.RECEIVED ? 1 : 0;
		this.ambiguous += store.ambiguous(m) ? 1 : 0;
		if (!store.hasCalls || store.isSignal(m)) return;
		const ns = store.receivedNs(m) - store.sentNs(m);

		if (!(ns >= 0)) return;
		this.least = Math.min(this.least, ns);
		this.most = Math.max(this.most, ns);
		this.wrong = Math.max(this.wrong, store.routeOf(m).wrong);
		if (this.latencies.length < LATENCIES_MOST) this.latencies.push(ns);
	}
}

/*
 * What a fold hides, added up: {messages, signals, bytes, lost, ambiguous, ns, least, most (of
 * latencies; not finite: none is known), wrong (clocksApart(), at most), latencies (sorted; a
 * sample of many)}. A message counts where it arrives, unless none does here.
 */
export function summary(items, { from, end, noise }) {
	const { store } = items.app;
	const arrived = new Sum();
	const left = new Sum();

	if (noise) return noiseSummary(items, noise);

	for (let place = from; place < end; place++) {
		const row = items.all[place] >>> 2;
		const half = items.all[place] % HALVES;
		const m = store.rowMessage(row);

		if (m < 0 || (!half && store.rowOf[m] !== row)) continue;
		(half === IN ? left : arrived).add(store, m);
	}
	const sum = arrived.messages + arrived.signals ? arrived : left;

	sum.latencies.sort((a, b) => a - b);
	return Object.assign(sum, { ns: items.allAt[end - 1] - items.allAt[from] });
}
