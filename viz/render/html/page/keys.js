// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Keyboard, wheel and pointer. */
import { VIA } from "./app.js";
import { byId, el, fill } from "./dom.js";
import { follow } from "./detail.js";
import { openPanelByKey, panelHelp } from "./panels.js";
import { say } from "./say.js";
import { itemRow } from "./items.js";
import { HEAD, ROW_FIRST } from "./layout.js";

const ZOOM = 1.25;
const DRAG_LEAST = 4;

const KEYS = [
	["↑ ↓", "row above, below"],
	["← →", "previous, next of the conversation"],
	["PgUp PgDn Home End", "scroll"],
	["+ − 0", "zoom, fit"],
	["1", "a row each, readable"],
	["/ n N", "search, next hit, hit before"],
	["k m", "the kernel's lane, channels as mailboxes"],
	["g", "fold groups of like processes"],
	["o", "fold what repeats, or show each"],
	["Enter ⌫", "unfold the selected loop, fold the one around"],
	["t", "time to scale, or a row each"],
	["c", "only this conversation"],
	["Tab Enter", "at a lane's head: only this and whom it talks with; again: a step further"],
	["w", "such a focus: a step further"],
	["f", "filters"],
	["Esc", "select nothing, end the focus, show all"],
	["?", "this list"],
];

export class Controls {
	constructor(app, canvas, layout, search) {
		Object.assign(this, { app, canvas, layout, search });
		this.element = canvas.element;
		document.addEventListener("keydown", (event) => this.key(event));
		this.element.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
		this.element.addEventListener("pointerdown", (event) => this.press(event));
		this.element.addEventListener("pointermove", (event) => this.move(event));
		this.element.addEventListener("pointerup", (event) => this.release(event));
		this.buttons();
	}

	buttons() {
		const { app } = this;
		const click = (id, what) => byId(id).addEventListener("click", what);

		click("kernel", () => app.toggleVia(VIA.KERNEL));
		click("channels", () => app.toggleVia(VIA.CHANNELS));
		click("group", () => app.setGroup(!app.group));
		click("fold", () => app.setFold(!app.fold));
		click("axis", () => app.setTimeAxis(!app.timeAxis));
		click("theme", () => toggleTheme(app));
		click("help", () => this.help());
		byId("search").addEventListener("input", (event) => this.find(event.target.value));
		byId("search").addEventListener("keydown", (event) => this.searchKey(event));
	}

	/* --- search --- */

	find(query) {
		const { app, search } = this;

		search.run(query);
		if (!app.hits.count || (app.selected >= 0 && app.hits.rows[app.selected])) return;
		const row = search.next(1);

		/* While it is typed nothing is unfolded. */
		if (row >= 0 && !app.items.foldOf(row)) app.select(row);
	}

	searchKey(event) {
		if (event.key === "Enter") this.nextHit(event.shiftKey ? -1 : 1);
		else if (event.key === "Escape") this.element.focus();
		else return;
		event.preventDefault();
	}

	nextHit(step) {
		const row = this.search.next(step);

		if (row >= 0) this.app.reveal(row);
	}

	/* --- keys --- */

	key(event) {
		const typing =
			/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) &&
			event.target.type !== "checkbox";

		if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
		if (event.key === " " || (event.key === "Enter" && event.target.tagName === "BUTTON"))
			return;
		if (this.act(event.key) || openPanelByKey(this.app, event.key)) event.preventDefault();
	}

	act(key) {
		const { app, layout } = this;
		const page = (layout.bodyHeight / layout.scale) * 0.9;
		const actions = {
			j: () => this.step(1),
			ArrowDown: () => this.step(1),
			ArrowUp: () => this.step(-1),
			K: () => this.step(-1),
			J: () => this.step(1),
			ArrowLeft: () => follow(app, -1),
			ArrowRight: () => follow(app, 1),
			PageDown: () => this.scroll(page),
			PageUp: () => this.scroll(-page),
			Home: () => this.scrollTo(layout.first),
			End: () => this.scrollTo(layout.end),
			"+": () => this.zoom(ZOOM),
			"=": () => this.zoom(ZOOM),
			"-": () => this.zoom(1 / ZOOM),
			0: () => this.fit(),
			1: () => this.readable(),
			"/": () => byId("search").select() || byId("search").focus(),
			n: () => this.nextHit(1),
			N: () => this.nextHit(-1),
			k: () => app.toggleVia(VIA.KERNEL),
			m: () => app.toggleVia(VIA.CHANNELS),
			g: () => app.setGroup(!app.group),
			t: () => app.setTimeAxis(!app.timeAxis),
			o: () => app.setFold(!app.fold),
			Enter: () => app.openLoop(app.items.foldOf(app.selected), true),
			Backspace: () => app.openLoop(app.items.openedOver(app.selected), false),
			c: () => this.onlyTalk(),
			w: () => app.focus && app.widen(),
			f: () => byId("sidebar").querySelector("input, button")?.focus(),
			"?": () => this.help(),
			Escape: () => this.escape(),
		};

		if (!Object.hasOwn(actions, key)) return false;
		actions[key]();
		return true;
	}

	step(step) {
		const { app } = this;
		const { items, layout } = app;
		const here = items.ofRow(app.selected);
		let i = here < 0 ? layout.visible()[0] - (step > 0 ? 1 : 0) : here;

		do i += step;
		while (i >= 0 && i < items.count && itemRow(items.list[i]) === app.selected);
		if (i >= 0 && i < items.count) app.select(itemRow(items.list[i]));
	}

	onlyTalk() {
		const { app } = this;
		const m = app.selected < 0 ? -1 : app.store.rowMessage(app.selected);

		if (m >= 0) app.only("talk", app.store.routeOf(m).talk);
	}

	escape() {
		if (!byId("keys").hidden) byId("keys").hidden = true;
		else if (this.app.selected >= 0) this.app.select(-1);
		else if (this.app.focus) this.app.endFocus();
		else if (this.app.filtered) this.app.showAll();
	}

	help() {
		const list = [...KEYS, ...panelHelp()];
		const box = byId("keys");

		box.hidden = !box.hidden;
		fill(
			box,
			el("h2", {}, say("Keys")),
			el(
				"dl",
				{},
				...list.flatMap(([key, what]) => [
					el("dt", {}, el("kbd", {}, say(key))),
					el("dd", {}, say(what)),
				]),
			),
			el(
				"button",
				{
					type: "button",
					click: () => {
						box.hidden = true;
					},
				},
				say("Close"),
			),
		);
	}

	/* --- moving --- */

	moved() {
		this.app.emit("moved");
	}

	scroll(units) {
		this.layout.top += units;
		this.layout.clamp();
		this.moved();
	}

	scrollTo(position) {
		this.layout.scrollTo(position, 0.5);
		this.moved();
	}

	zoom(factor) {
		const { layout } = this;
		const i = this.app.items.ofRow(this.app.selected);
		const y = i >= 0 ? layout.y(i) : NaN;

		layout.zoom(factor, y > HEAD && y < layout.height ? y : (HEAD + layout.height) / 2);
		this.moved();
	}

	fit() {
		this.layout.fit();
		this.moved();
	}

	readable() {
		const { layout, app } = this;

		if (!app.timeAxis) layout.zoom(ROW_FIRST / layout.scale, (HEAD + layout.height) / 2);
		if (app.selected >= 0) this.canvas.show(app.selected);
		this.moved();
	}

	wheel(event) {
		const { layout } = this;
		const step = event.deltaMode === 1 ? 18 : event.deltaMode === 2 ? layout.bodyHeight : 1;
		const box = this.element.getBoundingClientRect();

		event.preventDefault();
		if (event.ctrlKey || event.metaKey) {
			layout.zoom(Math.exp(-event.deltaY * step * 0.0025), event.clientY - box.top);
		} else if (event.shiftKey) {
			layout.setPan(layout.panX + (event.deltaY + event.deltaX) * step);
		} else {
			layout.setPan(layout.panX + event.deltaX * step);
			layout.top += (event.deltaY * step) / layout.scale;
			layout.clamp();
		}
		this.moved();
	}

	press(event) {
		if (event.button !== 0) return;
		this.element.setPointerCapture(event.pointerId);
		this.drag = { x: event.clientX, y: event.clientY, moved: false };
	}

	move(event) {
		const { drag, layout } = this;

		if (!drag) return;
		const dx = event.clientX - drag.x;
		const dy = event.clientY - drag.y;

		if (!drag.moved && Math.abs(dx) + Math.abs(dy) < DRAG_LEAST) return;
		Object.assign(drag, { x: event.clientX, y: event.clientY, moved: true });
		layout.setPan(layout.panX - dx);
		layout.top -= dy / layout.scale;
		layout.clamp();
		this.moved();
	}

	release(event) {
		const { drag, canvas, app } = this;
		const box = this.element.getBoundingClientRect();
		const x = event.clientX - box.left;
		const y = event.clientY - box.top;

		this.drag = null;
		if (!drag || drag.moved) return;
		const lane = canvas.laneAtPoint(x, y);

		if (lane >= 0) this.clickHead(lane);
		else if (canvas.objectAtPoint(x, y) >= 0) app.only("object", canvas.objectAtPoint(x, y));
		else if (y > HEAD) this.click(canvas.rowAtPoint(x, y));
	}

	clickHead(lane) {
		const { app } = this;

		if (this.layout.isGroup(lane)) app.openGroup(lane);
		else app.focusOn(lane);
	}

	/* The second click at what stands for a loop unfolds it. */
	click(row) {
		const { app } = this;
		const fold = app.items.foldOf(row);

		if (fold && app.selected === row) app.openLoop(fold, true);
		else app.select(row, "pointer");
	}
}

function toggleTheme(app) {
	const root = document.documentElement;
	const dark = root.dataset.theme
		? root.dataset.theme === "dark"
		: matchMedia("(prefers-color-scheme: dark)").matches;

	root.dataset.theme = dark ? "light" : "dark";
	app.theme.read();
	app.emit("theme");
}
