// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Follows how much data a channel holds, and the most that it ever held. */
#include "viz/account/rows.h"
#include "viz/model/operation_facts.h"

/* Returns the channel that holds sent bytes until they are received: for sockets, the peer. */
static const struct viz_channel *storage_of(const struct viz_operation *op,
					    const struct viz_channel *sink)
{
	if (!account_has_two_ends(sink->mechanism))
		return sink;
	return op->to ? op->to : sink->peer;
}

static void see_level(struct account_channel *channel, uint64_t level, bool reported)
{
	if (reported && !channel->peak_reported) {
		channel->peak_reported = true;
		channel->peak = 0;
	}
	if (reported == channel->peak_reported && level > channel->peak)
		channel->peak = level;
}

static void change_level(struct account *account, const struct viz_channel *where, int64_t change)
{
	struct account_channel *channel = account_channel(account, where);
	struct channel_row *state = (struct channel_row *)channel;

	/* Unsigned, since lengths in a malformed trace may overflow. */
	state->level = (int64_t)((uint64_t)state->level + (uint64_t)change);
	if (state->level > 0)
		see_level(channel, (uint64_t)state->level, false);
}

/* The amount that a message counts for: 1 on queues, else its bytes. */
static int64_t level_unit(const struct viz_channel *channel, uint64_t bytes)
{
	if (mechanism_info(channel->mechanism)->policy == POLICY_QUEUE)
		return 1;
	return bytes > INT64_MAX ? INT64_MAX : (int64_t)bytes;
}

bool account_puts_in(const struct viz_operation *op, const struct call_facts *facts)
{
	return viz_operation_sink(op) && (facts->kind == CALL_SEND || facts->kind == CALL_TRANSFER);
}

bool account_takes_out(const struct viz_operation *op, const struct call_facts *facts)
{
	if (!viz_operation_source(op))
		return false;
	return facts->kind == CALL_RECEIVE ||
	       (facts->kind == CALL_TRANSFER && !viz_bytes_equal(op->syscall, viz_bytes_of("tee")));
}

/*
 * Notes how much has arrived at a TCP socket unread: the amount at the beginning of a receive, or
 * all that it took. A FIN takes one sequence number, and only the receive that consumes it shows
 * that it was there.
 */
static void see_arrived(struct account *account, const struct viz_operation *op)
{
	const struct viz_position *entry = &op->at_entry, *exit = &op->at_exit;
	uint32_t level = entry->arrived - entry->copied_seq;
	uint32_t taken = exit->copied_seq - entry->copied_seq;

	if (!entry->known || !exit->known || !entry->has_arrived || level > INT32_MAX ||
	    op->role != ROLE_RECEIVE || op->returned < 0)
		return;
	if (level && taken == level && (uint64_t)op->returned + 1 == taken)
		level--;
	if (level < (uint64_t)op->returned && !operation_waits_for_all(op))
		level = (uint32_t)op->returned;
	if (level)
		see_level(account_channel(account, op->channel), level, false);
}

void account_follow_level(struct account *account, const struct viz_operation *op,
			  const struct call_facts *facts)
{
	const struct viz_channel *sink = viz_operation_sink(op);
	const struct viz_channel *source = viz_operation_source(op);

	if (op->channel && viz_has(op, queued))
		see_level(account_channel(account, op->channel), op->queued, true);
	if (op->channel && op->channel->mechanism == MECH_TCP)
		see_arrived(account, op);
	if (account_puts_in(op, facts)) {
		const struct viz_channel *storage = storage_of(op, sink);

		if (storage)
			change_level(account, storage, level_unit(storage, facts->bytes));
	}
	if (account_takes_out(op, facts))
		change_level(account, source, -level_unit(source, facts->bytes));
}
