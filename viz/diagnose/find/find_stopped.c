// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Finds processes that a signal or a debugger has stopped while others wait for them. */
#include <inttypes.h>
#include <signal.h>

#include "viz/diagnose/find/find_waits.h"

static uint64_t stopped_since(const struct viz_process *process)
{
	uint64_t since_ns = 0;

	for (size_t i = 0; i < process->thread_count; i++)
		if (process->threads[i]->since_ns > since_ns)
			since_ns = process->threads[i]->since_ns;
	return since_ns;
}

/* Returns the number of the signal that stopped the process; 0 if it is not known. */
static int stop_signal(const struct viz_process *process)
{
	for (size_t i = 0; i < process->thread_count; i++)
		if (process->threads[i]->end_ns == VIZ_NEVER && process->threads[i]->stop_signal)
			return process->threads[i]->stop_signal;
	return 0;
}

/* Says by which signal it was stopped, and the remedy where the terminal sends that. */
static void name_signal(struct diagnosis *d, struct finding *f, const struct viz_process *process)
{
	const int number = stop_signal(process);
	const char *by = "", *cure = "";
	char name[16];

	if (number)
		by = fill_phrase(d, PHRASE_STOPPED_BY, signal_name(number, name), NULL, NULL);
	if (number == SIGTTIN)
		cure = phrase_text(PHRASE_READS_TERMINAL, d->language);
	else if (number == SIGTTOU)
		cure = phrase_text(PHRASE_WRITES_TERMINAL, d->language);
	finding_set(d, f, "by", "%s", by);
	finding_set(d, f, "cure", "%s", cure);
}

static bool stopped_for_long(const struct diagnosis *d, const struct viz_process *process)
{
	return process_is_stopped(process) && d->end_ns - stopped_since(process) >= LONG_WAIT_NS;
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
	return wait->clock && wait->known;
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

void report_stopped(struct diagnosis *d, const struct viz_process *process, bool asked)
{
	struct finding *f;

	if (!process_is_stopped(process))
		return;
	f = finding_add(d, FINDING_STOPPED, stopped_since(process), NULL);
	finding_process(d, f, process);
	if (!name_waiters(d, f, process) && !asked) {
		finding_drop_last(d);
		return;
	}
	finding_set(d, f, "who", "%s", process_text(d, process));
	finding_set(d, f, "pid", "%" PRIu32, process->pid);
	finding_set(d, f, "since", "%s", since_text(d, f->at_ns));
	name_signal(d, f, process);
}
