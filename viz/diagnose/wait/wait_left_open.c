// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Pipes that only somebody left behind can write to: a background job or daemon, whose output was
 * never redirected.
 */
#include <inttypes.h>

#include "viz/diagnose/wait/waits.h"

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

bool holding_may_write(const struct viz_holding *holding)
{
	return (holding->access & ACCESS_WRITE) && holding->until_ns == VIZ_NEVER &&
	       !holding->process->ended && !holding->process->zombie;
}

bool wait_written_outside(const struct viz_channel *channel)
{
	for (size_t i = 0; i < channel->stranger_count; i++)
		if (channel->strangers[i].access & ACCESS_WRITE)
			return true;
	return false;
}

bool wait_only_left(const struct diagnosis *d, const struct viz_channel *channel,
		    const struct viz_process *reader)
{
	bool any = false;

	for (size_t i = 0; i < channel->holding_count; i++) {
		if (!holding_may_write(channel->holdings[i]))
			continue;
		if (!was_left(d, channel->holdings[i], reader))
			return false;
		any = true;
	}
	return any && !wait_written_outside(channel);
}

const char *writers_text(struct diagnosis *d, const struct viz_channel *channel, size_t *count)
{
	const char *text = NULL;

	*count = 0;
	for (size_t i = 0; i < channel->holding_count; i++) {
		const struct viz_holding *holding = channel->holdings[i];

		if (!holding_may_write(holding))
			continue;
		text = joined_text(d, text, phrase_text(PHRASE_AND, d->language),
				   format_text(d, "%s (fd %" PRId32 ")",
					       process_text(d, holding->process), holding->fd));
		(*count)++;
	}
	return text;
}
