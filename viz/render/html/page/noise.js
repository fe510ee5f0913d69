// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A process's talk with itself (a self-pipe, an eventfd of its own), with netlink and with the
 * resolver is one row for each, where there is other talk to show (as viz/scene/fold_noise.c, which
 * says what it is). Where a channel or a conversation is asked for, and where nothing is folded,
 * each message has its row.
 */
import { say } from "./say.js";
import { KIND } from "./store.js";

const WORDS = ["", "with itself", "with the kernel", "with the resolver"];
const LEAST = 3; /* fewer messages are drawn each */
const KEY = 3; /* of a row: no loop has such a number (fold.js) */

/* By route the group that it belongs to, or undefined. */
function groupsOf(app, routeShown) {
	const { store } = app;
	const groups = new Map();

	return store.routes.map(({ from, to, noise, mechanism }, route) => {
		if (!noise || !routeShown[route]) return undefined;
		const lane = app.headOf(from >= 0 ? from : to);
		const key = [lane, noise, mechanism].join();
		const text = store.mechanisms[mechanism].name + " " + say(WORDS[noise]);

		if (!groups.has(key)) groups.set(key, { text, lane, first: -1, messages: 0 });
		return groups.get(key);
	});
}

export class Noise {
	/* Of the rows of a store, as far as their routes are shown. */
	constructor(app, routeShown) {
		const { store } = app;
		const groups = groupsOf(app, routeShown);
		let others = false;

		for (let row = 0; row < store.rowCount; row++) {
			const m = store.rowRef[row];

			if (m < 0 || !routeShown[store.route[m]]) continue;
			const group = groups[store.route[m]];

			if (!group) others ||= store.rowKind(row) === KIND.MESSAGE;
			else if (group.first < 0) Object.assign(group, { first: row, messages: 1 });
			else group.messages += store.rowOf[m] === row ? 1 : 0;
		}
		this.store = store;
		this.groups = groups.map((g) => (others && g?.messages >= LEAST ? g : undefined));
		this.all = [...new Set(this.groups.filter(Boolean))];
		for (const group of this.all) {
			group.key = group.first * 4 + KEY;
			group.row = store.rowCount + group.key;
		}
	}

	/* Null: every message has its row. */
	static of(app, routeShown) {
		const { filter, fold, store, via } = app;

		store.noisy ??= store.routes.some(({ noise }) => noise);
		if (!store.noisy || !fold || via || filter.object >= 0 || filter.talk >= 0) return null;
		const noise = new Noise(app, routeShown);

		return noise.all.length ? noise : null;
	}

	/* Of a row, or undefined. */
	groupOf(row) {
		const m = this.store.rowRef[row];

		return m >= 0 ? this.groups[this.store.route[m]] : undefined;
	}

	/* Rows of a group. */
	rowsOf(group) {
		const rows = [];

		for (let row = group.first; row < this.store.rowCount; row++)
			if (this.groupOf(row) === group) rows.push(row);
		return rows;
	}
}
