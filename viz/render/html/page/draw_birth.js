// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A lane's head where it is born: a box at which the arrow of its birth ends. */
import { BOLD, MONO } from "./words.js";

const WIDE = 240; /* no box is longer */
const HIGH = 20;
const BESIDE = 8; /* pixels to the lanes beside it */
const ARROW_LEAST = 30;
const PAD = 7;

/* Of a row: {lane, left, width, title, number}, or null where its head stands elsewhere. */
export function birthBox(pen, row) {
	const { layout, store } = pen;
	const life = layout.boxed ? layout.births.get(row) : undefined;

	if (!life) return null;
	const x = layout.x(life.lane);
	const maker = layout.x(store.rowSaid(row).from);
	const side = layout.gap - BESIDE; /* to the left, and to the right, at most */
	const near = Math.min(side, Math.abs(x - maker) - ARROW_LEAST); /* where the arrow ends */
	const room = Math.min(WIDE, near + side) - 2 * PAD;
	const words = layout.words(life.lane);
	const title = pen.fitted(words.title, BOLD, room) || words.title.slice(0, 2);
	const rest = room - pen.width(title, BOLD) - PAD;
	const number = pen.width(words.number, MONO) <= rest ? words.number : "";
	const digits = number ? PAD + pen.width(number, MONO) : 0;
	const width = pen.width(title, BOLD) + digits + 2 * PAD;
	const before = Math.max(Math.min(width / 2, near), width - side);
	const left = x - (maker < x ? before : width - before);

	return { lane: life.lane, left, width, title, number };
}

/* The box alone: its words come when all arrows are there. */
export function drawBirth(pen, box, y) {
	const { ctx, theme, app } = pen;
	const chosen = app.isFocused(box.lane);
	const high = Math.min(HIGH, pen.layout.rowHeight - 1);
	const top = Math.round(y - high / 2) + 0.5;

	ctx.beginPath();
	ctx.setLineDash([]);
	ctx.roundRect(Math.round(box.left) + 0.5, top, Math.round(box.width), high, 5);
	ctx.fillStyle = theme.panel;
	ctx.fill();
	ctx.lineWidth = chosen ? 2 : 1;
	ctx.strokeStyle = chosen ? theme.accent : theme.muted;
	ctx.stroke();
	pen.boxes.push({ lane: box.lane, left: box.left, top, width: box.width, height: high });
}

export function birthWords(pen, { left, width, title, number }, y) {
	const { theme } = pen;
	const right = left + width - PAD - pen.width(number, MONO);

	if (title) pen.text(title, left + PAD, y + 4, BOLD, theme.fg);
	if (number) pen.text(number, right, y + 4, MONO, theme.muted);
}
