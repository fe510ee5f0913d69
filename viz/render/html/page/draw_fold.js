// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A loop: a frame around its first round, at whose lower edge a box stands for all others; to
 * scale, a block from the first of these to the last.
 */
import { clockText } from "./clocks.js";
import { bytes, count, counted, duration } from "./format.js";
import { say } from "./say.js";
import { summary } from "./fold.js";
import { HALF, itemHalf, itemRow } from "./items.js";
import { TIMES } from "./lanes.js";
import { HEAD } from "./layout.js";
import { FONT } from "./words.js";

const PAD = 30; /* of the outermost frame, from its lanes */
const PAD_STEP = 7; /* less for each loop around it */
const PAD_LEAST = 9;
const ROWS_MOST = 1000; /* that are asked for their ends */
const ABOVE_MOST = 20; /* pixels of a frame above its first row */
const LEAST = 3; /* height of a block to scale */
const WORDS_HIGH = 15; /* of one that has room for words */
const OUT_OF_SIGHT = 10; /* pixels beyond an edge of the picture */
const BEYOND = 200; /* items below those in sight whose frame may begin there */

/* "↻ × 999" */
export function roundsText(fold) {
	if (fold.noise) return "↻ " + fold.noise.text;
	if (fold.mixed) return say("⋯ {} more rows, in no order", count(fold.rounds));
	return "↻ × " + count(fold.rounds) + (fold.alike ? "" : say(", longer or shorter"));
}

/* "4 µs … 2 ms", with " ± 165 µs" between two machines, or "" */
export function latencyText({ least, most, wrong }) {
	if (!(most >= least)) return "";
	return duration(least) + (least < most ? " … " + duration(most) : "") + clockText(wrong);
}

/* With how much it hides. */
export function foldText(items, fold) {
	const { store } = items.app;

	if (fold.timed !== store.hasCalls) fold.sum = summary(items, fold);
	fold.timed = store.hasCalls;
	const { messages, signals, bytes: size, lost, ambiguous } = fold.sum;
	const latency = latencyText(fold.sum);
	const words = [
		messages ? counted(messages, "message") : "",
		signals ? counted(signals, "signal") : "",
		size ? bytes(size) : "",
		latency ? say("latency {}", latency) : "",
		lost ? say("{} not received", count(lost)) : "",
		ambiguous ? say("{} ambiguous", count(ambiguous)) : "",
	];

	return roundsText(fold) + "  " + words.filter(Boolean).join(", ");
}

/* One item of each kind in its first round: they tell how far it reaches. */
function kindsOf(pen, fold) {
	const { store } = pen;
	const { all } = pen.app.items;
	const kinds = new Map();

	if (fold.noise) return [fold.noise.first << 2];
	for (let i = fold.first; i < Math.min(fold.from, fold.first + ROWS_MOST); i++) {
		const ref = store.rowRef[itemRow(all[i])];

		kinds.set((ref >= 0 ? store.route[ref] : ref) + " " + itemHalf(all[i]), all[i]);
	}
	return [...kinds.values()];
}

/* From the left to the right edge: {left, right, text}. */
function place(pen, fold) {
	const { layout, app } = pen;
	const ends = (fold.kinds ||= kindsOf(pen, fold)).map((item) => pen.ends(item)).filter(Boolean);
	const xs = ends.flatMap(({ x1, x2 }) => [x1, x2]);
	const pad = Math.max(PAD_LEAST, PAD - PAD_STEP * fold.depth);
	const text = foldText(app.items, fold);
	const width = app.timeAxis && !fold.noise ? 0 : pen.width(text, FONT) + 24;
	const left = Math.max(TIMES - 18, Math.min(...xs) - pad);
	const right = Math.min(layout.width - 6, Math.max(Math.max(...xs) + pad, left + width));

	return { left, right, text };
}

/* From its upper to its lower edge: to scale, from the first hidden moment to the last. */
function heights(pen, fold, y) {
	const { layout, app } = pen;
	const high = Math.min(20, Math.max(layout.rowHeight - 4, 3));

	if (!app.timeAxis || fold.noise) return { top: y - high / 2, bottom: y + high / 2 };
	return { top: y, bottom: Math.max(y + LEAST, layout.yOf(fold.endNs)) };
}

/* Frames of the loops that end among items [from, to) or soon after: behind all rows. */
export function foldFrames(pen, from, to) {
	const { ctx, theme, layout } = pen;
	const { items } = pen.app;
	const last = Math.min(items.count, to + BEYOND);

	if (!items.folds.size) return;
	ctx.setLineDash([]);
	ctx.lineWidth = 1;
	ctx.strokeStyle = theme.line;
	for (let i = Math.max(0, from); i < last; i++) {
		if (itemHalf(items.list[i]) !== HALF.FOLD) continue;
		const fold = items.folds.get(itemRow(items.list[i]));

		if (fold.noise) continue;
		const { left, right } = place(pen, fold);
		const begin = layout.y(items.shownAt(fold.first));
		const top = begin - Math.min(layout.rowHeight * 0.75, ABOVE_MOST);

		if (top > layout.height) continue;
		ctx.beginPath();
		ctx.roundRect(left, top, right - left, layout.y(i) - top, 6);
		ctx.stroke();
	}
}

export function foldBox(pen, item, y) {
	const { ctx, theme } = pen;
	const fold = pen.app.items.folds.get(itemRow(item));
	const { left, right } = place(pen, fold);
	const { top, bottom } = heights(pen, fold, y);
	const from = Math.max(top, -OUT_OF_SIGHT);

	ctx.beginPath();
	ctx.setLineDash([]);
	ctx.roundRect(
		left,
		from,
		right - left,
		Math.min(bottom, pen.layout.height + OUT_OF_SIGHT) - from,
		6,
	);
	ctx.fillStyle = theme.panel;
	ctx.fill();
	ctx.lineWidth = 1.2;
	ctx.strokeStyle = fold.row === pen.app.selected ? theme.accent : theme.muted;
	ctx.stroke();
}

/* In the middle of what is in sight of it, if there is room. */
export function foldWords(pen, item, y) {
	const { layout, app, theme } = pen;
	const fold = app.items.folds.get(itemRow(item));
	const { left, right, text } = place(pen, fold);
	const { top, bottom } = heights(pen, fold, y);
	const from = Math.max(top, HEAD);
	const to = Math.min(bottom, layout.height);

	if (pen.halo || (app.timeAxis && to - from < WORDS_HIGH)) return;
	const shown = pen.fitted(text, FONT, right - left - 12);

	pen.text(
		shown,
		(left + right - pen.width(shown, FONT)) / 2,
		(from + to) / 2 + 4,
		FONT,
		theme.fg,
	);
}

/* To scale, far away: what lies in each is drawn as one block all the same. */
export function foldBlocks(pen, [from, to]) {
	const { items } = pen.app;

	for (let i = from; items.folds.size && i < to; i++) {
		if (itemHalf(items.list[i]) !== HALF.FOLD) continue;
		foldBox(pen, items.list[i], pen.layout.y(i));
		foldWords(pen, items.list[i], pen.layout.y(i));
	}
}
