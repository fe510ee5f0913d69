// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The picture: draws what is in sight, moves, and says what is under the pointer. */
import { byId } from "./dom.js";
import { Bars } from "./draw_bars.js";
import { Density } from "./density.js";
import { foldBlocks, foldFrames } from "./draw_fold.js";
import { levelText, mailboxLevel } from "./draw_mailbox.js";
import { RowPen } from "./draw_row.js";
import { Frame } from "./frame.js";
import { Slants } from "./slants.js";
import { MONO, SMALL, isBad } from "./words.js";
import { TIMES, hasLane } from "./lanes.js";
import { HEAD, ROW_DENSE, ROW_LABELS } from "./layout.js";
import { HALF, itemHalf, itemRow } from "./items.js";
import { KIND, NONE } from "./store.js";
import { say } from "./say.js";

const CHIP = 46; /* half a lane's head */
const CROSSED = 9; /* pixels from a row to a line that runs through its words */

export class Canvas {
	constructor(app, items, layout) {
		Object.assign(this, { app, items, layout });
		this.element = byId("canvas");
		this.ctx = this.element.getContext("2d", { alpha: false });
		this.pen = new RowPen(this.ctx, app, layout);
		this.frame = new Frame(app, items, layout, this.ctx, this.pen);
		this.bars = new Bars(app);
		this.density = new Density(app, layout);
		this.slants = new Slants(app, items, layout);
		this.pen.slants = this.slants;
		this.pending = 0;
		this.frames = 0;
		new ResizeObserver(() => this.resize()).observe(this.element.parentElement);
	}

	resize() {
		const box = this.element.parentElement.getBoundingClientRect();
		const ratio = window.devicePixelRatio || 1;

		if (!box.width || !box.height) return;
		this.ratio = ratio;
		this.layout.width = Math.floor(box.width);
		this.layout.height = Math.floor(box.height);
		this.element.width = Math.round(this.layout.width * ratio);
		this.element.height = Math.round(this.layout.height * ratio);
		this.layout.placeLanes();
		this.layout.clamp();
		this.draw();
		this.app.emit("view");
	}

	redraw() {
		this.pending ||= requestAnimationFrame(() => this.draw());
	}

	draw() {
		const { ctx, layout, app } = this;
		const started = performance.now();

		cancelAnimationFrame(this.pending);
		this.pending = 0;
		ctx.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
		ctx.setLineDash([]);
		ctx.fillStyle = app.theme.bg;
		ctx.fillRect(0, 0, layout.width, layout.height);
		ctx.textBaseline = "alphabetic";
		this.dense = layout.rowHeight < ROW_DENSE;
		this.pen.boxes = [];
		if (this.dense) this.density.draw(ctx, this.ratio);
		this.frame.lifelines(this.dense);
		if (this.dense) this.rare();
		else this.rows();
		this.hits();
		this.frame.times();
		this.frame.heads();
		this.frames++;
		app.emit("drawn");
		this.drawMs = performance.now() - started;
	}

	/* --- rows --- */

	rows() {
		const { layout, app, items, pen } = this;
		const [from, to] = layout.visible();

		this.selection();
		foldFrames(pen, from, to);
		if (app.store.hasCalls) this.bars.draw(pen, layout, this.timeAt(from - 1), this.timeAt(to));
		const words = layout.rowHeight >= ROW_LABELS || to - from < 60;

		pen.taken = [];
		if (words) this.labels(from, to, true);
		if (app.store.hasCalls) this.bars.lengthWords(pen);
		this.arrows(from, to);
		if (words) this.labels(from, to, false);
	}

	/* Rows beyond the edges too, as their arrows may slant into the picture. */
	arrows(from, to) {
		const { layout, items, pen } = this;
		const more = this.slants.most;

		for (let i = Math.max(0, from - more); i < Math.min(items.count, to + more); i++) {
			const slant = this.slants.of(i);

			if (slant) pen.drawSlant(items.list[i], slant);
			else if (i >= from && i < to) pen.draw(items.list[i], layout.y(i), this.arrivalY(i));
		}
	}

	timeAt(i) {
		return i < 0 ? -Infinity : i >= this.items.count ? Infinity : this.items.at[i];
	}

	/* To scale an arrow slopes: from when it was sent to when it had arrived. */
	arrivalY(i) {
		const { layout, app, items } = this;
		const store = app.store;
		const m = store.rowRef[itemRow(items.list[i])];

		if (!app.timeAxis || app.via || !store.hasCalls || !(m >= 0)) return layout.y(i);
		const ns = store.receivedNs(m);
		return ns >= items.at[i] ? Math.min(layout.yOf(ns), layout.height + 2000) : layout.y(i);
	}

	labels(from, to, halo) {
		const { layout, items, pen, app } = this;
		let last = -Infinity;

		pen.halo = halo;

		for (let i = from; i < to; i++) {
			const y = layout.y(i);
			const [top, bottom] = pen.lines(items.list[i], y);

			if (app.timeAxis && itemHalf(items.list[i]) === HALF.FOLD) {
				pen.label(items.list[i], y);
				continue;
			}
			if ((app.timeAxis ? top : y) - last < ROW_LABELS - 2) continue;
			if (app.timeAxis && this.isCrossed(i, y)) continue;
			pen.haloColour =
				itemRow(items.list[i]) === app.selected ? app.theme.select : "";
			pen.label(items.list[i], y, this.slants.of(i));
			if (app.via && !halo) this.level(i, y);
			last = app.timeAxis ? bottom : y;
		}
		pen.halo = false;
		pen.haloColour = "";
	}

	/* To scale, words beside a lane may lie under the arrow before them or after them. */
	isCrossed(i, y) {
		const { layout, items, pen } = this;
		const near = (k) =>
			k >= 0 &&
			k < items.count &&
			Math.abs(layout.y(k) - y) < CROSSED &&
			pen.across(items.list[k]);

		return !pen.across(items.list[i]) && (near(i - 1) || near(i + 1));
	}

	/* Beside an arrow that ends or begins at the kernel: the object, and what lies in it then. */
	level(i, y) {
		const { layout, items, app, pen } = this;
		const store = app.store;
		const m = store.rowRef[itemRow(items.list[i])];
		const object = m >= 0 && itemHalf(items.list[i]) ? store.routeOf(m).object : NONE;

		if (object < 0) return;
		if (!app.kernel) {
			mailboxLevel(pen, layout.objectAt(object), pen.ends(items.list[i]), y, items.level[i]);
			return;
		}
		const what = store.objects[object];
		const { from, to } = store.routeOf(m);
		const { left, right } = layout.kernelOf(to, from); /* its receiver's, if that is known */
		const x = (left + right) / 2;

		if (itemHalf(items.list[i]) === HALF.IN) this.crossing(m, y);
		const name = pen.fitted(what.name, MONO, right - left - 64);
		const level = items.level[i] ? levelText(items.level[i]) : say("empty");
		const all = pen.width(name, MONO) + pen.width(level, SMALL) + 8;

		pen.ctx.font = MONO;
		pen.ctx.fillStyle = app.theme.kernelfg;
		pen.ctx.fillText(name, x - all / 2, y + 4);
		pen.ctx.font = SMALL;
		pen.ctx.fillStyle = items.level[i] ? app.theme.fg : app.theme.muted;
		pen.ctx.fillText(level, x + all / 2 - pen.width(level, SMALL), y + 4);
		if (what.capacity && items.level[i])
			this.gauge(left, right, y + 8, items.level[i] / what.capacity);
	}

	/* Between two machines: from one's kernel to the other's, at a time that no trace tells. */
	crossing(m, y) {
		const { from, to, mechanism } = this.app.store.routeOf(m);
		const first = this.layout.kernelOf(from, to);
		const second = this.layout.kernelOf(to, from);

		if (first.left < second.left) this.pen.bridge(first.right, second.left, y, mechanism);
		if (first.left > second.left) this.pen.bridge(first.left, second.right, y, mechanism);
	}

	gauge(left, right, y, share) {
		const { ctx, app } = this;
		const x = left + 12;
		const width = right - left - 24;

		ctx.fillStyle = app.theme.kernelline;
		ctx.fillRect(x, y, width, 2);
		ctx.fillStyle = share > 0.9 ? app.theme.bad : app.theme.accent;
		ctx.fillRect(x, y, Math.max(2, width * Math.min(1, share)), 2);
	}

	/* A band behind the selected row (both of its halves), and its two calls at their lanes. */
	selection() {
		const { ctx, layout, app, items } = this;
		const [from, to] = app.selected < 0 ? [0, 0] : layout.visible();
		const high = Math.min(Math.max(layout.rowHeight, 8), 26);

		ctx.fillStyle = app.theme.select;
		for (let i = from; i < to; i++)
			if (itemRow(items.list[i]) === app.selected)
				ctx.fillRect(0, layout.y(i) - high * 0.72, layout.width, high);
		if (app.selected >= 0) this.callBars(app.store.rowMessage(app.selected));
	}

	callBars(m) {
		const { ctx, layout, app } = this;
		const store = app.store;

		if (m < 0 || !store.hasCalls) return;
		ctx.fillStyle = app.theme.accent;
		for (const call of [store.sendCall(m), store.receiveCall(m)]) {
			if (call < 0 || !hasLane(layout, store.callLane(call))) continue;
			const y1 = layout.yOfTime(store.enter[call]);

			ctx.fillRect(
				layout.x(store.callLane(call)) - 7,
				y1,
				3,
				Math.max(3, layout.yOfTime(store.exitNs(call)) - y1),
			);
		}
	}

	/* Where a line of pixels is many rows, what is rare or wrong is drawn all the same. */
	rare() {
		const { ctx, layout, app, items } = this;
		const store = app.store;
		const from = this.timeAt(layout.visible()[0]);
		const to = this.timeAt(layout.visible()[1]);

		for (const said of store.said) {
			const at = store.rowAt[said.row];

			if (!isBad(store, said) && store.rowKind(said.row) !== KIND.EXIT) continue;
			if (at < from || at > to || !hasLane(layout, said.from)) continue;
			ctx.fillStyle = isBad(store, said) ? app.theme.bad : app.theme.fg;
			ctx.fillRect(layout.x(said.from) - 3, layout.yOfTime(at) - 2, 7, 4);
		}
		if (app.timeAxis) foldBlocks(this.pen, layout.visible());
		const i = items.ofRow(app.selected);

		if (i < 0) return;
		ctx.fillStyle = app.theme.accent;
		ctx.fillRect(0, layout.y(i) - 1, layout.width, 2);
	}

	hits() {
		const { ctx, layout, app, items } = this;
		const rows = app.hits.rows;

		if (!rows) return;
		const [from, to] = layout.visible();
		const step = Math.max(1, Math.floor((to - from) / 4000));

		ctx.fillStyle = app.theme.accent;
		for (let i = from; i < to; i += step)
			if (rows[items.realRow(itemRow(items.list[i]))])
				ctx.fillRect(
					TIMES - 20,
					layout.y(i) - Math.min(7, layout.rowHeight / 2),
					4,
					Math.max(1, Math.min(14, layout.rowHeight)),
				);
	}

	/* --- the pointer --- */

	/* The row at a point, or NONE. */
	rowAtPoint(x, y) {
		const { layout, items } = this;

		if (y < HEAD || !items.count) return NONE;
		if (!this.app.timeAxis) {
			const i = Math.floor(layout.positionAt(y + (layout.scale > ROW_LABELS ? 5 : 0)));

			return i >= 0 && i < items.count ? itemRow(items.list[i]) : NONE;
		}
		const at = layout.positionAt(y);
		const near = items.atTime(at);
		let best = NONE;
		let distance = 12;

		if (layout.spanning(near, at) < near) return itemRow(items.list[near - 1]); /* a block */
		for (let i = Math.max(0, near - 20); i < Math.min(items.count, near + 20); i++) {
			if (Math.abs(layout.y(i) - y) >= distance) continue;
			distance = Math.abs(layout.y(i) - y);
			best = itemRow(items.list[i]);
		}
		return best;
	}

	/* Whose head it is at a point, in the list above or where a lane is born; or NONE. */
	laneAtPoint(x, y) {
		const { frame, layout, pen } = this;
		const isIn = (box) =>
			x >= box.left && x < box.left + box.width && y >= box.top && y < box.top + box.height;
		const head =
			y < HEAD
				? frame.shown.find(({ lane }) => Math.abs(layout.x(lane) - x) < CHIP)
				: pen.boxes.find(isIn);

		return head ? head.lane : NONE;
	}

	/* The channel at whose head it is, or NONE. */
	objectAtPoint(x, y) {
		const { layout } = this;
		const object = layout.objects.find((o) => Math.abs(layout.objectAt(o) - x) < CHIP);

		return y >= HEAD || object === undefined ? NONE : object;
	}

	/* Scrolls as little as is needed. */
	show(row) {
		const { layout, items } = this;
		const i = items.ofRow(row);

		if (i < 0) return;
		const y = layout.y(i);

		if (y < HEAD + 30 || y > layout.height - 30) layout.scrollTo(layout.position(i), 0.4);
		this.showLanes(row);
	}

	showLanes(row) {
		const { layout, app } = this;
		const ends = app.store.rowEnds(this.items.realRow(row));

		for (const lane of [ends.to, ends.from]) {
			if (!hasLane(layout, lane)) continue;
			const x = layout.x(lane);

			if (x < TIMES + 10) layout.setPan(layout.panX + x - TIMES - 60);
			else if (x > layout.width - 40) layout.setPan(layout.panX + x - layout.width + 160);
		}
	}
}
