// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Why bytes that lie unread where a call waits to read do not end its wait. */
#include <inttypes.h>

#include "viz/diagnose/wait/waits.h"

enum {
	URGENT = 1,    /* MSG_OOB */
	CANONICAL = 2, /* ICANON of c_lflag: a read of the terminal gives a line */
};

/* True if the byte that lies there is the last one of a send(2) with MSG_OOB. */
static bool is_urgent(const struct wait_graph *graph, const struct viz_channel *channel,
		      uint64_t bytes)
{
	const struct wait_unread *unread = graph->unread[channel->index];

	return bytes == 1 && unread && unread->message->from.operation &&
	       unread->message->from.operation->flags & URGENT;
}

/* True if the last that was typed there is no end of a line, which the line discipline awaits. */
static bool lacks_line_end(const struct wait_graph *graph, const struct viz_channel *channel)
{
	const struct viz_operation *op = NULL;

	for (const struct wait_unread *unread = graph->unread[channel->index]; unread;
	     unread = unread->next)
		op = unread->message->from.operation;
	return channel->mechanism == MECH_PTY && !channel->master && op && op->payload.len &&
	       viz_has(op, returned) && op->payload.len == (size_t)op->returned &&
	       op->extra->line_after.known && op->extra->line_after.local & CANONICAL &&
	       op->payload.data[op->payload.len - 1] != '\n';
}

static enum unfit why_at(const struct wait_graph *graph, const struct wait *wait,
			 const struct viz_wait *w, struct wait_unfit *found)
{
	found->bytes = wait_unread_before(graph, found->channel, VIZ_NEVER);
	found->wanted = 0;
	if (!found->bytes || wait->ready)
		return UNFIT_NONE;
	if (w && !viz_wait_has(w, IN) && !viz_wait_has(w, RDNORM))
		return viz_wait_has(w, PRI) ? UNFIT_ASKED : UNFIT_NONE;
	if (is_urgent(graph, found->channel, found->bytes))
		return UNFIT_URGENT;
	if (lacks_line_end(graph, found->channel))
		return UNFIT_LINE;
	found->wanted = graph->told[found->channel->index].low_water;
	return found->wanted > found->bytes ? UNFIT_FEW : UNFIT_NONE;
}

enum unfit wait_find_unfit(const struct wait_graph *graph, const struct wait *wait,
			   struct wait_unfit *found)
{
	const struct viz_operation *op = wait->operation;
	enum unfit why = UNFIT_NONE;

	if (op->role == ROLE_RECEIVE && op->channel) {
		found->channel = op->channel;
		return why_at(graph, wait, NULL, found);
	}
	for (size_t i = 0; i < op->extra->waits_for_count && !why; i++) {
		found->channel = wait_asked(graph, op, i);
		if (found->channel)
			why = why_at(graph, wait, &op->extra->waits_for[i], found);
	}
	return why;
}
