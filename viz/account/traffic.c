// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Counts sends and receives of messages that may be pieces of one call. */
#include "viz/account/rows.h"

/* True if this end is the first piece of its call, or of one of the messages of sendmmsg(2). */
static bool begins(const struct viz_end *end)
{
	return !end->operation || !end->offset || end->message;
}

void account_count_traffic(struct account_traffic *traffic, const struct viz_message *message)
{
	bool sent = begins(&message->from), received = begins(&message->to);

	if (message->signal)
		return;
	traffic->messages++;
	traffic->sends += sent && !message->copy;
	traffic->receives += received && message->to.known;
	traffic->further += !sent || !received;
}

void account_merge_traffic(struct account_traffic *traffic, const struct account_traffic *other)
{
	traffic->messages += other->messages;
	traffic->sends += other->sends;
	traffic->receives += other->receives;
	traffic->further += other->further;
}
