/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Why the kernel itself ended a process by a signal, as far as the trace shows it. */
#ifndef VIZ_DIAGNOSE_PROCESS_KERNEL_KILLS_H
#define VIZ_DIAGNOSE_PROCESS_KERNEL_KILLS_H

#include "viz/diagnose/core/finder.h"

enum kill_cause {
	KILL_UNKNOWN,
	KILL_NAMESPACE_END, /* PID 1 of its pid namespace ended: pid_namespaces(7) */
	KILL_PARENT_END,    /* its parent ended, and it had a parent-death signal */
	KILL_THREAD_END,    /* the same, but only the thread ended that had forked it */
};

struct kernel_kill {
	enum kill_cause cause;
	const struct viz_process *by; /* whose end it was; of a thread, its process */
	const struct viz_thread *thread;
};

/* Never about a signal that a process sent. `who` is the process that died of it. */
struct kernel_kill kernel_kill_of(const struct diagnosis *d, const struct viz_signal *signal,
				  const struct viz_process *who);

/* The text of {origin}, and the phrase of the remedy, of a kill whose cause is known. */
const char *kernel_kill_text(struct diagnosis *d, const struct kernel_kill *kill);
enum phrase kernel_kill_cure(const struct kernel_kill *kill);

#endif
