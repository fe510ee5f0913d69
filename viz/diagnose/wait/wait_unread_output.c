// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A pipeline goes on though its end is over: whose reader has ended is told by SIGPIPE, but only
 * when it writes again (pipe(7)), and the shell waits for all of them.
 */
#include <unistd.h>

#include "viz/diagnose/wait/waits.h"

/* Returns the pipe that each process, by its index, has as its standard output; NULL: none. */
static const struct viz_channel **find_outputs(const struct diagnosis *d)
{
	const struct viz_model *model = d->model;
	const struct viz_channel **outputs = arena_array(d->arena, model->process_count + 1,
							 sizeof(const struct viz_channel *));

	for (size_t i = 0; i < model->holding_count; i++) {
		const struct viz_holding *holding = model->holdings[i];

		if (holding->until_ns == VIZ_NEVER && holding->fd == STDOUT_FILENO &&
		    channel_is_pipe(holding->channel))
			outputs[holding->process->index] = holding->channel;
	}
	return outputs;
}

static const struct viz_channel *output_of(const struct diagnosis *d,
					   const struct viz_process *process)
{
	if (!d->waits->outputs)
		d->waits->outputs = find_outputs(d);
	return d->waits->outputs[process->index];
}

/* Returns who had the last reading end, as the kernel told, and ended; NULL: somebody has one. */
static const struct viz_process *ended_reader(const struct viz_channel *channel)
{
	const struct viz_process *reader = NULL;

	for (size_t i = 0; i < channel->holding_count; i++) {
		const struct viz_holding *holding = channel->holdings[i];

		if (holding->access == ACCESS_WRITE)
			continue;
		if (holding->until_ns == VIZ_NEVER)
			return NULL;
		if (holding->parting == PARTING_LAST && holding->process->ended)
			reader = holding->process;
	}
	return reader;
}

/* True if nobody can read there any more. Of a glance `*reader`, who could, is not known: NULL. */
static bool is_unread(const struct diagnosis *d, const struct viz_channel *output,
		      const struct viz_process **reader)
{
	const struct wait_set *readers;

	*reader = NULL;
	if (d->waits->whole) {
		readers = wait_holders(d->waits, output, ACCESS_READ);
		return !readers->count && !readers->any && !readers->open;
	}
	*reader = ended_reader(output);
	return *reader && wait_has_read(d->waits, *reader, output);
}

/*
 * A filter writes what it reads. Who serves others may have printed its port there, and never
 * writes again.
 */
static bool waits_to_filter(const struct wait *wait)
{
	return wait && wait->operation->role == ROLE_RECEIVE &&
	       wait->operation->fd == STDIN_FILENO && channel_is_pipe(wait->channel);
}

/* True if the process has written there, as far as a glance lets us tell. */
static bool has_written(const struct diagnosis *d, const struct viz_process *process,
			const struct viz_channel *output)
{
	return d->waits->whole ? !process->silent : wait_has_written(d->waits, process, output);
}

const struct viz_process *wait_unread_output(const struct diagnosis *d, const struct wait *wait,
					     const struct viz_process **reader)
{
	if (!waits_for_child(wait))
		return NULL;
	for (size_t i = 0; i < wait->ender_count; i++) {
		const struct viz_process *child = wait->enders[i];
		const struct viz_channel *output = output_of(d, child);

		if (output && has_written(d, child, output) &&
		    waits_to_filter(wait_of_process(d->waits, child)) &&
		    is_unread(d, output, reader))
			return child;
	}
	return NULL;
}
