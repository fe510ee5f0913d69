// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Two objects where one was meant: somebody else uses one of another key or name, or one that was
 * made under the same name after that of the first had been removed.
 */
#include "viz/diagnose/wait/waits.h"

/* True if the process has used the System V object. */
static bool uses(const struct wait_graph *graph, const struct viz_process *process,
		 const struct viz_channel *channel)
{
	for (size_t i = 0; i < graph->user_counts[channel->index]; i++)
		if (graph->users[channel->index][i] == process)
			return true;
	return false;
}

static bool has_unread(const struct wait_graph *graph, const struct viz_channel *queue,
		       const struct viz_process *sender)
{
	for (const struct wait_unread *unread = graph->unread[queue->index]; unread;
	     unread = unread->next)
		if (unread->message->from.process == sender)
			return true;
	return false;
}

/* True if the call posted to a semaphore, or sent a message that still lies there. */
static bool gave_in_vain(const struct wait_graph *graph, const struct viz_operation *op)
{
	if (!viz_operation_done(op) || viz_operation_failed(op))
		return false;
	return op->channel->mechanism == MECH_SYSV_SEM
		       ? op->role == ROLE_WAKE
		       : op->role == ROLE_SEND && has_unread(graph, op->channel, op->process);
}

typedef bool is_other_fn(const struct wait_graph *graph, const struct viz_operation *op,
			 const struct wait *wait);

/* Returns the last of the calls of other processes on other objects of this kind, or NULL. */
static const struct viz_operation *last_other(const struct wait_graph *graph,
					      const struct wait *wait, is_other_fn *is_other)
{
	const struct viz_model *model = graph->model;
	const size_t first = model->operation_count > LOOK_BACK ? model->operation_count - LOOK_BACK
								: 0;

	for (size_t i = model->operation_count; i-- > first;) {
		const struct viz_operation *op = model->operations[i];

		if (op->channel && op->channel != wait->channel && op->process != wait->process &&
		    op->channel->mechanism == wait->channel->mechanism && is_other(graph, op, wait))
			return op;
	}
	return NULL;
}

static bool is_of_other_key(const struct wait_graph *graph, const struct viz_operation *op,
			    const struct wait *wait)
{
	return channel_has_key(op->channel) && gave_in_vain(graph, op) &&
	       !uses(graph, wait->process, op->channel);
}

const struct viz_operation *wait_other_key(const struct wait_graph *graph, const struct wait *wait)
{
	const struct viz_channel *own = wait->channel;

	if (!own || !channel_has_key(own) || graph->user_counts[own->index] != 1 ||
	    (own->mechanism != MECH_SYSV_SEM &&
	     (own->mechanism != MECH_SYSV_MSG || wait->operation->role != ROLE_RECEIVE)))
		return NULL;
	return last_other(graph, wait, is_of_other_key);
}

/* True if a process that lives came by fork() from this one when that had the object already. */
static bool is_handed_down(const struct wait_graph *graph, const struct viz_channel *channel,
			   const struct viz_process *process)
{
	const struct viz_model *model = graph->model;

	for (size_t i = 0; i < model->process_count; i++) {
		const struct viz_process *child = model->processes[i];

		if (!child->ended && child != process && child->start_ns >= channel->at_ns &&
		    !child->path.len && viz_process_descends(child, process))
			return true;
	}
	return false;
}

/* True if no other process has used the object, or had a descriptor of it. */
static bool is_used_by_alone(const struct wait_graph *graph, const struct viz_channel *channel,
			     const struct viz_process *process)
{
	for (size_t i = 0; i < graph->user_counts[channel->index]; i++)
		if (graph->users[channel->index][i] != process)
			return false;
	for (size_t i = 0; i < channel->holding_count; i++)
		if (channel->holdings[i]->process != process)
			return false;
	return true;
}

/* True if the names differ in one place of at most two characters, as by a slip of the keyboard. */
static bool are_alike(struct viz_bytes one, struct viz_bytes other)
{
	enum { SLIP_MOST = 2, ALIKE_LEAST = 5 }; /* in shorter names each character has a meaning */
	const size_t shorter = one.len < other.len ? one.len : other.len;
	const size_t longer = one.len < other.len ? other.len : one.len;
	size_t begin = 0, end = 0;

	while (begin < shorter && one.data[begin] == other.data[begin])
		begin++;
	while (end < shorter - begin &&
	       one.data[one.len - 1 - end] == other.data[other.len - 1 - end])
		end++;
	return begin + end >= ALIKE_LEAST && begin + end < longer &&
	       longer - begin - end <= SLIP_MOST;
}

/* True for the making or posting of a semaphore, and for a message that nobody has received. */
static bool may_be_meant(const struct wait_graph *graph, const struct viz_operation *op)
{
	if (!viz_operation_done(op) || viz_operation_failed(op))
		return false;
	if (op->channel->mechanism == MECH_POSIX_SEM)
		return op->role == ROLE_WAKE || op->role == ROLE_OPEN;
	return op->role == ROLE_SEND && has_unread(graph, op->channel, op->process);
}

static bool waits_at_name(const struct wait_graph *graph, const struct wait *wait)
{
	const struct viz_channel *own = wait->channel;

	if (!own || !own->name.len || wait_is_removed(graph, own))
		return false;
	return own->mechanism == MECH_POSIX_SEM ||
	       (own->mechanism == MECH_POSIX_MQ && wait->operation->role == ROLE_RECEIVE);
}

/* True for a call on an object whose name is much like that of the waiting one's. */
static bool is_of_other_name(const struct wait_graph *graph, const struct viz_operation *op,
			     const struct wait *wait)
{
	return are_alike(op->channel->name, wait->channel->name) && may_be_meant(graph, op) &&
	       !wait_is_removed(graph, op->channel);
}

const struct viz_operation *wait_other_name(const struct wait_graph *graph, const struct wait *wait)
{
	const struct viz_operation *op;

	if (!waits_at_name(graph, wait) || !is_used_by_alone(graph, wait->channel, wait->process) ||
	    is_handed_down(graph, wait->channel, wait->process))
		return NULL;
	op = last_other(graph, wait, is_of_other_name);
	return op && is_used_by_alone(graph, op->channel, op->process) ? op : NULL;
}

const struct viz_channel *wait_made_again(const struct wait_graph *graph,
					  const struct viz_channel *channel)
{
	const struct viz_operation *removal = wait_removal(graph, channel);
	const struct viz_model *model = graph->model;

	if (!channel->name.len || channel->mechanism == MECH_POSIX_SEM || !removal)
		return NULL;
	for (size_t i = model->channel_count; i-- > channel->index + 1;) {
		const struct viz_channel *other = model->channels[i];

		if (other->mechanism == channel->mechanism && other->at_ns > removal->exit_ns &&
		    viz_bytes_equal(other->name, channel->name))
			return other;
	}
	return NULL;
}
