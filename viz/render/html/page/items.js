// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What is drawn, in its order, after filters and folds: an item is row * 4 + half. Each row is one
 * item (WHOLE); with the kernel's lane, or channels', each message is two, where it is copied into
 * that and where out of it, each at its own time.
 */
import { VIA } from "./app.js";
import { FORM, KIND, PART, NONE } from "./store.js";
import { FOLD, Folds } from "./fold.js";
import { Noise } from "./noise.js";

export const HALF = { WHOLE: 0, IN: 1, OUT: 2, FOLD };
export const itemRow = (item) => item >>> 2;
export const itemHalf = (item) => item & 3;

export class Items {
	constructor(app) {
		this.app = app;
		this.open = new Set(); /* folds that are shown as what they hide */
		this.build();
	}

	build() {
		this.routeShown = this.app.store.routes.map((route) => this.wantsRoute(route));
		this.folds = new Map();
		this.opened = [];
		this.noise = Noise.of(this.app, this.routeShown);
		if (this.app.via) this.buildHalves();
		else this.buildRows();
		this.rows = this.list.length;
		this.all = this.list; /* folded or not */
		this.allAt = this.at;
		this.places = null; /* of what is shown among all: each its own */
		if (this.app.fold) this.fold();
		this.count = this.list.length;
		this.startNs = this.count ? this.at[0] : 0;
		this.endNs = this.count ? this.allAt[this.all.length - 1] : 0;
		if (this.isFold(this.app.selected) && !this.folds.has(this.app.selected))
			this.app.selected = this.realRow(this.app.selected);
	}

	/* Of a route or a row with words. */
	wants(ends) {
		const f = this.app.filter;

		if (f.mechanisms.has(ends.mechanism)) return false;
		if (f.object >= 0 && ends.object !== f.object) return false;
		return f.talk < 0 || ends.talk === f.talk;
	}

	wantsRoute(route) {
		const { focus } = this.app;

		return this.wants(route) && (!focus || focus.hasTalk(route.from, route.to));
	}

	wantsRow(row) {
		const store = this.app.store;
		const ref = store.rowRef[row];

		if (ref >= 0) return this.routeShown[store.route[ref]];
		const said = store.said[-1 - ref];
		if (said.object === undefined) said.object = objectOf(store, said);
		const { focus } = this.app;

		return this.wants(said) && (!focus || focus.hasSaid(said, store.rowKind(row)));
	}

	fold() {
		const folding = new Folds(this.app.store, this.list, {
			headOf: (lane) => this.app.headOf(lane),
			isGroup: (lane) => this.app.isGroup(lane),
			mailboxes: this.app.via === VIA.CHANNELS,
			alone: this.noise ? this.closedNoise().map(({ first }) => first) : [],
		});
		const shown = folding.shown(this.open);

		if (this.noise) this.foldNoise(shown);
		if (!shown.folds.size && !shown.opened.length) return;
		Object.assign(this, shown, { folding });
		this.at = Float64Array.from(this.places, (place) => this.allAt[place]);
		if (this.app.via) this.level = Float64Array.from(this.places, (place) => this.level[place]);
		for (const fold of this.folds.values())
			fold.endNs = fold.noise ? this.at[fold.at] : this.endOf(fold);
	}

	closedNoise() {
		return this.noise.all.filter(({ key }) => !this.open.has(key));
	}

	/* Whether a row is told by another one. */
	isNoise(row) {
		const group = this.noise?.groupOf(row);

		return group !== undefined && row !== group.first && !this.open.has(group.key);
	}

	/* What stands for others is a fold that hides one place, its own. */
	foldNoise(shown) {
		for (const noise of this.closedNoise()) {
			const { key, row, messages, first } = noise;
			const place = lowerBound(this.list, first << 2);
			const at = lowerBound(shown.places, place);
			const hides = { first: place, from: place, end: place + 1, rounds: messages, depth: 0 };

			shown.list[at] = row * 4 + FOLD;
			shown.folds.set(row, { key, row, at, noise, mixed: false, alike: true, ...hides });
		}
	}

	/* The fold that tells of this row, or undefined. */
	noiseOver(row) {
		const group = this.noise?.groupOf(row);

		return group && !this.open.has(group.key) ? this.folds.get(group.row) : undefined;
	}

	/* Until its last message has arrived, if nothing that is shown comes before. */
	endOf({ end }) {
		const { store } = this.app;
		const m = store.rowRef[this.all[end - 1] >>> 2];
		const last = this.allAt[end - 1];
		const arrived = store.hasCalls && m >= 0 && !this.app.via ? store.receivedNs(m) : last;

		return Math.max(last, Math.min(arrived || last, this.allAt[end] ?? Infinity));
	}

	/* A fold has a number beyond those of rows; the first row that it hides is a real one. */
	isFold(row) {
		return row >= this.app.store.rowCount;
	}

	realRow(row) {
		return this.isFold(row) ? (row - this.app.store.rowCount) >>> 2 : row;
	}

	/* So that the row is shown, if no filter hides it. */
	openTo(row) {
		const noise = this.noiseOver(row);

		if (noise) this.open.add(noise.key);
		for (const place of this.placesOf(row))
			for (const key of this.folding.over(place)) this.open.add(key);
	}

	/* The innermost open loop that has this row, or undefined. */
	openedOver(row) {
		const noise = row < 0 || this.isFold(row) ? undefined : this.noise?.groupOf(row);

		if (noise) return this.open.has(noise.key) ? noise : undefined;
		if (!this.opened.length || row < 0) return undefined;
		const place = this.folds.get(row)?.from ?? this.placesOf(row)[0];

		return this.opened.findLast((loop) => loop.first <= place && place < loop.end);
	}

	/* The fold of this number, or that hides all of this row; or undefined. */
	foldOf(row) {
		if (!this.folds.size || row < 0) return undefined;
		if (this.isFold(row)) return this.folds.get(row);
		const noise = this.noiseOver(row);

		if (noise) return noise;
		const places = this.placesOf(row);

		return places.every((place) => this.shownAt(place) < 0)
			? this.foldAt(places[0])
			: undefined;
	}

	/* The fold that hides what has this place, or undefined. */
	foldAt(place) {
		const at = lowerBound(this.places, place);
		const i = at < this.count && this.places[at] === place ? at : at - 1;

		return i >= 0 && itemHalf(this.list[i]) === FOLD
			? this.folds.get(itemRow(this.list[i]))
			: undefined;
	}

	/* Where what has this place among all is in the list, or NONE: it is hidden. */
	shownAt(place) {
		if (!this.places) return place;
		const i = lowerBound(this.places, place);
		const found = i < this.count && this.places[i] === place;

		return found && itemHalf(this.list[i]) !== FOLD ? i : NONE;
	}

	buildRows() {
		const { noise } = this;
		const store = this.app.store;
		const list = new Uint32Array(store.rowCount);
		let count = 0;

		for (let row = 0; row < store.rowCount; row++)
			if (this.wantsRow(row) && !(noise && this.isNoise(row))) list[count++] = row << 2;
		this.list = count === list.length ? list : list.slice(0, count);
		this.at = store.rowAt;
		if (count === store.rowCount) return;
		this.at = new Float64Array(count);
		for (let i = 0; i < count; i++) this.at[i] = store.rowAt[list[i] >>> 2];
	}

	/* What is copied from memory to memory passes nothing, and a signal lies in no channel. */
	passes(m) {
		const { signal, mechanism, object } = this.app.store.routeOf(m);

		if (this.app.store.mechanisms[mechanism].form === FORM.MEMORY) return false;
		return this.app.kernel || (!signal && object >= 0);
	}

	/* Of a send only one piece goes in, with the bytes of all; nor does a rest that lies there. */
	goesIn(row, m) {
		const { store } = this.app;
		const part = store.rowPart(row);

		return part !== PART.RECEIVED && !(part > PART.RECEIVED && store.sendOffset[m] > 0);
	}

	/* A split message has two rows already: its sent half is one, its received half the other. */
	buildHalves() {
		const store = this.app.store;
		const list = new Uint32Array(store.rowCount * 2);
		const at = new Float64Array(store.rowCount * 2);
		let count = 0;
		const add = (row, half, ns) => {
			list[count] = (row << 2) | half;
			at[count++] = Number.isNaN(ns) ? store.rowAt[row] : ns;
		};

		/* First what goes in, then what comes out: each is nearly in order, and so soon sorted. */
		for (let row = 0; row < store.rowCount; row++) {
			const m = store.rowRef[row];

			if (!this.wantsRow(row)) continue;
			if (m < 0 || !this.passes(m)) add(row, HALF.WHOLE, store.rowAt[row]);
			else if (this.goesIn(row, m)) add(row, HALF.IN, store.sentNs(m));
		}
		for (let row = 0; row < store.rowCount; row++) {
			const m = store.rowRef[row];
			const part = store.rowPart(row);

			if (m < 0 || !this.passes(m) || !this.wantsRow(row)) continue;
			if (part === PART.WHOLE || part === PART.RECEIVED)
				add(row, HALF.OUT, store.receivedNs(m));
		}
		this.sort(list.subarray(0, count), at.subarray(0, count));
	}

	sort(list, at) {
		const order = sortedOrder(at);

		this.list = new Uint32Array(list.length);
		this.at = new Float64Array(list.length);
		for (let i = 0; i < order.length; i++) {
			this.list[i] = list[order[i]];
			this.at[i] = at[order[i]];
		}
		this.countLevels();
	}

	/* What lies in the kernel object after each item, as far as the trace tells. */
	countLevels() {
		const store = this.app.store;
		const now = new Float64Array(store.objects.length);

		this.level = new Float64Array(this.list.length);
		for (let i = 0; i < this.list.length; i++) {
			const half = this.list[i] & 3;
			const m = store.rowRef[this.list[i] >>> 2];
			const object = m >= 0 && half ? store.routeOf(m).object : NONE;

			if (object < 0) continue;
			if (half === HALF.IN && store.rowPart(this.list[i] >>> 2) !== PART.DROPPED)
				now[object] += store.sendTotal(m);
			else if (half === HALF.OUT)
				now[object] = Math.max(0, now[object] - store.receiveTotal(m));
			this.level[i] = now[object];
		}
	}

	/* The first item at this time or later. */
	atTime(ns) {
		let low = 0;
		let high = this.count;

		while (low < high) {
			const middle = (low + high) >> 1;

			if (this.at[middle] < ns) low = middle + 1;
			else high = middle;
		}
		return low;
	}

	/* Places of a row among all items: none where it is filtered out, two of a message's halves. */
	placesOf(row) {
		const { store, via } = this.app;

		if (!via) {
			const i = lowerBound(this.all, row << 2);

			return this.all[i] === row << 2 ? [i] : [];
		}
		const m = store.rowRef[row];
		const times = m >= 0 ? [store.sentNs(m), store.receivedNs(m)] : [];
		const places = [];

		for (const ns of new Set([...times, store.rowAt[row]]))
			for (let i = lowerBound(this.allAt, ns); this.allAt[i] === ns; i++)
				if (itemRow(this.all[i]) === row) places.push(i);
		return places.sort((a, b) => a - b);
	}

	/* The item of a row (of two the first), or NONE where it is filtered out or folded. */
	ofRow(row) {
		if (row < 0) return NONE;
		if (this.isFold(row)) return this.folds.get(row)?.at ?? NONE;
		return this.placesOf(row).map((place) => this.shownAt(place)).find((i) => i >= 0) ?? NONE;
	}
}

/* The first index of an ascending list whose value is not less. */
export function lowerBound(list, value) {
	let low = 0;
	let high = list.length;

	while (low < high) {
		const middle = (low + high) >> 1;

		if (list[middle] < value) low = middle + 1;
		else high = middle;
	}
	return low;
}

/* Indices in ascending order of keys, stable: merges the runs that are there already. */
export function sortedOrder(keys) {
	const count = keys.length;
	let from = new Uint32Array(count);
	let to = new Uint32Array(count);
	let runs = [0];

	for (let i = 0; i < count; i++) from[i] = i;
	for (let i = 1; i < count; i++) if (keys[i] < keys[i - 1]) runs.push(i);
	runs.push(count);
	while (runs.length > 2) {
		const next = [0];

		for (let r = 0; r + 1 < runs.length; r += 2) {
			const end = r + 2 < runs.length ? runs[r + 2] : runs[r + 1];

			merge(keys, from, to, runs[r], runs[r + 1], end);
			next.push(end);
		}
		runs = next;
		[from, to] = [to, from];
	}
	return from;
}

function merge(keys, from, to, begin, middle, end) {
	let a = begin;
	let b = middle;

	for (let i = begin; i < end; i++)
		to[i] = b >= end || (a < middle && keys[from[a]] <= keys[from[b]]) ? from[a++] : from[b++];
}

/* Rows with words name their channel; an object of the same name is theirs. */
function objectOf(store, said) {
	store.objectByName ||= new Map(store.objects.map((object, i) => [object.name, i]));
	return said.channel && store.objectByName.has(said.channel)
		? store.objectByName.get(said.channel)
		: NONE;
}

export const isMessageKind = (kind) => kind === KIND.MESSAGE || kind === KIND.SIGNAL;
