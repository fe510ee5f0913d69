// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What rows say, and the pen that writes it. */
import { FATE, FORM, KIND } from "./store.js";
import { bytes, quoted } from "./format.js";
import { say } from "./say.js";

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

/* "24 B", or of a piece of a send "3 B of 12 B" */
function sizeText(store, m) {
	const total = store.sendTotal(m);

	return bytes(store.bytes[m]) + (total > store.bytes[m] ? say(" of {}", bytes(total)) : "");
}

/* "pipe 24 B", "SIGUSR1 ignored", "sysv-msg 12 B type 3"; of `size` bytes if that is given */
export function messageLabel(store, m, short, size) {
	const route = store.routeOf(m);
	const mechanism = store.mechanisms[route.mechanism];
	const doubt = store.ambiguous(m) ? "? " : "";
	const fate = say(FATE_WORDS[store.fate(m)] || "");
	let text = doubt + mechanism.name;

	if (route.signal) text = doubt + (route.label || say("signal"));
	else if (mechanism.name === "eventfd") text += added(store, m);
	else if (mechanism.form === FORM.EVENT) text = say("{} wakes", text);
	else {
		text = short ? doubt : text + " ";
		text += size === undefined ? sizeText(store, m) : bytes(size);
	}
	if (store.type(m) !== undefined)
		text += say(mechanism.name === "sysv-msg" ? " type {}" : " prio {}", store.type(m));
	return fate && !(short && route.signal) ? text + " · " + fate : text;
}

/* What it says, if it speaks a protocol that is known; else its first bytes. */
export function messagePayload(store, m) {
	const words = store.wordsOf(m);
	const data = store.payload(m);
	const part = data.subarray(0, PAYLOAD_SHOWN);

	if (words) return words;
	if (!data.length || store.mechanisms[store.routeOf(m).mechanism].form === FORM.EVENT) return "";
	return '"' + quoted(part) + '"' + (part.length < store.bytes[m] ? "…" : "");
}

/* Calls in which a server, a shell or a timer waits for whatever comes: that is their job. */
const IDLE_CALL = new RegExp(
	"\\b(epoll_p?wait2?|p?poll|p?select6?|accept4?|wait4|waitid|" +
		"(clock_)?nanosleep|pause|rt_sig\\w+)\\(",
);

/* Went wrong, was found to be wrong, or waits at the end for something of its own. */
export function isBad(store, said) {
	const kind = store.rowKind(said.row);

	return (
		kind === KIND.FAILED ||
		(kind === KIND.WAITING && !IDLE_CALL.test(said.label)) ||
		kind === KIND.FOUND ||
		said.label.startsWith(say("killed"))
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
