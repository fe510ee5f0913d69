// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * UDP between network namespaces. An address may be translated on the way (NAT), so addresses prove
 * nothing. The kernel's buffer is often the same at both ends, and then the receive names its send.
 * Where it does not, it is never exact that a datagram left this machine, or came from outside.
 */
#include "viz/base/address.h"
#include "viz/pair/peer/peers.h"

/* A send that no receive has named after this time is treated as not received. */
#define PATIENCE_NS 1000000000

static struct viz_bytes name_key(uint64_t words[2], uint64_t operation, uint64_t message)
{
	words[0] = operation;
	words[1] = message;
	return (struct viz_bytes){(const char *)words, 2 * sizeof(*words)};
}

void pair_note_network(struct pair_context *context, const struct viz_channel *channel)
{
	if (channel->mechanism != MECH_UDP || !channel->network)
		return;
	context->several_networks |= context->network && context->network != channel->network;
	context->network = channel->network;
}

/*
 * The sending socket that a chunk names, if it is in another network namespace than the receiver;
 * NULL if it is in the same one or not known.
 */
static struct viz_channel *sender_across(const struct pair_context *context,
					 const struct viz_channel *receiver,
					 const struct viz_chunk *chunk)
{
	const struct viz_operation *send = viz_model_operation(context->model, chunk->operation);

	if (!send || !send->channel || send->channel->mechanism != MECH_UDP || chunk->other_count ||
	    send->channel->network == receiver->network)
		return NULL;
	return send->channel;
}

void pair_note_names(struct pair_context *context, const struct viz_operation *receive)
{
	uint64_t words[2];

	if (!context->several_networks || receive->channel->mechanism != MECH_UDP)
		return;
	for (size_t i = 0; i < receive->extra->chunk_count; i++) {
		const struct viz_chunk *chunk = &receive->extra->chunks[i];

		if (sender_across(context, receive->channel, chunk))
			map_put(context->arena, &context->across,
				name_key(words, chunk->operation, chunk->message),
				receive->channel);
	}
}

struct viz_channel *pair_named_receiver(const struct pair_context *context,
					const struct flow_item *send)
{
	uint64_t words[2];

	return context->several_networks
		       ? map_get(&context->across, name_key(words, send->op->id, send->message))
		       : NULL;
}

struct viz_channel *pair_named_sender(const struct pair_context *context,
				      const struct flow_item *receive,
				      const struct viz_chunk *chunk)
{
	return context->several_networks && chunk
		       ? sender_across(context, receive->op->channel, chunk)
		       : NULL;
}

bool pair_may_cross(const struct pair_context *context, const struct viz_channel *sender,
		    const struct flow_item *item)
{
	struct viz_bytes address = pair_address_of(item);

	if (!context->several_networks || sender->mechanism != MECH_UDP)
		return false;
	return !address_is_loopback(address.len ? address : sender->peer_address);
}

bool pair_may_be_named_yet(const struct pair_context *context, const struct viz_channel *sender,
			   const struct flow_item *item)
{
	return !item->open && !pair_is_last(context) && pair_may_cross(context, sender, item) &&
	       item->exit_ns + PATIENCE_NS > context->until_ns;
}
