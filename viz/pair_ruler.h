/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The sends of a flow as a ruler: each has its place, and byte by byte the next one follows, or
 * something is missing between. Shared by pair_ruler.c and pair_placed.c.
 */
#ifndef VIZ_PAIR_RULER_H
#define VIZ_PAIR_RULER_H

#include "pair_place.h"

#define PAGE_LEN 4096
#define SLOT_LEN 8192
#define HOLE ((uint64_t)1 << 40) /* on the ruler, where nobody knows how much is missing */

struct placing {
	struct pair_context *context;
	struct flow *flow;
	const struct pair_route *route;
	const struct place_scale *scale;
	bool tcp;
	bool linear; /* places count what goes through: bytes of TCP, slots of packets */
	void (*leave_out)(struct placing *p, struct flow_item *item); /* it finds no place */
	bool (*agrees)(const struct placing *p, const struct flow_item *item, uint64_t from);
	uint64_t base;		     /* linear: a place near all of them */
	size_t sends;		     /* how many of them, from the first on, have their places */
	size_t mends;		     /* tried: pair_mend.c */
	size_t skipped;		     /* so many of them are used up */
	struct flow_item **receives; /* settled, by place */
	size_t receive_count;
	uint64_t missing, missing_from_ns;
};

static inline uint64_t at_most(uint64_t value, uint64_t most)
{
	return value < most ? value : most;
}

static inline uint64_t at_least(uint64_t value, uint64_t least)
{
	return value > least ? value : least;
}

/* It has returned before the round's time. */
bool ruler_is_settled(const struct flow *flow, const struct flow_item *item);

/* All that is settled tells where it lies. */
bool ruler_is_possible(const struct flow *flow);

/* Between which places a call's bytes lie. */
void ruler_window(const struct placing *p, struct flow_item *item, bool send);

/*
 * What is to be placed together gets its begin_ns, and who slept a shorter window: pair_slept.c.
 * Sorts them by begin_ns.
 */
void slept_narrow(struct placing *p, struct flow_item **items, size_t count);

/* Gives the settled sends their places, sorts them to the front, and counts p->sends. */
void ruler_place(struct placing *p);

/* The same of any calls: groups whose windows overlap, up to a limit. Sorts them by window. */
void ruler_place_groups(struct placing *p, struct flow_item **items, size_t count, uint64_t limit);

/* The same of one group: false: no order fits. Sorts them. */
bool ruler_place_together(const struct placing *p, struct flow_item **items, size_t count);

/*
 * A window that ends before it begins: it begins where others ended, at `least`, which is called
 * ambiguous.
 */
void ruler_mend_window(struct placing *p, struct flow_item *item, uint64_t least);

/* Of a group where none fits, though no record is missing: pair_mend.c. Behind it is `before`. */
bool ruler_mend(struct placing *p, struct flow_item **items, size_t count, uint64_t before);

/* The first send that reaches beyond a place on the ruler, where they are laid; p->sends: none. */
size_t ruler_reaching(const struct placing *p, uint64_t place);

/* For qsort() of pointers to items: by exit_ns. */
int ruler_compare_exits(const void *a, const void *b);

/* Nothing that the trace kept says that it did not receive what begins there: pair_bytes.c. */
bool ruler_bytes_agree(const struct placing *p, const struct flow_item *receive, uint64_t begin);

/* Gives them their `start` on the ruler, on which bytes are counted. */
void ruler_lay(struct placing *p);

/* The last send that begins at or before a place; p->sends: none does. */
size_t ruler_send_at(const struct placing *p, uint64_t place);

/* Where a place is on the ruler; 0: before all of it. */
uint64_t ruler_at(const struct placing *p, uint64_t place);

/* The same for the end of a window: what is missing before it belongs to the window. */
uint64_t ruler_end_at(const struct placing *p, uint64_t place);

/*
 * Of a pipe that was found empty, whose last byte had that place: the next one begins a slot. Where
 * that is on the ruler; 0: not known.
 */
uint64_t ruler_next_slot_at(const struct placing *p, uint64_t place);

/* Linear places go on beyond 2^32; how far the sends, or the receives, had come then. */
uint32_t ruler_counter(const struct placing *p, const struct viz_position *position, bool send);
uint64_t ruler_unwrap(const struct placing *p, uint32_t counter);

#endif
