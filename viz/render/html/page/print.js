// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * On paper: what the filter shows, as an SVG in pieces of a page each, with the heads of lanes on
 * each; black on white, dashes kept. A canvas would print only what is in sight.
 */
import { begunBy } from "./columns.js";
import { foldText } from "./draw_fold.js";
import { byId, el, fill } from "./dom.js";
import { count } from "./format.js";
import { say } from "./say.js";
import { HALF, itemHalf, itemRow } from "./items.js";
import { outsideName } from "./draw_stub.js";
import { KIND, PART } from "./store.js";
import { dashOf } from "./theme.js";
import { messageLabel, messagePayload } from "./words.js";

const SIGNS = { [KIND.EXIT]: "╳ ", [KIND.EXEC]: "◆ ", [KIND.REMOVED]: "⊗ ", [KIND.NOTE]: "◇ " };
const ROWS_MOST = 1000;
const ROWS_PAGE = 27;
const ROW = 22;
const HEAD = 40;
const LEFT = 80;
const WIDTH = 1050;
const GAP_MOST = 380;
const PAD = 34; /* of a loop's box, beyond the outermost lanes */
const BAND = 12; /* of what messages pass */
const BOX = 15; /* a lane's head where it is born */
const BOLD_LETTER = 7.2;
const LETTER = 5.6; /* as wide as that, about */
const STUB = 40; /* an arrow from or to no lane */
const LOOP = 24; /* one to itself */
const NS = "http://www.w3.org/2000/svg";

function svg(tag, attributes, text) {
	const element = document.createElementNS(NS, tag);

	for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
	if (text !== undefined) element.textContent = text;
	return element;
}

class Paper {
	constructor(app) {
		this.app = app;
		this.slots = app.layout.slots();
		if (app.kernel) this.addKernels();
		this.slotOf = new Map();
		this.slots.forEach(({ column }, slot) => {
			for (const { lane } of column?.lives || []) this.slotOf.set(lane, slot);
		});
		this.gap = Math.min(GAP_MOST, (WIDTH - LEFT - 120) / Math.max(1, this.slots.length - 1));
	}

	/* From the right, so that the places of the others stay. */
	addKernels() {
		for (const [slot, hosts] of [...this.app.layout.kernelPlaces()].sort(([a], [b]) => b - a))
			this.slots.splice(slot, 0, ...hosts.map((host) => ({ kernel: true, host })));
	}

	slotX(slot) {
		return slot < 0 ? NaN : LEFT + 40 + slot * this.gap;
	}

	x(lane) {
		const head = lane < 0 ? lane : this.app.layout.headOf(lane);

		return this.slotX(this.slotOf.get(head) ?? -1);
	}

	/* Where a message of the route meets what it passes: a kernel, its channel, half the way. */
	via({ from, to, object }, half, x1, x2) {
		const { layout } = this.app;
		const ends = half === HALF.OUT ? [to, from] : [from, to];
		const host = this.app.kernel ? layout.kernelOf(...ends).host : undefined;
		const slot = this.slots.findIndex((what) =>
			what.kernel ? what.host === host : object >= 0 && what.object === object,
		);

		return slot < 0 ? (x1 + x2) / 2 : this.slotX(slot);
	}

	/* Items [from, to) */
	page(from, to) {
		const { layout } = this.app;
		const height = HEAD + (to - from) * ROW + 10;
		const page = svg("svg", { viewBox: "0 0 " + WIDTH + " " + height, class: "sheet" });

		this.slots.forEach(({ column, object, kernel, host }, slot) => {
			const x = this.slotX(slot);

			if (column) page.append(...this.column(column, x, from, to, height));
			else if (kernel) page.append(this.band(x, height), ...this.head(x, "KERNEL", host));
			else {
				const { title, number } = layout.objectWords(object);

				page.append(this.band(x, height), ...this.head(x, title, number));
			}
		});
		for (let i = from; i < to; i++) page.append(...this.row(i, HEAD + (i - from + 0.7) * ROW));
		return page;
	}

	band(x, height) {
		const place = { x: x - BAND / 2, y: HEAD - 10, width: BAND, height };

		return svg("rect", { ...place, class: "band" });
	}

	head(x, title, number) {
		return [
			svg("text", { x, y: 12, class: "head" }, title),
			svg("text", { x, y: 25, class: "small" }, number),
		];
	}

	/* Lanes one after the other, and above them the head of the one that has begun before. */
	column(column, x, from, to, height) {
		const { layout } = this.app;
		const begun = begunBy(column, from - 1);
		const before = column.lives[begun - 1];
		const lives = column.lives.slice(Math.max(0, begun - 1), begunBy(column, to - 1));
		const shown = [];

		if (before && before.to >= from) {
			const { title, number } = layout.words(before.lane);

			shown.push(...this.head(x, title, number));
		}
		return [...lives.flatMap((life) => this.life(life, x, from, to, height)), ...shown];
	}

	/* A lane from where it begins to its end, as far as that is on this page. */
	life({ from: first, to: last }, x, from, to, height) {
		const y1 = first < from ? HEAD - 10 : HEAD + (first - from + 0.7) * ROW;
		const y2 = last >= to ? height : HEAD + (last - from + 0.7) * ROW;

		if (first >= to || last < from) return [];
		return [svg("line", { x1: x, x2: x, y1, y2, class: "life" })];
	}

	/* The head of a lane that is born there, and the arrow up to it. */
	birth(life, x1, y, label) {
		const { title, number } = this.app.layout.words(life.lane);
		const x = this.x(life.lane);
		const text = title + " " + number;
		const width = Math.min(text.length * BOLD_LETTER + 10, 2 * (this.gap - 8));
		const room = Math.floor((width - 6) / BOLD_LETTER);
		const shown = text.length > room ? text.slice(0, room - 1) + "…" : text;
		const left = x - width / 2;

		return [
			...this.arrow(x1, x1 < x ? left : left + width, y, label, [], false),
			svg("rect", { x: left, y: y - BOX / 2, width, height: BOX, rx: 4, class: "birth" }),
			svg("text", { x, y: y + 4, class: "head" }, shown),
		];
	}

	/* What stands for the other rounds of a loop. */
	fold(fold, y) {
		const left = this.slotX(0) - PAD;
		const text = foldText(this.app.items, fold).replace("  ", " · ");
		const lanes = this.slotX(this.slots.length - 1) + PAD - left;
		const width = Math.min(WIDTH - left, Math.max(lanes, text.length * LETTER + 16));

		return [
			svg("rect", { x: left, y: y - 8, width, height: 16, rx: 5, class: "fold" }),
			svg(
				"text",
				{ x: left + width / 2, y: y + 3.5, class: "small" },
				text,
			),
		];
	}

	row(i, y) {
		const { store, items, canvas } = this.app;
		const row = itemRow(items.list[i]);
		const time = svg(
			"text",
			{ x: LEFT - 10, y: y + 4, class: "time" },
			canvas.frame.clock.text(items.at[i]),
		);
		const fold = itemHalf(items.list[i]) === HALF.FOLD ? items.folds.get(row) : null;

		if (fold) return [time, ...this.fold(fold, y)];
		return [
			time,
			...(store.rowKind(row) <= KIND.SIGNAL
				? this.message(row, itemHalf(items.list[i]), y)
				: this.said(row, y)),
		];
	}

	message(row, half, y) {
		const { store } = this.app;
		const m = store.rowMessage(row);
		const route = store.routeOf(m);
		const { from, to, mechanism } = route;
		const part = store.rowPart(row);
		let x1 = this.x(from);
		let x2 = this.x(to);

		if (half === HALF.WHOLE && this.isAlone(x1, x2, part))
			return this.alone(m, x1, x2, y, part);
		if (Number.isNaN(x1)) x1 = x2 + STUB;
		if (Number.isNaN(x2)) x2 = x1 + STUB;
		if (half === HALF.WHOLE && part !== PART.WHOLE) [x1, x2] = this.near(row, x1, x2);
		const via = this.via(route, half, x1, x2);

		if (half === HALF.IN || part === PART.SENT) x2 = via;
		if (half === HALF.OUT || part === PART.RECEIVED) x1 = via;
		const payload = half === HALF.OUT ? "" : " " + messagePayload(store, m);
		const again = half === HALF.WHOLE && part === PART.RECEIVED && store.rowOf[m] !== row;
		const label = messageLabel(store, m, half !== HALF.WHOLE);
		const text = again ? say("received") : label + payload;

		return this.arrow(
			x1,
			x2,
			y,
			text,
			dashOf(store.mechanisms[mechanism]),
			part >= PART.UNREAD,
		);
	}

	/* Half an arrow whose other end does not live at this row stays near its own lane. */
	near(row, x1, x2) {
		const { layout, store } = this.app;
		const arrives = store.rowPart(row) === PART.RECEIVED;
		const { from, to } = store.rowEnds(row);
		const other = arrives ? from : to;
		const far = x2 < x1 ? -2 * STUB : 2 * STUB;

		if (other < 0 || layout.isThere(other, row)) return [x1, x2];
		return arrives ? [x2 - far, x2] : [x1, x1 + far];
	}

	/* From or to no lane, or to itself. */
	isAlone(x1, x2, part) {
		return Number.isNaN(x1) || Number.isNaN(x2) || (x1 === x2 && part === PART.WHOLE);
	}

	/* Its words stand behind it, as wide as the paper is. */
	alone(m, x1, x2, y, part) {
		const { store } = this.app;
		const route = store.routeOf(m);
		const dash = dashOf(store.mechanisms[route.mechanism]);
		const words = [messageLabel(store, m), outsideName(route), messagePayload(store, m)];
		const from = Number.isNaN(x1) ? x2 + STUB : x1;
		const to = Number.isNaN(x2) ? x1 + STUB : x2;
		const x = Math.max(from, to) + (from === to ? LOOP : 6);
		const text = words.filter(Boolean).join(" ");
		const room = Math.floor((WIDTH - x) / LETTER);
		const shown = text.length > room ? text.slice(0, room - 1) + "…" : text;

		return [
			...(from === to
				? this.loop(from, y, dash)
				: this.arrow(from, to, y, "", dash, part >= PART.UNREAD)),
			svg("text", { x, y: y + 4, class: "said" }, shown),
		];
	}

	loop(x, y, dash) {
		const end = x + LOOP + 4;
		const arc = `M${x} ${y - 5}C${end} ${y - 7} ${end} ${y + 7} ${x} ${y + 4}`;

		return [
			svg("path", { d: arc, "stroke-dasharray": dash.join(" ") }),
			svg("path", { d: `M${x + 6} ${y}L${x} ${y + 4}L${x + 6} ${y + 8}` }),
		];
	}

	arrow(x1, x2, y, text, dash, open) {
		const back = x2 < x1 ? 6 : -6;
		const wide = Math.abs(x2 - x1);
		const room = Math.floor((wide < this.gap / 3 ? this.gap : wide - 8) / LETTER);
		const label = text.length > room ? text.slice(0, room - 1) + "…" : text;

		return [
			svg("line", {
				x1,
				x2,
				y1: y,
				y2: y,
				class: "arrow",
				"stroke-dasharray": dash.join(" "),
			}),
			open
				? svg("circle", { cx: x2, cy: y, r: 3 })
				: svg("path", {
						d:
							"M" +
							(x2 + back) +
							" " +
							(y - 3) +
							"L" +
							x2 +
							" " +
							y +
							"L" +
							(x2 + back) +
							" " +
							(y + 3),
					}),
			svg("text", { x: (x1 + x2) / 2, y: y - 5, class: "label" }, label),
		];
	}

	/* An end that was learned of later is two rows too. */
	control(x1, x2, y, label, part) {
		const middle = (x1 + x2) / 2;
		const from = part === PART.RECEIVED ? middle : x1;

		return this.arrow(from, part === PART.SENT ? middle : x2, y, label, [5, 2], false);
	}

	said(row, y) {
		const { store } = this.app;
		const { from, to, label, message } = store.rowSaid(row);
		const kind = store.rowKind(row);
		const x = this.x(from);

		const life = this.app.layout.births.get(row);

		if (life) return this.birth(life, x, y, label);
		if (kind !== KIND.EXIT && !Number.isNaN(x) && !Number.isNaN(this.x(to)) && from !== to)
			return this.control(x, this.x(to), y, label, store.rowPart(row));
		const tells = kind === KIND.EXIT && message >= 0 && !Number.isNaN(x + this.x(to));

		return [
			...(tells
				? this.arrow(x, this.x(to), y, messageLabel(store, message), [2, 3], false)
				: []),
			svg(
				"text",
				{ x: (Number.isNaN(x) ? LEFT : x) - 4, y: y + 4, class: "said" },
				(SIGNS[kind] || "✗ ") + label,
			),
		];
	}
}

function caption(app, shown) {
	const { store, items } = app;
	const date = new Date(Number((store.startNs + store.realtimeOffsetNs) / 1000000n));

	return el(
		"p",
		{},
		[
			store.command,
			byId("totals").textContent,
			store.host,
			store.kernel,
			store.realtimeOffsetNs ? date.toISOString() : "",
			say("times in {}", app.canvas.frame.clock.unit),
			say("showing {} of {} rows", count(shown), count(items.count)),
			...store.notes,
		]
			.filter(Boolean)
			.join(" · "),
	);
}

/* Around the selected row, where not all can be printed. */
export function layOut(app) {
	const { items } = app;
	const here = Math.max(0, items.ofRow(app.selected));
	const from =
		items.count <= ROWS_MOST
			? 0
			: Math.max(0, Math.min(here - ROWS_MOST / 2, items.count - ROWS_MOST));
	const to = Math.min(items.count, from + ROWS_MOST);
	const paper = new Paper(app);
	const pages = [];

	for (let i = from; i < to; i += ROWS_PAGE)
		pages.push(paper.page(i, Math.min(to, i + ROWS_PAGE)));
	fill(byId("print"), caption(app, to - from), ...pages);
}

export function printable(app) {
	window.addEventListener("beforeprint", () => layOut(app));
	window.addEventListener("afterprint", () => fill(byId("print")));
}
