// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Tells a pool of workers from a deadlock, where only the state of the machine is known. The
 * workers wait for work, a thread of their parent waits for what they answer, another one gives
 * them work once the main thread asks it to, and that one sleeps: no message is on its way, as in
 * a circle of processes that wait for each other. A task that was lost looks the same.
 */
#include <inttypes.h>

#include "viz/diagnose/find/find_waits.h"

/* True if nothing tells whom of its process the thread waits for: no mutex with an owner. */
static bool sleeps_in_own_futex(const struct viz_thread *thread)
{
	return thread->end_ns == VIZ_NEVER && thread->own && !thread->owner && !thread->joins;
}

/* True if the main thread and one more sleep until others of the process wake them. */
static bool has_sleeping_feeder(const struct viz_process *process)
{
	bool main_sleeps = false;
	size_t others = 0;

	for (size_t i = 0; i < process->thread_count; i++) {
		if (!sleeps_in_own_futex(process->threads[i]))
			continue;
		if (process->threads[i]->tid == process->pid)
			main_sleeps = true;
		else
			others++;
	}
	return main_sleeps && others;
}

static bool waits_for_input(const struct wait *wait)
{
	const enum role role = wait->operation->role;

	return role == ROLE_RECEIVE || (role == ROLE_WAIT && !waits_for_child(wait)) ||
	       (wait->channel && is_semaphore(wait->channel));
}

/* Returns the wait of the pool's parent; NULL if the circle is no such pool. */
static const struct wait *wait_of_parent(const struct wait_circle *circle)
{
	const struct wait *parent = NULL;

	for (size_t i = 0; i < circle->count && !parent; i++)
		if (has_sleeping_feeder(circle->waits[i]->process))
			parent = circle->waits[i];
	for (size_t i = 0; parent && i < circle->count; i++) {
		const struct wait *wait = circle->waits[i];

		if (!waits_for_input(wait) ||
		    (wait->process != parent->process && wait->process->parent != parent->process))
			return NULL;
	}
	return parent;
}

static void report(struct diagnosis *d, const struct wait_circle *circle, const struct wait *parent)
{
	struct finding *f = finding_add(d, FINDING_BLOCKED, parent->since_ns, parent->channel);

	f->severity = SEVERITY_NOTE;
	finding_wait(d, f, parent);
	for (size_t i = 0; i < circle->count; i++)
		if (circle->waits[i] != parent)
			finding_wait(d, f, circle->waits[i]);
	f->advice = advice_for(d, ADVICE_IDLE_WORKERS, parent->process);
	finding_set(d, f, "pid", "%" PRIu32, parent->process->pid);
	finding_set(d, f, "who", "%s", process_text(d, parent->process));
	finding_set(d, f, "call", "%s", call_text(d, parent->operation));
	finding_set(d, f, "since", "%s", since_text(d, parent->since_ns));
	finding_set(d, f, "enders", "%s", names_text(d, f->processes + 1, f->process_count - 1));
	finding_set(d, f, "chain", "; %s", phrase_text(PHRASE_IDLE_WORKERS, d->language));
}

bool report_idle_workers(struct diagnosis *d, size_t number)
{
	const struct wait_circle *circle = &d->waits->circles[number];
	const struct wait *parent = d->waits->whole ? wait_of_parent(circle) : NULL;

	if (parent)
		report(d, circle, parent);
	return parent != NULL;
}
