// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The picture: draws what is in sight, moves, and says what is under the pointer. */
import { byId } from "./dom.js";
import { clock, duration } from "./format.js";
import { Bars } from "./draw_bars.js";
import { Density, isBad } from "./density.js";
import { BOLD, FONT, MONO, RowPen, SMALL } from "./draw_row.js";
import { HEAD, ROW_DENSE, ROW_LABELS, TIMES, hasLane } from "./layout.js";
import { HALF, itemHalf, itemRow } from "./items.js";
import { KIND, NONE } from "./store.js";

const IDLE_LEAST = 10e6; /* a shorter gap is no news */
const IDLE_PART = 20; /* nor one of less than this part of the whole */
const CHIP = 46; /* half a lane's head */
const TIME_LEAST = 13; /* pixels between two times */

export class Canvas {
	constructor(app, items, layout) {
		Object.assign(this, { app, items, layout });
		this.element = byId("canvas");
		this.ctx = this.element.getContext("2d", { alpha: false });
		this.pen = new RowPen(this.ctx, app, layout);
		this.bars = new Bars(app);
		this.density = new Density(app, layout);
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
		if (this.dense) this.density.draw(ctx, this.ratio);
		this.lifelines();
		if (this.dense) this.rare();
		else this.rows();
		this.hits();
		this.times();
		this.heads();
		this.frames++;
		this.drawMs = performance.now() - started;
	}

	/* --- lanes --- */

	lifelines() {
		const { ctx, layout, app } = this;

		if (app.kernel) {
			ctx.globalAlpha = this.dense ? 0.35 : 1;
			ctx.fillStyle = app.theme.kernel;
			ctx.fillRect(layout.kernelLeft, 0, layout.kernelRight - layout.kernelLeft, layout.height);
			ctx.globalAlpha = 1;
			ctx.strokeStyle = app.theme.kernelline;
			ctx.lineWidth = 1;
			ctx.strokeRect(Math.round(layout.kernelLeft) + 0.5, -2,
				Math.round(layout.kernelRight - layout.kernelLeft), layout.height + 4);
		}
		ctx.strokeStyle = app.theme.line;
		ctx.lineWidth = 1.4;
		ctx.beginPath();
		for (const lane of layout.lanes) {
			const { start, end, before } = app.store.lanes[lane];
			const x = Math.round(layout.x(lane));
			const y1 = before ? HEAD : Math.max(HEAD, layout.yOfTime(start));
			const y2 = Number.isNaN(end) ? layout.height : Math.min(layout.height, this.endY(end));

			if (x < -9 || x > layout.width + 9 || y2 < y1) continue;
			ctx.moveTo(x, y1);
			ctx.lineTo(x, y2);
		}
		ctx.stroke();
	}

	/* In rows, an end is drawn where its row is, which is the first one after. */
	endY(end) {
		const { layout, items, app } = this;

		if (app.timeAxis) return layout.yOfTime(end);
		return layout.y(Math.min(items.count - 1, items.atTime(end)));
	}

	heads() {
		const { ctx, layout, app } = this;

		ctx.fillStyle = app.theme.bg;
		ctx.fillRect(0, 0, layout.width, HEAD - 4);
		ctx.strokeStyle = app.theme.line;
		ctx.lineWidth = 1;
		ctx.beginPath();
		ctx.moveTo(0, HEAD - 3.5);
		ctx.lineTo(layout.width, HEAD - 3.5);
		ctx.stroke();
		if (app.kernel) this.kernelHead();
		for (const lane of layout.lanes) this.laneHead(lane);
		ctx.fillStyle = app.theme.bg;
		ctx.fillRect(0, 0, TIMES - 22, HEAD - 4);
		ctx.font = SMALL;
		ctx.fillStyle = app.theme.muted;
		ctx.textAlign = "right";
		ctx.fillText(this.clock.unit, TIMES - 24, HEAD - 10);
		ctx.textAlign = "left";
	}

	laneHead(lane) {
		const { ctx, layout, app, pen } = this;
		const { title, pid } = app.store.lanes[lane];
		const x = layout.x(lane);
		const wide = Math.min(layout.gap - 6, 150);

		if (x < -99 || x > layout.width + 99) return;
		const name = pen.fitted(title, BOLD, wide - 12);
		const width = Math.max(Math.min(wide, Math.max(pen.width(name, BOLD),
			pen.width(String(pid), MONO)) + 22), 44);
		const chosen = app.filter.lane === lane;

		ctx.beginPath();
		ctx.roundRect(Math.round(x - width / 2) + 0.5, 8.5, width, HEAD - 22, 5);
		ctx.fillStyle = app.theme.panel;
		ctx.fill();
		ctx.strokeStyle = chosen ? app.theme.accent : app.theme.muted;
		ctx.lineWidth = chosen ? 2 : 1;
		ctx.stroke();
		ctx.textAlign = "center";
		ctx.fillStyle = app.theme.fg;
		ctx.font = BOLD;
		ctx.fillText(name, x, 25);
		ctx.font = MONO;
		ctx.fillStyle = app.theme.muted;
		ctx.fillText(String(pid), x, 41);
		ctx.textAlign = "left";
	}

	kernelHead() {
		const { ctx, layout, app } = this;
		const x = (layout.kernelLeft + layout.kernelRight) / 2;

		ctx.fillStyle = app.theme.kernel;
		ctx.fillRect(layout.kernelLeft + 1, 0, layout.kernelRight - layout.kernelLeft - 1, HEAD - 4);
		ctx.textAlign = "center";
		ctx.font = BOLD;
		ctx.fillStyle = app.theme.kernelfg;
		ctx.fillText("KERNEL", x, 25);
		ctx.font = SMALL;
		ctx.fillText("what lies in its buffers", x, 41);
		ctx.textAlign = "left";
	}

	/* --- rows --- */

	rows() {
		const { layout, app, items, pen } = this;
		const [from, to] = layout.visible();

		this.selection();
		if (app.store.hasCalls)
			this.bars.draw(pen, layout, this.timeAt(from - 1), this.timeAt(to));
		const words = layout.rowHeight >= ROW_LABELS || to - from < 60;

		if (words) this.labels(from, to, true);
		for (let i = from; i < to; i++) pen.draw(items.list[i], layout.y(i), this.arrivalY(i));
		if (words) this.labels(from, to, false);
	}

	timeAt(i) {
		return i < 0 ? -Infinity : i >= this.items.count ? Infinity : this.items.at[i];
	}

	/* To scale an arrow slopes: from when it was sent to when it had arrived. */
	arrivalY(i) {
		const { layout, app, items } = this;
		const store = app.store;
		const m = store.rowRef[itemRow(items.list[i])];

		if (!app.timeAxis || app.kernel || !store.hasCalls || m < 0) return layout.y(i);
		const ns = store.receivedNs(m);
		return ns >= items.at[i] ? Math.min(layout.yOf(ns), layout.height + 2000) : layout.y(i);
	}

	labels(from, to, halo) {
		const { layout, items, pen } = this;
		let last = -Infinity;

		pen.halo = halo;

		for (let i = from; i < to; i++) {
			const y = layout.y(i);

			if (y - last < ROW_LABELS - 2) continue;
			pen.label(items.list[i], y);
			if (this.app.kernel && !halo) this.level(i, y);
			last = y;
		}
		pen.halo = false;
	}

	/* Beside an arrow that ends or begins at the kernel: the object, and what lies in it then. */
	level(i, y) {
		const { layout, items, app, pen } = this;
		const store = app.store;
		const m = store.rowRef[itemRow(items.list[i])];
		const object = m >= 0 && itemHalf(items.list[i]) !== HALF.WHOLE ? store.routeOf(m).object : NONE;
		const x = (layout.kernelLeft + layout.kernelRight) / 2;

		if (object < 0) return;
		const what = store.objects[object];
		const name = pen.fitted(what.name, MONO, layout.kernelRight - layout.kernelLeft - 64);
		const level = items.level[i] ? levelText(items.level[i]) : "empty";
		const all = pen.width(name, MONO) + pen.width(level, SMALL) + 8;

		pen.ctx.font = MONO;
		pen.ctx.fillStyle = app.theme.kernelfg;
		pen.ctx.fillText(name, x - all / 2, y + 4);
		pen.ctx.font = SMALL;
		pen.ctx.fillStyle = items.level[i] ? app.theme.fg : app.theme.muted;
		pen.ctx.fillText(level, x + all / 2 - pen.width(level, SMALL), y + 4);
		if (what.capacity && items.level[i]) this.gauge(y + 8, items.level[i] / what.capacity);
	}

	gauge(y, share) {
		const { ctx, layout, app } = this;
		const x = layout.kernelLeft + 12;
		const width = layout.kernelRight - layout.kernelLeft - 24;

		ctx.fillStyle = app.theme.kernelline;
		ctx.fillRect(x, y, width, 2);
		ctx.fillStyle = share > 0.9 ? app.theme.bad : app.theme.accent;
		ctx.fillRect(x, y, Math.max(2, width * Math.min(1, share)), 2);
	}

	/* A band behind the selected row, and the two calls of its message at their lanes. */
	selection() {
		const { ctx, layout, app, items } = this;
		const i = items.ofRow(app.selected);

		if (i < 0) return;
		const y = layout.y(i);
		const high = Math.min(Math.max(layout.rowHeight, 8), 26);

		ctx.fillStyle = app.theme.select;
		ctx.fillRect(0, y - high * 0.72, layout.width, high);
		this.callBars(app.store.rowMessage(app.selected));
	}

	callBars(m) {
		const { ctx, layout, app } = this;
		const store = app.store;

		if (m < 0 || !store.hasCalls) return;
		ctx.fillStyle = app.theme.accent;
		for (const call of [store.sendCall(m), store.receiveCall(m)]) {
			if (call < 0 || !hasLane(layout, store.callLane(call))) continue;
			const y1 = layout.yOfTime(store.enter[call]);

			ctx.fillRect(layout.x(store.callLane(call)) - 7, y1, 3,
				Math.max(3, layout.yOfTime(store.exitNs(call)) - y1));
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
			if (rows[itemRow(items.list[i])])
				ctx.fillRect(TIMES - 20, layout.y(i) - Math.min(7, layout.rowHeight / 2), 4,
					Math.max(1, Math.min(14, layout.rowHeight)));
	}

	/* --- times --- */

	get clock() {
		return clock(this.items.endNs);
	}

	times() {
		const { ctx, layout, items, app } = this;

		ctx.fillStyle = app.theme.bg;
		ctx.fillRect(0, HEAD - 4, TIMES - 22, layout.height);
		ctx.font = MONO;
		ctx.textAlign = "right";
		if (app.timeAxis) this.ticks();
		else this.rowTimes(layout.visible());
		ctx.textAlign = "left";
		if (!items.count) {
			ctx.font = FONT;
			ctx.fillStyle = app.theme.muted;
			ctx.fillText("Nothing to show.", TIMES + 20, HEAD + 40);
		}
	}

	rowTimes([from, to]) {
		const { ctx, layout, items, app } = this;
		const text = this.clock.text;
		let last = -Infinity;

		for (let i = from; i < to; i++) {
			const y = layout.y(i);

			if (y - last < TIME_LEAST) {
				i += Math.max(0, Math.floor((TIME_LEAST - (y - last)) / layout.scale) - 1);
				continue;
			}
			ctx.fillStyle = app.theme.muted;
			ctx.fillText(text(items.at[i]), TIMES - 24, y + 4);
			last = y;
			if (layout.scale >= ROW_LABELS && i + 1 < items.count) this.idle(i, y);
		}
	}

	/* Nothing happened for a while. */
	idle(i, y) {
		const { ctx, layout, items, app } = this;
		const gap = items.at[i + 1] - items.at[i];

		if (gap < IDLE_LEAST || gap < items.endNs / IDLE_PART) return;
		ctx.save();
		ctx.textAlign = "left";
		ctx.strokeStyle = app.theme.muted;
		ctx.setLineDash([1, 5]);
		ctx.beginPath();
		ctx.moveTo(TIMES, y + layout.scale / 2);
		ctx.lineTo(layout.width, y + layout.scale / 2);
		ctx.stroke();
		this.pen.text("⋯ " + duration(gap), 8, y + layout.scale / 2 + 4, SMALL, app.theme.muted);
		ctx.restore();
	}

	ticks() {
		const { ctx, layout, app } = this;
		const least = 60 / layout.scale;
		const power = 10 ** Math.floor(Math.log10(least));
		const step = [1, 2, 5, 10].find((n) => n * power >= least) * power;
		const end = layout.positionAt(layout.height);

		for (let ns = Math.ceil(layout.positionAt(HEAD) / step) * step; ns < end; ns += step) {
			ctx.fillStyle = app.theme.muted;
			ctx.fillText(this.clock.text(ns), TIMES - 24, layout.yOf(ns) + 4);
			ctx.fillRect(TIMES - 20, layout.yOf(ns), 6, 1);
		}
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
		const near = items.atTime(layout.positionAt(y));
		let best = NONE;
		let distance = 12;

		for (let i = Math.max(0, near - 20); i < Math.min(items.count, near + 20); i++) {
			if (Math.abs(layout.y(i) - y) >= distance) continue;
			distance = Math.abs(layout.y(i) - y);
			best = itemRow(items.list[i]);
		}
		return best;
	}

	laneAtPoint(x, y) {
		if (y >= HEAD) return NONE;
		const lane = this.layout.lanes.find((l) => Math.abs(this.layout.x(l) - x) < CHIP);

		return lane === undefined ? NONE : lane;
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
		const ends = app.store.rowEnds(row);

		for (const lane of [ends.to, ends.from]) {
			if (!hasLane(layout, lane)) continue;
			const x = layout.x(lane);

			if (x < TIMES + 10) layout.setPan(layout.panX + x - TIMES - 60);
			else if (x > layout.width - 40) layout.setPan(layout.panX + x - layout.width + 160);
		}
	}
}

function levelText(bytes) {
	return bytes < 10240 ? bytes + " B" : (bytes / 1024).toFixed(0) + " KiB";
}

