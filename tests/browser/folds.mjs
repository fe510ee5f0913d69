// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Folding in the page, of random rows: node folds.mjs DIRECTORY, where it may copy the modules to.
// Whatever is folded or opened, each item is shown once or in one fold, and opens when asked for;
// items are rows, or halves of messages.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { pageModule } from "./modules.mjs";

const RUNS = 25;
const STEPS = 6;
const directory = process.argv[2];
const viz = new URL("../../viz/", import.meta.url);
const { Folds, FOLD } = await pageModule(directory, "fold.js");

const rowsOfBounds = readFileSync(new URL("scene/fold_limits.def", viz), "utf8");
const BOUNDS = Object.fromEntries(
	[...rowsOfBounds.matchAll(/^BOUND\((\w+), (\d+)\)/gm)].map(([, name, n]) => [name, Number(n)]),
);

let state = 1;

function random(below) {
	state = (state * 1103515245 + 12345) & 0x7fffffff;
	return (state >> 8) % below;
}

/* Kinds of rows in loops of loops; -1 is like no other. */
function body(kinds, depth) {
	const items = [];

	for (let i = 1 + random(4); i > 0; i--) {
		const inner = depth < 3 && random(3) === 0 ? body(kinds, depth + 1).slice(0, 60) : null;

		if (inner) for (let round = 1 + random(12); round > 0; round--) items.push(...inner);
		else items.push(random(kinds));
	}
	return items;
}

function rows(kinds) {
	const items = [];

	for (let part = 0; part < 6; part++) {
		const round = body(kinds, 0);

		for (let i = 1 + random(30); i > 0; i--) items.push(...round);
		if (random(3) === 0) items.push(-1);
		if (random(4) === 0) for (let i = 0; i < 600; i++) items.push(random(kinds));
	}
	return items;
}

/* As much of a store as folding looks at; every other row is none of the list's. */
function storeOf(items, kinds) {
	return {
		bounds: BOUNDS,
		rowCount: items.length * 2,
		rowRef: Int32Array.from({ length: items.length * 2 }, (_, row) =>
			row % 2 || items[row / 2] < 0 ? -1 : row / 2,
		),
		rowKind: () => 0,
		rowPart: () => 0,
		rowSaid: () => ({ like: 0, object: -1 }),
		objects: [],
		fate: () => 0,
		ambiguous: () => false,
		types: new Map(),
		route: Int32Array.from(items, (kind) => Math.max(kind, 0)),
		routes: Array.from({ length: kinds }, (_, i) => ({
			from: i % 2,
			to: 1,
			mechanism: i % 3,
			object: -1,
		})),
	};
}

function all({ list, folds }, every) {
	return Array.from(list).flatMap((item) => {
		const fold = (item & 3) === FOLD ? folds.get(item >>> 2) : null;

		return fold ? every.slice(fold.from, fold.end) : item;
	});
}

let folded = 0;

for (let run = 0; run < RUNS; run++) {
	const kinds = 1 + random(5);
	const items = rows(kinds);
	const halves = run % 2;
	const list = Uint32Array.from(items, (_, i) => ((i * 2) << 2) | (halves && 1 + (i % 2)));
	const every = Array.from(list);
	const folds = new Folds(storeOf(items, kinds), list);
	const open = new Set();

	for (let step = 0; step < STEPS; step++) {
		const shown = folds.shown(open);
		const i = random(items.length);

		folded += shown.folds.size;
		assert.deepEqual(all(shown, every), every, `run ${run}, step ${step}`);
		for (const key of folds.over(i)) open.add(key);
		assert.ok(folds.shown(open).list.includes(list[i]), `run ${run}: row ${i} is opened`);
	}
}
assert.ok(folded > RUNS, "something was folded");
process.exit(0);
