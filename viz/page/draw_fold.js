// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A loop: a frame around its first round, at whose lower edge a box stands for all others. */
import { bytes, count, counted, duration } from "./format.js";
import { summary } from "./fold.js";
import { HALF, itemHalf } from "./items.js";
import { TIMES, hasLane } from "./lanes.js";
import { FONT } from "./words.js";

const PAD = 30; /* of the outermost frame, from its lanes */
const PAD_STEP = 7; /* less for each loop around it */
const PAD_LEAST = 9;
const ROWS_MOST = 1000; /* that are asked for their lanes */
const BEYOND = 200; /* items below those in sight whose frame may begin there */

/* "↻ × 999" */
export function roundsText(fold) {
	if (fold.mixed) return "⋯ " + count(fold.rounds) + " more rows, in no order";
	return "↻ × " + count(fold.rounds) + (fold.alike ? "" : ", longer or shorter");
}

function label(pen, fold) {
	const sum = (fold.sum ||= summary(pen.app.items, fold));
	const words = [counted(sum.messages, "message"), bytes(sum.bytes), duration(sum.ns)];

	return roundsText(fold) + "  " + words.join(", ");
}

/* Lanes that its rows touch. */
function lanesOf(pen, fold) {
	const { store } = pen;
	const lanes = new Set();

	for (let row = fold.first; row < Math.min(fold.row, fold.first + ROWS_MOST); row++)
		if (pen.app.items.wantsRow(row))
			for (const lane of [store.rowEnds(row).from, store.rowEnds(row).to]) lanes.add(lane);
	return [...lanes].filter((lane) => lane >= 0);
}

/* From the left to the right edge: {left, right, text}. */
function place(pen, fold) {
	const { layout } = pen;
	const lanes = (fold.lanes ||= lanesOf(pen, fold)).filter((lane) => hasLane(layout, lane));
	const xs = lanes.map((lane) => layout.x(lane));
	const pad = Math.max(PAD_LEAST, PAD - PAD_STEP * fold.depth);
	const text = label(pen, fold);
	const width = pen.width(text, FONT) + 24;
	const left = Math.max(TIMES - 18, Math.min(...xs) - pad);
	const right = Math.min(layout.width - 6, Math.max(Math.max(...xs) + pad, left + width));

	return { left, right, text };
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
		const fold = items.folds.get(items.list[i] >>> 2);
		const { left, right } = place(pen, fold);
		const top = layout.y(items.ofRow(fold.first)) - layout.rowHeight * 0.75;

		if (top > layout.height) continue;
		ctx.beginPath();
		ctx.roundRect(left, top, right - left, layout.y(i) - top, 6);
		ctx.stroke();
	}
}

export function foldBox(pen, item, y) {
	const { ctx, theme } = pen;
	const fold = pen.app.items.folds.get(item >>> 2);
	const { left, right } = place(pen, fold);
	const high = Math.min(20, Math.max(pen.layout.rowHeight - 4, 3));

	ctx.beginPath();
	ctx.setLineDash([]);
	ctx.roundRect(left, y - high / 2, right - left, high, 6);
	ctx.fillStyle = theme.panel;
	ctx.fill();
	ctx.lineWidth = 1.2;
	ctx.strokeStyle = fold.row === pen.app.selected ? theme.accent : theme.muted;
	ctx.stroke();
}

export function foldWords(pen, item, y) {
	if (pen.halo) return;
	const { left, right, text } = place(pen, pen.app.items.folds.get(item >>> 2));

	pen.text(text, (left + right - pen.width(text, FONT)) / 2, y + 4, FONT, pen.theme.fg);
}
