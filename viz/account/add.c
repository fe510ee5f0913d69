// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Adds up messages: byte balance, routes, pairs, order, receivers. */
#include "viz/account/account.h"

#include "viz/account/rows.h"
#include "viz/base/address.h"

/* --- messages --- */

bool account_message_times(const struct viz_message *message, uint64_t *sent_ns,
			   uint64_t *received_ns)
{
	const struct viz_signal *signal = message->signal;

	if (signal && signal->generate && message->to.timed) {
		*sent_ns = signal->generate->at_ns;
		*received_ns = message->to.enter_ns; /* its exit_ns is the end of the handler */
	} else if (!signal && message->from.timed && message->to.timed) {
		*sent_ns = message->from.enter_ns;
		*received_ns = message->to.exit_ns;
	} else {
		return false;
	}
	return *received_ns != VIZ_NEVER && *received_ns >= *sent_ns;
}

static void balance_fate(struct account_balance *balance, const struct viz_message *message)
{
	balance->cut += message->cut;
	if (message->to.known)
		balance->out += message->bytes;
	else if (message->fate == FATE_UNREAD)
		balance->unread += message->bytes;
	else if (message->fate == FATE_DISCARDED)
		balance->discarded += message->bytes;
	else if (message->fate == FATE_DROPPED)
		balance->dropped += message->bytes;
	else
		balance->to_outside += message->bytes;
}

/*
 * Counts what was lost at the channel where that happened: of a datagram, at the socket that it was
 * sent to. Sends that had not returned are left out, as in the byte balance.
 */
static void see_loss(struct account_channel *channel, const struct viz_message *message)
{
	struct account_lost *lost = &channel->lost;

	if (!message->from.operation || !viz_operation_done(message->from.operation))
		return;
	lost->cut += message->cut;
	if (message->to.known)
		return;
	if (message->fate == FATE_UNREAD)
		lost->unread += message->bytes;
	else if (message->fate == FATE_DISCARDED)
		lost->discarded += message->bytes;
	else if (message->fate == FATE_DROPPED)
		lost->dropped += message->bytes;
}

/*
 * Counts a message's fate. The calls themselves count one sending, so further copies to a group,
 * and a failed send that reached part of a group before (netlink), are added here.
 */
static void balance_sent(struct account *account, const struct viz_channel *sink,
			 const struct viz_message *message)
{
	struct account_balance *balance = &account_channel(account, sink)->balance;

	balance_fate(balance, message);
	if (message->copy || message->from.operation->returned < 0)
		balance->sent += message->bytes + message->cut;
}

/* Counts the received part of an unfinished send; how much more it has sent is unknown. */
static void balance_unfinished(struct account_balance *balance, uint64_t bytes)
{
	balance->sent += bytes;
	balance->out += bytes;
	balance->unfinished += bytes;
}

/* Counts a message on each side's own channel, whichever channel the message names. */
static void balance_message(struct account *account, const struct viz_message *message)
{
	const struct viz_channel *sink = account_message_sink(message),
				 *source = account_message_source(message);

	if (sink && viz_operation_done(message->from.operation))
		balance_sent(account, sink, message);
	else if (sink)
		balance_unfinished(&account_channel(account, sink)->balance, message->bytes);
	if (source && message->from.known)
		account_channel(account, source)->balance.in += message->bytes;
	else if (source)
		account_channel(account, source)->balance.from_outside += message->bytes;
	if (!sink || !source || sink == source || !account_has_two_ends(message->mechanism) ||
	    message->mechanism == MECH_UDP || message->mechanism == MECH_UNIX_DGRAM)
		return;
	account_channel(account, sink)->peer = account_channel(account, source);
	account_channel(account, source)->peer = account_channel(account, sink);
}

/*
 * Returns the receivers of a send. kill(2): 0 and negative pids are groups, -1 is all processes.
 * Netlink addresses have their groups after a slash.
 */
static enum account_cast cast_of(const struct viz_operation *op)
{
	int64_t pid;

	if (op->role == ROLE_SIGNAL && viz_operation_argument(op, "pid", &pid) && pid <= 0)
		return pid == -1 ? CAST_ALL : CAST_GROUP;
	if (op->channel && op->channel->mechanism == MECH_NETLINK && op->extra->peer_address.len)
		return memchr(op->extra->peer_address.data, '/', op->extra->peer_address.len)
			       ? CAST_GROUP
			       : CAST_ONE;
	if (!op->channel || op->channel->mechanism != MECH_UDP)
		return CAST_ONE;
	if (address_is_broadcast(op->extra->peer_address))
		return CAST_ALL;
	return address_is_group(op->extra->peer_address) ? CAST_GROUP : CAST_ONE;
}

/* Counts further receivers of one message or signal. */
static void see_copy(struct account *account, struct account_channel *channel,
		     const struct viz_message *message)
{
	struct fold *fold = account_fold(account);
	const struct viz_operation *op = message->from.operation;

	if (!op || message->match != MATCH_EXACT ||
	    (!message->signal && mechanism_info(message->mechanism)->form != FORM_MESSAGE))
		return;
	if (cast_of(op) > channel->cast)
		channel->cast = cast_of(op);
	if (!message->to.known)
		return;
	channel->multicast += message->copy;
	if (!message->signal)
		return;
	for (size_t i = 0; i < COPIES_KEPT && i < fold->copy_count; i++) {
		const struct sent_copy *copy = &fold->copies[i];

		if (copy->operation == op->id && copy->message == message->from.message) {
			channel->multicast += copy->pid != message->to.pid;
			return;
		}
	}
	fold->copies[fold->copy_count++ % COPIES_KEPT] =
		(struct sent_copy){op->id, message->from.message, message->to.pid};
}

static void see_type(struct account_channel *channel, const struct viz_message *message)
{
	int64_t type = message->signal ? message->signal->number : message->type;

	if (!message->typed && !message->signal)
		return;
	if (message->signal && type >= 1 && type <= 64)
		channel->signals |= UINT64_C(1) << (type - 1);
	if (!channel->typed || type < channel->type_min)
		channel->type_min = type;
	if (!channel->typed || type > channel->type_max)
		channel->type_max = type;
	channel->typed = true;
}

static void see_meeting(struct account_channel *channel, const struct viz_message *message)
{
	const struct viz_operation *send = message->from.operation;

	if (message->signal || !send || !message->to.operation || !viz_operation_done(send))
		return;
	channel->met++;
	channel->slept_sender += send->off_cpu_ns != 0;
	channel->held_sender += send->off_cpu_ns && send->exit_ns > message->to.enter_ns;
}

static void see_message(struct account *account, struct account_channel *channel,
			const struct viz_message *message)
{
	channel->messages++;
	channel->ambiguous += message->match != MATCH_EXACT;
	see_type(channel, message);
	see_meeting(channel, message);
	see_loss(channel, message);
	account_see_outside(account, channel, message);
	see_copy(account, channel, message);
}

/*
 * Counts messages received out of order: sent entirely before another message that was received
 * entirely earlier.
 */
static void see_order(struct account_route *route, const struct viz_message *message)
{
	struct route_row *state = (struct route_row *)route;

	if (!message->from.timed || !message->to.timed || message->match != MATCH_EXACT)
		return;
	route->channel->followed += state->last_sent_ns != 0;
	if (state->last_sent_ns > message->from.exit_ns &&
	    message->to.enter_ns >= state->last_received_ns)
		route->channel->overtaken++;
	if (message->from.enter_ns > state->last_sent_ns) {
		state->last_sent_ns = message->from.enter_ns;
		state->last_received_ns = message->to.exit_ns;
	}
}

static void find_ends(struct account *account, struct account_route *route,
		      const struct viz_message *message)
{
	const struct viz_channel *sink = account_message_sink(message),
				 *source = account_message_source(message);

	if (sink && !route->sender && route->from)
		route->sender = account_end(account, route->from, account_channel(account, sink));
	if (source && !route->receiver && route->to)
		route->receiver = account_end(account, route->to, account_channel(account, source));
}

static void add_to_route(struct account *account, struct account_route *route,
			 const struct viz_message *message)
{
	struct route_row *state = (struct route_row *)route;
	uint64_t sent_ns, received_ns;

	find_ends(account, route, message);
	route->messages++;
	account_count_traffic(&route->traffic, message);
	route->bytes += message->bytes;
	route->ambiguous += message->match != MATCH_EXACT;
	account_add_message_call(account->arena, &route->effort, &state->sends, message, true);
	account_add_message_call(account->arena, &route->effort, &state->receives, message, false);
	if (account_message_times(message, &sent_ns, &received_ns))
		histogram_add(account->arena, &route->latency, received_ns - sent_ns);
	see_order(route, message);
}

static void add_to_pair(struct account *account, struct account_route *route,
			const struct viz_message *message)
{
	struct account_pair *pair = route->pair;

	if (!pair) {
		pair = account_pair(account, message);
		route->pair = pair;
		ARENA_PUSH(account->arena, pair->routes, pair->route_count, route);
	}
	account_pair_message(account, route, message);
}

void account_add_message(struct account *account, const struct viz_message *message)
{
	struct account_channel *channel = account_channel(account, message->channel);
	struct account_route *route;

	if (mechanism_info(message->mechanism)->policy == POLICY_WAKE)
		return; /* the calls themselves show wakers and sleepers */
	balance_message(account, message);
	see_message(account, channel, message);
	if (!viz_filter_message(account->filter, message))
		return;
	channel->shown = true;
	account->ambiguous += message->match != MATCH_EXACT;
	account->bytes += message->bytes;
	*(message->signal ? &account->signals : &account->messages) += 1;
	account_count_traffic(&account->traffic, message);
	route = account_route(account, message, channel);
	add_to_route(account, route, message);
	add_to_pair(account, route, message);
}

void account_add_gap(struct account *account, const struct viz_gap *gap)
{
	struct account_channel *channel = account_channel(account, gap->channel);

	channel->gaps++;
	channel->gap_units += gap->units;
	channel->shown |= viz_filter_channel(account->filter, gap->channel);
}

/* --- the whole --- */

struct account *account_new(const struct viz_filter *filter)
{
	struct arena *arena = arena_new();
	struct fold *fold = arena_alloc(arena, sizeof(*fold));

	fold->account.arena = arena;
	fold->account.filter = filter;
	fold->account.first_ns = VIZ_NEVER;
	return &fold->account;
}

void account_free(struct account *account)
{
	if (account)
		arena_free(account->arena);
}
