// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What stands side by side: columns of lanes, or for a group of like ones of its first (heads[]);
 * between them the kernel, or channels (objects[]), where messages pass these.
 */
import { VIA } from "./app.js";
import { columnsOf, livesOf } from "./columns.js";
import { shortName } from "./format.js";
import { HALF, itemRow } from "./items.js";

export const TIMES = 86; /* the times at the left */
const RIGHT = 150; /* room for what stands right of the last lane */
const HEAD_WIDE = 120; /* a lane's head is never longer than that */
const LETTER = 8; /* pixels, about */
const GAP_LEAST = 74;
const GAP_MAILBOX = 96; /* at least, between channels */
const GAP_MOST = 380;
const KERNEL = 190; /* the width of the kernel's lane */
const KERNEL_EACH = 124; /* of those of two machines */
const NETWORK = 50; /* of what lies between them */
const SIDE = 104; /* from there to the lanes beside it */

/* Of those that stand beside each other, and of the network between them; "": the only one. */
function kernelsWidth(hosts) {
	return hosts[0] ? hosts.length * (KERNEL_EACH + NETWORK) - NETWORK : KERNEL;
}

export class Lanes {
	constructor(app, items) {
		this.app = app;
		this.items = items;
		this.width = 1;
		this.panX = 0;
		this.lanes = []; /* all that are shown, each at its head */
		this.heads = [];
		this.columns = [];
		this.objects = [];
		this.slotX = new Float64Array(app.store.lanes.length);
		this.objectX = new Float64Array(app.store.objects.length);
	}

	/* Lanes with nothing to show under a filter are left out. */
	chooseLanes() {
		const { app, items } = this;
		const { store } = app;
		const used = new Uint8Array(store.lanes.length);

		if (app.filtered) {
			const routes = new Set();

			for (let i = 0; i < items.all.length; i++) {
				const ref = store.rowRef[itemRow(items.all[i])];

				if (ref >= 0) routes.add(store.route[ref]);
				else this.use(used, store.said[-1 - ref]);
			}
			for (const route of routes) this.use(used, store.routes[route]);
		} else {
			used.fill(1);
		}
		this.lanes = [];
		for (let lane = 0; lane < used.length; lane++) if (used[lane]) this.lanes.push(lane);
		this.members = new Map();
		for (const lane of this.lanes) {
			const head = this.headOf(lane);

			if (!this.members.has(head)) this.members.set(head, []);
			this.members.get(head).push(lane);
		}
		this.heads = [...this.members.keys()];
		this.makeColumns();
		this.placeLanes();
	}

	makeColumns() {
		const lives = livesOf(this.app, this.items, this.members);

		this.columns = columnsOf(this.app, lives);
		this.lives = new Map(lives.map((life) => [life.lane, life]));
		this.births = new Map(); /* lives by the rows where they begin */
		for (const life of lives) if (life.birth >= 0) this.births.set(life.birth, life);
	}

	/* Whether the lane lives at this row: later or before, its column may be another's. */
	isThere(lane, row) {
		const life = this.lives.get(this.headOf(lane));
		const [place] = this.items.placesOf(row);

		return life !== undefined && life.first <= place && place <= life.last;
	}

	/* Without shared memory. */
	get processes() {
		return this.lanes.filter((lane) => !this.app.store.lanes[lane].memory);
	}

	use(used, ends) {
		const { focus } = this.app;

		for (const lane of [ends.from, ends.to])
			if (lane >= 0 && (!focus || focus.has(lane))) used[lane] = 1;
	}

	headOf(lane) {
		return this.app.headOf(lane);
	}

	isGroup(lane) {
		return this.members.get(this.headOf(lane))?.length > 1;
	}

	/* Channels, each behind the first column that uses it. */
	objectsOf() {
		const of = this.columns.map(() => []);
		const { store, via } = this.app;
		const order = new Map();

		this.columns.forEach(({ lives }, slot) => {
			for (const { lane } of lives) order.set(lane, slot);
		});
		const first = new Map();
		const slotOf = (lane) => (lane < 0 ? Infinity : (order.get(this.headOf(lane)) ?? Infinity));

		if (via !== VIA.CHANNELS) return of;
		store.routes.forEach(({ from, to, object, signal }, r) => {
			const slot = Math.min(slotOf(from), slotOf(to), first.get(object) ?? Infinity);

			if (this.items.routeShown[r] && object >= 0 && !signal && slot < Infinity)
				first.set(object, slot);
		});
		for (const [object, slot] of first) of[slot].push(object);
		return of;
	}

	placeLanes() {
		const { kernel } = this.app;
		const objects = this.objectsOf();
		const columns = this.columns.length;

		this.objects = objects.flat();
		const count = columns + this.objects.length;
		const places = kernel ? this.kernelPlaces() : new Map();
		const widths = [...places.values()].map((hosts) => kernelsWidth(hosts) + 2 * SIDE);
		const room = widths.reduce((left, width) => left - width, this.width - TIMES - RIGHT);
		const gaps = Math.max(count - 1 - places.size, 1);
		const least = this.objects.length ? GAP_MAILBOX : GAP_LEAST;

		this.gap = Math.min(GAP_MOST, Math.max(least, room / gaps));
		this.slotX.fill(NaN);
		this.objectX.fill(NaN);
		this.kernelBoxes = [];
		let x = TIMES + Math.min(this.gap / 2, 70);

		for (let slot = 0; slot <= columns; slot++) {
			if (places.has(slot))
				x = this.placeKernels(places.get(slot), x - (slot ? this.gap - SIDE : 0)) + SIDE;
			if (slot === columns) break;
			this.placeColumn(this.columns[slot], x);
			x += this.gap;
			for (const object of objects[slot]) {
				this.objectX[object] = x;
				x += this.gap;
			}
		}
		this.lanesWidth = x + RIGHT - this.gap;
		this.narrow =
			this.gap < HEAD_WIDE &&
			(this.objects.length > 0 ||
				this.heads.some(
					(lane) => this.app.store.lanes[lane].title.length * LETTER > this.gap - 18,
				));
		this.setPan(this.panX);
	}

	/*
	 * Kernels by the column before which they stand: one in the middle, or each machine's towards
	 * the first machine, whose own is beside the second one's.
	 */
	kernelPlaces() {
		const hosts = this.columns.map(({ first }) => this.app.store.lanes[first].host);
		const [own, ...others] = new Set(hosts.filter(Boolean));
		const places = new Map(others.map((host) => [hosts.indexOf(host), [host]]));

		if (others.length) places.get(hosts.indexOf(others[0])).unshift(own);
		else places.set(Math.ceil(hosts.length / 2), [""]);
		return places;
	}

	/* From `left` on; returns where they end. */
	placeKernels(hosts, left) {
		const width = kernelsWidth(hosts);
		const each = hosts[0] ? KERNEL_EACH : KERNEL;

		hosts.forEach((host, i) => {
			const at = left + i * (KERNEL_EACH + NETWORK);

			this.kernelBoxes.push({ host, left: at, right: at + each });
		});
		return left + width;
	}

	/* {left, right, host} of each machine's kernel, "" of the only one. */
	get kernels() {
		return this.kernelBoxes.map(({ host, left, right }) => ({
			host,
			left: left - this.panX,
			right: right - this.panX,
		}));
	}

	/* The kernel of a lane's machine; of one that is outside, or hidden, that of the other end. */
	kernelOf(lane, other) {
		const { kernels } = this;
		const of = (end) => kernels.find(({ host }) => host === this.app.store.lanes[end]?.host);

		return of(lane) || of(other) || kernels[0];
	}

	placeColumn(column, x) {
		column.x = x;
		for (const { lane } of column.lives)
			for (const member of this.members.get(lane)) this.slotX[member] = x;
	}

	/* At a head: {title, number}, of a group how many they are. */
	words(head) {
		const { title, number } = this.app.store.lanes[head];
		const members = this.members.get(head).length;

		return { title, number: members > 1 ? "× " + members : number };
	}

	/* The same at a channel's. */
	objectWords(object) {
		const { store } = this.app;
		const what = store.objects[object];

		return { title: store.mechanisms[what.mechanism].name, number: shortName(store, what) };
	}

	/* From left to right: {column} or {object} each. */
	slots() {
		const all = [
			...this.columns.map((column) => ({ column, x: column.x })),
			...this.objects.map((object) => ({ object, x: this.objectX[object] })),
		];

		return all.sort((a, b) => a.x - b.x);
	}

	setPan(x) {
		this.panX = Math.max(0, Math.min(x, this.lanesWidth - this.width));
	}

	/* NaN: that lane is not shown. */
	x(lane) {
		return this.slotX[lane] - this.panX;
	}

	objectAt(object) {
		return this.objectX[object] - this.panX;
	}

	/* Where a message of the route, from or to x, meets what it passes on the way in or out. */
	via(route, half, x) {
		const { from, to, object } = route;

		if (!this.app.kernel) return this.objectAt(object);
		const ends = half === HALF.IN ? [from, to] : [to, from];
		const { left, right } = this.kernelOf(...ends);

		return x < left ? left : right;
	}

	/* Pixels to what stands right of a lane: the next one, the kernel, or the edge. */
	roomRight(lane) {
		const x = this.slotX[lane];
		let right = this.width + this.panX;

		for (const { left } of this.kernelBoxes) if (left > x) right = Math.min(right, left);
		for (const column of this.columns) if (column.x > x) right = Math.min(right, column.x);
		for (const object of this.objects)
			if (this.objectX[object] > x) right = Math.min(right, this.objectX[object]);
		return right - x;
	}
}

export const hasLane = (lanes, lane) => lane >= 0 && !Number.isNaN(lanes.slotX[lane]);
