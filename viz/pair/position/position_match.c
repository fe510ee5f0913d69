// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Matches a flow by places. The sends that have a place are laid on stream offsets, one behind the
 * other, with a gap where something is missing between them. Each receive is then laid on these
 * offsets by the places where it began and ended.
 */
#include "viz/base/sort.h"
#include "viz/pair/position/packet_places.h"
#include "viz/pair/position/spliced.h"
#include "viz/pair/position/tcp_runs.h"
#include "viz/pair/position/write_segments.h"

/* The time (ns) from which on a receive may have taken bytes of a send that has no place yet. */
static uint64_t first_unplaced(const struct placing *p)
{
	uint64_t first_ns = VIZ_NEVER;

	for (size_t i = p->sends; i < p->flow->sends.count; i++) {
		const struct flow_item *item = &p->flow->sends.items[i];

		if (!item->join.used && item->enter_ns < first_ns)
			first_ns = item->enter_ns;
	}
	return pair_is_last(p->context) ? VIZ_NEVER : first_ns;
}

/*
 * The time from which on a receive may have taken bytes. One that slept took them when it ran again
 * for the last time, unless it may sleep with a part of them.
 */
static uint64_t took_from_ns(const struct viz_operation *op)
{
	bool once = op->resumed_ns && !operation_waits_for_all(op) &&
		    op->extra->received_at_count <= 2;

	return once ? op->resumed_ns : op->enter_ns;
}

/*
 * The time (ns) from which on receives cannot be matched yet: one that is not completed may have
 * taken bytes then.
 */
static uint64_t first_unsettled_receive(const struct placing *p)
{
	uint64_t first_ns = p->flow->open_part_ns, unplaced_ns = first_unplaced(p);

	for (size_t i = 0; i < p->flow->receives.count; i++) {
		const struct flow_item *item = &p->flow->receives.items[i];

		if (item->enter_ns >= first_ns)
			continue; /* it took nothing before that time */
		if (!flow_is_settled(p->flow, item) || unplaced_ns <= item->exit_ns)
			first_ns = at_most(took_from_ns(item->op), first_ns);
	}
	return first_ns;
}

static uint64_t next_if_empty(const struct placing *p, const struct viz_position *position,
			      uint64_t place)
{
	return !p->linear && position->head == position->tail ? offsets_next_slot_at(p, place) : 0;
}

/*
 * The stream offset of a pipe's first byte at that position, if it lies before the first known
 * place: as many bytes before the last one as the kernel counted. 0 if unknown, or not before it;
 * also if records are missing, because the first known place may then be that of a later send.
 */
static uint64_t before_first_offset(const struct placing *p, const struct viz_position *position,
				    uint64_t place)
{
	uint64_t end;

	if (p->context->lost || p->linear || !p->sends ||
	    place >= p->flow->sends.items[0].place.from || place <= p->flow->stream.taken_to ||
	    position->head == position->tail || !position->has_bytes)
		return 0;
	end = offsets_exactly_at(p, place_of_position(p, position, true));
	return end > position->bytes ? end - position->bytes : 0;
}

static uint64_t offset_of_begin(const struct placing *p, const struct flow_item *item)
{
	const struct viz_operation *op = item->op;
	const struct viz_position *lock = operation_pipe_lock(op, false);
	uint64_t lo = item->place.window.lo;
	uint64_t offset = lock->known ? 0 : next_if_empty(p, &op->at_entry, lo);

	if (!offset)
		offset = before_first_offset(p, lock->known ? lock : &op->at_entry, lo);
	return offset ? offset : offsets_at(p, lo);
}

/* Sets `loose`, too. */
static uint64_t offset_of_end(const struct placing *p, struct flow_item *item)
{
	const struct viz_position *exit = &item->op->at_exit;
	uint64_t hi = item->place.window.hi;
	uint64_t next = next_if_empty(p, exit, hi), before = before_first_offset(p, exit, hi);
	uint64_t least = offsets_at(p, hi), most = offsets_end_at(p, hi);

	item->place.loose = !next && !before && least + HOLE / 2 > most && least != most;
	item->ambiguous |= item->place.loose && p->context->lost;
	return before ? before : at_most(most, next ? next : VIZ_NEVER);
}

/* Sets place.offsets of a receive: its window converted from places to stream offsets. */
static void lay_window(const struct placing *p, struct flow_item *item)
{
	item->place.offsets.lo = offset_of_begin(p, item);
	item->place.offsets.hi = offset_of_end(p, item);
}

static void list_receives(struct placing *p)
{
	struct flow_side *side = &p->flow->receives;
	uint64_t until_ns = first_unsettled_receive(p);

	for (size_t i = 0; i < side->count; i++) {
		struct flow_item *item = &side->items[i];

		if (!flow_is_settled(p->flow, item) || item->exit_ns >= until_ns)
			continue;
		window_set(p, item, false);
		lay_window(p, item);
		ARENA_PUSH(p->context->round, p->receives, p->receive_count, item);
	}
	sort_nearly(p->receives, p->receive_count, sizeof(*p->receives), placing_compare_exits);
}

/* True only in a damaged trace: the receive returned before the send began whose place it read. */
static bool is_too_early(const struct flow_item *send, const struct flow_item *receive)
{
	return receive->exit_ns < send->enter_ns;
}

/*
 * Adds the message of `len` bytes at the stream offset `at`; `send` NULL: their sender is unknown.
 */
static void add_part(struct placing *p, const struct flow_item *send,
		     const struct flow_item *receive, uint64_t at, uint64_t len)
{
	struct flow_piece piece = {.send = send, .receive = receive, .start = at, .amount = len};
	struct viz_message *message;
	bool ambiguous = !send || send->ambiguous || receive->ambiguous ||
			 is_too_early(send, receive) || flow_contradicts(p->flow, &piece);

	message = pair_add_part(p->context, p->route, &piece);
	message->match = ambiguous ? MATCH_AMBIGUOUS : MATCH_EXACT;
	packets_report_cut(p, &piece, message);
}

static void report_gap(struct placing *p, uint64_t units, uint64_t from_ns, uint64_t to_ns)
{
	struct viz_gap gap = {.mechanism = p->route->mechanism,
			      .channel = p->route->channel,
			      .units = units,
			      .bytes = !p->flow->whole,
			      .from_ns = from_ns,
			      .to_ns = to_ns};

	pair_add_gap(p->context, &gap);
}

/*
 * Marks the bytes before the stream offset `until` as used and returns how many of them no known
 * receive took.
 */
static uint64_t skip_until(struct placing *p, uint64_t until)
{
	uint64_t skipped = 0;

	for (; p->skipped < p->sends; p->skipped++) {
		struct flow_item *item = &p->flow->sends.items[p->skipped];
		uint64_t before;

		if (item->join.start >= until)
			break;
		before = at_most(until - item->join.start, item->amount);
		if (before > item->join.used) {
			skipped += before - item->join.used;
			item->join.used = before;
		}
		if (item->join.used < item->amount)
			break;
	}
	return skipped;
}

/* Adds a message of unknown sender for the bytes [at, to) of a receive; returns their number. */
static uint64_t add_unknown(struct placing *p, const struct flow_item *receive, uint64_t at,
			    uint64_t to)
{
	if (to > at)
		add_part(p, NULL, receive, at, to - at);
	return to - at;
}

/*
 * Matches a receive, whose bytes are at the stream offsets [begin, begin + amount), with the sends
 * there. Returns how many of its bytes have no known send.
 */
static uint64_t lay(struct placing *p, struct flow_item *receive, uint64_t begin, bool ambiguous)
{
	uint64_t laid = begin, end = begin + receive->amount, unknown = 0;

	receive->join.start = begin;
	receive->ambiguous |= ambiguous;
	for (size_t i = offsets_reaching(p, begin); i < p->sends && laid < end; i++) {
		struct flow_item *send = &p->flow->sends.items[i];
		uint64_t from = send->join.start > begin ? send->join.start : begin;
		uint64_t to = at_most(send->join.start + send->amount, end);

		if (from >= to)
			break;
		if (i + FETCH_AHEAD < p->sends)
			viz_operation_fetch(send[FETCH_AHEAD].op);
		unknown += add_unknown(p, receive, laid, from);
		add_part(p, send, receive, from, to - from);
		if (to - send->join.start > send->join.used)
			send->join.used = to - send->join.start;
		laid = to;
	}
	unknown += add_unknown(p, receive, laid, end);
	receive->join.used = receive->amount;
	if (unknown && receive->exit_ns > p->flow->stream.unknown_ns)
		p->flow->stream.unknown_ns = receive->exit_ns;
	return unknown;
}

/* The send in which, or at whose end, a place lies; NULL if something is missing there. */
static const struct flow_item *send_around(const struct placing *p, uint64_t place)
{
	size_t i = offsets_send_at(p, place);

	return i < p->sends && place <= p->flow->sends.items[i].place.to ? &p->flow->sends.items[i]
									 : NULL;
}

/* The first stream offset from `begin` on that no matched receive has taken. */
static uint64_t behind_used(const struct placing *p, uint64_t begin)
{
	for (size_t i = offsets_reaching(p, begin); i < p->sends; i++) {
		const struct flow_item *send = &p->flow->sends.items[i];

		if (send->join.start > begin || send->join.start + send->join.used <= begin)
			break;
		begin = send->join.start + send->join.used;
	}
	return begin;
}

/*
 * Lays a receive in whose window something is missing: by its end if a send is known there, else by
 * its beginning. Its messages are ambiguous.
 */
static void lay_holed(struct placing *p, struct flow_item *receive)
{
	const struct window *offsets = &receive->place.offsets;
	const struct flow_item *last = send_around(p, receive->place.window.hi);
	uint64_t begin = 1; /* an offset where no send lies */
	uint64_t missing = receive->amount;

	if (last && offsets->hi > last->join.start && offsets->hi > receive->amount)
		begin = offsets->hi - receive->amount; /* the missing bytes come first */
	else if (offsets->lo && send_around(p, receive->place.window.lo))
		begin = behind_used(p, offsets->lo);
	if (offsets->hi > offsets->lo && offsets->hi - offsets->lo < missing)
		missing -= offsets->hi - offsets->lo;
	report_gap(p, missing, receive->enter_ns, receive->exit_ns);
	lay(p, receive, begin, true);
	p->flow->stream.unknown_ns = at_least(p->flow->stream.unknown_ns, receive->exit_ns);
}

/* The receives' leave_out: lay_holed() reports the gap when it comes to this receive. */
static void leave_open(struct placing *p, struct flow_item *receive)
{
	(void)p;
	receive->place.placed = false;
}

static uint64_t begin_of(const struct flow_item *receive)
{
	return receive->place.placed ? receive->join.start : receive->place.offsets.lo;
}

static int compare_begins(const void *a, const void *b)
{
	const struct flow_item *x = *(struct flow_item *const *)a;
	const struct flow_item *y = *(struct flow_item *const *)b;

	if (begin_of(x) != begin_of(y))
		return begin_of(x) < begin_of(y) ? -1 : 1;
	return (x->exit_ns > y->exit_ns) - (x->exit_ns < y->exit_ns);
}

/* Skips sent bytes before this receive that went to receives missing in the trace, as a gap. */
static void skip_to(struct placing *p, const struct flow_item *receive)
{
	uint64_t skipped = skip_until(p, begin_of(receive));

	if (skipped)
		report_gap(p, skipped, p->flow->stream.placed_ns, receive->exit_ns);
}

/*
 * Finds which part of their common windows each of several concurrent readers took, and matches the
 * receives in that order.
 */
static void lay_receives(struct placing *p)
{
	p->scale = &place_linear;
	p->coordinates = STREAM_OFFSETS;
	p->leave_out = leave_open;
	p->agrees = p->tcp || p->flow->whole ? NULL : payload_bytes_agree;
	window_sleep_narrow(p, p->receives, p->receive_count);
	windows_place_groups(p, p->receives, p->receive_count, VIZ_NEVER);
	sort_nearly(p->receives, p->receive_count, sizeof(*p->receives), compare_begins);
	for (size_t i = 0; i < p->receive_count; i++) {
		struct flow_item *receive = p->receives[i];
		uint64_t unknown;

		if (i + FETCH_AHEAD < p->receive_count)
			viz_operation_fetch(p->receives[i + FETCH_AHEAD]->op);

		if (receive->place.placed) {
			skip_to(p, receive);
			unknown = lay(p, receive, receive->join.start, false);
			packets_cut_off(p, receive);
			if (unknown)
				report_gap(p, unknown, receive->enter_ns, receive->exit_ns);
		} else {
			lay_holed(p, receive);
		}
		p->flow->stream.placed_ns = receive->exit_ns;
		receive->place.placed = false;
	}
}

/*
 * Advances a send by `used` bytes: the rest of a page that was read in part comes first, whole
 * pages follow.
 */
static void advance_pages(struct flow_item *item, uint64_t used)
{
	uint64_t within = used % PAGE_LEN;

	item->place.from += used / PAGE_LEN * SLOT_LEN + within;
	if (within && item->amount - item->join.used > PAGE_LEN - within)
		item->place.split = PAGE_LEN - within;
}

/* Moves the beginning of a send that was received in part to its first remaining byte. */
static void advance(const struct placing *p, struct flow_item *item)
{
	uint64_t used = item->join.used;

	if (!item->place.placed || item->place.ragged || used == 0 || used >= item->amount)
		return;
	if (item->place.split && used >= item->place.split) {
		item->place.from = (item->place.from / SLOT_LEN + 1) * SLOT_LEN;
		used -= item->place.split;
		item->place.split = 0;
	}
	if (item->place.split)
		item->place.split -= used;
	if (!p->linear && !item->place.split && !place_in_one_buffer(item) &&
	    item->place.from % SLOT_LEN == 0)
		advance_pages(item, used);
	else
		item->place.from += used;
}

/* Sets flow->taken_to, the place up to which all sends have been received. */
static void note_taken(struct placing *p)
{
	for (size_t i = 0; i < p->sends; i++) {
		const struct flow_item *item = &p->flow->sends.items[i];

		if (item->join.used < item->amount) {
			p->flow->stream.taken_to = item->join.used ? item->place.from
								   : p->flow->stream.taken_to;
			return;
		}
		p->flow->stream.taken_to = item->place.to;
	}
}

/* At the end of the trace, reports what was not received. */
static void report_rest(struct placing *p)
{
	for (size_t i = 0; pair_is_last(p->context) && i < p->flow->sends.count; i++) {
		struct flow_item *item = &p->flow->sends.items[i];
		struct flow_piece piece = {.send = item, .amount = item->amount - item->join.used};
		bool ambiguous;

		if (!viz_operation_done(item->op) || item->join.used == item->amount)
			continue; /* an unfinished send: how much it sent is unknown */
		item->join.start = 0;
		piece.start = item->join.used;
		ambiguous = !item->place.placed || item->ambiguous || p->context->lost ||
			    item->enter_ns < p->flow->stream.unknown_ns;
		pair_add_rest(p->context, p->route, &piece)->match = ambiguous ? MATCH_AMBIGUOUS
									       : MATCH_EXACT;
		item->join.used = item->amount;
	}
}

/*
 * Finds a base for extending 32-bit counters, and keeps it for later rounds so that places go on.
 * Only linear places are such counters.
 */
static void find_base(struct placing *p)
{
	struct flow *flow = p->flow;

	if (!p->linear)
		return;
	p->base = flow->stream.base;
	for (size_t i = 0; i < flow->sends.count; i++) {
		const struct viz_operation *op = flow->sends.items[i].op;
		uint32_t counter;

		if (op->at_entry.known)
			counter = place_counter(p, &op->at_entry, true);
		else if (p->tcp && op->extra->sent_at_count)
			counter = (uint32_t)op->extra->sent_at[0];
		else
			continue;
		if (!p->base)
			p->base = HOLE + counter;
		flow->stream.base = place_unwrap(p, counter);
	}
}

static void mark_side_ambiguous(struct flow_side *side)
{
	for (size_t i = 0; i < side->count; i++)
		side->items[i].ambiguous = true;
}

/*
 * If one of several writers moved large buffers (spliced_is_large()), it is unknown how many
 * buffers it filled: the whole flow is ambiguous.
 */
static void mark_large_ambiguous(struct flow *flow)
{
	const struct flow_side *sends = &flow->sends;
	bool large = false, several = false;

	for (size_t i = 0; i < sends->count; i++) {
		large |= !sends->items[i].open && spliced_is_large(&sends->items[i]);
		several |= sends->items[i].op->thread != sends->items[0].op->thread;
	}
	if (!large || !several)
		return;
	mark_side_ambiguous(&flow->sends);
	mark_side_ambiguous(&flow->receives);
}

bool pair_flow_placed(struct pair_context *context, struct flow *flow,
		      const struct pair_route *route)
{
	size_t near = 0;
	struct placing p = {.context = context, .flow = flow, .route = route, .near = &near};

	p.tcp = route->mechanism == MECH_TCP;
	p.linear = p.tcp || flow->whole;
	p.scale = p.linear ? &place_linear : &place_pipe;
	drained_ends_find(&p);
	window_sleep_find(&p);
	if (!windows_are_known(context, flow, route) || !pending_is_possible(context, flow, route))
		return false;
	find_base(&p);
	flow->sent = true;
	mark_large_ambiguous(flow);
	segments_split(&p);
	runs_split(&p);
	windows_place_sends(&p);
	segments_join(&p);
	packets_order(&p);
	pending_place(&p);
	offsets_lay(&p);
	list_receives(&p);
	lay_receives(&p);
	report_rest(&p);
	if (p.missing)
		report_gap(&p, p.missing, p.missing_from_ns, flow->until_ns);
	for (size_t i = 0; i < flow->sends.count; i++)
		advance(&p, &flow->sends.items[i]);
	note_taken(&p);
	return true;
}
