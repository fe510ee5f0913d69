// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The trace. Times are nanoseconds since the first row; indices count from 0, NONE (-1) is none.
 * What the file has once is a plain object, what it has a million times is a typed array.
 * store.command, host, kernel, version, notes[], startNs, realtimeOffsetNs (BigInt)
 * store.pauses[i]      [at, for how long]: the command was held (record --lossless)
 * store.traffic        "1 send, 4 receives, 4 pieces"; "" if no message is a piece of a call
 * store.begin          {via, group, unfold}: what is seen at first
 * store.bounds         {ROWS_MANY, …}: when what repeats is told once (viz/scene/fold_limits.def)
 * store.mechanisms[i]  {name, help, family, direct, form (FORM), typed, reliable, twoWay}
 * store.lanes[i]       {title, pid, tid, number ("7 ns:1": scene_lane_number), name, command,
 *                      parent, start, end (NaN), before, group (the first lane of those like it),
 *                      birth, exit (rows, NONE), memory (it is no process, but shared memory)}
 * store.objects[i]     {name, mechanism, capacity (bytes, 0: not known), connected (a socket)}
 * store.routes[i]      {from, to, mechanism, object, label, fromName, toName, talk, signal}: what
 *                      many messages share. from, to: lane, NOWHERE, OUTSIDE. label: a signal's
 *                      name, met: what it met, a number. talk: the same in both directions.
 *                      device: of merged traces, the network device that they leave by, or ""
 *                      noise: talk of which one row tells (noise.js), 0: it is none
 * store.said[i]        a row that is no message: {from, to, mechanism, label, detail, channel,
 *                      ambiguous, important, call, row, message (an exit's SIGCHLD), mark (a
 *                      row of store.marks), like (0, or those of one number say the same)}
 * store.marks[i]       a finding, worst first: {severity (SEVERITY), id, text, advice, channel,
 *                      lane, at, lines[], lanes[] (all that it is about), row (where it is
 *                      shown)}
 *
 * Rows, in causal order, r < store.rowCount:
 *   rowKind(r) (KIND), rowPart(r) (PART), rowAt[r], rowMessage(r), rowSaid(r)
 * Messages, by id, m < store.messageCount:
 *   id[m], route[m], bytes[m], rowOf[m], fate(m) (FATE), ambiguous(m), type(m) (undefined: none),
 *   cut(m), isSignal(m), byId(id), payload(m) (Uint8Array, may be cut),
 *   wordsOf(m) (what it says, "GET /hallo", or ""), protocolOf(m)
 * and once store.hasCalls (await store.calls()):
 *   sendCall(m), receiveCall(m), sendOffset[m], receiveOffset[m], sendTotal(m), receiveTotal(m)
 *   (bytes of all pieces of the call), sentNs(m), receivedNs(m) (NaN: not known), signalTimes(m)
 *   {raised, delivered, handled}
 * Calls, c < store.callCount; first those of messages, in order of rows:
 *   callLane(c), callTid(c), callThread(c), callName(c), callFd(c), callObject(c), enter[c],
 *   duration[c], exitNs(c), offCpu[c], resumedNs(c) (NaN: never slept), returned[c],
 *   requested(c), error(c), waits(c), unfinished(c), waker(c), wokenBy(c)
 */
import { arrayOf, readSection } from "./decode.js";
import { speak } from "./say.js";
import { readTables } from "./store_tables.js";

export const NONE = -1;
export const NOWHERE = -1;
export const OUTSIDE = -2;
export const OUTSIDER = { UNTRACED: 0, KERNEL: 1, NOBODY: 2 };

/* enum scene_kind, scene_part, fate of viz/ */
export const KIND = {
	MESSAGE: 0,
	SIGNAL: 1,
	EOF: 2,
	CONNECT: 3,
	MEMORY: 4,
	FORK: 5,
	EXEC: 6,
	EXIT: 7,
	IDLE: 8,
	FAILED: 9,
	WAITING: 10,
	NOTE: 11,
	FOUND: 14,
	REMOVED: 15,
};
/* An arrow from lane to lane that is no message. */
export const isControlKind = (kind) => kind > KIND.SIGNAL && kind <= KIND.FORK;
export const FORM = { STREAM: 1, MESSAGE: 2, EVENT: 3, MEMORY: 4 };
export const SEVERITY = { NOTE: 1, WARNING: 2, ERROR: 3 };
export const PART = { WHOLE: 0, SENT: 1, RECEIVED: 2, UNREAD: 3, DROPPED: 4 };
export const FATE = {
	NONE: 0,
	UNREAD: 1,
	DISCARDED: 2,
	DROPPED: 3,
	TRUNCATED: 4,
	HANDLED: 5,
	IGNORED: 6,
	DEFAULT: 7,
	COALESCED: 8,
	PENDING: 9,
	NO_PROCESS: 10,
};

const FLAG_AMBIGUOUS = 0x10;
const FLAG_TYPED = 0x20;
const FLAG_CUT = 0x40;
const CALL_UNFINISHED = 1;
const CALL_SLEPT = 4;

const words = (text) => text.split(" ");

/* What is kept as it is: keys of the core section, columns of the calls section. */
const PLAIN_KEYS = words(
	"command host kernel version notes pauses fates channelTotal traffic callsLeftOut texts " +
		"begin bounds",
);
const PLAIN_COLUMNS = words("callFlags site duration offCpu send receive sendOffset receiveOffset");

export class Store {
	static async read() {
		const core = await readSection("core");

		speak(core.words);
		return new Store(core);
	}

	constructor(core) {
		for (const name of PLAIN_KEYS) this[name] = core[name];
		this.startNs = BigInt(core.startNs);
		this.realtimeOffsetNs = BigInt(core.realtimeOffsetNs);
		Object.assign(this, readTables(core));
		this.readRows(core.columns);
		this.readMessages(core.columns, core.largeTypes);
		this.hasCalls = this.hasPayload = false;
	}

	/* rowRef: a message, or below 0 the place in said, from -1. */
	readRows(columns) {
		const count = columns.rowKind.length;
		const messages = columns.rowMessage;
		const ref = new Int32Array(count);
		let said = 0;
		let message = 0;

		for (let r = 0; r < count; r++) {
			const kind = columns.rowKind[r] & 15;
			const has = columns.rowKind[r] & 128;

			if (kind <= KIND.SIGNAL) {
				ref[r] = messages[message++];
				continue;
			}
			this.said[said].row = r;
			if (has) this.said[said].message = messages[message++];
			if (kind === KIND.EXIT) this.exits(this.said[said], r);
			if (kind === KIND.FORK) this.births(this.said[said], r);
			ref[r] = -1 - said++;
		}
		this.rowCount = count;
		this.rowKinds = columns.rowKind;
		this.rowAt = columns.rowAt;
		this.rowRef = ref;
		this.placeMarks();
		this.endNs = count ? columns.rowAt[count - 1] : 0;
	}

	/* An exit is more than the signal that tells of it. */
	exits(said, row) {
		said.mechanism = 0;
		if (said.from >= 0) this.lanes[said.from].exit = row;
	}

	births({ to }, row) {
		if (to >= 0 && this.lanes[to].birth < 0) this.lanes[to].birth = row;
	}

	/* Notes have no row of their own: the last one before them. */
	placeMarks() {
		for (const mark of this.marks)
			mark.row = Math.min(Math.max(0, this.rowAtTime(mark.at + 1) - 1), this.rowCount - 1);
		for (const said of this.said) if (said.mark >= 0) this.marks[said.mark].row = said.row;
	}

	readMessages(columns, largeTypes) {
		const count = columns.id.length;

		this.messageCount = count;
		this.id = columns.id;
		this.route = columns.route;
		this.bytes = columns.bytes;
		this.flags = columns.flags;
		this.types = sparse(columns.flags, FLAG_TYPED, columns.type);
		for (const [m, digits] of largeTypes) this.types.set(m, BigInt(digits));
		this.cuts = sparse(columns.flags, FLAG_CUT, columns.cut);
		this.rowOf = new Uint32Array(count);
		for (let r = this.rowCount - 1; r >= 0; r--)
			if (this.rowRef[r] >= 0) this.rowOf[this.rowRef[r]] = r;
		for (const said of this.said) if (said.message >= 0) this.rowOf[said.message] = said.row;
	}

	/* --- rows and messages --- */

	rowKind(r) {
		return this.rowKinds[r] & 15;
	}
	rowPart(r) {
		return (this.rowKinds[r] >> 4) & 7;
	}
	rowMessage(r) {
		if (r >= this.rowCount) return NONE; /* a fold's number */
		return this.rowRef[r] >= 0 ? this.rowRef[r] : this.rowSaid(r).message;
	}
	rowSaid(r) {
		return this.said[-1 - this.rowRef[r]];
	}
	/* Where the words or the route are: both have from, to, mechanism. */
	rowEnds(r) {
		return this.rowRef[r] >= 0 ? this.routes[this.route[this.rowRef[r]]] : this.rowSaid(r);
	}
	routeOf(m) {
		return this.routes[this.route[m]];
	}
	fate(m) {
		return this.flags[m] & 15;
	}
	ambiguous(m) {
		return (this.flags[m] & FLAG_AMBIGUOUS) !== 0;
	}
	type(m) {
		return this.types.get(m);
	}
	cut(m) {
		return this.cuts.get(m) || 0;
	}
	isSignal(m) {
		return this.routes[this.route[m]].signal;
	}

	/* The message with this id, or NONE. */
	byId(id) {
		let low = 0;
		let high = this.messageCount;

		while (low < high) {
			const middle = (low + high) >> 1;

			if (this.id[middle] < id) low = middle + 1;
			else high = middle;
		}
		return low < this.messageCount && this.id[low] === id ? low : NONE;
	}

	/* The first row that is drawn at this time or later. */
	rowAtTime(ns) {
		let low = 0;
		let high = this.rowCount;

		while (low < high) {
			const middle = (low + high) >> 1;

			if (this.rowAt[middle] < ns) low = middle + 1;
			else high = middle;
		}
		return low;
	}

	/* --- calls --- */

	async readCalls() {
		const section = await readSection("calls");
		const columns = section.columns;
		this.threads = section.threads;
		this.sites = section.sites;
		for (const name of PLAIN_COLUMNS) this[name] = columns[name];
		this.resumedBefore = columns.resumed;
		this.requestedRaw = columns.requested;
		this.largeLengths = new Map(section.largeLengths);
		this.errorText = columns.error;
		this.waitsText = columns.waits;
		this.wakerBefore = columns.waker;
		this.wokenByLane = columns.wokenBy;
		this.readyBefore = columns.ready;
		this.callCount = columns.site.length;
		this.placeCalls(columns, section.enterSpan, section.returnedSpan);
		this.readSignals(columns);
		this.sendTotals = this.totalsOf(this.send, this.sendOffset);
		this.receiveTotals = this.totalsOf(this.receive, this.receiveOffset);
		this.hasCalls = true;
	}

	/* Of calls with several pieces, how many bytes these have together: by the call's number. */
	totalsOf(calls, offsets) {
		const totals = new Map();

		for (let m = 0; m < this.messageCount; m++) {
			if (!offsets[m] || !calls[m]) continue;
			const end = offsets[m] + this.bytes[m];

			if (!(totals.get(calls[m]) >= end)) totals.set(calls[m], end);
		}
		return totals;
	}

	/* The bytes of the whole send or receive of which it is a piece, or its own. */
	sendTotal(m) {
		return (this.hasCalls && this.sendTotals.get(this.send[m])) || this.bytes[m];
	}
	receiveTotal(m) {
		return (this.hasCalls && this.receiveTotals.get(this.receive[m])) || this.bytes[m];
	}

	/*
	 * In the file a call's begin is told from its first row on, and its result as what it differs
	 * from the bytes of that message.
	 */
	placeCalls(columns, enterSpan, returnedSpan) {
		const enter = arrayOf(...enterSpan, this.callCount);
		const returned = arrayOf(...returnedSpan, this.callCount);
		let next = 0;
		const place = (c, r, bytes) => {
			if (c !== next) return;
			enter[c] = columns.enter[c] + this.rowAt[r];
			returned[c] = columns.returned[c] + bytes;
			next++;
		};

		for (let r = 0; r < this.rowCount; r++) {
			const m = this.rowRef[r];

			if (m >= 0) {
				place(this.send[m] - 1, r, this.bytes[m]);
				place(this.receive[m] - 1, r, this.bytes[m]);
			} else {
				const { call, message } = this.said[-1 - m];

				place(call, r, message >= 0 ? this.bytes[message] : 0);
			}
		}
		for (; next < this.callCount; next++) {
			enter[next] = columns.enter[next] + (next > 0 ? enter[next - 1] : 0);
			returned[next] = columns.returned[next];
		}
		this.enter = enter;
		this.returned = returned;
	}

	readSignals(columns) {
		const time = (value) => (value ? value - 1 : NaN);
		let at = 0;

		this.signals = new Map();
		for (let m = 0; m < this.messageCount; m++) {
			if (!this.isSignal(m)) continue;
			const raised = time(columns.raised[at]);
			const delivered = time(columns.delivered[at]);
			const handled = time(columns.handled[at++]);

			/* A call that takes it may have begun before it was raised. */
			this.signals.set(m, { raised, delivered: Math.max(delivered, raised || 0), handled });
		}
	}

	sendCall(m) {
		return this.send[m] - 1;
	}
	receiveCall(m) {
		return this.receive[m] - 1;
	}
	callThread(c) {
		return this.sites[this.site[c]][0];
	}
	callLane(c) {
		return this.threads[this.callThread(c)][0];
	}
	callTid(c) {
		return this.threads[this.callThread(c)][1];
	}
	callName(c) {
		return this.texts[this.sites[this.site[c]][1]];
	}
	callFd(c) {
		return this.sites[this.site[c]][2];
	}
	callObject(c) {
		const object = this.sites[this.site[c]][3];
		return object === null ? NONE : object;
	}
	exitNs(c) {
		return this.enter[c] + this.duration[c];
	}
	unfinished(c) {
		return (this.callFlags[c] & CALL_UNFINISHED) !== 0;
	}
	resumedNs(c) {
		return this.callFlags[c] & CALL_SLEPT ? this.exitNs(c) - this.resumedBefore[c] : NaN;
	}
	/* Beyond 2^53 a BigInt. */
	requested(c) {
		if (this.largeLengths.has(c)) return BigInt(this.largeLengths.get(c));
		return this.requestedRaw[c] ? this.requestedRaw[c] - 1 : this.returned[c];
	}
	error(c) {
		return this.texts[this.errorText[c]];
	}
	waits(c) {
		return this.texts[this.waitsText[c]];
	}
	waker(c) {
		return this.wakerBefore[c] ? c - this.wakerBefore[c] : NONE;
	}
	wokenBy(c) {
		return this.wokenByLane[c] - 1;
	}
	signalTimes(m) {
		return this.signals.get(m);
	}

	/* When its call began, of whose bytes it may be one piece of several. */
	sentNs(m) {
		const send = this.sendCall(m);

		if (this.isSignal(m)) return this.signals.get(m).raised;
		return send < 0 ? NaN : this.enter[send];
	}

	receivedNs(m) {
		const receive = this.receiveCall(m);

		if (this.isSignal(m)) return this.signals.get(m).delivered;
		return receive < 0 ? NaN : this.exitNs(receive);
	}

	/* --- payload --- */

	async readPayload() {
		const section = await readSection("payload");
		const lengths = section.columns.payloadLen;

		this.payloadAt = new Uint32Array(lengths.length + 1);
		for (let m = 0; m < lengths.length; m++)
			this.payloadAt[m + 1] = this.payloadAt[m] + lengths[m];
		this.payloads = section.columns.payload;
		this.words = section.columns.words;
		this.protocol = section.columns.protocol;
		this.payloadLimit = section.limit;
		this.payloadsCut = section.cut;
		this.hasPayload = true;
	}

	payload(m) {
		if (!this.hasPayload) return new Uint8Array(0);
		return this.payloads.subarray(this.payloadAt[m], this.payloadAt[m + 1]);
	}

	wordsOf(m) {
		return this.hasPayload ? this.texts[this.words[m]] : "";
	}
	protocolOf(m) {
		return this.texts[this.protocol[m]];
	}
}

/* Values of those that have the flag, by message. */
function sparse(flags, flag, values) {
	const map = new Map();
	let at = 0;

	for (let m = 0; values.length && m < flags.length; m++)
		if (flags[m] & flag) map.set(m, values[at++]);
	return map;
}
