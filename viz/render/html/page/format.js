// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Quantities and bytes as people read them; the same words as in the terminal's pictures. */
import { numeral, say } from "./say.js";

const THIN = "\u202f";

const whole = (n) => (typeof n === "bigint" ? n : Math.round(n));

export const count = (n) => numeral(String(whole(n)).replace(/\B(?=(\d{3})+$)/g, ","));

/* "1 message", "2 messages" */
export const counted = (n, word) => count(n) + " " + say(word + (n === 1 ? "" : "s"));

function three(value) {
	return numeral(value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0));
}

export function duration(ns) {
	if (!(ns >= 0)) return "?";
	if (ns < 1000) return Math.round(ns) + " ns";
	if (ns < 999500) return three(ns / 1e3) + " µs";
	if (ns < 999.5e6) return three(ns / 1e6) + " ms";
	return ns < 120e9 ? three(ns / 1e9) + " s" : count(ns / 1e9) + " s";
}

export function bytes(n) {
	if (n < 10240) return count(n) + " B";
	for (const unit of ["KiB", "MiB", "GiB"]) {
		n /= 1024;
		if (n < 1024) return (n % 1 ? three(n) : n) + " " + unit;
	}
	return count(n / 1024) + " TiB";
}

/* One unit for all times of a picture: {unit, text(ns)}. */
export function clock(span_ns) {
	if (span_ns < 1e8) return { unit: "µs", text: (ns) => numeral((ns / 1e3).toFixed(1)) };
	if (span_ns < 1e11) return { unit: "ms", text: (ns) => numeral((ns / 1e6).toFixed(3)) };
	return { unit: "s", text: (ns) => numeral((ns / 1e9).toFixed(3)) };
}

const ESCAPES = { 9: "\\t", 10: "\\n", 13: "\\r", 34: '\\"', 92: "\\\\" };

function escaped(code) {
	return ESCAPES[code] || "\\x" + code.toString(16).padStart(2, "0");
}

/* What would be invisible, or change the direction of what follows. */
const SNEAKY =
	/[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/* Bytes as a C string literal has them, without its quotes; UTF-8 that is well formed stays. */
export function quoted(data) {
	let text = "";
	let at = 0;

	while (at < data.length) {
		const len = data[at] < 0x80 ? 1 : sequenceLength(data, at);

		if (len === 1 && data[at] >= 32 && data[at] !== 127 && data[at] !== 34 && data[at] !== 92)
			text += String.fromCharCode(data[at]);
		else if (len > 1)
			text += decoder.decode(data.subarray(at, at + len)).replace(SNEAKY, sneaky);
		else text += escaped(data[at]);
		at += len || 1;
	}
	return text;
}

const decoder = new TextDecoder();

function sneaky(letter) {
	return "\\u" + letter.charCodeAt(0).toString(16).padStart(4, "0");
}

/* Of the UTF-8 sequence that begins there, 0 where it is not well formed. */
function sequenceLength(data, at) {
	const first = data[at];
	const len = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;

	if (!len || first > 0xf4 || at + len > data.length) return 0;
	for (let i = 1; i < len; i++) if ((data[at + i] & 0xc0) !== 0x80) return 0;
	if (first === 0xe0 && data[at + 1] < 0xa0) return 0;
	if (first === 0xed && data[at + 1] > 0x9f) return 0;
	if (first === 0xf0 && data[at + 1] < 0x90) return 0;
	if (first === 0xf4 && data[at + 1] > 0x8f) return 0;
	return len;
}

export const hex = (byte) => byte.toString(16).padStart(2, "0");

/* Behind a queue's number: the key that it was found by. */
export const KEY = / (key|Schlüssel) .*/;

/* Without its mechanism, which something beside it tells: "[77]". */
export function shortName(store, object) {
	const prefix = store.mechanisms[object.mechanism].name + ":";

	return object.name.startsWith(prefix) ? object.name.slice(prefix.length) : object.name;
}
