// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Where lanes and items are on the canvas. */
import { itemRow } from "./items.js";

export const HEAD = 62; /* pixels: the names of the lanes */
export const TIMES = 86; /* the times at the left */
const RIGHT = 150; /* room for what stands right of the last lane */
const HEAD_WIDE = 120; /* a lane's head is never longer than that */
const LETTER = 8; /* pixels, about */
const GAP_LEAST = 74;
const GAP_MOST = 250;
const KERNEL = 190; /* the width of the kernel's lane */
const SIDE = 104; /* from there to the lanes beside it */
export const ROW_MOST = 40;
export const ROW_FIRST = 27;
export const ROW_LABELS = 15; /* a label needs so much */
export const ROW_DENSE = 3; /* below, single rows are not drawn */

export class Layout {
	constructor(app, items) {
		this.app = app;
		this.items = items;
		this.width = this.height = 1;
		this.top = 0; /* position at the top of the body */
		this.scale = ROW_FIRST; /* pixels a unit of position */
		this.panX = 0;
		this.lanes = [];
		this.slotX = new Float64Array(app.store.lanes.length);
	}

	/* Lanes with nothing to show under a filter are left out. */
	chooseLanes() {
		const { app, items } = this;
		const used = new Uint8Array(app.store.lanes.length);

		if (app.filtered) {
			const routes = new Set();

			for (let i = 0; i < items.count; i++) {
				const ref = app.store.rowRef[itemRow(items.list[i])];

				if (ref >= 0) routes.add(app.store.route[ref]);
				else this.use(used, app.store.said[-1 - ref]);
			}
			for (const route of routes) this.use(used, app.store.routes[route]);
		} else {
			used.fill(1);
		}
		this.lanes = [];
		for (let lane = 0; lane < used.length; lane++) if (used[lane]) this.lanes.push(lane);
		this.placeLanes();
	}

	use(used, ends) {
		if (ends.from >= 0) used[ends.from] = 1;
		if (ends.to >= 0) used[ends.to] = 1;
	}

	placeLanes() {
		const count = this.lanes.length;
		const { kernel } = this.app;
		const room = this.width - TIMES - RIGHT - (kernel ? KERNEL + 2 * SIDE : 0);
		const gaps = Math.max(kernel ? count - 2 : count - 1, 1);
		const middle = Math.ceil(count / 2);

		this.gap = Math.min(GAP_MOST, Math.max(GAP_LEAST, room / gaps));
		this.slotX.fill(NaN);
		this.kernelX = NaN;
		let x = TIMES + Math.min(this.gap / 2, 70);

		for (let slot = 0; slot <= count; slot++) {
			if (kernel && slot === middle) {
				this.kernelX = x - (slot ? this.gap - SIDE : 0) + KERNEL / 2;
				x = this.kernelX + KERNEL / 2 + SIDE;
			}
			if (slot === count) break;
			this.slotX[this.lanes[slot]] = x;
			x += this.gap;
		}
		this.lanesWidth = x + RIGHT - this.gap;
		this.narrow =
			this.gap < HEAD_WIDE &&
			this.lanes.some(
				(lane) => this.app.store.lanes[lane].title.length * LETTER > this.gap - 18,
			);
		this.setPan(this.panX);
	}

	setPan(x) {
		this.panX = Math.max(0, Math.min(x, this.lanesWidth - this.width));
	}

	/* NaN: that lane is not shown. */
	x(lane) {
		return this.slotX[lane] - this.panX;
	}

	/* Pixels to what stands right of a lane: the next one, the kernel, or the edge. */
	roomRight(lane) {
		const x = this.slotX[lane];
		let right = this.width + this.panX;

		if (this.kernelX > x) right = Math.min(right, this.kernelLeft + this.panX);
		for (const other of this.lanes)
			if (this.slotX[other] > x) right = Math.min(right, this.slotX[other]);
		return right - x;
	}

	get kernelLeft() {
		return this.kernelX - KERNEL / 2 - this.panX;
	}
	get kernelRight() {
		return this.kernelX + KERNEL / 2 - this.panX;
	}

	/* --- up and down: position is the number of the item, or nanoseconds --- */

	get bodyHeight() {
		return Math.max(1, this.height - HEAD);
	}
	get first() {
		return this.app.timeAxis ? this.items.startNs : 0;
	}
	get end() {
		return this.app.timeAxis ? Math.max(this.items.endNs, this.first + 1) : this.items.count;
	}
	get span() {
		return Math.max(this.end - this.first, 1e-9);
	}

	position(i) {
		return this.app.timeAxis ? this.items.at[i] : i + 0.5;
	}
	y(i) {
		return this.yOf(this.position(i));
	}
	yOf(position) {
		return HEAD + (position - this.top) * this.scale;
	}
	positionAt(y) {
		return this.top + (y - HEAD) / this.scale;
	}

	/* Between two items a moment has its place too. */
	positionOfTime(ns) {
		const { items, app } = this;

		if (app.timeAxis) return ns;
		const i = items.atTime(ns);

		if (i === 0) return 0;
		if (i === items.count) return items.count;
		const from = items.at[i - 1];

		return i - 0.5 + (ns - from) / (items.at[i] - from || 1);
	}

	yOfTime(ns) {
		return this.yOf(this.positionOfTime(ns));
	}

	/* Items [from, to) that are in sight. */
	visible() {
		const { items, app } = this;
		const low = this.positionAt(HEAD - 30);
		const high = this.positionAt(this.height + 30);

		if (app.timeAxis) return [items.atTime(low), items.atTime(high)];
		return [Math.max(0, Math.floor(low)), Math.min(items.count, Math.ceil(high))];
	}

	/* Pixels that an item has for itself, on average where time is to scale. */
	get rowHeight() {
		if (!this.app.timeAxis) return this.scale;
		const [from, to] = this.visible();

		return to - from > 0 ? this.bodyHeight / (to - from) : ROW_MOST;
	}

	get leastScale() {
		return this.bodyHeight / (this.span * 1.04);
	}
	get mostScale() {
		return this.app.timeAxis ? Math.max(2, this.leastScale) : Math.max(ROW_MOST, 0);
	}

	/* Zooms so that what is at y stays there. */
	zoom(factor, y) {
		const keep = this.positionAt(y);

		this.scale = this.clampScale(this.scale * factor);
		this.top = keep - (y - HEAD) / this.scale;
		this.clamp();
	}

	clampScale(scale) {
		return Math.max(Math.min(this.leastScale, this.mostScale), Math.min(scale, this.mostScale));
	}

	clamp() {
		const room = this.bodyHeight / this.scale;
		const margin = 14 / this.scale;
		const last = this.end - room + margin;

		this.top = Math.max(
			this.first - margin,
			Math.min(this.top, Math.max(last, this.first - margin)),
		);
	}

	scrollTo(position, share) {
		this.top = position - (this.bodyHeight / this.scale) * share;
		this.clamp();
	}

	/* At first: rows that can be read, the larger the fewer there are. */
	begin() {
		this.scale = Math.max(
			ROW_FIRST,
			Math.min(ROW_MOST, this.bodyHeight / (this.items.count + 1)),
		);
		this.top = 0;
		this.clamp();
	}

	fit() {
		this.scale = this.clampScale(this.leastScale);
		this.top = this.first;
		this.clamp();
	}

	/* Another axis or other items: what was in the middle stays there as well as can be. */
	keeping(change) {
		const [from] = this.items.count ? this.visible() : [0];
		const ns = this.items.count ? this.items.at[Math.min(from, this.items.count - 1)] : 0;
		const whole = this.scale <= this.leastScale * 1.01;

		change();
		if (this.app.timeAxis !== this.wasTime) {
			this.scale = this.app.timeAxis ? this.leastScale : ROW_FIRST;
			this.wasTime = this.app.timeAxis;
		}
		this.scale =
			whole && !this.app.timeAxis ? this.clampScale(this.scale) : this.clampScale(this.scale);
		this.scrollTo(this.positionOfTime(ns), 0);
	}
}

export const hasLane = (layout, lane) => lane >= 0 && !Number.isNaN(layout.slotX[lane]);
