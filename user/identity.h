/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who called ipclens, and as whom the traced command runs: under sudo the user who typed it, with
 * that user's groups, umask and environment as they were before sudo changed them; without sudo,
 * whoever we are.
 */
#ifndef USER_IDENTITY_H
#define USER_IDENTITY_H

#include <stdbool.h>
#include <sys/types.h>

struct identity {
	bool changes; /* under sudo: the rest is to be applied */
	uid_t uid;
	gid_t gid;
	gid_t *groups;
	int group_count;
	bool has_umask;
	mode_t umask;
	char **environment; /* NULL: ours */
	char *environment_text;
};

/* 0 or -errno: -EINVAL where SUDO_UID or SUDO_GID is no number. */
int identity_find(struct identity *identity);
void identity_free(struct identity *identity);

/* Becomes that user for good: in the child, before it executes the command. 0 or -errno. */
int identity_become(const struct identity *identity);

/*
 * Gives up root's rights in the tracer once everything is attached: the user's ids, and of the
 * capabilities only CAP_KILL, to end a command of another user at --timeout. 0 or -errno.
 */
int identity_drop(const struct identity *identity);

#endif
