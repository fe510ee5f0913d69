// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds channels whose content can no longer be received: the last receiving end was closed, or the
 * queue was removed (IPC_RMID). What still lay in them was discarded.
 */
#include "viz/pair/core/context.h"

static uint64_t descriptor_key(const struct viz_process *process, uint64_t fd)
{
	return (uint64_t)process->index << 32 | (uint32_t)fd;
}

/*
 * A descriptor in a message that is not received yet holds its channel, though no process has it.
 */
static void note_passed(struct pair_context *context, const struct viz_operation *op)
{
	for (size_t i = 0; op->role == ROLE_SEND && i < op->extra->passed_fds_count; i++)
		map_put_uint(context->arena, &context->passed,
			     descriptor_key(op->process, op->extra->passed_fds[i]), op->process);
}

bool pair_was_passed(const struct pair_context *context, const struct viz_holding *holding)
{
	return map_get_uint(&context->passed,
			    descriptor_key(holding->process, (uint32_t)holding->fd)) != NULL;
}

/*
 * True if each end that could receive was opened and closed in this trace, so that no process
 * outside can have one.
 */
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
		if (holding->until_ns == VIZ_NEVER || pair_was_passed(context, holding))
			return false;
		any = true;
	}
	return any;
}

static void note_removed(struct pair_context *context, const struct viz_operation *op)
{
	if (op->channel && viz_bytes_equal(op->syscall, viz_bytes_of("msgctl")) &&
	    op->returned == 0 && operation_removes(op))
		pair_traffic(context, op->channel)->leftover = LEFTOVER_DISCARDED;
}

void pair_discard_call(struct pair_context *context, const struct viz_operation *op)
{
	note_passed(context, op);
	note_removed(context, op);
}

/* At the end of the trace the answer is final, and is computed only once. */
bool pair_is_discarded(struct pair_context *context, struct channel_traffic *traffic)
{
	if (traffic->leftover == LEFTOVER_UNDECIDED && is_closed(context, traffic->channel))
		traffic->leftover = LEFTOVER_DISCARDED;
	else if (traffic->leftover == LEFTOVER_UNDECIDED && pair_is_last(context))
		traffic->leftover = LEFTOVER_KEPT;
	return traffic->leftover == LEFTOVER_DISCARDED;
}
