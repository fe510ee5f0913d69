// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What two items must have in common to be the same at two times: equal numbers. The same as the
 * folds of the text (viz/scene/core/row_shape.c), of lanes as they stand here.
 */
import { KIND, PART } from "./store.js";

const HALVES = 3; /* whole, into what a message passes, out of it */
const VARIANTS = 256; /* of a shape: halves or parts, fates, sure or not */

/*
 * How lanes stand: headOf(lane), the one that stands for it; isGroup(lane): for others too;
 * mailboxes: channels are lanes; alone: rows that are like no other.
 */
export const PLAIN_LANES = {
	headOf: (lane) => lane,
	isGroup: () => false,
	mailboxes: false,
	alone: [],
};

class Shapes {
	constructor(store, lanes, coarse) {
		Object.assign(this, { store, lanes, coarse, numbers: new Map() });
		this.routes = Int32Array.from(store.routes.flatMap((route) => this.ofRoute(route)));
	}

	/* From 0. */
	number(...words) {
		const key = words.join();

		if (!this.numbers.has(key)) this.numbers.set(key, this.numbers.size);
		return this.numbers.get(key);
	}

	/* Through whichever of connected sockets, as each request may have its own. */
	channel(object, mailbox) {
		if (this.coarse && !mailbox) return "";
		return object >= 0 && this.store.objects[object].connected && !mailbox ? "-" : object;
	}

	head(lane) {
		return lane >= 0 ? this.lanes.headOf(lane) : lane;
	}

	/* As a whole, and its halves: of these each has one end only. */
	ofRoute({ from, to, mechanism, object, met, fromName, toName }) {
		const { mailboxes } = this.lanes;
		const ends = [
			[this.head(from), this.coarse || from >= 0 ? "" : fromName],
			[this.head(to), this.coarse || to >= 0 ? "" : toName],
		];

		return [
			[...ends[0], ...ends[1], this.channel(object, false)],
			[...ends[0], "in", "", this.channel(object, mailboxes)],
			["out", "", ...ends[1], this.channel(object, mailboxes)],
		].map((words) => this.number(mechanism, met, ...words));
	}

	ofMessage(m, half, row) {
		const { store } = this;
		const part = half ? PART.WHOLE : store.rowPart(row);
		const variant = (store.fate(m) * 2 + store.ambiguous(m)) * 8;
		let shape = this.routes[store.route[m] * HALVES + half];

		if (!this.coarse && store.types.size && store.type(m) !== undefined)
			shape = this.number("typed", shape, store.type(m));
		return shape * VARIANTS + variant + (this.coarse ? 0 : part);
	}

	/* Of a row with words; -1: like no other. */
	ofSaid(row) {
		const said = this.store.rowSaid(row);

		if (!said.like) return -1;
		if (said.shape === undefined || said.shapes !== this) {
			const ends = [this.head(said.from), this.head(said.to)];
			const words = ["said", said.like, ...ends, this.channel(said.object, false)];

			said.shapes = this;
			said.shape = this.number(...words) * VARIANTS;
		}
		return said.shape;
	}
}

/* Of each item a number; -1: it is like no other. `coarse`: of whatever channel and type. */
export function shapesOf(store, list, lanes, coarse) {
	const shapes = new Shapes(store, lanes, coarse);
	const ids = new Int32Array(list.length);
	const alone = new Set(lanes.alone);

	for (let i = 0; i < list.length; i++) {
		const row = list[i] >>> 2;
		const m = store.rowRef[row];

		ids[i] = m >= 0 ? shapes.ofMessage(m, (list[i] & 3) % HALVES, row) : shapes.ofSaid(row);
		if (alone.size && alone.has(row)) ids[i] = -1;
	}
	return ids;
}

/* A process is born, becomes another program or ends: but one of a group may do so anywhere. */
export function isLife(store, row, lanes) {
	const kind = store.rowKind(row);
	const lane = () => (kind === KIND.FORK ? store.rowSaid(row).to : store.rowSaid(row).from);

	return (
		(kind === KIND.FORK || kind === KIND.EXEC || kind === KIND.EXIT) &&
		lane() >= 0 &&
		!lanes.isGroup(lane())
	);
}
