// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds threads of one process that wait for each other, by what a glance read in its memory: who
 * holds the mutex that a thread sleeps on, and whose end it waits for. Condition variables and
 * semaphores have no owner, so nothing is said of threads that sleep on those.
 */
#include <inttypes.h>

#include "viz/diagnose/find/find_waits.h"

/* The threads of a process, and for which of the others each waits. */
struct thread_waits {
	const struct viz_process *process;
	const struct viz_thread **next; /* by thread index; NULL: for none, or it is not known */
	bool *seen;			/* by thread index: visited, or told of */
};

static const struct viz_thread *thread_of(const struct viz_process *process, uint32_t tid)
{
	for (size_t i = 0; tid && i < process->thread_count; i++)
		if (process->threads[i]->tid == tid && process->threads[i]->end_ns == VIZ_NEVER)
			return process->threads[i];
	return NULL;
}

/* Returns false if no thread of the process is known to wait for another one, or for itself. */
static bool waits_collect(struct diagnosis *d, struct thread_waits *waits)
{
	const struct viz_process *process = waits->process;
	bool any = false;

	for (size_t i = 0; i < process->thread_count && !any; i++)
		any = process->threads[i]->owner || process->threads[i]->joins;
	if (!any || process->ended)
		return false;
	waits->next = arena_array(d->arena, process->thread_count, sizeof(*waits->next));
	waits->seen = arena_array(d->arena, process->thread_count, sizeof(*waits->seen));
	for (size_t i = 0; i < process->thread_count; i++) {
		const struct viz_thread *thread = process->threads[i];

		if (thread->own && thread->end_ns == VIZ_NEVER)
			waits->next[i] = thread_of(process,
						   thread->owner ? thread->owner : thread->joins);
	}
	return true;
}

/* A thread that was given no name has its process's, which is told already. */
static const char *thread_text(struct diagnosis *d, const struct viz_thread *thread)
{
	if (viz_bytes_equal(thread->comm, thread->process->comm))
		return fill_phrase(d, PHRASE_THREAD, format_text(d, "%" PRIu32, thread->tid), NULL,
				   NULL);
	return fill_phrase(d, PHRASE_NAMED_THREAD, format_text(d, "%" PRIu32, thread->tid),
			   bytes_text(d, thread->comm), NULL);
}

/* Adds to the evidence for whom the thread waits, and at which lock: gdb can print that. */
static void thread_line(struct diagnosis *d, struct finding *f, const struct thread_waits *waits,
			const struct viz_thread *thread)
{
	const char *who = thread_text(d, thread);
	const char *whom = thread_text(d, waits->next[thread->index]);

	waits->seen[thread->index] = true;
	if (thread->owner)
		finding_line(d, f,
			     fill_phrase(d, PHRASE_WAITS_FOR_LOCK, who,
					 format_text(d, "0x%" PRIx64, thread->lock), whom));
	else
		finding_line(d, f, fill_phrase(d, PHRASE_WAITS_FOR_END, who, whom, NULL));
}

static struct finding *add(struct diagnosis *d, const struct thread_waits *waits, uint64_t at_ns)
{
	struct finding *f = finding_add(d, FINDING_THREAD_LOCK, at_ns, NULL);

	finding_process(d, f, waits->process);
	finding_set(d, f, "who", "%s", process_text(d, waits->process));
	finding_set(d, f, "pid", "%" PRIu32, waits->process->pid);
	return f;
}

/* Adds to the evidence the threads that wait for one of which it tells already. */
static void name_dependents(struct diagnosis *d, struct finding *f,
			    const struct thread_waits *waits)
{
	bool grown = true;

	while (grown && f->line_count < NAMES_MOST) {
		grown = false;
		for (size_t i = 0; i < waits->process->thread_count && f->line_count < NAMES_MOST;
		     i++)
			if (waits->next[i] && !waits->seen[i] &&
			    waits->seen[waits->next[i]->index]) {
				thread_line(d, f, waits, waits->process->threads[i]);
				grown = true;
			}
	}
}

/* The last one closed the circle. It was read while others might run, so a new one is not told. */
static uint64_t closed_ns(const struct thread_waits *waits, const struct viz_thread *first)
{
	const struct viz_thread *thread = first;
	uint64_t at_ns = 0;

	do {
		if (at_ns < thread->since_ns)
			at_ns = thread->since_ns;
		thread = waits->next[thread->index];
	} while (thread != first);
	return at_ns;
}

static void report_circle(struct diagnosis *d, const struct thread_waits *waits,
			  const struct viz_thread *first)
{
	const uint64_t at_ns = closed_ns(waits, first);
	const struct viz_thread *thread = first, *next;
	const char *names = NULL, *since = since_text(d, at_ns);
	struct finding *f;

	if (d->end_ns < at_ns + LONG_WAIT_NS)
		return;
	f = add(d, waits, at_ns);
	do {
		next = waits->next[thread->index];
		names = joined_text(d, names,
				    next == first ? phrase_text(PHRASE_AND, d->language) : ", ",
				    thread_text(d, thread));
		thread_line(d, f, waits, thread);
		thread = next;
	} while (thread != first);
	finding_set(d, f, "what", "%s",
		    fill_phrase(d,
				waits->next[first->index] == first ? PHRASE_THREAD_OWN_LOCK
								   : PHRASE_THREADS_CIRCLE,
				names, since, NULL));
	name_dependents(d, f, waits);
}

/* Goes from each thread to the one that it waits for; one met again on the way closes a circle. */
static void report_circles(struct diagnosis *d, const struct thread_waits *waits)
{
	const size_t count = waits->process->thread_count;
	size_t *way = arena_array(d->arena, count, sizeof(*way));

	for (size_t i = 0; i < count; i++) {
		const struct viz_thread *thread = waits->process->threads[i];

		while (thread && !way[thread->index]) {
			way[thread->index] = i + 1;
			thread = waits->next[thread->index];
		}
		if (thread && way[thread->index] == i + 1 && waits->next[thread->index])
			report_circle(d, waits, thread);
	}
}

/* Returns the thread that has waited longest for a lock which `owner` holds; NULL: none has. */
static const struct viz_thread *first_waiter(const struct thread_waits *waits,
					     const struct viz_thread *owner)
{
	const struct viz_thread *first = NULL;

	for (size_t i = 0; i < waits->process->thread_count; i++) {
		const struct viz_thread *thread = waits->process->threads[i];

		if (waits->next[i] == owner && thread->owner &&
		    (!first || thread->since_ns < first->since_ns))
			first = thread;
	}
	return first;
}

/*
 * Reports threads that wait for a lock of one that waits for no thread. It may well be sound: who
 * holds the lock may read for all.
 */
static void report_holder(struct diagnosis *d, const struct thread_waits *waits,
			  const struct viz_thread *owner)
{
	const struct viz_thread *first = first_waiter(waits, owner);
	const struct wait *wait = wait_of_thread(d->waits, owner);
	struct finding *f;

	if (!first || d->end_ns < first->since_ns + LONG_WAIT_NS)
		return;
	f = add(d, waits, first->since_ns);
	f->severity = wait_process_stuck(d->waits, waits->process) ? SEVERITY_WARNING
								   : SEVERITY_NOTE;
	finding_set(d, f, "what", "%s",
		    fill_phrase(d, PHRASE_THREAD_LOCK_OF, thread_text(d, first),
				since_text(d, first->since_ns), thread_text(d, owner)));
	thread_line(d, f, waits, first);
	if (wait)
		finding_line(d, f, wait_text(d, wait));
	waits->seen[owner->index] = true;
	name_dependents(d, f, waits);
}

void report_thread_locks(struct diagnosis *d, const struct viz_process *process, bool asked)
{
	struct thread_waits waits = {.process = process};

	if (!waits_collect(d, &waits))
		return;
	report_circles(d, &waits);
	for (size_t i = 0; i < process->thread_count && asked; i++) {
		const struct viz_thread *owner = process->threads[i]->owner ? waits.next[i] : NULL;

		if (owner && !waits.next[owner->index] && !waits.seen[owner->index])
			report_holder(d, &waits, owner);
	}
}
