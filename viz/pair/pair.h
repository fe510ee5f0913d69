/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Pairs the sends of a whole trace in memory with their receives. viz/pair/stream.h does the same
 * for a trace that is too long to be held in memory.
 */
#ifndef VIZ_PAIR_PAIR_H
#define VIZ_PAIR_PAIR_H

#include "viz/message/message.h"

struct viz_gap; /* viz/message/sink.h */

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
};

/* Returns 0 or -errno. The model must outlive the pairing. */
int viz_pair(const struct viz_model *model, struct viz_pairing **pairing);
void viz_pairing_free(struct viz_pairing *pairing); /* NULL is allowed */

#endif
