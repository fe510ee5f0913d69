/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who could end a wait at what is no descriptor: in a glance, for each object that some call sleeps
 * at, a channel line with its users. System V objects without a key: those that may know the number
 * (family.h). Futexes: those that have the memory mapped. File locks: those that hold one. Where it
 * cannot be told there is no such line.
 */
#ifndef USER_GLANCE_USERS_H
#define USER_GLANCE_USERS_H

#include "encode.h"

struct family_tree;
struct searched;

struct glance_users {
	struct encoder *encoder;
	struct family_tree *tree;  /* read when it is first needed */
	struct searched *searched; /* memory and files, for the next who waits there */
};

/* Of the call that sleeps, as its begin record tells. */
void glance_users_tell(struct glance_users *users, const struct wire_operation *operation,
		       const __u64 args[6]);

void glance_users_free(struct glance_users *users);

#endif
