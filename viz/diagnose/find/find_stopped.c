// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Finds processes that a signal, a debugger or a freezer has stopped while others wait for them. */
#include <inttypes.h>

#include "viz/diagnose/find/find_waits.h"

/* Of one that is frozen it is not known. */
static uint64_t stopped_since(const struct viz_process *process)
{
	uint64_t since_ns = 0;

	for (size_t i = 0; i < process->thread_count && !process->frozen.len; i++)
		if (process->threads[i]->since_ns > since_ns)
			since_ns = process->threads[i]->since_ns;
	return since_ns;
}

static bool stopped_for_long(const struct diagnosis *d, const struct viz_process *process)
{
	return process_is_stopped(process) && d->end_ns - stopped_since(process) >= LONG_WAIT_NS;
}

/* True if nobody can cause an event there but the process itself, the clock, or its other end. */
static bool has_two_ends(const struct diagnosis *d, const struct wait *wait,
			 const struct viz_channel *channel)
{
	switch (channel->mechanism) {
	case MECH_EVENTFD:
	case MECH_TIMERFD:
	case MECH_SIGNALFD:
	case MECH_PIPE:
		return !channel->stranger_count;
	case MECH_TCP:
	case MECH_UNIX_STREAM:
		return !channel->listening && !channel->stranger_count &&
		       (channel == wait->client || wait_peer(d->waits, channel));
	default:
		return false;
	}
}

/*
 * True if nobody but its enders, and perhaps a clock, could end the wait. A loop's own eventfds say
 * nothing against that, though in a glance the kernel may count there.
 */
static bool is_for_enders(const struct diagnosis *d, const struct wait *wait)
{
	const struct viz_operation *op = wait->operation;

	if (wait->known || op->extra->waits_cut || !op->extra->waits_for_count)
		return wait->known;
	for (size_t i = 0; i < op->extra->waits_for_count; i++) {
		const struct viz_channel *channel = wait_asked(d->waits, op, i);

		if (!channel || !has_two_ends(d, wait, channel))
			return false;
	}
	return true;
}

/*
 * True for a wait with a timeout, perhaps again and again, for nobody but stopped processes: as
 * good as one without.
 */
static bool waits_for_stopped(const struct diagnosis *d, const struct wait *wait)
{
	for (size_t i = 0; i < wait->ender_count; i++)
		if (wait->enders[i] != wait->process && !stopped_for_long(d, wait->enders[i]))
			return false;
	return wait->clock && is_for_enders(d, wait);
}

/* Adds whom the stopped process keeps waiting; returns how many there are. */
static size_t name_waiters(struct diagnosis *d, struct finding *f,
			   const struct viz_process *process)
{
	size_t count = 0;

	for (size_t i = 0; i < d->waits->count; i++) {
		const struct wait *wait = d->waits->waits[i];

		if (wait->ready || wait->process == process ||
		    !wait_is_ended_by(d->waits, wait, process))
			continue;
		if ((wait->natural || d->end_ns - wait->since_ns < LONG_WAIT_NS) &&
		    !waits_for_stopped(d, wait))
			continue;
		finding_wait(d, f, wait);
		count++;
	}
	return count;
}

static bool names(const struct finding *f, const struct viz_process *process)
{
	for (size_t i = 0; i < f->process_count; i++)
		if (f->processes[i] == process)
			return true;
	return false;
}

struct finding *finding_of_stopped(const struct diagnosis *d, const struct viz_process *process)
{
	for (size_t i = 0; process && i < d->count; i++)
		if (d->findings[i]->row == finding_row(FINDING_STOPPED) &&
		    d->findings[i]->processes[0] == process)
			return d->findings[i];
	return NULL;
}

/* True if it says only that a stopped process accepts nobody, and the finding of that says so. */
static bool is_told_by_stopped(const struct diagnosis *d, const struct finding *f)
{
	const struct finding *stopped;

	if (f->row != finding_row(FINDING_NEVER_ACCEPTED) || f->process_count < 2)
		return false;
	stopped = finding_of_stopped(d, f->processes[1]);
	return stopped && names(stopped, f->processes[0]);
}

void drop_told_by_stopped(struct diagnosis *d)
{
	size_t kept = 0;

	for (size_t i = 0; i < d->count; i++) {
		struct finding *f = d->findings[i];

		if (!is_told_by_stopped(d, f)) {
			d->findings[kept++] = f;
			continue;
		}
		for (size_t k = 0; k < f->process_count; k++)
			d->named[f->processes[k]->index]--;
	}
	d->count = kept;
}

void report_stopped(struct diagnosis *d, const struct viz_process *process, bool asked)
{
	enum advice_case about;
	struct finding *f;

	if (!process_is_stopped(process))
		return;
	f = finding_add(d, FINDING_STOPPED, stopped_since(process), NULL);
	finding_process(d, f, process);
	if (!name_waiters(d, f, process) && !asked) {
		finding_drop_last(d);
		return;
	}
	about = stopped_tell(d, f, process);
	if (about != ADVICE_STOPPED)
		f->advice = advice_for(d, about, process);
	finding_set(d, f, "who", "%s", process_text(d, process));
	finding_set(d, f, "culprit", "%s", process_text(d, process));
	finding_set(d, f, "pid", "%" PRIu32, process->pid);
	finding_set(d, f, "since", "%s",
		    f->at_ns ? since_text(d, f->at_ns) : phrase_text(PHRASE_NOW, d->language));
}
