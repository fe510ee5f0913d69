// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds the socket at the other end, two by two: first by what the kernel names, and last by
 * addresses. Datagram sockets get no peer, since many of them may be connected to one.
 */
#include "viz/pair/peer/peers.h"
#include "viz/pair/peer/address_book.h"

/* The peer is not known: all matches of the socket are ambiguous. */
static void mark_ambiguous(struct channel_traffic *traffic)
{
	traffic->send_ambiguous = traffic->receive_ambiguous = true;
}

/* A trace may name any channel as a peer; only one of the same mechanism is. */
static void claim_peer(struct pair_context *context, struct channel_traffic *traffic,
		       struct viz_channel *peer)
{
	struct channel_traffic *other;

	if (!peer || traffic->peer || peer->mechanism != traffic->channel->mechanism ||
	    pair_is_put_away(context, peer))
		return;
	other = pair_traffic(context, peer);
	if (other->tcp.again && other->peer)
		mark_ambiguous(traffic);
	if (other->peer)
		return;
	traffic->peer = peer;
	other->peer = traffic->channel;
	pair_list_busy(context, other);
}

static bool has_peer(const struct viz_channel *channel)
{
	if ((!channel_is_socket(channel) && channel->mechanism != MECH_PTY) || channel->listening)
		return false;
	return pair_policy_of(channel) == POLICY_STREAM ||
	       channel->mechanism == MECH_UNIX_SEQPACKET;
}

/* True if the server's socket appeared only with its accept; the client may be closed by then. */
static bool is_accepted_late(const struct channel_traffic *client,
			     const struct channel_traffic *server)
{
	return client->socket.connect && !server->socket.connect &&
	       client->channel->at_ns < server->channel->at_ns;
}

static bool may_have_met(const struct channel_traffic *a, const struct channel_traffic *b)
{
	return a != b && !b->peer && pair_may_be_ends(a, b) &&
	       (address_book_overlap(a->channel, b->channel) || is_accepted_late(a, b) ||
		is_accepted_late(b, a));
}

#define OPPOSITE_MAX 64 /* sockets with the same addresses that are compared */

/*
 * The only socket with the mirrored addresses that can be the peer; NULL if there is none, or
 * several. Sets `fit` to how many can be it.
 */
static struct viz_channel *only_opposite(struct pair_context *context,
					 const struct channel_traffic *traffic, size_t *fit)
{
	struct viz_channel *found[OPPOSITE_MAX], *peer = NULL;
	size_t count = address_book_opposites(context->addresses, context->round, traffic->channel,
					      found, OPPOSITE_MAX);

	*fit = count == OPPOSITE_MAX ? 2 : 0;
	for (size_t i = 0; i < count; i++) {
		if (pair_is_put_away(context, found[i]) ||
		    !may_have_met(traffic, pair_traffic(context, found[i])))
			continue;
		peer = found[i];
		++*fit;
	}
	return *fit == 1 ? peer : NULL;
}

/*
 * True if addresses can decide now. They are used again, and the next socket with an address may be
 * known before the end of the previous one. So until the end of the trace, addresses prove
 * something only if one of the two sockets was there before tracing began.
 */
static bool is_decided(const struct pair_context *context, const struct viz_channel *channel,
		       const struct viz_channel *peer)
{
	return pair_is_last(context) || channel->found || (peer && peer->found);
}

static struct viz_channel *peer_opposite(struct pair_context *context,
					 struct channel_traffic *traffic)
{
	size_t fit, back = 0;
	struct viz_channel *peer = only_opposite(context, traffic, &fit);

	if (peer && only_opposite(context, pair_traffic(context, peer), &back) != traffic->channel)
		peer = NULL;
	if (!is_decided(context, traffic->channel, peer))
		return NULL;
	if (!peer && (fit > 1 || back > 1) && pair_is_last(context))
		mark_ambiguous(traffic);
	return peer;
}

#define ACROSS_MAX 16 /* connections in other network namespaces with the same addresses */

/* The only socket with the mirrored addresses in other network namespaces that can be the peer. */
static struct viz_channel *only_across(struct pair_context *context,
				       const struct channel_traffic *traffic)
{
	struct viz_channel *found[ACROSS_MAX], *peer = NULL;
	size_t count = address_book_across(context->addresses, context->round, traffic->channel,
					   found, ACROSS_MAX);
	size_t fit = count == ACROSS_MAX ? 2 : 0;

	for (size_t i = 0; i < count; i++) {
		const struct channel_traffic *other;

		if (pair_is_put_away(context, found[i]))
			continue;
		other = pair_traffic(context, found[i]);
		if (other->peer || !pair_may_be_ends(traffic, other))
			continue;
		peer = found[i];
		fit++;
	}
	return fit == 1 ? peer : NULL;
}

/* Other namespaces may use the same addresses: each socket must be the only one for the other. */
static struct viz_channel *peer_across(struct pair_context *context,
				       const struct channel_traffic *traffic)
{
	struct viz_channel *peer;

	if (traffic->channel->mechanism != MECH_TCP || !traffic->channel->network)
		return NULL;
	peer = only_across(context, traffic);
	return peer && only_across(context, pair_traffic(context, peer)) == traffic->channel ? peer
											     : NULL;
}

static struct viz_channel *peer_by_address(struct pair_context *context,
					   struct channel_traffic *traffic)
{
	struct viz_channel *peer = peer_opposite(context, traffic);

	return peer ? peer : peer_across(context, traffic);
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
		claim_peer(context, traffic, traffic->socket.named);
	else if (evidence == PEER_BY_SEQUENCE)
		claim_peer(context, traffic, pair_peer_by_sequence(context, traffic));
	else
		claim_peer(context, traffic, peer_by_address(context, traffic));
}
