// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What waits in a channel: how operations become items, and how these come and go. */
#include "model_build.h"
#include "pair_internal.h"

#define PEEK 0x2	   /* MSG_PEEK */
#define ERROR_QUEUE 0x2000 /* MSG_ERRQUEUE */
#define TRUNC 0x20	   /* MSG_TRUNC */
#define COPY 040000	   /* MSG_COPY of msgrcv */

bool pair_is_socket(const struct viz_channel *channel)
{
	const struct mechanism_info *info = mechanism_info(channel->mechanism);

	return info->addressing == ADDRESSING_DIRECT && info->form <= FORM_MESSAGE;
}

bool pair_only_looks(const struct viz_operation *op)
{
	if (op->role == ROLE_TRANSFER)
		return viz_bytes_equal(op->syscall, viz_bytes_of("tee"));
	if (op->channel->mechanism == MECH_SYSV_MSG)
		return (op->flags & COPY) != 0;
	return pair_is_socket(op->channel) && op->syscall.len > 4 &&
	       memcmp(op->syscall.data, "recv", 4) == 0 && (op->flags & (PEEK | ERROR_QUEUE)) != 0;
}

/* 0 where not all are known. */
static uint64_t sum_lengths(const struct viz_operation *op)
{
	uint64_t sum = 0;

	if (op->lengths_count < (uint64_t)op->returned)
		return 0;
	for (size_t i = 0; i < op->lengths_count; i++)
		sum += op->lengths[i];
	return sum;
}

/* TCP with MSG_TRUNC takes bytes away without copying them: only the result counts those. */
uint64_t pair_stream_bytes(const struct viz_operation *op)
{
	if (!viz_operation_done(op) || op->returned <= 0)
		return 0;
	if (op->role == ROLE_RECEIVE && (op->flags & TRUNC) && pair_is_socket(op->channel))
		return (uint64_t)op->returned;
	if (viz_has(op, transferred))
		return op->transferred;
	if (pair_is_multiple(op))
		return sum_lengths(op);
	return (uint64_t)op->returned;
}

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
			viz_operation_drop(side->items[i].op); /* the list of open ones has it */
		else
			side->items[kept++] = side->items[i];
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
	item->amount -= item->used;
	if (!bytes)
		return;
	item->bytes -= item->used;
	item->local += item->used;
}

void pair_side_trim(struct pair_context *context, struct flow_side *side, bool bytes)
{
	size_t kept = 0;

	for (size_t i = 0; i < side->count; i++) {
		struct flow_item *item = &side->items[i];

		if (item->op && (!item->used || item->used < item->amount)) {
			trim(item, bytes);
			item->used = 0;
			side->items[kept++] = *item;
		} else if (item->op) {
			pair_let_go(context, item->op);
		}
	}
	side->count = kept;
}
