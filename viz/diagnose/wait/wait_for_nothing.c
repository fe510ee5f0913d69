// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Waits where nothing can come: at a timer that is not armed, with nothing in select(2)'s sets. */
#include "viz/diagnose/wait/waits.h"

/* True if the trace has no call that armed the timer since it was made. */
static bool was_never_armed(const struct diagnosis *d, const struct viz_channel *channel)
{
	return !d->waits->told[channel->index].armed && channel->created_in_trace && !d->incomplete;
}

bool wait_is_disarmed(const struct diagnosis *d, const struct wait *wait)
{
	const struct viz_channel *channel = wait->channel;

	if (!channel || channel->mechanism != MECH_TIMERFD || wait->operation->role != ROLE_RECEIVE)
		return false;
	return d->waits->whole ? channel->glimpse->disarmed : was_never_armed(d, channel);
}
