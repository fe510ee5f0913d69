// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Who could end a wait at what is no descriptor: queues, semaphores, locks, futexes. */
#include "find.h"
#include "wait_graph_internal.h"

static bool descends_from(const struct viz_process *process, const struct viz_process *ancestor)
{
	while (process && process != ancestor)
		process = process->parent;
	return process != NULL;
}

/* A child knows the queue of its parent, though it has not used it yet. */
static void add_users(struct wait_graph *graph, struct wait *wait,
		      const struct viz_channel *channel)
{
	struct viz_process **users = graph->users[channel->index];
	size_t count = graph->user_counts[channel->index];

	for (size_t i = 0; i < graph->model->process_count; i++) {
		const struct viz_process *process = graph->model->processes[i];

		for (size_t k = 0; k < count && !process->ended; k++)
			if (descends_from(process, users[k])) {
				wait_add_ender(graph, wait, process);
				break;
			}
	}
	wait->open |= wait->ender_count == 0;
}

/* Nobody before this trace can know it: it has no name, or it was made where none was. */
static bool made_here(const struct wait_graph *graph, const struct viz_channel *channel)
{
	enum { EXCLUSIVE = 02000, FILE_EXCLUSIVE = 0200 };

	for (size_t i = 0; i < graph->model->operation_count; i++) {
		const struct viz_operation *op = graph->model->operations[i];
		int64_t key = -1;

		if (op->role != ROLE_OPEN || !viz_operation_done(op) || viz_operation_failed(op) ||
		    !(op->channel == channel ||
		      (op->new_fds_count && op->new_fds[0].channel == channel)))
			continue;
		viz_operation_argument(op, "key", &key);
		if (key == 0 || (op->flags & (is_call(op, "mq_open") ? FILE_EXCLUSIVE : EXCLUSIVE)))
			return true;
	}
	return false;
}

/* Nobody outside has it mapped, or could map it. */
static bool memory_is_ours(const struct wait_graph *graph, const struct viz_channel *memory)
{
	if (memory->found || memory->outsider_count)
		return false;
	return memory->mechanism == MECH_SYSV_SHM ? made_here(graph, memory) : !memory->name.len;
}

/* Whoever has the memory that it lies in: a lock that is free makes no call. */
static void wait_at_memory(struct wait_graph *graph, struct wait *wait,
			   const struct viz_channel *futex)
{
	const struct viz_channel *memory = futex->memory ? futex->memory : futex;

	add_users(graph, wait, memory);
	wait->open |= !memory_is_ours(graph, memory);
}

/* As a glance found them: nobody else. False where it could not tell. */
static bool add_found(struct wait_graph *graph, struct wait *wait,
		      const struct viz_channel *channel)
{
	for (size_t i = 0; channel->glimpse.users_known && i < channel->glimpse.users_count; i++) {
		const struct viz_process *user = viz_model_process(
			graph->model, (uint32_t)channel->glimpse.users[i], graph->model->end_ns);

		if (user && !user->ended)
			wait_add_ender(graph, wait, user);
		else
			wait->open = true;
	}
	return channel->glimpse.users_known;
}

/* Whoever knows a queue's name, key or number may open it still. */
static void wait_at_queue(struct wait_graph *graph, struct wait *wait,
			  const struct viz_channel *channel, enum access end)
{
	if (graph->whole && channel->mechanism == MECH_POSIX_MQ)
		wait_add_holders(graph, wait, channel, end);
	else if (made_here(graph, channel))
		add_users(graph, wait, channel);
	wait->open |= !made_here(graph, channel);
}

void wait_at_named(struct wait_graph *graph, struct wait *wait, const struct viz_channel *channel,
		   enum access end)
{
	if (add_found(graph, wait, channel))
		return;
	switch (channel->mechanism) {
	case MECH_FILE_LOCK:
		add_users(graph, wait, channel);
		break;
	case MECH_FUTEX:
	case MECH_POSIX_SEM:
		wait_at_memory(graph, wait, channel);
		break;
	default:
		wait_at_queue(graph, wait, channel, end);
	}
}
