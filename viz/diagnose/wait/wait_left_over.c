// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Semaphores that were there before, and that nobody has posted since: perhaps left over. */
#include <fcntl.h>

#include "viz/diagnose/wait/waits.h"

/* sem_open(3) gives O_CREAT only where open(2) without it has found none. */
static bool was_opened_as_found(const struct viz_channel *channel)
{
	const struct viz_operation *opened = channel->holding_count ? channel->holdings[0]->start_op
								    : NULL;

	return opened && viz_operation_done(opened) && opened->extra->path.len &&
	       !(opened->flags & O_CREAT);
}

bool wait_is_left_over(struct wait_graph *graph, const struct wait *wait)
{
	return !graph->whole && wait->channel && wait->channel->mechanism == MECH_POSIX_SEM &&
	       wait->channel->name.len && was_opened_as_found(wait->channel) &&
	       !wait_last_call(graph, wait->operation, ROLE_WAKE, NULL);
}

/* True if one that waits there itself is all that is left of those that could post it. */
static bool is_left_alone(const struct wait_graph *graph, const struct wait *wait)
{
	for (size_t i = 0; i < wait->ender_count; i++)
		if (wait->enders[i] != wait->process)
			return false;
	return !graph->whole && wait->channel && wait->channel->mechanism == MECH_POSIX_SEM &&
	       wait->channel->name.len && process_is_lone(wait->process);
}

const struct wait_gone *wait_left_taken(struct wait_graph *graph, const struct wait *wait)
{
	const struct viz_channel *channel = wait->channel;
	const struct wait_gone *gone;

	if (!is_left_alone(graph, wait) || wait_is_left_over(graph, wait))
		return NULL;
	gone = wait_gone_users(graph, channel->memory ? channel->memory : channel);
	return gone->count ? gone : NULL;
}
