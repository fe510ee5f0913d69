// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/pair/conversation.h"

#include <stdlib.h>

#include "viz/base/memory.h"
#include "viz/pair/short_channels.h"
#include "viz/pair/short_lives.h"

enum {
	LENGTHS_MOST = 16, /* lengths of messages that a conversation knows */
	OF_LENGTH = 8,	   /* exchanges of one length that stay, beside those at the ends */
};

/* What its calls asked for and got; of a short channel or life their number, and what they sent. */
struct length {
	uint64_t bytes, requested;
	size_t count;
};

struct conversation {
	size_t count;
	struct exchange *ring; /* the last ones */
	size_t next, held;
	struct length lengths[LENGTHS_MOST];
	size_t length_count;
};

struct conversation *conversation_new(void)
{
	return memory_new(sizeof(struct conversation));
}

void conversation_free(struct conversation *conversation)
{
	for (size_t i = 0; i < conversation->held; i++) {
		short_channel_free_both(conversation->ring[i].whole);
		short_life_free(conversation->ring[i].life);
	}
	free(conversation->ring);
	free(conversation);
}

static struct length length_of(const struct exchange *exchange)
{
	const struct viz_operation *last = exchange->calls[exchange->message && exchange->calls[1]];

	if (exchange->life)
		return (struct length){short_life_bytes(exchange->life),
				       short_life_calls(exchange->life), 0};
	if (exchange->whole)
		return (struct length){short_channel_bytes(exchange->whole),
				       short_channel_calls(exchange->whole), 0};
	return (struct length){exchange->message ? exchange->message->bytes : 0,
			       last ? last->requested : 0, 0};
}

/* One of a length that was rarely met stays; where the lengths are many, they say no more. */
bool conversation_knows_length(struct conversation *c, const struct exchange *exchange)
{
	const struct length length = length_of(exchange);
	size_t i = 0;

	while (i < c->length_count &&
	       (c->lengths[i].bytes != length.bytes || c->lengths[i].requested != length.requested))
		i++;
	if (i == LENGTHS_MOST)
		return true;
	if (i == c->length_count)
		c->lengths[c->length_count++] = length;
	return c->lengths[i].count++ >= OF_LENGTH;
}

enum place conversation_add(struct conversation *c, const struct exchange *exchange, size_t ends,
			    struct exchange *middle)
{
	bool full;

	if (!conversation_knows_length(c, exchange) || c->count++ < ends)
		return PLACE_FIRST;
	if (!c->ring)
		c->ring = memory_array(ends, sizeof(*c->ring));
	full = c->held == ends;
	if (full)
		*middle = c->ring[c->next];
	else
		c->held++;
	c->ring[c->next] = *exchange;
	c->next = (c->next + 1) % ends;
	return full ? PLACE_MIDDLE : PLACE_LAST;
}
