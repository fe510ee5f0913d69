// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Sends of one message to each socket that listens.
 *
 * Netlink: an address names groups behind a slash, one bit each ("userspace:0/0x1"); a channel line
 * lists the groups of its socket.
 *
 * UDP: the kernel reports the first socket at which it queued the message. It is unknown which of
 * the other sockets with that port are in the group, so each may have received a copy. It certainly
 * did if the kernel's buffers name the send of one of its receives, or if only one send is left for
 * a receive.
 */

#include "viz/pair/policy/multicast.h"
#include "viz/base/address.h"

bool pair_group_any(const struct flow *flow)
{
	for (size_t i = 0; i < flow->sends.count; i++)
		if (operation_group_mask(flow->sends.items[i].op))
			return true;
	return false;
}

static bool listens(const struct viz_channel *channel, const struct viz_channel *sender,
		    uint64_t groups)
{
	return channel != sender && channel->mechanism == MECH_NETLINK &&
	       channel->network == sender->network &&
	       viz_bytes_equal(channel->protocol, sender->protocol) &&
	       (netlink_group_mask(channel->groups) & groups) != 0;
}

static void add_copy(struct pair_context *context, struct channel_traffic *traffic,
		     const struct viz_channel *sender, const struct flow_item *item, bool copy)
{
	struct flow_item added = *item;

	added.datagram.source = sender;
	added.datagram.copy = copy;
	traffic->inbound_ever = true;
	pair_side_add(&traffic->inbound, &added);
	pair_list_busy(context, traffic);
}

static bool may_listen(const struct viz_channel *channel, const struct viz_channel *sender,
		       struct viz_bytes address)
{
	return channel->mechanism == MECH_UDP && channel->network == sender->network &&
	       channel->local_address.len && address_is_bound(channel->local_address, address);
}

bool pair_group_maybe(struct pair_context *context, const struct viz_channel *sender,
		      struct flow_item *item, struct viz_bytes address,
		      const struct viz_channel *reported)
{
	bool any = false;

	if (!address.len)
		address = sender->peer_address;
	item->datagram.many = sender->mechanism == MECH_UDP && address_may_be_many(address);
	if (!item->datagram.many || (item->open && !pair_is_last(context)))
		return false;
	for (size_t i = 0; i < context->traffic.count; i++) {
		struct channel_traffic *traffic = context->traffic.items[i].traffic;

		if (!traffic || traffic->channel == reported ||
		    !may_listen(traffic->channel, sender, address))
			continue;
		traffic->receive_ambiguous |= item->open || !traffic->channel->created_in_trace;
		if (item->open)
			continue; /* it never returned: it is unknown whether it was sent */
		add_copy(context, traffic, sender, item, true);
		traffic->udp.group = true;
		any = true;
	}
	return any;
}

bool pair_group_direct(struct pair_context *context, const struct viz_channel *sender,
		       const struct flow_item *item)
{
	uint64_t groups = item->open ? 0 : operation_group_mask(item->op);
	bool any = false;

	for (size_t i = 0; groups && i < context->traffic.count; i++) {
		struct channel_traffic *traffic = context->traffic.items[i].traffic;

		if (!traffic || !listens(traffic->channel, sender, groups))
			continue;
		add_copy(context, traffic, sender, item, any);
		any = true;
	}
	if (any)
		pair_let_go(context, item->op);
	return any;
}
