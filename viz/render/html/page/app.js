// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What is seen of the trace, and who wants to know when that changes. Events: "filter" (other items
 * are shown), "view" (the same, elsewhere or larger), "select", "search", "calls" and "payload"
 * (these have been read), "drawn", "theme".
 */
import { Focus, lanesOf, wordOf } from "./focus.js";
import { NONE } from "./store.js";
import { Theme } from "./theme.js";

/* What messages pass: nothing, the kernel's one lane, or each channel's own, a mailbox. */
export const VIA = { NONE: "", KERNEL: "kernel", CHANNELS: "channels" };

export class App {
	constructor(store) {
		this.store = store;
		this.theme = new Theme();
		this.listeners = {};
		this.via = VIA.NONE; /* else each message is two arrows: into that, and out of it */
		this.group = store.begin.group; /* like processes are one lane */
		this.openGroups = new Set(); /* but for these, by their first lanes */
		this.crowds = new Set(); /* of groups that are several, the first lanes */
		store.lanes.forEach(({ group }, lane) => group !== lane && this.crowds.add(group));
		this.timeAxis = false; /* true to scale; else a row each */
		this.fold = !store.begin.unfold; /* what repeats is shown once */
		this.selected = NONE; /* a row, or a fold's number */
		this.filter = { mechanisms: new Set(), object: NONE, talk: NONE };
		this.focus = null; /* some processes and whom they talk with (Focus); null: all */
		this.hits = { query: "", rows: null, count: 0 };
	}

	on(names, listener) {
		for (const name of names.split(" ")) (this.listeners[name] ||= []).push(listener);
	}

	emit(name) {
		for (const listener of this.listeners[name] || []) listener();
	}

	/* A row, or NONE; `from` says who did it, so that it need not scroll there. */
	select(row, from) {
		if (row === this.selected) return;
		this.selected = row;
		this.selectedFrom = from || "";
		this.emit("select");
	}

	/* The same of a row that may be hidden: then the loops around it are opened. */
	reveal(row) {
		if (this.items.foldOf(row)) {
			this.items.openTo(row);
			this.emit("filter");
		}
		this.select(row);
	}

	/* Shows each round of a loop, or its first one only; undefined is fine. */
	openLoop(loop, on) {
		if (!loop) return;
		if (on) this.items.open.add(loop.key);
		else this.items.open.delete(loop.key);
		this.emit("filter");
		if (on) this.emit("select");
		else this.select(loop.row);
	}

	setFold(on) {
		this.fold = on;
		this.items.open.clear();
		this.emit("filter");
	}

	/* Hides a mechanism or shows it again. */
	toggleMechanism(mechanism) {
		const hidden = this.filter.mechanisms;

		if (!hidden.delete(mechanism)) hidden.add(mechanism);
		this.emit("filter");
	}

	/* Shows only one object or talk: only("object", 3); the same again shows all. */
	only(what, which) {
		const same = this.filter[what] === which;

		this.filter.object = this.filter.talk = NONE;
		if (!same) this.filter[what] = which;
		this.emit("filter");
	}

	showAll() {
		this.filter = { mechanisms: new Set(), object: NONE, talk: NONE };
		this.focus = null;
		this.emit("filter");
	}

	/* Only this lane and whom it talks with; the same again goes a step further, then all. */
	focusOn(lane) {
		const same = this.focus?.lanes.length === 1 && this.focus.lanes[0] === lane;

		if (same) this.widen();
		else this.setFocus([lane], wordOf(this.store, lane), 1);
	}

	/* What a pid, a name or a finding's id stands for; false: nothing. */
	focusBy(what, depth) {
		const lanes = lanesOf(this.store, what);

		if (lanes.length) this.setFocus(lanes, what, depth);
		return lanes.length > 0;
	}

	setFocus(lanes, what, depth) {
		this.focus = new Focus(this.store, lanes, what, depth);
		this.emit("filter");
	}

	/* A step further, as long as that shows more; then everything. */
	widen() {
		const { lanes, what, depth, canWiden } = this.focus || {};

		if (canWiden) this.setFocus(lanes, what, depth + 1);
		else this.endFocus();
	}

	endFocus() {
		if (!this.focus) return;
		this.focus = null;
		this.emit("filter");
	}

	isFocused(lane) {
		return this.focus !== null && this.focus.distance[lane] === 0;
	}

	get filtered() {
		const f = this.filter;

		return f.mechanisms.size > 0 || f.object >= 0 || f.talk >= 0 || this.focus !== null;
	}

	get kernel() {
		return this.via === VIA.KERNEL;
	}

	/* The same again: directly. */
	toggleVia(via) {
		if (!this.store.hasCalls) return;
		this.via = this.via === via ? VIA.NONE : via;
		this.emit("filter");
	}

	setGroup(on) {
		this.group = on;
		this.openGroups.clear();
		this.emit("filter");
	}

	/* By any of its lanes. */
	openGroup(lane) {
		this.openGroups.add(this.store.lanes[lane].group);
		this.emit("filter");
	}

	/* The lane that stands for it: of a group that is folded the first one. */
	headOf(lane) {
		const { group } = this.store.lanes[lane];

		return this.group && !this.openGroups.has(group) ? group : lane;
	}

	/* Whether that stands for others too. */
	isGroup(lane) {
		const head = this.headOf(lane);

		return this.group && !this.openGroups.has(head) && this.crowds.has(head);
	}

	setTimeAxis(on) {
		this.timeAxis = on;
		this.emit("axis");
	}
}
