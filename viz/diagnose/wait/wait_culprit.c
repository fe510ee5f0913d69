// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Who has to act for a wait to end, of all who could: the one who is likely to, by what it holds
 * and waits for itself.
 */
#include "viz/diagnose/graph/wait_ranks.h"
#include "viz/diagnose/wait/waits.h"

enum { STDIN = 0, STDOUT = 1, STDERR = 2 };

static bool waits_at(const struct diagnosis *d, const struct viz_process *process,
		     const struct viz_channel *channel)
{
	const struct wait *wait = wait_of_process(d->waits, process);

	while (wait && wait->channel != channel)
		wait = wait->next_of_process;
	return wait != NULL;
}

/*
 * True if it took the semaphore last, as one takes a lock, to give it back oneself: it has posted
 * there before, or nobody does.
 */
static bool has_semaphore(const struct diagnosis *d, const struct wait *wait,
			  const struct viz_process *process)
{
	const struct viz_operation *taker, *post;

	if (wait->channel->mechanism != MECH_SYSV_SEM)
		return false;
	taker = wait_last_call(d->waits, wait->operation, ROLE_WAIT, NULL);
	if (!taker || taker->process != process)
		return false;
	post = wait_last_call(d->waits, wait->operation, ROLE_WAKE, NULL);
	return !post || (post->index < taker->index &&
			 wait_last_call(d->waits, wait->operation, ROLE_WAKE, process));
}

/* True for another program, which was started with what it may not know to be there. */
static bool is_stranger(const struct wait *wait, const struct viz_process *process)
{
	return !process_is_copy(process) && !viz_process_descends(wait->process, process);
}

/* Of those who use a semaphore who waits for it as well, by its only thread, does not post. */
static int fitness_at_semaphore(const struct diagnosis *d, const struct wait *wait,
				const struct viz_process *process)
{
	if (process_is_lone(process) && waits_at(d, process, wait->channel))
		return 0;
	if (has_semaphore(d, wait, process))
		return 5;
	if (wait_last_call(d->waits, wait->operation, ROLE_WAKE, process))
		return 4;
	return is_stranger(wait, process) ? 1 : 2;
}

static bool is_for_children(const struct diagnosis *d, const struct viz_process *process)
{
	const struct wait *wait = wait_of_process(d->waits, process);

	return wait && waits_for_child(wait);
}

/* True if one that made the process has the lock, too, which was passed on with its descriptor. */
static bool has_inherited(const struct diagnosis *d, const struct wait *wait,
			  const struct viz_process *process)
{
	for (process = process->parent; process; process = process->parent)
		if (wait_is_ended_by(d->waits, wait, process))
			return true;
	return false;
}

bool wait_joins_writer(const struct diagnosis *d, const struct wait *wait,
		       const struct viz_process *process)
{
	return wait->operation->role == ROLE_SEND && wait->operation->fd > STDERR &&
	       process != wait->process && viz_process_descends(wait->process, process) &&
	       is_for_children(d, process) && !process_is_written_in(process, "shell");
}

/*
 * How likely it is that this process, of those that could end the wait, is the one that should: it
 * has done so before, it has the end as its standard stream, it is no shell that waits for others.
 */
static int fitness(const struct diagnosis *d, const struct wait *wait,
		   const struct viz_process *process)
{
	const bool sends = waits_to_send(wait);
	const struct viz_channel *end = wait->channel ? other_end(d, wait) : NULL;
	const struct viz_holding *holding;

	if (process_is_stopped(process))
		return 6;
	if (waits_for_child(wait)) /* of several children the first to end ends the wait */
		return wait_process_moves(d->waits, process) ? 3 : 2;
	if (!end)
		return 2;
	if (is_semaphore(end))
		return fitness_at_semaphore(d, wait, process);
	if (end->mechanism == MECH_FILE_LOCK)
		return has_inherited(d, wait, process) ? 1 : 2;
	if (sends ? wait_has_read(d->waits, process, end)
		  : wait_has_written(d->waits, process, end))
		return 5;
	holding = wait_holding(d->waits, end, process, sends ? ACCESS_READ : ACCESS_WRITE);
	if (holding && holding->fd == (sends ? STDIN : STDOUT))
		return is_for_children(d, process) ? 3 : 4;
	if (wait_joins_writer(d, wait, process))
		return 3;
	return is_for_children(d, process) ? 1 : 2;
}

/* An event loop may go on by so many that none of them is whom it waits for. */
static bool is_for_many(const struct wait *wait)
{
	size_t others = 0;

	if (wait->operation->role != ROLE_WAIT || wait->room || !wait->channel ||
	    is_semaphore(wait->channel))
		return false;
	for (size_t i = 0; i < wait->ender_count && others < 2; i++)
		others += wait->enders[i] != wait->process;
	return (wait->open && !wait->counted) || others != 1;
}

const struct viz_process *chain_culprit(const struct diagnosis *d, const struct wait *wait)
{
	if (waits_for_time(wait) || is_for_many(wait))
		return NULL;
	return wait_fittest(d, wait, fitness);
}

const struct wait *wait_that_keeps(const struct diagnosis *d, const struct viz_process *process,
				   const struct viz_process *whom)
{
	const struct wait *best = NULL;
	int most = 0;

	for (const struct wait *w = wait_of_process(d->waits, process); w; w = w->next_of_process) {
		int fit = 1;

		if (waits_for_child(w) && wait_is_ended_by(d->waits, w, whom))
			fit = 4;
		else if (waits_to_send(w))
			fit = 3;
		else if (w->operation->thread->tid == process->pid)
			fit = 2;
		if (fit > most) {
			most = fit;
			best = w;
		}
	}
	return best;
}

/*
 * Returns a wait of a relative that opens another FIFO: each may be the one that should open what
 * the other waits for. NULL: there is none.
 */
static const struct wait *crosswise(const struct diagnosis *d, const struct wait *wait)
{
	for (size_t i = 0; waits_to_open(wait) && i < d->waits->open_count; i++)
		if (wait_opens_crosswise(d->waits, wait, d->waits->opens[i]))
			return d->waits->opens[i];
	return NULL;
}

const struct wait *chain_next(const struct diagnosis *d, const struct wait *wait)
{
	const struct viz_process *culprit = chain_culprit(d, wait);

	if (culprit && process_is_stopped(culprit))
		return NULL;
	return culprit ? wait_that_keeps(d, culprit, wait->process) : crosswise(d, wait);
}

const struct viz_process *chain_stopped(const struct diagnosis *d, const struct wait *wait)
{
	const struct viz_process *culprit = chain_culprit(d, wait);

	for (size_t k = 0; k < CHAIN_MOST && culprit && !process_is_stopped(culprit); k++) {
		wait = chain_next(d, wait);
		culprit = wait ? chain_culprit(d, wait) : NULL;
	}
	return culprit && process_is_stopped(culprit) ? culprit : NULL;
}

bool wait_ignores(const struct diagnosis *d, const struct wait *wait, const struct wait *writer)
{
	const struct viz_operation *op = wait->operation;

	if (op->role != ROLE_WAIT || op->extra->waits_cut || !op->extra->waits_for_count ||
	    !waits_to_send(writer) || !writer->channel)
		return false;
	for (size_t i = 0; i < op->extra->waits_for_count; i++) {
		const struct viz_channel *asked = wait_asked(d->waits, op, i);

		if (asked && (asked == writer->channel || asked == other_end(d, writer) ||
			      asked->mechanism == MECH_EPOLL))
			return false;
	}
	return true;
}

const struct wait *thread_at_other_end(const struct diagnosis *d, const struct wait *wait)
{
	const struct viz_channel *end = wait->channel ? other_end(d, wait) : NULL;
	const struct wait *other = wait_of_process(d->waits, wait->process);

	for (; other && end && end != wait->channel; other = other->next_of_process)
		if (other != wait && wait_reads_at(d->waits, other, end))
			return other;
	return NULL;
}
