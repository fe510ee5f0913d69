// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* One row of the picture: its arrow and its words. Lines first, for all rows, then words. */
import { KIND, OUTSIDE, OUTSIDER, PART, isControlKind } from "./store.js";
import { birthBox, birthWords, drawBirth } from "./draw_birth.js";
import { foldBox, foldWords } from "./draw_fold.js";
import { BESIDE, LENGTH_ROOM, STUB, stubWords } from "./draw_stub.js";
import { HALF, itemHalf, itemRow } from "./items.js";
import { FONT, MONO, SMALL, TextPen, isBad, messageLabel, messagePayload } from "./words.js";
import { say } from "./say.js";
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
		this.boxes = []; /* heads of lanes among the rows: {lane, left, top, width, height} */
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
		const box = this.box(row);
		const x2 = box ? box.left + (from < to ? 0 : box.width) : to;
		const place = { x1: from, x2, open1: ends.from === OUTSIDE, open2: ends.to === OUTSIDE };

		return this.store.rowPart(row) === PART.WHOLE ? place : this.near(row, ends, place);
	}

	/* Half an arrow whose other end does not live at this row stays near its own lane. */
	near(row, ends, place) {
		const { layout, store } = this;
		const arrives = store.rowPart(row) === PART.RECEIVED;
		const other = arrives ? ends.from : ends.to;
		const far = place.x2 < place.x1 ? -2 * STUB : 2 * STUB;

		if (!hasLane(layout, other) || layout.isThere(other, row)) return place;
		return arrives ? { ...place, x1: place.x2 - far } : { ...place, x2: place.x1 + far };
	}

	/* The head of the lane that is born there, if it stands there. */
	box(row) {
		return this.store.rowKind(row) === KIND.FORK ? birthBox(this, row) : null;
	}

	/* Who is outside is at the right of a lane: at its left is told how long it slept. */
	place(lane, other) {
		if (hasLane(this.layout, lane)) return this.layout.x(lane);
		return hasLane(this.layout, other) ? this.layout.x(other) + STUB : null;
	}

	halfEnds(half, route, from, to) {
		const x = half === HALF.IN ? from : to;

		if (x === null) return null;
		const via = this.layout.via(route, half, x);
		return half === HALF.IN ? { x1: x, x2: via } : { x1: via, x2: x };
	}

	line(x1, y1, x2, y2) {
		this.ctx.moveTo(x1, y1);
		this.ctx.lineTo(x2, y2);
	}

	/* An arrow from kernel to kernel. */
	bridge(x1, x2, y, mechanism) {
		const { ctx } = this;

		ctx.strokeStyle = ctx.fillStyle = this.theme.family(this.store.mechanisms[mechanism]);
		ctx.setLineDash([2, 3]);
		ctx.beginPath();
		this.line(x1, y, x2, y);
		ctx.stroke();
		ctx.setLineDash([]);
		this.head(x2, y, x1 > x2, false);
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

	/* From lane to lane, from the one row to the other; the head turned as the line is. */
	drawSlant(item, { y1, y2 }) {
		const row = itemRow(item);
		const { from, to, mechanism: number } = this.store.rowEnds(row);
		const ends = { x1: this.place(from, to), x2: this.place(to, from) };
		const mechanism = this.store.mechanisms[number];

		if (ends.x1 === null || ends.x2 === null) return;
		const { ctx } = this;
		const turn = Math.atan2(y2 - y1, ends.x2 - ends.x1);

		ctx.strokeStyle = ctx.fillStyle = this.theme.family(mechanism);
		ctx.lineWidth = this.store.rowKind(row) === KIND.MESSAGE ? 2 : 1.3;
		ctx.beginPath();
		ctx.setLineDash(dashOf(mechanism));
		this.line(ends.x1, y1, ends.x2 - 4 * Math.cos(turn), y2 - 4 * Math.sin(turn));
		ctx.stroke();
		ctx.save();
		ctx.translate(ends.x2, y2);
		ctx.rotate(turn);
		this.head(0, 0, false, this.store.rowKind(row) === KIND.SIGNAL);
		ctx.restore();
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
		const { outsider } = this.store.rowEnds(row);

		if (ends.open1) this.outsider(outsider, ends.x1, y);
		if (ends.open2) this.outsider(outsider, ends.x2, y2);
	}

	/* Not traced: a circle; the kernel: a square in a square; nobody: a crossed-out circle. */
	outsider(who, x, y) {
		const { ctx } = this;

		if (who !== OUTSIDER.KERNEL) this.circle(x, y, 3.5, false);
		ctx.beginPath();
		ctx.setLineDash([]);
		if (who === OUTSIDER.NOBODY) this.line(x - 5, y + 5, x + 5, y - 5);
		if (who === OUTSIDER.KERNEL) {
			ctx.fillStyle = this.theme.bg;
			ctx.rect(x - 4.5, y - 4.5, 9, 9);
			ctx.fill();
			ctx.rect(x - 1.5, y - 1.5, 3, 3);
		}
		ctx.stroke();
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
		if (isControlKind(kind)) {
			const place = this.ends(row << 2);

			if (place) this.arrow(row << 2, place, y, y, kind === KIND.FORK ? [] : [9, 3]);
			if (place && this.box(row)) drawBirth(this, this.box(row), y);
			return;
		}
		if (Number.isNaN(x)) return;
		if (kind === KIND.EXIT) this.exit(row, ends, x, y);
		else if (kind === KIND.EXEC) this.diamond(x, y, true);
		else if (kind === KIND.NOTE) this.diamond(x, y, false);
		else if (kind === KIND.REMOVED) {
			this.circle(x, y, 6, false);
			this.cross(x, y);
		}
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

	/* `slant`: where its arrow runs, if that slants. */
	label(item, y, slant) {
		if (itemHalf(item) === HALF.FOLD) {
			foldWords(this, item, y);
			return;
		}
		const row = itemRow(item);
		const kind = this.store.rowKind(row);

		if (kind <= KIND.SIGNAL) this.messageWords(item, row, y, slant);
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
		return isControlKind(this.store.rowKind(itemRow(item)));
	}

	messageWords(item, row, y, slant) {
		const m = this.store.rowMessage(row);
		const half = itemHalf(item);
		const ends = this.ends(item);
		const mechanism = this.store.mechanisms[this.store.routeOf(m).mechanism];

		if (!ends) return;
		if (half === HALF.WHOLE && this.store.rowPart(row) === PART.RECEIVED) {
			this.arrivalWords(ends, m, row, y, this.theme.family(mechanism), slant);
			return;
		}
		if (this.beyond(ends, y)) return;
		if (this.isStub(item)) {
			stubWords(this, m, row, Math.max(ends.x1, ends.x2), y);
			return;
		}
		const payload = half === HALF.OUT ? "" : messagePayload(this.store, m);
		const room = this.room(ends) - 8;
		const size = this.sizeOf(m, half);
		let label = messageLabel(this.store, m, half !== HALF.WHOLE, size);

		if (half !== HALF.WHOLE && this.app.kernel && this.copies(m, half))
			label = say("copy {}", label);
		if (this.width(label, FONT) > room) label = messageLabel(this.store, m, true, size);
		if (slant) this.aboveTail(ends, y, label, payload, this.theme.family(mechanism));
		else this.between(ends, y, label, payload, this.theme.family(mechanism));
	}

	/* Its other half was above; or it is a piece of a send, whose tail is there. */
	arrivalWords(ends, m, row, y, colour, slant) {
		const piece = this.store.rowOf[m] === row;
		const label = piece ? messageLabel(this.store, m, true) : say("received");

		if (!slant) this.between(ends, y, label, "", colour);
		else if (piece) this.behindHead(ends, y, label, messagePayload(this.store, m), colour);
	}

	/* Behind the lane where a slanted arrow ends: nothing crosses it there. */
	behindHead({ x1, x2 }, y, label, payload, colour) {
		const right = x2 > x1;
		const room = right ? Math.min(this.layout.gap, this.layout.width - x2) - 20 : x2 - TIMES;

		this.aside(right ? x2 + 8 : x2 - 8, right, room, y + BESIDE, label, payload, colour);
	}

	/* Above a slanted arrow, where it leaves. */
	aboveTail({ x1, x2 }, y, label, payload, colour) {
		const right = x2 > x1;
		const room = Math.abs(x2 - x1) - 24;

		this.aside(right ? x1 + 8 : x1 - 8, right, room, y + ABOVE, label, payload, colour);
	}

	/* Label and payload from x on, to the right or to the left. */
	aside(x, right, room, y, label, payload, colour) {
		const shown = this.fitted(label, FONT, Math.max(room, 46));
		const width = this.width(shown, FONT);
		const more = payload ? this.fitted(payload, MONO, room - width - 12) : "";
		const left = right ? x : x - width - (more ? 7 + this.width(more, MONO) : 0);

		this.text(shown, left, y, FONT, colour);
		if (more) this.text(more, left + width + 7, y, MONO, this.theme.muted);
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

	/* Into the kernel goes a whole send, and out of it comes a whole receive. */
	sizeOf(m, half) {
		if (half === HALF.WHOLE) return undefined;
		return half === HALF.IN ? this.store.sendTotal(m) : this.store.receiveTotal(m);
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
		const control = isControlKind(kind);
		const colour = isBad(this.store, said) ? this.theme.bad : this.theme.fg;
		const ends = control ? this.ends(row << 2) : null;
		const doubt = said.ambiguous ? "? " : "";

		if (ends) this.between(ends, y, doubt + said.label + this.born(row), "", colour);
		if (ends && this.box(row)) birthWords(this, this.box(row), y);
		if (control) return;
		if (!hasLane(this.layout, said.from)) {
			this.text(said.label, TIMES, y + 4, FONT, colour);
			return;
		}
		if (kind === KIND.EXIT && hasLane(this.layout, said.to)) this.exitWords(said, y, colour);
		else this.wordsBeside(said, y, colour);
	}

	/* " cc1 [12]": whose lane begins there, if its head does not say so. */
	born(row) {
		const life = this.layout.boxed ? undefined : this.layout.births.get(row);

		if (!life) return "";
		const { title, number } = this.layout.words(life.lane);

		return " " + title + " [" + number + "]";
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
