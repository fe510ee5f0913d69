// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds readers that wait for the end of a pipe that only somebody left behind holds open: a
 * background job or daemon, whose output was never redirected; or, of a FIFO, the reader itself.
 */
#include <inttypes.h>

#include "viz/diagnose/find/find_waits.h"

/* Of a wait for several channels, all must be so. */
static bool waits_for_left(const struct diagnosis *d, const struct wait *wait)
{
	const struct viz_operation *op = wait->operation;

	if (op->role == ROLE_RECEIVE)
		return channel_is_pipe(wait->channel) &&
		       wait_only_left(d, wait->channel, wait->process);
	for (size_t i = 0; i < op->extra->waits_for_count; i++) {
		const struct viz_channel *channel = wait_asked(d->waits, op, i);

		if (!channel_is_pipe(channel) || !wait_only_left(d, channel, wait->process))
			return false;
	}
	return op->role == ROLE_WAIT && op->extra->waits_for_count && !op->extra->waits_cut;
}

static void name_keepers(struct diagnosis *d, struct finding *f, const struct viz_channel *channel)
{
	size_t count = 0;

	finding_set(d, f, "keepers", "%s", writers_text(d, channel, &count));
	finding_set(d, f, "count", "%zu", count);
	for (size_t i = 0; i < channel->holding_count; i++)
		if (holding_may_write(channel->holdings[i]))
			finding_process(d, f, channel->holdings[i]->process);
}

static void report(struct diagnosis *d, const struct wait *wait, enum phrase cure)
{
	struct finding *f = finding_add(d, FINDING_NO_EOF, wait->since_ns, wait->channel);

	f->severity = SEVERITY_WARNING;
	finding_wait(d, f, wait);
	name_keepers(d, f, wait->channel);
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
	if (wait->ready || wait->clock || wait->open || !waits_for_left(d, wait))
		return false;
	report(d, wait,
	       outlived_killed(wait->channel) ? PHRASE_KILL_GROUP : PHRASE_REDIRECT_OUTPUT);
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
	report(d, wait, PHRASE_OPEN_TO_READ);
	return true;
}
