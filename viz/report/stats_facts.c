// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Facts that both forms of statistics need: connections, and why messages are ambiguous. */
#include "viz/report/table.h"

bool stats_stands(const struct account_channel *channel)
{
	return channel->shown &&
	       (!channel->peer || channel->index < channel->peer->index || !channel->peer->shown);
}

struct account_balance stats_balance(const struct account_channel *channel)
{
	struct account_balance sum = channel->balance;

	if (channel->peer)
		account_add_balance(&sum, &channel->peer->balance);
	return sum;
}

struct account_lost stats_lost(const struct account_channel *channel)
{
	struct account_lost lost = channel->lost;

	if (!channel->peer)
		return lost;
	lost.unread += channel->peer->lost.unread;
	lost.discarded += channel->peer->lost.discarded;
	lost.dropped += channel->peer->lost.dropped;
	lost.cut += channel->peer->lost.cut;
	return lost;
}

static bool several(const struct account_channel *channel, bool senders)
{
	if (senders)
		return channel->senders > 1 || channel->threads_send;
	return channel->receivers > 1 || channel->threads_receive;
}

static bool was_there(const struct viz_channel *channel)
{
	return channel && (channel->found || (channel->peer && channel->peer->found));
}

const char *stats_ambiguity(const struct stats_report *report,
			    const struct account_channel *channel)
{
	bool senders = several(channel, true) || (channel->peer && several(channel->peer, true));
	bool receivers = several(channel, false) ||
			 (channel->peer && several(channel->peer, false));

	if (!channel->ambiguous)
		return NULL;
	if (viz_model_lacks_records(report->model) || channel->gaps)
		return language_say(report->language, "records were lost");
	if (senders && receivers)
		return language_say(report->language, "several send and several receive at once");
	if (senders)
		return language_say(report->language, "several send at once");
	if (receivers)
		return language_say(report->language, "several receive at once");
	if (was_there(channel->channel))
		return language_say(
			report->language,
			"it was in use before tracing began: it may have held data, or have other "
			"users");
	return language_say(report->language,
			    "what is known of the two sides contradicts itself, or is not enough");
}
