// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What lies where after a step: messages in a channel, signals pending at a process, handlers that
 * run. Any step is found in logarithmic time, without playing what comes before: for each place the
 * arrivals are in their order, with sums, and a tree over the departures finds what is still there.
 */
import { STEP } from "./play_steps.js";

const NEVER = 0xffffffff;

export class Lying {
	constructor(store, steps) {
		Object.assign(this, { store, steps });
		this.lanes = store.lanes.length;
		this.objects = store.objects.length;
		this.build();
	}

	/* --- places --- */

	pending(lane) {
		return this.objects + lane;
	}
	handling(lane) {
		return this.objects + this.lanes + lane;
	}

	/* Where a step puts its message, or -1. */
	arrival(s) {
		const m = this.steps.ref[s];

		switch (this.steps.kind[s]) {
			case STEP.IN:
				return this.steps.keeps(m) ? this.store.routeOf(m).object : -1;
			case STEP.RAISED:
				return this.ofSignal(m, "delivered", this.pending(0));
			case STEP.DELIVERED:
				return this.ofSignal(m, "handled", this.handling(0));
			default:
				return -1;
		}
	}

	/* Only one whose end is known has stayed there for a while. */
	ofSignal(m, end, place) {
		const lane = this.store.routeOf(m).to;

		return lane >= 0 && this.store.signalTimes(m)[end] >= 0 ? place + lane : -1;
	}

	departs(s) {
		const kind = this.steps.kind[s];

		return kind === STEP.OUT || kind === STEP.DELIVERED || kind === STEP.HANDLED;
	}

	/* --- building --- */

	build() {
		const places = this.objects + 2 * this.lanes;
		const arrivals = new Uint32Array(places + 1);

		for (let s = 0; s < this.steps.count; s++) {
			const place = this.arrival(s);

			if (place >= 0) arrivals[place + 1]++;
		}
		for (let p = 0; p < places; p++) arrivals[p + 1] += arrivals[p];
		this.begin = arrivals;
		this.fillPlaces(arrivals[places], places);
		this.buildTree(arrivals[places]);
	}

	fillPlaces(count, places) {
		const { store, steps } = this;
		const arrived = this.begin.slice(0, places);
		const left = this.begin.slice(0, places);
		const where = new Int32Array(store.messageCount).fill(-1);
		const placeOf = new Int32Array(store.messageCount).fill(-1);

		this.message = new Uint32Array(count);
		this.inStep = new Uint32Array(count);
		this.outStep = new Uint32Array(count).fill(NEVER);
		this.leftStep = new Uint32Array(count).fill(NEVER);
		this.bytesIn = new Float64Array(count);
		this.bytesOut = new Float64Array(count);
		for (let s = 0; s < steps.count; s++) {
			const m = steps.ref[s];
			const sum = (sums, at, place) =>
				(at > this.begin[place] ? sums[at - 1] : 0) + store.bytes[m];

			if (this.departs(s) && where[m] >= 0) {
				const at = left[placeOf[m]]++;

				this.outStep[where[m]] = this.leftStep[at] = s;
				this.bytesOut[at] = sum(this.bytesOut, at, placeOf[m]);
				where[m] = -1;
			}
			const place = this.arrival(s);

			if (place < 0) continue;
			const at = arrived[place]++;

			where[m] = at;
			placeOf[m] = place;
			this.message[at] = m;
			this.inStep[at] = s;
			this.bytesIn[at] = sum(this.bytesIn, at, place);
		}
	}

	/* Of each node the latest departure below it. */
	buildTree(count) {
		this.size = 1;
		while (this.size < count) this.size *= 2;
		this.tree = new Uint32Array(2 * this.size);
		this.tree.set(this.outStep, this.size);
		for (let i = this.size - 1; i > 0; i--)
			this.tree[i] = Math.max(this.tree[2 * i], this.tree[2 * i + 1]);
	}

	/* --- asking --- */

	/* {count, bytes, messages: the `most` that have lain there longest} */
	at(place, step, most) {
		const begin = this.begin[place];
		const end = this.begin[place + 1];
		const arrived = this.upTo(this.inStep, begin, end, step);
		const left = this.upTo(this.leftStep, begin, end, step);
		const bytes =
			(arrived > begin ? this.bytesIn[arrived - 1] : 0) -
			(left > begin ? this.bytesOut[left - 1] : 0);
		const messages = [];

		if (arrived > left) this.find(1, 0, this.size, begin, arrived, step, most, messages);
		return { count: arrived - left, bytes, messages };
	}

	upTo(list, low, high, step) {
		while (low < high) {
			const middle = (low + high) >> 1;

			if (list[middle] <= step) low = middle + 1;
			else high = middle;
		}
		return low;
	}

	find(node, low, high, from, to, step, most, found) {
		if (found.length >= most || high <= from || low >= to || this.tree[node] <= step) return;
		if (high - low === 1) {
			found.push(this.message[low]);
			return;
		}
		const middle = (low + high) >> 1;

		this.find(2 * node, low, middle, from, to, step, most, found);
		this.find(2 * node + 1, middle, high, from, to, step, most, found);
	}
}
