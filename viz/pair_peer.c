// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Which socket is at the other end: two by two, by what the kernel names first, then by addresses.
 * Datagram sockets need no peer: many may be connected to one.
 */
#include "pair_internal.h"

static void claim_peer(struct pair_context *context, struct channel_traffic *traffic,
		       struct viz_channel *peer)
{
	struct channel_traffic *other;

	if (!peer || peer == traffic->channel || traffic->peer)
		return;
	other = pair_traffic(context, peer);
	if (other->peer)
		return;
	traffic->peer = peer;
	other->peer = traffic->channel;
	pair_list_busy(context, other);
}

static bool has_peer(const struct viz_channel *channel)
{
	if ((!pair_is_socket(channel) && channel->mechanism != MECH_PTY) || channel->listening)
		return false;
	return pair_policy_of(channel) == POLICY_STREAM ||
	       channel->mechanism == MECH_UNIX_SEQPACKET;
}

/*
 * A socket is seen only once it is accepted, and who connected may be gone by then. He is the last
 * one who had those addresses, and no other socket is at his end (claim_peer() sees to that).
 */
static struct viz_channel *connected_before(struct pair_context *context,
					    const struct channel_traffic *traffic)
{
	struct viz_channel *gone = address_book_before(context->addresses, context->round,
						       traffic->channel);

	return gone && !traffic->connect && pair_traffic(context, gone)->connect ? gone : NULL;
}

static struct viz_channel *peer_by_address(struct pair_context *context,
					   const struct channel_traffic *traffic)
{
	struct viz_channel *peer = address_book_opposite(context->addresses, context->round,
							 traffic->channel);

	return peer ? peer : connected_before(context, traffic);
}

void pair_find_peer(struct pair_context *context, struct channel_traffic *traffic,
		    enum peer_evidence evidence)
{
	const struct viz_channel *channel = traffic->channel;

	if (traffic->peer || !has_peer(channel))
		return;
	if (evidence == PEER_BY_KERNEL)
		claim_peer(context, traffic, channel->peer);
	else if (evidence == PEER_BY_CALL)
		claim_peer(context, traffic, traffic->named);
	else
		claim_peer(context, traffic, peer_by_address(context, traffic));
}
