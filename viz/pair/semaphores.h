/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which calls on semaphores and futexes may be left out: those of objects of which it is certain
 * that they are no locks, as what they are for is told by their first calls. Of locks the order in
 * which they are taken matters, so that all calls stay. Private to this folder.
 */
#ifndef VIZ_PAIR_SEMAPHORES_H
#define VIZ_PAIR_SEMAPHORES_H

#include "viz/base/arena.h"
#include "viz/message/message.h"

struct semaphores {
	struct viz_model *model;
	struct arena *arena;
	struct map all;	  /* struct semaphore, by channel and number */
	struct map users; /* struct semaphore_user, by semaphore and process */
};

/* True for a wait or a wake of one semaphore or futex, which succeeded. */
bool semaphore_call(const struct viz_operation *op);

/* What such a call asks for, apart from the object: the same number for the same. */
uint64_t semaphore_request(const struct viz_operation *op);

/* True if it is a message that one call woke the other shortly after that had fallen asleep. */
bool semaphore_message_is_ordinary(const struct viz_message *message);

/* True if the call neither slept nor woke anybody, so that it is in no message. */
bool semaphore_call_is_alone(const struct viz_operation *op);

/* To be called for each call, in the order of their return. */
void semaphores_note(struct semaphores *semaphores, const struct viz_operation *op);

/* True if nothing is told of the order of such calls. */
bool semaphores_may_forget(const struct semaphores *semaphores, const struct viz_operation *op);

/* Adds what the call changed to model->sem_changes. */
void semaphores_count(struct semaphores *semaphores, const struct viz_operation *left_out);

#endif
