// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Pairs the receives of a stream that name the sends of their bytes. A receive may take bytes of
 * several sends, and a send may be read in several parts. Named bytes leave the flow, and the rest
 * is paired by order: if a stream is first in, first out, so is any part of it.
 */
#include "viz/pair/buffer/stream_sends.h"

bool pair_names_any(const struct flow_side *receives)
{
	for (size_t i = 0; i < receives->count; i++)
		if (receives->items[i].op->extra->chunk_count)
			return true;
	return false;
}

static uint64_t chunks_sum(const struct viz_operation *op)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < op->extra->chunk_count; i++)
		sum += op->extra->chunks[i].bytes;
	return sum;
}

bool pair_names_all(const struct flow_item *receive)
{
	return chunks_sum(receive->op) == receive->amount && receive->local == 0;
}

/* A range of bytes of one receive that one send has sent. */
struct taken {
	struct source *source;		     /* NULL: the record of the send is missing */
	uint64_t send_at, receive_at, bytes; /* offsets in the operations' own bytes */
	bool ambiguous;			     /* the offset in the send is ambiguous */
};

struct taking {
	struct pair_context *context;
	struct flow *flow;
	const struct pair_route *route;
	struct sources sources;
	uint64_t unsettled_ns; /* the beginning of the first receive that is not settled */
	struct flow_side left; /* what of the receives stays in the flow */
};

static void report_taken(struct taking *t, const struct taken *taken,
			 const struct flow_item *receive)
{
	struct flow_item from, to = *receive;
	struct viz_message *message;

	if (!taken->bytes)
		return;
	to.local = taken->receive_at;
	to.bytes = to.amount = taken->bytes;
	if (taken->source) {
		from = taken->source->item;
		from.local = taken->send_at;
		from.bytes = taken->bytes;
	}
	message = pair_add_whole(t->context, t->route, taken->source ? &from : NULL, &to);
	if (!taken->source || taken->ambiguous)
		message->match = MATCH_AMBIGUOUS;
}

static struct taken take_chunk(struct taking *t, const struct viz_chunk *chunk,
			       struct range receive)
{
	struct taken taken = {.source = sources_find(&t->sources, chunk),
			      .receive_at = receive.from,
			      .bytes = receive.to - receive.from};
	struct range range;

	if (!taken.source)
		return taken;
	taken.ambiguous = !source_offset(&t->sources, taken.source, chunk, &taken.send_at);
	range = (struct range){taken.send_at, taken.send_at + taken.bytes};
	taken.ambiguous |= !source_take(&t->sources, taken.source, range);
	taken.source->ambiguous |= taken.ambiguous;
	return taken;
}

/*
 * The part of a receive's item that a chunk at offset `at` of the receive covers. Empty if there is
 * none, or if an earlier round has paired it.
 */
static struct range range_of(const struct flow_item *receive, const struct viz_chunk *chunk,
			     uint64_t at)
{
	uint64_t end = receive->local + receive->amount, to = at + chunk->bytes;

	if (at < receive->local)
		return (struct range){at, at};
	return (struct range){at, to < end ? to : (at < end ? end : at)};
}

/* True if `taken` continues `whole`: consecutive buffers of a large send become one message. */
static bool goes_on(const struct taken *whole, const struct taken *taken)
{
	return whole->source && taken->source == whole->source &&
	       taken->send_at == whole->send_at + whole->bytes &&
	       taken->receive_at == whole->receive_at + whole->bytes;
}

/* A range of the receive that no chunk names stays in the flow. */
static void leave_range(struct taking *t, const struct flow_item *receive, struct range range)
{
	struct flow_item item = *receive;

	if (range.to <= range.from)
		return;
	item.local = range.from;
	item.bytes = item.amount = range.to - range.from;
	pair_side_add(&t->left, &item);
}

static void take_all(struct taking *t, const struct flow_item *receive)
{
	const struct viz_operation *op = receive->op;
	bool reported = op->extra->chunks->buffer_bytes > 0;
	uint64_t done = receive->local, at = 0;
	struct taken whole = {0};

	for (size_t i = 0; i < op->extra->chunk_count; i++) {
		const struct viz_chunk *chunk = &op->extra->chunks[i];
		struct range range = range_of(receive, chunk, reported ? chunk->at : at);
		struct taken taken;

		at += chunk->bytes;
		if (range.from == range.to || range.from < done)
			continue;
		leave_range(t, receive, (struct range){done, range.from});
		done = range.to;
		taken = take_chunk(t, chunk, range);
		if (goes_on(&whole, &taken)) {
			whole.bytes += taken.bytes;
			whole.ambiguous |= taken.ambiguous;
			continue;
		}
		report_taken(t, &whole, receive);
		whole = taken;
	}
	report_taken(t, &whole, receive);
	leave_range(t, receive, (struct range){done, receive->local + receive->amount});
}

/*
 * True if the receive can be paired in this round. It has to wait for a send that is under way to
 * end; and, if the offset of a buffer is not known, for receives that may name the buffers before.
 */
static bool can_take(struct taking *t, const struct flow_item *receive)
{
	bool can = true;

	for (size_t i = 0; i < receive->op->extra->chunk_count && !pair_is_last(t->context); i++) {
		const struct viz_chunk *chunk = &receive->op->extra->chunks[i];
		const struct source *source = sources_find(&t->sources, chunk);

		if (source && (source->item.open || (source_waits(source, chunk) &&
						     t->unsettled_ns <= receive->exit_ns)))
			can = false;
	}
	t->flow->wait |= !can;
	return can;
}

static void note_strangers(struct taking *t, const struct flow_item *receive)
{
	for (size_t i = 0; i < receive->op->extra->chunk_count; i++) {
		const struct viz_chunk *chunk = &receive->op->extra->chunks[i];

		if (!sources_find(&t->sources, chunk) &&
		    viz_model_operation(t->context->model, chunk->operation))
			t->flow->ambiguous = true;
	}
}

/*
 * True if the receive is settled and its chunks can be used. Chunks that do not name their buffer
 * have no offset in the receive, so they must cover all of it.
 */
static bool is_named(const struct taking *t, const struct flow_item *receive)
{
	const struct viz_operation *op = receive->op;

	if (!op->extra->chunk_count || receive->exit_ns >= t->flow->until_ns)
		return false;
	return op->extra->chunks->buffer_bytes || pair_names_all(receive);
}

static uint64_t first_unsettled(const struct flow *flow)
{
	uint64_t first_ns = flow->open_receive_ns;

	for (size_t i = 0; i < flow->receives.count; i++) {
		const struct flow_item *item = &flow->receives.items[i];

		if (item->exit_ns >= flow->until_ns && item->enter_ns < first_ns)
			first_ns = item->enter_ns;
	}
	return first_ns;
}

static void take_receives(struct taking *t)
{
	struct flow_side old = t->flow->receives;

	for (size_t i = 0; i < old.count; i++) {
		const struct flow_item *receive = &old.items[i];

		if (is_named(t, receive) && can_take(t, receive)) {
			note_strangers(t, receive);
			take_all(t, receive);
		} else {
			pair_side_add(&t->left, receive);
		}
	}
	for (size_t i = 0; i < old.count; i++)
		pair_let_go(t->context, old.items[i].op);
	flow_free(&old);
	t->flow->receives = t->left;
}

void pair_take_chunks(struct pair_context *context, struct flow *flow,
		      const struct pair_route *route)
{
	struct taking t = {.context = context, .flow = flow, .route = route};

	if (!pair_names_any(&flow->receives))
		return;
	t.unsettled_ns = first_unsettled(flow);
	sources_list(context, flow, &t.sources);
	take_receives(&t);
	sources_leave(&t.sources, flow);
}
