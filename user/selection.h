/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which running processes a capture joins: -p, --children, --comm, --cgroup, -a. */
#ifndef USER_SELECTION_H
#define USER_SELECTION_H

#include <argp.h>
#include <stdbool.h>

#include "tracer.h"

struct selection {
	pid_t *pids;
	size_t pid_count;
	const char **cgroups;
	size_t cgroup_count;
	bool children;
	struct wire_selection kernel; /* all, comms */
};

/* Child parser; its input is a zeroed struct selection. */
extern const struct argp selection_argp;

/* Of an argp parser: `-p text`. */
void selection_add_pid(struct selection *selection, const char *text, struct argp_state *state);

/* True, and a line in `why`, where one of the pids is nobody's. */
bool selection_missing(const struct selection *selection, char *why, size_t why_len);

bool selection_any(const struct selection *selection); /* any of the options was given */
void selection_free(struct selection *selection);

/*
 * Joins all that is selected and runs now. Repeats until no new process turns up, since they may
 * fork meanwhile. 0, or -errno and a line in `why`: a process or cgroup that does not exist.
 */
int selection_join(const struct selection *selection, struct tracer *tracer, char *why,
		   size_t why_len);

#endif
