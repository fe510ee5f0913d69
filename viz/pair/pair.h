/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Pairs the sends of a whole trace in memory with their receives. viz/pair/stream.h does the same
 * for a trace that is too long to be held in memory.
 */
#ifndef VIZ_PAIR_PAIR_H
#define VIZ_PAIR_PAIR_H

#include "viz/message/message.h"

struct viz_gap; /* viz/message/sink.h */
struct packed_messages;

/*
 * The result of viz_pair(). All arrays, and what they point to, live until viz_pairing_free().
 * Messages are in order of receipt; messages that were never received come last.
 */
struct viz_pairing {
	struct viz_message **messages;
	size_t message_count;
	struct viz_eof **eofs;
	size_t eof_count;
	struct viz_connection **connections;
	size_t connection_count;
	struct viz_signal **signals;
	size_t signal_count;
	struct viz_gap **gaps;
	size_t gap_count;
	size_t ambiguous; /* messages whose match is not exact */
	size_t unread;	  /* messages that were never received (FATE_UNREAD, FATE_DISCARDED) */
	size_t foreign;	  /* messages whose sender is outside the trace */
	struct arena *arena;
	/*
	 * Of a thinned trace whose middle is packed (thinned.h): further messages, and all in the
	 * order in which `messages` would have them. NULL: there are no more than `messages`.
	 */
	struct packed_messages *packed;
	uint32_t *order;
};

/*
 * How many messages and calls there are, those that are packed too, and each message. A whole one
 * is as packed_whole() gives it, a brief one as packed_brief(); one that is not packed is itself.
 */
size_t viz_pairing_total(const struct viz_pairing *pairing);
size_t viz_pairing_calls(const struct viz_pairing *pairing, const struct viz_model *model);
const struct viz_message *viz_pairing_whole(const struct viz_pairing *pairing, size_t i);
const struct viz_message *viz_pairing_brief(const struct viz_pairing *pairing, size_t i);
uint64_t viz_pairing_bytes(const struct viz_pairing *pairing, size_t i); /* of the whole one */

/* Returns 0 or -errno. The model must outlive the pairing. */
int viz_pair(const struct viz_model *model, struct viz_pairing **pairing);
void viz_pairing_free(struct viz_pairing *pairing); /* NULL is allowed */

#endif
