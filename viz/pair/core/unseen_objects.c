// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Once a process moves data in a way that is not in the trace, counting and order prove nothing on
 * that channel: it may have taken what seems to be unread, and sent what seems to come from
 * nowhere. What the kernel itself says about one call stays exact: its buffers, TCP's sequence
 * numbers, and whom it woke.
 */
#include "viz/pair/core/unseen_objects.h"

#include "viz/message/outsiders.h"
#include "viz/model/unseen.h"

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Since when the channel or the other end of its connection may be used unseen; or VIZ_NEVER. */
static uint64_t used_since(struct pair_context *context, const struct viz_channel *channel)
{
	const struct viz_channel *peer;
	uint64_t since_ns;

	if (!channel)
		return VIZ_NEVER;
	peer = pair_traffic(context, channel)->peer;
	since_ns = earlier(unseen_channel_ns(context->model, channel),
			   unseen_channel_ns(context->model, peer));
	return earlier(since_ns, unseen_channel_ns(context->model, channel->peer));
}

static uint64_t message_since(struct pair_context *context, const struct viz_message *message)
{
	const struct viz_operation *send = message->from.operation, *receive;
	uint64_t since_ns = used_since(context, message->channel);

	receive = message->to.operation;
	if (send)
		since_ns = earlier(since_ns, used_since(context, viz_operation_sink(send)));
	if (receive)
		since_ns = earlier(since_ns, used_since(context, viz_operation_source(receive)));
	return since_ns;
}

/* True if the sequence number grew by just what the call moved: no other call moved bytes then. */
static bool moved_alone(uint32_t before, uint32_t after, const struct viz_operation *op)
{
	return op->at_entry.known && op->at_exit.known && op->returned > 0 &&
	       after - before == (uint64_t)op->returned;
}

static bool proved_by_sequence(const struct viz_message *message)
{
	const struct viz_operation *send = message->from.operation;
	const struct viz_operation *receive = message->to.operation;

	return message->mechanism == MECH_TCP &&
	       moved_alone(send->at_entry.write_seq, send->at_exit.write_seq, send) &&
	       moved_alone(receive->at_entry.copied_seq, receive->at_exit.copied_seq, receive);
}

/*
 * True if the receive names its send by the kernel's buffer. This proves nothing for streams, where
 * splice(2) may have emptied the buffer unseen and its address may be in use again; nor for UDP,
 * where the buffer named is the one that the receive may have taken.
 */
static bool proved_by_buffer(const struct viz_message *message)
{
	const struct viz_operation *receive = message->to.operation;
	const struct viz_end *from = &message->from;

	if (message->mechanism == MECH_UDP ||
	    mechanism_info(message->mechanism)->form == FORM_STREAM)
		return false;
	for (size_t i = 0; i < receive->extra->chunk_count; i++)
		if (receive->extra->chunks[i].operation == from->operation->id &&
		    receive->extra->chunks[i].message == from->message)
			return true;
	return false;
}

/* Whom a post wakes the kernel says, and no other post has to be known for that. */
static bool is_wake(const struct viz_message *message)
{
	return mechanism_info(message->mechanism)->policy == POLICY_WAKE;
}

static bool is_proved(const struct viz_message *message)
{
	if (is_wake(message))
		return true;
	return message->from.operation && message->to.operation &&
	       (proved_by_sequence(message) || proved_by_buffer(message));
}

static uint64_t known_ns(const struct viz_end *end)
{
	return end->timed ? end->exit_ns : VIZ_NEVER;
}

/*
 * True if the unknown socket at the other end may be one of the trace that was created or accepted
 * unseen. It is not if a process outside the trace is known to hold it.
 */
static bool may_be_inside(struct pair_context *context, const struct viz_message *message)
{
	struct outside outside;
	uint64_t at_ns = known_ns(message->from.known ? &message->from : &message->to);

	switch (message->mechanism) {
	case MECH_UNIX_STREAM:
	case MECH_UNIX_DGRAM:
	case MECH_UNIX_SEQPACKET:
	case MECH_TCP:
	case MECH_UDP:
		return unseen_any_ns(context->model) <= at_ns &&
		       !(outside_of(message, &outside) && outside.count);
	default:
		return false;
	}
}

/* An unseen use before this time may concern the message; one without receiver, any use may. */
static uint64_t last_moment(const struct viz_message *message)
{
	return message->to.known ? known_ns(&message->to) : VIZ_NEVER - 1;
}

/* A signal that stayed pending may have been read from a signalfd unseen. */
static bool signal_may_be_unseen(const struct viz_message *message)
{
	return message->fate == FATE_PENDING && unseen_process_ns(message->to.process) != VIZ_NEVER;
}

static bool may_be_unseen(struct pair_context *context, const struct viz_message *message)
{
	if (message->signal)
		return signal_may_be_unseen(message);
	if (message_since(context, message) <= last_moment(message))
		return !is_proved(message);
	return (!message->to.known || !message->from.known) && !message->echo &&
	       message->fate == FATE_NONE && may_be_inside(context, message);
}

/*
 * Splits a message that was received before it was sent: another, unseen call sent what was
 * received. Returns the part that was sent; NULL if the message stays whole.
 */
static struct viz_message *split_early(struct pair_context *context, struct viz_message *message)
{
	struct viz_message *sent;

	if (!message->from.timed || !message->to.timed || message->signal || message->echo ||
	    message->from.enter_ns <= message->to.exit_ns)
		return NULL;
	sent = pair_new(context, sizeof(*sent));
	*sent = *message;
	sent->index = context->message_count++;
	sent->bytes += message->cut;
	sent->cut = message->cut = 0;
	sent->fate = FATE_UNREAD;
	sent->to = message->from = (struct viz_end){0};
	if (message->fate == FATE_TRUNCATED)
		message->fate = FATE_NONE;
	return sent;
}

struct viz_message *pair_mark_unseen(struct pair_context *context, struct viz_message *message)
{
	if (!context->model->unseen_count)
		return NULL;
	if (may_be_unseen(context, message))
		message->match = MATCH_AMBIGUOUS;
	return message->match == MATCH_EXACT ? NULL : split_early(context, message);
}

void pair_fate_unseen(struct pair_context *context, struct viz_message *message)
{
	if (context->model->unseen_count && message->fate == FATE_UNREAD && message->channel &&
	    pair_is_discarded(context, pair_traffic(context, message->channel)))
		message->fate = FATE_DISCARDED;
}

void pair_mark_unseen_end(struct pair_context *context, struct viz_eof *eof)
{
	if (used_since(context, eof->channel) <= eof->receive->exit_ns)
		eof->match = MATCH_AMBIGUOUS;
}
