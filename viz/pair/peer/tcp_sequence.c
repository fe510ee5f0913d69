// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * TCP's sequence numbers as the name of a connection: each end draws 32 bits, and no address
 * translation on the way changes them. Two sockets are peers if each writes next at the number that
 * the other one reads next, however often their addresses are used again.
 */
#include "viz/pair/peer/peers.h"

#define BUFFERED_MAX (1U << 25) /* more than two sockets hold between them */

static uint64_t sequence_key(uint32_t write_seq, uint32_t copied_seq)
{
	return (uint64_t)write_seq << 32 | copied_seq;
}

/* True if the socket has its numbers. Before it is connected they are zero. */
static bool is_drawn(const struct viz_position *position)
{
	return position->known && position->write_seq && position->copied_seq;
}

static void enter(struct pair_context *context, const struct channel_traffic *traffic,
		  const struct viz_position *position)
{
	id_map_put(&context->sequences, sequence_key(position->write_seq, position->copied_seq),
		   traffic->channel);
}

void pair_forget_sequence(struct pair_context *context, const struct channel_traffic *traffic)
{
	const struct viz_position *first = &traffic->tcp.first;
	const uint64_t key = sequence_key(first->write_seq, first->copied_seq);

	if (first->known && id_map_get(&context->sequences, key) == traffic->channel)
		id_map_remove(&context->sequences, key);
}

static void note(struct pair_context *context, struct channel_traffic *traffic,
		 const struct viz_position *position)
{
	if (traffic->tcp.first.known || !is_drawn(position))
		return;
	traffic->tcp.first = *position;
	enter(context, traffic, position);
}

void pair_note_sequence(struct pair_context *context, struct channel_traffic *traffic,
			const struct viz_operation *op)
{
	if (op->channel == traffic->channel && op->channel->mechanism == MECH_TCP)
		note(context, traffic, &op->at_entry);
}

/*
 * Notes the position at which a connection began. After connect(2) with AF_UNSPEC a socket may be
 * connected again: it stays one channel, and its matches are ambiguous from then on.
 */
static void note_beginning(struct pair_context *context, struct channel_traffic *traffic,
			   const struct viz_position *position)
{
	if (!is_drawn(position))
		return;
	if (traffic->tcp.first.known && (traffic->tcp.first.write_seq != position->write_seq ||
					 traffic->tcp.first.copied_seq != position->copied_seq)) {
		traffic->tcp.again |= traffic->tcp.born;
		enter(context, traffic, position);
	} else {
		traffic->tcp.born = true;
		note(context, traffic, position);
	}
}

/* connect(2) reports the position of its own socket, accept(2) that of the new one. */
void pair_note_beginning(struct pair_context *context, const struct viz_operation *op)
{
	const struct viz_channel *begun = op->extra->new_fds_count ? op->extra->new_fds[0].channel
								   : op->channel;

	if (op->role != ROLE_OPEN || !op->at_exit.known || begun->mechanism != MECH_TCP)
		return;
	note_beginning(context, pair_traffic(context, begun), &op->at_exit);
}

/* Finds the peer if neither end has moved a byte yet when its first position was noted. */
struct viz_channel *pair_peer_by_sequence(struct pair_context *context,
					  const struct channel_traffic *traffic)
{
	const struct viz_position *first = &traffic->tcp.first;

	return first->known ? id_map_get(&context->sequences,
					 sequence_key(first->copied_seq, first->write_seq))
			    : NULL;
}

static bool is_near(uint32_t a, uint32_t b)
{
	return a - b + BUFFERED_MAX < 2 * BUFFERED_MAX;
}

/*
 * What one end has written the other one has read, except for what is buffered between them. So
 * near numbers prove nothing, but distant ones exclude. (The next connection between the same
 * addresses has near numbers as well: secure_tcp_seq() adds the time to a hash.)
 */
bool pair_may_be_ends(const struct channel_traffic *a, const struct channel_traffic *b)
{
	if (!a->tcp.first.known || !b->tcp.first.known)
		return true;
	if (a->tcp.born && b->tcp.born)
		return false; /* pair_peer_by_sequence() would have found it */
	return is_near(a->tcp.first.write_seq, b->tcp.first.copied_seq) &&
	       is_near(b->tcp.first.write_seq, a->tcp.first.copied_seq);
}
