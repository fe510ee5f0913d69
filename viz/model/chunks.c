// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The `chunks` of a receive: which part of which send it took, according to the kernel's buffers.
 */
#include "viz/model/builder.h"

uint64_t build_member(const struct json_node *element, const char *key)
{
	uint64_t number;

	return reader_uint(json_member(element, key), &number) ? number : 0;
}

static struct viz_chunk build_chunk(const struct json_node *element)
{
	return (struct viz_chunk){
		.operation = build_member(element, "operation"),
		.message = build_member(element, "message"),
		.offset = build_member(element, "offset"),
		.bytes = build_member(element, "bytes"),
		.at = build_member(element, "at"),
		.from = build_member(element, "from"),
		.buffer = build_member(element, "buffer"),
		.buffer_bytes = build_member(element, "buffer_bytes"),
		.at_ns = build_member(element, "at_ns"),
		.before = json_member_is_true(element, "before"),
		.proved = json_member_is_true(element, "proved"),
	};
}

static struct viz_chunk *build_others(struct model_builder *b, const struct json_node *list,
				      size_t *count)
{
	struct viz_chunk *others = NULL;
	const struct json_node *element;

	*count = 0;
	json_for_each(element, list)
	{
		struct viz_chunk chunk = build_chunk(element);

		ARENA_PUSH(b->into, others, *count, chunk);
	}
	return others;
}

/*
 * A receive from a queue takes one message, which the kernel may let go of twice: an empty one of a
 * POSIX queue is as long as a node of its tree (ipc/mqueue.c), and is named once for each.
 */
static bool is_repeated(const struct model_builder *b, const struct viz_chunk *list, size_t count,
			const struct viz_chunk *chunk)
{
	const struct viz_channel *channel = b->operation->channel;

	return count && channel &&
	       (channel->mechanism == MECH_POSIX_MQ || channel->mechanism == MECH_SYSV_MSG) &&
	       list[count - 1].operation == chunk->operation &&
	       list[count - 1].message == chunk->message;
}

struct viz_chunk *build_chunks(struct model_builder *b, size_t *count)
{
	const struct trace_value *value = VALUE(operation, chunks);
	struct viz_chunk *list = NULL;
	const struct json_node *element;

	*count = 0;
	if (!value->present)
		return NULL;
	json_for_each(element, value->json)
	{
		struct viz_chunk chunk = build_chunk(element);

		if (is_repeated(b, list, *count, &chunk))
			continue;
		chunk.others = build_others(b, json_member(element, "or"), &chunk.other_count);
		ARENA_PUSH(b->into, list, *count, chunk);
	}
	return list;
}
