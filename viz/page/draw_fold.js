// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What stands for the other rounds of a loop: a box over the lanes that take part. */
import { bytes, count, counted, duration } from "./format.js";
import { summary } from "./fold.js";
import { TIMES, hasLane } from "./layout.js";
import { FONT } from "./words.js";

function label(store, fold) {
	const sum = (fold.sum ||= summary(store, fold));
	const words = [counted(sum.messages, "message"), bytes(sum.bytes), duration(sum.ns)];

	return "↻ × " + count(fold.rounds) + "  " + words.join(", ");
}

function place(pen, item) {
	const { store, layout } = pen;
	const fold = pen.app.items.folds.get(item >>> 2);
	const text = label(store, fold);
	const xs = [];

	for (let row = fold.row; row < fold.row + fold.period; row++)
		for (const lane of [store.rowEnds(row).from, store.rowEnds(row).to])
			if (hasLane(layout, lane)) xs.push(layout.x(lane));
	const left = Math.max(TIMES, Math.min(...xs) - 14);
	const right = Math.min(layout.width - 6, Math.max(...xs) + 14);
	const width = Math.max(right - left, pen.width(text, FONT) + 24);

	return { x: Math.max(TIMES, (left + right - width) / 2), width, text };
}

export function foldBox(pen, item, y) {
	const { ctx, theme } = pen;
	const { x, width } = place(pen, item);
	const high = Math.min(20, Math.max(pen.layout.rowHeight - 4, 3));

	ctx.beginPath();
	ctx.setLineDash([]);
	ctx.roundRect(x, y - high / 2, width, high, 6);
	ctx.fillStyle = theme.panel;
	ctx.fill();
	ctx.lineWidth = 1.2;
	ctx.strokeStyle = item >>> 2 === pen.app.selected ? theme.accent : theme.muted;
	ctx.stroke();
}

export function foldWords(pen, item, y) {
	const { x, width, text } = place(pen, item);

	if (!pen.halo)
		pen.text(text, x + (width - pen.width(text, FONT)) / 2, y + 4, FONT, pen.theme.fg);
}
