// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds the last writing end of a channel from the holdings, whose times are those of the calls and
 * not of the close itself, and from the kernel's own counts (enum parting) where it has them.
 */
#include "viz/pair/peer/writers.h"

#include <stdlib.h>

#include "viz/base/sorted_search.h"

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

	if (traffic->ends.writers)
		arena_free(traffic->ends.writers->arena);
	writers->arena = arena;
	traffic->ends.writers = writers;
	return writers;
}

const struct writers *writers_list(struct pair_context *context, struct channel_traffic *traffic)
{
	const struct viz_channel *channel = traffic->channel;
	struct writers *writers = traffic->ends.writers;

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
 * The holding that an exec under way at at_ns may have ended. execve(2) closes close-on-exec
 * descriptors first, but its line has the time when it was done. Returns the first such holding if
 * all that were held at at_ns ended by an exec; NULL if one did not.
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
	size_t ended = count_ends(writers, at_ns), last = ended;

	if (count_starts(writers, at_ns) > ended)
		return in_exec(writers, at_ns, ended);
	while (last && writers->ended[last - 1]->parting == PARTING_OTHERS)
		last--;
	return last ? writers->ended[last - 1] : NULL;
}

const struct viz_holding *writers_proven(const struct writers *writers, uint64_t at_ns)
{
	for (size_t i = count_ends(writers, at_ns); i > 0; i--) {
		const struct viz_holding *holding = writers->ended[i - 1];

		if (holding->parting != PARTING_LAST)
			continue;
		return count_starts(writers, holding->until_ns) == count_starts(writers, at_ns)
			       ? holding
			       : NULL;
	}
	return NULL;
}

/*
 * True if the holder had certainly closed its end by at_ns. A process that exits closes its files
 * after its exit is recorded, but before its parent is told (kernel/exit.c, do_exit()).
 */
static bool had_let_go(const struct viz_holding *holding, uint64_t at_ns)
{
	const struct viz_process *process = holding->process;

	if (holding->end_op)
		return holding->end_op->exit_ns <= at_ns;
	if (holding->end != HOLDING_EXIT)
		return holding->until_ns <= at_ns;
	return process && process->parent_notified_ns && process->parent_notified_ns <= at_ns;
}

/*
 * The latest time at which a writing end was still open by the kernel's count, before the receive
 * found the end of the stream; 0 if it is not known.
 */
static uint64_t alive_at(const struct writers *writers, const struct viz_operation *receive)
{
	for (size_t i = count_ends(writers, receive->exit_ns); i > 0; i--)
		if (writers->ended[i - 1]->parting == PARTING_OTHERS)
			return writers->ended[i - 1]->until_ns;
	return 0;
}

/* True if the kernel counted other writing ends when the holding ended, or later. */
static bool was_not_last(const struct viz_holding *holding, uint64_t alive_ns)
{
	return holding->parting == PARTING_OTHERS || had_let_go(holding, alive_ns);
}

/* True if another process was in execve(2) as well, which may have closed the last end instead. */
static bool has_exec_rival(const struct writers *writers, const struct viz_holding *exec,
			   uint64_t at_ns)
{
	for (size_t i = count_ends(writers, exec->until_ns); i < writers->end_count; i++) {
		const struct viz_holding *other = writers->ended[i];

		if (other->end == HOLDING_EXEC && other->since_ns <= at_ns &&
		    other->process != exec->process)
			return true;
	}
	return false;
}

/*
 * True if an exec closed the last end, and not another call that closed one while the exec ran. If
 * the receive began after that call and still slept, an end was open then.
 */
static bool exec_was_last(const struct writers *writers, const struct viz_holding *exec,
			  const struct viz_operation *receive, uint64_t alive_ns)
{
	if (has_exec_rival(writers, exec, receive->exit_ns))
		return false;
	for (size_t i = count_ends(writers, exec->until_ns); i > 0; i--) {
		const struct viz_holding *other = writers->ended[i - 1];

		if (other->process == exec->process || was_not_last(other, alive_ns))
			continue;
		if (had_let_go(other, exec->began_ns)) /* before execve(2) was called */
			continue;
		return other->end_op && other->end_op->exit_ns <= receive->enter_ns &&
		       receive->resumed_ns;
	}
	return true;
}

#define RIVALS_MAX 16 /* holdings that are compared, of those that ended before the last one */

/*
 * True if another holding may have been the last one: it was not certainly closed when `last`
 * ended, or its process woke the reader, as the last close does.
 */
static bool has_rival(const struct writers *writers, const struct viz_holding *last,
		      const struct viz_operation *receive, uint64_t alive_ns)
{
	const struct viz_process *waker = receive->woken_by;
	size_t ended = count_ends(writers, last->until_ns);

	for (size_t i = ended; i > 0 && ended - i < RIVALS_MAX && waker != last->process; i--) {
		const struct viz_holding *other = writers->ended[i - 1];
		bool same = other->end_op ? other->end_op == last->end_op
					  : other->process == last->process;

		if (other != last && !same && !was_not_last(other, alive_ns) &&
		    ((waker && waker == other->process) || !had_let_go(other, last->until_ns)))
			return true;
	}
	return false;
}

bool writers_sure(const struct writers *writers, const struct viz_holding *last,
		  const struct viz_operation *receive)
{
	uint64_t alive_ns = alive_at(writers, receive);

	if (was_not_last(last, alive_ns))
		return false;
	return last->end == HOLDING_EXEC ? exec_was_last(writers, last, receive, alive_ns)
					 : !has_rival(writers, last, receive, alive_ns);
}

void writers_free(struct channel_traffic *traffic)
{
	if (traffic->ends.writers)
		arena_free(traffic->ends.writers->arena);
}
