/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finds out what a thread waits for that sleeps in a futex of its process's own memory: a mutex of
 * the C library, and who holds it, or the end of another thread. Most such futexes are condition
 * variables or semaphores, which nobody holds: then, and without the privilege to read the memory,
 * nothing is found.
 */
#ifndef USER_GLANCE_FUTEX_OWNER_H
#define USER_GLANCE_FUTEX_OWNER_H

#include "user/encode/encode.h"

/* Fills in `wait`, which is zeroed. For encoder.futex_look. */
void futex_owner_find(const struct wire_thread *thread, struct futex_wait *wait);

#endif
