// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What happens at a step: a sentence, and the arrow that shows it. */
import { FATE, KIND, OUTSIDE } from "./store.js";
import { STEP } from "./play_steps.js";
import { STATE } from "./play_states.js";
import { KEY, bytes, count, duration, quoted } from "./format.js";
import { say } from "./say.js";

const PREVIEW = 24;

/* The beginning of a payload, as text. */
export function preview(store, m, most = PREVIEW) {
	const data = store.payload(m);
	const text = quoted(data.subarray(0, most));

	return text && data.length > most ? text + "…" : text;
}

export function laneName(store, lane, outside) {
	if (lane >= 0) return store.lanes[lane].name;
	return lane === OUTSIDE ? outside || say("outside") : say("nobody");
}

/* Without the key that a queue was found by. */
export const objectName = (store, object) =>
	object >= 0 ? store.objects[object].name.replace(KEY, "") : "";

/* "read(0)" */
export function callName(store, c) {
	const fd = store.callFd(c);

	return store.callName(c) + (fd >= 0 ? "(" + fd + ")" : "()");
}

const RECEIVES = /^(p?read|recv|msgrcv|mq_(timed)?receive)/;
const SENDS = /^(p?write|send|msgsnd|mq_(timed)?send)/;

/* Why a call sleeps: "for data in pipe:[77]". */
export function waitsFor(store, c) {
	const name = store.callName(c);
	const object = objectName(store, store.callObject(c));
	const waits = store.waits(c);

	if (RECEIVES.test(name)) return say("for data in {}", object || say("it"));
	if (SENDS.test(name)) return say("for room in {}", object || say("it"));
	if (/^accept/.test(name)) return say("for a connection to {}", object || say("it"));
	if (/^connect/.test(name)) return say("for the other side");
	if (/^(wait|waitid)/.test(name)) return say("for a child");
	return waits || (object ? say("for {}", object) : "");
}

export function stateWords(store, now) {
	if (now.call < 0) return "";
	const name = callName(store, now.call);

	return now.state === STATE.BLOCKED || now.state === STATE.READY
		? (name + " " + waitsFor(store, now.call)).trim()
		: name;
}

export function typeWords(store, m) {
	const type = store.type(m);
	const queue = store.mechanisms[store.routeOf(m).mechanism].name;

	if (type === undefined) return "";
	return say(queue === "sysv-msg" ? "type {}" : "prio {}", type);
}

/* --- sentences --- */

/* Of all messages that one call moved at once. */
function amount(store, steps, from, to) {
	let size = 0;

	for (let s = from; s <= to; s++) size += store.bytes[steps.ref[s]];
	return bytes(size) + (to > from ? say(" ({} pieces)", count(to - from + 1)) : "");
}

function quote(store, m) {
	const text = preview(store, m);
	const type = typeWords(store, m);

	return (text ? ' "' + text + '"' : "") + (type ? ", " + type : "");
}

function moved(store, steps, from, to) {
	const m = steps.ref[to];
	const route = store.routeOf(m);
	const sends = steps.kind[to] === STEP.IN;
	const call = steps.callOf(to);
	const who = laneName(
		store,
		sends ? route.from : route.to,
		sends ? route.fromName : route.toName,
	);
	const object = objectName(store, route.object);
	const event = store.mechanisms[route.mechanism].form > 2;
	const how = call >= 0 ? who + " " + callName(store, call) + ": " : who + ": ";
	const rest = sends ? times(store, m) : fate(store, m);

	const size = amount(store, steps, from, to);

	if (event) return how + say(sends ? "posts to {}" : "takes from {}", object || say("it"));
	return (
		how +
		(object
			? say(sends ? "{} copied into {}" : "{} copied out of {}", size, object)
			: say(sends ? "{} copied into the kernel" : "{} copied out of the kernel", size)) +
		quote(store, steps.ref[from]) +
		rest
	);
}

function times(store, m) {
	return store.fate(m) === FATE.DROPPED ? say(": dropped, nobody will get it") : "";
}

function fate(store, m) {
	const late = store.receivedNs(m) - store.sentNs(m);

	return late >= 0 ? say(", {} after it was sent", duration(late)) : "";
}

function slept(store, steps, s) {
	const c = steps.ref[s];
	const who = laneName(store, store.callLane(c));
	const waker = store.wokenBy(c);
	const waits = waitsFor(store, c);

	if (steps.kind[s] === STEP.SLEEP)
		return (
			say("{} blocks in {}", who, callName(store, c)) +
			(waits ? say(": waits {}", waits) : "")
		);
	if (steps.kind[s] === STEP.WAKE)
		return waker >= 0
			? say("{} wakes {}: it is ready", laneName(store, waker), who)
			: say("{} is woken: it is ready", who);
	return say("{} runs again, after {}", who, duration(store.offCpu[c]));
}

function signalled(store, steps, s) {
	const m = steps.ref[s];
	const route = store.routeOf(m);
	const to = laneName(store, route.to, route.toName);
	const fateName = store.fates[store.fate(m)];
	const never = Number.isNaN(store.signalTimes(m).delivered);

	if (steps.kind[s] === STEP.RAISED)
		return (
			say(
				"{} sends {} to {}",
				route.from >= 0 ? laneName(store, route.from) : say("the kernel"),
				route.label,
				to,
			) + (never ? ": " + fateName : "")
		);
	if (steps.kind[s] === STEP.DELIVERED) return say("{} gets {}: {}", to, route.label, fateName);
	return say("{} returns from its handler of {}", to, route.label);
}

function said(store, row) {
	const { from, to, label, detail } = store.rowSaid(row);
	const who = from >= 0 ? laneName(store, from) + " " : "";
	const whom = to >= 0 && to !== from ? " → " + laneName(store, to) : "";

	if (store.rowKind(row) === KIND.EOF)
		return (
			say("EOF for {}", laneName(store, to >= 0 ? to : from)) + (detail ? ": " + detail : "")
		);
	return (who + label + whom + (detail ? ": " + detail : "")).trim();
}

/* Of the steps from, …, to, which happen at once. */
export function sentence(store, steps, from, to) {
	switch (steps.kind[from]) {
		case STEP.IN:
		case STEP.OUT:
			return moved(store, steps, from, to);
		case STEP.SAID:
			return said(store, steps.ref[from]);
		case STEP.SLEEP:
		case STEP.WAKE:
		case STEP.RUN:
			return slept(store, steps, to);
		default:
			return signalled(store, steps, to);
	}
}

/* --- arrows --- */

/*
 * {from, to, label, kind}: the ends are {lane} or {object}, or null for what is not there. kind is
 * copy, signal, wake or control.
 */
export function arrow(store, steps, from, to) {
	const ref = steps.ref[to];

	switch (steps.kind[to]) {
		case STEP.IN:
		case STEP.OUT:
			return copyArrow(store, steps, from, to);
		case STEP.WAKE:
			return {
				from: end(store.wokenBy(ref)),
				to: end(store.callLane(ref)),
				label: say("wakes"),
				kind: "wake",
			};
		case STEP.SLEEP:
		case STEP.RUN:
			return { from: end(store.callLane(ref)), to: null, label: "", kind: "none" };
		case STEP.SAID:
			return saidArrow(store, ref);
		default:
			return signalArrow(store, steps, to);
	}
}

const end = (lane) => (lane >= 0 ? { lane } : null);

function copyArrow(store, steps, from, to) {
	const route = store.routeOf(steps.ref[to]);
	const object = route.object >= 0 ? { object: route.object } : null;
	const event = store.mechanisms[route.mechanism].form > 2;
	const sends = steps.kind[to] === STEP.IN;
	const label = event ? "" : say("copy {}", amount(store, steps, from, to));

	return {
		from: sends ? end(route.from) : object,
		to: sends ? object : end(route.to),
		label: event ? say(sends ? "post" : "take") : (sends ? "① " : "② ") + label,
		kind: event ? "wake" : "copy",
		mechanism: route.mechanism,
	};
}

function signalArrow(store, steps, s) {
	const route = store.routeOf(steps.ref[s]);
	const label = route.label + (steps.kind[s] === STEP.HANDLED ? say(" handled") : "");

	return {
		from: steps.kind[s] === STEP.RAISED ? end(route.from) : null,
		to: end(route.to),
		label,
		kind: "signal",
		mechanism: route.mechanism,
	};
}

function saidArrow(store, row) {
	const { from, to, label, channel } = store.rowSaid(row);
	const kind = store.rowKind(row);
	const object = store.objects.findIndex((each) => each.name === channel);

	if (kind === KIND.EOF)
		return {
			from: object >= 0 ? { object } : null,
			to: end(to >= 0 ? to : from),
			label,
			kind: "control",
		};
	return {
		from: end(from),
		to: to >= 0 ? end(to) : object >= 0 ? { object } : null,
		label,
		kind: kind === KIND.FOUND || kind === KIND.FAILED ? "bad" : "control",
	};
}
