/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Large writes that slept while their pipe was full, turn by turn. Private to pair_*.c. */
#ifndef VIZ_PAIR_TURNS_H
#define VIZ_PAIR_TURNS_H

#include "pair_ruler.h"

/* Buffers by number, as a pipe's head counts them: from the first to before the last. */
struct turn {
	uint32_t from, to;
};

/* What a send may have written, and nothing outside. */
struct turns {
	size_t index; /* of the send in its flow */
	struct turn *list;
	size_t count;
	uint64_t
		end; /* of the last buffer that it found, or more; 0: others may have added to it */
	bool told;   /* the trace does, turn by turn; else it is all between entry and exit */
	bool guess;  /* where others' turns reach into its own, somebody had to have it */
};

/* One that has more buffers than it can have written. */
struct turns_share {
	struct turns *turns;
	uint64_t excess;
	uint64_t end;	   /* of its last buffer */
	uint64_t begin_ns; /* when it began, or ran again */
	size_t turns_left; /* turns_share() has not come to yet */
};

/* How many buffers there are in them. */
uint64_t turns_buffers(const struct turns *turns);

/* Takes out of them what others have certainly written: pair_claims.c. */
void turns_claim(struct placing *p, struct turns *all, size_t count);

/* Divides what they have in common so that none has too much, where that is possible. */
void turns_share(struct arena *arena, struct turns_share *shares, size_t count);

/*
 * Replaces each settled send that the trace tells in turns by one for each of them, with a window.
 * One whose turns do not add up to what it wrote stays whole.
 */
void turns_split(struct placing *p);

/* Of sends that have their places, in order: what nobody came between is one again. */
void turns_join(struct placing *p);

#endif
