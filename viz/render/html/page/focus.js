// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A focus: some processes, and those with whom they talk directly (depth 1), those with whom these
 * talk (depth 2), and so on, as --focus has it (viz/scene/lane/focus.h). A message is shown if one
 * of its ends is nearer than the depth. SIGCHLD at a child's end is no talk, and neither is a
 * birth; both are shown between processes that are shown.
 */
import { KIND, SEVERITY } from "./store.js";

const FAR = 0x7fffffff;

const areTwo = (kind) => kind === KIND.EOF || kind === KIND.CONNECT;

/* Who talks with whom: [lane, lane], each once. */
function talksOf(store) {
	const talks = new Map();
	const used = new Uint8Array(store.routes.length);
	const add = (a, b) => {
		if (a >= 0 && b >= 0 && a !== b) talks.set(Math.min(a, b) + " " + Math.max(a, b), [a, b]);
	};

	for (let row = 0; row < store.rowCount; row++)
		if (store.rowRef[row] >= 0) used[store.route[store.rowRef[row]]] = 1;
	store.routes.forEach(({ from, to }, route) => used[route] && add(from, to));
	for (const said of store.said)
		if (areTwo(store.rowKind(said.row))) add(said.from, said.to);
	for (const { severity, lanes } of store.marks)
		if (severity > SEVERITY.NOTE) lanes.forEach((a) => lanes.forEach((b) => add(a, b)));
	return [...talks.values()];
}

export class Focus {
	/* `what` stands for the lanes in the page's address. */
	constructor(store, lanes, what, depth) {
		Object.assign(this, { lanes, what, depth });
		this.talks = store.talks ||= talksOf(store);
		this.name = lanes.length === 1 ? store.lanes[lanes[0]].name : what;
		this.distance = new Int32Array(store.lanes.length).fill(FAR);
		for (const lane of lanes) this.distance[lane] = 0;
		for (let from = 0, more = true; from < depth && more; from++) more = this.reach(from);
	}

	/* Those one step further than `from`; false: there are none. */
	reach(from) {
		const { distance } = this;
		let more = false;
		const join = (a, b) => {
			if (distance[a] !== from || distance[b] <= from + 1) return;
			distance[b] = from + 1;
			more = true;
		};

		for (const [a, b] of this.talks) {
			join(a, b);
			join(b, a);
		}
		return more;
	}

	/* Whether this lane is shown; below 0, where there is none. */
	has(lane) {
		return lane < 0 || this.distance[lane] <= this.depth;
	}

	/* Whether what is between the two is. */
	hasTalk(from, to) {
		if (!this.has(from) || !this.has(to)) return false;
		const a = from < 0 ? FAR : this.distance[from];
		const b = to < 0 ? FAR : this.distance[to];
		const nearer = Math.min(a, b);

		if (from < 0 && to < 0) return false;
		return nearer < this.depth || (nearer === 0 && (from < 0 || to < 0 || a === b));
	}

	/* Whether a row with words is. */
	hasSaid({ from, to }, kind) {
		if (areTwo(kind)) return this.hasTalk(from, to);
		return this.has(from) && (kind !== KIND.FORK || this.has(to));
	}

	/* Whether one step more shows more. */
	get canWiden() {
		return this.talks.some(([a, b]) => (this.has(a) || this.has(b)) && !this.hasTalk(a, b));
	}
}

const ids = ({ number }) => number.replace(/ ns:.*/, "");

/* What stands for one lane: its number, and its place where others have that too. */
export function wordOf(store, lane) {
	const number = ids(store.lanes[lane]);
	const same = store.lanes.filter((other) => ids(other) === number).length;

	return same > 1 ? number + ":" + lane : number;
}

/* The lanes that are meant by a pid, a name or the id of a finding; [] if none is. */
export function lanesOf(store, what) {
	const exact = /^[\d/]+:(\d+)$/.exec(what);

	if (exact && store.lanes[exact[1]]) return [Number(exact[1])];
	const found = new Set();

	store.lanes.forEach((other, lane) => {
		if ([ids(other), String(other.pid), other.title].includes(what)) found.add(lane);
	});
	for (const mark of store.marks)
		if (mark.id === what) for (const lane of mark.lanes) found.add(lane);
	return [...found];
}
