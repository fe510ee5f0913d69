// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Where the rare facts of operations are. Those of which nothing but a few arguments is known, as
 * of sigprocmask(2), are one for all that have the same arguments.
 */
#include "viz/model/builder.h"

const struct viz_operation_extra viz_no_extra = {0};

enum { SHARED_MOST = 256 }; /* kinds of arguments: a trace may have a new one in each call */

/* Numbers out of range become the nearest int64_t; these values are only displayed. */
static bool next_argument(struct model_builder *b, const struct json_node *item,
			  struct viz_argument *arg)
{
	arg->name = build_intern(b, item->key);
	return reader_nearest(item, &arg->value);
}

void build_args(struct model_builder *b)
{
	const struct trace_value *value = VALUE(operation, args);
	const struct json_node *item;
	struct viz_argument arg;

	b->extra.args = b->few_args;
	b->extra.args_count = 0;
	if (!value->present)
		return;
	json_for_each(item, value->json)
	{
		if (!next_argument(b, item, &arg))
			continue;
		if (b->extra.args_count < BUILD_ARGS_FEW)
			b->few_args[b->extra.args_count++] = arg;
		else
			ARENA_PUSH(b->into, b->extra.args, b->extra.args_count, arg);
	}
}

/* Moves the arguments of b->extra from where they were read to. */
static void place_args(struct model_builder *b, struct arena *arena)
{
	const size_t len = b->extra.args_count * sizeof(*b->extra.args);

	if (b->extra.args != b->few_args)
		return;
	b->extra.args = len ? arena_alloc(arena, len) : NULL;
	if (len)
		memcpy(b->extra.args, b->few_args, len);
}

/* Returns the one for all with these arguments; NULL: there are too many kinds. */
static const struct viz_operation_extra *shared_extra(struct model_builder *b)
{
	const struct viz_bytes key = {(const char *)b->few_args,
				      b->extra.args_count * sizeof(*b->few_args)};
	struct viz_operation_extra *extra = map_get(&b->shared_extras, key);

	if (extra || b->shared_extras.count == SHARED_MOST)
		return extra;
	place_args(b, b->arena);
	extra = arena_alloc(b->arena, sizeof(*extra));
	*extra = b->extra;
	extra->shared = true;
	map_put(b->arena, &b->shared_extras, key, extra);
	return extra;
}

static bool is_own(const struct viz_operation_extra *extra)
{
	return extra != &viz_no_extra && !extra->shared;
}

const struct viz_operation_extra *build_keep_extra(struct model_builder *b,
						   const struct viz_operation_extra *before,
						   bool only_args)
{
	const bool few = b->extra.args_count && b->extra.args == b->few_args;
	const struct viz_operation_extra *shared = only_args && few && !is_own(before)
							   ? shared_extra(b)
							   : NULL;
	struct viz_operation_extra *own = (struct viz_operation_extra *)before;

	if (shared)
		return shared;
	if (!is_own(before))
		own = arena_alloc(b->into, sizeof(*own));
	place_args(b, b->into);
	b->extra.shared = false;
	*own = b->extra;
	return own;
}

struct viz_operation_extra *build_extra(struct arena *arena, struct viz_operation *op)
{
	const struct viz_operation_extra *before = op->extra;

	if (!is_own(before)) {
		struct viz_operation_extra *own = arena_alloc(arena, sizeof(*own));

		*own = *before;
		own->shared = false;
		op->extra = own;
	}
	return (struct viz_operation_extra *)op->extra;
}
