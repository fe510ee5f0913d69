// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Whenever no call is under way, what lies in a pipe is what went in less what came out. If the
 * kernel counted something else, bytes have moved that we did not see (splice, a process outside
 * the trace): then no place in the flow is certain.
 */
#include "pair_internal.h"

/* An operation that begins within this time after a sample may have moved bytes before it. */
#define SAMPLE_NS 1000000

/* What came out is counted negative, modulo 2^64. */
void pair_content_add(struct channel_traffic *traffic, const struct flow_item *item, bool send)
{
	struct flow_item counted = *item;

	counted.bytes = send ? item->bytes : 0 - item->bytes;
	pair_side_add(&traffic->fresh, &counted);
}

/* when[k]: when the first of those behind k began. */
static uint64_t *enters_behind(struct pair_context *context, const struct channel_traffic *traffic)
{
	const struct flow_side *fresh = &traffic->fresh;
	uint64_t *when = arena_array(context->round, fresh->count + 1, sizeof(*when));
	uint64_t first_ns = pair_first_enter(&traffic->open_sends);

	for (size_t k = fresh->count; k > 0; k--) {
		when[k - 1] = first_ns;
		if (fresh->items[k - 1].enter_ns < first_ns)
			first_ns = fresh->items[k - 1].enter_ns;
	}
	return when;
}

/* The kernel's word, where it means this channel and nobody else was under way. */
static void compare(struct channel_traffic *traffic, const struct flow_item *item,
		    uint64_t others_ns)
{
	const struct viz_operation *op = item->op;

	if (others_ns < item->exit_ns + SAMPLE_NS || op->channel != traffic->channel ||
	    !viz_has(op, queued) || traffic->content == CONTENT_CONTRADICTS)
		return;
	traffic->content = op->queued == traffic->content_sum ? CONTENT_AGREES
							      : CONTENT_CONTRADICTS;
}

void pair_content_check(struct pair_context *context, struct channel_traffic *traffic)
{
	struct flow_side *fresh = &traffic->fresh;
	const uint64_t *behind;
	size_t done = 0;

	flow_sort_ends(fresh);
	behind = enters_behind(context, traffic);
	for (; done < fresh->count; done++) {
		const struct flow_item *item = &fresh->items[done];

		if (!pair_is_last(context) && item->exit_ns + SAMPLE_NS >= context->until_ns)
			break;
		traffic->content_sum += item->bytes;
		compare(traffic, item, behind[done]);
		pair_let_go(context, item->op);
	}
	fresh->count -= done;
	if (fresh->count)
		memmove(fresh->items, fresh->items + done, fresh->count * sizeof(*fresh->items));
}
