// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Search in payloads (bytes, letters of either case alike), in what they say, and in names. */
import { NONE } from "./store.js";

const LOWER_A = 97;
const LOWER_Z = 122;
const CASE = 32; /* the bit that makes a letter lower case */

export class Search {
	constructor(app) {
		this.app = app;
	}

	run(query) {
		const { app } = this;
		const { store } = app;

		app.hits = { query, rows: null, count: 0 };
		if (query) {
			const rows = new Uint8Array(store.rowCount);

			if (store.hasPayload) this.inPayloads(new TextEncoder().encode(lower(query)), rows);
			if (store.hasPayload) this.inWords(query.toLowerCase(), rows);
			this.inNames(query.toLowerCase(), rows);
			app.hits.rows = rows;
			for (let r = 0; r < rows.length; r++) app.hits.count += rows[r];
		}
		app.emit("search");
	}

	/* All payloads lie one behind the other: what begins in one and ends in the next is no hit. */
	inPayloads(bytes, rows) {
		const { payloads, payloadAt, rowOf } = this.app.store;
		const bits = bytes.map((b) => (b >= LOWER_A && b <= LOWER_Z ? CASE : 0));
		let m = 0;
		let at = nextOf(payloads, 0, bytes[0], bits[0]);

		for (; at < payloads.length; at = nextOf(payloads, at + 1, bytes[0], bits[0])) {
			if (!standsAt(payloads, at, bytes, bits)) continue;
			while (payloadAt[m + 1] <= at) m++;
			if (at + bytes.length > payloadAt[m + 1]) continue;
			rows[rowOf[m]] = 1;
			at = payloadAt[m + 1] - 1;
		}
	}

	inWords(query, rows) {
		const { store } = this.app;
		const hits = store.texts.map((text) => text.toLowerCase().includes(query));

		for (let m = 0; m < store.messageCount; m++)
			if (store.words[m] && hits[store.words[m]]) rows[store.rowOf[m]] = 1;
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
		const selected = items.realRow(app.selected);
		const here = selected < 0 ? (step > 0 ? -1 : 0) : selected;

		for (let k = 1; rows && k <= count; k++) {
			const row = (((here + k * step) % count) + count) % count;

			if (rows[row] && items.wantsRow(row)) return row;
		}
		return NONE;
	}
}

/* Small functions that a browser compiles at once: three times as quick as one loop. */
function nextOf(data, at, byte, bit) {
	while (at < data.length && (data[at] | bit) !== byte) at++;
	return at;
}

function standsAt(data, at, bytes, bits) {
	for (let k = 1; k < bytes.length; k++)
		if ((data[at + k] | bits[k]) !== bytes[k]) return false;
	return true;
}

/* Of letters that are one byte, as bytes are compared. */
const lower = (text) => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
