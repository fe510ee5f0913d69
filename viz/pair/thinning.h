/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A trace while it is thinned (viz/pair/thinned.h): thinned.c finds what may be left out, and
 * forgetting.c leaves it out once the engine has released it. Private to this folder.
 */
#ifndef VIZ_PAIR_THINNING_H
#define VIZ_PAIR_THINNING_H

#include "viz/pair/conversation_list.h"
#include "viz/pair/held.h"
#include "viz/pair/left_out.h"
#include "viz/pair/lock_rounds.h"
#include "viz/pair/lock_wakes.h"
#include "viz/pair/ordinary_signals.h"
#include "viz/pair/pieces.h"
#include "viz/pair/semaphores.h"
#include "viz/pair/short_channels.h"
#include "viz/pair/short_lives.h"
#include "viz/pair/thinned.h"
#include "viz/pair/wholes.h"

/* An exchange in the middle of its conversation, until the engine has released its calls. */
struct waiting {
	struct exchange exchange;
	/* Or a call in the middle of an idle run: the first one like it, and that of the others. */
	const struct viz_operation *like, *other;
	uint64_t round; /* of the engine, in which it came to lie there */
};

struct waiting_list LIST_OF(struct waiting);

struct thinning {
	size_t ends;
	struct arena *arena; /* of the pairing */
	struct viz_model *model;
	struct viz_pairing *pairing;
	struct held held;
	struct wanted_calls wanted;
	uint64_t round;		     /* of the engine */
	struct waiting_list waiting; /* in order of their rounds */
	struct id_map threads;	     /* struct thread_calls, by thread */
	struct conversation_list conversations;
	struct left_out left_out;
	struct semaphores semaphores;
	struct lock_rounds rounds;
	struct lock_wakes lock_wakes;
	struct signal_waits signal_waits;
	struct short_channels short_channels;
	struct short_lives short_lives;
	struct pieces pieces;
	const struct viz_packing *packing; /* NULL: what is forgotten is lost */
};

/* Leaves out what has waited since a round before this one, unless somebody needs it. */
void forget_until(struct thinning *thinning, uint64_t round);

#endif
