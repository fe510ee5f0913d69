/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A control group (cgroup v2) of our own for the command, below the one that ipclens is in, so that
 * all limits of that one hold on. Its freezer needs no controller. Where no cgroup2 is mounted, or
 * it is mounted read-only, one is mounted that no path leads to.
 */
#ifndef USER_CAPTURE_CGROUP_H
#define USER_CAPTURE_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define CGROUP_NAME 32
#define CGROUP_PATH 512
#define CGROUP_NONE                                                                                \
	((struct cgroup){.tree = -1, .home = -1, .home_procs = -1, .own = -1, .freeze = -1})

struct cgroup {
	int tree;	/* the root of all */
	int home;	/* where ipclens is, and the command comes from */
	int home_procs; /* cgroup.procs there */
	int own;	/* ours; so is `freeze` */
	int freeze;
	char name[CGROUP_NAME];
	char path[CGROUP_PATH]; /* ours, as /proc/PID/cgroup has it */
};

/*
 * Makes the cgroup and opens what the functions below need. Returns 0, or -errno with a sentence in
 * `error`; then there is nothing to remove or to close.
 */
int cgroup_make(struct cgroup *cgroup, char *error, size_t size);

int cgroup_take(const struct cgroup *cgroup, pid_t pid); /* puts the process in; 0 or -errno */

/* Stops all that is in it, or lets it go on. Returns 0 or -errno. */
int cgroup_freeze(const struct cgroup *cgroup, bool freeze);

/* False if the process lives, and is neither in the cgroup nor in one below it. */
bool cgroup_has(const struct cgroup *cgroup, pid_t pid);

/*
 * Moves what is left in it to where it came from, and removes it. Gives up after a second and
 * returns false. Needs the rights that cgroup_make() needed.
 */
bool cgroup_remove(const struct cgroup *cgroup);

void cgroup_close(struct cgroup *cgroup);

#endif
