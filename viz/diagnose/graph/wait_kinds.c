// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Of what kind a wait, or the process that waits, is. */
#include "viz/diagnose/graph/wait_kinds.h"

bool waits_for_child(const struct wait *wait)
{
	return operation_awaits_child(wait->operation);
}

const struct viz_channel *other_end(const struct diagnosis *d, const struct wait *wait)
{
	const struct viz_channel *peer = wait->listener;

	if (!peer)
		peer = wait_peer(d->waits, wait->channel);
	return peer ? peer : wait->channel;
}

bool is_semaphore(const struct viz_channel *channel)
{
	return channel->mechanism == MECH_SYSV_SEM || channel->mechanism == MECH_FUTEX ||
	       channel->mechanism == MECH_POSIX_SEM;
}

bool channel_has_key(const struct viz_channel *channel)
{
	return channel->key.len && !viz_bytes_equal(channel->key, viz_bytes_of("0x00000000"));
}

bool waits_for_signal(const struct viz_operation *op)
{
	return op && operation_awaits_signal(op);
}

bool waits_for_time(const struct wait *wait)
{
	return operation_is(wait->operation, "nanosleep") ||
	       operation_is(wait->operation, "clock_nanosleep");
}

bool waits_for_lease(const struct wait *wait)
{
	return wait->operation->extra->lease != 0;
}

bool waits_to_open(const struct wait *wait)
{
	return wait->operation->extra->path.len && wait->operation->role == ROLE_OPEN &&
	       !waits_for_lease(wait);
}

bool waits_to_accept(const struct wait *wait)
{
	return operation_accepts(wait->operation);
}

bool waits_to_connect(const struct wait *wait)
{
	return operation_is(wait->operation, "connect");
}

bool gets_datagrams(const struct wait *wait)
{
	const struct viz_channel *channel = wait->operation->role == ROLE_RECEIVE ? wait->channel
										  : NULL;

	return channel && (channel->mechanism == MECH_UDP ||
			   (channel->mechanism == MECH_UNIX_DGRAM && channel->name.len));
}

bool waits_to_send(const struct wait *wait)
{
	return wait->operation->role == ROLE_SEND || wait->room;
}

bool wait_never_fits(const struct wait *wait)
{
	const struct viz_channel *channel = wait->channel;
	const struct viz_operation *op = wait->operation;

	return channel && channel->mechanism == MECH_SYSV_MSG && op->role == ROLE_SEND &&
	       channel->capacity && viz_has(op, requested) && op->requested > channel->capacity;
}

bool waits_to_print(const struct wait *wait)
{
	return wait->operation->role == ROLE_SEND && wait->channel &&
	       wait->channel->mechanism == MECH_PTY;
}

bool reads_from_kernel(const struct wait *wait)
{
	const struct viz_channel *channel = wait->operation->role == ROLE_RECEIVE ? wait->channel
										  : NULL;

	return channel &&
	       (channel->mechanism == MECH_INOTIFY || channel->mechanism == MECH_SIGNALFD ||
		channel->mechanism == MECH_TIMERFD);
}

static size_t living_threads(const struct viz_process *process)
{
	size_t living = 0;

	for (size_t i = 0; i < process->thread_count; i++)
		living += process->threads[i]->end_ns == VIZ_NEVER;
	return living;
}

bool process_is_lone(const struct viz_process *process)
{
	return living_threads(process) == 1;
}

static bool has_same_arguments(const struct viz_process *one, const struct viz_process *other)
{
	if (one->args_count != other->args_count)
		return false;
	for (size_t i = 0; i < one->args_count; i++)
		if (!viz_bytes_equal(one->args[i], other->args[i]))
			return false;
	return true;
}

static bool is_same_program(const struct viz_process *one, const struct viz_process *other)
{
	return viz_bytes_equal(one->path, other->path) && has_same_arguments(one, other);
}

bool process_is_copy(const struct viz_process *process)
{
	const struct viz_process *parent = process->parent;

	if (!parent)
		return false;
	if (process->path.data || !process->before_trace)
		return !process->path.data || is_same_program(process, parent);
	return viz_bytes_equal(process->comm, parent->comm) && /* a glance may know no more */
	       has_same_arguments(process, parent);
}
