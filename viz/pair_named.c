// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Receives that name their sends: the kernel's own buffers say which they came from. That is
 * proof, whatever the order; what is proved leaves the flow before order decides about the rest.
 */
#include "pair_named.h"

/* A send of more may have been cut into several buffers, net/unix/af_unix.c. */
#define ONE_BUFFER_LEN 32768
#define BUFFER_LEN (ONE_BUFFER_LEN + 3776) /* the same, with pages of 4 KiB: SKB_MAX_HEAD(0) */

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

void pair_map_sends(struct pair_context *context, const struct flow_side *sends, struct map *map)
{
	for (size_t i = 0; i < sends->count; i++) {
		uint64_t words[2] = {sends->items[i].op->id, sends->items[i].message};

		map_put(context->round, map, message_key(words), &sends->items[i]);
	}
}

struct flow_item *pair_find_send(const struct map *sends, const struct viz_chunk *chunk)
{
	uint64_t words[2] = {chunk->operation, chunk->message};
	uint64_t whole[2] = {chunk->operation, 0};
	struct flow_item *item = map_get(sends, message_key(words));

	if (!item)
		item = map_get(sends, message_key(whole));
	return item && (item->message == chunk->message || item->open) ? item : NULL;
}

bool pair_is_left(const struct flow_item *item)
{
	return item->op != NULL;
}

static void remove_taken(struct flow_side *side)
{
	size_t kept = 0;

	for (size_t i = 0; i < side->count; i++)
		if (pair_is_left(&side->items[i]))
			side->items[kept++] = side->items[i];
	side->count = kept;
}

void pair_take_pair(struct pair_context *context, const struct pair_route *route,
		    struct flow_item *send, struct flow_item *receive)
{
	if (receive->unsure)
		pair_add_whole(context, route, send, receive)->match = MATCH_AMBIGUOUS;
	else
		pair_add_whole(context, route, send, receive);
	pair_let_go(context, send->op);
	pair_let_go(context, receive->op);
	send->op = receive->op = NULL;
}

void pair_take_known(struct pair_context *context, struct flow *flow,
		     const struct pair_route *route, struct flow_item *send,
		     struct flow_item *receive)
{
	struct flow_known known = {*send, *receive, pair_is_queued(send)};

	if (route->mechanism == MECH_UDP && !receive->unsure)
		ARENA_PUSH(context->round, flow->known, flow->known_count, known);
	pair_take_pair(context, route, send, receive);
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
	const struct viz_chunk *chunk = pair_chunk_of(receive);
	struct flow_item *send;

	receive->doubt |= receive->unsure;
	if (!chunk || receive->exit_ns >= flow->until_ns)
		return;
	send = pair_find_send(sends, chunk);
	if (receive->unsure && (!send || !pair_is_left(send) || !pair_can_be(send, receive) ||
				!pair_is_likely(send, receive)))
		return;
	if (send && !pair_can_be(send, receive)) {
		flow->doubt = true;
		return;
	}
	if (send && pair_is_left(send) && send->open && !pair_is_last(context))
		flow->wait = true; /* its end is still to come */
	else if (send && pair_is_left(send))
		pair_take_known(context, flow, route, send, receive);
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
	pair_map_sends(context, &flow->sends, &sends);
	for (size_t i = 0; i < flow->receives.count && route->mechanism == MECH_UDP; i++)
		pair_note_seen(context, flow, &sends, &flow->receives.items[i]);
	for (size_t i = 0; i < flow->receives.count; i++)
		if (!flow->receives.items[i].unsure)
			take_one(context, flow, &sends, route, &flow->receives.items[i]);
	pair_take_only(context, flow, route);
	for (size_t i = 0; i < flow->receives.count; i++)
		if (pair_is_left(&flow->receives.items[i]) && flow->receives.items[i].unsure)
			take_one(context, flow, &sends, route, &flow->receives.items[i]);
	remove_taken(&flow->sends);
	remove_taken(&flow->receives);
}

/* --- streams: a receive takes of several sends, and a send is taken in several parts --- */

bool pair_names_all(const struct flow_item *receive)
{
	const struct viz_operation *op = receive->op;
	uint64_t sum = 0;

	for (size_t i = 0; i < op->chunk_count; i++)
		sum += op->chunks[i].bytes;
	return sum == receive->amount && receive->local == 0;
}

/* Where a receive names a part only, order decides on all. (On 6.18 sendfile(2) has chunks.) */
static bool all_named(const struct flow *flow)
{
	for (size_t i = 0; i < flow->receives.count; i++)
		if (flow->receives.items[i].op->chunk_count &&
		    !pair_names_all(&flow->receives.items[i]))
			return false;
	return true;
}

/*
 * The chunk says where in the send it begins. An urgent byte has a buffer of its own, and may be in
 * the stream.
 */
static bool is_one_buffer(const struct flow_item *send, const struct viz_chunk *chunk)
{
	return send->op->returned <= ONE_BUFFER_LEN &&
	       (!send->urgent || chunk->offset || chunk->bytes > 1);
}

/*
 * Where in the send's own bytes a chunk begins. `from` is where its buffer does; `split` is set
 * once something between was taken by a receive that is not here, or is not here yet.
 */
static uint64_t chunk_local(struct flow_item *send, const struct viz_chunk *chunk)
{
	uint64_t at = send->local + send->used;

	if (chunk->offset == 0 && !send->split)
		send->from = at; /* the next buffer */
	send->split |= chunk->offset != at - send->from;
	if (is_one_buffer(send, chunk) && send->split)
		return chunk->offset;
	if (chunk->offset < at - send->from)
		send->from += at > send->from + BUFFER_LEN ? at - send->from : BUFFER_LEN;
	return send->from + chunk->offset;
}

/* None of the buffers behind the first one could hold that chunk. */
static bool is_in_first(const struct flow_item *send, const struct viz_chunk *chunk)
{
	return !send->urgent && send->from == 0 &&
	       ONE_BUFFER_LEN + chunk->offset + chunk->bytes > (uint64_t)send->op->returned;
}

static bool is_place_known(const struct pair_context *context, const struct flow_item *send,
			   const struct viz_chunk *chunk)
{
	return is_one_buffer(send, chunk) || is_in_first(send, chunk) ||
	       (!context->lost && !send->split);
}

/* Bytes of one receive that one send has sent. */
struct taken {
	struct flow_item *send; /* NULL: its record is missing */
	uint64_t local, bytes;
	bool doubt; /* which of its bytes, nobody can tell */
};

static void tell_taken(struct pair_context *context, const struct pair_route *route,
		       const struct taken *taken, struct flow_item *receive)
{
	struct flow_item from, to = *receive;
	struct viz_message *message;

	if (!taken->bytes)
		return;
	to.local += receive->used;
	to.bytes = to.amount = taken->bytes;
	receive->used += taken->bytes;
	if (taken->send) {
		from = *taken->send;
		from.local = taken->local;
		from.bytes = taken->bytes;
	}
	message = pair_add_whole(context, route, taken->send ? &from : NULL, &to);
	if (!taken->send || taken->doubt)
		message->match = MATCH_AMBIGUOUS;
}

/* Which of the send's bytes were taken, from the first to the last. */
static void note_taken(struct flow_item *send, const struct taken *taken)
{
	uint64_t end = taken->local + taken->bytes;

	if (!send->place_hi || taken->local < send->place_lo)
		send->place_lo = taken->local;
	send->place_hi = end > send->place_hi ? end : send->place_hi;
}

/* Receives that name nothing took the rest: its end, or its beginning, or nobody can tell. */
static void keep_rest(struct flow_item *send)
{
	bool together = send->place_hi - send->place_lo == send->used;

	if (send->op && send->used && together && send->place_lo > send->local &&
	    send->place_hi == send->local + send->amount) {
		send->bytes = send->amount -= send->used;
		send->used = 0;
	} else if (send->used && (!together || send->place_lo != send->local)) {
		send->doubt = true;
	}
	send->place_lo = send->place_hi = 0;
}

static struct taken take_chunk(const struct pair_context *context, struct flow_item *send,
			       const struct viz_chunk *chunk)
{
	struct taken taken = {.send = send, .bytes = chunk->bytes};
	uint64_t end;

	if (!send)
		return taken;
	taken.local = chunk_local(send, chunk);
	end = taken.local + chunk->bytes;
	note_taken(send, &taken);
	if (!context->lost)
		send->used += chunk->bytes;
	else if (end > send->local + send->used)
		send->used = end - send->local;
	taken.doubt = send->used > send->amount || !is_place_known(context, send, chunk);
	send->used = send->used < send->amount ? send->used : send->amount;
	return taken;
}

/* One message for each send: the buffers of a large one follow each other. */
static void take_all(struct pair_context *context, const struct pair_route *route,
		     const struct map *sends, struct flow_item *receive)
{
	const struct viz_operation *op = receive->op;
	struct taken whole = {0};

	for (size_t i = 0; i < op->chunk_count; i++) {
		struct taken taken = take_chunk(context, pair_find_send(sends, &op->chunks[i]),
						&op->chunks[i]);

		if (whole.send && taken.send == whole.send &&
		    taken.local == whole.local + whole.bytes) {
			whole.bytes += taken.bytes;
			whole.doubt |= taken.doubt;
			continue;
		}
		tell_taken(context, route, &whole, receive);
		whole = taken;
	}
	tell_taken(context, route, &whole, receive);
}

static bool can_take(const struct pair_context *context, struct flow *flow, const struct map *sends,
		     const struct flow_item *receive)
{
	for (size_t i = 0; i < receive->op->chunk_count; i++) {
		const struct flow_item *send = pair_find_send(sends, &receive->op->chunks[i]);

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
	pair_map_sends(context, &flow->sends, &sends);
	for (size_t i = 0; i < flow->receives.count; i++) {
		struct flow_item *receive = &flow->receives.items[i];

		if (receive->exit_ns >= flow->until_ns || !pair_names_all(receive) ||
		    !can_take(context, flow, &sends, receive))
			continue;
		take_all(context, route, &sends, receive);
	}
	for (size_t i = 0; i < flow->sends.count && !context->lost; i++)
		keep_rest(&flow->sends.items[i]);
	pair_side_trim(context, &flow->sends, true);
	pair_side_trim(context, &flow->receives, true);
}
