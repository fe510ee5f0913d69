/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The paths that FIFOs, sockets and queues are known by, so that a call that removes a name can be
 * assigned to its object. Two paths are equal if they are spelled alike and start at the same
 * directory.
 */
#ifndef USER_ENCODE_BOUND_PATHS_H
#define USER_ENCODE_BOUND_PATHS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PATHS_QUEUES UINT64_MAX /* value of `base` for names of POSIX queues */

struct paths {
	void *by_path;	    /* tsearch(3) tree of struct path */
	struct path *taken; /* the last that was taken, no longer there */
};

void paths_free(struct paths *paths);

/*
 * Notes that the object `id` is known by this path; it replaces the object noted before. `base` is
 * the inode of the directory that a relative path starts at, 0 for an absolute path. An empty path,
 * or one without memory to keep it, is ignored.
 */
void paths_note(struct paths *paths, uint64_t base, const void *text, size_t len, const char *id);

/*
 * The id of the object that was last known by this path, valid until the path is noted again or
 * paths_free(). NULL if there is none.
 */
const char *paths_find(const struct paths *paths, uint64_t base, const void *text, size_t len);

/*
 * As paths_find(), of a path that is removed: it is no longer known, so that names which come and
 * go take no memory. The id is valid until the next one is taken.
 */
const char *paths_take(struct paths *paths, uint64_t base, const void *text, size_t len);

/* True if some object is known by a path with the same last component: it may be the same path. */
bool paths_alike(const struct paths *paths, const void *text, size_t len);

#endif
