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

static uint64_t sequence_key(uint32_t write_seq, uint32_t copied_seq)
{
	return (uint64_t)write_seq << 32 | copied_seq;
}

/* A socket that is not connected yet has no numbers: zero is not one that was drawn. */
static bool is_drawn(const struct viz_position *position)
{
	return position->known && position->write_seq && position->copied_seq;
}

void pair_note_sequence(struct pair_context *context, struct channel_traffic *traffic,
			const struct viz_operation *op)
{
	struct viz_position *first = &traffic->first;

	if (first->known || op->channel != traffic->channel || op->channel->mechanism != MECH_TCP ||
	    !is_drawn(&op->at_entry))
		return;
	*first = op->at_entry;
	map_put_uint(context->arena, &context->sequences,
		     sequence_key(first->write_seq, first->copied_seq), traffic->channel);
}

/*
 * Nobody has moved a byte yet: then one writes next what the other reads next, both ways. These are
 * 64 bits drawn by chance, and no address translation on the way changes them.
 */
static struct viz_channel *peer_by_sequence(struct pair_context *context,
					    const struct channel_traffic *traffic)
{
	const struct viz_position *first = &traffic->first;

	return first->known ? map_get_uint(&context->sequences,
					   sequence_key(first->copied_seq, first->write_seq))
			    : NULL;
}

#define ACROSS_MAX 16 /* connections in other network namespaces with the same addresses */
#define BUFFERED_MAX (1U << 25) /* more than two sockets hold between them */

static bool is_near(uint32_t a, uint32_t b)
{
	return a - b + BUFFERED_MAX < 2 * BUFFERED_MAX;
}

/* What one has written the other has read, but for what lies between them. */
static bool may_be_ends(const struct channel_traffic *a, const struct channel_traffic *b)
{
	return !a->first.known || !b->first.known ||
	       (is_near(a->first.write_seq, b->first.copied_seq) &&
		is_near(b->first.write_seq, a->first.copied_seq));
}

/* Of those in other network namespaces with its addresses, the only one that can be it. */
static struct viz_channel *only_across(struct pair_context *context,
				       const struct channel_traffic *traffic)
{
	struct viz_channel *found[ACROSS_MAX], *peer = NULL;
	size_t count = address_book_across(context->addresses, context->round, traffic->channel,
					   found, ACROSS_MAX);
	size_t fit = count == ACROSS_MAX ? 2 : 0;

	for (size_t i = 0; i < count; i++) {
		const struct channel_traffic *other = pair_traffic(context, found[i]);

		if (other->peer || !may_be_ends(traffic, other))
			continue;
		peer = found[i];
		fit++;
	}
	return fit == 1 ? peer : NULL;
}

/* Addresses may be used twice: each must be the only one for the other. */
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
					   const struct channel_traffic *traffic)
{
	struct viz_channel *peer = address_book_opposite(context->addresses, context->round,
							 traffic->channel);

	if (!peer)
		peer = connected_before(context, traffic);
	if (!peer)
		peer = peer_by_sequence(context, traffic);
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
		claim_peer(context, traffic, traffic->named);
	else
		claim_peer(context, traffic, peer_by_address(context, traffic));
}
