/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The conversations of a trace (viz/pair/thinned.h): which exchanges are of the same one. Private
 * to this folder.
 */
#ifndef VIZ_PAIR_CONVERSATION_LIST_H
#define VIZ_PAIR_CONVERSATION_LIST_H

#include "viz/base/arena.h"
#include "viz/pair/conversation.h"

struct conversation_list {
	struct arena *arena;
	struct map by_key;
	struct conversation **all;
	size_t count;
};

/* The one that the exchange is of; it is made on first use. */
struct conversation *conversation_of(struct conversation_list *c, const struct exchange *exchange);
void conversation_list_free(struct conversation_list *c);

/* The signal that the exchange is about; NULL: it is about none. */
const struct viz_signal *exchange_signal(const struct exchange *exchange);

/* How many references the list, the message and its signal have to one of its calls. */
uint32_t exchange_references(const struct exchange *exchange, const struct viz_operation *op);

#endif
