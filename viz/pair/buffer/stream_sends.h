/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The sends of a stream whose receives name them: which of a send's bytes are still unread, and at
 * which offset in the send each of the kernel's buffers begins. Private to viz/pair.
 */
#ifndef VIZ_PAIR_BUFFER_STREAM_SENDS_H
#define VIZ_PAIR_BUFFER_STREAM_SENDS_H

#include "viz/pair/buffer/buffer_match.h"

/* One send of the flow. It lives for the round. */
struct source {
	struct flow_item item; /* the first of the send's items in the flow */
	struct range *left;    /* the send's bytes that are unread, ascending */
	size_t left_count;
	struct source_buffer *buffers; /* named by receives of this round, ascending */
	size_t buffer_count;
	struct source_buffer *hints; /* buffers whose offset an earlier round found */
	size_t hint_count;
	uint64_t taken, taken_to; /* in this round: bytes taken, and the end of the last range */
	bool ambiguous;		  /* which of its bytes are unread is ambiguous */
};

struct sources {
	struct pair_context *context;
	struct map by_id; /* by the operation's id */
	struct source *items;
	size_t count;
};

/* Lists all sends of a flow, and finds the offsets of the buffers that its receives name. */
void sources_list(struct pair_context *context, const struct flow *flow, struct sources *sources);

/* The send that a chunk names; NULL if it is not in the flow. */
struct source *sources_find(const struct sources *sources, const struct viz_chunk *chunk);

/* Sets `at` to the chunk's offset in the send's own bytes. False if that is tentative. */
bool source_offset(const struct sources *sources, struct source *source,
		   const struct viz_chunk *chunk, uint64_t *at);

/*
 * True if the offset of the chunk's buffer is not known yet: later receives may name earlier ones.
 */
bool source_waits(const struct source *source, const struct viz_chunk *chunk);

/* Marks a range of the send's bytes as read. False if some of it was read before, or never sent. */
bool source_take(const struct sources *sources, struct source *source, struct range range);

/* Replaces the sends of the flow by the ranges that are still unread. */
void sources_leave(const struct sources *sources, struct flow *flow);

#endif
