// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Pipes that only somebody left behind can write to: a background job or daemon, whose output was
 * never redirected.
 */
#include <inttypes.h>

#include "viz/diagnose/wait/waits.h"

enum { STDIN = 0, STDOUT = 1, STDERR = 2 };

/*
 * True if who started the process has ended, so that nobody in the reader's family waits for it. An
 * orphan becomes a child of process 1, or of one that asked for that (prctl(2),
 * PR_SET_CHILD_SUBREAPER). A reader that is an orphan itself may have been started with it, and a
 * child of it, as a daemon's own logger, is meant to read what it writes.
 */
static bool is_orphan(const struct wait_graph *graph, const struct viz_process *process,
		      const struct viz_process *reader)
{
	const struct viz_process *parent = process->parent;

	if (viz_process_descends(reader, process))
		return false;
	if (!graph->whole)
		return parent && parent->ended && !(reader->parent && reader->parent->ended);
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

/* The read in which the process waits for what comes there, or NULL. */
static const struct viz_operation *read_of(const struct wait_graph *graph,
					   const struct viz_process *reader,
					   const struct viz_channel *channel)
{
	for (const struct wait *wait = wait_of_process(graph, reader); wait;
	     wait = wait->next_of_process)
		if (wait->channel == channel && wait->operation->role == ROLE_RECEIVE)
			return wait->operation;
	return NULL;
}

/*
 * True for a shell that substitutes a command by all that it prints, as $(command): `read` takes
 * single bytes of a pipe.
 */
static bool substitutes(const struct viz_process *reader, const struct viz_operation *read)
{
	return read && read->fd != STDIN && read->requested > 1 &&
	       process_is_written_in(reader, "shell");
}

static bool reads_standard_input(const struct wait_graph *graph, const struct viz_process *reader,
				 const struct viz_channel *channel)
{
	const struct viz_holding *holding = wait_holding(graph, channel, reader, ACCESS_READ);

	return holding && holding->fd == STDIN;
}

/*
 * True if the process wrote to the pipe that is read there: then it may be meant to be read, as the
 * log of a daemon is. Of a glance it is taken for granted where the reader is a filter or a logger,
 * unless the process has never written anything, or nobody anything there.
 */
static bool has_written(const struct wait_graph *graph, const struct viz_holding *holding,
			const struct viz_process *reader, const struct viz_channel *channel)
{
	const struct viz_operation *read = read_of(graph, reader, channel);
	const bool pristine = read && channel_is_pipe(channel) && viz_has(read, at_entry) &&
			      !read->at_entry.head;

	if (substitutes(reader, read))
		return false;
	if (!graph->whole)
		return wait_has_written(graph, holding->process, holding->channel);
	return reads_standard_input(graph, reader, channel) && !holding->process->silent &&
	       !pristine;
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
	       sleeps(graph, process) && is_orphan(graph, process, reader);
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
		if (!was_left(graph, end->holdings[i], reader) ||
		    has_written(graph, end->holdings[i], reader, channel))
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
