// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/diagnose/wait/waits.h"

/* Marks, by process index, the processes asked for and their descendants. */
static bool *asked_and_descendants(struct diagnosis *d)
{
	bool *in = arena_array(d->arena, d->model->process_count + 1, sizeof(*in));

	for (size_t i = 0; i < d->model->process_count; i++) {
		const struct viz_process *process = d->model->processes[i];

		in[i] = diagnosis_asked(d, process) ||
			(process->parent && in[process->parent->index]);
	}
	return in;
}

bool *diagnosis_concerned(struct diagnosis *d)
{
	bool *in = asked_and_descendants(d);
	bool grown = true;

	while (grown) {
		grown = false;
		for (size_t i = 0; i < d->waits->count; i++) {
			const struct wait *wait = d->waits->waits[i];

			for (size_t k = 0; in[wait->process->index] && k < wait->ender_count; k++) {
				grown |= !in[wait->enders[k]->index];
				in[wait->enders[k]->index] = true;
			}
		}
	}
	return in;
}

static bool waits_for_marked(const struct wait *wait, const bool *asked, const bool *behind)
{
	for (size_t i = 0; i < wait->ender_count; i++)
		if (asked[wait->enders[i]->index] || behind[wait->enders[i]->index])
			return true;
	return false;
}

const bool *diagnosis_behind(struct diagnosis *d)
{
	bool *behind = arena_array(d->arena, d->model->process_count + 1, sizeof(*behind));
	const bool *asked = d->survivors ? asked_and_descendants(d) : NULL;
	bool grown = d->survivors;

	while (grown) {
		grown = false;
		for (size_t i = 0; i < d->waits->count; i++) {
			const struct wait *wait = d->waits->waits[i];
			const size_t index = wait->process->index;

			if (asked[index] || behind[index] || !waits_for_marked(wait, asked, behind))
				continue;
			behind[index] = grown = true;
		}
	}
	return d->survivors ? behind : NULL;
}

static bool is_of_user(const struct wait *wait)
{
	return wait->channel && wait->channel->mechanism == MECH_PTY;
}

/* True if the chain of the wait leads to a process asked for, and through nobody's terminal. */
static bool leads_to_asked(const struct diagnosis *d, const struct wait *wait)
{
	const struct wait *at = wait;

	for (size_t k = 0; at && k < CHAIN_MOST; k++) {
		const struct viz_process *culprit = chain_culprit(d, at);

		at = chain_next(d, at);
		if (!culprit || culprit == wait->process || (at && is_of_user(at)))
			return false;
		if (diagnosis_asked(d, culprit))
			return true;
	}
	return false;
}

bool wait_is_kept_by_asked(const struct diagnosis *d, const struct wait *wait)
{
	const bool lock = wait->channel && wait->channel->mechanism == MECH_FILE_LOCK;

	return d->waits->whole && !d->survivors && (lock || waits_to_send(wait)) &&
	       d->end_ns - wait->since_ns >= 2 * LONG_WAIT_NS && leads_to_asked(d, wait);
}
