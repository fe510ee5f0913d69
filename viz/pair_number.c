// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Each processor numbers the calls that begin on it: there, numbers ascend with the time. Where
 * they do not, a line has another time than its call had, and no order is certain on the channels
 * of the calls that stand in each other's place.
 */
#include <stdlib.h>

#include "pair_internal.h"

#define PROCESSORS_MAX 8192 /* more than Linux has */
#define BACK_MAX 1024	    /* how far a call is looked for that another one stands before */

void pair_number_add(struct pair_context *context, const struct viz_operation *op,
		     struct viz_channel *sink, struct viz_channel *source)
{
	struct numbered numbered = {op->enter_ns, op->id, sink, source};

	/* A call that was found under way got its number when that was, and its time before. */
	if (context->model->header.processors && !viz_has(op, entered_before))
		LIST_PUSH(&context->numbers, numbered);
}

static int compare(const void *a, const void *b)
{
	const struct numbered *x = a, *y = b;

	if (x->enter_ns != y->enter_ns)
		return x->enter_ns < y->enter_ns ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

static void doubt(struct pair_context *context, const struct numbered *numbered)
{
	if (numbered->sink) {
		pair_traffic(context, numbered->sink)->send_doubt = true;
		pair_traffic(context, numbered->sink)->unordered = true;
	}
	if (numbered->source) {
		pair_traffic(context, numbered->source)->receive_doubt = true;
		pair_traffic(context, numbered->source)->unordered = true;
	}
}

/* A smaller number than one before it: both are where they should not be. */
static void doubt_from(struct pair_context *context, size_t at, uint64_t processors)
{
	const struct numbered *items = context->numbers.items;

	doubt(context, &items[at]);
	for (size_t i = at; i > 0 && at - i < BACK_MAX; i--)
		if (items[i - 1].id % processors == items[at].id % processors &&
		    items[i - 1].id > items[at].id)
			doubt(context, &items[i - 1]);
}

void pair_number_check(struct pair_context *context)
{
	struct numbered_list *list = &context->numbers;
	uint64_t processors = context->model->header.processors;
	uint64_t *latest;
	size_t done = 0;

	if (!list->count || processors > PROCESSORS_MAX)
		return;
	if (!context->latest_numbers)
		context->latest_numbers = arena_array(context->arena, processors,
						      sizeof(*context->latest_numbers));
	latest = arena_array(context->round, processors, sizeof(*latest));
	memcpy(latest, context->latest_numbers, processors * sizeof(*latest));
	qsort(list->items, list->count, sizeof(*list->items), compare);
	for (size_t i = 0; i < list->count; i++) {
		const struct numbered *numbered = &list->items[i];
		uint64_t *last = &latest[numbered->id % processors];

		if (numbered->id < *last)
			doubt_from(context, i, processors);
		else
			*last = numbered->id;
	}
	for (; done < list->count && list->items[done].enter_ns < context->until_ns; done++) {
		uint64_t *last = &context->latest_numbers[list->items[done].id % processors];

		if (list->items[done].id > *last)
			*last = list->items[done].id;
	}
	list->count -= done;
	if (list->count)
		memmove(list->items, list->items + done, list->count * sizeof(*list->items));
}
