// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The kernel ends processes by a signal of its own when another one ends: all of a pid namespace
 * with its PID 1 (zap_pid_ns_processes() in kernel/pid_namespace.c), and those that asked for it by
 * PR_SET_PDEATHSIG with the thread that forked them (reparent_leader() in kernel/exit.c). In both
 * cases the ending thread raises the signal, after sched_process_exit.
 */
#include <inttypes.h>
#include <signal.h>

#include "viz/diagnose/process/kernel_kills.h"

#define RAISED_WITHIN_NS UINT64_C(100000000) /* the ending thread may lose its processor between */
#define TOGETHER_NS UINT64_C(5000000)	     /* in which all threads of an ending process end */

static bool ended_before(uint64_t end_ns, uint64_t at_ns)
{
	return end_ns <= at_ns && at_ns - end_ns <= RAISED_WITHIN_NS;
}

/* Returns the PID 1 of a namespace that the process was in, if it has just ended; else NULL. */
static const struct viz_process *ended_init(const struct viz_process *who, uint64_t at_ns)
{
	for (who = who->parent; who; who = who->parent)
		if (who->ns_pid == 1 && who->ended && ended_before(who->end_ns, at_ns))
			return who;
	return NULL;
}

/* True if the kernel killed it, too: then what ended its child may have been the same. */
static bool was_killed_alike(const struct diagnosis *d, const struct viz_process *process)
{
	for (size_t i = 0; i < d->pairing->signal_count; i++) {
		const struct viz_signal_event *raised = d->pairing->signals[i]->generate;

		if (raised && raised->to == process && raised->number == SIGKILL &&
		    raised->origin == ORIGIN_KERNEL)
			return true;
	}
	return false;
}

static struct kernel_kill parent_kill(const struct diagnosis *d, const struct viz_process *who,
				      uint64_t at_ns)
{
	const struct viz_thread *maker = who->maker;
	const struct viz_process *parent = who->parent;
	const bool whole = parent && parent->ended && parent->end_ns <= at_ns + TOGETHER_NS;

	if (!maker || !ended_before(maker->end_ns, at_ns) || was_killed_alike(d, parent))
		return (struct kernel_kill){0};
	return (struct kernel_kill){
		.cause = whole ? KILL_PARENT_END : KILL_THREAD_END, .by = parent, .thread = maker};
}

struct kernel_kill kernel_kill_of(const struct diagnosis *d, const struct viz_signal *signal,
				  const struct viz_process *who)
{
	const struct viz_signal_event *raised = signal ? signal->generate : NULL;
	const struct viz_process *init;

	/* A session whose leader ends gets SIGHUP, too. What goes to one thread is neither. */
	if (!raised || raised->origin != ORIGIN_KERNEL || !raised->group ||
	    raised->number == SIGHUP)
		return (struct kernel_kill){0};
	init = raised->number == SIGKILL ? ended_init(who, raised->at_ns) : NULL;
	if (init)
		return (struct kernel_kill){.cause = KILL_NAMESPACE_END, .by = init};
	return parent_kill(d, who, raised->at_ns);
}

const char *kernel_kill_text(struct diagnosis *d, const struct kernel_kill *kill)
{
	const char *who = process_text(d, kill->by);

	if (kill->cause == KILL_NAMESPACE_END)
		return fill_phrase(d, PHRASE_BY_NAMESPACE_END, who, NULL, NULL);
	if (kill->cause == KILL_PARENT_END)
		return fill_phrase(d, PHRASE_BY_PARENT_END, who, NULL, NULL);
	return fill_phrase(d, PHRASE_BY_THREAD_END, format_text(d, "%" PRIu32, kill->thread->tid),
			   who, NULL);
}

enum phrase kernel_kill_cure(const struct kernel_kill *kill)
{
	return kill->cause == KILL_NAMESPACE_END ? PHRASE_CURE_NAMESPACE_END
						 : PHRASE_CURE_THREAD_END;
}
