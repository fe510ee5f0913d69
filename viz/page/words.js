// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What rows say, and the pen that writes it. */
import { FATE, FORM, KIND } from "./store.js";
import { bytes, quoted } from "./format.js";

export const FONT = "12px system-ui, 'DejaVu Sans', sans-serif";
export const BOLD = "600 12.5px system-ui, 'DejaVu Sans', sans-serif";
export const SMALL = "11px system-ui, 'DejaVu Sans', sans-serif";
export const MONO = "11px ui-monospace, 'DejaVu Sans Mono', monospace";

const PAYLOAD_SHOWN = 48;
const LINE = 9; /* words closer than this, up and down, stand over one another */
const APART = 2;
const WIDTHS_MOST = 20000; /* measured texts that are remembered */

const FATE_WORDS = {
	[FATE.UNREAD]: "unread",
	[FATE.DISCARDED]: "thrown away",
	[FATE.DROPPED]: "dropped",
	[FATE.TRUNCATED]: "cut",
	[FATE.IGNORED]: "ignored",
	[FATE.DEFAULT]: "default",
	[FATE.COALESCED]: "coalesced",
	[FATE.PENDING]: "pending",
	[FATE.NO_PROCESS]: "no process",
};

function added(store, m) {
	const data = store.payload(m);

	if (data.length < 8) return "";
	const view = new DataView(data.buffer, data.byteOffset, 8);
	return (store.send && store.sendCall(m) < 0 ? " " : " +") + view.getBigUint64(0, true);
}

/* "pipe 24 B", "SIGUSR1 ignored", "sysv-msg 12 B type 3" */
export function messageLabel(store, m, short) {
	const route = store.routeOf(m);
	const mechanism = store.mechanisms[route.mechanism];
	const doubt = store.ambiguous(m) ? "? " : "";
	const fate = FATE_WORDS[store.fate(m)];
	let text = doubt + mechanism.name;

	if (route.signal) text = doubt + (route.label || "signal");
	else if (mechanism.name === "eventfd") text += added(store, m);
	else if (mechanism.form === FORM.EVENT) text += " wakes";
	else text = (short ? doubt : text + " ") + bytes(store.bytes[m]);
	if (store.type(m) !== undefined)
		text += (mechanism.name === "sysv-msg" ? " type " : " prio ") + store.type(m);
	return fate && !(short && route.signal) ? text + " · " + fate : text;
}

export function messagePayload(store, m) {
	const data = store.payload(m);
	const part = data.subarray(0, PAYLOAD_SHOWN);

	if (!data.length || store.mechanisms[store.routeOf(m).mechanism].form === FORM.EVENT) return "";
	return '"' + quoted(part) + '"' + (part.length < store.bytes[m] ? "…" : "");
}

/* Went wrong, or was found to be wrong. */
export function isBad(store, said) {
	const kind = store.rowKind(said.row);

	return (
		kind === KIND.FAILED ||
		kind === KIND.WAITING ||
		kind === KIND.FOUND ||
		said.label.startsWith("killed")
	);
}

export class TextPen {
	constructor(ctx, theme) {
		Object.assign(this, { ctx, theme });
		this.widths = new Map();
		this.taken = []; /* where words of rows stand: {x, y, width} */
	}

	width(text, font) {
		const key = font + text;
		let width = this.widths.get(key);

		if (width === undefined) {
			if (this.widths.size > WIDTHS_MOST) this.widths.clear();
			this.ctx.font = font;
			width = this.ctx.measureText(text).width;
			this.widths.set(key, width);
		}
		return width;
	}

	/* As much of it as fits, with … where it was cut; "" where not even a little does. */
	fitted(text, font, room) {
		if (this.width(text, font) <= room) return text;
		let low = 0;
		let high = text.length;

		while (low < high) {
			const middle = (low + high + 1) >> 1;

			if (this.width(text.slice(0, middle) + "…", font) <= room) low = middle;
			else high = middle - 1;
		}
		return low < 3 ? "" : text.slice(0, low) + "…";
	}

	isFree(x, y, width) {
		return !this.taken.some(
			(other) =>
				Math.abs(other.y - y) < LINE &&
				x < other.x + other.width + APART &&
				other.x < x + width + APART,
		);
	}

	/*
	 * With a halo, so that lifelines that it crosses do not make it illegible. All halos are drawn
	 * before all arrows, which they must not hide.
	 */
	text(text, x, y, font, colour) {
		const { ctx } = this;

		ctx.font = font;
		if (this.halo) {
			this.taken.push({ x, y, width: this.width(text, font) });
			ctx.lineWidth = 5;
			ctx.lineJoin = "round";
			ctx.setLineDash([]);
			ctx.strokeStyle = this.haloColour || this.theme.bg;
			ctx.strokeText(text, x, y);
		} else {
			ctx.fillStyle = colour;
			ctx.fillText(text, x, y);
		}
	}
}
