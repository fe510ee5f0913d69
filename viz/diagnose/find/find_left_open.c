// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds readers that wait for the end of a pipe that only somebody left behind holds open: a
 * background job or daemon, whose output was never redirected; or, of a FIFO, the reader itself.
 */
#include <inttypes.h>

#include "viz/diagnose/find/find_waits.h"

enum { STDOUT = 1, STDERR = 2 };

/*
 * True if who started the process has ended, so that nobody in the reader's family waits for it. An
 * orphan becomes a child of process 1, or of one that asked for that (prctl(2),
 * PR_SET_CHILD_SUBREAPER). A reader that is an orphan itself may have been started with it.
 */
static bool is_orphan(const struct diagnosis *d, const struct viz_process *process,
		      const struct viz_process *reader)
{
	const struct viz_process *parent = process->parent;

	if (!d->waits->whole)
		return parent && parent->ended;
	if (reader->ppid <= 1 || viz_process_descends(process, reader))
		return false;
	return process->ppid == 1 || (parent && !viz_process_descends(reader, parent));
}

/* True if each thread of the process sleeps: it is not about to write. */
static bool sleeps(const struct diagnosis *d, const struct viz_process *process)
{
	for (size_t i = 0; i < process->thread_count; i++)
		if (process->threads[i]->end_ns == VIZ_NEVER &&
		    process->threads[i]->state != TARGET_STATE_BLOCKED &&
		    !wait_of_thread(d->waits, process->threads[i]))
			return false;
	return true;
}

/* A shell that redirects one command saves what it inherited, and puts it back with dup2(2). */
static bool was_inherited(const struct viz_channel *channel, const struct viz_process *process)
{
	for (size_t i = 0; i < channel->holding_count; i++)
		if (channel->holdings[i]->process == process &&
		    channel->holdings[i]->start == HOLDING_FORK)
			return true;
	return false;
}

/*
 * True if the process has the pipe only as the output that it was started with, and is an orphan.
 */
static bool was_left(const struct diagnosis *d, const struct viz_holding *holding,
		     const struct viz_process *reader)
{
	const struct viz_process *process = holding->process;

	return (holding->fd == STDOUT || holding->fd == STDERR) &&
	       (d->waits->whole || was_inherited(holding->channel, process)) &&
	       !wait_has_written(d->waits, process, holding->channel) && sleeps(d, process) &&
	       is_orphan(d, process, reader);
}

static bool is_writing_end(const struct viz_holding *holding)
{
	return (holding->access & ACCESS_WRITE) && holding->until_ns == VIZ_NEVER &&
	       !holding->process->ended && !holding->process->zombie;
}

/* True if somebody outside the trace can write there. */
static bool is_written_outside(const struct viz_channel *channel)
{
	for (size_t i = 0; i < channel->stranger_count; i++)
		if (channel->strangers[i].access & ACCESS_WRITE)
			return true;
	return false;
}

/* True if all who could write there were left with it, and there are some. */
static bool only_left(const struct diagnosis *d, const struct viz_channel *channel,
		      const struct viz_process *reader)
{
	bool any = false;

	for (size_t i = 0; i < channel->holding_count; i++) {
		if (!is_writing_end(channel->holdings[i]))
			continue;
		if (!was_left(d, channel->holdings[i], reader))
			return false;
		any = true;
	}
	return any && !is_written_outside(channel);
}

/* Of a wait for several channels, all must be so. */
static bool waits_for_left(const struct diagnosis *d, const struct wait *wait)
{
	const struct viz_operation *op = wait->operation;

	if (op->role == ROLE_RECEIVE)
		return channel_is_pipe(wait->channel) && only_left(d, wait->channel, wait->process);
	for (size_t i = 0; i < op->extra->waits_for_count; i++) {
		const struct viz_channel *channel = wait_asked(d->waits, op, i);

		if (!channel_is_pipe(channel) || !only_left(d, channel, wait->process))
			return false;
	}
	return op->role == ROLE_WAIT && op->extra->waits_for_count && !op->extra->waits_cut;
}

/* Names the holders of the channel, and what they hold. Returns how many there are. */
static size_t name_keepers(struct diagnosis *d, struct finding *f,
			   const struct viz_channel *channel)
{
	const char *keepers = NULL;
	size_t count = 0;

	for (size_t i = 0; i < channel->holding_count; i++) {
		const struct viz_holding *holding = channel->holdings[i];

		if (!is_writing_end(holding))
			continue;
		finding_process(d, f, holding->process);
		keepers = joined_text(d, keepers, phrase_text(PHRASE_AND, d->language),
				      format_text(d, "%s (fd %" PRId32 ")",
						  process_text(d, holding->process), holding->fd));
		count++;
	}
	finding_set(d, f, "keepers", "%s", keepers);
	return count;
}

static void report(struct diagnosis *d, const struct wait *wait, enum phrase cure)
{
	struct finding *f = finding_add(d, FINDING_NO_EOF, wait->since_ns, wait->channel);

	f->severity = SEVERITY_WARNING;
	finding_wait(d, f, wait);
	finding_set(d, f, "count", "%zu", name_keepers(d, f, wait->channel));
	finding_set(d, f, "who", "%s", process_text(d, wait->process));
	f->advice = phrase_text(cure, d->language);
}

/* True if one of those left had a parent that a signal ended: it was no background job, then. */
static bool outlived_killed(const struct viz_channel *channel)
{
	for (size_t i = 0; i < channel->holding_count; i++) {
		const struct viz_process *parent = channel->holdings[i]->process->parent;

		if (is_writing_end(channel->holdings[i]) && parent && parent->ended &&
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
		if (is_writing_end(holding))
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
	    wait->ready || wait->clock || is_written_outside(fifo))
		return false;
	own = wait_holding(d->waits, fifo, wait->process, ACCESS_WRITE);
	if (!own || own->access != ACCESS_BOTH || !writer_came_and_went(d, wait))
		return false;
	report(d, wait, PHRASE_OPEN_TO_READ);
	return true;
}
