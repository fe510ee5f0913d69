// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/pair/finished.h"

#include <stdlib.h>

#include "viz/pair/core/udp_cork.h"
#include "viz/pair/peer/address_book.h"
#include "viz/pair/peer/peers.h"

void finished_free(struct channel_traffic *traffic)
{
	struct flow_side *sides[] = {&traffic->sends, &traffic->receives, &traffic->urgent.receives,
				     &traffic->inbound};

	for (size_t i = 0; i < sizeof(sides) / sizeof(*sides); i++)
		flow_free(sides[i]);
	free(traffic->udp.across.items);
	free(traffic->content.fresh.items);
	free(traffic->calls.items);
	free(traffic->open_sends.items);
	free(traffic->open_receives.items);
	pair_end_free(traffic);
	pair_cork_free(traffic);
	free(traffic);
}

/* --- whether a channel is finished ----------------------------------------------------------- */

/* A named pipe can be opened again. Of a channel that was only named so far it is not known. */
static bool may_finish(const struct viz_channel *channel)
{
	return channel->mechanism == MECH_NONE || channel->mechanism == MECH_PIPE ||
	       channel_is_stream_socket(channel);
}

/*
 * True if each descriptor was closed before the last round, and none was sent in a message. What
 * was there before the trace may be held elsewhere.
 */
static bool is_closed(const struct pair_context *context, const struct viz_channel *channel)
{
	for (size_t i = channel->holding_count; i > 0; i--) {
		const struct viz_holding *holding = channel->holdings[i - 1];

		if (holding->until_ns >= context->settled_ns || pair_was_passed(context, holding))
			return false;
	}
	return channel->holding_count && channel->created_in_trace && !channel->found &&
	       !channel->outsider_count && !channel->stranger_count;
}

static bool has_nothing_left(const struct channel_traffic *traffic)
{
	return !traffic->sends.count && !traffic->receives.count && !traffic->inbound.count &&
	       !traffic->urgent.receives.count && !traffic->content.fresh.count &&
	       !traffic->calls.count && !traffic->open_sends.count && !traffic->open_receives.count;
}

/* True if a later round would find nothing to do, and no other socket may ask for its state. */
static bool is_over(const struct pair_context *context, const struct channel_traffic *traffic)
{
	return !traffic->listed && traffic->newest_ns < context->settled_ns &&
	       !traffic->tcp.again && (!traffic->socket.connect || traffic->socket.reported) &&
	       has_nothing_left(traffic) && is_closed(context, traffic->channel);
}

/* True of a pipe, or of a socket and its peer, which pair their bytes with each other. */
static bool is_finished(struct pair_context *context, const struct channel_traffic *traffic)
{
	if (!is_over(context, traffic))
		return false;
	if (traffic->channel->mechanism == MECH_PIPE)
		return true;
	return traffic->peer && (pair_is_put_away(context, traffic->peer) ||
				 is_over(context, pair_traffic(context, traffic->peer)));
}

/* --- putting it away ------------------------------------------------------------------------- */

static void put_away(struct pair_context *context, const struct viz_channel *channel)
{
	struct traffic_slot *slot = &context->traffic.items[channel->index];
	struct channel_traffic *traffic = slot->traffic;

	if (!traffic)
		return;
	slot->peer = traffic->peer;
	slot->traffic = NULL;
	pair_forget_sequence(context, traffic);
	address_book_leave(context->addresses, context->round, traffic->channel,
			   &traffic->socket.entered);
	if (traffic->ends.shut_read)
		pair_let_go(context, traffic->ends.shut_read);
	if (traffic->ends.shut_write)
		pair_let_go(context, traffic->ends.shut_write);
	finished_free(traffic);
}

/* True if it goes on resting: it may be finished later. */
static bool rest_on(struct pair_context *context, const struct viz_channel *channel)
{
	struct channel_traffic *traffic = context->traffic.items[channel->index].traffic;
	const struct viz_channel *peer = traffic ? traffic->peer : NULL;

	if (!traffic || !may_finish(channel))
		return false;
	if (!is_finished(context, traffic))
		return true;
	put_away(context, channel);
	if (peer)
		put_away(context, peer);
	return false;
}

void finished_put_away(struct pair_context *context)
{
	struct channel_list *list = &context->resting;
	size_t kept = 0;

	if (context->keep || pair_is_last(context))
		return;
	for (size_t i = 0; i < list->count; i++)
		if (rest_on(context, list->items[i]))
			list->items[kept++] = list->items[i];
	list->count = kept;
}
