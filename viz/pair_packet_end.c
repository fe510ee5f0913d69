// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The end of a sequenced-packet connection, which looks like an empty packet. */
#include <stdlib.h>

#include "pair_internal.h"

static int compare_exits(const void *a, const void *b)
{
	const struct flow_item *x = a, *y = b;

	if (x->exit_ns != y->exit_ns)
		return x->exit_ns < y->exit_ns ? -1 : 1;
	return (x->message > y->message) - (x->message < y->message);
}

static void sort_exits(struct flow_side *side)
{
	if (side->count)
		qsort(side->items, side->count, sizeof(*side->items), compare_exits);
}

/*
 * A sequenced-packet receive of 0 bytes is the end, unless it is an empty packet's turn. What is
 * the end leaves the flow.
 */
void pair_take_ends(struct pair_context *context, struct flow *flow)
{
	struct flow_side *side = &flow->receives;
	size_t kept = 0, turn = 0;

	sort_exits(side);
	sort_exits(&flow->sends);
	for (size_t i = 0; i < side->count; i++) {
		struct flow_item item = side->items[i];
		bool empty_sent = turn < flow->sends.count && flow->sends.items[turn].bytes == 0;

		if (item.bytes == 0 && !empty_sent && item.exit_ns < flow->until_ns) {
			pair_add_eof(context, item.op);
			pair_let_go(context, item.op);
			continue;
		}
		side->items[kept++] = item;
		turn++;
	}
	side->count = kept;
}
