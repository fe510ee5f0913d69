// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The moments at which something changes, in their order. Of step s: at[s] (nanoseconds), kind[s]
 * (STEP), ref[s] (a message, call or row). stops[] are the steps at which play stands still: what
 * one call moves in several parts is one.
 */
import { FATE, FORM, KIND, NONE, OUTSIDE, PART } from "./store.js";
import { lowerBound, sortedOrder } from "./items.js";

export const STEP = {
	IN: 0 /* a message is copied into its channel */,
	OUT: 1 /* and out of it */,
	SAID: 2 /* a row with words */,
	SLEEP: 3 /* a call falls asleep */,
	WAKE: 4 /* it is woken, and so ready */,
	RUN: 5 /* it runs again */,
	RAISED: 6 /* a signal */,
	DELIVERED: 7,
	HANDLED: 8,
};

export const isOfCall = (kind) => kind >= STEP.SLEEP && kind <= STEP.RUN;

/* When it was woken, NaN: not known. */
export function wokenNs(store, c) {
	return store.readyBefore[c] ? store.resumedNs(c) - (store.readyBefore[c] - 1) : NaN;
}

/* When it fell asleep for the last time; NaN: it did not. */
export function asleepNs(store, c) {
	if (store.unfinished(c)) return store.enter[c];
	return store.offCpu[c] ? Math.max(store.enter[c], store.resumedNs(c) - store.offCpu[c]) : NaN;
}

/* Whether something lies there between sending and receiving. */
export function hasBuffer(mechanism) {
	return (
		mechanism.form === FORM.STREAM ||
		mechanism.form === FORM.MESSAGE ||
		mechanism.name === "eventfd"
	);
}

/* When somebody outside the trace took it nobody can tell. */
function isKept(store, m) {
	const route = store.routeOf(m);

	return (
		store.fate(m) !== FATE.DROPPED &&
		route.to !== OUTSIDE &&
		hasBuffer(store.mechanisms[route.mechanism])
	);
}

export class Steps {
	constructor(app) {
		this.store = app.store;
		this.items = app.items;
		this.filtered = app.filtered;
		this.times = [];
		this.kinds = [];
		this.refs = [];
		this.collectRows();
		this.collectMessages();
		this.collectCalls();
		this.sort();
		this.findStops();
		this.place();
	}

	add(kind, ref, ns) {
		if (Number.isNaN(ns)) return;
		this.times.push(ns);
		this.kinds.push(kind);
		this.refs.push(ref);
	}

	collectRows() {
		const { store, items } = this;

		for (let row = 0; row < store.rowCount; row++)
			if (store.rowRef[row] < 0 && store.rowKind(row) !== KIND.IDLE && items.wantsRow(row))
				this.add(STEP.SAID, row, store.rowAt[row]);
	}

	collectMessages() {
		const { store, items } = this;

		for (let m = 0; m < store.messageCount; m++) {
			if (!items.routeShown[store.route[m]]) continue;
			if (store.isSignal(m)) this.addSignal(m);
			else this.addMessage(m);
		}
	}

	/*
	 * A call that never slept put all of its bytes there at once; of one that did, a later part
	 * came there later.
	 */
	sentNs(m) {
		const { store } = this;
		const send = store.sendCall(m);
		const receive = store.receiveCall(m);

		if (send < 0 || receive < 0 || !store.offCpu[send] || !store.sendOffset[m])
			return store.sentNs(m);
		return Math.max(store.enter[send], Math.min(store.enter[receive], store.exitNs(send)));
	}

	addMessage(m) {
		const { store } = this;
		const sent = this.sentNs(m);
		const received = store.receivedNs(m);

		if (Number.isNaN(sent) && Number.isNaN(received))
			this.add(STEP.IN, m, store.rowAt[store.rowOf[m]]);
		this.add(STEP.IN, m, sent);
		this.add(STEP.OUT, m, received < sent ? sent : received);
	}

	addSignal(m) {
		const times = this.store.signalTimes(m);

		if (Number.isNaN(times.raised) && Number.isNaN(times.delivered))
			this.add(STEP.RAISED, m, this.store.rowAt[this.store.rowOf[m]]);
		this.add(STEP.RAISED, m, times.raised);
		this.add(STEP.DELIVERED, m, times.delivered);
		this.add(STEP.HANDLED, m, times.handled);
	}

	/* Under a filter, only calls of what is shown. */
	collectCalls() {
		const { store, items } = this;
		const wanted = new Uint8Array(store.callCount).fill(this.filtered ? 0 : 1);

		for (let m = 0; this.filtered && m < store.messageCount; m++) {
			if (!items.routeShown[store.route[m]]) continue;
			if (store.sendCall(m) >= 0) wanted[store.sendCall(m)] = 1;
			if (store.receiveCall(m) >= 0) wanted[store.receiveCall(m)] = 1;
		}
		for (let c = 0; c < store.callCount; c++) {
			if (!wanted[c] || store.callLane(c) < 0) continue;
			this.add(STEP.SLEEP, c, asleepNs(store, c));
			if (store.unfinished(c) || !store.offCpu[c]) continue;
			this.add(STEP.WAKE, c, wokenNs(store, c));
			this.add(STEP.RUN, c, store.resumedNs(c));
		}
	}

	sort() {
		const order = sortedOrder(Float64Array.from(this.times));

		this.count = order.length;
		this.at = Float64Array.from(order, (i) => this.times[i]);
		this.kind = Uint8Array.from(order, (i) => this.kinds[i]);
		this.ref = Uint32Array.from(order, (i) => this.refs[i]);
		this.times = this.kinds = this.refs = null;
	}

	/* The call that moved it, or NONE. */
	callOf(step) {
		const { store } = this;

		if (this.kind[step] === STEP.IN) return store.sendCall(this.ref[step]);
		if (this.kind[step] === STEP.OUT) return store.receiveCall(this.ref[step]);
		return isOfCall(this.kind[step]) ? this.ref[step] : NONE;
	}

	findStops() {
		const stops = [];

		for (let s = 0; s < this.count; s++) {
			if (s + 1 === this.count || !this.goesOn(s)) stops.push(s);
		}
		this.stops = Uint32Array.from(stops);
	}

	/* The next step is of the same call, or the signal that tells of this exit. */
	goesOn(s) {
		const call = this.kind[s] <= STEP.OUT ? this.callOf(s) : NONE;

		if (this.kind[s] === STEP.SAID && this.kind[s + 1] === STEP.RAISED)
			return this.store.rowSaid(this.ref[s]).message === this.ref[s + 1];
		return (
			call >= 0 &&
			this.kind[s + 1] === this.kind[s] &&
			this.at[s + 1] === this.at[s] &&
			this.callOf(s + 1) === call
		);
	}

	/* The rows of steps, and the first step of each row. */
	place() {
		const { store } = this;
		const received = new Int32Array(store.messageCount).fill(NONE);

		this.ofRow = new Int32Array(store.rowCount).fill(NONE);
		for (let row = 0; row < store.rowCount; row++)
			if (store.rowRef[row] >= 0 && store.rowPart(row) === PART.RECEIVED)
				received[store.rowRef[row]] = row;
		this.receivedRow = received;
		for (let s = this.count - 1; s >= 0; s--) {
			const row = this.row(s);

			if (row >= 0) this.ofRow[row] = s;
		}
	}

	row(step) {
		const kind = this.kind[step];
		const ref = this.ref[step];

		if (kind === STEP.SAID) return ref;
		if (isOfCall(kind)) return NONE;
		if (kind !== STEP.IN && kind !== STEP.RAISED && this.receivedRow[ref] >= 0)
			return this.receivedRow[ref];
		return this.store.rowOf[ref];
	}

	/* Of the stop that is at this step or the first one after it. */
	stopOf(step) {
		return Math.min(lowerBound(this.stops, step), this.stops.length - 1);
	}

	/* The last stop at this time or before. */
	stopAt(ns) {
		let low = 0;
		let high = this.stops.length;

		while (low < high) {
			const middle = (low + high) >> 1;

			if (this.at[this.stops[middle]] <= ns) low = middle + 1;
			else high = middle;
		}
		return Math.max(0, low - 1);
	}

	/* Steps that play makes at once with the one at this stop. */
	first(stop) {
		return stop ? this.stops[stop - 1] + 1 : 0;
	}

	keeps(m) {
		return isKept(this.store, m);
	}
}
