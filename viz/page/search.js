// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Search in payloads (bytes, letters of either case alike) and in names. Long payloads are searched
 * as one string of bytes, by the browser itself at some gigabytes a second; short ones one by one,
 * as there many hits cost more than the way between them.
 */
import { NONE } from "./store.js";

const SLICE = 8192;
const UPPER_A = 65;
const UPPER_Z = 90;
const SHORT = 32; /* bytes of a payload, on average */

/* A copy with upper case made lower. */
function folded(data) {
	const copy = data.slice();

	for (let i = 0; i < copy.length; i++)
		if (copy[i] >= UPPER_A && copy[i] <= UPPER_Z) copy[i] |= 32;
	return copy;
}

/* Bytes as a string of as many letters. */
function lettersOf(data) {
	const parts = [];

	for (let at = 0; at < data.length; at += SLICE)
		parts.push(String.fromCharCode.apply(null, data.subarray(at, at + SLICE)));
	return parts.join("");
}

export class Search {
	constructor(app) {
		this.app = app;
		this.data = null;
		this.text = null;
	}

	/* Takes a while with many messages: when there is time, or at the first search. */
	prepare() {
		const store = this.app.store;

		if (this.data || !store.hasPayload) return;
		this.data = folded(store.payloads);
		if (this.data.length > store.messageCount * SHORT) this.text = lettersOf(this.data);
	}

	run(query) {
		const { app } = this;
		const store = app.store;

		app.hits = { query, rows: null, count: 0 };
		if (query) {
			const rows = new Uint8Array(store.rowCount);

			this.prepare();
			this.inPayloads(folded(new TextEncoder().encode(query)), rows);
			this.inNames(query.toLowerCase(), rows);
			app.hits.rows = rows;
			for (let r = 0; r < rows.length; r++) app.hits.count += rows[r];
		}
		app.emit("search");
	}

	inPayloads(bytes, rows) {
		if (this.text !== null) this.inText(lettersOf(bytes), rows);
		else if (this.data) this.inEach(bytes, rows);
	}

	inText(letters, rows) {
		const store = this.app.store;
		const ends = store.payloadAt;
		let m = 0;

		for (let at = this.text.indexOf(letters); at >= 0; at = this.text.indexOf(letters, at)) {
			m = messageAt(ends, at, m);
			if (at + letters.length > ends[m + 1]) {
				at++; /* half of it is another message's */
				continue;
			}
			rows[store.rowOf[m]] = 1;
			at = ends[m + 1];
		}
	}

	inEach(bytes, rows) {
		const { messageCount, payloadAt, rowOf } = this.app.store;

		for (let m = 0; m < messageCount; m++)
			if (has(this.data, payloadAt[m], payloadAt[m + 1], bytes)) rows[rowOf[m]] = 1;
	}

	inNames(query, rows) {
		const store = this.app.store;
		const named = (text) => text.toLowerCase().includes(query);
		const lanes = store.lanes.map((lane) => named(lane.name));
		const objects = store.objects.map((object) => named(object.name));
		const routes = store.routes.map(
			(route) =>
				lanes[route.from] ||
				lanes[route.to] ||
				objects[route.object] ||
				named(route.label) ||
				named(route.fromName) ||
				named(route.toName) ||
				named(store.mechanisms[route.mechanism].name),
		);

		if (routes.includes(true))
			for (let m = 0; m < store.messageCount; m++)
				if (routes[store.route[m]]) rows[store.rowOf[m]] = 1;
		for (const said of store.said)
			if (
				lanes[said.from] ||
				lanes[said.to] ||
				named(said.label) ||
				named(said.detail) ||
				named(said.channel)
			)
				rows[said.row] = 1;
	}

	/* The next hit that no filter hides, below or above the selected row; around the end. */
	next(step) {
		const { app } = this;
		const { items, store } = app;
		const { rows } = app.hits;
		const count = store.rowCount;
		const here = app.selected < 0 ? (step > 0 ? -1 : 0) : app.selected;

		for (let k = 1; rows && k <= count; k++) {
			const row = (((here + k * step) % count) + count) % count;

			if (rows[row] && items.wantsRow(row)) return row;
		}
		return NONE;
	}
}

function has(data, from, to, bytes) {
	const first = bytes[0];
	const last = to - bytes.length;

	for (let at = from; at <= last; at++) {
		let k = 1;

		if (data[at] !== first) continue;
		while (k < bytes.length && data[at + k] === bytes[k]) k++;
		if (k === bytes.length) return true;
	}
	return false;
}

/* The message that has this byte; not before `from`, and often near it. */
function messageAt(ends, at, from) {
	let step = 1;
	let low = from;

	while (low + step < ends.length && ends[low + step] <= at) {
		low += step;
		step *= 2;
	}
	let high = Math.min(low + step, ends.length - 1) - 1;

	while (low < high) {
		const middle = (low + high) >> 1;

		if (ends[middle + 1] <= at) low = middle + 1;
		else high = middle;
	}
	return low;
}
