// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* At the right: all that is known of the selected row. */
import { byId, el, fill } from "./dom.js";
import { bytes, count, counted, duration, hex, quoted } from "./format.js";
import { say } from "./say.js";
import { FORM, NONE, OUTSIDE } from "./store.js";
import { clockText } from "./clocks.js";
import { latencyText, roundsText } from "./draw_fold.js";
import { summary } from "./fold.js";
import { Way, section } from "./detail_way.js";
import { messageLabel } from "./words.js";

const HEX_MOST = 4096; /* bytes shown */
const HEX_LINE = 8;
function pairs(list) {
	return el(
		"dl",
		{},
		...list
			.filter(([, value]) => value)
			.flatMap(([name, value]) => [el("dt", {}, say(name)), el("dd", {}, value)]),
	);
}

/* The hex dump of tcpdump -X, narrower. */
function dump(data) {
	const lines = [];

	for (let at = 0; at < data.length && at < HEX_MOST; at += HEX_LINE) {
		const part = data.subarray(at, at + HEX_LINE);
		const letters = Array.from(part, (b) => (b > 31 && b < 127 ? String.fromCharCode(b) : "·"));

		lines.push(
			at.toString(16).padStart(4, "0") +
				"  " +
				Array.from(part, hex)
					.join(" ")
					.padEnd(HEX_LINE * 3 + 1) +
				letters.join(""),
		);
	}
	return lines.join("\n");
}

function foldHint({ mixed, noise }) {
	if (noise) return say("here and there, told once");
	return mixed ? "" : say("as often again as what stands above it");
}

export class Detail {
	constructor(app) {
		this.app = app;
		this.way = new Way(app);
		this.element = byId("detail");
		app.on("select calls payload filter", () => this.draw());
		this.draw();
	}

	draw() {
		const { app, element } = this;
		const row = app.selected;

		const hides = app.items.foldOf(row);

		if (row < 0) fill(element, this.overview());
		else if (hides) fill(element, ...this.fold(hides));
		else if (app.store.rowMessage(row) >= 0 && app.store.rowRef[row] >= 0)
			fill(element, ...this.message(app.store.rowMessage(row)));
		else fill(element, ...this.said(row));
	}

	overview() {
		return el(
			"section",
			{ class: "hint" },
			el("h2", {}, say("Nothing selected")),
			el(
				"p",
				{},
				say("Click an arrow, or press "),
				el("kbd", {}, "↑"),
				say(" and "),
				el("kbd", {}, "↓"),
				say(" to walk through the messages; "),
				el("kbd", {}, "?"),
				say(" lists all keys."),
			),
		);
	}

	/* What stands for the other rounds of a loop. */
	fold(hides) {
		const { app } = this;
		const sum = summary(app.items, hides);
		const { messages, signals, bytes: size, ns, latencies, lost, ambiguous } = sum;
		const middle = duration(latencies[(latencies.length - 1) >> 1]);

		return [
			el("h2", {}, roundsText(hides)),
			el("p", { class: "what" }, foldHint(hides)),
			pairs([
				["messages", messages ? count(messages) : ""],
				["signals", signals ? count(signals) : ""],
				["not received", lost ? count(lost) : ""],
				["ambiguous", ambiguous ? count(ambiguous) : ""],
				["bytes", size ? bytes(size) : ""],
				["time", duration(ns)],
				[
					"latency",
					latencies.length ? say("{}, half within {}", latencyText(sum), middle) : "",
				],
			]),
			el(
				"button",
				{ type: "button", click: () => app.openLoop(hides, true) },
				say(hides.noise ? "show each (Enter)" : "show each round (Enter)"),
			),
			this.foldAgain(hides.row),
		];
	}

	/* Of a row within an open loop. */
	foldAgain(row) {
		const { app } = this;
		const loop = app.items.openedOver(row);

		if (!loop) return null;
		const title =
			loop.text || say("the loop of {} rounds around it", count(loop.rounds + 1));

		return el(
			"button",
			{ type: "button", title, click: () => app.openLoop(loop, false) },
			say(loop.text ? "fold it again (Backspace)" : "fold the loop around it (Backspace)"),
		);
	}

	/* --- a message --- */

	message(m) {
		const { store } = this.app;
		const route = store.routeOf(m);
		const object = route.object >= 0 ? store.objects[route.object].name : "";

		return [
			el("h2", {}, say(route.signal ? "Signal {}" : "Message {}", store.id[m])),
			el(
				"p",
				{ class: "what" },
				messageLabel(store, m),
				object ? " · " : null,
				object ? el("span", { class: "mono" }, object) : null,
				" · " +
					say(
						store.ambiguous(m)
							? "ambiguous: another pairing is possible too"
							: "exact",
					),
			),
			this.buttons(m, route),
			this.facts(m, route),
			store.hasCalls ? this.way.of(m, route) : null,
			this.says(m),
			this.payload(m, route),
			this.words(store.mechanisms[route.mechanism]),
		];
	}

	buttons(m, route) {
		const { app } = this;
		const button = (text, title, click) =>
			el("button", { type: "button", title: say(title), click }, say(text));

		return el(
			"p",
			{ class: "buttons" },
			button("← previous", "of this conversation (←)", () => follow(app, -1)),
			button("next →", "of this conversation (→)", () => follow(app, 1)),
			button(
				app.filter.talk === route.talk ? "all again" : "only this conversation",
				"both directions, by this mechanism (c)",
				() => app.only("talk", route.talk),
			),
			this.foldAgain(app.store.rowOf[m]),
		);
	}

	endText(lane, name, call) {
		const { store } = this.app;
		const who =
			lane >= 0
				? store.lanes[lane].name
				: lane === OUTSIDE
					? name || say("outside the trace")
					: say("nobody");
		const { pid, tid } = store.lanes[lane] || {};
		const thread =
			call >= 0 && !tid && store.callTid(call) !== pid
				? say(", thread {}", store.callTid(call))
				: "";

		return (
			who +
			(call >= 0 && store.callFd(call) >= 0 ? ", fd " + store.callFd(call) : "") +
			thread
		);
	}

	facts(m, route) {
		const { store } = this.app;
		const send = store.hasCalls ? store.sendCall(m) : NONE;
		const receive = store.hasCalls ? store.receiveCall(m) : NONE;
		const sent = store.hasCalls ? store.sentNs(m) : NaN;
		const received = store.hasCalls ? store.receivedNs(m) : NaN;
		const mechanism = store.mechanisms[route.mechanism];
		const waits = [this.waited(send), this.waited(receive)].filter(Boolean);

		return pairs([
			["from", this.endText(route.from, route.fromName, send)],
			["to", this.endText(route.to, route.toName, receive)],
			["leaves by", this.apart(route) ? route.device : ""],
			["bytes", mechanism.form === FORM.EVENT ? "" : bytes(store.bytes[m]) + this.pieces(m)],
			[
				mechanism.name === "sysv-msg" ? "type" : "priority",
				store.type(m) === undefined ? "" : String(store.type(m)),
			],
			["fate", store.fate(m) ? store.fates[store.fate(m)] : say("received")],
			["cut", store.cut(m) ? say("{} lost", bytes(store.cut(m))) : ""],
			["sent", Number.isNaN(sent) ? "" : "+" + duration(sent) + this.wallClock(sent)],
			[
				"latency",
				received >= sent ? duration(received - sent) + clockText(route.wrong) : "",
			],
			...waits.map((text, i) => [i ? "" : "waited", text]),
		]);
	}

	/* True of a message from one machine to another. */
	apart({ from, to }) {
		const { lanes } = this.app.store;

		return from >= 0 && to >= 0 && lanes[from].host !== lanes[to].host;
	}

	pieces(m) {
		const { store } = this.app;

		if (!store.hasCalls || (!store.sendOffset[m] && !store.receiveOffset[m])) return "";
		return say(
			", from byte {} of the send to byte {} of the receive",
			count(store.sendOffset[m]),
			count(store.receiveOffset[m]),
		);
	}

	wallClock(ns) {
		const { store } = this.app;

		if (!store.realtimeOffsetNs) return "";
		const ms = (store.startNs + store.realtimeOffsetNs + BigInt(Math.round(ns))) / 1000000n;

		return " · " + new Date(Number(ms)).toISOString().slice(11, 23) + " UTC";
	}

	waited(call) {
		const { store } = this.app;

		if (call < 0 || !store.offCpu[call]) return "";
		const waker = store.waker(call);
		const by = waker >= 0 ? store.callLane(waker) : store.wokenBy(call);

		return (
			store.lanes[store.callLane(call)].title +
			" " +
			duration(store.offCpu[call]) +
			(by >= 0 ? say(", woken by {}", store.lanes[by].title) : "") +
			(waker >= 0 ? " (" + store.callName(waker) + ")" : "")
		);
	}

	says(m) {
		const { store } = this.app;
		const words = store.wordsOf(m);

		return words
			? section(say("Says, in {}", store.protocolOf(m)), el("pre", { class: "text" }, words))
			: null;
	}

	payload(m, route) {
		const { store } = this.app;
		const data = store.payload(m);

		if (route.signal || !store.hasPayload) return null;
		if (!data.length)
			return store.bytes[m]
				? section(say("Payload"), el("p", { class: "note" }, say("not in the trace")))
				: null;
		return section(
			say("Payload"),
			el("pre", { class: "text" }, lines(data)),
			el("pre", { class: "hex" }, dump(data)),
			data.length < store.bytes[m]
				? el(
						"p",
						{ class: "note" },
						say(
							store.payloadLimit === data.length
								? "the first {} of {} (this page keeps no more; the trace may)"
								: "the first {} of {}",
							counted(data.length, "byte"),
							count(store.bytes[m]),
						),
					)
				: null,
		);
	}

	words(mechanism) {
		const form = {
			[FORM.STREAM]: "a stream of bytes, without borders",
			[FORM.MESSAGE]: "messages, their borders kept",
			[FORM.EVENT]: "a notification, no data",
			[FORM.MEMORY]: "shared memory, no transfer",
		}[mechanism.form];

		return section(
			say("In the lecture's words"),
			el(
				"p",
				{ class: "words" },
				[
					mechanism.direct
						? "direct addressing: a process or an end point"
						: "indirect addressing: a channel",
					form,
					mechanism.typed ? "typed" : "untyped",
					mechanism.reliable ? "reliable" : "unreliable",
					mechanism.twoWay ? "bidirectional" : "unidirectional",
				]
					.map((word) => say(word))
					.join(" · "),
			),
		);
	}

	/* --- a row that is no message --- */

	/* What diagnose found. */
	mark(mark) {
		const { store } = this.app;

		return [
			el("h2", {}, mark.id),
			el("p", { class: "found" }, mark.text),
			pairs([
				["process", mark.lane >= 0 ? store.lanes[mark.lane].name : ""],
				["channel", mark.channel],
				["when", "+" + duration(mark.at) + this.wallClock(mark.at)],
			]),
			mark.lines.length
				? section(
						say("Evidence"),
						...mark.lines.map((line) => el("p", { class: "evidence" }, line)),
					)
				: null,
			mark.advice ? section(say("Advice"), el("p", {}, mark.advice)) : null,
		];
	}

	said(row) {
		const { store } = this.app;
		const said = store.rowSaid(row);
		const at = store.rowAt[row];
		const lane = said.from >= 0 ? store.lanes[said.from] : null;
		const call = store.hasCalls ? said.call : NONE;

		if (said.mark >= 0) return this.mark(store.marks[said.mark]);

		return [
			el("h2", {}, said.label),
			el(
				"p",
				{ class: "what" },
				said.detail || "",
				said.channel ? " " : null,
				said.channel ? el("span", { class: "mono" }, said.channel) : null,
			),
			pairs([
				["process", lane ? lane.name : ""],
				["command", lane ? lane.command : ""],
				["to", said.to >= 0 ? store.lanes[said.to].name : ""],
				["when", "+" + duration(at) + this.wallClock(at)],
				[
					"told",
					said.message >= 0
						? messageLabel(store, said.message) +
								say(", message {}", store.id[said.message])
						: "",
				],
				["waited", this.waited(call)],
				["waits for", call >= 0 ? store.waits(call) : ""],
			]),
			call >= 0 ? section(say("The call"), this.way.step("", "", call)) : null,
		];
	}
}

/* Text with its own line ends, everything else made visible. */
function lines(data) {
	return quoted(data.subarray(0, HEX_MOST)).replaceAll("\\n", "↵\n").replaceAll('\\"', '"');
}

/* Selects the message before or after the selected one between the same two. */
export function follow(app, step) {
	const { store, items } = app;
	const m = app.selected < 0 ? NONE : store.rowMessage(app.selected);

	if (m < 0) return;
	const talk = store.routeOf(m).talk;

	for (let row = app.selected + step; row >= 0 && row < store.rowCount; row += step) {
		const other = store.rowMessage(row);

		if (
			other >= 0 &&
			other !== m &&
			store.routeOf(other).talk === talk &&
			items.wantsRow(row)
		) {
			app.reveal(row);
			return;
		}
	}
}
