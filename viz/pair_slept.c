// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A call on a pipe that slept moved its bytes when it ran again: fs/pipe.c reads all at once, and
 * writes up to a page at once, and neither sleeps behind that. So it lies behind all that others
 * had ended by then, and its window is as short as that of a call that never slept.
 */
#include <stdlib.h>

#include "pair_ruler.h"

/* Who has written to a FIFO notes the time in its inode, and may sleep for that. */
static bool slept_before_it_moved(const struct placing *p, const struct viz_operation *op)
{
	const struct viz_operation *waker;

	if (p->route->mechanism == MECH_PIPE)
		return true;
	waker = viz_model_operation(p->context->model, op->waker);
	return p->route->mechanism == MECH_FIFO && waker && waker->channel == op->channel;
}

static bool moves_at_once(const struct flow_item *item)
{
	const struct viz_operation *op = item->op;

	if (op->role == ROLE_RECEIVE)
		return true;
	return op->role == ROLE_SEND && at_least(op->requested, item->amount) <= PAGE_LEN;
}

static uint64_t begin_of(const struct placing *p, const struct flow_item *item)
{
	const struct viz_operation *op = item->op;

	if (!op->resumed_ns || p->flow->whole || item->turn || !moves_at_once(item) ||
	    !slept_before_it_moved(p, op))
		return item->enter_ns;
	return op->resumed_ns;
}

static int compare_begins(const void *a, const void *b)
{
	const struct flow_item *x = *(struct flow_item *const *)a;
	const struct flow_item *y = *(struct flow_item *const *)b;

	return (x->begin_ns > y->begin_ns) - (x->begin_ns < y->begin_ns);
}

/* The least place that can follow its bytes. */
static uint64_t least_after(const struct placing *p, const struct flow_item *item)
{
	struct place_option options[PLACE_OPTIONS];
	size_t count = p->scale->options(item->lo, item, options);
	uint64_t after = VIZ_NEVER;

	for (size_t i = 0; i < count; i++)
		after = at_most(options[i].after, after);
	return after <= item->hi ? after : item->lo;
}

/* Who is not placed in this round may be so when those before it are gone. */
static void lie_behind(struct flow_item *item, uint64_t least)
{
	item->behind = at_least(item->behind, least);
	if (item->behind > item->lo && item->behind < item->hi)
		item->lo = item->behind;
}

void slept_narrow(struct placing *p, struct flow_item **items, size_t count)
{
	struct flow_item **ended = arena_array(p->context->round, count + 1, sizeof(*ended));
	uint64_t least = 0;
	size_t done = 0;

	for (size_t i = 0; i < count; i++) {
		items[i]->begin_ns = begin_of(p, items[i]);
		ended[i] = items[i];
	}
	if (p->tcp || p->flow->whole || !count)
		return;
	qsort(items, count, sizeof(*items), compare_begins);
	qsort(ended, count, sizeof(*ended), ruler_compare_exits);
	for (size_t i = 0; i < count; i++) {
		struct flow_item *item = items[i];

		for (; done < count && ended[done]->exit_ns < item->begin_ns; done++)
			least = at_least(least_after(p, ended[done]), least);
		if (item->begin_ns != item->enter_ns)
			lie_behind(item, least);
		ruler_mend_window(p, item, least);
	}
}
