// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The ends of streams: finds the call (close, shutdown, exit, …) that made a read return 0. It is
 * the one that took the last writing end away, or a shutdown that came before.
 */
#include <stdlib.h>

#include "viz/base/sorted_search.h"
#include "viz/model/builder.h"
#include "viz/pair/core/unseen_objects.h"
#include "viz/pair/peer/writers.h"

#define COUNTED_MAX 4096 /* counts that are kept; older ones are dropped */

enum { SHUT_READING, SHUT_WRITING, SHUT_BOTH };

void pair_add_eof(struct pair_context *context, const struct viz_operation *receive)
{
	struct viz_eof *eof;

	if (!context->sink->eof)
		return;
	eof = pair_new(context, sizeof(*eof));
	eof->receive = viz_operation_use(receive);
	eof->channel = receive->channel;
	eof->match = MATCH_EXACT;
	LIST_PUSH(&context->eofs, eof);
}

static void note_shutdown(struct pair_context *context, const struct viz_operation *op)
{
	struct channel_traffic *traffic;
	int64_t how;

	if (!op->channel || op->role != ROLE_CLOSE || op->returned < 0)
		return;
	if (!viz_bytes_equal(op->syscall, viz_bytes_of("shutdown")) ||
	    !viz_operation_argument(op, "how", &how))
		return;
	traffic = pair_traffic(context, op->channel);
	if (how != SHUT_WRITING && !traffic->ends.shut_read)
		traffic->ends.shut_read = viz_operation_use(op);
	if (how != SHUT_READING && !traffic->ends.shut_write)
		traffic->ends.shut_write = viz_operation_use(op);
}

/*
 * Notes the number of open writing ends that a call on a pipe reports, if processes outside the
 * trace might hold the pipe as well.
 */
static void note_count(struct pair_context *context, const struct viz_operation *op)
{
	struct counted counted = {op->enter_ns, op->exit_ns, op->writers};
	struct counted_list *list;

	if (!op->channel || op->channel->created_in_trace || !viz_has(op, writers))
		return;
	list = &pair_traffic(context, op->channel)->ends.counted;
	if (list->count == COUNTED_MAX && !context->keep) {
		list->count /= 2;
		memmove(list->items, list->items + list->count, list->count * sizeof(counted));
	}
	LIST_PUSH(list, counted);
}

void pair_end_call(struct pair_context *context, const struct viz_operation *op)
{
	if (!context->sink->eof)
		return;
	note_shutdown(context, op);
	note_count(context, op);
}

void pair_end_free(struct channel_traffic *traffic)
{
	writers_free(traffic);
	free(traffic->ends.counted.items);
}

static uint64_t return_of(const void *list, size_t index)
{
	return ((const struct counted *)list)[index].exit_ns;
}

/* The last count whose call had returned by at_ns; NULL if there is none. */
static const struct counted *last_counted(const struct counted_list *counted, uint64_t at_ns)
{
	size_t known = search_until(counted->items, counted->count, return_of, at_ns);

	return known ? &counted->items[known - 1] : NULL;
}

/* True if each writing end was opened by a call in this trace, and not held before it. */
static bool all_opened_here(const struct viz_channel *channel)
{
	for (size_t i = 0; i < channel->holding_count; i++) {
		const struct viz_holding *holding = channel->holdings[i];

		if (holding->access == ACCESS_NONE)
			return false;
		if ((holding->access & ACCESS_WRITE) &&
		    (holding->start == HOLDING_UNKNOWN || holding->start == HOLDING_EXEC))
			return false;
	}
	return true;
}

/*
 * Any process can open a FIFO. True if the kernel's count excludes that: it had one writing end
 * before the holding ended, which was this holding's, and none when the receive found the end.
 */
static bool counts_prove(struct pair_context *context, const struct viz_eof *eof,
			 const struct viz_holding *holding)
{
	const struct counted_list *counted = &pair_traffic(context, eof->channel)->ends.counted;
	const struct counted *before = last_counted(counted, holding->until_ns);

	return !context->lost && !context->model->descriptors_cut && before &&
	       before->writers == 1 && before->enter_ns >= holding->since_ns &&
	       viz_has(eof->receive, writers) && eof->receive->writers == 0 &&
	       all_opened_here(eof->channel);
}

static void ended_by_call(struct viz_eof *eof, const struct viz_operation *op)
{
	eof->closed_by = op;
	eof->ended = NULL;
	eof->process = op->process;
	eof->cause = HOLDING_CALL;
	eof->at_ns = op->enter_ns;
}

static void ended_by_holder(struct viz_eof *eof, const struct viz_holding *holding)
{
	eof->cause = holding->end;
	eof->process = holding->process;
	eof->at_ns = holding->until_ns;
	if (holding->end_op)
		eof->closed_by = holding->end_op;
	else
		eof->ended = holding->process;
}

/*
 * Takes a shutdown as the cause if it came before the cause found so far: the first one ended it.
 */
static void consider_shutdown(struct viz_eof *eof, const struct viz_operation *shutdown)
{
	if (!shutdown || shutdown->enter_ns > eof->receive->exit_ns)
		return;
	if (eof->process && eof->at_ns <= shutdown->enter_ns)
		return;
	ended_by_call(eof, shutdown);
	eof->match = MATCH_EXACT;
}

/* The channel that is written to: the pipe itself, or the peer; NULL if it is not in the trace. */
static struct channel_traffic *origin_of(struct pair_context *context,
					 const struct viz_channel *channel)
{
	struct viz_channel *peer;

	if (mechanism_info(channel->mechanism)->direction != DIRECTION_TWO_WAY)
		return pair_traffic(context, channel);
	peer = pair_traffic(context, channel)->peer;
	return peer ? pair_traffic(context, peer) : NULL;
}

/*
 * True if a writing end was sent in a message. The message may have held it longer than any
 * process, until it was discarded.
 */
static bool any_passed(const struct pair_context *context, const struct viz_channel *channel)
{
	for (size_t i = 0; context->passed.count && i < channel->holding_count; i++)
		if (channel->holdings[i]->access & ACCESS_WRITE &&
		    pair_was_passed(context, channel->holdings[i]))
			return true;
	return false;
}

static void explain_by_holders(struct pair_context *context, struct viz_eof *eof,
			       struct channel_traffic *origin)
{
	const struct writers *writers = writers_list(context, origin);
	const struct viz_holding *holding = writers_proven(writers, eof->receive->exit_ns);

	if (holding) {
		ended_by_holder(eof, holding);
		return;
	}
	eof->match = MATCH_AMBIGUOUS;
	holding = writers_last(writers, eof->receive->exit_ns);
	if (!holding)
		return;
	ended_by_holder(eof, holding);
	if (!writers_sure(writers, holding, eof->receive) || any_passed(context, origin->channel))
		return;
	if (writers->certain || counts_prove(context, eof, holding))
		eof->match = MATCH_EXACT;
}

static void explain(struct pair_context *context, struct viz_eof *eof)
{
	struct channel_traffic *origin = origin_of(context, eof->channel);

	if (origin)
		explain_by_holders(context, eof, origin);
	if (origin && origin->channel != eof->channel)
		consider_shutdown(eof, origin->ends.shut_write);
	consider_shutdown(eof, pair_traffic(context, eof->channel)->ends.shut_read);
	if (!eof->process || context->lost)
		eof->match = MATCH_AMBIGUOUS;
}

static int compare_eofs(const void *a, const void *b)
{
	const struct viz_eof *x = *(struct viz_eof *const *)a;
	const struct viz_eof *y = *(struct viz_eof *const *)b;

	if (x->receive->exit_ns != y->receive->exit_ns)
		return x->receive->exit_ns < y->receive->exit_ns ? -1 : 1;
	return (x->receive->id > y->receive->id) - (x->receive->id < y->receive->id);
}

void pair_explain_eofs(struct pair_context *context)
{
	struct eof_list *list = &context->eofs;
	size_t done = 0;

	if (list->count)
		qsort(list->items, list->count, sizeof(*list->items), compare_eofs);
	for (; done < list->count && list->items[done]->receive->exit_ns < context->until_ns;
	     done++) {
		struct viz_eof *eof = list->items[done];

		eof->index = context->eof_count++;
		explain(context, eof);
		pair_mark_unseen_end(context, eof);
		pair_report(context, eof, eof);
		pair_let_go(context, eof->receive);
		pair_free(context, eof);
	}
	list->count -= done;
	if (list->count)
		memmove(list->items, list->items + done, list->count * sizeof(*list->items));
}
