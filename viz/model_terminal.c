// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* How a terminal's line was set before and after a call. */
#include "model_build.h"

static uint32_t line_flags(const cJSON *json, const char *key)
{
	uint64_t number;

	if (!reader_uint(cJSON_GetObjectItemCaseSensitive(json, key), &number))
		return 0;
	return (uint32_t)number;
}

static struct viz_line line_of(const struct trace_value *value)
{
	if (!value->present)
		return (struct viz_line){0};
	return (struct viz_line){
		.known = true,
		.input = line_flags(value->json, "input"),
		.output = line_flags(value->json, "output"),
		.local = line_flags(value->json, "local"),
		.packet = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(value->json, "packet")),
	};
}

void build_line_settings(struct model_builder *b, struct viz_operation *op)
{
	if (!op->channel || op->channel->mechanism != MECH_PTY)
		return;
	op->line_before = line_of(VALUE(operation, at_entry));
	op->line_after = line_of(VALUE(operation, at_exit));
}
