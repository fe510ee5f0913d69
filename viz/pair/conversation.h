/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A conversation of a trace (viz/pair/thinned.h): which of its ordinary exchanges stay. Private to
 * this folder.
 */
#ifndef VIZ_PAIR_CONVERSATION_H
#define VIZ_PAIR_CONVERSATION_H

#include "viz/pair/ordinary.h"

struct conversation;

/*
 * Where an exchange stands in its conversation: it stays, as one of the first or of a length that
 * was rarely met; or it is one of the last, for now; PLACE_MIDDLE: and another one is not any more.
 */
enum place { PLACE_FIRST, PLACE_LAST, PLACE_MIDDLE };

/*
 * Adds an ordinary exchange to a conversation of which `ends` stay at either end. PLACE_MIDDLE: the
 * one that is in the middle now is in `middle`. The conversation owns the short channels and lives
 * among its last exchanges.
 */
enum place conversation_add(struct conversation *conversation, const struct exchange *exchange,
			    size_t ends, struct exchange *middle);

/* True if exchanges of its length, which this is one more of, have stayed; else it is to stay. */
bool conversation_knows_length(struct conversation *conversation, const struct exchange *exchange);
struct conversation *conversation_new(void);
void conversation_free(struct conversation *conversation);

#endif
