// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Which send one message of a receive names, and when the message was taken. */
#include "viz/pair/buffer/buffer_match.h"

/*
 * True for a recvmmsg whose last messages were the end of a sequenced-packet connection: the end is
 * no buffer, so it has no chunk. Each chunk must fit the message in its place, for a chunk in the
 * middle may be a lost record.
 */
static bool ends_connection(const struct viz_operation *op)
{
	if (op->extra->chunk_count > op->extra->lengths_count ||
	    op->channel->mechanism != MECH_UNIX_SEQPACKET)
		return false;
	for (size_t i = 0; i < op->extra->lengths_count; i++)
		if (op->extra->lengths[i] !=
		    (i < op->extra->chunk_count ? op->extra->chunks[i].bytes : 0))
			return false;
	return true;
}

/*
 * The chunk of one message. A recvmmsg has one chunk for each message, in order, also for messages
 * of 0 bytes. NULL if there is none, or if some chunks are missing and it is not known which.
 */
static const struct viz_chunk *chunk_at(const struct viz_operation *op, uint32_t message)
{
	size_t count = op->extra->parts_count ? op->extra->parts_count : op->extra->lengths_count;

	if (!count)
		return op->extra->chunk_count == 1 ? op->extra->chunks : NULL;
	if (op->extra->chunk_count != count && !ends_connection(op))
		return NULL;
	return message < op->extra->chunk_count ? &op->extra->chunks[message] : NULL;
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

/* A call of several messages may sleep before each of them, so each has its own time. */
uint64_t pair_took_from(const struct flow_item *receive)
{
	uint64_t resumed_ns = receive->op->resumed_ns, from_ns = receive->enter_ns;
	uint32_t first = receive->message;
	const struct viz_chunk *last = NULL;

	while (first && viz_message_of(receive->op, first - 1) ==
				viz_message_of(receive->op, receive->message))
		first--; /* datagrams of one message (UDP_GRO) were received at once */
	if (first)
		last = chunk_at(receive->op, first - 1);
	if (last && last->at_ns)
		from_ns = last->at_ns + 1;
	return resumed_ns > from_ns && resumed_ns <= pair_took_until(receive) ? resumed_ns
									      : from_ns;
}

const struct viz_chunk *pair_chunk_of(const struct flow_item *receive)
{
	const struct viz_chunk *chunk = chunk_of(receive);

	if (chunk && receive->rival.not_taken)
		chunk = receive->rival.not_taken <= chunk->other_count
				? &chunk->others[receive->rival.not_taken - 1]
				: NULL;
	return chunk && chunk->operation ? chunk : NULL;
}

/*
 * Notes that a send's message was still in the queue after seen_ns, the time from which on the
 * receive may have taken a message: it looked at the queue later than that.
 */
static void note_one(struct pair_context *context, struct flow *flow, const struct map *sends,
		     const struct viz_chunk *chunk, uint64_t seen_ns)
{
	struct flow_item *send = pair_find_send(sends, chunk);

	if (!send || seen_ns <= send->rival.seen_ns)
		return;
	send->rival.seen_ns = seen_ns;
	if (!send->open && pair_is_queued(send)) {
		struct flow_seen seen = {.sent_ns = send->exit_ns, .seen_ns = seen_ns};

		ARENA_PUSH(context->round, flow->udp.seen, flow->udp.seen_count, seen);
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
