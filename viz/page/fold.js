// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What repeats is shown once: of a loop its first round stays, and one item stands for all others.
 * Only what went well and could not be paired otherwise is folded.
 */
import { FATE, KIND, PART } from "./store.js";

export const FOLD = 3; /* the half of such an item; its row is the first that is hidden */

const PERIOD_MOST = 16; /* rows of a round */
const ROUNDS_LEAST = 4;
const ROWS_LEAST = 16; /* fewer are shown as they are */

/* Rows of the same number look the same; below 0: like no other. */
function shapes(store, list, count) {
	const shape = new Float64Array(count);
	const routes = store.routes.length * 8;

	for (let i = 0; i < count; i++) {
		const row = list[i] >>> 2;
		const m = store.rowRef[row];
		const part = store.rowPart(row);

		shape[i] = -1 - i;
		if (m < 0 || store.rowKind(row) !== KIND.MESSAGE || part > PART.RECEIVED) continue;
		if (store.fate(m) !== FATE.NONE || store.ambiguous(m)) continue;
		const type = store.type(m);

		shape[i] =
			store.route[m] * 8 + part + (type === undefined ? 0 : (Math.abs(type) + 1) * routes);
	}
	return shape;
}

/* How many rows from `i` on repeat those `period` before them. */
function repeats(shape, count, i, period) {
	let k = i + period;

	while (k < count && shape[k] === shape[k - period]) k++;
	return k - i - period;
}

/* The loop that begins at i: {period, rounds}, or null. */
function loopAt(shape, count, i) {
	let best = null;

	if (shape[i] < 0) return null;
	for (let period = 1; period <= PERIOD_MOST && i + period < count; period++) {
		if (shape[i + period] < 0) break;
		if (shape[i + period] !== shape[i]) continue;
		const rounds = Math.floor(repeats(shape, count, i, period) / period) + 1;
		const rows = rounds * period;

		if (rounds < ROUNDS_LEAST || rows < ROWS_LEAST) continue;
		if (!best || rows > best.rounds * best.period + period) best = { period, rounds };
	}
	return best;
}

/* {list, count, folds: Map from the first hidden row}; loops at rows of `open` stay as they are. */
export function fold(store, list, count, open) {
	const shape = shapes(store, list, count);
	const out = new Uint32Array(count);
	const folds = new Map();
	let kept = 0;

	for (let i = 0; i < count;) {
		const loop = loopAt(shape, count, i);
		const rows = loop ? loop.period * loop.rounds : 1;
		const hidden = loop ? list[i + loop.period] >>> 2 : -1;

		if (!loop || open.has(hidden)) {
			for (const end = i + rows; i < end; i++) out[kept++] = list[i];
			continue;
		}
		for (let k = 0; k < loop.period; k++) out[kept++] = list[i + k];
		folds.set(hidden, {
			row: hidden,
			last: list[i + rows - 1] >>> 2,
			period: loop.period,
			rounds: loop.rounds - 1,
		});
		out[kept++] = (hidden << 2) | FOLD;
		i += rows;
	}
	return { list: out.slice(0, kept), count: kept, folds };
}

/* What a fold hides, added up: {messages, bytes, ns, latencies (sorted; a sample of many)}. */
export function summary(store, { row, last }) {
	const latencies = [];
	let messages = 0;
	let bytes = 0;

	for (let r = row; r <= last; r++) {
		const m = store.rowRef[r];

		if (m < 0 || store.rowOf[m] !== r) continue;
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
