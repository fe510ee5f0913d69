/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Requests and their responses. Two processes converse by a connection, by two sockets that send
 * each other datagrams, by a System V queue, or by two pipes or queues, one each way. All that one
 * of them sends before anything comes back is a turn. A turn of the asker and the next turn of the
 * other one are an exchange if
 *	- each message of both was received whole, its match is exact, and one process sent all of a
 *	  turn and one received it: a turn that two processes share is nobody's;
 *	- both turns, and the one behind them, were begun after all of the turn before had arrived:
 *	  where a request was sent before the last response had come (pipelining), which of them is
 *	  answered is not known;
 *	- nothing between them is missing: no record was lost, and nothing moved unseen.
 * The asker is who connected, otherwise who sent first, if the trace has that.
 */
#ifndef VIZ_ACCOUNT_EXCHANGES_H
#define VIZ_ACCOUNT_EXCHANGES_H

#include "viz/base/arena.h"
#include "viz/pair/pair.h"

struct account_exchange {
	/* Those of the request, then those of the response, each in the order of their sends. */
	const struct viz_message **messages;
	size_t request_count;
	size_t count; /* of both */
};

/* In the order of conversations, and in each of time. They live as long as the arena. */
struct account_exchanges {
	struct account_exchange *items;
	size_t count;
};

struct account_exchanges account_find_exchanges(const struct viz_model *model,
						const struct viz_pairing *pairing,
						struct arena *arena);

#endif
