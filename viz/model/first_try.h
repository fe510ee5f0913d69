/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Waits that signals broke off and that were entered again, as by a timer of the process itself.
 * One that asks again and again has waited since it asked first.
 */
#ifndef VIZ_MODEL_FIRST_TRY_H
#define VIZ_MODEL_FIRST_TRY_H

#include <stdint.h>

struct viz_channel;
struct viz_model;
struct viz_operation;

/* Of a thread: the call that it made first of those that signals broke off since. */
struct viz_first_try {
	const struct viz_channel *channel;
	uint64_t syscall;  /* hash of its name */
	uint64_t since_ns; /* when it fell asleep, or was made; 0: there is no such call */
	int32_t fd;
};

/* The call is its thread's latest: notes it if a signal broke it off, or if that ends the tries. */
void first_try_note(struct viz_operation *op);

/*
 * When the thread of an unfinished call, its latest, began to wait for this: when it made the call,
 * or the first of those that signals broke off and that it made again, doing nothing in between but
 * print. Where the trace lacks records it is the former: one of them may have ended the tries.
 */
uint64_t first_try_ns(const struct viz_model *model, const struct viz_operation *op);

#endif
