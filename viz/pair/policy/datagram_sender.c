// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Finds the socket that sent a received datagram, by the kernel's report or by its address. */
#include "viz/base/address.h"
#include "viz/pair/buffer/buffer_match.h"
#include "viz/pair/peer/address_book.h"
#include "viz/pair/peer/peers.h"

/*
 * The sender of a received datagram: a socket of the trace, a socket outside, or unknown. It is
 * SOURCE_TRANSLATED if the address may be that of a sender in another network namespace.
 */
enum source_kind { SOURCE_UNKNOWN, SOURCE_SOCKET, SOURCE_FOREIGN, SOURCE_TRANSLATED };

struct source {
	enum source_kind kind;
	const struct viz_channel *socket;
};

struct sender_list {
	struct viz_channel **items;
	size_t count;
};

/* The senders at a receiver: struct sender_list by address, or by port if they have any address. */
struct senders {
	struct map by_address;
};

/* The sender with an address that no socket of this network namespace has. */
static struct source source_elsewhere(const struct channel_traffic *receiver,
				      struct viz_bytes address)
{
	struct source source = {SOURCE_FOREIGN, NULL};
	size_t fit = 0;

	for (size_t i = 0; i < receiver->udp.across.count; i++) {
		if (!address_is_bound(receiver->udp.across.items[i]->local_address, address))
			continue;
		source = (struct source){SOURCE_SOCKET, receiver->udp.across.items[i]};
		fit++;
	}
	if (receiver->udp.across.count && fit != 1)
		return (struct source){SOURCE_TRANSLATED, NULL};
	return source;
}

/*
 * Adds a sender that had this address and may be closed by now, in which case another socket may
 * have taken its address over. True if there are several such senders, so that it is unknown which
 * one it was.
 */
static bool add_closed_of(const struct sender_list *senders, uint64_t network,
			  const struct viz_channel **found)
{
	for (size_t i = 0; senders && i < senders->count; i++) {
		const struct viz_channel *sender = senders->items[i];

		if (sender == *found || sender->network != network)
			continue;
		if (*found)
			return true;
		*found = sender;
	}
	return false;
}

static bool add_closed(const struct senders *senders, uint64_t network, struct viz_bytes address,
		       const struct viz_channel **found)
{
	const struct viz_bytes port = address_port(address);

	return add_closed_of(map_get(&senders->by_address, address), network, found) ||
	       (port.len && add_closed_of(map_get(&senders->by_address, port), network, found));
}

/*
 * The sending socket by the kernel's buffers. A connected socket may have been connected to another
 * peer since.
 */
static const struct viz_channel *named_socket(const struct pair_context *context,
					      const struct flow_item *item)
{
	const struct viz_chunk *chunk = pair_chunk_of(item);
	const struct viz_operation *send = chunk && !item->rival.contested
						   ? viz_model_operation(context->model,
									 chunk->operation)
						   : NULL;

	return send && send->channel && send->channel->mechanism == MECH_UDP ? send->channel : NULL;
}

/*
 * The kernel reports one sender for all messages of a call, which proves nothing if there are
 * several.
 */
static struct source source_of(struct pair_context *context, const struct senders *senders,
			       const struct flow_item *item)
{
	const struct viz_operation *op = item->op;
	const struct viz_channel *channel = op->channel;
	const struct viz_channel *found = operation_is_single(op) ? op->from : NULL;
	struct viz_bytes address = pair_address_of(item);
	bool several;

	if (channel && pair_named_sender(context, item, pair_chunk_of(item)))
		return (struct source){SOURCE_SOCKET,
				       pair_named_sender(context, item, pair_chunk_of(item))};
	if (operation_is_single(op))
		address.len -= operation_groups(op).len;
	if (!channel || (!address.len && !operation_is_single(op)))
		return (struct source){SOURCE_UNKNOWN, NULL};
	if (!found && channel->mechanism == MECH_UNIX_SEQPACKET)
		found = pair_traffic(context, channel)->peer;
	if (!found && !address.len && channel->mechanism == MECH_UDP)
		found = named_socket(context, item);
	if (!found && !address.len && !channel->peer_changed)
		address = channel->peer_address;
	if (!found && address.len) {
		found = address_book_find(context->addresses, context->round, channel, address,
					  op->exit_ns, &several);
		several |= add_closed(senders, channel->network, address, &found);
		if (several)
			return (struct source){SOURCE_UNKNOWN, NULL};
		if (!found)
			return source_elsewhere(pair_traffic(context, channel), address);
	}
	return (struct source){found ? SOURCE_SOCKET : SOURCE_UNKNOWN, found};
}

static void add_sender(struct arena *arena, struct senders *senders, struct viz_channel *sender)
{
	const struct viz_bytes port = address_wildcard_port(sender->local_address);
	const struct viz_bytes key = port.len ? port : sender->local_address;
	struct sender_list *list = map_get(&senders->by_address, key);

	if (!list) {
		list = arena_alloc(arena, sizeof(*list));
		map_put(arena, &senders->by_address, key, list);
	}
	ARENA_PUSH(arena, list->items, list->count, sender);
}

/* The UDP sockets whose messages wait at this receiver. */
static struct senders senders_of(struct pair_context *context, const struct flow_side *sends)
{
	struct senders senders = {0};
	struct map known = {0};

	for (size_t i = 0; i < sends->count; i++) {
		struct viz_channel *source = (struct viz_channel *)sends->items[i].datagram.source;

		if (!source || source->mechanism != MECH_UDP ||
		    map_get_uint(&known, source->index + 1))
			continue;
		map_put_uint(context->round, &known, source->index + 1, source);
		add_sender(context->round, &senders, source);
	}
	return senders;
}

bool pair_find_sources(struct pair_context *context, struct flow *flow)
{
	struct senders senders = senders_of(context, &flow->sends);
	bool all_known = true;

	for (size_t i = 0; i < flow->receives.count; i++) {
		struct source source = source_of(context, &senders, &flow->receives.items[i]);

		flow->receives.items[i].datagram.source = source.socket;
		flow->ambiguous |= source.kind == SOURCE_TRANSLATED ||
				   (source.kind == SOURCE_FOREIGN && context->translated);
		all_known &= source.kind == SOURCE_SOCKET || source.kind == SOURCE_FOREIGN;
	}
	return all_known;
}
