// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Arrows that slant: from where a message left down to where it had arrived. The pieces of one call
 * are a fan: they have its tail or its head in common.
 */
import { PART } from "./store.js";
import { itemHalf, itemRow } from "./items.js";

export const leavesHere = (part) => part === PART.WHOLE || part === PART.SENT;
export const arrivesHere = (part) => part === PART.WHOLE || part === PART.RECEIVED;

export class Slants {
	constructor(app, items, layout) {
		Object.assign(this, { app, items, layout });
	}

	/* Rows that an arrow may cross. */
	get most() {
		return this.app.store.bounds.SLANT_MOST + 2;
	}

	/*
	 * Where the arrow of item i begins and ends: {y1, y2}, or null where it does not slant or its
	 * other end is too far away.
	 */
	of(i) {
		const { store } = this.app;
		const item = this.items.list[i];
		const row = itemRow(item);
		const m = store.rowRef[row];

		if (!(m >= 0) || itemHalf(item) || !store.hasCalls || this.app.via) return null;
		if (this.isStraightDown(store.routeOf(m))) return null;
		const part = store.rowPart(row);

		if (part === PART.WHOLE) return this.down(i, m);
		if (part === PART.SENT) return this.toHead(i, m, row);
		return part === PART.RECEIVED ? this.fromTail(i, m, row) : null;
	}

	/* To itself, or to one who has its column later. */
	isStraightDown({ from, to }) {
		const { slotX } = this.layout;

		return from >= 0 && to >= 0 && slotX[from] === slotX[to];
	}

	/* It had arrived some rows below. */
	down(i, m) {
		const { items, layout, app } = this;
		const ns = app.store.receivedNs(m);
		const rows = ns >= items.at[i] ? items.atTime(ns) - i : 0;

		if (app.timeAxis) return null; /* to scale each arrow slopes */
		if (rows <= app.store.bounds.SLANT_LEAST || rows > this.most) return null;
		return { y1: layout.y(i), y2: layout.yOfTime(ns) };
	}

	toHead(i, m, row) {
		const { layout } = this;
		const head = this.find(i, 1, (other) => this.isHead(other, m, row));

		if (head < 0) return null;
		return {
			y1: layout.y(i),
			y2: this.down(head, this.message(head))?.y2 ?? layout.y(head),
		};
	}

	fromTail(i, m, row) {
		const { layout } = this;
		const tail = this.find(i, -1, (other) => this.isTail(other, m, row));

		if (tail < 0) return null;
		return { y1: layout.y(tail), y2: layout.y(this.isLast(m) ? i : this.headOf(i, m, row)) };
	}

	/* Of its receive; what is no piece of one is the last of its own. */
	isLast(m) {
		const { store } = this.app;

		return store.receiveOffset[m] + store.bytes[m] >= store.receiveTotal(m);
	}

	/* Of a piece from above whose receive took others too: the item with the head, or its own. */
	headOf(i, m, row) {
		const head = this.find(i, 1, (other) => this.isHead(other, m, row));

		return head < 0 ? i : head;
	}

	message(i) {
		return this.app.store.rowRef[itemRow(this.items.list[i])];
	}

	/* The nearest item for which it holds, or -1. */
	find(i, step, is) {
		const { list, count } = this.items;

		for (let n = 1, k = i + step; n <= this.most && k >= 0 && k < count; n++, k += step)
			if (!itemHalf(list[k]) && is(itemRow(list[k]))) return k;
		return -1;
	}

	/* The other half; or of a piece, the last one of its receive, which has the head. */
	isHead(other, m, row) {
		const { store } = this.app;
		const n = store.rowRef[other];

		if (!(n >= 0) || other === row || !arrivesHere(store.rowPart(other))) return false;
		if (n === m) return true;
		return (
			store.receive[n] > 0 &&
			store.receive[n] === store.receive[m] &&
			this.isLast(n)
		);
	}

	/* The other half; or of a piece, the first one of its send, which has the tail. */
	isTail(other, m, row) {
		const { store } = this.app;
		const n = store.rowRef[other];

		if (!(n >= 0) || other === row || !leavesHere(store.rowPart(other))) return false;
		if (n === m) return true;
		return store.send[n] > 0 && store.send[n] === store.send[m] && !store.sendOffset[n];
	}
}
