// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Runs: where a TCP call's bytes lie in the connection, as the kernel reported for each piece; no
 * search is needed. Other calls' bytes may lie between them, so each run becomes an item with a
 * place of its own. The trace reports no runs for a call that had its socket to itself; its
 * positions say enough.
 */
#include "viz/pair/position/tcp_runs.h"

#include <stdlib.h>

struct run {
	uint64_t from, to;
};

static const uint64_t *reported_of(const struct flow_item *item, bool send, size_t *count)
{
	*count = send ? item->op->extra->sent_at_count : item->op->extra->received_at_count;
	return send ? item->op->extra->sent_at : item->op->extra->received_at;
}

/*
 * True if the runs cover all bytes that the call moved. Bytes that could not be copied to the
 * caller are reported too, and lie behind all others; so `reported` may exceed `moved`, but not in
 * a trace with lost records, where it may have another reason.
 */
static bool is_all(uint64_t reported, uint64_t moved, bool lost)
{
	return lost ? reported == moved : reported >= moved;
}

bool runs_are_known(const struct pair_context *context, const struct flow_item *item, bool send)
{
	size_t count;
	const uint64_t *reported = reported_of(item, send, &count);
	uint64_t sum = 0;

	if (item->place.given || item->join.used || item->local || item->place.placed || count < 2)
		return false;
	for (size_t i = 0; i + 1 < count; i += 2)
		sum += (uint32_t)(reported[i + 1] - reported[i]);
	return is_all(sum, operation_stream_bytes(item->op), context->lost);
}

static int compare_runs(const void *a, const void *b)
{
	const struct run *x = a, *y = b;

	return (x->from > y->from) - (x->from < y->from);
}

/* The runs by sequence number, which is the order of the call's bytes; adjacent ones are joined. */
static struct run *list_runs(const struct placing *p, const struct flow_item *item, bool send,
			     size_t *count)
{
	size_t reported_count;
	const uint64_t *reported = reported_of(item, send, &reported_count);
	struct run *list = NULL;
	size_t kept = 0;

	*count = 0;
	for (size_t i = 0; i + 1 < reported_count; i += 2) {
		struct run run = {.from = place_unwrap(p, (uint32_t)reported[i])};

		run.to = run.from + (uint32_t)(reported[i + 1] - reported[i]);
		ARENA_PUSH(p->context->round, list, *count, run);
	}
	if (*count)
		qsort(list, *count, sizeof(*list), compare_runs);
	for (size_t i = 1; i < *count; i++) {
		if (list[i].from == list[kept].to)
			list[kept].to = list[i].to;
		else
			list[++kept] = list[i];
	}
	*count = *count ? kept + 1 : 0;
	return list;
}

static void split(struct placing *p, struct flow_side *side, size_t index, bool send)
{
	struct flow_item whole = side->items[index], piece = whole;
	size_t count;
	const struct run *runs = list_runs(p, &whole, send, &count);
	uint64_t left = whole.amount;

	for (size_t i = 0; i < count && left; i++) {
		piece.amount = piece.bytes = at_most(runs[i].to - runs[i].from, left);
		piece.place.window.lo = runs[i].from;
		piece.place.window.hi = piece.place.window.lo + piece.amount;
		piece.place.part = (uint32_t)i + 1;
		piece.place.given = true;
		if (i)
			pair_side_add(side, &piece);
		else
			side->items[index] = piece;
		piece.local += piece.amount;
		left -= piece.amount;
	}
}

static void split_side(struct placing *p, struct flow_side *side, bool send)
{
	size_t count = side->count;

	for (size_t i = 0; i < count; i++)
		if (flow_is_settled(p->flow, &side->items[i]) &&
		    runs_are_known(p->context, &side->items[i], send))
			split(p, side, i, send);
}

void runs_split(struct placing *p)
{
	if (!p->tcp)
		return;
	split_side(p, &p->flow->sends, true);
	split_side(p, &p->flow->receives, false);
}

/*
 * True if other calls' bytes may lie between this call's. A call that sleeps releases the socket
 * lock, and so does one with several messages, between them.
 */
static bool may_be_torn(const struct placing *p, const struct flow_item *item)
{
	const struct window *window = placing_window(p, item);

	return !item->place.given && window->hi - window->lo != item->amount &&
	       (item->op->resumed_ns || item->op->off_cpu_ns || operation_is_multiple(item->op));
}

bool runs_may_be_torn(const struct placing *p, struct flow_item **items, size_t count)
{
	for (size_t i = 0; p->tcp && count > 1 && i < count; i++)
		if (may_be_torn(p, items[i]))
			return true;
	return false;
}
