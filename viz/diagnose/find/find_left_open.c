// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds readers that wait for the end of a pipe that only somebody left behind holds open: a
 * background job or daemon, whose output was never redirected; or, of a FIFO, the reader itself.
 */
#include <inttypes.h>
#include <signal.h>

#include "viz/diagnose/find/find_waits.h"

static bool is_left(struct wait_graph *graph, const struct wait *wait, size_t n)
{
	return wait_left_end(graph, wait_asked(graph, wait->operation, n), wait->process);
}

/* True if the end of a child may be what it waits for as well. */
static bool is_told_of_children(struct wait_graph *graph, const struct viz_process *process)
{
	return viz_process_handles(process, SIGCHLD) && wait_children(graph, process)->count;
}

/*
 * True if the clock ends the wait as well, and is no way out: the call waits for one channel alone,
 * so that its process can only ask again, as git-receive-pack(1) does, which tells its client in
 * between that it lives. A glance does not know whether those left have written there before.
 */
static bool only_asks_again(const struct diagnosis *d, const struct wait *wait)
{
	return !d->waits->whole && operation_polls(wait->operation) &&
	       wait->operation->extra->waits_for_count == 1;
}

/*
 * Returns the channel of which the process waits for the end, that only somebody left behind could
 * bring; NULL: it waits for something else, too.
 */
static const struct viz_channel *left_channel(struct diagnosis *d, const struct wait *wait)
{
	const struct viz_operation *op = wait->operation;
	size_t n = 0;

	if (op->role == ROLE_RECEIVE)
		return !wait->open && wait_left_end(d->waits, wait->channel, wait->process)
			       ? wait->channel
			       : NULL;
	if (wait->clock)
		return is_left(d->waits, wait, 0) ? wait_asked(d->waits, op, 0) : NULL;
	if (wait_loop_share(d->waits, wait, is_left) != LOOP_FITS ||
	    !wait_is_only_of(d->waits, wait) || is_told_of_children(d->waits, wait->process))
		return NULL;
	while (!is_left(d->waits, wait, n))
		n++;
	return wait_asked(d->waits, op, n);
}

/* `channel` is where they write. */
static void name_keepers(struct diagnosis *d, struct finding *f, const struct viz_channel *channel)
{
	size_t count = 0;

	finding_set(d, f, "keepers", "%s", writers_text(d, channel, &count));
	finding_set(d, f, "count", "%zu", count);
	for (size_t i = 0; i < channel->holding_count; i++)
		if (holding_may_write(channel->holdings[i]))
			finding_process(d, f, channel->holdings[i]->process);
}

static void report(struct diagnosis *d, const struct wait *wait, const struct viz_channel *channel,
		   enum phrase cure)
{
	const struct viz_channel *peer = wait_peer(d->waits, channel);
	struct finding *f = finding_add(d, FINDING_NO_EOF, wait->since_ns, channel);

	f->severity = SEVERITY_WARNING;
	finding_wait(d, f, wait);
	name_keepers(d, f, peer ? peer : channel);
	finding_set(d, f, "who", "%s", process_text(d, wait->process));
	f->advice = phrase_text(cure, d->language);
}

/* True if one of those left had a parent that a signal ended: it was no background job, then. */
static bool outlived_killed(const struct viz_channel *channel)
{
	for (size_t i = 0; i < channel->holding_count; i++) {
		const struct viz_process *parent = channel->holdings[i]->process->parent;

		if (holding_may_write(channel->holdings[i]) && parent && parent->ended &&
		    parent->exit_signal)
			return true;
	}
	return false;
}

bool report_left_open(struct diagnosis *d, const struct wait *wait)
{
	const struct viz_channel *channel;

	if (wait->ready || (wait->clock && !only_asks_again(d, wait)))
		return false;
	channel = left_channel(d, wait);
	if (!channel)
		return false;
	report(d, wait, channel,
	       outlived_killed(wait_left_end(d->waits, channel, wait->process))
		       ? PHRASE_KILL_GROUP
		       : PHRASE_REDIRECT_OUTPUT);
	return true;
}

/* True if some other process wrote to the FIFO and has no writing end any more. */
static bool writer_came_and_went(const struct diagnosis *d, const struct wait *wait)
{
	bool gone = false;

	for (size_t i = 0; i < wait->channel->holding_count; i++) {
		const struct viz_holding *holding = wait->channel->holdings[i];

		if (holding->process == wait->process || !(holding->access & ACCESS_WRITE))
			continue;
		if (holding_may_write(holding))
			return false;
		gone |= wait_has_written(d->waits, holding->process, wait->channel);
	}
	return gone;
}

bool report_own_fifo(struct diagnosis *d, const struct wait *wait)
{
	const struct viz_channel *fifo = wait->channel;
	const struct viz_holding *own;

	if (!fifo || fifo->mechanism != MECH_FIFO || wait->operation->role != ROLE_RECEIVE ||
	    wait->ready || wait->clock || wait_written_outside(fifo))
		return false;
	own = wait_holding(d->waits, fifo, wait->process, ACCESS_WRITE);
	if (!own || own->access != ACCESS_BOTH || !writer_came_and_went(d, wait))
		return false;
	report(d, wait, fifo, PHRASE_OPEN_TO_READ);
	return true;
}
