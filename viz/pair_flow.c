// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "pair_flow.h"

#include <stdlib.h>

void flow_free(struct flow_side *side)
{
	free(side->items);
	*side = (struct flow_side){0};
}

void flow_put_back(struct flow_side *side, struct flow_side *rest)
{
	for (size_t i = 0; i < rest->count; i++)
		flow_add(side, &rest->items[i]);
	flow_free(rest);
}

/* The messages of one call stay together, in their order. */
static int compare_calls(const struct flow_item *x, const struct flow_item *y)
{
	if (x->op != y->op)
		return x->op->id < y->op->id ? -1 : 1;
	return (x->message > y->message) - (x->message < y->message);
}

static int compare_exits(const void *a, const void *b)
{
	const struct flow_item *x = a, *y = b;

	if (x->exit_ns != y->exit_ns)
		return x->exit_ns < y->exit_ns ? -1 : 1;
	if (x->enter_ns != y->enter_ns)
		return x->enter_ns < y->enter_ns ? -1 : 1;
	return compare_calls(x, y);
}

static int compare_enters(const void *a, const void *b)
{
	const struct flow_item *x = a, *y = b;

	if (x->enter_ns != y->enter_ns)
		return x->enter_ns < y->enter_ns ? -1 : 1;
	return compare_calls(x, y);
}

static void sort_items(struct flow_item *items, size_t count,
		       int (*compare)(const void *, const void *))
{
	if (count)
		qsort(items, count, sizeof(*items), compare);
}

void flow_sort(struct flow_side *side)
{
	sort_items(side->items, side->count, compare_enters);
}

void flow_sort_ends(struct flow_side *side)
{
	sort_items(side->items, side->count, compare_exits);
}

static uint64_t add_saturated(uint64_t a, uint64_t b)
{
	return a + b < a ? UINT64_MAX : a + b;
}

static uint64_t total(const struct flow_side *side)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < side->count; i++)
		sum = add_saturated(sum, side->items[i].amount);
	return sum;
}

/* Unfinished sends get what was received and nobody else sent, as far as they asked for it. */
static void fill_open_sends(struct flow *flow)
{
	uint64_t sent = total(&flow->sends), received = total(&flow->receives);
	uint64_t missing = received > sent ? received - sent : 0;

	for (size_t i = 0; i < flow->sends.count; i++) {
		struct flow_item *item = &flow->sends.items[i];
		uint64_t limit = UINT64_MAX;

		if (!item->open)
			continue;
		if (flow->whole)
			limit = 1;
		else if (viz_has(item->op, requested))
			limit = item->op->requested;
		item->amount = missing < limit ? missing : limit;
		missing -= item->amount;
		item->doubt = true;
	}
}

/* earliest[k]: when the first of the items from k on began, or of those that are to come. */
static uint64_t *earliest_enters(struct arena *arena, const struct flow *flow)
{
	const struct flow_side *side = &flow->receives;
	uint64_t *earliest = arena_array(arena, side->count + 1, sizeof(*earliest));

	earliest[side->count] = flow->until_ns < flow->open_receive_ns ? flow->until_ns
								       : flow->open_receive_ns;
	for (size_t k = side->count; k > 0; k--) {
		uint64_t enter_ns = side->items[k - 1].enter_ns;

		earliest[k - 1] = enter_ns < earliest[k] ? enter_ns : earliest[k];
	}
	return earliest;
}

/*
 * Items between two firm cuts that are more than one operation: their order is in doubt. The order
 * in which they ended is the best guess.
 */
static void mark_cluster(struct flow_side *side, size_t begin, size_t end)
{
	if (begin == end || side->items[begin].op == side->items[end - 1].op)
		return;
	for (size_t i = begin; i < end; i++)
		side->items[i].doubt = true;
	sort_items(side->items + begin, end - begin, compare_exits);
}

static bool is_last(const struct flow *flow)
{
	return flow->until_ns == VIZ_NEVER;
}

/* What it may have sent at most. */
static uint64_t most_of(const struct flow_item *send)
{
	return send->open ? UINT64_MAX : send->amount;
}

/* By end; the sends are sorted by beginning. How many of them are firm. */
static size_t order_receives(struct arena *arena, struct flow *flow)
{
	struct flow_side *side = &flow->receives;
	const struct flow_side *sends = &flow->sends;
	const uint64_t *earliest;
	uint64_t available = 0, needed = 0; /* begun to be sent, received, when item k - 1 ended */
	size_t begin = 0, sent = 0, k;

	flow_sort_ends(side);
	earliest = earliest_enters(arena, flow);
	for (k = 1; k <= side->count; k++) {
		const struct flow_item *last = &side->items[k - 1];

		if (last->exit_ns >= flow->until_ns)
			break;
		needed = add_saturated(needed, last->amount);
		while (sent < sends->count && sends->items[sent].enter_ns <= last->exit_ns)
			available = add_saturated(available, most_of(&sends->items[sent++]));
		if (earliest[k] <= last->exit_ns && available != needed)
			continue;
		mark_cluster(side, begin, k);
		begin = k;
	}
	if (!is_last(flow))
		return begin;
	mark_cluster(side, begin, side->count);
	return side->count;
}

/*
 * By beginning; the receives are sorted by end. How much an unfinished send gave is not known, so
 * nothing behind it has a certain place. How many of them are firm.
 */
static size_t order_sends(struct flow *flow)
{
	struct flow_side *side = &flow->sends;
	const struct flow_side *receives = &flow->receives;
	uint64_t taken = 0, given = 0; /* received before item k began, sent by those before it */
	uint64_t latest_exit = 0;
	size_t begin = 0, received = 0;

	for (size_t k = 1; k <= side->count; k++) {
		const struct flow_item *last = &side->items[k - 1];
		uint64_t next_ns = k < side->count ? side->items[k].enter_ns : VIZ_NEVER;

		if (last->enter_ns >= flow->until_ns)
			break;
		if (next_ns > flow->until_ns)
			next_ns = flow->until_ns; /* somebody may begin then */
		given = add_saturated(given, most_of(last));
		latest_exit = last->exit_ns > latest_exit ? last->exit_ns : latest_exit;
		while (received < receives->count && receives->items[received].exit_ns < next_ns)
			taken = add_saturated(taken, receives->items[received++].amount);
		if (latest_exit >= next_ns && taken < given)
			continue;
		mark_cluster(side, begin, k);
		begin = k;
	}
	if (!is_last(flow))
		return begin;
	mark_cluster(side, begin, side->count);
	return side->count;
}

struct viz_bytes flow_payload(const struct flow_item *item, uint64_t offset, uint64_t len)
{
	struct viz_bytes payload = item->line ? item->line->bytes : item->op->payload;
	uint64_t begin = item->local + offset;

	if (!payload.data || begin >= payload.len)
		return (struct viz_bytes){NULL, 0};
	if (len > payload.len - begin)
		len = payload.len - begin;
	return (struct viz_bytes){payload.data + begin, len};
}

/* Digests of two beginnings of the same length, where the trace has those alone. */
static bool digests_differ(const struct flow_item *send, uint64_t sent_at,
			   const struct flow_item *receive, uint64_t received_at)
{
	const struct viz_operation *from = send->op, *to = receive->op;

	if (!from->digest.len || !to->digest.len || from->digest_len != to->digest_len)
		return false;
	return send->local + sent_at == 0 && receive->local + received_at == 0 && !send->line &&
	       !receive->line && !viz_bytes_equal(from->digest, to->digest);
}

static bool payloads_differ(const struct flow *flow, const struct flow_piece *piece)
{
	uint64_t sent_at = piece->start - piece->send->start;
	uint64_t received_at = piece->start - piece->receive->start;
	uint64_t len = flow->whole ? piece->receive->bytes : piece->amount;
	struct viz_bytes sent, received;

	if (!flow->payloads)
		return false;
	if (flow->whole)
		sent_at = received_at = 0;
	if (digests_differ(piece->send, sent_at, piece->receive, received_at))
		return true;
	sent = flow_payload(piece->send, sent_at, len);
	received = flow_payload(piece->receive, received_at, len);
	return sent.len && received.len &&
	       memcmp(sent.data, received.data,
		      sent.len < received.len ? sent.len : received.len) != 0;
}

/*
 * A pair that cannot be: larger than it was sent, other bytes. Where both places were certain, what
 * we do not see has gone through this flow.
 */
bool flow_contradicts(const struct flow *flow, const struct flow_piece *piece)
{
	if (!piece->send || !piece->receive || piece->send->doubt || piece->receive->doubt)
		return false;
	if (flow->whole && piece->receive->bytes > piece->send->bytes)
		return true;
	return payloads_differ(flow, piece);
}

/* How far the join has come on one side. */
struct cursor {
	struct flow_side *side;
	size_t index;
	size_t firm; /* how many may be joined */
	bool placed; /* the item there has its place */
};

static uint64_t item_end(const struct flow_item *item)
{
	return item ? add_saturated(item->start, item->amount) : UINT64_MAX;
}

/* The item that has the place `at`; NULL: all are used up. */
static struct flow_item *cursor_item(struct cursor *cursor, uint64_t at)
{
	while (cursor->index < cursor->firm) {
		struct flow_item *item = &cursor->side->items[cursor->index];

		if (!cursor->placed)
			item->start = at;
		cursor->placed = true;
		if (item_end(item) > at)
			return item;
		cursor->index++;
		cursor->placed = false;
	}
	return NULL;
}

/* No send can have given this: neither one that is firm nor one whose place is yet to be found. */
static bool is_foreign(const struct cursor *sends, const struct flow_item *receive)
{
	const struct flow_side *side = sends->side;

	for (size_t i = sends->firm; i < side->count; i++)
		if (side->items[i].enter_ns <= receive->exit_ns)
			return false;
	return true;
}

/*
 * The next piece from `at` on; false when there is none yet, or both sides are used up. What was
 * received before the next send began came from a send that is not here, and this one's place is
 * behind it.
 */
static bool next_piece(struct flow *flow, struct cursor *sends, struct cursor *receives,
		       uint64_t at, struct flow_piece *piece)
{
	struct flow_item *send = cursor_item(sends, at);
	struct flow_item *receive = cursor_item(receives, at);
	uint64_t end;

	if (!receive && (!send || !is_last(flow)))
		return false;
	if (!send && !is_foreign(sends, receive))
		return false;
	if (send && receive && send->enter_ns > receive->exit_ns) {
		flow->doubt = true;
		sends->placed = false;
		send = NULL;
	}
	flow->foreign |= !send;
	end = item_end(send) < item_end(receive) ? item_end(send) : item_end(receive);
	*piece = (struct flow_piece){
		.send = send, .receive = receive, .start = at, .amount = end - at};
	if (send)
		send->used += piece->amount;
	if (receive)
		receive->used += piece->amount;
	return end > at;
}

static void begin_join(struct flow *flow)
{
	for (size_t i = 0; i < flow->sends.count; i++)
		flow->sends.items[i].used = 0;
	for (size_t i = 0; i < flow->receives.count; i++)
		flow->receives.items[i].used = 0;
	flow->sent |= flow->sends.count > 0;
	if (is_last(flow))
		fill_open_sends(flow);
	sort_items(flow->sends.items, flow->sends.count, compare_enters);
}

struct flow_piece *flow_join(struct arena *arena, struct flow *flow, size_t *count)
{
	struct cursor sends = {.side = &flow->sends}, receives = {.side = &flow->receives};
	struct flow_piece *pieces = NULL, piece;
	uint64_t at = 0;

	*count = 0;
	begin_join(flow);
	receives.firm = order_receives(arena, flow);
	sends.firm = order_sends(flow);
	while (next_piece(flow, &sends, &receives, at, &piece)) {
		flow->doubt |= flow_contradicts(flow, &piece);
		ARENA_PUSH(arena, pieces, *count, piece);
		at += piece.amount;
	}
	if (flow->foreign && flow->sent)
		flow->doubt = true; /* and nobody can say which of it came from elsewhere */
	return pieces;
}
