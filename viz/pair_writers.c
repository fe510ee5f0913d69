// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "pair_writers.h"

#include <stdlib.h>

#include "search.h"

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

const struct writers *writers_list(struct pair_context *context, struct channel_traffic *traffic)
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

static uint64_t start_of(const void *list, size_t index)
{
	return ((const uint64_t *)list)[index];
}

static size_t count_starts(const struct writers *writers, uint64_t at_ns)
{
	return search_until(writers->starts, writers->start_count, start_of, at_ns);
}

static uint64_t end_of(const void *list, size_t index)
{
	return ((struct viz_holding *const *)list)[index]->until_ns;
}

static size_t count_ends(const struct writers *writers, uint64_t at_ns)
{
	return search_until(writers->ended, writers->end_count, end_of, at_ns);
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

const struct viz_holding *writers_last(const struct writers *writers, uint64_t at_ns)
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

/*
 * Whether it had let go of its end by then. Who exits closes its files after its exit is told of
 * (kernel/exit.c, do_exit()), but before its parent is.
 */
static bool had_let_go(const struct viz_holding *holding, uint64_t at_ns)
{
	const struct viz_process *process = holding->process;

	if (holding->end_op)
		return holding->end_op->exit_ns <= at_ns;
	if (holding->end != HOLDING_EXIT)
		return true;
	return process && process->gone_ns && process->gone_ns <= at_ns;
}

/* Another may have been the last: it was under way still, or woke the reader as the last does. */
static bool has_rival(const struct writers *writers, const struct viz_holding *last,
		      const struct viz_operation *receive)
{
	const struct viz_process *waker = receive->woken_by;
	size_t ended = count_ends(writers, last->until_ns);

	for (size_t i = ended; i > 0 && ended - i < RIVALS_MAX && waker != last->process; i--) {
		const struct viz_holding *other = writers->ended[i - 1];
		bool same = other->end_op ? other->end_op == last->end_op
					  : other->process == last->process;

		if (other != last && !same &&
		    ((waker && waker == other->process) || !had_let_go(other, last->until_ns)))
			return true;
	}
	return false;
}

bool writers_sure(const struct writers *writers, const struct viz_holding *last,
		  const struct viz_operation *receive)
{
	return last->end == HOLDING_EXEC ? exec_was_last(writers, last, receive)
					 : !has_rival(writers, last, receive);
}

void writers_free(struct channel_traffic *traffic)
{
	if (traffic->writers)
		arena_free(traffic->writers->arena);
}
