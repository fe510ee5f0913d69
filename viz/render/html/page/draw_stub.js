// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A message from or to no lane: a short arrow, with its words behind its end. */
import { OUTSIDE, PART } from "./store.js";
import { say } from "./say.js";
import { FONT, MONO, SMALL, messageLabel, messagePayload } from "./words.js";
import { hasLane } from "./lanes.js";

export const STUB = 58; /* how long it is */
export const LENGTH_ROOM = 66; /* of a lane's right side: how long the next one slept */
export const BESIDE = 4; /* from a row to the foot of words beside it */

/* "from the kernel", "to ipclens[102]"; "": nobody is there */
export function outsideName({ from, to, fromName, toName }) {
	const name = from === OUTSIDE ? fromName : to === OUTSIDE ? toName : null;

	if (name === null) return "";
	if (name === say("the kernel"))
		return say(from === OUTSIDE ? "from the kernel" : "to the kernel");
	return say(from === OUTSIDE ? "from {}" : "to {}", name || say("outside"));
}

/* What it is, who is there, and as much of its payload as fits before the next lane. */
export function stubWords(pen, m, row, end, y) {
	const { layout, store, theme } = pen;
	const route = store.routeOf(m);
	const x = end + 8 - (store.rowPart(row) === PART.WHOLE ? 0 : STUB / 2);
	const label = pen.fitted(messageLabel(store, m), FONT, layout.width - x - 8);
	const width = pen.width(label, FONT);
	const name = pen.fitted(outsideName(route), SMALL, layout.width - x - width - 12);
	const after = x + width + (name ? 6 + pen.width(name, SMALL) : 0) + 7;
	const lane = hasLane(layout, route.from) ? route.from : route.to;
	const room = layout.x(lane) + layout.roomRight(lane) - LENGTH_ROOM - after;
	const payload = pen.fitted(messagePayload(store, m), MONO, room);

	pen.text(label, x, y + BESIDE, FONT, theme.family(store.mechanisms[route.mechanism]));
	if (name) pen.text(name, x + width + 6, y + BESIDE, SMALL, theme.muted);
	if (payload) pen.text(payload, after, y + BESIDE, MONO, theme.muted);
}
