// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The settings of a terminal's line before and after a call. */
#include "viz/model/builder.h"

static uint32_t line_flags(const struct json_node *json, const char *key)
{
	uint64_t number;

	if (!reader_uint(json_member(json, key), &number))
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
		.packet = json_member_is_true(value->json, "packet"),
	};
}

void build_line_settings(struct model_builder *b, struct viz_operation *op)
{
	if (!op->channel || op->channel->mechanism != MECH_PTY)
		return;
	b->extra.line_before = line_of(VALUE(operation, at_entry));
	b->extra.line_after = line_of(VALUE(operation, at_exit));
}
