// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* At the left: what there is, how much of it, and what of it is shown. */
import { byId, el, fill } from "./dom.js";
import { bytes, count, counted, shortName } from "./format.js";
import { showPanel } from "./panels.js";
import { say } from "./say.js";
import { dashOf } from "./theme.js";
import { isBad } from "./words.js";

const MOST = 40; /* rows of a list */
const FINDINGS_MOST = 4; /* the panel has all */
const SEVERITY_WORDS = ["", "note", "warning", "error"];
const SEVERITY_SIGNS = ["", "○", "⚠", "✗"];

/* A piece of line in the mechanism's colour and dash. */
function sample(app, mechanism) {
	const canvas = el("canvas", { width: 72, height: 20, class: "sample", "aria-hidden": "true" });
	const pen = canvas.getContext("2d");

	pen.scale(2, 2);
	pen.strokeStyle = app.theme.family(mechanism);
	pen.lineWidth = 2;
	pen.setLineDash(dashOf(mechanism));
	pen.beginPath();
	pen.moveTo(0, 5);
	pen.lineTo(36, 5);
	pen.stroke();
	return canvas;
}

/* Messages and bytes of each mechanism, object and lane. */
function totals(store) {
	const sums = { mechanisms: new Map(), objects: new Map(), lanes: new Map() };
	const perRoute = new Float64Array(store.routes.length);
	const bytesOf = new Float64Array(store.routes.length);
	const add = (map, key, n, size) => {
		const sum = map.get(key) || { n: 0, bytes: 0 };

		sum.n += n;
		sum.bytes += size;
		map.set(key, sum);
	};

	for (let m = 0; m < store.messageCount; m++) {
		perRoute[store.route[m]]++;
		bytesOf[store.route[m]] += store.bytes[m];
	}
	store.routes.forEach((route, r) => {
		add(sums.mechanisms, route.mechanism, perRoute[r], bytesOf[r]);
		if (route.object >= 0) add(sums.objects, route.object, perRoute[r], bytesOf[r]);
		for (const lane of new Set([route.from, route.to]))
			if (lane >= 0) add(sums.lanes, lane, perRoute[r], bytesOf[r]);
	});
	return sums;
}

export class Sidebar {
	constructor(app) {
		this.app = app;
		this.sums = totals(app.store);
		app.on("filter theme", () => this.draw());
		this.draw();
	}

	draw() {
		fill(
			byId("sidebar"),
			this.findings(),
			this.notes(),
			this.mechanisms(),
			this.list(say("Channels"), this.objects()),
			this.list(say("Processes"), this.lanes()),
			this.all(),
		);
	}

	notes() {
		const { store } = this.app;
		const bad = store.said.filter((said) => isBad(store, said) && said.mark < 0);

		if (!store.notes.length && !bad.length) return null;
		return el(
			"section",
			{},
			el("h2", {}, say("Notes")),
			...store.notes.map((note) => el("p", { class: "note" }, note)),
			...bad.slice(0, 6).map((said) =>
				el(
					"button",
					{
						type: "button",
						class: "entry bad",
						click: () => this.app.reveal(said.row),
					},
					el(
						"span",
						{ class: "name" },
						"✗ " +
							(said.from >= 0 ? store.lanes[said.from].title + " " : "") +
							said.label,
					),
				),
			),
		);
	}

	/* What diagnose found: each leads to its place. */
	findings() {
		const { app } = this;
		const { marks } = app.store;

		if (!marks.length) return null;
		return el(
			"section",
			{},
			el("h2", {}, say("Findings")),
			...marks.slice(0, FINDINGS_MOST).map((mark) =>
				el(
					"button",
					{
						type: "button",
						class: "finding " + SEVERITY_WORDS[mark.severity],
						title: mark.advice,
						click: () => app.reveal(mark.row),
					},
					el("b", {}, SEVERITY_SIGNS[mark.severity] + " " + mark.id),
					el("span", {}, mark.text),
				),
			),
			this.moreFindings(marks.length - FINDINGS_MOST),
		);
	}

	moreFindings(more) {
		if (more <= 0) return null;
		const open = () => showPanel(this.app, "findings");

		return el(
			"button",
			{ type: "button", class: "more", click: open },
			say("and {}", counted(more, "more finding")),
		);
	}

	mechanisms() {
		const { app, sums } = this;
		const entries = [...sums.mechanisms].sort((a, b) => b[1].n - a[1].n);

		if (!entries.length) return null;
		return el(
			"section",
			{},
			el("h2", {}, say("Mechanisms")),
			...entries.map(([id, sum]) => {
				const mechanism = app.store.mechanisms[id];

				return el(
					"label",
					{ class: "entry", title: mechanism.help },
					el("input", {
						type: "checkbox",
						checked: !app.filter.mechanisms.has(id),
						change: () => app.toggleMechanism(id),
					}),
					sample(app, mechanism),
					el("span", { class: "name" }, mechanism.name),
					el("span", { class: "number" }, count(sum.n)),
				);
			}),
		);
	}

	objects() {
		const { app, sums } = this;

		return [...sums.objects]
			.sort((a, b) => b[1].n - a[1].n)
			.map(([id, sum]) => ({
				name: shortName(app.store, app.store.objects[id]),
				title: app.store.objects[id].name,
				mechanism: app.store.mechanisms[app.store.objects[id].mechanism],
				sum,
				chosen: app.filter.object === id,
				click: () => app.only("object", id),
			}));
	}

	lanes() {
		const { app, sums } = this;

		const entry = (lane, id) => ({
			name: lane.name,
			title: lane.command,
			sum: sums.lanes.get(id) || { n: 0, bytes: 0 },
			chosen: app.isFocused(id),
			click: () => app.focusOn(id),
		});

		return app.store.lanes.flatMap((lane, id) => (lane.memory ? [] : [entry(lane, id)]));
	}

	list(heading, entries) {
		const { app } = this;
		const more = entries.length - MOST;

		if (!entries.length) return null;
		return el(
			"section",
			{},
			el("h2", {}, heading),
			el(
				"div",
				{ class: "list" },
				...entries.slice(0, MOST).map((entry) =>
					el(
						"button",
						{
							type: "button",
							class: "entry",
							click: entry.click,
							"aria-pressed": String(entry.chosen),
							title: entry.title || entry.name,
						},
						entry.mechanism ? sample(app, entry.mechanism) : null,
						el("span", { class: "name mono" }, entry.name),
						el(
							"span",
							{ class: "number" },
							count(entry.sum.n),
							entry.sum.bytes ? el("small", {}, " " + bytes(entry.sum.bytes)) : null,
						),
					),
				),
			),
			more > 0 ? el("p", { class: "note" }, say("and {} more", count(more))) : null,
		);
	}

	all() {
		if (!this.app.filtered) return null;
		return el(
			"button",
			{ type: "button", class: "all", click: () => this.app.showAll() },
			say("Show all"),
		);
	}
}
