// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Whole messages: finds the send that a chunk names, by operation id and message number, says
 * whether a send and a receive can be a pair, and pairs them.
 */

#include "viz/pair/buffer/buffer_match.h"

static struct viz_bytes message_key(const uint64_t words[2])
{
	return (struct viz_bytes){(const char *)words, 2 * sizeof(*words)};
}

void pair_map_sends(struct pair_context *context, const struct flow_side *sends, struct map *map)
{
	for (size_t i = 0; i < sends->count; i++) {
		const struct flow_item *item = &sends->items[i];
		uint64_t earlier = operation_sent_earlier(item->op);
		uint64_t words[2] = {item->op->id, item->message - earlier};

		if (item->message >= earlier)
			map_put(context->round, map, message_key(words), &sends->items[i]);
	}
}

/* True if it is not known which messages of the call the kernel's numbers are. */
static bool numbers_are_void(const struct viz_operation *op)
{
	uint64_t first;

	return viz_has(op, miscounted) ||
	       (viz_operation_done(op) && !operation_numbers_from(op, &first));
}

struct flow_item *pair_find_send(const struct map *sends, const struct viz_chunk *chunk)
{
	uint64_t words[2] = {chunk->operation, chunk->message};
	uint64_t whole[2] = {chunk->operation, 0};
	struct flow_item *item = map_get(sends, message_key(words));
	uint64_t earlier;

	if (!item)
		item = map_get(sends, message_key(whole));
	if (item && item->op && numbers_are_void(item->op))
		return NULL;
	if (!item || item->open)
		return item;
	earlier = item->op ? operation_sent_earlier(item->op) : 0;
	return item->message == chunk->message + earlier ? item : NULL;
}

bool pair_is_left(const struct flow_item *item)
{
	return item->op != NULL;
}

void pair_take_pair(struct pair_context *context, const struct pair_route *route,
		    struct flow_item *send, struct flow_item *receive)
{
	if (receive->rival.contested)
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

	if (route->mechanism == MECH_UDP && !receive->rival.contested)
		ARENA_PUSH(context->round, flow->udp.known, flow->udp.known_count, known);
	pair_take_pair(context, route, send, receive);
}

/* The address of a buffer is used again, so a chunk may name a send that is not its own. */
bool pair_can_be(const struct flow_item *send, const struct flow_item *receive)
{
	return send->enter_ns <= receive->exit_ns && (send->open || send->bytes >= receive->bytes);
}

/* Not likely: other bytes than were sent, or a different length though the receive had room. */
bool pair_is_likely(const struct flow_item *send, const struct flow_item *receive)
{
	struct viz_bytes sent = flow_payload(send, 0, receive->bytes);
	struct viz_bytes received = flow_payload(receive, 0, receive->bytes);
	size_t len = sent.len < received.len ? sent.len : received.len;

	if (operation_is_single(receive->op) && viz_has(receive->op, requested) &&
	    receive->bytes < receive->op->requested && receive->bytes != send->bytes)
		return false;
	return len == 0 || memcmp(sent.data, received.data, len) == 0;
}
