// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Processes of which no wait was recorded, as they sleep in private futexes: only threads of their
 * own could wake them, or a handler of a signal.
 */
#include <inttypes.h>

#include "viz/diagnose/find/find_waits.h"

/*
 * True for a program whose only thread sleeps until a handler wakes it, as Python's
 * `signal.signal(SIGTERM, lambda *_: stop.set()); stop.wait()`. A copy of a program that has
 * threads has its parent's handlers, and may sleep for a lock that is copied with them.
 */
static bool waits_for_request(const struct diagnosis *d, const struct viz_process *process)
{
	return d->waits->whole && viz_process_handled_request(process) &&
	       process_is_lone(process) && !process_is_copy(process);
}

/* Returns who could end the sleep. */
static const char *wakers_text(struct diagnosis *d, const struct viz_process *process)
{
	const char *thread = phrase_text(process_is_written_in(process, "python")
						 ? PHRASE_OWN_THREAD_OF_PYTHON
						 : PHRASE_OWN_THREAD,
					 d->language);

	if (waits_for_request(d, process))
		return fill_phrase(d, PHRASE_OWN_HANDLER, viz_process_handled_request(process),
				   NULL, NULL);
	return thread;
}

/* It is a fault only if all its threads sleep so. */
void report_own_sleep(struct diagnosis *d, const struct viz_process *process)
{
	const struct viz_thread *thread = d->waits->own_sleepers[process->index];
	const bool stuck = wait_process_stuck(d->waits, process) || own_sleep_of_java(d, process);
	const bool asked = waits_for_request(d, process);
	const char *handler;
	struct finding *f;

	if (!thread || d->end_ns - thread->since_ns < LONG_WAIT_NS)
		return;
	f = finding_add(d, FINDING_BLOCKED, thread->since_ns, NULL);
	if (!stuck || asked)
		f->severity = SEVERITY_NOTE;
	else
		finding_line(d, f, own_sleep_text(d, process));
	f->advice = advice_for(d, asked ? ADVICE_NONE : own_sleep_advice(d, process), process);
	handler = asked ? NULL : sleeper_handler_text(d, thread);
	if (handler) {
		finding_line(d, f, handler);
		f->advice = advice_for(d, ADVICE_LOCK_IN_HANDLER, process);
	}
	finding_set(d, f, "pid", "%" PRIu32, process->pid);
	finding_process(d, f, process);
	finding_set(d, f, "who", "%s", process_text(d, process));
	finding_set(d, f, "call", "futex()");
	finding_set(d, f, "since", "%s", since_text(d, thread->since_ns));
	finding_set(d, f, "enders", "%s", wakers_text(d, process));
	finding_set(d, f, "chain", "%s", "");
}
