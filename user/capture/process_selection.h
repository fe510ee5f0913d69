/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The running processes that a capture joins: -p, --children, --comm, --cgroup, -a. */
#ifndef USER_CAPTURE_PROCESS_SELECTION_H
#define USER_CAPTURE_PROCESS_SELECTION_H

#include <argp.h>
#include <stdbool.h>

#include "user/tracer/tracer.h"

struct selection {
	pid_t *pids;
	size_t pid_count;
	const char **cgroups;
	size_t cgroup_count;
	bool children;
	bool may_end; /* of `pids`, those that have ended are left out; else there must be none */
	struct wire_selection kernel; /* the part that the kernel side applies: all, comms */
};

/* Child parser for argp; its input is a zeroed struct selection. */
extern const struct argp selection_argp;

/*
 * For use in an argp parser: handles `-p text`, and reports a malformed number with argp_error().
 */
void selection_add_pid(struct selection *selection, const char *text, struct argp_state *state);

/*
 * True, with one line for the user in `why`, if the process does not exist, has ended, is the
 * kernel's own, or is but a thread of a process.
 */
bool process_missing(pid_t pid, char *why, size_t why_len);

/* The same if it holds of any process given by -p. */
bool selection_missing(const struct selection *selection, char *why, size_t why_len);

/*
 * Calls `each` for all processes of the control group with this path and of those below it. Returns
 * 0 or -errno.
 */
int cgroup_each_process(const char *path, void (*each)(void *context, pid_t pid), void *context);

bool selection_any(const struct selection *selection); /* true if any of the options was given */
void selection_free(struct selection *selection);

/*
 * Joins all selected processes that run now. Since they may fork meanwhile, it repeats until a pass
 * finds no new process, 20 times at most. Returns 0, or -errno with one line in `why` if a process
 * or cgroup does not exist.
 */
int selection_join(const struct selection *selection, struct tracer *tracer, char *why,
		   size_t why_len);

#endif
