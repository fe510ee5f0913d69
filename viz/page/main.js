// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Reads the trace, makes the parts and ties them together. */
import { App, VIA } from "./app.js";
import { byId, fill, el } from "./dom.js";
import { bytes, count, counted, duration } from "./format.js";
import { Store, NONE } from "./store.js";
import { Items } from "./items.js";
import { Layout } from "./layout.js";
import { Canvas } from "./canvas.js";
import { Minimap } from "./minimap.js";
import { Search } from "./search.js";
import { Sidebar } from "./sidebar.js";
import { Detail } from "./detail.js";
import { Controls } from "./keys.js";
import { Table } from "./table.js";
import { printable } from "./print.js";
import { showTabs } from "./panels.js";

function lanesTold(lanes) {
	const processes = lanes.filter((lane) => !lane.tid || lane.tid === lane.pid).length;
	const threads = lanes.filter((lane) => lane.tid).length;

	return [
		processes === 1 ? "1 process" : count(processes) + " processes",
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
			counted(store.messageCount - signals, "message") + size,
			signals ? counted(signals, "signal") : "",
			duration(store.endNs),
		]
			.filter(Boolean)
			.join(" · "),
	);
	byId("totals").title = byId("totals").textContent;
	byId("command").title = store.command;
	byId("notes").textContent = store.notes.some((note) => note.includes("lost"))
		? "records lost"
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
			? count(app.items.rows) + " of " + count(app.store.rowCount) + " rows"
			: "";
}

/* #m=123 is message 123 */
function readHash(app) {
	const match = /^#m=(\d+)$/.exec(location.hash);
	const m = match ? app.store.byId(Number(match[1])) : NONE;

	if (m >= 0) app.reveal(app.store.rowOf[m]);
}

function writeHash(app) {
	const m = app.selected >= 0 ? app.store.rowMessage(app.selected) : NONE;
	const hash = m >= 0 ? "#m=" + app.store.id[m] : "";

	if (location.hash !== hash) history.replaceState(null, "", hash || location.pathname);
}

function tie(app, canvas, layout, items) {
	app.on("filter", () => {
		layout.keeping(() => {
			items.build();
			layout.chooseLanes();
		});
		if (app.selected >= 0) canvas.show(app.selected);
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
	new Controls(app, app.canvas, app.layout, new Search(app));
	new Minimap(app, app.items, app.layout, app.canvas).rebuild();
	showTabs(app);
	printable(app);
	showTotals(app);
	showState(app);
	readHash(app);
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
	const app = makeParts(await Store.read());

	document.documentElement.dataset.ready = "picture";
	performance.mark("picture");
	window.ipclens = app; /* for the console, and for tests */
	await pause();
	await makeRest(app);
}

start().catch((error) => {
	fill(byId("totals"), el("strong", {}, "This browser cannot show the page: " + error.message));
	throw error;
});
