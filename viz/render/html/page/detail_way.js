// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A message's way: into the kernel, how long it lay there, out of it. */
import { el } from "./dom.js";
import { bytes, count, duration } from "./format.js";
import { say } from "./say.js";
import { FATE, FORM, NONE } from "./store.js";

const MOVES = /^(splice|tee|vmsplice|sendfile|copy_file_range)/;

export const section = (title, ...children) => el("section", {}, el("h3", {}, title), ...children);

/* "write(1, …, 17) = 17" */
export function callText(store, c) {
	const fd = store.callFd(c);
	const size = store.requested(c);
	const inner = [fd >= 0 ? String(fd) : "", size >= 0 && size ? count(size) : ""].filter(Boolean);
	const result = store.unfinished(c)
		? " …"
		: " = " + (store.error(c) ? "−" + store.error(c) : store.returned[c]);

	return store.callName(c) + "(" + inner.join(", … ") + ")" + result;
}

export class Way {
	constructor(app) {
		this.app = app;
	}

	of(m, route) {
		const { store } = this.app;
		const send = store.sendCall(m);
		const receive = store.receiveCall(m);
		const steps = [];

		if (route.signal) return this.signalWay(m);
		if (store.mechanisms[route.mechanism].form === FORM.MEMORY && send >= 0 && receive < 0)
			return section(say("Its way"), this.step("①", say("user → user, one copy"), send));
		if (send >= 0) steps.push(this.copyStep("①", m, send, say("user → kernel")));
		steps.push(this.restStep(m, route, send, receive));
		if (receive >= 0)
			steps.push(this.copyStep(send >= 0 ? "②" : "①", m, receive, say("kernel → user")));
		return section(say("Its way"), ...steps);
	}

	copyStep(number, m, call, what) {
		const moves = MOVES.test(this.app.store.callName(call));
		const data = this.app.store.bytes[m] > 0;

		return this.step(
			number,
			moves ? say("within the kernel, no copy") : what + (data ? say(", a copy") : ""),
			call,
		);
	}

	step(number, title, call) {
		const { store } = this.app;

		return el(
			"div",
			{ class: "step" },
			el("b", {}, number),
			el("span", {}, title),
			el("code", {}, callText(store, call)),
			el(
				"small",
				{},
				duration(store.duration[call]) +
					(store.offCpu[call]
						? say(", of which asleep {}", duration(store.offCpu[call]))
						: ""),
			),
		);
	}

	restStep(m, route, send, receive) {
		const { store } = this.app;
		const object = route.object >= 0 ? store.objects[route.object] : null;
		const from = send >= 0 ? store.exitNs(send) : NaN;
		const to = receive >= 0 ? store.enter[receive] : NaN;
		let text = to > from ? say("lay there {}", duration(to - from)) : "";

		if (send >= 0 && receive >= 0 && !(to > from))
			text = say("taken at once: the receiver was waiting for it");
		if (route.to === NONE) text = say("it still lies there, or went with it");
		return el(
			"div",
			{ class: "step kernel" },
			el("b", {}, ""),
			el("span", {}, object ? say("in {}", object.name) : say("in the kernel")),
			el(
				"small",
				{},
				text +
					(object && object.capacity
						? (text ? ", " : "") + say("room for {}", bytes(object.capacity))
						: ""),
			),
		);
	}

	signalWay(m) {
		const { store } = this.app;
		const times = store.signalTimes(m);
		const send = store.sendCall(m);
		const steps = [];
		const plain = (number, title, text) =>
			el(
				"div",
				{ class: "step" },
				el("b", {}, number),
				el("span", {}, say(title)),
				el("small", {}, text),
			);

		if (send >= 0) steps.push(this.step("①", say("raised by a call"), send));
		else steps.push(plain("①", "raised", say("by the kernel, or from outside")));
		if (times.delivered >= 0)
			steps.push(
				plain(
					"②",
					"delivered",
					say("pending for {}", duration(times.delivered - times.raised)),
				),
			);
		if (times.handled >= 0 && store.fate(m) === FATE.HANDLED)
			steps.push(
				plain(
					"③",
					"handler returned",
					say("ran for {}", duration(times.handled - times.delivered)),
				),
			);
		return section(say("Its way"), ...steps);
	}
}
