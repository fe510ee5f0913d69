// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "outside.h"

static struct viz_bytes address_of(const struct viz_operation *op,
				   const struct viz_channel *channel)
{
	if (op->peer_address.len)
		return op->peer_address;
	if (channel->peer_address.len)
		return channel->peer_address;
	return channel->peer ? channel->peer->name : (struct viz_bytes){NULL, 0};
}

static void add_process(struct outside *outside, const struct viz_outsider *process)
{
	for (size_t i = 0; i < outside->count; i++)
		if (outside->processes[i]->pid == process->pid)
			return;
	if (outside->count < OUTSIDE_MAX)
		outside->processes[outside->count++] = process;
}

static void add_processes(struct outside *outside, const struct viz_channel *channel,
			  enum access access)
{
	for (size_t i = 0; i < channel->outsider_count; i++)
		add_process(outside, &channel->outsiders[i]);
	for (size_t i = 0; i < channel->stranger_count && !channel->outsider_count; i++)
		if (channel->strangers[i].access & access)
			add_process(outside, &channel->strangers[i]);
}

bool outside_of(const struct viz_message *message, struct outside *outside)
{
	const struct viz_end *known = message->from.known ? &message->from : &message->to;
	const struct viz_operation *op = known->operation;
	const struct viz_channel *channel;

	*outside = (struct outside){0};
	if ((message->from.known && message->to.known) || message->signal || message->echo || !op)
		return false;
	if (message->from.known && message->fate != FATE_NONE)
		return false;
	channel = message->from.known ? viz_operation_sink(op) : viz_operation_source(op);
	if (!channel)
		return false;
	add_processes(outside, channel, message->from.known ? ACCESS_READ : ACCESS_WRITE);
	outside->address = address_of(op, channel);
	return outside->count || outside->address.len;
}
