// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Finds processes that run, and in which loop of calls. */
#include <inttypes.h>

#include "viz/diagnose/find/find_waits.h"
#include "viz/diagnose/wait/forked_memory.h"

#define LOOP_LEAST 20 /* calls of one kind in the fifth of a second that a thread is watched */

/* Returns a thread that ran: one that did so while it was watched, if there is any; or NULL. */
static const struct viz_thread *runner_of(const struct viz_process *process)
{
	const struct viz_thread *runner = NULL;

	for (size_t i = 0; i < process->thread_count; i++) {
		const struct viz_thread *thread = process->threads[i];

		if (thread->end_ns != VIZ_NEVER)
			continue;
		if (thread->watched_ns)
			return thread;
		if (thread->state == TARGET_STATE_RUNNING && !runner)
			runner = thread;
	}
	return runner;
}

/* Returns "; in 0.2 s it called sched_yield() 51000 times", or that it computes, or nothing. */
static const char *loop_text(struct diagnosis *d, const struct viz_thread *runner)
{
	const char *calls = NULL;

	if (!runner->watched_ns)
		return "";
	for (size_t i = 0; i < runner->calls_count; i++)
		if (runner->counts[i] >= LOOP_LEAST)
			calls = joined_text(
				d, calls, ", ",
				fill_phrase(d, PHRASE_SO_OFTEN, bytes_text(d, runner->calls[i]),
					    format_text(d, "%" PRIu64, runner->counts[i]), NULL));
	return fill_phrase(d, calls ? PHRASE_IN_LOOP : PHRASE_NO_LOOP,
			   duration_text(d, runner->watched_ns), calls, NULL);
}

/* What a loop of calls that only ask, or that fail, should do instead. */
static const struct {
	const char *call; /* how its text begins */
	enum phrase remedy;
} remedies[] = {
	{"sched_yield", PHRASE_WAIT_INSTEAD_OF_YIELD}, /* it waits for memory to change */
	{"kill(", PHRASE_WAIT_FOR_PROCESS},
	{"wait4(", PHRASE_WAIT_FOR_CHILD},
	{"waitid(", PHRASE_WAIT_FOR_CHILD},
};

/* True if it writes all the time where nobody reads any more. */
static bool writes_in_vain(const struct viz_thread *runner)
{
	for (size_t i = 0; i < runner->calls_count; i++)
		if (runner->counts[i] >= LOOP_LEAST &&
		    viz_bytes_contain(runner->calls[i], viz_bytes_of(" = EPIPE")))
			return true;
	return false;
}

/* Returns advice for its loop; NULL: none but the row's. */
static const char *remedy_of(const struct diagnosis *d, const struct viz_thread *runner)
{
	for (size_t i = 0; i < runner->calls_count; i++)
		for (size_t k = 0; k < sizeof(remedies) / sizeof(remedies[0]); k++)
			if (runner->counts[i] >= LOOP_LEAST &&
			    viz_bytes_begin(runner->calls[i], remedies[k].call))
				return phrase_text(remedies[k].remedy, d->language);
	return writes_in_vain(runner) ? phrase_text(PHRASE_STOP_AT_EPIPE, d->language) : NULL;
}

/* True if it calls nothing in its loop, or nothing that could tell it anything. */
static bool asks_nothing(const struct viz_thread *runner)
{
	for (size_t i = 0; i < runner->calls_count; i++)
		if (!viz_bytes_begin(runner->calls[i], "sched_yield"))
			return false;
	return runner->watched_ns != 0;
}

/* Of a look: what the trace knows of the process's children, which it may wait for. */
static void tell_copies(struct diagnosis *d, struct finding *f, const struct viz_thread *runner)
{
	const struct diagnosis *trace = d->trace;
	const struct viz_process *own =
		trace ? viz_model_process(trace->model, runner->process->pid, trace->end_ns) : NULL;
	struct forked_copies copies;

	if (own && asks_nothing(runner) && changes_alone(trace, own, &copies))
		tell_unshared(d, f, own, &copies);
}

void report_running(struct diagnosis *d, const struct viz_process *process, bool told)
{
	const struct viz_thread *runner = runner_of(process);
	struct finding *f;

	if (!runner || (told && !runner->watched_ns))
		return;
	f = finding_add(d, FINDING_RUNNING, runner->looked_ns, NULL);
	finding_process(d, f, process);
	finding_set(d, f, "who", "%s", process_text(d, process));
	f->advice = remedy_of(d, runner);
	if (writes_in_vain(runner) && !d->survivors) /* a trace tells it, too */
		f->severity = SEVERITY_WARNING;
	finding_set(d, f, "loop", "%s", loop_text(d, runner));
	tell_copies(d, f, runner);
}
