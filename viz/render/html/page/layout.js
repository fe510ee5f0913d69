// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Where lanes and items are on the canvas. */
import { begunBy } from "./columns.js";
import { itemRow } from "./items.js";
import { Lanes } from "./lanes.js";

export const HEAD = 62; /* pixels: the names of the lanes */
export const ROW_MOST = 40;
export const ROW_FIRST = 27;
export const ROW_LABELS = 15; /* a label needs so much */
export const ROW_BOX = 17; /* a lane's head needs so much where it is born */
export const ROW_DENSE = 3; /* below, single rows are not drawn */
const DOCK = 11; /* a head this near to the top stands there */

export class Layout extends Lanes {
	constructor(app, items) {
		super(app, items);
		this.height = 1;
		this.top = 0; /* position at the top of the body */
		this.scale = ROW_FIRST; /* pixels a unit of position */
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

		if (app.timeAxis) return [this.spanning(items.atTime(low), low), items.atTime(high)];
		return [Math.max(0, Math.floor(low)), Math.min(items.count, Math.ceil(high))];
	}

	/* What is folded to scale may begin above what is in sight and reach into it. */
	spanning(i, ns) {
		const fold = i > 0 ? this.items.folds.get(itemRow(this.items.list[i - 1])) : undefined;

		return fold && fold.endNs > ns ? i - 1 : i;
	}

	/* The last item at this position or above, or -1. */
	itemAbove(position) {
		const { items, app } = this;

		return app.timeAxis
			? items.atTime(Math.floor(position) + 1) - 1
			: Math.min(items.count - 1, Math.max(-1, Math.floor(position - 0.5)));
	}

	/* Whether lanes have their heads where they are born. */
	get boxed() {
		return !this.app.timeAxis && this.scale >= ROW_BOX;
	}

	/*
	 * Whose column it is at the upper edge: {life, more}, or null. Where heads do not stand at
	 * births, it is else the first in sight, and `more` come after it.
	 */
	standing(column) {
		const begun = begunBy(column, this.itemAbove(this.positionAt(HEAD + DOCK)));
		const last = column.lives[begun - 1];
		const life = last && this.lifeEnd(last) >= HEAD ? last : null;

		if (this.boxed) return life && { life, more: 0 };
		const more = begunBy(column, this.itemAbove(this.positionAt(this.height))) - begun;

		if (life) return { life, more };
		return more > 0 ? { life: column.lives[begun], more: more - 1 } : null;
	}

	/* Lives of a column that are in sight. */
	inSight(column) {
		const begun = begunBy(column, this.itemAbove(this.positionAt(HEAD)));
		const end = begunBy(column, this.itemAbove(this.positionAt(this.height)));

		return column.lives.slice(Math.max(0, begun - 1), Math.max(end, 1));
	}

	/* Where a lane's line begins and ends. */
	lifeBegin({ from, birth, startNs }) {
		if (birth >= 0) return this.y(from);
		return startNs === -Infinity ? HEAD : this.yOfTime(startNs);
	}

	/* To scale too it goes on to its mark, which tells that somebody learned of it. */
	lifeEnd({ to, endNs }) {
		if (to === Infinity) return Infinity;
		return this.app.timeAxis ? Math.max(this.yOfTime(endNs), this.y(to)) : this.y(to);
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
