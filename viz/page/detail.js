// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* At the right: all that is known of the selected row. */
import { byId, el, fill } from "./dom.js";
import { bytes, count, counted, duration, hex, quoted } from "./format.js";
import { FORM, NONE, OUTSIDE } from "./store.js";
import { messageLabel } from "./draw_row.js";

const HEX_MOST = 4096; /* bytes shown */
const HEX_LINE = 8;
const MOVES = /^(splice|tee|vmsplice|sendfile|copy_file_range)/;

function pairs(list) {
	return el("dl", {}, ...list.filter(([, value]) => value).flatMap(([name, value]) =>
		[el("dt", {}, name), el("dd", {}, value)]));
}

const section = (title, ...children) => el("section", {}, el("h3", {}, title), ...children);

/* "write(1, …, 17) = 17" */
export function callText(store, c) {
	const fd = store.callFd(c);
	const size = store.requested(c);
	const inner = [fd >= 0 ? String(fd) : "", size >= 0 && size ? count(size) : ""].filter(Boolean);
	const result = store.unfinished(c) ? " …" : " = " + (store.error(c) ? "−" + store.error(c)
		: store.returned[c]);

	return store.callName(c) + "(" + inner.join(", … ") + ")" + result;
}

/* The hex dump of tcpdump -X, narrower. */
function dump(data) {
	const lines = [];

	for (let at = 0; at < data.length && at < HEX_MOST; at += HEX_LINE) {
		const part = data.subarray(at, at + HEX_LINE);
		const letters = Array.from(part, (b) => (b > 31 && b < 127 ? String.fromCharCode(b) : "·"));

		lines.push(at.toString(16).padStart(4, "0") + "  " +
			Array.from(part, hex).join(" ").padEnd(HEX_LINE * 3 + 1) + letters.join(""));
	}
	return lines.join("\n");
}

export class Detail {
	constructor(app) {
		this.app = app;
		this.element = byId("detail");
		app.on("select calls payload filter", () => this.draw());
		this.draw();
	}

	draw() {
		const { app, element } = this;
		const row = app.selected;

		if (row < 0) fill(element, this.overview());
		else if (app.store.rowMessage(row) >= 0 && app.store.rowRef[row] >= 0)
			fill(element, ...this.message(app.store.rowMessage(row)));
		else fill(element, ...this.said(row));
	}

	overview() {
		return el("section", { class: "hint" }, el("h2", {}, "Nothing selected"),
			el("p", {}, "Click an arrow, or press ", el("kbd", {}, "↑"), " and ", el("kbd", {}, "↓"),
				" to walk through the messages; ", el("kbd", {}, "?"), " lists all keys."));
	}

	/* --- a message --- */

	message(m) {
		const { store } = this.app;
		const route = store.routeOf(m);
		const object = route.object >= 0 ? store.objects[route.object].name : "";

		return [
			el("h2", {}, (route.signal ? "Signal " : "Message ") + store.id[m]),
			el("p", { class: "what" }, messageLabel(store, m), object ? " · " : null,
				object ? el("span", { class: "mono" }, object) : null,
				" · " + (store.ambiguous(m) ? "ambiguous: another pairing is possible too" : "exact")),
			this.buttons(m, route),
			this.facts(m, route),
			store.hasCalls ? this.way(m, route) : null,
			this.payload(m, route),
			this.words(store.mechanisms[route.mechanism]),
		];
	}

	buttons(m, route) {
		const { app } = this;
		const button = (text, title, click) => el("button", { type: "button", title, click }, text);

		return el("p", { class: "buttons" },
			button("← previous", "of this conversation (←)", () => follow(app, -1)),
			button("next →", "of this conversation (→)", () => follow(app, 1)),
			button(app.filter.talk === route.talk ? "all again" : "only this conversation",
				"both directions, by this mechanism (c)", () => app.only("talk", route.talk)));
	}

	endText(lane, name, call) {
		const { store } = this.app;
		const who = lane >= 0 ? store.lanes[lane].name : lane === OUTSIDE ? name || "outside the trace" : "nobody";
		const tid = call >= 0 && store.callTid(call) !== (store.lanes[lane] || {}).pid
			? ", thread " + store.callTid(call) : "";

		return who + (call >= 0 && store.callFd(call) >= 0 ? ", fd " + store.callFd(call) : "") + tid;
	}

	facts(m, route) {
		const { store } = this.app;
		const send = store.hasCalls ? store.sendCall(m) : NONE;
		const receive = store.hasCalls ? store.receiveCall(m) : NONE;
		const sent = store.hasCalls ? store.sentNs(m) : NaN;
		const received = store.hasCalls ? store.receivedNs(m) : NaN;
		const mechanism = store.mechanisms[route.mechanism];

		return pairs([
			["from", this.endText(route.from, route.fromName, send)],
			["to", this.endText(route.to, route.toName, receive)],
			["bytes", mechanism.form === FORM.EVENT ? "" : bytes(store.bytes[m]) + this.pieces(m)],
			[mechanism.name === "sysv-msg" ? "type" : "priority",
				store.type(m) === undefined ? "" : String(store.type(m))],
			["fate", store.fate(m) ? store.fates[store.fate(m)] : "received"],
			["cut", store.cut(m) ? bytes(store.cut(m)) + " lost" : ""],
			["sent", Number.isNaN(sent) ? "" : "+" + duration(sent) + this.wallClock(sent)],
			["latency", received >= sent ? duration(received - sent) : ""],
			["waited", this.waited(send) || ""],
			["", this.waited(receive) || ""],
		]);
	}

	pieces(m) {
		const { store } = this.app;

		if (!store.hasCalls || (!store.sendOffset[m] && !store.receiveOffset[m])) return "";
		return ", from byte " + count(store.sendOffset[m]) + " of the send to byte " +
			count(store.receiveOffset[m]) + " of the receive";
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

		return store.lanes[store.callLane(call)].title + " " + duration(store.offCpu[call]) +
			(by >= 0 ? ", woken by " + store.lanes[by].title : "") +
			(waker >= 0 ? " (" + store.callName(waker) + ")" : "");
	}

	/* The stack of copies: into the kernel, how long it lay there, out of it. */
	way(m, route) {
		const { store } = this.app;
		const send = store.sendCall(m);
		const receive = store.receiveCall(m);
		const steps = [];

		if (route.signal) return this.signalWay(m);
		if (store.mechanisms[route.mechanism].form === FORM.MEMORY && send >= 0 && receive < 0)
			return section("Its way", this.step("①", "user → user, one copy", send));
		if (send >= 0) steps.push(this.copyStep("①", m, send, "user → kernel"));
		steps.push(this.restStep(m, route, send, receive));
		if (receive >= 0) steps.push(this.copyStep(send >= 0 ? "②" : "①", m, receive, "kernel → user"));
		return section("Its way", ...steps);
	}

	copyStep(number, m, call, what) {
		const moves = MOVES.test(this.app.store.callName(call));
		const data = this.app.store.bytes[m] > 0;

		return this.step(number, moves ? "within the kernel, no copy" : what + (data ? ", a copy" : ""), call);
	}

	step(number, title, call) {
		const { store } = this.app;

		return el("div", { class: "step" }, el("b", {}, number), el("span", {}, title),
			el("code", {}, callText(store, call)), el("small", {}, duration(store.duration[call]) +
				(store.offCpu[call] ? ", of which asleep " + duration(store.offCpu[call]) : "")));
	}

	restStep(m, route, send, receive) {
		const { store } = this.app;
		const object = route.object >= 0 ? store.objects[route.object] : null;
		const from = send >= 0 ? store.exitNs(send) : NaN;
		const to = receive >= 0 ? store.enter[receive] : NaN;
		let text = to > from ? "lay there " + duration(to - from) : "";

		if (send >= 0 && receive >= 0 && !(to > from)) text = "taken at once: the receiver was waiting for it";
		if (route.to === -1) text = "it still lies there, or went with it";
		return el("div", { class: "step kernel" }, el("b", {}, ""),
			el("span", {}, "in " + (object ? object.name : "the kernel")), el("small", {}, text +
			(object && object.capacity ? (text ? ", " : "") + "room for " + bytes(object.capacity) : "")));
	}

	signalWay(m) {
		const { store } = this.app;
		const times = store.signalTimes(m);
		const send = store.sendCall(m);
		const steps = [];
		const plain = (number, title, text) => el("div", { class: "step" }, el("b", {}, number),
			el("span", {}, title), el("small", {}, text));

		if (send >= 0) steps.push(this.step("①", "raised by a call", send));
		else steps.push(plain("①", "raised", "by the kernel, or from outside"));
		if (times.delivered >= 0)
			steps.push(plain("②", "delivered", "pending for " + duration(times.delivered - times.raised)));
		if (times.handled >= 0)
			steps.push(plain("③", "handler returned", "ran for " + duration(times.handled - times.delivered)));
		return section("Its way", ...steps);
	}

	payload(m, route) {
		const { store } = this.app;
		const data = store.payload(m);

		if (route.signal || !store.hasPayload) return null;
		if (!data.length)
			return store.bytes[m] ? section("Payload", el("p", { class: "note" }, "not in the trace")) : null;
		return section("Payload", el("pre", { class: "text" }, lines(data)), el("pre", { class: "hex" }, dump(data)),
			data.length < store.bytes[m] ? el("p", { class: "note" }, "the first " +
				counted(data.length, "byte") + " of " + count(store.bytes[m]) +
				(store.payloadLimit === data.length ? " (this page keeps no more; the trace may)" : "")) : null);
	}

	words(mechanism) {
		const form = { [FORM.STREAM]: "a stream of bytes, without borders",
			[FORM.MESSAGE]: "messages, their borders kept", [FORM.EVENT]: "a notification, no data",
			[FORM.MEMORY]: "shared memory, no transfer" }[mechanism.form];

		return section("In the lecture's words", el("p", { class: "words" },
			[mechanism.direct ? "direct addressing: a process or an end point" : "indirect addressing: a channel",
				form, mechanism.typed ? "typed" : "untyped", mechanism.reliable ? "reliable" : "unreliable",
				mechanism.twoWay ? "bidirectional" : "unidirectional"].join(" · ")));
	}

	/* --- a row that is no message --- */

	said(row) {
		const { store } = this.app;
		const said = store.rowSaid(row);
		const at = store.rowAt[row];
		const lane = said.from >= 0 ? store.lanes[said.from] : null;
		const call = store.hasCalls ? said.call : NONE;

		return [
			el("h2", {}, said.label),
			el("p", { class: "what" }, said.detail || "", said.channel ? " " : null,
				said.channel ? el("span", { class: "mono" }, said.channel) : null),
			pairs([
				["process", lane ? lane.name : ""],
				["command", lane ? lane.command : ""],
				["to", said.to >= 0 ? store.lanes[said.to].name : ""],
				["at", "+" + duration(at) + this.wallClock(at)],
				["told", said.message >= 0 ? messageLabel(store, said.message) + ", message " +
					store.id[said.message] : ""],
				["waited", this.waited(call)],
				["for", call >= 0 ? store.waits(call) : ""],
			]),
			call >= 0 ? section("The call", this.step("", "", call)) : null,
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

	for (let i = items.ofRow(app.selected) + step; i >= 0 && i < items.count; i += step) {
		const row = items.list[i] >>> 2;
		const other = store.rowMessage(row);

		if (other >= 0 && other !== m && store.routeOf(other).talk === talk) {
			app.select(row);
			return;
		}
	}
}

