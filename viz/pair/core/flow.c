// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Pairs the two sides of a flow by order: sorts them, finds the firm cuts that flow.h describes,
 * and walks over both sides to cut them into pieces.
 */
#include "viz/pair/core/flow.h"

#include <stdlib.h>

#include "viz/base/sort.h"
#include "viz/pair/core/context.h"

void flow_free(struct flow_side *side)
{
	free(side->items);
	*side = (struct flow_side){0};
}

void flow_trim(struct flow_side *side)
{
	if (!side->count) {
		flow_free(side);
	} else if (side->count < side->capacity / 2) {
		side->items = memory_resize(side->items, side->count, sizeof(*side->items));
		side->capacity = side->count;
	}
}

void flow_put_back(struct flow_side *side, struct flow_side *rest)
{
	for (size_t i = 0; i < rest->count; i++)
		flow_add(side, &rest->items[i]);
	flow_free(rest);
}

/* Keeps the messages of one call, and the parts of a message, together and in their order. */
static int compare_calls(const struct flow_item *x, const struct flow_item *y)
{
	if (x->op != y->op)
		return x->op->id < y->op->id ? -1 : 1;
	if (x->message != y->message)
		return x->message < y->message ? -1 : 1;
	return (x->local > y->local) - (x->local < y->local);
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
	sort_nearly(items, count, sizeof(*items), compare);
}

void flow_drop_first(struct flow_side *side, size_t count)
{
	side->count -= count;
	if (count && side->count)
		memmove(side->items, side->items + count, side->count * sizeof(*side->items));
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

/*
 * The most that an unfinished send can still have sent, in units: item->local is behind the bytes
 * that receives have named.
 */
static uint64_t most_left(const struct flow *flow, const struct flow_item *send)
{
	uint64_t most;

	if (flow->whole)
		return 1;
	most = operation_most_bytes(send->op);
	return most > send->local ? most - send->local : 0;
}

/*
 * When the last of the finished sends ended; VIZ_NEVER if several are unfinished. The bytes of an
 * unfinished one that began later are the last ones.
 */
static uint64_t others_end(const struct flow *flow)
{
	uint64_t end_ns = 0;
	size_t open = 0;

	for (size_t i = 0; i < flow->sends.count; i++) {
		const struct flow_item *item = &flow->sends.items[i];

		open += item->open;
		if (!item->open && item->exit_ns > end_ns)
			end_ns = item->exit_ns;
	}
	return open > 1 ? VIZ_NEVER : end_ns;
}

/*
 * Gives the unfinished sends what was received beyond what the others sent, up to the length that
 * each requested.
 */
static void fill_open_sends(struct flow *flow)
{
	uint64_t sent = total(&flow->sends), received = total(&flow->receives);
	uint64_t missing = received > sent ? received - sent : 0;
	uint64_t others_end_ns = others_end(flow);

	for (size_t i = 0; i < flow->sends.count; i++) {
		struct flow_item *item = &flow->sends.items[i];
		uint64_t limit;

		if (!item->open)
			continue;
		limit = most_left(flow, item);
		item->amount = missing < limit ? missing : limit;
		missing -= item->amount;
		item->ambiguous |= missing || flow->whole || !flow->payloads ||
				   others_end_ns > item->enter_ns;
	}
}

/*
 * Returns an array: earliest[k] is the earliest beginning of the receives from k on, including
 * those that are under way or still to come.
 */
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
 * Marks the items between two firm cuts as ambiguous, if they are of more than one operation. They
 * are put in the order in which they ended, which is the likeliest one.
 */
static void mark_cluster(struct flow_side *side, size_t begin, size_t end)
{
	if (begin == end || side->items[begin].op == side->items[end - 1].op)
		return;
	for (size_t i = begin; i < end; i++)
		side->items[i].ambiguous = true;
	sort_items(side->items + begin, end - begin, compare_exits);
}

static bool is_last(const struct flow *flow)
{
	return flow->until_ns == VIZ_NEVER;
}

/* The most that a send may have sent, in units. */
static uint64_t most_of(const struct flow_item *send)
{
	return send->open ? UINT64_MAX : send->amount;
}

/* Sorts the receives by end and returns how many are firm. The sends are sorted by beginning. */
static size_t order_receives(struct arena *arena, struct flow *flow)
{
	struct flow_side *side = &flow->receives;
	const struct flow_side *sends = &flow->sends;
	const uint64_t *earliest;
	uint64_t available = 0,
		 needed = 0; /* units sent at most, and received, by the end of k - 1 */
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

/* Lays the receives one behind the other, as if nothing came from outside. */
static void lay_receives(struct flow *flow)
{
	uint64_t at = 0;

	for (size_t i = 0; i < flow->receives.count; i++) {
		flow->receives.items[i].join.start = at;
		at = add_saturated(at, flow->receives.items[i].amount);
	}
}

/* Orders the sends between two firm cuts, the first of which is at the offset `from`. */
static void order_cluster(struct arena *arena, struct flow *flow, size_t begin, size_t end,
			  uint64_t from)
{
	if (end - begin > 1 && flow->order_sends &&
	    flow->order_sends(arena, flow, begin, end - begin, from))
		return;
	mark_cluster(&flow->sends, begin, end);
}

/*
 * Returns how many sends are firm; they are sorted by beginning, and the receives by end. No send
 * behind an unfinished one has a certain offset, since the amount of that one is not known.
 */
static size_t order_sends(struct arena *arena, struct flow *flow)
{
	struct flow_side *side = &flow->sends;
	const struct flow_side *receives = &flow->receives;
	uint64_t taken = 0, given = 0; /* units received before send k began, and sent before it */
	uint64_t latest_exit = 0, begin_at = 0;
	size_t begin = 0, received = 0;

	for (size_t k = 1; k <= side->count; k++) {
		const struct flow_item *last = &side->items[k - 1];
		uint64_t next_ns = k < side->count ? side->items[k].enter_ns : VIZ_NEVER;

		if (last->enter_ns >= flow->until_ns)
			break;
		if (next_ns > flow->until_ns)
			next_ns = flow->until_ns; /* an unknown send may begin then */
		given = add_saturated(given, most_of(last));
		latest_exit = last->exit_ns > latest_exit ? last->exit_ns : latest_exit;
		while (received < receives->count && receives->items[received].exit_ns < next_ns)
			taken = add_saturated(taken, receives->items[received++].amount);
		if (latest_exit >= next_ns && taken < given)
			continue;
		order_cluster(arena, flow, begin, k, begin_at);
		begin = k;
		begin_at = given;
	}
	if (!is_last(flow))
		return begin;
	order_cluster(arena, flow, begin, side->count, begin_at);
	return side->count;
}

struct viz_bytes flow_payload(const struct flow_item *item, uint64_t offset, uint64_t len)
{
	struct viz_bytes payload = item->terminal.line ? item->terminal.line->bytes
						       : item->op->payload;
	uint64_t begin = item->local + offset;

	if (!payload.data || begin >= payload.len)
		return (struct viz_bytes){NULL, 0};
	if (len > payload.len - begin)
		len = payload.len - begin;
	return (struct viz_bytes){payload.data + begin, len};
}

/*
 * True if both operations have digests of their first bytes, of the same length, and these differ.
 * The trace has digests where it has no payload.
 */
static bool digests_differ(const struct flow_item *send, uint64_t sent_at,
			   const struct flow_item *receive, uint64_t received_at)
{
	const struct viz_operation *from = send->op, *to = receive->op;

	if (!from->extra->digest.len || !to->extra->digest.len ||
	    from->extra->digest_len != to->extra->digest_len)
		return false;
	return send->local + sent_at == 0 && receive->local + received_at == 0 &&
	       !send->terminal.line && !receive->terminal.line &&
	       !viz_bytes_equal(from->extra->digest, to->extra->digest);
}

static bool payloads_differ(const struct flow *flow, const struct flow_piece *piece)
{
	uint64_t sent_at = piece->start - piece->send->join.start;
	uint64_t received_at = piece->start - piece->receive->join.start;
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

bool flow_contradicts(const struct flow *flow, const struct flow_piece *piece)
{
	if (!piece->send || !piece->receive || piece->send->ambiguous || piece->receive->ambiguous)
		return false;
	if (flow->whole && piece->receive->bytes > piece->send->bytes)
		return true;
	return payloads_differ(flow, piece);
}

bool flow_doubts(const struct flow *flow, const struct flow_piece *piece)
{
	return flow->doubt_ns && (!piece->receive || piece->receive->exit_ns >= flow->doubt_ns);
}

/* How far flow_join() has come on one side. */
struct cursor {
	struct flow_side *side;
	size_t index;
	size_t firm; /* how many items may be paired */
	bool placed; /* the item at `index` has its offset */
};

static uint64_t item_end(const struct flow_item *item)
{
	return item ? add_saturated(item->join.start, item->amount) : UINT64_MAX;
}

/* The item that covers the offset `at`; NULL if all firm items are used up. */
static struct flow_item *cursor_item(struct cursor *cursor, uint64_t at)
{
	while (cursor->index < cursor->firm) {
		struct flow_item *item = &cursor->side->items[cursor->index];

		if (!cursor->placed)
			item->join.start = at;
		cursor->placed = true;
		if (item_end(item) > at)
			return item;
		cursor->index++;
		cursor->placed = false;
	}
	return NULL;
}

/*
 * True if no send of the trace can have sent it: the firm ones are used up, and all others began
 * after the receive had ended.
 */
static bool is_foreign(const struct cursor *sends, const struct flow_item *receive)
{
	const struct flow_side *side = sends->side;

	/* Those that are not firm are still sorted by beginning. */
	return sends->firm >= side->count || side->items[sends->firm].enter_ns > receive->exit_ns;
}

/*
 * Finds the next piece from the offset `at` on. False if there is none yet, or both sides are used
 * up. A receive that ended before the next send began took bytes of a send that is not in the
 * trace, and the next send gets an offset behind them.
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
		flow->ambiguous = true;
		sends->placed = false;
		send = NULL;
	}
	end = item_end(send) < item_end(receive) ? item_end(send) : item_end(receive);
	*piece = (struct flow_piece){
		.send = send, .receive = receive, .start = at, .amount = end - at};
	flow->foreign |= !send && !flow_doubts(flow, piece);
	if (send)
		send->join.used += piece->amount;
	if (receive)
		receive->join.used += piece->amount;
	return end > at;
}

static void begin_join(struct flow *flow)
{
	for (size_t i = 0; i < flow->sends.count; i++)
		flow->sends.items[i].join.used = 0;
	for (size_t i = 0; i < flow->receives.count; i++)
		flow->receives.items[i].join.used = 0;
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
	if (flow->order_sends)
		lay_receives(flow);
	sends.firm = order_sends(arena, flow);
	while (next_piece(flow, &sends, &receives, at, &piece)) {
		flow->ambiguous |= !flow_doubts(flow, &piece) && flow_contradicts(flow, &piece);
		ARENA_PUSH(arena, pieces, *count, piece);
		at += piece.amount;
	}
	if (flow->foreign && flow->sent)
		flow->ambiguous = true; /* which of the bytes came from outside is not known */
	return pieces;
}

bool line_text_equal(const struct line_text *a, const struct line_text *b)
{
	if (!a->known || !b->known || a->len != b->len || a->changed != b->changed)
		return false;
	return !a->changed || viz_bytes_equal(a->bytes, b->bytes);
}

bool flow_is_settled(const struct flow *flow, const struct flow_item *item)
{
	return !item->open && item->exit_ns < flow->until_ns;
}
