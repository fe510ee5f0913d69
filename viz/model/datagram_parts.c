// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * UDP_SEGMENT and UDP_GRO: one message of a call is several datagrams, each of which is received,
 * or was sent, on its own. Such a call is modelled as if each datagram were a message of its own.
 */
#include "viz/model/builder.h"

#define PARTS_MAX (1024 * 128) /* UIO_MAXIOV messages of UDP_MAX_SEGMENTS datagrams */

struct segments {
	uint64_t *lens;
	size_t count;
};

static uint64_t segment_of(const struct segments *segments, size_t message)
{
	return message < segments->count ? segments->lens[message] : 0;
}

static size_t parts_of(uint64_t bytes, uint64_t segment)
{
	return segment && bytes > segment ? (bytes + segment - 1) / segment : 1;
}

static size_t message_count(const struct viz_operation *op)
{
	return op->extra->lengths_count ? op->extra->lengths_count : 1;
}

static uint64_t message_bytes(const struct viz_operation *op, size_t message)
{
	if (op->extra->lengths_count)
		return op->extra->lengths[message];
	return op->extra->transferred ? op->extra->transferred : (uint64_t)op->returned;
}

static uint64_t count_parts(const struct viz_operation *op, const struct segments *segments)
{
	size_t count = 0;

	for (size_t i = 0; i < message_count(op) && count < PARTS_MAX; i++)
		count += parts_of(message_bytes(op, i), segment_of(segments, i));
	return count;
}

static void add_parts(struct model_builder *b, struct viz_operation *op,
		      const struct segments *segments)
{
	size_t messages = 0;

	for (uint64_t i = 0; i < message_count(op); i++) {
		uint64_t bytes = message_bytes(op, i), segment = segment_of(segments, i);

		for (size_t left = parts_of(bytes, segment); left > 0; left--) {
			uint64_t len = left > 1 ? segment : bytes;

			ARENA_PUSH(b->into, b->extra.parts, b->extra.parts_count, len);
			ARENA_PUSH(b->into, b->extra.part_messages, messages, i);
			bytes -= len;
		}
	}
}

/*
 * The chunk of the datagram that is `further` behind the chunk's own: datagrams that the kernel
 * kept together are consecutive datagrams of one send.
 */
static struct viz_chunk chunk_behind(struct model_builder *b, const struct viz_chunk *chunk,
				     uint64_t further)
{
	struct viz_chunk behind = *chunk;

	behind.message += further;
	behind.others = NULL;
	behind.other_count = 0;
	for (size_t i = 0; i < chunk->other_count; i++) {
		struct viz_chunk other = chunk->others[i];

		other.message += further;
		ARENA_PUSH(b->into, behind.others, behind.other_count, other);
	}
	return behind;
}

static void spread_chunks(struct model_builder *b, struct viz_operation *op,
			  const struct segments *segments)
{
	struct viz_chunk *list = NULL;
	size_t count = 0;

	if (op->extra->chunk_count != message_count(op))
		return;
	for (size_t i = 0; i < op->extra->chunk_count; i++) {
		size_t parts = parts_of(message_bytes(op, i), segment_of(segments, i));

		for (size_t k = 0; k < parts; k++) {
			struct viz_chunk chunk = chunk_behind(b, &op->extra->chunks[i], k);

			ARENA_PUSH(b->into, list, count, chunk);
		}
	}
	b->extra.chunks = list;
	b->extra.chunk_count = count;
}

void build_parts(struct model_builder *b, struct viz_operation *op)
{
	struct segments segments = {0};
	size_t count;

	b->extra.parts = b->extra.part_messages = NULL;
	b->extra.parts_count = 0;
	segments.lens = build_uints(b, FIELD_operation_segment_bytes, &segments.count);
	if (!segments.count || op->returned <= 0)
		return;
	count = count_parts(op, &segments);
	if (count <= message_count(op) || count > PARTS_MAX)
		return;
	add_parts(b, op, &segments);
	if (op->role == ROLE_RECEIVE)
		spread_chunks(b, op, &segments);
}

uint64_t viz_message_of(const struct viz_operation *op, uint32_t part)
{
	return part < op->extra->parts_count ? op->extra->part_messages[part] : part;
}
