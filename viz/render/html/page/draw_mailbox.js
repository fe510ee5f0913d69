// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Channels as lanes: mailboxes, into which messages are put and out of which they are taken. */
import { HEAD } from "./layout.js";
import { SMALL } from "./words.js";

const BAND = 14;

export function levelText(bytes) {
	return bytes < 10240 ? bytes + " B" : (bytes / 1024).toFixed(0) + " KiB";
}

export function mailboxBands(pen, dense) {
	const { ctx, theme, layout } = pen;

	ctx.lineWidth = 1;
	for (const object of layout.objects) {
		const left = Math.round(layout.objectAt(object)) - BAND / 2 + 0.5;

		ctx.globalAlpha = dense ? 0.35 : 1;
		ctx.fillStyle = theme.kernel;
		ctx.fillRect(left, HEAD, BAND, layout.height);
		ctx.globalAlpha = 1;
		ctx.strokeStyle = theme.kernelline;
		ctx.strokeRect(left, HEAD, BAND, layout.height);
	}
}

export function mailboxHead(frame, object, slot) {
	const { layout, app } = frame;

	frame.head(layout.objectAt(object), slot, {
		...layout.objectWords(object),
		chosen: app.filter.object === object,
		fill: app.theme.kernel,
		colour: app.theme.kernelfg,
	});
}

/* What lies in it then, at the side where the arrow is not. */
export function mailboxLevel(pen, x, ends, y, level) {
	const { layout } = pen;
	const text = levelText(level);
	const left = ends && Math.max(ends.x1, ends.x2) > x + 1;
	const at = left ? x - BAND / 2 - 4 - pen.width(text, SMALL) : x + BAND / 2 + 4;

	if (level && x < layout.width) pen.text(text, at, y + 4, SMALL, pen.theme.kernelfg);
}
