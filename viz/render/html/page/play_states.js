// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Whether a process runs, is ready or blocked at a moment, and on what. */
import { asleepNs, wokenNs } from "./play_steps.js";

/* The most alive first: of a process with several threads that is what it does. */
export const STATE = {
	HANDLER: "in a handler",
	CALL: "runs in the kernel",
	RUNS: "runs",
	READY: "ready",
	BLOCKED: "blocked",
	UNBORN: "not yet there",
	GONE: "has ended",
};
const ORDER = Object.values(STATE);

export class States {
	constructor(store) {
		const lists = store.threads.map(() => []);

		this.store = store;
		for (let c = 0; c < store.callCount; c++) lists[store.callThread(c)].push(c);
		this.threads = lists.map((list) => {
			const calls = Uint32Array.from(list.sort((a, b) => store.enter[a] - store.enter[b]));

			return { calls, enter: Float64Array.from(calls, (c) => store.enter[c]) };
		});
		this.ofLane = store.lanes.map(() => []);
		store.threads.forEach(([lane], thread) => {
			if (lane >= 0) this.ofLane[lane].push(thread);
		});
	}

	/* {state, call (-1: none), threads, blocked: how many of them} */
	at(lane, ns) {
		const { start, end, before } = this.store.lanes[lane];
		const threads = this.ofLane[lane];
		const nothing = { call: -1, threads: threads.length, blocked: 0 };

		if (!before && ns < start) return { state: STATE.UNBORN, ...nothing };
		if (ns >= end) return { state: STATE.GONE, ...nothing };
		let best = null;
		let blocked = 0;

		for (const thread of threads) {
			const now = this.ofThread(this.threads[thread], ns);

			blocked += now.state === STATE.BLOCKED ? 1 : 0;
			if (!best || ORDER.indexOf(now.state) < ORDER.indexOf(best.state)) best = now;
		}
		return { ...(best || { state: STATE.RUNS, call: -1 }), threads: threads.length, blocked };
	}

	ofThread({ calls, enter }, ns) {
		let low = 0;
		let high = calls.length;

		while (low < high) {
			const middle = (low + high) >> 1;

			if (enter[middle] <= ns) low = middle + 1;
			else high = middle;
		}
		const call = low ? calls[low - 1] : -1;

		if (call < 0 || (!this.store.unfinished(call) && this.store.exitNs(call) <= ns))
			return { state: STATE.RUNS, call: -1 };
		return { state: this.within(call, ns), call };
	}

	within(call, ns) {
		const { store } = this;

		if (!(ns >= asleepNs(store, call))) return STATE.CALL;
		if (store.unfinished(call)) return STATE.BLOCKED;
		if (ns >= store.resumedNs(call)) return STATE.CALL;
		return ns >= wokenNs(store, call) ? STATE.READY : STATE.BLOCKED;
	}
}
