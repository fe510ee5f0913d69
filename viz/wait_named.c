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

/* All who know it, each once. */
struct wait_knowers {
	const struct viz_process **processes;
	size_t count;
	bool found;
};

static struct wait_knowers *knowers_of(struct wait_graph *graph, const struct viz_channel *channel)
{
	struct wait_knowers *knowers;

	if (!graph->knowers)
		graph->knowers = arena_array(graph->arena, graph->model->channel_count + 1,
					     sizeof(*graph->knowers));
	knowers = &graph->knowers[channel->index];
	for (size_t i = 0; i < graph->model->process_count && !knowers->found; i++) {
		const struct viz_process *process = graph->model->processes[i];

		for (size_t k = 0;
		     k < graph->user_counts[channel->index] && !process->ended && !process->zombie;
		     k++)
			if (descends_from(process, graph->users[channel->index][k])) {
				ARENA_PUSH(graph->arena, knowers->processes, knowers->count,
					   process);
				break;
			}
	}
	knowers->found = true;
	return knowers;
}

/* A child knows the queue of its parent, though it has not used it yet. */
static void add_users(struct wait_graph *graph, struct wait *wait,
		      const struct viz_channel *channel)
{
	const struct wait_knowers *knowers = knowers_of(graph, channel);

	for (size_t i = 0; i < knowers->count; i++)
		wait_add_ender(graph, wait, knowers->processes[i]);
	wait->open |= wait->ender_count == 0;
}

/* Nobody before this trace can know it: it has no name, or it was made where none was. */
void wait_note_made(struct wait_graph *graph, const struct viz_operation *op)
{
	enum { EXCLUSIVE = 02000, FILE_EXCLUSIVE = 0200 };
	const struct viz_channel *made = op->new_fds_count ? op->new_fds[0].channel : op->channel;
	int64_t key = -1;

	if (op->role != ROLE_OPEN || !made || !viz_operation_done(op) || viz_operation_failed(op))
		return;
	viz_operation_argument(op, "key", &key);
	if (key == 0 || (op->flags & (is_call(op, "mq_open") ? FILE_EXCLUSIVE : EXCLUSIVE)))
		graph->made[made->index] = true;
}

/* Nobody outside has it mapped, or could map it. */
static bool memory_is_ours(const struct wait_graph *graph, const struct viz_channel *memory)
{
	if (memory->found || memory->outsider_count)
		return false;
	return memory->mechanism == MECH_SYSV_SHM ? graph->made[memory->index] : !memory->name.len;
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
	else if (graph->made[channel->index])
		add_users(graph, wait, channel);
	wait->open |= !graph->made[channel->index];
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
