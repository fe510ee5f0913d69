// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Checks the times of calls against their numbers. Each processor numbers the calls that begin on
 * it, so on one processor numbers ascend with time. Where they do not, some line has a wrong time,
 * and no order is certain on the channels of the calls between the two places.
 */
#include "viz/base/sort.h"
#include "viz/pair/core/context.h"

#define PROCESSORS_MAX 8192 /* more than Linux has */
#define BACK_MAX 1024	    /* how many calls back one with a greater number is looked for */

/*
 * A call is noted once, though it may have several lines: a begin line, a pending one, its return.
 */
void pair_number_add(struct pair_context *context, struct viz_operation *op,
		     struct viz_channel *sink, struct viz_channel *source)
{
	struct numbered numbered = {op->enter_ns, op->id, sink, source};

	if (op->numbered)
		return;
	op->numbered = true;
	/* A call that was found under way got its number then, but its time is earlier. */
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

static void mark_ambiguous(struct pair_context *context, const struct numbered *numbered)
{
	if (numbered->sink) {
		pair_traffic(context, numbered->sink)->send_ambiguous = true;
		pair_traffic(context, numbered->sink)->unordered = true;
	}
	if (numbered->source) {
		pair_traffic(context, numbered->source)->receive_ambiguous = true;
		pair_traffic(context, numbered->source)->unordered = true;
	}
}

/*
 * The call at index `at` has a smaller number than an earlier one: marks its channels, and those of
 * all earlier calls of its processor with a greater number.
 */
static void mark_ambiguous_from(struct pair_context *context, size_t at, uint64_t processors)
{
	const struct numbered *items = context->numbers.items;

	mark_ambiguous(context, &items[at]);
	for (size_t i = at; i > 0 && at - i < BACK_MAX; i--)
		if (items[i - 1].id % processors == items[at].id % processors &&
		    items[i - 1].id > items[at].id)
			mark_ambiguous(context, &items[i - 1]);
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
	sort_nearly(list->items, list->count, sizeof(*list->items), compare);
	for (size_t i = 0; i < list->count; i++) {
		const struct numbered *numbered = &list->items[i];
		uint64_t *last = &latest[numbered->id % processors];

		if (numbered->id < *last)
			mark_ambiguous_from(context, i, processors);
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
