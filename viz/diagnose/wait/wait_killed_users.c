// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Who was killed that used the semaphore which others wait for: whoever had it never posts. */
#include "viz/diagnose/wait/waits.h"

bool tell_killed_users(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	enum { SHOWN = 4 };
	const struct viz_channel *channel = wait->channel;
	const struct wait_gone *gone;
	size_t told = 0;

	if (d->incomplete || wait_is_mutex(wait->operation))
		return false;
	gone = wait_gone_users(d->waits, channel->memory ? channel->memory : channel);
	for (size_t i = 0; i < gone->count && told < SHOWN; i++) {
		const struct viz_process *user = gone->processes[i];

		if (!user->exit_signal)
			continue;
		finding_process(d, f, user);
		finding_line(d, f,
			     fill_phrase(d, PHRASE_USER_KILLED, process_text(d, user),
					 bytes_text(d, user->signal), time_text(d, user->end_ns)));
		told++;
	}
	return told > 0;
}
