// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * For those who do not see the picture: a table of the rows around the selected one, and a live
 * region that says which it is.
 */
import { byId, el, fill } from "./dom.js";
import { roundsText } from "./draw_fold.js";
import { counted } from "./format.js";
import { say } from "./say.js";
import { NONE, NOWHERE, OUTSIDE } from "./store.js";
import { messageLabel, messagePayload } from "./words.js";
import { itemRow } from "./items.js";

const AROUND = 10;

const nameOf = (store, lane, outside) =>
	lane >= 0
		? store.lanes[lane].name
		: lane === OUTSIDE
			? outside || say("outside")
			: lane === NOWHERE
				? say("nobody")
				: "";

function foldWords(fold) {
	if (fold.noise) return roundsText(fold) + ", " + counted(fold.noise.messages, "message");
	return roundsText(fold) + (fold.mixed ? "" : say(" like those above"));
}

/* [time, from, to, what] */
export function rowWords(app, row) {
	const { store } = app;
	const fold = app.items.foldOf(row);
	const m = store.rowRef[row];
	const at = app.canvas.frame.clock;
	const time = at.text(store.rowAt[app.items.realRow(row)]) + " " + at.unit;

	if (fold) return [time, "", "", foldWords(fold)];
	if (m < 0) {
		const said = store.rowSaid(row);

		return [
			time,
			said.from >= 0 ? store.lanes[said.from].name : "",
			said.to >= 0 ? store.lanes[said.to].name : "",
			(said.label + " " + said.detail).trim(),
		];
	}
	const route = store.routeOf(m);

	return [
		time,
		nameOf(store, route.from, route.fromName),
		nameOf(store, route.to, route.toName),
		(messageLabel(store, m) + " " + messagePayload(store, m)).trim(),
	];
}

export class Table {
	constructor(app) {
		this.app = app;
		app.on("select filter payload", () => this.later());
	}

	later() {
		clearTimeout(this.timer);
		this.timer = setTimeout(() => this.draw(), 150);
	}

	draw() {
		const { app } = this;
		const { items, store } = app;
		const here = Math.max(0, items.ofRow(app.selected));
		const from = Math.max(0, here - AROUND);
		const rows = Array.from(new Set(items.list.slice(from, here + AROUND)), itemRow);

		fill(
			byId("rows"),
			el("caption", {}, say("Rows around the selected one")),
			el(
				"tr",
				{},
				...["time", "from", "to", "what"].map((t) => el("th", { scope: "col" }, say(t))),
			),
			...rows.map((row) =>
				el(
					"tr",
					{ "aria-selected": String(row === app.selected) },
					...rowWords(app, row).map((text) => el("td", {}, text)),
				),
			),
		);
		if (app.selected === NONE) return;
		const [time, who, whom, what] = rowWords(app, app.selected);
		const m = store.rowMessage(app.selected);

		byId("status").textContent =
			(m >= 0 ? say("message {}: ", store.id[m]) : "") +
			who +
			(whom ? say(" to {}", whom) : "") +
			", " +
			what +
			say(", at {}", time);
	}
}
