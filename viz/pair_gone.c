// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Channels whose content nobody can receive any more: the last receiving end is closed, or the
 * queue is removed. What still lay in one was thrown away with it.
 */
#include "pair_internal.h"

#define IPC_COMMAND 0xff /* without IPC_64 */

static uint64_t descriptor_key(const struct viz_process *process, uint64_t fd)
{
	return (uint64_t)process->index << 32 | (uint32_t)fd;
}

/* A descriptor under way in a message holds its channel without being anybody's. */
static void note_passed(struct pair_context *context, const struct viz_operation *op)
{
	for (size_t i = 0; op->role == ROLE_SEND && i < op->passed_fds_count; i++)
		map_put_uint(context->arena, &context->passed,
			     descriptor_key(op->process, op->passed_fds[i]), op->process);
}

static bool was_passed(const struct pair_context *context, const struct viz_holding *holding)
{
	return map_get_uint(&context->passed,
			    descriptor_key(holding->process, (uint32_t)holding->fd)) != NULL;
}

/* Each end that could receive was opened and closed in this trace; no stranger has one. */
static bool is_closed(const struct pair_context *context, const struct viz_channel *channel)
{
	bool two_way = mechanism_info(channel->mechanism)->direction == DIRECTION_TWO_WAY;
	bool any = false;

	if (!channel->created_in_trace || context->lost || context->model->descriptors_cut)
		return false;
	for (size_t i = 0; i < channel->holding_count; i++) {
		const struct viz_holding *holding = channel->holdings[i];

		if (holding->access == ACCESS_NONE)
			return false;
		if (!two_way && !(holding->access & ACCESS_READ))
			continue;
		if (holding->until_ns == VIZ_NEVER || was_passed(context, holding))
			return false;
		any = true;
	}
	return any;
}

static void note_removed(struct pair_context *context, const struct viz_operation *op)
{
	int64_t command;

	if (op->channel && viz_bytes_equal(op->syscall, viz_bytes_of("msgctl")) &&
	    op->returned == 0 && viz_operation_argument(op, "cmd", &command) &&
	    (command & IPC_COMMAND) == 0) /* IPC_RMID */
		pair_traffic(context, op->channel)->gone = true;
}

void pair_gone_call(struct pair_context *context, const struct viz_operation *op)
{
	note_passed(context, op);
	note_removed(context, op);
}

/* Looked up once for all that lies in it. */
bool pair_is_gone(struct pair_context *context, struct channel_traffic *traffic)
{
	if (!traffic->gone && !traffic->gone_known)
		traffic->gone = is_closed(context, traffic->channel);
	traffic->gone_known = pair_is_last(context);
	return traffic->gone;
}
