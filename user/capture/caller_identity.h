/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finds the user on whose behalf ipclens runs, and starts the traced command as that user. Under
 * sudo this is the user who typed it, with the groups, umask, limits and environment from before
 * sudo changed them; without sudo it is the user that ipclens runs as.
 */
#ifndef USER_CAPTURE_CALLER_IDENTITY_H
#define USER_CAPTURE_CALLER_IDENTITY_H

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

struct identity {
	bool changes; /* started by sudo: the other fields are to be applied */
	uid_t uid;
	gid_t gid;
	gid_t *groups;
	size_t group_count;
	bool has_umask;
	mode_t umask;
	bool has_limits;
	struct rlimit limits[RLIM_NLIMITS];
	char **environment; /* NULL: the environment of ipclens stays */
	char *environment_text;
};

/*
 * Fills in `identity`, for identity_free() to release. Returns 0, -ENOMEM, or -EINVAL if SUDO_UID
 * or SUDO_GID is not a valid number.
 */
int identity_find(struct identity *identity);
void identity_free(struct identity *identity);

/*
 * Makes the calling process that user, irrevocably; the child calls it before it executes the
 * command. Does nothing without sudo. Returns 0 or -errno.
 */
int identity_become(const struct identity *identity);

/*
 * Drops root's privileges once everything is attached: takes the user's ids under sudo, and gives
 * up all capabilities, for good (confinement.h). `kills`: CAP_KILL stays, which --timeout needs to
 * end a command of another user. Returns 0 or -errno.
 */
int identity_drop(const struct identity *identity, bool kills);

#endif
