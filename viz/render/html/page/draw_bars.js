// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Stretches of lanes: calls that slept, of a group all at once, and handlers that ran. */
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
		this.words = [];
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
		this.words = [];
		for (const thread of this.threads) {
			const x = layout.x(thread.lane);

			if (!(x > -20 && x < layout.width + 20) || layout.isGroup(thread.lane)) continue;
			for (const call of this.within(thread, from_ns, to_ns))
				this.sleep(pen, layout, call, x);
		}
		this.groups ||= this.app.group ? groupSleeps(this.app.store, this.threads) : null;
		for (const [lane, stretches] of this.groups || [])
			if (layout.isGroup(lane) && layout.x(lane) > -20 && layout.x(lane) < layout.width + 20)
				for (const [from, to] of between(stretches, from_ns, to_ns))
					this.stretch(pen, layout, from, to, to - from, layout.x(lane));
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
		const store = this.app.store;
		const ns = store.offCpu[call] || store.duration[call];

		this.stretch(pen, layout, store.enter[call], store.exitNs(call), ns, x);
	}

	/* That lasts `ns`, as far as it was sleep. */
	stretch(pen, layout, from, to, ns, x) {
		const { ctx, theme } = pen;
		const y1 = Math.max(layout.yOfTime(from), HEAD - 4);
		const y2 = Math.min(layout.yOfTime(to), layout.height + 4);

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
			this.words.push([duration(ns), x, at]);
	}

	/* Right below the first row in it, where no words of rows are. */
	lengthY(layout, y) {
		if (this.app.timeAxis) return y + 14;
		const i = Math.ceil(layout.positionAt(y) - 0.5);

		return i < this.app.items.count ? Math.max(layout.y(i), y) + 10 : y + 14;
	}

	/* Several threads of a lane may sleep at a time: no length is written over another. */
	isFree(x, y) {
		const taken = this.lengths.get(x) || [];

		if (taken.some((other) => Math.abs(other - y) < LENGTH_LINE)) return false;
		this.lengths.set(x, [...taken, y]);
		return true;
	}

	/* How long they are, where no row's words are: behind the halos of these it could be hidden. */
	lengthWords(pen) {
		for (const [text, right, y] of this.words) {
			const width = pen.width(text, SMALL);
			const x = right - 9 - width;

			if (pen.isFree(x, y, width)) pen.text(text, x, y, SMALL, pen.theme.muted);
		}
	}
}

/* Who joins a group or leaves it, falls asleep or wakes: [time, living, asleep], by group. */
function turnsOf(store, threads) {
	const groups = new Map();
	const add = (lane, from, to, living, asleep) => {
		const { group } = store.lanes[lane];

		if (!groups.has(group)) groups.set(group, []);
		if (from < to)
			groups.get(group).push([from, living, asleep], [to, -living, -asleep]);
	};

	store.lanes.forEach(({ start, end, before }, lane) =>
		add(lane, before ? -Infinity : start, Number.isNaN(end) ? Infinity : end, 1, 0),
	);
	for (const { lane, calls } of threads)
		for (const c of calls) add(lane, store.enter[c], store.exitNs(c), 0, 1);
	return groups;
}

/*
 * Of each group, by its first lane, when all who live are asleep: [from, to] each. Of one with a
 * member that is several threads nobody can tell.
 */
function groupSleeps(store, threads) {
	const crowded = new Set(store.lanes.filter((lane) => lane.crowd).map((lane) => lane.group));
	const sleeps = new Map();

	for (const [group, turns] of turnsOf(store, threads)) {
		const stretches = [];
		let [living, asleep, since] = [0, 0, NaN];

		if (crowded.has(group)) continue;
		turns.sort((a, b) => a[0] - b[0]);
		turns.forEach(([at, lives, sleeping], i) => {
			living += lives;
			asleep += sleeping;
			if (turns[i + 1]?.[0] === at) return;
			const all = living > 0 && living === asleep;

			if (!all && since < at) stretches.push([since, at]);
			if (!all || Number.isNaN(since)) since = all ? at : NaN;
		});
		sleeps.set(group, stretches);
	}
	return sleeps;
}

/* Those that last in [from, to]: they follow one another. */
function between(stretches, from, to) {
	let low = 0;
	let high = stretches.length;

	while (low < high) {
		const middle = (low + high) >> 1;

		if (stretches[middle][1] < from) low = middle + 1;
		else high = middle;
	}
	let end = low;

	while (end < stretches.length && end < low + MOST && stretches[end][0] <= to) end++;
	return stretches.slice(low, end);
}
