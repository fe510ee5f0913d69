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
static bool is_orphan(const struct wait_graph *graph, const struct viz_process *process,
		      const struct viz_process *reader)
{
	const struct viz_process *parent = process->parent;

	if (!graph->whole)
		return parent && parent->ended;
	if (reader->ppid <= 1 || viz_process_descends(process, reader))
		return false;
	return process->ppid == 1 || (parent && !viz_process_descends(reader, parent));
}

/* True if each thread of the process sleeps: it is not about to write. */
static bool sleeps(const struct wait_graph *graph, const struct viz_process *process)
{
	for (size_t i = 0; i < process->thread_count; i++)
		if (process->threads[i]->end_ns == VIZ_NEVER &&
		    process->threads[i]->state != TARGET_STATE_BLOCKED &&
		    !wait_of_thread(graph, process->threads[i]))
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
static bool was_left(const struct wait_graph *graph, const struct viz_holding *holding,
		     const struct viz_process *reader)
{
	const struct viz_process *process = holding->process;

	return (holding->fd == STDOUT || holding->fd == STDERR) &&
	       (graph->whole || was_inherited(holding->channel, process)) &&
	       !wait_has_written(graph, process, holding->channel) && sleeps(graph, process) &&
	       is_orphan(graph, process, reader);
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

const struct viz_channel *wait_left_end(const struct wait_graph *graph,
					const struct viz_channel *channel,
					const struct viz_process *reader)
{
	const struct viz_channel *end = NULL;
	bool any = false;

	if (channel && channel_is_pipe(channel))
		end = channel;
	else if (channel && channel->mechanism == MECH_UNIX_STREAM)
		end = wait_peer(graph, channel);
	for (size_t i = 0; end && i < end->holding_count; i++) {
		if (!holding_may_write(end->holdings[i]))
			continue;
		if (!was_left(graph, end->holdings[i], reader))
			return NULL;
		any = true;
	}
	return any && !wait_written_outside(end) ? end : NULL;
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
