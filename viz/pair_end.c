// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The ends of streams: which close (shutdown, exit, …) made a read return 0.
 */
#include <stdlib.h>

#include "model_build.h"
#include "pair_internal.h"

#define COUNTED_MAX 4096 /* the latest ones decide */

/* Who could write to a channel, over time. */
struct writers {
	size_t changes;		    /* the channel's holdings then */
	bool certain;		    /* no stranger can have held an end */
	uint64_t *starts;	    /* sorted */
	struct viz_holding **ended; /* by until_ns */
	size_t start_count;
	size_t end_count;
	struct arena *arena; /* of all this */
};

enum { SHUT_READING, SHUT_WRITING, SHUT_BOTH };

void pair_add_eof(struct pair_context *context, const struct viz_operation *receive)
{
	struct viz_eof *eof = pair_new(context, sizeof(*eof));

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
	if (how != SHUT_WRITING && !traffic->shut_read)
		traffic->shut_read = viz_operation_use(op);
	if (how != SHUT_READING && !traffic->shut_write)
		traffic->shut_write = viz_operation_use(op);
}

/* Calls on a pipe that strangers might hold too, which say how many writing ends were open. */
static void note_count(struct pair_context *context, const struct viz_operation *op)
{
	struct counted counted = {op->enter_ns, op->exit_ns, op->writers};
	struct counted_list *list;

	if (!op->channel || op->channel->created_in_trace || !viz_has(op, writers))
		return;
	list = &pair_traffic(context, op->channel)->counted;
	if (list->count == COUNTED_MAX && !context->keep) {
		list->count /= 2;
		memmove(list->items, list->items + list->count, list->count * sizeof(counted));
	}
	LIST_PUSH(list, counted);
}

void pair_end_call(struct pair_context *context, const struct viz_operation *op)
{
	note_shutdown(context, op);
	note_count(context, op);
}

void pair_end_free(struct channel_traffic *traffic)
{
	if (traffic->writers)
		arena_free(traffic->writers->arena);
	free(traffic->counted.items);
}

/* The last one that had returned by then; NULL: none. */
static const struct counted *last_counted(const struct counted_list *counted, uint64_t at_ns)
{
	size_t low = 0, high = counted->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (counted->items[middle].exit_ns <= at_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &counted->items[low - 1] : NULL;
}

static int compare_ends(const void *a, const void *b)
{
	const struct viz_holding *x = *(struct viz_holding *const *)a;
	const struct viz_holding *y = *(struct viz_holding *const *)b;

	if (x->until_ns != y->until_ns)
		return x->until_ns < y->until_ns ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

static int compare_starts(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static struct writers *new_writers(struct channel_traffic *traffic)
{
	struct arena *arena = arena_new_small();
	struct writers *writers = arena_alloc(arena, sizeof(*writers));

	if (traffic->writers)
		arena_free(traffic->writers->arena);
	writers->arena = arena;
	traffic->writers = writers;
	return writers;
}

/* Listed again only where something has changed since. */
static const struct writers *list_writers(struct pair_context *context,
					  struct channel_traffic *traffic)
{
	const struct viz_channel *channel = traffic->channel;
	struct writers *writers = traffic->writers;

	if (writers && writers->changes == channel->holding_changes)
		return writers;
	writers = new_writers(traffic);
	writers->changes = channel->holding_changes;
	writers->certain = channel->created_in_trace && !context->lost &&
			   !context->model->descriptors_cut;
	for (size_t i = 0; i < channel->holding_count; i++) {
		struct viz_holding *holding = channel->holdings[i];

		if (holding->access == ACCESS_NONE)
			writers->certain = false;
		if (!(holding->access & ACCESS_WRITE))
			continue;
		ARENA_PUSH(writers->arena, writers->starts, writers->start_count,
			   holding->since_ns);
		if (holding->until_ns != VIZ_NEVER)
			ARENA_PUSH(writers->arena, writers->ended, writers->end_count, holding);
	}
	if (writers->start_count)
		qsort(writers->starts, writers->start_count, sizeof(*writers->starts),
		      compare_starts);
	if (writers->end_count)
		qsort(writers->ended, writers->end_count, sizeof(*writers->ended), compare_ends);
	return writers;
}

static size_t count_starts(const struct writers *writers, uint64_t at_ns)
{
	size_t low = 0, high = writers->start_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (writers->starts[middle] <= at_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static size_t count_ends(const struct writers *writers, uint64_t at_ns)
{
	size_t low = 0, high = writers->end_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (writers->ended[middle]->until_ns <= at_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * execve(2) closes what is marked so first, and is told of when it is done: who has such an end may
 * have lost it by then. NULL: somebody held one otherwise; else the first whose exec is told of.
 */
static const struct viz_holding *in_exec(const struct writers *writers, uint64_t at_ns,
					 size_t ended)
{
	const struct viz_holding *first = NULL;
	size_t held = count_starts(writers, at_ns) - ended;

	for (size_t i = ended; i < writers->end_count && held; i++) {
		const struct viz_holding *holding = writers->ended[i];

		if (holding->since_ns > at_ns)
			continue;
		if (holding->end != HOLDING_EXEC)
			return NULL;
		first = first ? first : holding;
		held--;
	}
	return held ? NULL : first;
}

/* The one that gave up the last writing end by then; NULL: none did, or there still is one. */
static const struct viz_holding *last_writer(const struct writers *writers, uint64_t at_ns)
{
	size_t ended = count_ends(writers, at_ns);

	if (count_starts(writers, at_ns) > ended)
		return in_exec(writers, at_ns, ended);
	return ended ? writers->ended[ended - 1] : NULL;
}

/* The last end that somebody else gave up before this one's exec was told of; NULL: none was. */
static const struct viz_holding *last_but(const struct writers *writers,
					  const struct viz_holding *exec)
{
	for (size_t i = count_ends(writers, exec->until_ns); i > 0; i--)
		if (writers->ended[i - 1]->process != exec->process)
			return writers->ended[i - 1];
	return NULL;
}

/*
 * Whether an exec took the last end away, and not who gave up another one while it ran: a receive
 * that began later still slept, so somebody could write.
 */
static bool exec_was_last(const struct writers *writers, const struct viz_holding *exec,
			  const struct viz_operation *receive)
{
	const struct viz_holding *other = last_but(writers, exec);

	return !other || (other->end_op && other->end_op->exit_ns <= receive->enter_ns &&
			  receive->resumed_ns);
}

#define RIVALS_MAX 16 /* looked at, of those who gave an end up before the last one */

/* Another may have been the last: it was under way still, or woke the reader as the last does. */
static bool has_rival(const struct writers *writers, const struct viz_holding *last,
		      const struct viz_operation *receive)
{
	size_t ended = count_ends(writers, last->until_ns);

	for (size_t i = ended; i > 0 && ended - i < RIVALS_MAX; i--) {
		const struct viz_holding *other = writers->ended[i - 1];
		const struct viz_operation *close = other->end_op;

		if (other == last || receive->woken_by == last->process)
			continue;
		if ((receive->woken_by && receive->woken_by == other->process) ||
		    (close && close != last->end_op && close->exit_ns > last->until_ns))
			return true;
	}
	return false;
}

/* Each writing end was opened by a call in this trace, not inherited from before it. */
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
 * Anybody can open a FIFO. But the kernel counts: one writing end before the close, which was the
 * one that we saw, and none after it.
 */
static bool counts_prove(struct pair_context *context, const struct viz_eof *eof,
			 const struct viz_holding *holding)
{
	const struct counted_list *counted = &pair_traffic(context, eof->channel)->counted;
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

/* Of all that could have ended the stream by then, what came first did. */
static void consider_shutdown(struct viz_eof *eof, const struct viz_operation *shutdown)
{
	if (!shutdown || shutdown->enter_ns > eof->receive->exit_ns)
		return;
	if (eof->process && eof->at_ns <= shutdown->enter_ns)
		return;
	ended_by_call(eof, shutdown);
	eof->match = MATCH_EXACT;
}

/* Where the bytes come from: the pipe itself, or the peer's side; NULL: not in the trace. */
static struct channel_traffic *origin_of(struct pair_context *context,
					 const struct viz_channel *channel)
{
	struct viz_channel *peer;

	if (mechanism_info(channel->mechanism)->direction != DIRECTION_TWO_WAY)
		return pair_traffic(context, channel);
	peer = pair_traffic(context, channel)->peer;
	return peer ? pair_traffic(context, peer) : NULL;
}

static void explain_by_holders(struct pair_context *context, struct viz_eof *eof,
			       struct channel_traffic *origin)
{
	const struct writers *writers = list_writers(context, origin);
	const struct viz_holding *holding = last_writer(writers, eof->receive->exit_ns);

	eof->match = MATCH_AMBIGUOUS;
	if (!holding)
		return;
	ended_by_holder(eof, holding);
	if (holding->end == HOLDING_EXEC ? !exec_was_last(writers, holding, eof->receive)
					 : has_rival(writers, holding, eof->receive))
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
		consider_shutdown(eof, origin->shut_write);
	consider_shutdown(eof, pair_traffic(context, eof->channel)->shut_read);
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
		pair_tell(context, eof, eof);
		pair_let_go(context, eof->receive);
		pair_free(context, eof);
	}
	list->count -= done;
	if (list->count)
		memmove(list->items, list->items + done, list->count * sizeof(*list->items));
}
