// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * One message to each socket that listens. Groups of netlink: an address names them behind a slash,
 * a bit each ("userspace:0/0x1"); a channel line tells which of them its socket listens to.
 * UDP: the kernel names the first socket that it queued the message on, and nobody tells which of
 * the others with that port are of the group: they may have it too, and are in doubt from then on.
 */
#include <errno.h>
#include <stdlib.h>

#include "address.h"
#include "pair_group.h"

struct viz_bytes pair_group_of(const struct viz_operation *op)
{
	struct viz_bytes address = op->peer_address;
	const struct viz_channel *channel = op->channel;
	const char *slash;

	if (!channel || channel->mechanism != MECH_NETLINK || !address.len)
		return (struct viz_bytes){NULL, 0};
	slash = memchr(address.data, '/', address.len);
	if (!slash)
		return (struct viz_bytes){NULL, 0};
	return (struct viz_bytes){slash, address.len - (size_t)(slash - address.data)};
}

static uint64_t mask_of(struct viz_bytes text)
{
	char digits[24] = "";

	if (text.len == 0 || text.len >= sizeof(digits))
		return 0;
	memcpy(digits, text.data, text.len);
	return strtoull(digits, NULL, 0);
}

static uint64_t groups_of(const struct viz_operation *op)
{
	struct viz_bytes text = pair_group_of(op);

	return text.len ? mask_of((struct viz_bytes){text.data + 1, text.len - 1}) : 0;
}

/*
 * net/netlink/af_netlink.c, netlink_sendmsg: first to the groups, then to the number beside them,
 * which is 0, the kernel. Where that does not listen, the call fails with the work done.
 */
bool pair_group_refused(const struct viz_operation *op)
{
	return op->role == ROLE_SEND && viz_operation_done(op) && op->returned == -ECONNREFUSED &&
	       groups_of(op) != 0;
}

bool pair_group_any(const struct flow *flow)
{
	for (size_t i = 0; i < flow->sends.count; i++)
		if (groups_of(flow->sends.items[i].op))
			return true;
	return false;
}

static bool listens(const struct viz_channel *channel, const struct viz_channel *sender,
		    uint64_t groups)
{
	return channel != sender && channel->mechanism == MECH_NETLINK &&
	       channel->network == sender->network &&
	       viz_bytes_equal(channel->protocol, sender->protocol) &&
	       (mask_of(channel->groups) & groups) != 0;
}

static void add_copy(struct pair_context *context, struct channel_traffic *traffic,
		     const struct viz_channel *sender, const struct flow_item *item, bool copy)
{
	struct flow_item added = *item;

	added.source = sender;
	added.copy = copy;
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
		      const struct viz_channel *told)
{
	bool any = false;

	if (!address.len)
		address = sender->peer_address;
	item->many = sender->mechanism == MECH_UDP && address_may_be_many(address);
	if (item->open || !item->many)
		return false;
	for (size_t i = 0; i < context->traffic.count; i++) {
		struct channel_traffic *traffic = context->traffic.items[i];

		if (!traffic || traffic->channel == told ||
		    !may_listen(traffic->channel, sender, address))
			continue;
		add_copy(context, traffic, sender, item, true);
		traffic->receive_doubt = true;
		any = true;
	}
	return any;
}

bool pair_group_direct(struct pair_context *context, const struct viz_channel *sender,
		       const struct flow_item *item)
{
	uint64_t groups = item->open ? 0 : groups_of(item->op);
	bool any = false;

	for (size_t i = 0; groups && i < context->traffic.count; i++) {
		struct channel_traffic *traffic = context->traffic.items[i];

		if (!traffic || !listens(traffic->channel, sender, groups))
			continue;
		add_copy(context, traffic, sender, item, any);
		any = true;
	}
	if (any)
		pair_let_go(context, item->op);
	return any;
}
