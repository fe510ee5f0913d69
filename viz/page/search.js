// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Search in payloads (bytes, letters of either case alike) and in names. All payloads are one long
 * string of bytes: the browser's own search goes through it at some gigabytes a second.
 */
import { NONE } from "./store.js";

const SLICE = 8192;
const UPPER_A = 65;
const UPPER_Z = 90;

/* Bytes as a string of as many letters, upper case made lower. */
function folded(data) {
	const parts = [];

	for (let at = 0; at < data.length; at += SLICE) {
		const slice = data.slice(at, at + SLICE);

		for (let i = 0; i < slice.length; i++)
			if (slice[i] >= UPPER_A && slice[i] <= UPPER_Z) slice[i] |= 32;
		parts.push(String.fromCharCode.apply(null, slice));
	}
	return parts.join("");
}

export class Search {
	constructor(app) {
		this.app = app;
		this.text = null;
	}

	/* Takes a while with many messages: when there is time, or at the first search. */
	prepare() {
		const store = this.app.store;

		if (this.text === null && store.hasPayload) this.text = folded(store.payloads);
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
		const store = this.app.store;
		const ends = store.payloadAt;
		let m = 0;

		if (this.text === null) return;
		for (let at = this.text.indexOf(bytes); at >= 0; at = this.text.indexOf(bytes, at)) {
			m = messageAt(ends, at, m);
			if (at + bytes.length > ends[m + 1]) {
				at++; /* half of it is another message's */
				continue;
			}
			rows[store.rowOf[m]] = 1;
			at = ends[m + 1];
		}
	}

	inNames(query, rows) {
		const store = this.app.store;
		const has = (text) => text.toLowerCase().includes(query);
		const lanes = store.lanes.map((lane) => has(lane.name));
		const objects = store.objects.map((object) => has(object.name));
		const routes = store.routes.map(
			(route) =>
				lanes[route.from] ||
				lanes[route.to] ||
				objects[route.object] ||
				has(route.label) ||
				has(route.fromName) ||
				has(route.toName) ||
				has(store.mechanisms[route.mechanism].name),
		);

		if (routes.includes(true))
			for (let m = 0; m < store.messageCount; m++)
				if (routes[store.route[m]]) rows[store.rowOf[m]] = 1;
		for (const said of store.said)
			if (
				lanes[said.from] ||
				lanes[said.to] ||
				has(said.label) ||
				has(said.detail) ||
				has(said.channel)
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
