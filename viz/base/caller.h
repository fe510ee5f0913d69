/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The user on whose behalf a program runs as root: who called sudo, or who executed a program that
 * is set-user-ID; and how root's rights are given up for that user's.
 */
#ifndef VIZ_BASE_CALLER_H
#define VIZ_BASE_CALLER_H

#include <stdbool.h>
#include <sys/types.h>

struct caller {
	uid_t uid;
	gid_t gid;
};

/*
 * Returns 1 if there is such a user, who may be root; 0 if there is none: the program does not run
 * as root, or root started it; -EINVAL if SUDO_UID or SUDO_GID is not the number of a user or
 * group.
 */
int caller_find(struct caller *caller);

/*
 * Lists the groups of the user, the caller's own group among them, as a login would. Returns 0 or
 * -ENOMEM; free(*groups) is the caller's.
 */
int caller_groups(const struct caller *caller, gid_t **groups, size_t *count);

/*
 * Takes the user's groups and real, effective and saved ids. Returns 0 or -errno; after an error
 * the process must end.
 */
int caller_take(const struct caller *caller);

/*
 * Makes the process the caller's, for good: real, effective and saved ids, groups, HOME and its
 * kin, and no capability. Without a caller, root stays root, and a program of an ordinary user
 * loses the capabilities that its file gave it. Returns 0 or -errno; after an error, or if root's
 * rights could be had back, the program must end.
 */
int caller_become(void);

/*
 * True if the program has rights that are not of the user who typed: it runs as root, or sudo made
 * it run as somebody else. What it starts then must not do what the environment says.
 */
bool caller_has_more_rights(void);

#endif
