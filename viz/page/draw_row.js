// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* One row of the picture: its arrow and its words. Lines first, for all rows, then words. */
import { KIND, OUTSIDE, PART } from "./store.js";
import { foldBox, foldWords } from "./draw_fold.js";
import { BESIDE, LENGTH_ROOM, STUB, stubWords } from "./draw_stub.js";
import { HALF, itemHalf, itemRow } from "./items.js";
import { FONT, MONO, SMALL, TextPen, isBad, messageLabel, messagePayload } from "./words.js";
import { dashOf } from "./theme.js";
import { TIMES, hasLane } from "./lanes.js";

const LOOP_ROOM = 150; /* for words beside an arrow to itself */
const HEAD_LEN = 9;
const ABOVE = -6; /* from a row to the foot of its words */

const MOVES = new Set(["splice", "tee", "vmsplice", "sendfile", "sendfile64", "copy_file_range"]);

export class RowPen extends TextPen {
	constructor(ctx, app, layout) {
		super(ctx, app.theme);
		Object.assign(this, { app, layout, store: app.store });
	}

	/* Where an arrow begins and ends: {x1, x2, open1, open2} or null where no lane is shown. */
	ends(item) {
		const row = itemRow(item);
		const ends = this.store.rowEnds(row);
		const half = itemHalf(item);
		const from = this.place(ends.from, ends.to);
		const to = this.place(ends.to, ends.from);

		if (half !== HALF.WHOLE) return this.halfEnds(half, ends, from, to);
		if (from === null || to === null) return null;
		return { x1: from, x2: to, open1: ends.from === OUTSIDE, open2: ends.to === OUTSIDE };
	}

	/* Who is outside is at the right of a lane: at its left is told how long it slept. */
	place(lane, other) {
		if (hasLane(this.layout, lane)) return this.layout.x(lane);
		return hasLane(this.layout, other) ? this.layout.x(other) + STUB : null;
	}

	halfEnds(half, route, from, to) {
		const x = half === HALF.IN ? from : to;

		if (x === null) return null;
		const via = this.layout.via(route, x);
		return half === HALF.IN ? { x1: x, x2: via } : { x1: via, x2: x };
	}

	line(x1, y1, x2, y2) {
		this.ctx.moveTo(x1, y1);
		this.ctx.lineTo(x2, y2);
	}

	head(x, y, left, open) {
		const { ctx } = this;
		const back = left ? HEAD_LEN : -HEAD_LEN;

		ctx.beginPath();
		ctx.moveTo(x + back, y - 4.2);
		ctx.lineTo(x, y);
		ctx.lineTo(x + back, y + 4.2);
		if (open) {
			ctx.setLineDash([]);
			ctx.stroke();
		} else {
			ctx.closePath();
			ctx.fill();
		}
	}

	circle(x, y, radius, filled) {
		this.ctx.beginPath();
		this.ctx.setLineDash([]);
		this.ctx.arc(x, y, radius, 0, 7);
		if (filled) this.ctx.fill();
		else {
			this.ctx.fillStyle = this.theme.bg;
			this.ctx.fill();
			this.ctx.stroke();
		}
	}

	cross(x, y) {
		this.ctx.beginPath();
		this.ctx.setLineDash([]);
		this.line(x - 4.5, y - 4.5, x + 4.5, y + 4.5);
		this.line(x - 4.5, y + 4.5, x + 4.5, y - 4.5);
		this.ctx.stroke();
	}

	/* --- arrows --- */

	draw(item, y, y2) {
		if (itemHalf(item) === HALF.FOLD) {
			foldBox(this, item, y);
			return;
		}
		const row = itemRow(item);
		const kind = this.store.rowKind(row);
		const ends = this.store.rowEnds(row);
		const mechanism = this.store.mechanisms[ends.mechanism];
		const message = kind <= KIND.SIGNAL;

		this.ctx.strokeStyle = this.ctx.fillStyle = message
			? this.theme.family(mechanism)
			: this.theme.fg;
		this.ctx.lineWidth = message && kind === KIND.MESSAGE ? 2 : 1.3;
		if (message) this.arrow(item, this.ends(item), y, y2, dashOf(mechanism));
		else this.mark(row, kind, ends, y);
	}

	arrow(item, ends, y, y2, dash) {
		const row = itemRow(item);
		const part = this.store.rowPart(row);
		const signal = this.store.rowKind(row) === KIND.SIGNAL;

		if (!ends) return;
		if (itemHalf(item) === HALF.WHOLE && part !== PART.WHOLE) {
			this.halfArrow(part, ends, y, dash, signal);
			return;
		}
		if (Math.abs(ends.x1 - ends.x2) < 1) {
			this.loop(ends.x1, y, dash, signal);
			return;
		}
		this.ctx.beginPath();
		this.ctx.setLineDash(dash);
		this.line(ends.x1, y, ends.x2 + (ends.x1 < ends.x2 ? -4 : 4), y2);
		this.ctx.stroke();
		this.head(ends.x2, y2, ends.x1 > ends.x2, signal);
		if (ends.open1) this.circle(ends.x1, y, 3.5, false);
		if (ends.open2) this.circle(ends.x2, y2, 3.5, false);
	}

	/* A message drawn in two rows, or one that never arrived. */
	halfArrow(part, ends, y, dash, signal) {
		const middle = ends.x2 === ends.x1 ? ends.x1 + STUB : (ends.x1 + ends.x2) / 2;
		const [a, b] = part === PART.RECEIVED ? [middle, ends.x2] : [ends.x1, middle];

		this.ctx.beginPath();
		this.ctx.setLineDash(dash);
		this.line(a, y, b, y);
		this.ctx.stroke();
		if (part === PART.RECEIVED) this.head(b, y, a > b, signal);
		if (part === PART.DROPPED) this.cross(middle, y);
		else this.circle(middle, y, 3.5, part === PART.UNREAD);
	}

	/* To itself. */
	loop(x, y, dash, signal) {
		this.ctx.beginPath();
		this.ctx.setLineDash(dash);
		this.ctx.moveTo(x, y - 5);
		this.ctx.bezierCurveTo(x + 40, y - 7, x + 40, y + 7, x + 6, y + 5);
		this.ctx.stroke();
		this.head(x, y + 5, true, signal);
	}

	/* What is no message: at a lane, or an arrow of control. */
	mark(row, kind, ends, y) {
		const x = hasLane(this.layout, ends.from) ? this.layout.x(ends.from) : NaN;
		const { ctx, theme } = this;

		ctx.setLineDash([]);
		if (kind === KIND.EOF || kind === KIND.CONNECT || kind === KIND.FORK) {
			const place = this.ends(row << 2);

			if (place) this.arrow(row << 2, place, y, y, kind === KIND.FORK ? [] : [9, 3]);
			return;
		}
		if (Number.isNaN(x)) return;
		if (kind === KIND.EXIT) this.exit(row, ends, x, y);
		else if (kind === KIND.EXEC) this.diamond(x, y, true);
		else if (kind === KIND.NOTE) this.diamond(x, y, false);
		else {
			ctx.strokeStyle = theme.bad;
			ctx.lineWidth = 2;
			if (kind === KIND.FAILED) this.cross(x, y);
			else if (kind === KIND.FOUND) this.circle(x, y, 5, false);
			else this.hourglass(x, y);
		}
	}

	exit(row, said, x, y) {
		this.ctx.lineWidth = 2;
		this.cross(x, y);
		if (said.message < 0 || !hasLane(this.layout, said.to)) return;
		const signal = this.store.mechanisms[this.store.routeOf(said.message).mechanism];
		const to = this.layout.x(said.to);

		this.ctx.strokeStyle = this.ctx.fillStyle = this.theme.family(signal);
		this.ctx.lineWidth = 1.3;
		this.ctx.beginPath();
		this.ctx.setLineDash(dashOf(signal));
		this.line(x + (to < x ? -8 : 8), y, to, y);
		this.ctx.stroke();
		this.head(to, y, to < x, true);
	}

	diamond(x, y, filled) {
		this.ctx.beginPath();
		for (const [dx, dy] of [
			[0, -6],
			[5, 0],
			[0, 6],
			[-5, 0],
		])
			this.ctx.lineTo(x + dx, y + dy);
		this.ctx.closePath();
		this.ctx.fillStyle = filled ? this.theme.fg : this.theme.bg;
		this.ctx.fill();
		this.ctx.stroke();
	}

	hourglass(x, y) {
		this.ctx.fillStyle = this.theme.bg;
		this.ctx.fillRect(x - 6, y - 7, 12, 14);
		this.ctx.beginPath();
		this.ctx.moveTo(x - 5, y - 6);
		for (const [dx, dy] of [
			[5, -6],
			[-5, 6],
			[5, 6],
		])
			this.ctx.lineTo(x + dx, y + dy);
		this.ctx.closePath();
		this.ctx.stroke();
	}

	/* --- words --- */

	label(item, y) {
		if (itemHalf(item) === HALF.FOLD) {
			foldWords(this, item, y);
			return;
		}
		const row = itemRow(item);
		const kind = this.store.rowKind(row);

		if (kind <= KIND.SIGNAL) this.messageWords(item, row, y);
		else this.saidWords(row, kind, this.store.rowSaid(row), y);
	}

	/* The ends of an arrow from lane to lane; null: it is none. */
	across(item) {
		const arrow = this.store.rowKind(itemRow(item)) <= KIND.SIGNAL || this.isControl(item);
		const ends = arrow && itemHalf(item) !== HALF.FOLD ? this.ends(item) : null;

		return ends && Math.abs(ends.x1 - ends.x2) >= 1 ? ends : null;
	}

	/* Where its words stand: the first line and the last; above an arrow, beside all else. */
	lines(item, y) {
		const line = y + (this.across(item) && !this.isStub(item) ? ABOVE : BESIDE);

		return [line, line];
	}

	/* A message to or from no lane: its words stand behind its end. */
	isStub(item) {
		const { from, to } = this.store.rowEnds(itemRow(item));

		if (itemHalf(item) || this.store.rowKind(itemRow(item)) > KIND.SIGNAL) return false;
		return !hasLane(this.layout, from) || !hasLane(this.layout, to);
	}

	isControl(item) {
		const kind = this.store.rowKind(itemRow(item));

		return kind === KIND.EOF || kind === KIND.CONNECT || kind === KIND.FORK;
	}

	messageWords(item, row, y) {
		const m = this.store.rowMessage(row);
		const half = itemHalf(item);
		const ends = this.ends(item);
		const mechanism = this.store.mechanisms[this.store.routeOf(m).mechanism];

		if (!ends) return;
		if (half === HALF.WHOLE && this.store.rowPart(row) === PART.RECEIVED) {
			this.between(ends, y, "received", "", this.theme.family(mechanism));
			return;
		}
		if (this.beyond(ends, y)) return;
		if (this.isStub(item)) {
			stubWords(this, m, row, Math.max(ends.x1, ends.x2), y);
			return;
		}
		const payload = half === HALF.OUT ? "" : messagePayload(this.store, m);
		const room = this.room(ends) - 8;
		let label = messageLabel(this.store, m, half !== HALF.WHOLE);

		if (half !== HALF.WHOLE && this.app.kernel && this.copies(m, half)) label = "copy " + label;
		if (this.width(label, FONT) > room) label = messageLabel(this.store, m, true);
		this.between(ends, y, label, payload, this.theme.family(mechanism));
	}

	/* Out of sight at one side: where to look for it. */
	beyond({ x1, x2 }, y) {
		const { width } = this.layout;
		const right = Math.min(x1, x2) >= width;

		if (right) this.text("→", width - 16, y + 4, FONT, this.theme.muted);
		else if (Math.max(x1, x2) < TIMES - 18)
			this.text("←", TIMES - 14, y + 4, FONT, this.theme.muted);
		else return false;
		return true;
	}

	/* Nothing is copied by splice and its kin, nor where there is no data. */
	copies(m, half) {
		const call = half === HALF.IN ? this.store.sendCall(m) : this.store.receiveCall(m);

		return call >= 0 && this.store.bytes[m] > 0 && !MOVES.has(this.store.callName(call));
	}

	room(ends) {
		return Math.max(Math.abs(ends.x1 - ends.x2) - 14, 0) || 120;
	}

	/* Label and payload above an arrow, in the middle of what is in sight of it. */
	between(ends, y, label, payload, colour) {
		const self = Math.abs(ends.x1 - ends.x2) < 1;
		const left = Math.max(Math.min(ends.x1, ends.x2), TIMES - 18);
		const right = Math.min(Math.max(ends.x1, ends.x2), this.layout.width);
		const room = self ? LOOP_ROOM : right - left - 14;

		if (room < 0) return;
		const shown = this.fitted(label, FONT, Math.max(room, 46));
		const width = this.width(shown, FONT);
		const more = payload ? this.fitted(payload, MONO, room - width - 12) : "";
		const all = width + (more ? 7 + this.width(more, MONO) : 0);
		const x = self ? ends.x1 + 44 : (left + right) / 2 - all / 2;
		const base = y + (self ? BESIDE : ABOVE);

		this.text(shown, x, base, FONT, colour);
		if (more) this.text(more, x + width + 7, base, MONO, this.theme.muted);
	}

	saidWords(row, kind, said, y) {
		const control = kind === KIND.EOF || kind === KIND.CONNECT || kind === KIND.FORK;
		const colour = isBad(this.store, said) ? this.theme.bad : this.theme.fg;
		const ends = control ? this.ends(row << 2) : null;
		const doubt = said.ambiguous ? "? " : "";

		if (ends) this.between(ends, y, doubt + said.label, "", colour);
		if (control) return;
		if (!hasLane(this.layout, said.from)) {
			this.text(said.label, TIMES, y + 4, FONT, colour);
			return;
		}
		if (kind === KIND.EXIT && hasLane(this.layout, said.to)) this.exitWords(said, y, colour);
		else this.wordsBeside(said, y, colour);
	}

	/*
	 * Its label, across lanes if it must, and as much of what else is known as there is room for up
	 * to the next lane and what stands beside that.
	 */
	wordsBeside(said, y, colour) {
		const x = this.layout.x(said.from) + 10;
		const label = this.fitted(said.label, FONT, this.layout.width - x - 8);
		const width = this.width(label, FONT);
		const right = this.layout.roomRight(said.from);
		const beside = x + right < this.layout.width ? LENGTH_ROOM : 18;
		const room = right - beside - width;
		const more = said.detail ? this.fitted(said.detail, SMALL, room) : "";

		this.text(label, x, y + 4, FONT, colour);
		if (more) this.text(more, x + width + 8, y + 4, SMALL, this.theme.muted);
	}

	exitWords(said, y, colour) {
		const x = this.layout.x(said.from);
		const to = this.layout.x(said.to);
		const width = this.width(said.label, FONT);
		const signal = this.store.mechanisms[this.store.routeOf(said.message).mechanism];
		const long = messageLabel(this.store, said.message);
		const short = messageLabel(this.store, said.message, true);
		const label = this.width(long, FONT) > Math.abs(to - x) - 14 ? short : long;

		this.text(said.label, to > x ? x - 10 - width : x + 10, y + 4, FONT, colour);
		this.between({ x1: x, x2: to }, y, label, "", this.theme.family(signal));
	}
}
