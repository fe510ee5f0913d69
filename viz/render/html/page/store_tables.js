// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The tables of the core section, from arrays of arrays (viz/render/html/metadata.c) to objects. */

import { clocksApart } from "./clocks.js";
import { say } from "./say.js";

export function readTables(core) {
	const text = (place) => core.texts[place];
	const or = (place) => (place === null ? -1 : place);

	const mechanisms = core.mechanisms.map((m) => ({
		name: m[0],
		help: m[1],
		family: m[2],
		direct: m[3] === 1,
		form: m[4],
		typed: m[5],
		reliable: m[6],
		twoWay: m[7] === 2,
	}));
	const lanes = core.lanes.map((l) => ({
		title: l[0],
		pid: l[1],
		number: l[10] ? say("shared memory") : l[11],
		tid: l[7],
		name: l[10] ? l[0] : l[0] + "[" + l[11] + "]",
		command: text(l[2]),
		parent: l[3],
		start: l[4],
		end: l[5] === null ? NaN : l[5],
		before: l[6],
		group: l[8],
		crowd: l[9],
		birth: -1,
		memory: l[10],
		exit: -1,
		host: l[10] ? "" : text(l[12]),
		uncertainty: l[10] ? 0 : (l[13] ?? NaN),
	}));
	const objects = core.objects.map((o) => ({
		name: text(o[0]),
		mechanism: o[1],
		capacity: o[2],
		connected: o[3],
	}));
	const talks = new Map();
	const routes = core.routes.map((r) => ({
		from: r[0],
		to: r[1],
		mechanism: r[2],
		object: or(r[3]),
		label: text(r[4]),
		fromName: text(r[5]),
		toName: text(r[6]),
		talk: talkOf(talks, r),
		met: r[7],
		outsider: r[8],
		noise: r[9],
		device: text(r[10]),
		signal: core.mechanisms[r[2]][0] === "signal",
		wrong: clocksApart(lanes[r[0]], lanes[r[1]]),
	}));
	const said = core.said.map((s) => ({
		from: s[0],
		to: s[1],
		mechanism: s[2],
		label: s[3],
		detail: s[4],
		channel: s[5],
		ambiguous: s[6],
		important: s[7],
		call: or(s[8]),
		mark: or(s[9]),
		like: s[10],
		outsider: s[11],
		row: -1,
		message: -1,
	}));
	const marks = core.marks.map((m) => ({
		severity: m[0],
		id: m[1],
		text: m[2],
		advice: m[3],
		channel: m[4],
		lane: m[5],
		at: m[6],
		lines: m[7],
		lanes: m[8],
	}));
	return { mechanisms, lanes, objects, routes, said, marks };
}

function talkOf(talks, [from, to, mechanism, , , fromName, toName]) {
	const a = from + "/" + fromName;
	const b = to + "/" + toName;
	const key = (a < b ? a + " " + b : b + " " + a) + " " + mechanism;

	if (!talks.has(key)) talks.set(key, talks.size);
	return talks.get(key);
}
