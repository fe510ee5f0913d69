// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What one message of a receive names as its send, and when it was taken. */
#include "pair_named.h"

/*
 * The chunk of one message: of a recvmmsg there is one for each message, in order, but for those of
 * no bytes. NULL: it names none, or nobody can tell which.
 */
static const struct viz_chunk *chunk_at(const struct viz_operation *op, uint32_t message)
{
	size_t before = 0, all = 0;

	if (!op->lengths_count)
		return op->chunk_count == 1 ? op->chunks : NULL;
	if (message >= op->lengths_count)
		return NULL;
	if (op->chunk_count == op->lengths_count)
		return &op->chunks[message];
	for (size_t i = 0; i < op->lengths_count; i++) {
		all += op->lengths[i] > 0;
		before += i < message && op->lengths[i] > 0;
	}
	return all == op->chunk_count && op->lengths[message] ? &op->chunks[before] : NULL;
}

static const struct viz_chunk *chunk_of(const struct flow_item *receive)
{
	return chunk_at(receive->op, receive->message);
}

uint64_t pair_took_until(const struct flow_item *receive)
{
	const struct viz_chunk *chunk = chunk_of(receive);

	return chunk && chunk->at_ns ? chunk->at_ns : receive->exit_ns;
}

/* A call of several messages may sleep before any of them. */
uint64_t pair_took_from(const struct flow_item *receive)
{
	uint64_t resumed_ns = receive->op->resumed_ns, from_ns = receive->enter_ns;
	const struct viz_chunk *last = NULL;

	if (receive->message)
		last = chunk_at(receive->op, receive->message - 1);
	if (last && last->at_ns)
		from_ns = last->at_ns + 1;
	return resumed_ns > from_ns && resumed_ns <= pair_took_until(receive) ? resumed_ns
									      : from_ns;
}

const struct viz_chunk *pair_chunk_of(const struct flow_item *receive)
{
	const struct viz_chunk *chunk = chunk_of(receive);

	if (chunk && receive->not_taken)
		chunk = receive->not_taken <= chunk->other_count
				? &chunk->others[receive->not_taken - 1]
				: NULL;
	return chunk && chunk->operation ? chunk : NULL;
}

/* Its look came after the moment from which on it may have taken one. */
static void note_one(struct pair_context *context, struct flow *flow, const struct map *sends,
		     const struct viz_chunk *chunk, uint64_t seen_ns)
{
	struct flow_item *send = pair_find_send(sends, chunk);

	if (!send || seen_ns <= send->seen_ns)
		return;
	send->seen_ns = seen_ns;
	if (!send->open && pair_is_queued(send)) {
		struct flow_seen seen = {.sent_ns = send->exit_ns, .seen_ns = seen_ns};

		ARENA_PUSH(context->round, flow->seen, flow->seen_count, seen);
	}
}

void pair_note_seen(struct pair_context *context, struct flow *flow, const struct map *sends,
		    const struct flow_item *receive)
{
	const struct viz_chunk *chunk = chunk_of(receive);
	uint64_t seen_ns = pair_took_from(receive);

	if (!chunk || chunk->proved)
		return;
	note_one(context, flow, sends, chunk, seen_ns);
	for (size_t i = 0; i < chunk->other_count; i++)
		note_one(context, flow, sends, &chunk->others[i], seen_ns);
}
