// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What diagnose found, worst first, and the way to its place in the picture. */
import { el, fill } from "./dom.js";
import { count, counted, duration } from "./format.js";
import { addPanel } from "./panels.js";
import { say } from "./say.js";

const MOST = 200;
const WORDS = ["", "note", "warning", "error"];
const SIGNS = ["", "○", "⚠", "✗"];

function jump(app, mark) {
	if (app.filtered && app.items.ofRow(mark.row) < 0) app.showAll();
	app.reveal(mark.row);
	app.canvas.element.focus();
}

function card(app, mark) {
	const word = WORDS[mark.severity];

	return el(
		"li",
		{ class: "found " + word },
		el(
			"button",
			{ type: "button", title: say("show where"), click: () => jump(app, mark) },
			el("b", {}, SIGNS[mark.severity] + " " + say(word)),
			el("code", {}, mark.id),
			el("span", {}, mark.text),
			el("small", {}, say("at {}", duration(Math.max(0, mark.at)))),
		),
		...mark.lines.map((line) => el("p", { class: "evidence" }, line)),
		mark.advice ? el("p", { class: "advice" }, "→ " + mark.advice) : null,
	);
}

function summary(marks) {
	const parts = [3, 2, 1].map((severity) => {
		const n = marks.filter((mark) => mark.severity === severity).length;

		return n ? counted(n, WORDS[severity]) : "";
	});

	return parts.filter(Boolean).join(", ") || say("none: nothing looks wrong");
}

addPanel({
	id: "findings",
	title: "Findings",
	key: "d",
	open(element, app) {
		const list = app.store.marks;

		fill(
			element,
			el("h3", {}, say("Findings: {}", summary(list))),
			el(
				"ol",
				{ class: "found-list" },
				...list.slice(0, MOST).map((each) => card(app, each)),
			),
			list.length > MOST
				? el("p", { class: "note" }, say("and {} more", count(list.length - MOST)))
				: null,
		);
	},
});
