// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Reads the trace, makes the parts and ties them together. */
import { App, VIA } from "./app.js";
import { byId, fill, el } from "./dom.js";
import { bytes, count, counted, duration } from "./format.js";
import { say, sayMarkup } from "./say.js";
import { Store, NONE } from "./store.js";
import { Items } from "./items.js";
import { Layout } from "./layout.js";
import { Canvas } from "./canvas.js";
import { Minimap } from "./minimap.js";
import { Search } from "./search.js";
import { Sidebar } from "./sidebar.js";
import { Detail } from "./detail.js";
import { Controls } from "./keys.js";
import { Heads } from "./heads.js";
import { Table } from "./table.js";
import { printable } from "./print.js";
import { showTabs } from "./panels.js";

function lanesTold(lanes) {
	const processes = lanes.filter(
		(lane) => !lane.memory && (!lane.tid || lane.tid === lane.pid),
	).length;
	const threads = lanes.filter((lane) => lane.tid).length;

	return [
		count(processes) + " " + say(processes === 1 ? "process" : "processes"),
		threads ? counted(threads, "thread") : "",
	];
}

function showTotals(app) {
	const { store } = app;
	let total = 0;
	let signals = 0;

	for (let m = 0; m < store.messageCount; m++) {
		total += store.bytes[m];
		signals += store.routes[store.route[m]].signal ? 1 : 0;
	}
	const size = total ? " (" + bytes(total) + ")" : "";

	byId("command").textContent = store.command;
	fill(
		byId("totals"),
		[
			...lanesTold(store.lanes),
			store.channelTotal ? counted(store.channelTotal, "channel") : "",
			(store.traffic || counted(store.messageCount - signals, "message")) + size,
			signals ? counted(signals, "signal") : "",
			duration(store.endNs),
		]
			.filter(Boolean)
			.join(" · "),
	);
	byId("totals").title = byId("totals").textContent;
	byId("command").title = store.command;
	byId("notes").textContent = store.notes.some((note) => /\b(lost|verloren)\b/.test(note))
		? say("records lost")
		: "";
	byId("notes").hidden = !byId("notes").textContent;
}

function showState(app) {
	const hits = app.hits.query ? counted(app.hits.count, "hit") : "";

	for (const via of [VIA.KERNEL, VIA.CHANNELS]) {
		byId(via).setAttribute("aria-pressed", String(app.via === via));
		byId(via).disabled = !app.store.hasCalls;
	}
	byId("group").setAttribute("aria-pressed", String(app.group));
	byId("group").hidden = app.store.lanes.every((lane, i) => lane.group === i);
	byId("fold").setAttribute("aria-pressed", String(app.fold));
	byId("axis").setAttribute("aria-pressed", String(app.timeAxis));
	byId("hits").textContent = hits;
	byId("shown").textContent =
		app.filtered && app.items.rows < app.store.rowCount
			? say("{} of {} rows", count(app.items.rows), count(app.store.rowCount))
			: "";
}

/* The focus, with a way to widen it and one to end it. */
function showFocus(app) {
	const { focus } = app;
	const button = (text, title, click) => el("button", { type: "button", title, click }, text);

	byId("focus").hidden = !focus;
	if (!focus) return;
	const steps = focus.depth === 1 ? "" : ", " + counted(focus.depth, "step");

	fill(
		byId("focus"),
		button(say("focus: {} ×", focus.name + steps), say("ends it (Esc)"), () => app.endFocus()),
		focus.canWiden
			? button(say("wider"), say("also whom these talk with (w)"), () => app.widen())
			: null,
	);
}

/* #m=123 is message 123; #focus=PID, or a name or a finding's id, with &depth=2 or without. */
function readHash(app) {
	const words = new URLSearchParams(location.hash.slice(1));
	const m = /^\d+$/.test(words.get("m")) ? app.store.byId(Number(words.get("m"))) : NONE;
	const what = words.get("focus");
	const depth = /^\d$/.test(words.get("depth")) ? Number(words.get("depth")) : 1;

	if (!what) app.endFocus();
	else if (what !== app.focus?.what || depth !== app.focus.depth) app.focusBy(what, depth);
	if (m >= 0) app.reveal(app.store.rowOf[m]);
}

function writeHash(app) {
	const { focus } = app;
	const m = app.selected >= 0 ? app.store.rowMessage(app.selected) : NONE;
	const words = [
		m >= 0 ? "m=" + app.store.id[m] : "",
		focus ? "focus=" + encodeURIComponent(focus.what) : "",
		focus && focus.depth !== 1 ? "depth=" + focus.depth : "",
	].filter(Boolean);
	const hash = words.length ? "#" + words.join("&") : "";

	if (location.hash !== hash) history.replaceState(null, "", hash || location.pathname);
}

function tie(app, canvas, layout, items) {
	app.on("filter", () => {
		layout.keeping(() => {
			items.build();
			layout.chooseLanes();
		});
		if (app.selected >= 0) canvas.show(app.selected);
		showFocus(app);
		if (app.fromHash) writeHash(app);
	});
	app.on("axis", () => {
		layout.keeping(() => items.build());
		if (app.selected >= 0) canvas.show(app.selected);
	});
	app.on("select", () => {
		if (app.selected >= 0 && app.selectedFrom !== "pointer") canvas.show(app.selected);
		writeHash(app);
	});
	app.on("moved", () => app.emit("view"));
	app.on("select filter axis", () => app.emit("view"));
	app.on("view theme search payload calls", () => canvas.redraw());
	app.on("filter search calls axis", () => showState(app));
	window.addEventListener("hashchange", () => readHash(app));
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
		app.theme.read();
		app.emit("theme");
	});
}

function makeParts(store) {
	const app = new App(store);
	const items = new Items(app);
	const layout = new Layout(app, items);
	const canvas = new Canvas(app, items, layout);

	Object.assign(app, { items, layout, canvas });
	layout.chooseLanes();
	tie(app, canvas, layout, items);
	canvas.resize();
	layout.begin();
	canvas.draw();
	return app;
}

/* A browser gets to draw between two long steps. */
const pause = () => new Promise((resolve) => setTimeout(resolve));

async function makeRest(app) {
	new Sidebar(app);
	new Detail(app);
	new Table(app);
	const controls = new Controls(app, app.canvas, app.layout, new Search(app));

	new Heads(app, (lane) => controls.clickHead(lane));
	new Minimap(app, app.items, app.layout, app.canvas).rebuild();
	showTabs(app);
	printable(app);
	showTotals(app);
	showState(app);
	readHash(app);
	app.fromHash = true;
	if (document.readyState === "loading")
		await new Promise((resolve) => document.addEventListener("DOMContentLoaded", resolve));
	await pause();
	await app.store.readPayload();
	app.emit("payload");
	await pause();
	await app.store.readCalls();
	app.canvas.bars.read();
	app.emit("calls");
	if (app.store.begin.via) app.toggleVia(app.store.begin.via);
	performance.mark("all");
	document.documentElement.dataset.ready = "all";
}

async function start() {
	const store = await Store.read();

	sayMarkup(document.body);
	const app = makeParts(store);

	document.documentElement.dataset.ready = "picture";
	performance.mark("picture");
	window.ipclens = app; /* for the console, and for tests */
	await pause();
	await makeRest(app);
}

start().catch((error) => {
	const why = say("This browser cannot show the page: {}", error.message);

	fill(byId("totals"), el("strong", {}, why));
	throw error;
});
