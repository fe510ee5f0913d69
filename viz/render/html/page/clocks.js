// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Times between processes of two machines, whose clocks were brought together by a merge. */
import { duration } from "./format.js";
import { say } from "./say.js";

/*
 * By how much times along these routes may be wrong, in ns, at most; NaN: nobody can tell, 0: both
 * ends of each are on one machine.
 */
export function clocksApart(store, routes) {
	return Math.max(
		0,
		...routes.map(({ from, to }) => {
			const [a, b] = [store.lanes[from], store.lanes[to]];

			return a && b && a.host !== b.host ? a.uncertainty + b.uncertainty : 0;
		}),
	);
}

/* " ± 165 µs", or "" */
export function clockText(wrong) {
	if (Number.isNaN(wrong)) return ", " + say("of two clocks: nobody can tell how wrong");
	return wrong ? " ± " + duration(wrong) : "";
}
