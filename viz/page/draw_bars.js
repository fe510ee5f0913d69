// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Stretches of lanes: calls that slept, handlers that ran, the life of a process. */
import { FATE } from "./store.js";
import { duration } from "./format.js";
import { SMALL } from "./words.js";
import { HEAD } from "./layout.js";

const WIDTH = 9;
const MOST = 400; /* of a thread in sight */
const LENGTH_ROW = 25; /* pixels of a row that has room for a length below its line */
const LENGTH_LINE = 12; /* height of its words */
const LIVELY_PART = 2; /* a call that slept this part of its time is a bar */

const sleeps = (store, c) =>
	store.unfinished(c) ||
	(store.offCpu[c] > 0 && store.offCpu[c] >= store.duration[c] / LIVELY_PART);

export class Bars {
	constructor(app) {
		this.app = app;
		this.threads = [];
		this.handlers = [];
	}

	/* Calls of a thread do not overlap: in order of their begin they are in that of their end. */
	read() {
		const store = this.app.store;
		const counts = new Uint32Array(store.threads.length);

		for (let c = 0; c < store.callCount; c++)
			if (sleeps(store, c)) counts[store.callThread(c)]++;
		this.threads = store.threads.map(([lane], thread) => ({
			lane,
			calls: new Uint32Array(counts[thread]),
		}));
		for (let c = store.callCount - 1; c >= 0; c--)
			if (sleeps(store, c))
				this.threads[store.callThread(c)].calls[--counts[store.callThread(c)]] = c;
		for (const { calls } of this.threads)
			if (!calls.every((c, i) => i === 0 || store.enter[calls[i - 1]] <= store.enter[c]))
				calls.sort((a, b) => store.enter[a] - store.enter[b]);
		for (const [m, times] of store.signals)
			if (times.handled >= 0 && store.fate(m) === FATE.HANDLED)
				this.handlers.push({ m, lane: store.routeOf(m).to, ...times });
	}

	/* Calls of the thread that last in [from, to]. */
	*within(thread, from, to) {
		const store = this.app.store;
		let low = 0;
		let high = thread.calls.length;

		while (low < high) {
			const middle = (low + high) >> 1;

			if (store.exitNs(thread.calls[middle]) < from) low = middle + 1;
			else high = middle;
		}
		for (let i = low; i < thread.calls.length && i < low + MOST; i++) {
			if (store.enter[thread.calls[i]] > to) return;
			yield thread.calls[i];
		}
	}

	draw(pen, layout, from_ns, to_ns) {
		const { ctx } = pen;

		this.lengths = new Map();
		for (const thread of this.threads) {
			const x = layout.x(thread.lane);

			if (!(x > -20 && x < layout.width + 20) || layout.isGroup(thread.lane)) continue;
			for (const call of this.within(thread, from_ns, to_ns))
				this.sleep(pen, layout, call, x);
		}
		for (const handler of this.handlers) {
			const x = layout.x(handler.lane);

			if (!(x > 0) || handler.handled < from_ns || handler.delivered > to_ns) continue;
			const y = layout.yOfTime(handler.delivered);

			ctx.fillStyle = this.app.theme.family(
				this.app.store.mechanisms[this.app.store.routeOf(handler.m).mechanism],
			);
			ctx.globalAlpha = 0.55;
			ctx.fillRect(x - WIDTH / 2, y, WIDTH, Math.max(4, layout.yOfTime(handler.handled) - y));
			ctx.globalAlpha = 1;
		}
	}

	sleep(pen, layout, call, x) {
		const { ctx, theme } = pen;
		const store = this.app.store;
		const y1 = Math.max(layout.yOfTime(store.enter[call]), HEAD - 4);
		const y2 = Math.min(layout.yOfTime(store.exitNs(call)), layout.height + 4);

		if (y2 - y1 < 3) return;
		ctx.fillStyle = theme.bg;
		ctx.fillRect(x - WIDTH / 2, y1, WIDTH, y2 - y1);
		ctx.save();
		ctx.translate(x, y1);
		ctx.fillStyle = theme.stripes(ctx);
		ctx.fillRect(-WIDTH / 2, 0, WIDTH, y2 - y1);
		ctx.restore();
		ctx.setLineDash([]);
		ctx.lineWidth = 1;
		ctx.strokeStyle = theme.sleep;
		ctx.strokeRect(Math.round(x - WIDTH / 2) + 0.5, y1, WIDTH, y2 - y1);
		const at = this.lengthY(layout, Math.max(y1, HEAD));

		if (y2 - at > 2 && layout.rowHeight >= LENGTH_ROW && this.isFree(x, at))
			this.length(pen, duration(store.offCpu[call] || store.duration[call]), x, at);
	}

	/* Right below the first row in it, where no words of rows are. */
	lengthY(layout, y) {
		if (this.app.timeAxis) return y + 14;
		const i = Math.ceil(layout.positionAt(y) - 0.5);

		return i < this.app.items.count ? Math.max(layout.y(i), y) + 11 : y + 14;
	}

	/* Several threads of a lane may sleep at a time: no length is written over another. */
	isFree(x, y) {
		const taken = this.lengths.get(x) || [];

		if (taken.some((other) => Math.abs(other - y) < LENGTH_LINE)) return false;
		this.lengths.set(x, [...taken, y]);
		return true;
	}

	length(pen, text, x, y) {
		pen.text(text, x - 9 - pen.width(text, SMALL), y, SMALL, pen.theme.muted);
	}
}
