// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What is said of a process whose threads all sleep in memory of their own. */
#include "viz/diagnose/wait/waits.h"

/*
 * A lock that another thread held at the fork stays locked in the child for good (fork(2)): the
 * child has no such thread. Whether the parent had others then may be known no more.
 */
static bool may_have_copied_lock(const struct viz_process *process)
{
	return process_is_lone(process) && process_is_copy(process);
}

/*
 * True if the child was forked by the only thread of a parent that the trace has known from its
 * start: then no other thread can have held what the child waits for.
 */
static bool was_forked_alone(const struct viz_process *process)
{
	const struct viz_process *parent = process->parent;
	size_t threads = 0;

	if (process->before_trace || (parent->before_trace && !parent->path.data))
		return false;
	for (size_t i = 0; i < parent->thread_count; i++)
		threads += parent->threads[i]->start_ns <= process->start_ns &&
			   parent->threads[i]->end_ns >= process->start_ns;
	return threads == 1;
}

/*
 * True if a thread sleeps in shared memory, and other processes cannot wake it: sem_init(3) with
 * pshared 0, PTHREAD_PROCESS_PRIVATE.
 */
static bool is_made_for_threads(const struct viz_process *process)
{
	for (size_t i = 0; i < process->thread_count; i++)
		if (process->threads[i]->end_ns == VIZ_NEVER && process->threads[i]->shared)
			return true;
	return false;
}

/* Threads of HotSpot's own, by how their names begin: they work for those of the program. */
static const char *const of_runtime[] = {
	"GC Thread",	   "G1 ",
	"VM Thread",	   "VM Periodic Tas",
	"C1 Compiler",	   "C2 Compiler",
	"Sweeper thread",  "Reference Handl",
	"Finalizer",	   "Signal Dispatch",
	"Service Thread",  "Monitor Deflati",
	"Notification Th", "Common-Cleaner",
};

static bool is_of_runtime(const struct viz_thread *thread)
{
	for (size_t i = 0; i < sizeof(of_runtime) / sizeof(of_runtime[0]); i++)
		if (viz_bytes_begin(thread->comm, of_runtime[i]))
			return true;
	return false;
}

bool own_sleep_of_java(const struct diagnosis *d, const struct viz_process *process)
{
	bool any = false;

	if (!process_is_written_in(process, "java"))
		return false;
	for (size_t i = 0; i < process->thread_count; i++) {
		const struct viz_thread *thread = process->threads[i];

		if (thread->end_ns != VIZ_NEVER || is_of_runtime(thread))
			continue;
		if (!thread->own || d->end_ns - thread->since_ns < 2 * LONG_WAIT_NS)
			return false;
		any = true;
	}
	return any && !wait_of_process(d->waits, process);
}

const char *own_sleep_text(struct diagnosis *d, const struct viz_process *process)
{
	const char *who = process_text(d, process);

	if (own_sleep_of_java(d, process))
		return fill_phrase(d, PHRASE_OWN_JAVA_SLEEPS, who, NULL, NULL);
	if (is_made_for_threads(process))
		return fill_phrase(d, PHRASE_FOR_THREADS, who, NULL, NULL);
	if (may_have_copied_lock(process))
		return fill_phrase(
			d, was_forked_alone(process) ? PHRASE_COPIED_MEMORY : PHRASE_COPIED_LOCK,
			who, process_text(d, process->parent), NULL);
	if (process_is_lone(process))
		return fill_phrase(d, PHRASE_OWN_SLEEP_LONE, who, NULL, NULL);
	return fill_phrase(d, PHRASE_OWN_THREADS_SLEEP, who, NULL, NULL);
}

/* True if it has no other thread, and a child that runs on as its copy, or did. */
static bool has_forked_copies(const struct diagnosis *d, const struct viz_process *process)
{
	for (size_t i = 0; process_is_lone(process) && i < d->model->process_count; i++)
		if (d->model->processes[i]->parent == process &&
		    process_is_copy(d->model->processes[i]))
			return true;
	return false;
}

enum advice_case own_sleep_advice(const struct diagnosis *d, const struct viz_process *process)
{
	if (is_made_for_threads(process))
		return ADVICE_FOR_THREADS;
	if (may_have_copied_lock(process))
		return was_forked_alone(process) ? ADVICE_COPIED_MEMORY : ADVICE_COPIED_LOCK;
	return has_forked_copies(d, process) ? ADVICE_FORKED_MEMORY : ADVICE_OWN_MEMORY;
}
