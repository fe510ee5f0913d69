// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What a receive took of which sends, as the kernel's buffers told. */
#include "model_build.h"

uint64_t build_member(const cJSON *element, const char *key)
{
	uint64_t number;

	return reader_uint(cJSON_GetObjectItemCaseSensitive(element, key), &number) ? number : 0;
}

static struct viz_chunk build_chunk(const cJSON *element)
{
	return (struct viz_chunk){
		.operation = build_member(element, "operation"),
		.message = build_member(element, "message"),
		.offset = build_member(element, "offset"),
		.bytes = build_member(element, "bytes"),
		.at_ns = build_member(element, "at_ns"),
		.proved = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(element, "proved")),
	};
}

static struct viz_chunk *build_others(struct model_builder *b, const cJSON *list, size_t *count)
{
	struct viz_chunk *others = NULL;
	const cJSON *element;

	*count = 0;
	cJSON_ArrayForEach(element, list)
	{
		struct viz_chunk chunk = build_chunk(element);

		ARENA_PUSH(b->into, others, *count, chunk);
	}
	return others;
}

struct viz_chunk *build_chunks(struct model_builder *b, size_t *count)
{
	const struct trace_value *value = VALUE(operation, chunks);
	struct viz_chunk *list = NULL;
	const cJSON *element;

	*count = 0;
	if (!value->present)
		return NULL;
	cJSON_ArrayForEach(element, value->json)
	{
		struct viz_chunk chunk = build_chunk(element);

		chunk.others = build_others(b, cJSON_GetObjectItemCaseSensitive(element, "or"),
					    &chunk.other_count);
		ARENA_PUSH(b->into, list, *count, chunk);
	}
	return list;
}
