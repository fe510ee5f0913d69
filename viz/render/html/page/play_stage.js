// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The moving picture: processes above, the kernel with what lies in its channels below. */
import { el, fill } from "./dom.js";
import { bytes, count, counted } from "./format.js";
import { say } from "./say.js";
import { FORM, OUTSIDE } from "./store.js";
import { STATE } from "./play_states.js";
import { hasBuffer, isOfCall } from "./play_steps.js";
import { Arrows } from "./play_arrows.js";
import { arrow, laneName, preview, stateWords, typeWords } from "./play_words.js";

const LANES_MOST = 9;
const OBJECTS_MOST = 6;
const SHOWN = 14; /* messages of a channel */
const BACK = 3000; /* steps looked at for who took part lately */
const CLASSES = {
	[STATE.HANDLER]: "handler",
	[STATE.CALL]: "runs",
	[STATE.RUNS]: "runs",
	[STATE.READY]: "ready",
	[STATE.BLOCKED]: "blocked",
	[STATE.UNBORN]: "absent",
	[STATE.GONE]: "absent",
};
const UNKNOWN = "used outside the trace: level not known";
const SIGNS = { handler: "ƒ", runs: "▶", ready: "◐", blocked: "‖", absent: "·" };

export class Stage {
	constructor(app, steps, lying, states) {
		Object.assign(this, { app, store: app.store, steps, lying, states });
		this.lanesBox = el("div", { class: "play-lanes" });
		this.kernelBox = el("div", { class: "play-kernel" });
		this.element = el("div", { class: "play-stage" }, this.lanesBox, this.kernelBox);
		this.arrows = new Arrows(this.element, this.lanesBox, this.kernelBox, this.store);
		this.ends = this.readEnds();
		this.allObjects = this.objectsWithBuffers();
	}

	/* Who sends into a channel and who receives from it, from all of the trace. */
	readEnds() {
		const ends = this.store.objects.map(() => ({
			from: new Set(),
			to: new Set(),
			outside: false,
		}));

		for (const route of this.store.routes) {
			if (route.object < 0) continue;
			if (route.from >= 0) ends[route.object].from.add(route.from);
			if (route.to >= 0) ends[route.object].to.add(route.to);
			ends[route.object].outside ||= route.from === OUTSIDE || route.to === OUTSIDE;
		}
		return ends;
	}

	objectsWithBuffers() {
		const { store, app } = this;
		const wanted = new Set();

		store.routes.forEach((route, r) => {
			if (app.items.routeShown[r] && route.object >= 0) wanted.add(route.object);
		});
		if (!app.filtered)
			for (const site of store.sites) if (site[3] !== null) wanted.add(site[3]);
		return [...wanted]
			.filter((object) => hasBuffer(store.mechanisms[store.objects[object].mechanism]))
			.sort((a, b) => a - b);
	}

	/* --- who is shown: all, or those that took part last --- */

	choose(step) {
		const lanes = this.app.layout.processes;
		const objects = this.allObjects;
		const lately = { lanes: new Set(), objects: new Set() };
		const whole = lanes.length <= LANES_MOST && objects.length <= OBJECTS_MOST;

		for (let s = step; !whole && s >= 0 && s > step - BACK; s--) this.seeStep(s, lately);
		return {
			lanes: few(lanes, lately.lanes, LANES_MOST),
			objects: few(objects, lately.objects, OBJECTS_MOST),
		};
	}

	seeStep(s, lately) {
		const { from, to } = arrow(this.store, this.steps, s, s);

		for (const end of [from, to]) {
			if (end && end.lane !== undefined) lately.lanes.add(end.lane);
			if (end && end.object !== undefined) lately.objects.add(end.object);
		}
		if (isOfCall(this.steps.kind[s])) {
			const object = this.store.callObject(this.steps.ref[s]);

			if (object >= 0) lately.objects.add(object);
		}
	}

	/* --- drawing --- */

	/* After the steps from, …, step. */
	show(from, step) {
		const ns = this.steps.at[step];
		const { lanes, objects } = this.choose(step);
		const way = arrow(this.store, this.steps, from, step);

		this.cards = { lanes: new Map(), objects: new Map() };
		this.waits = new Map();
		fill(
			this.lanesBox,
			...lanes.map((lane) => this.laneCard(lane, ns, step, way)),
			this.more(this.app.layout.processes.length - lanes.length),
		);
		fill(
			this.kernelBox,
			el("b", { class: "play-label" }, say("kernel")),
			...objects.map((object) => this.objectCard(object, step, way)),
			objects.length ? null : el("p", { class: "note" }, say("no channel has a buffer here")),
			this.more(this.allObjects.length - objects.length),
		);
		this.arrows.draw(this.cards, this.waits, way);
	}

	more(n) {
		return n > 0 ? el("p", { class: "note" }, say("and {} more", count(n))) : null;
	}

	laneCard(lane, ns, step, way) {
		const { store } = this;
		const now = this.states.at(lane, ns);
		const kind = CLASSES[now.state];
		const words = stateWords(store, now);
		const acts = [way.from, way.to].some((end) => end && end.lane === lane);
		const threads =
			now.threads > 1 ? say(" · {} of {} threads blocked", now.blocked, now.threads) : "";

		if (now.state === STATE.BLOCKED) this.waits.set(lane, store.callObject(now.call));
		const card = el(
			"div",
			{ class: "play-lane " + kind + (acts ? " acts" : ""), title: words || say(now.state) },
			el("strong", {}, store.lanes[lane].name),
			el("span", { class: "play-state" }, SIGNS[kind] + " " + say(now.state) + threads),
			el("small", {}, words || "\u00a0"),
			...this.signals(lane, step),
		);

		this.cards.lanes.set(lane, card);
		return card;
	}

	signals(lane, step) {
		const chips = (place, word) =>
			this.lying.at(place, step, 3).messages.map((m) => {
				const label = this.store.routeOf(m).label;

				return el("em", { class: "play-signal" }, label + " " + say(word));
			});

		return [
			...chips(this.lying.pending(lane), "pending"),
			...chips(this.lying.handling(lane), "handler"),
		];
	}

	objectCard(object, step, way) {
		const { store } = this;
		const { name, mechanism, capacity } = store.objects[object];
		const now = this.lying.at(object, step, SHOWN);
		const acts = [way.from, way.to].some((end) => end && end.object === object);
		const ends = this.ends[object];
		const card = el(
			"div",
			{ class: "play-object" + (acts ? " acts" : "") },
			el("strong", { class: "mono", title: name }, name),
			el("small", {}, this.endWords(ends)),
			this.buffer(now, mechanism),
			ends.outside ? null : this.gauge(now, capacity),
			el(
				"small",
				{ class: "play-level" },
				ends.outside ? say(UNKNOWN) : levelWords(now, capacity),
			),
		);

		this.cards.objects.set(object, card);
		return card;
	}

	endWords({ from, to, outside }) {
		const names = (lanes) => {
			const list = [...lanes].slice(0, 3).map((lane) => laneName(this.store, lane));

			return (
				list.join(", ") + (lanes.size > 3 ? ", …" : "") ||
				say(outside ? "outside" : "nobody")
			);
		};

		return from.size || to.size ? names(from) + " → " + names(to) : say("nothing went through");
	}

	buffer(now, mechanism) {
		const stream = this.store.mechanisms[mechanism].form === FORM.STREAM;
		const left = now.count - now.messages.length;

		return el(
			"div",
			{ class: "play-buffer" + (stream ? " stream" : "") },
			...now.messages.map((m) => this.chip(m)),
			left > 0 ? el("span", { class: "note" }, "+" + count(left)) : null,
		);
	}

	chip(m) {
		const type = typeWords(this.store, m);
		const text = preview(this.store, m, 10) || bytes(this.store.bytes[m]);

		return el(
			"span",
			{
				class:
					"play-chip family" +
					this.store.mechanisms[this.store.routeOf(m).mechanism].family,
				title:
					say("message {}, {}", this.store.id[m], bytes(this.store.bytes[m])) +
					(type ? ", " + type : ""),
			},
			type ? el("b", {}, type) : null,
			text,
		);
	}

	gauge(now, capacity) {
		if (!capacity) return null;
		const bar = el("i");

		bar.style.width = Math.min(100, (now.bytes / capacity) * 100) + "%";
		bar.className = now.bytes > 0.9 * capacity ? "full" : now.bytes ? "some" : "";
		return el("div", { class: "play-gauge" }, bar);
	}
}

/* In the order of all; those that took part last, and then the first of the others. */
function few(all, lately, most) {
	if (all.length <= most) return all;
	const chosen = new Set([...lately].slice(0, most));

	for (const each of all) if (chosen.size < most) chosen.add(each);
	return all.filter((each) => chosen.has(each));
}

export function levelWords(now, capacity) {
	if (!now.count) return say("empty") + (capacity ? say(" · room for {}", bytes(capacity)) : "");
	return (
		count(now.bytes) +
		(capacity ? say(" of {}", count(capacity)) : "") +
		" B · " +
		counted(now.count, "message")
	);
}
