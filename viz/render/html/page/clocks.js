// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Times between processes of two machines, whose clocks were brought together by a merge. */
import { duration } from "./format.js";
import { say } from "./say.js";

/*
 * By how much times between these lanes may be wrong, in ns; NaN: nobody can tell, 0: they are on
 * one machine, or one of them is outside.
 */
export function clocksApart(a, b) {
	return a && b && a.host !== b.host ? a.uncertainty + b.uncertainty : 0;
}

/* " ± 165 µs", or "" */
export function clockText(wrong) {
	if (Number.isNaN(wrong)) return ", " + say("of two clocks: nobody can tell how wrong");
	return wrong ? " ± " + duration(wrong) : "";
}
