/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Paths that objects are known by: which FIFO or socket a call takes the name of away. Two paths
 * are the same where they are spelled alike and begin at the same directory.
 */
#ifndef USER_PATHS_H
#define USER_PATHS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PATHS_QUEUES UINT64_MAX /* as `base`: names of POSIX queues */

struct paths {
	void *by_path; /* tsearch(3) tree */
};

void paths_free(struct paths *paths);

/* `base`: inode of the directory that a relative path begins at; 0: it is absolute. */
void paths_note(struct paths *paths, uint64_t base, const void *text, size_t len, const char *id);

/* The id of the object that was known by this path last; NULL: none. */
const char *paths_find(const struct paths *paths, uint64_t base, const void *text, size_t len);

/* Some object is known by a path that ends like this one: it may be that very one. */
bool paths_alike(const struct paths *paths, const void *text, size_t len);

#endif
