// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Operations as whole messages: one, or those of sendmmsg and recvmmsg. */
#include "pair_internal.h"

#define MMSG_MAX 1024 /* UIO_MAXIOV: the kernel takes no more messages in a call */

bool pair_is_multiple(const struct viz_operation *op)
{
	return viz_bytes_equal(op->syscall, viz_bytes_of("sendmmsg")) ||
	       viz_bytes_equal(op->syscall, viz_bytes_of("recvmmsg"));
}

/* mq_timedsend and msgsnd return 0: their length is what was asked for. */
static uint64_t message_bytes(const struct viz_operation *op)
{
	if (viz_has(op, transferred))
		return op->transferred;
	if (op->role == ROLE_SEND && (op->returned == 0 || pair_group_refused(op)))
		return op->requested;
	return op->returned > 0 ? (uint64_t)op->returned : 0;
}

/* A message of unknown length is nobody's for certain. */
static void add_multiple(struct flow_side *side, const struct viz_operation *op,
			 struct flow_item item)
{
	uint64_t count = op->returned > 0 ? (uint64_t)op->returned : 0;

	for (uint32_t i = 0; i < count && i < MMSG_MAX; i++) {
		item.message = i;
		item.bytes = i < op->lengths_count ? op->lengths[i] : 0;
		item.doubt = i >= op->lengths_count;
		pair_side_add(side, &item);
		item.local += item.bytes;
	}
}

void pair_add_messages(struct flow_side *side, const struct viz_operation *op, int64_t type)
{
	struct flow_item item = pair_item(op);

	if (viz_operation_done(op) && (op->returned < 0 || !viz_has(op, returned)) &&
	    !pair_group_refused(op))
		return;
	item.amount = item.open ? 0 : 1;
	item.type = type;
	if (!item.open && pair_is_multiple(op)) {
		add_multiple(side, op, item);
		return;
	}
	item.bytes = item.open ? op->requested : message_bytes(op);
	pair_side_add(side, &item);
}

void pair_drop_send(struct pair_context *context, const struct pair_route *route,
		    const struct flow_item *item, enum match match)
{
	struct viz_message *message = pair_add_message(context, route);

	message->bytes = item->bytes;
	message->from = pair_end_of(item->op);
	message->from.offset = item->local;
	message->from.message = item->message;
	message->from.payload = flow_payload(item, 0, item->bytes);
	message->fate = FATE_DROPPED;
	message->match = match;
}
