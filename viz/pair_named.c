// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Receives that name their sends: the kernel's own buffers say which they came from. That is
 * proof, whatever the order; what is proved leaves the flow before order decides about the rest.
 */
#include "pair_internal.h"

/* A send of more may have been cut into several buffers, net/unix/af_unix.c. */
#define ONE_BUFFER_LEN 32768

const struct viz_operation *pair_named_send(const struct pair_context *context,
					    const struct viz_operation *receive)
{
	const struct viz_chunk *chunk = receive->chunks;
	const struct viz_operation *send;

	if (receive->chunk_count != 1 || receive->lengths_count || chunk->message)
		return NULL;
	send = viz_model_operation(context->model, chunk->operation);
	return send && send->role == ROLE_SEND && !send->lengths_count ? send : NULL;
}

static struct viz_bytes message_key(const uint64_t words[2])
{
	return (struct viz_bytes){(const char *)words, 2 * sizeof(*words)};
}

static void map_sends(struct pair_context *context, const struct flow_side *sends, struct map *map)
{
	for (size_t i = 0; i < sends->count; i++) {
		uint64_t words[2] = {sends->items[i].op->id, sends->items[i].message};

		map_put(context->round, map, message_key(words), &sends->items[i]);
	}
}

/* The send that a chunk means, done or open; NULL: it is not in this flow. */
static struct flow_item *find_send(const struct map *sends, const struct viz_chunk *chunk)
{
	uint64_t words[2] = {chunk->operation, chunk->message};
	uint64_t whole[2] = {chunk->operation, 0};
	struct flow_item *item = map_get(sends, message_key(words));

	if (!item)
		item = map_get(sends, message_key(whole));
	return item && (item->message == chunk->message || item->open) ? item : NULL;
}

static bool is_left(const struct flow_item *item)
{
	return item->op != NULL;
}

static void remove_taken(struct flow_side *side)
{
	size_t kept = 0;

	for (size_t i = 0; i < side->count; i++)
		if (is_left(&side->items[i]))
			side->items[kept++] = side->items[i];
	side->count = kept;
}

/*
 * The chunk of one message: of a recvmmsg there is one for each message, in order, but for those of
 * no bytes. NULL: it names none, or nobody can tell which.
 */
static const struct viz_chunk *chunk_of(const struct flow_item *receive)
{
	const struct viz_operation *op = receive->op;
	size_t before = 0, all = 0;

	if (!op->lengths_count)
		return op->chunk_count == 1 ? op->chunks : NULL;
	if (op->chunk_count == op->lengths_count)
		return receive->message < op->chunk_count ? &op->chunks[receive->message] : NULL;
	for (size_t i = 0; i < op->lengths_count; i++) {
		all += op->lengths[i] > 0;
		before += i < receive->message && op->lengths[i] > 0;
	}
	return all == op->chunk_count && receive->bytes ? &op->chunks[before] : NULL;
}

static void take_pair(struct pair_context *context, const struct pair_route *route,
		      struct flow_item *send, struct flow_item *receive)
{
	pair_add_whole(context, route, send, receive);
	pair_let_go(context, send->op);
	pair_let_go(context, receive->op);
	send->op = receive->op = NULL;
}

/* The send's record is missing: all that is known of it is that it is none of the others. */
static void take_lone(struct pair_context *context, const struct pair_route *route,
		      struct flow_item *receive)
{
	pair_add_whole(context, route, NULL, receive)->match = MATCH_AMBIGUOUS;
	pair_let_go(context, receive->op);
	receive->op = NULL;
}

/* One that names a send which went elsewhere, or has its receiver: our idea of it is wrong. */
static void take_one(struct pair_context *context, struct flow *flow, const struct map *sends,
		     const struct pair_route *route, struct flow_item *receive)
{
	const struct viz_chunk *chunk = chunk_of(receive);
	struct flow_item *send;

	if (!chunk || receive->exit_ns >= flow->until_ns)
		return;
	send = find_send(sends, chunk);
	if (send && is_left(send) && send->open && !pair_is_last(context))
		flow->wait = true; /* its end is still to come */
	else if (send && is_left(send))
		take_pair(context, route, send, receive);
	else if (!send && !viz_model_operation(context->model, chunk->operation))
		take_lone(context, route, receive);
	else
		flow->doubt = true;
}

static bool names_any(const struct flow_side *receives)
{
	for (size_t i = 0; i < receives->count; i++)
		if (receives->items[i].op->chunk_count)
			return true;
	return false;
}

void pair_take_named(struct pair_context *context, struct flow *flow,
		     const struct pair_route *route)
{
	struct map sends = {0};

	if (!names_any(&flow->receives))
		return;
	map_sends(context, &flow->sends, &sends);
	for (size_t i = 0; i < flow->receives.count; i++)
		take_one(context, flow, &sends, route, &flow->receives.items[i]);
	remove_taken(&flow->sends);
	remove_taken(&flow->receives);
}

/* --- streams: a receive takes of several sends, and a send is taken in several parts --- */

/* Its chunks tell of all its bytes. */
static bool is_named(const struct flow_item *receive)
{
	const struct viz_operation *op = receive->op;
	uint64_t sum = 0;

	for (size_t i = 0; i < op->chunk_count; i++)
		sum += op->chunks[i].bytes;
	return sum == receive->amount && receive->local == 0;
}

/* Where a receive names a part only (of sendfile(2) there are no chunks), order decides on all. */
static bool all_named(const struct flow *flow)
{
	for (size_t i = 0; i < flow->receives.count; i++)
		if (flow->receives.items[i].op->chunk_count && !is_named(&flow->receives.items[i]))
			return false;
	return true;
}

/* Its chunks say where in it their bytes begin. */
static bool is_one_buffer(const struct flow_item *send)
{
	return send->op->returned <= ONE_BUFFER_LEN && !send->urgent;
}

static void take_chunk(struct pair_context *context, const struct pair_route *route,
		       const struct viz_chunk *chunk, struct flow_item *send,
		       struct flow_item *receive)
{
	struct flow_item from, to = *receive;
	struct viz_message *message;

	to.local += receive->used;
	to.bytes = to.amount = chunk->bytes;
	receive->used += chunk->bytes;
	if (!send) {
		pair_add_whole(context, route, NULL, &to)->match = MATCH_AMBIGUOUS;
		return;
	}
	from = *send;
	from.local += send->used;
	if (is_one_buffer(send))
		from.local = chunk->offset;
	from.bytes = chunk->bytes;
	send->used += chunk->bytes;
	message = pair_add_whole(context, route, &from, &to);
	if (send->used > send->amount || (context->lost && !is_one_buffer(send)))
		message->match = MATCH_AMBIGUOUS; /* which of its bytes, nobody can tell */
	send->used = send->used < send->amount ? send->used : send->amount;
}

static bool can_take(const struct pair_context *context, struct flow *flow, const struct map *sends,
		     const struct flow_item *receive)
{
	for (size_t i = 0; i < receive->op->chunk_count; i++) {
		const struct flow_item *send = find_send(sends, &receive->op->chunks[i]);

		if (!send && viz_model_operation(context->model, receive->op->chunks[i].operation))
			flow->doubt = true;
		if (send && send->open)
			flow->wait |= !pair_is_last(context);
		if (send && send->open)
			return false;
	}
	return true;
}

void pair_take_chunks(struct pair_context *context, struct flow *flow,
		      const struct pair_route *route)
{
	struct map sends = {0};

	if (!names_any(&flow->receives))
		return;
	if (!all_named(flow))
		return;
	map_sends(context, &flow->sends, &sends);
	for (size_t i = 0; i < flow->receives.count; i++) {
		struct flow_item *receive = &flow->receives.items[i];

		if (receive->exit_ns >= flow->until_ns || !is_named(receive) ||
		    !can_take(context, flow, &sends, receive))
			continue;
		for (size_t k = 0; k < receive->op->chunk_count; k++)
			take_chunk(context, route, &receive->op->chunks[k],
				   find_send(&sends, &receive->op->chunks[k]), receive);
	}
	pair_side_trim(context, &flow->sends, true);
	pair_side_trim(context, &flow->receives, true);
}
