/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * In a glance: children of a process that fail at once and are started again and again, as the
 * workers of a pool. The look at one moment has none of them, or one that seems to work.
 */
#ifndef USER_GLANCE_CHILDREN_WATCH_H
#define USER_GLANCE_CHILDREN_WATCH_H

#include <sys/types.h>

#include "user/encode/encode.h"

/*
 * Writes a process line for each of these processes whose children, copies of it by fork(2), failed
 * one after the other while they were watched, none of them as old as a second. Takes up to two
 * seconds in all where one has so young a child, else none.
 */
void children_watch(struct encoder *encoder, const pid_t *pids, size_t count);

#endif
