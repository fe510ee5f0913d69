// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Statistics of what the filter shows, counted as `ipclens stats` does: who talks to whom, and how
 * long it took from the beginning of the send to the end of the receive.
 */
import { clockText } from "./clocks.js";
import { el, fill } from "./dom.js";
import { KEY, bytes, count, duration } from "./format.js";
import { FORM, NOWHERE, OUTSIDE } from "./store.js";
import { addPanel } from "./panels.js";
import { say } from "./say.js";

const NAMES_MOST = 14; /* rows and columns of the matrix */
const ROUTES_MOST = 40;

/* Wakings are told by the calls themselves. */
function counts(mechanism) {
	return mechanism.form !== FORM.EVENT || /^(signal|eventfd)$/.test(mechanism.name);
}

/* NaN: not known. */
function latency(store, m) {
	const times = store.isSignal(m) ? store.signalTimes(m) : null;
	const send = store.sendCall(m);
	const receive = store.receiveCall(m);
	let ns = NaN;

	if (times) ns = times.delivered - times.raised;
	else if (send >= 0 && receive >= 0 && !store.unfinished(receive))
		ns = store.exitNs(receive) - store.enter[send];
	return ns >= 0 ? ns : NaN;
}

/* The tracer started the command, so its end tells the tracer: that is no part of what it did. */
function tellsTracer({ to, toName, label }) {
	return to === OUTSIDE && label === "SIGCHLD" && /^ipclens\[\d+\]$/.test(toName);
}

/* One for each sender, receiver and channel: what its routes have, messages, bytes, times. */
function addUp(app) {
	const { store, items } = app;
	const sums = new Map();
	const ofRoute = store.routes.map((route, r) => {
		if (!items.routeShown[r] || !counts(store.mechanisms[route.mechanism])) return null;
		if (tellsTracer(route)) return null;
		const { from, to, mechanism, object, fromName, toName } = route;
		const key = [from, to, mechanism, object, fromName, toName].join("\n");

		if (!sums.has(key)) sums.set(key, { ...route, messages: 0, bytes: 0, times: [] });
		return sums.get(key);
	});

	for (let m = 0; m < store.messageCount; m++) {
		const sum = ofRoute[store.route[m]];

		if (!sum) continue;
		const ns = latency(store, m);

		sum.messages++;
		sum.bytes += store.bytes[m];
		if (!Number.isNaN(ns)) sum.times.push(ns);
	}
	const list = [...sums.values()].filter((sum) => sum.messages);

	for (const sum of list) sum.times = Float64Array.from(sum.times).sort();
	return list.sort((a, b) => b.messages - a.messages);
}

const quantile = (times, share) => times[Math.max(0, Math.ceil(times.length * share) - 1)];

function nameOf(store, lane, outside) {
	if (lane >= 0) return store.lanes[lane].name;
	return lane === OUTSIDE ? outside || say("outside") : lane === NOWHERE ? say("nobody") : "?";
}

/* [from, how many] by powers of two, as in the JSON of stats. */
export function buckets(times) {
	const powers = new Map();

	for (const ns of times) {
		const power = ns < 2 ? 0 : Math.floor(Math.log2(ns));
		const from = power ? 2 ** power : 0;

		powers.set(from, (powers.get(from) || 0) + 1);
	}
	return [...powers].sort((a, b) => a[0] - b[0]);
}

function histogram(times) {
	const list = buckets(times);
	const most = Math.max(1, ...list.map(([, n]) => n));

	return el(
		"div",
		{ class: "stats-bars" },
		...list.map(([from, n]) => {
			const bar = el("i");
			const title = say("{} from {}", count(n), duration(from));

			bar.style.height = Math.max(3, (n / most) * 62) + "px";
			return el(
				"div",
				{ title },
				el("small", {}, count(n)),
				bar,
				el("small", {}, duration(from)),
			);
		}),
	);
}

class Stats {
	constructor(element, app) {
		Object.assign(this, { element, app, store: app.store, list: addUp(app) });
		this.chosen = null; /* [sender, receiver] */
		this.box = el("div", { class: "stats-right" });
		fill(element, el("div", { class: "stats" }, this.matrix(), this.box));
		this.show(this.list, say("all"));
	}

	ends(sum) {
		return [nameOf(this.store, sum.from, sum.fromName), nameOf(this.store, sum.to, sum.toName)];
	}

	matrix() {
		const cells = new Map();
		const names = [new Set(), new Set()];

		for (const sum of this.list) {
			const ends = this.ends(sum);
			const key = ends.join("\n");

			ends.forEach((name, i) => names[i].add(name));
			if (!cells.has(key)) cells.set(key, []);
			cells.get(key).push(sum);
		}
		const [from, to] = names.map((set) => [...set].slice(0, NAMES_MOST));
		const most = Math.max(1, ...[...cells.values()].map((list) => total(list, "messages")));
		const left = Math.max(names[0].size - from.length, names[1].size - to.length);

		return el(
			"div",
			{},
			el("h3", {}, say("Who talks to whom")),
			el(
				"table",
				{ class: "stats-matrix" },
				el(
					"tr",
					{},
					el("th", {}, say("from ↓ to →")),
					...to.map((name) => el("th", { scope: "col" }, name)),
				),
				...from.map((a) =>
					el(
						"tr",
						{},
						el("th", { scope: "row" }, a),
						...to.map((b) => this.cell(a, b, cells.get(a + "\n" + b), most)),
					),
				),
			),
			left > 0 ? el("p", { class: "note" }, say("and {} more", count(left))) : null,
		);
	}

	cell(from, to, list, most) {
		if (!list) return el("td", {}, "");
		const n = total(list, "messages");
		const button = el(
			"button",
			{ type: "button", click: () => this.show(list, from + " → " + to) },
			el("b", {}, count(n)),
			el("small", {}, bytes(total(list, "bytes"))),
		);

		button.style.setProperty(
			"--share",
			Math.round((Math.log1p(n) / Math.log1p(most)) * 40) + "%",
		);
		return el("td", {}, button);
	}

	/* The histogram of some routes together, and each of them in figures. */
	show(list, title) {
		const times = Float64Array.from(list.flatMap((sum) => [...sum.times])).sort();
		const more = list.length - ROUTES_MOST;

		fill(
			this.box,
			el(
				"h3",
				{},
				say("Latency of {}: {}", title, figures(times)) +
					clockText(times.length ? wrongest(list) : 0),
			),
			histogram(times),
			el(
				"table",
				{ class: "stats-routes" },
				el(
					"tr",
					{},
					...["from", "to", "channel", "messages", "bytes", "p50", "p95", "longest"].map(
						(word) => el("th", { scope: "col" }, say(word)),
					),
				),
				...list.slice(0, ROUTES_MOST).map((sum) => this.row(sum)),
			),
			more > 0 ? el("p", { class: "note" }, say("and {} more", count(more))) : null,
		);
	}

	row(sum) {
		const { store } = this;
		const [from, to] = this.ends(sum);
		const { times } = sum;
		const mechanism = store.mechanisms[sum.mechanism].name;
		const full = sum.object >= 0 ? store.objects[sum.object].name : mechanism;
		const object = full.replace(KEY, "");
		const time = (ns) => el("td", { class: "number" }, times.length ? duration(ns) : "–");
		const exact = {
			from: sum.from >= 0 ? store.lanes[sum.from].pid : null,
			to: sum.to >= 0 ? store.lanes[sum.to].pid : null,
			mechanism,
			messages: sum.messages,
			bytes: sum.bytes,
			count: times.length,
			min: times.length ? times[0] : null,
			max: times.length ? times[times.length - 1] : null,
			p50: times.length ? quantile(times, 0.5) : null,
			p95: times.length ? quantile(times, 0.95) : null,
			buckets: buckets(times),
		};

		return el(
			"tr",
			{ "data-exact": JSON.stringify(exact) },
			el("td", {}, from),
			el("td", {}, to),
			el("td", { class: "mono", title: full }, object),
			el("td", { class: "number" }, count(sum.messages)),
			el("td", { class: "number" }, bytes(sum.bytes)),
			time(quantile(times, 0.5)),
			time(quantile(times, 0.95)),
			time(times[times.length - 1]),
		);
	}
}

const wrongest = (list) => list.reduce((most, { wrong }) => Math.max(most, wrong), 0);

const total = (list, key) => list.reduce((sum, each) => sum + each[key], 0);

function figures(times) {
	if (!times.length) return say("not known");
	return say(
		"{} half of them, {}, {} the longest",
		duration(quantile(times, 0.5)),
		duration(quantile(times, 0.95)) + " 95 %",
		duration(times[times.length - 1]),
	);
}

let place = null;

addPanel({
	id: "stats",
	title: "Statistics",
	key: "s",
	open(element, app) {
		const draw = () => place && app.store.hasCalls && new Stats(place, app);

		if (place === null) app.on("filter calls", draw);
		place = element;
		draw();
	},
	close() {
		place = false;
	},
});
