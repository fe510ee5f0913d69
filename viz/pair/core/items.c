// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The items that wait in a channel: how operations become items, and how items are removed. */
#include "viz/model/builder.h"
#include "viz/pair/core/udp_cork.h"

#define MMSG_MAX 1024 /* UIO_MAXIOV: the kernel takes no more messages in a call */

struct flow_item pair_item(const struct viz_operation *op)
{
	return (struct flow_item){
		.op = op,
		.enter_ns = op->enter_ns,
		.exit_ns = op->exit_ns,
		.open = !viz_operation_done(op),
	};
}

void pair_side_add(struct flow_side *side, const struct flow_item *item)
{
	viz_operation_use(item->op);
	flow_add(side, item);
}

/* mq_timedsend(2) and msgsnd(2) return 0, so the requested length is that of the message. */
static uint64_t message_bytes(const struct viz_operation *op)
{
	if (viz_has(op, transferred))
		return op->extra->transferred;
	if (op->role == ROLE_SEND && (op->returned == 0 || operation_group_refused(op)))
		return op->requested;
	return op->returned > 0 ? (uint64_t)op->returned : 0;
}

/* A message whose length the trace does not have is ambiguous. */
static void add_multiple(struct flow_side *side, const struct viz_operation *op,
			 struct flow_item item)
{
	uint64_t count = op->returned > 0 ? (uint64_t)op->returned : 0;

	for (uint32_t i = 0; i < count && i < MMSG_MAX; i++) {
		item.message = i;
		item.bytes = i < op->extra->lengths_count ? op->extra->lengths[i] : 0;
		item.ambiguous = i >= op->extra->lengths_count;
		pair_side_add(side, &item);
		item.local += item.bytes;
	}
}

/* Each datagram of a UDP_SEGMENT send, or of a UDP_GRO receive, is a message. */
static void add_parts(struct flow_side *side, const struct viz_operation *op, struct flow_item item)
{
	for (uint32_t i = 0; i < op->extra->parts_count; i++) {
		item.message = i;
		item.bytes = op->extra->parts[i];
		pair_side_add(side, &item);
		item.local += item.bytes;
	}
}

void pair_add_messages(struct flow_side *side, const struct viz_operation *op, int64_t type)
{
	struct flow_item item = pair_item(op);

	if (viz_operation_done(op) && (op->returned < 0 || !viz_has(op, returned)) &&
	    !operation_group_refused(op))
		return;
	item.amount = item.open ? 0 : 1;
	item.class.type = type;
	if (!item.open && op->extra->parts_count) {
		add_parts(side, op, item);
		return;
	}
	if (!item.open && operation_is_multiple(op)) {
		add_multiple(side, op, item);
		return;
	}
	item.bytes = item.open ? op->requested : message_bytes(op);
	pair_side_add(side, &item);
}

void pair_open_sends(struct flow_side *side, const struct operation_list *open, bool whole)
{
	for (size_t i = 0; i < open->count; i++) {
		struct flow_item item = pair_item(open->items[i]);

		if (whole)
			item.bytes = item.op->requested;
		pair_side_add(side, &item);
	}
}

void pair_close_open(struct flow_side *side)
{
	size_t kept = 0;

	for (size_t i = 0; i < side->count; i++)
		if (side->items[i].open)
			viz_operation_drop(side->items[i].op); /* the open list keeps a reference */
		else
			flow_keep(side, kept++, i);
	side->count = kept;
}

uint64_t pair_first_enter(const struct operation_list *open)
{
	uint64_t first_ns = VIZ_NEVER;

	for (size_t i = 0; i < open->count; i++)
		if (open->items[i]->enter_ns < first_ns)
			first_ns = open->items[i]->enter_ns;
	return first_ns;
}

uint64_t pair_known_until(const struct pair_context *context, const struct channel_traffic *traffic)
{
	uint64_t until_ns = context->until_ns, open_ns;

	if (pair_is_last(context))
		return VIZ_NEVER;
	open_ns = pair_first_enter(&traffic->open_sends);
	until_ns = open_ns < until_ns ? open_ns : until_ns;
	open_ns = pair_first_enter(&traffic->open_receives);
	return open_ns < until_ns ? open_ns : until_ns;
}

void pair_take_settled(struct flow_side *receives, struct flow *flow)
{
	size_t kept = 0;

	for (size_t i = 0; i < receives->count; i++) {
		const struct flow_item *item = &receives->items[i];

		if (item->exit_ns < flow->until_ns) {
			flow_add(&flow->receives, item);
			continue;
		}
		if (item->enter_ns < flow->open_receive_ns)
			flow->open_receive_ns = item->enter_ns;
		receives->items[kept++] = *item;
	}
	receives->count = kept;
}

static void trim(struct flow_item *item, bool bytes)
{
	item->amount -= item->join.used;
	if (!bytes)
		return;
	item->bytes -= item->join.used;
	item->local += item->join.used;
}

void pair_side_trim(struct pair_context *context, struct flow_side *side, bool bytes)
{
	size_t kept = 0;

	for (size_t i = 0; i < side->count; i++) {
		struct flow_item *item = &side->items[i];

		if (item->op && (!item->join.used || item->join.used < item->amount)) {
			trim(item, bytes);
			item->join.used = 0;
			flow_keep(side, kept++, i);
		} else if (item->op) {
			pair_let_go(context, item->op);
		}
	}
	side->count = kept;
}

/* `delivered` lists the queued messages of the call; without it, op->to says it of all of them. */
bool pair_is_queued(const struct flow_item *item)
{
	const struct viz_operation *op = pair_cork_last(item);
	uint64_t message = pair_cork_last_message(item), earlier = operation_sent_earlier(op);

	if (message < earlier)
		return true;
	for (size_t i = 0; i < op->extra->delivered_count; i++)
		if (op->extra->delivered[i] == message - earlier)
			return true;
	return !viz_has(op, delivered) && op->to;
}

/*
 * A channel that is older than the trace may hold bytes that no process of the trace has sent. It
 * was empty if its first receive was found asleep before any send began.
 */
bool pair_starts_empty(const struct flow *flow)
{
	const struct viz_operation *first = NULL;

	for (size_t i = 0; i < flow->receives.count; i++)
		if (!first || flow->receives.items[i].enter_ns < first->enter_ns)
			first = flow->receives.items[i].op;
	if (!first || !viz_has(first, entered_before) || !first->began)
		return false;
	for (size_t i = 0; i < flow->sends.count; i++)
		if (flow->sends.items[i].enter_ns <= first->began_ns)
			return false;
	return true;
}

struct viz_bytes pair_address_of(const struct flow_item *item)
{
	const struct viz_operation *op = item->op;
	uint64_t message = viz_message_of(op, item->message);

	if (item->open || !op->extra->addresses_count || !operation_is_multiple(op))
		return op->extra->peer_address;
	return message < op->extra->addresses_count ? op->extra->addresses[message]
						    : (struct viz_bytes){NULL, 0};
}
