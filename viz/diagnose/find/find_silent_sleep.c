// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Processes that sleep where no record tells what for: in io_uring_enter(2), at a page of memory,
 * in a call that is no IPC. Where the whole program sleeps at the time limit, who sleeps is told in
 * any case.
 */
#include <inttypes.h>

#include "viz/diagnose/find/find_waits.h"

static bool has_slept(const struct diagnosis *d, uint64_t since_ns)
{
	return d->end_ns > since_ns && d->end_ns - since_ns >= LONG_WAIT_NS;
}

static bool sleeps_silently(const struct diagnosis *d, const struct viz_thread *thread)
{
	return thread->end_ns == VIZ_NEVER && thread->state == TARGET_STATE_BLOCKED &&
	       !thread->own && (thread->call.len || thread->fault) &&
	       !wait_of_thread(d->waits, thread) && has_slept(d, thread->since_ns);
}

static const struct viz_thread *silent_thread(const struct diagnosis *d,
					      const struct viz_process *process)
{
	for (size_t i = 0; i < process->thread_count; i++)
		if (sleeps_silently(d, process->threads[i]))
			return process->threads[i];
	return NULL;
}

/* True for a wait for what the kernel does meanwhile, of which there are no records. */
static bool waits_for_ring(const struct viz_thread *thread)
{
	return viz_bytes_equal(thread->call, viz_bytes_of("io_uring_enter")) ||
	       viz_bytes_equal(thread->call, viz_bytes_of("io_getevents"));
}

/* What could end such a sleep, and what to look at. */
struct cause {
	enum phrase ender;
	enum advice_case advice;
};

static struct cause cause_of(const struct viz_thread *thread)
{
	if (thread->fault)
		return (struct cause){PHRASE_WHO_FILLS_PAGE, ADVICE_PAGE};
	if (thread->uninterruptible)
		return (struct cause){PHRASE_STORAGE, ADVICE_STORAGE};
	if (waits_for_ring(thread))
		return (struct cause){PHRASE_WHAT_WAS_SUBMITTED, ADVICE_RING};
	return (struct cause){PHRASE_UNSEEN_CAUSE, ADVICE_NONE};
}

static void add_dependents(struct diagnosis *d, struct finding *f,
			   const struct viz_process *process)
{
	enum { SHOWN = 4 };
	size_t count = 0;

	for (size_t i = 0; i < d->waits->count && count < SHOWN; i++) {
		const struct wait *wait = d->waits->waits[i];

		if (wait->process == process || !wait_is_ended_by(d->waits, wait, process))
			continue;
		finding_wait(d, f, wait);
		count++;
	}
}

bool report_silent_sleep(struct diagnosis *d, const struct viz_process *process)
{
	const struct viz_thread *thread = silent_thread(d, process);
	struct finding *f;

	if (!thread)
		return false;
	f = finding_add(d, FINDING_BLOCKED, thread->since_ns, NULL);
	if (waits_for_ring(thread))
		f->severity = SEVERITY_NOTE;
	f->advice = advice_for(d, cause_of(thread).advice, process);
	finding_set(d, f, "pid", "%" PRIu32, process->pid);
	finding_process(d, f, process);
	add_dependents(d, f, process);
	finding_set(d, f, "who", "%s", process_text(d, process));
	finding_set(d, f, "call", "%s",
		    thread->fault ? phrase_text(PHRASE_AN_ACCESS, d->language)
				  : format_text(d, "%s()", bytes_text(d, thread->call)));
	finding_set(d, f, "since", "%s", since_text(d, thread->since_ns));
	finding_set(d, f, "enders", "%s", phrase_text(cause_of(thread).ender, d->language));
	finding_set(d, f, "chain", "%s", "");
	return true;
}

static bool process_sleeps(const struct diagnosis *d, const struct viz_process *process)
{
	for (size_t i = 0; i < process->thread_count; i++) {
		const struct viz_thread *thread = process->threads[i];
		const struct wait *wait = wait_of_thread(d->waits, thread);
		const bool sleeps = wait ? !wait->ready && has_slept(d, wait->since_ns)
					 : thread->state == TARGET_STATE_BLOCKED &&
						    has_slept(d, thread->since_ns);

		if (thread->end_ns == VIZ_NEVER && !sleeps)
			return false;
	}
	return true;
}

bool everybody_sleeps(const struct diagnosis *d)
{
	if (d->model->trailer.why != END_REASON_TIMEOUT || !d->model->header.command_count)
		return false;
	for (size_t i = 0; i < d->model->process_count; i++) {
		const struct viz_process *process = d->model->processes[i];

		if (!process->ended && !process->zombie && !process_sleeps(d, process))
			return false;
	}
	return true;
}
