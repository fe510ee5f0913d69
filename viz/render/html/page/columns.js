// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Lives of lanes, and the columns in which they stand: a lane needs one from its birth to its end;
 * then the column is free, and the next process has it (as viz/render/common/columns.c).
 *
 * A life: {lane (its head), first, last (places among all items, -1 and Infinity: from the top, to
 * the end), birth, exit (rows that are shown; NONE), begin (where it has the column: -1 or the item
 * of its birth), from, to (where its line is drawn: items that are shown), startNs, endNs, column}.
 * A column: {first (the least of its lanes), lives (one after the other), x}.
 */
import { NONE } from "./store.js";

/* A group begins at the top and does not end, and so does a lane whose birth or end is hidden. */
function lifeOf(app, items, members) {
	const { store } = app;
	const [lane] = members;
	const { birth, exit } = store.lanes[lane];
	const life = { lane, first: -1, last: Infinity, birth: NONE, exit: NONE };

	if (app.isGroup(lane)) return life;
	const [born] = birth >= 0 ? items.placesOf(birth) : [];
	const [ended] = exit >= 0 ? items.placesOf(exit) : [];

	if (born >= 0) Object.assign(life, { first: born, birth });
	if (ended >= 0) Object.assign(life, { last: ended, exit });
	return life;
}

/* Of what is hidden in a fold, the next that is shown. */
function shownFrom(app, items, row) {
	const i = items.ofRow(row);

	return i >= 0 ? i : items.atTime(app.store.rowAt[row]);
}

/* From where to where the line is drawn, in items that are shown: a group's is that of them all. */
function setExtent(app, items, life, members) {
	const lanes = members.map((lane) => app.store.lanes[lane]);
	const start = lanes.reduce((least, lane) => Math.min(least, lane.start), Infinity);
	const end = lanes.reduce((most, lane) => Math.max(most, lane.end), -Infinity);
	const exit = lanes.reduce((most, lane) => Math.max(most, lane.exit), NONE);
	const before = lanes.some((lane) => lane.before);

	life.startNs = before ? -Infinity : start;
	life.endNs = Number.isNaN(end) ? Infinity : end;
	if (life.birth >= 0) life.from = shownFrom(app, items, life.birth);
	else life.from = before ? -1 : items.atTime(start);
	if (Number.isNaN(end)) life.to = Infinity;
	else life.to = items.ofRow(exit);
	if (life.to < 0) life.to = Math.min(items.count - 1, items.atTime(end));
	life.begin = life.birth >= 0 ? life.from : NONE;
}

/* Of lanes by their heads: Map(head → lanes). */
export function livesOf(app, items, members) {
	const lives = [];

	for (const lanes of members.values()) {
		const life = lifeOf(app, items, lanes);

		setExtent(app, items, life, lanes);
		lives.push(life);
	}
	return lives;
}

/* The free column of its machine that is the next one to the right of the maker's, or the first. */
function freeColumn(app, columns, life, beside) {
	const hostOf = (lane) => app.store.lanes[lane].host;
	let best, first;

	for (const column of columns) {
		if (column.lives.at(-1).last >= life.first) continue;
		if (hostOf(column.first) !== hostOf(life.lane)) continue;
		if (!first || column.first < first.first) first = column;
		if (beside && column.first > beside.first && (!best || column.first < best.first))
			best = column;
	}
	return best || first;
}

/* From left to right. */
export function columnsOf(app, lives) {
	const order = [...lives].sort((a, b) => a.first - b.first || a.lane - b.lane);
	const byLane = new Map(lives.map((life) => [life.lane, life]));
	const columns = [];

	for (const life of order) {
		const maker = life.birth >= 0 ? app.store.rowSaid(life.birth).from : NONE;
		const beside = maker >= 0 ? byLane.get(app.headOf(maker))?.column : undefined;
		let column = life.first >= 0 ? freeColumn(app, columns, life, beside) : undefined;

		if (!column) columns.push((column = { first: life.lane, lives: [], x: NaN }));
		column.lives.push(life);
		life.column = column;
	}
	return columns.sort((a, b) => a.first - b.first);
}

/* How many lives of a column have begun by this item. */
export function begunBy(column, item) {
	const { lives } = column;
	let low = 0;
	let high = lives.length;

	while (low < high) {
		const middle = (low + high) >> 1;

		if (lives[middle].begin <= item) low = middle + 1;
		else high = middle;
	}
	return low;
}
