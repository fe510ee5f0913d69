// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Play: runs or steps through the trace, and shows at each moment what lies in the kernel and what
 * each process does. The diagram follows, and what is selected there is where play goes on.
 */
import { byId, el, fill } from "./dom.js";
import { clock, count } from "./format.js";
import { addPanel, openPanel } from "./panels.js";
import { Steps } from "./play_steps.js";
import { Lying } from "./play_lying.js";
import { States } from "./play_states.js";
import { Stage } from "./play_stage.js";
import { Strip } from "./play_strip.js";
import { sentence } from "./play_words.js";
import { say } from "./say.js";

/* Steps a second, or how much slower than it was. */
const SPEEDS = [
	["1 step/s", { steps: 1 }],
	["2 steps/s", { steps: 2 }],
	["5 steps/s", { steps: 5 }],
	["20 steps/s", { steps: 20 }],
	["1/100,000 of real time", { times: 1e-5 }],
	["1/10,000 of real time", { times: 1e-4 }],
	["1/1,000 of real time", { times: 1e-3 }],
	["1/100 of real time", { times: 1e-2 }],
	["1/10 of real time", { times: 0.1 }],
	["real time", { times: 1 }],
];
const SPEED_FIRST = 1;
const QUIET_FROM = 3; /* steps a second: a reader's voice does not keep up */

const still = matchMedia("(prefers-reduced-motion: reduce)");

class Player {
	constructor(app) {
		this.app = app;
		this.store = app.store;
		this.stop = -1;
		this.speed = SPEEDS[SPEED_FIRST][1];
		this.playing = false;
		this.isOpen = false;
		this.key = (event) => this.keyDown(event);
		this.cursor = el("div", { class: "play-cursor", hidden: true });
		byId("stage").append(this.cursor);
		app.on("filter", () => this.isOpen && this.filtered() && this.prepare());
		app.on("theme", () => this.isOpen && this.repaint());
		app.on("view", () => this.isOpen && this.placeCursor());
		app.on("select", () => this.isOpen && this.follow());
	}

	/* --- opening --- */

	open(element) {
		this.isOpen = true;
		this.element = element;
		document.addEventListener("keydown", this.key);
		if (!this.store.hasCalls) {
			fill(element, el("p", { class: "note" }, say("reading the trace …")));
			this.app.on("calls", () => this.isOpen && !this.steps && this.prepare());
			return;
		}
		this.prepare();
	}

	close() {
		this.isOpen = false;
		this.pause();
		this.cursor.hidden = true;
		document.removeEventListener("keydown", this.key);
	}

	/* Folding is no filter. */
	filtered() {
		const { mechanisms, object, talk } = this.app.filter;
		const { what, depth } = this.app.focus || {};
		const filter = [what, depth, object, talk, ...mechanisms].join(" ");

		if (filter === this.filter) return false;
		this.filter = filter;
		return true;
	}

	/* Also when a filter shows other messages. */
	prepare() {
		const { app, store } = this;

		this.filtered();
		const ns = this.steps && this.stop >= 0 ? this.steps.at[this.steps.stops[this.stop]] : -1;

		this.pause();
		this.clock = clock(store.endNs);
		this.steps = new Steps(app);
		this.states ||= new States(store);
		this.lying = new Lying(store, this.steps);
		this.stage = new Stage(app, this.steps, this.lying, this.states);
		this.strip = new Strip(app, this.states, (at) => this.go(this.steps.stopAt(at)));
		fill(this.element, this.bar(), this.stage.element, this.strip.element);
		if (!this.steps.count) {
			fill(this.element, el("p", { class: "note" }, say("nothing happens here")));
			return;
		}
		new ResizeObserver(() => this.isOpen && this.repaint()).observe(this.stage.element);
		const row = app.selected >= 0 ? this.steps.ofRow[app.items.realRow(app.selected)] : -1;

		this.strip.paint();
		if (ns >= 0) this.go(this.steps.stopAt(ns));
		else this.go(row >= 0 ? this.steps.stopOf(row) : 0);
	}

	bar() {
		const button = (text, title, click) =>
			el(
				"button",
				{ type: "button", title: say(title), "aria-label": say(title), click },
				text,
			);

		this.toggle = button("▶", "play or pause (space)", () => this.playOrPause());
		this.toggle.disabled = still.matches;
		if (still.matches)
			this.toggle.title = say("this system asks for no motion: step with [ and ]");
		this.time = el("b", { class: "mono play-time" });
		this.where = el("span", { class: "note play-where" });
		this.said = el("p", { class: "play-said", "aria-live": "polite", role: "status" });
		this.slider = el("input", {
			type: "range",
			min: "0",
			max: String(Math.max(0, this.steps.stops.length - 1)),
			"aria-label": say("step"),
			input: (event) => this.go(Number(event.target.value)),
		});
		const speeds = el(
			"select",
			{
				"aria-label": say("speed"),
				change: (event) => {
					this.speed = SPEEDS[event.target.selectedIndex][1];
				},
			},
			...SPEEDS.map(([name, speed]) =>
				el("option", { selected: speed === this.speed }, say(name)),
			),
		);

		return el(
			"div",
			{ class: "play-bar" },
			button("|◀", "to the beginning", () => this.go(0)),
			button("◀", "a step back ([ or ,)", () => this.move(-1)),
			this.toggle,
			button("▶|", "a step on (] or .)", () => this.move(1)),
			this.time,
			this.where,
			this.slider,
			speeds,
			this.said,
		);
	}

	/* --- moving --- */

	move(by) {
		this.pause();
		this.go(this.stop + by);
	}

	go(stop) {
		const { steps, store } = this;

		if (!steps || !steps.count) return;
		this.stop = Math.max(0, Math.min(stop, steps.stops.length - 1));
		const step = steps.stops[this.stop];
		const from = steps.first(this.stop);

		this.stage.show(from, step);
		this.strip.show(steps.at[step]);
		this.time.textContent = this.clock.text(steps.at[step]) + " " + this.clock.unit;
		this.where.textContent = say(
			"step {} of {}",
			count(this.stop + 1),
			count(steps.stops.length),
		);
		this.slider.value = String(this.stop);
		this.said.textContent = sentence(store, steps, from, step);
		this.lead(step);
		this.placeCursor();
	}

	/* The diagram shows where that is. */
	lead(step) {
		const row = this.steps.row(step);
		const fold = this.app.items.foldOf(row);

		if (fold) this.app.select(fold.row, "play");
		else if (row >= 0 && this.app.items.ofRow(row) >= 0) this.app.select(row, "play");
	}

	/* Something else was selected there. */
	follow() {
		const { app, steps } = this;
		const row = app.items.realRow(app.selected);
		const step = row >= 0 && steps ? steps.ofRow[row] : -1;

		if (app.selectedFrom === "play" || step < 0) return;
		this.pause();
		this.go(steps.stopOf(step));
	}

	placeCursor() {
		const { layout } = this.app;

		if (!this.isOpen || this.stop < 0) return;
		const y = layout.yOfTime(this.steps.at[this.steps.stops[this.stop]]);

		this.cursor.hidden = !(y > 62 && y < layout.height);
		this.cursor.style.transform = "translateY(" + Math.round(y) + "px)";
	}

	repaint() {
		if (!this.steps || !this.steps.count) return;
		this.strip.paint();
		this.go(this.stop);
	}

	/* --- playing --- */

	playOrPause() {
		if (this.playing) this.pause();
		else this.play();
	}

	play() {
		if (still.matches || !this.steps || !this.steps.count) return;
		if (this.stop >= this.steps.stops.length - 1) this.go(0);
		this.playing = true;
		this.toggle.textContent = "‖";
		this.toggle.setAttribute("aria-pressed", "true");
		this.last = performance.now();
		this.due = this.speed.times ? this.steps.at[this.steps.stops[this.stop]] : 0;
		this.frame = requestAnimationFrame((now) => this.tick(now));
	}

	pause() {
		cancelAnimationFrame(this.frame);
		this.playing = false;
		if (!this.toggle) return;
		this.toggle.textContent = "▶";
		this.toggle.setAttribute("aria-pressed", "false");
		this.said.setAttribute("aria-live", "polite");
	}

	/* `due` is what has gone by: steps since the last one, or nanoseconds of the trace. */
	tick(now) {
		const passed = Math.max(0, now - this.last);
		const { steps, times } = this.speed;
		let stop = this.stop;

		this.last = now;
		this.said.setAttribute("aria-live", times || steps >= QUIET_FROM ? "off" : "polite");
		if (times) {
			this.due += passed * 1e6 * times;
			stop = Math.max(stop, this.steps.stopAt(this.due));
		} else {
			this.due += (passed / 1000) * steps;
			stop += Math.floor(this.due);
			this.due -= Math.floor(this.due);
		}
		if (stop !== this.stop) this.go(stop);
		if (this.stop >= this.steps.stops.length - 1) this.pause();
		else this.frame = requestAnimationFrame((later) => this.tick(later));
	}

	/* --- keys --- */

	keyDown(event) {
		const { target, key } = event;

		if (event.ctrlKey || event.metaKey || event.altKey) return;
		if (/^(SELECT|TEXTAREA)$/.test(target.tagName)) return;
		if (target.tagName === "INPUT" && target.type !== "range") return;
		const actions = {
			" ": () => this.playOrPause(),
			"[": () => this.move(-1),
			",": () => this.move(-1),
			"]": () => this.move(1),
			".": () => this.move(1),
		};

		if (!Object.hasOwn(actions, key)) return;
		if (key === " " && /^(BUTTON|SUMMARY|A)$/.test(target.tagName)) return;
		event.preventDefault();
		actions[key]();
	}
}

/* From elsewhere: #play opens it. */
export const openPlay = (app) => openPanel(app, "play");

let player = null;

addPanel({
	id: "play",
	title: "Play",
	key: "p",
	open(element, app) {
		player ||= new Player(app);
		app.player = player; /* for tests */
		player.open(element);
	},
	close() {
		player.close();
	},
});
