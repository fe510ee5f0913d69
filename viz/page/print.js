// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * On paper: what the filter shows, as an SVG in pieces of a page each, with the heads of lanes on
 * each; black on white, dashes kept. A canvas would print only what is in sight.
 */
import { roundsText } from "./draw_fold.js";
import { byId, el, fill } from "./dom.js";
import { count } from "./format.js";
import { HALF, itemHalf, itemRow } from "./items.js";
import { KIND, OUTSIDE, PART } from "./store.js";
import { dashOf } from "./theme.js";
import { messageLabel, messagePayload } from "./words.js";

const ROWS_MOST = 1000;
const ROWS_PAGE = 30;
const ROW = 20;
const HEAD = 40;
const LEFT = 80;
const WIDTH = 1050;
const LETTER = 5.6; /* as wide as that, about */
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
		this.gap = Math.min(200, (WIDTH - LEFT - 120) / Math.max(1, this.slots.length - 1));
	}

	slotX(slot) {
		return slot < 0 ? NaN : LEFT + 40 + slot * this.gap;
	}

	x(lane) {
		const head = lane < 0 ? lane : this.app.layout.headOf(lane);

		return this.slotX(this.slots.findIndex((slot) => slot.lane === head));
	}

	/* Where a message of the route meets what it passes: its channel, or half the way. */
	via(route, x1, x2) {
		const slot = this.slots.findIndex(({ object }) => object === route.object);

		return slot < 0 ? (x1 + x2) / 2 : this.slotX(slot);
	}

	/* Items [from, to) */
	page(from, to) {
		const { layout } = this.app;
		const height = HEAD + (to - from) * ROW + 10;
		const page = svg("svg", { viewBox: "0 0 " + WIDTH + " " + height, class: "sheet" });

		this.slots.forEach(({ lane, object }, slot) => {
			const x = this.slotX(slot);
			const { title, number } =
				object === undefined ? layout.words(lane) : layout.objectWords(object);

			page.append(
				svg("line", { x1: x, x2: x, y1: HEAD - 10, y2: height, class: "life" }),
				svg("text", { x, y: 12, class: "head" }, title),
				svg("text", { x, y: 25, class: "small" }, number),
			);
		});
		for (let i = from; i < to; i++) page.append(...this.row(i, HEAD + (i - from + 0.7) * ROW));
		return page;
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

		if (fold)
			return [
				time,
				svg(
					"text",
					{ x: LEFT + 20, y: y + 4, class: "said" },
					roundsText(fold) + (fold.mixed ? "" : " more of what stands above"),
				),
			];
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

		if (Number.isNaN(x1)) x1 = x2 + (from === OUTSIDE ? -40 : 40);
		if (Number.isNaN(x2)) x2 = x1 + 40;
		const via = this.via(route, x1, x2);

		if (half === HALF.IN || part === PART.SENT) x2 = via;
		if (half === HALF.OUT || part === PART.RECEIVED) x1 = via;
		const text = messageLabel(store, m) + " " + messagePayload(store, m);

		return this.arrow(
			x1,
			x2,
			y,
			text,
			dashOf(store.mechanisms[mechanism]),
			part >= PART.UNREAD,
		);
	}

	arrow(x1, x2, y, text, dash, open) {
		const back = x2 < x1 ? 6 : -6;
		const room = Math.floor(Math.max(Math.abs(x2 - x1), this.gap) / LETTER);
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

	said(row, y) {
		const { store } = this.app;
		const { from, to, label } = store.rowSaid(row);
		const kind = store.rowKind(row);
		const x = this.x(from);

		if (kind !== KIND.EXIT && !Number.isNaN(x) && !Number.isNaN(this.x(to)) && from !== to)
			return this.arrow(x, this.x(to), y, label, [5, 2], false);
		return [
			svg(
				"text",
				{ x: (Number.isNaN(x) ? LEFT : x) - 4, y: y + 4, class: "said" },
				(kind === KIND.EXIT ? "╳ " : kind === KIND.EXEC ? "◆ " : "✗ ") + label,
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
			"times in " + app.canvas.frame.clock.unit,
			"showing " + count(shown) + " of " + count(items.count) + " rows",
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
