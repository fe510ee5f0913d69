// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/model/first_try.h"

#include "viz/model/operation_facts.h"

/* Waits for events, or for signals, are made to be broken off: whoever makes them has gone on. */
static bool asks_for_one_thing(const struct viz_operation *op)
{
	return operation_awaits_child(op) || (op->channel && !operation_polls(op));
}

static bool asks_the_same(const struct viz_operation *op, const struct viz_first_try *first)
{
	return op->channel == first->channel && op->fd == first->fd &&
	       viz_bytes_hash(op->syscall) == first->syscall;
}

static uint64_t since_ns(const struct viz_operation *op)
{
	return op->began ? op->began_ns : op->enter_ns;
}

/* True if the thread still waits for what it asked for first. */
static bool goes_on(const struct viz_operation *op, const struct viz_first_try *first)
{
	return operation_prints(op) || (asks_the_same(op, first) &&
					(!viz_operation_done(op) || operation_is_broken_off(op)));
}

void first_try_note(struct viz_operation *op)
{
	struct viz_first_try *first = &op->thread->first_try;

	if (first->since_ns && goes_on(op, first))
		return;
	first->since_ns = 0;
	if (operation_is_broken_off(op) && asks_for_one_thing(op))
		*first = (struct viz_first_try){op->channel, viz_bytes_hash(op->syscall),
						since_ns(op), op->fd};
}

uint64_t first_try_ns(const struct viz_model *model, const struct viz_operation *op)
{
	const struct viz_first_try *first = &op->thread->first_try;

	if (!first->since_ns || !asks_the_same(op, first) || viz_model_lacks_records(model))
		return since_ns(op);
	return first->since_ns;
}
