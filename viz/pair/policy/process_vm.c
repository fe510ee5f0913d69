// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * process_vm_readv(2) and process_vm_writev(2): the caller copies from or to the memory of another
 * process, which makes no call for that. So the one call is the message.
 */
#include "viz/pair/core/context.h"

static struct viz_end passive_end(const struct viz_operation *op)
{
	struct viz_end end = {.known = op->extra->peer_pid != 0, .process = op->extra->peer};

	end.pid = end.tid = op->extra->peer_pid;
	if (op->extra->peer)
		end.comm = op->extra->peer->comm;
	return end;
}

static void take(struct pair_context *context, struct channel_traffic *traffic,
		 struct viz_operation *op, bool send)
{
	struct pair_route route = {.mechanism = traffic->channel->mechanism,
				   .channel = traffic->channel};
	struct flow_item item = pair_item(op);
	struct viz_message *message;

	item.bytes = operation_stream_bytes(op);
	if (!item.bytes)
		return;
	message = pair_add_whole(context, &route, send ? &item : NULL, send ? NULL : &item);
	*(send ? &message->to : &message->from) = passive_end(op);
}

static void settle(struct pair_context *context, struct channel_traffic *traffic)
{
	(void)context;
	(void)traffic;
}

const struct pair_policy pair_access_policy = {take, settle};
