// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Keeps track of which messages of a group have certainly left the queue of a socket, so that
 * elimination (udp_eliminate.c) can tell what later receives took.
 */
#include "viz/pair/buffer/group_receipts.h"

#include "viz/pair/buffer/buffer_match.h"

/* A receive without a known source may have taken a message from outside the trace. */
bool pair_group_is_certain(const struct channel_traffic *traffic, const struct flow_item *receive)
{
	return receive->datagram.source &&
	       pair_took_from(receive) > traffic->udp.tentative_until_ns;
}

/*
 * If an exact pair was sent after all messages that were paired tentatively (group_ns), these had
 * left the queue when it was taken.
 */
static void know(struct channel_traffic *traffic, const struct flow_known *known)
{
	uint64_t until_ns = pair_took_until(&known->receive);

	if (known->send.enter_ns > traffic->udp.group_ns &&
	    until_ns < traffic->udp.tentative_until_ns)
		traffic->udp.tentative_until_ns = until_ns;
	if (known->send.enter_ns < traffic->udp.known_ns)
		return;
	traffic->udp.known_ns = known->send.enter_ns;
	traffic->udp.known_until_ns = until_ns;
}

void pair_group_know(struct channel_traffic *traffic, const struct flow *flow)
{
	for (size_t i = 0; i < flow->udp.known_count; i++)
		know(traffic, &flow->udp.known[i]);
}

bool pair_group_passed(const struct channel_traffic *traffic, const struct flow_item *send,
		       const struct flow_item *receive)
{
	return pair_is_queued(send) && send->exit_ns < traffic->udp.known_ns &&
	       traffic->udp.known_until_ns < pair_took_from(receive);
}

void pair_group_tentative(struct channel_traffic *traffic, const struct flow_piece *pieces,
			  size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct flow_item *send = pieces[i].send;
		uint64_t until_ns = send && pair_is_queued(send) ? send->exit_ns : VIZ_NEVER;

		if (!pieces[i].receive)
			continue;
		traffic->udp.tentative_until_ns = VIZ_NEVER;
		if (until_ns > traffic->udp.group_ns)
			traffic->udp.group_ns = until_ns;
	}
}
