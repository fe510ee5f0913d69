/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Messages that tell that who gave a semaphore back woke the next one that takes it. They go with
 * the rounds (viz/pair/lock_rounds.h) of both. Private to this folder.
 */
#ifndef VIZ_PAIR_LOCK_WAKES_H
#define VIZ_PAIR_LOCK_WAKES_H

#include "viz/base/id_map.h"
#include "viz/message/message.h"

/* A zeroed one has none. */
struct lock_wakes {
	struct id_map by_give, by_take; /* struct viz_message, by the call's address */
};

/* Notes a message that is held, and that is in no exchange. */
void lock_wakes_add(struct lock_wakes *wakes, struct viz_message *message);

/* How many references the messages that are noted have to the call. */
uint32_t lock_wakes_references(const struct lock_wakes *wakes, const struct viz_operation *op);

/* Takes a message out in which the call is; NULL: there is none any more. */
struct viz_message *lock_wakes_remove(struct lock_wakes *wakes, const struct viz_operation *op);
void lock_wakes_free(struct lock_wakes *wakes);

#endif
