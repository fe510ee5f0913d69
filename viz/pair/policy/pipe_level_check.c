// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Checks a pipe's content. Whenever no call is under way, the pipe holds what went in minus what
 * came out. If the kernel reports another number of bytes, some were moved by calls that are not in
 * the trace (splice, another process), and no place in the flow is exact.
 */
#include "viz/pair/core/context.h"

#include "viz/base/sort.h"
#include "viz/model/builder.h"

/* A call that begins within this time after a sample may have moved bytes before the sample. */
#define SAMPLE_NS 1000000

void pair_content_add(struct channel_traffic *traffic, const struct flow_item *item, bool send)
{
	struct pipe_change change = {item->op, item->op->enter_ns, item->op->exit_ns,
				     send ? item->bytes : 0 - item->bytes};

	viz_operation_use(item->op);
	LIST_PUSH(&traffic->content.fresh, change);
}

static int compare_exits(const void *a, const void *b)
{
	const struct pipe_change *x = a, *y = b;

	if (x->exit_ns != y->exit_ns)
		return x->exit_ns < y->exit_ns ? -1 : 1;
	if (x->enter_ns != y->enter_ns)
		return x->enter_ns < y->enter_ns ? -1 : 1;
	return (x->op->id > y->op->id) - (x->op->id < y->op->id);
}

/* Returns an array: when[k] is the time (ns) at which the first of the calls behind k began. */
static uint64_t *enters_behind(struct pair_context *context, const struct channel_traffic *traffic)
{
	const struct pipe_change_list *fresh = &traffic->content.fresh;
	uint64_t *when = arena_array(context->round, fresh->count + 1, sizeof(*when));
	uint64_t first_ns = pair_first_enter(&traffic->open_sends);

	for (size_t k = fresh->count; k > 0; k--) {
		when[k - 1] = first_ns;
		if (fresh->items[k - 1].enter_ns < first_ns)
			first_ns = fresh->items[k - 1].enter_ns;
	}
	return when;
}

/*
 * Compares the kernel's count with ours, if it is of this channel and no other call was under way.
 */
static void compare(struct channel_traffic *traffic, const struct pipe_change *change,
		    uint64_t others_ns)
{
	const struct viz_operation *op = change->op;

	if (others_ns < change->exit_ns + SAMPLE_NS || op->channel != traffic->channel ||
	    !viz_has(op, queued) || traffic->content.verdict == CONTENT_CONTRADICTS)
		return;
	traffic->content.verdict = op->queued == traffic->content.sum ? CONTENT_AGREES
								      : CONTENT_CONTRADICTS;
}

void pair_content_check(struct pair_context *context, struct channel_traffic *traffic)
{
	struct pipe_change_list *fresh = &traffic->content.fresh;
	const uint64_t *behind;
	size_t done = 0;

	sort_nearly(fresh->items, fresh->count, sizeof(*fresh->items), compare_exits);
	behind = enters_behind(context, traffic);
	for (; done < fresh->count; done++) {
		const struct pipe_change *change = &fresh->items[done];

		if (!pair_is_last(context) && change->exit_ns + SAMPLE_NS >= context->until_ns)
			break;
		traffic->content.sum += change->bytes;
		compare(traffic, change, behind[done]);
		pair_let_go(context, change->op);
	}
	fresh->count -= done;
	if (fresh->count)
		memmove(fresh->items, fresh->items + done, fresh->count * sizeof(*fresh->items));
}
