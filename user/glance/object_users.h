/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finds the processes that could end a wait that is not at a descriptor. In a glance, each object
 * that a call sleeps on gets a channel line with its users. System V objects without a key:
 * processes that may know the number (inherited_ids.h). Futexes: processes that have the memory
 * mapped. File locks: processes that hold one. If the users cannot be determined, there is no such
 * line.
 */
#ifndef USER_GLANCE_OBJECT_USERS_H
#define USER_GLANCE_OBJECT_USERS_H

#include "user/encode/encode.h"

struct inherited_ids;
struct searched;

struct glance_users {
	struct encoder *encoder;
	struct inherited_ids *tree; /* read on first use */
	struct searched *searched;  /* memory and files already searched for */
};

/* Writes the users of the object that the call of this begin record sleeps on. */
void glance_users_report(struct glance_users *users, const struct wire_operation *operation,
			 const __u64 args[6]);

void glance_users_free(struct glance_users *users);

#endif
