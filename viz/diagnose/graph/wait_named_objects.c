// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds the processes that could end a wait at an object without a descriptor: queues, semaphores,
 * locks, futexes.
 */
#include <stdlib.h>

#include "viz/diagnose/core/finder.h"
#include "viz/diagnose/graph/wait_graph_internal.h"

/*
 * A child knows what its parent knows. True if one learnt it whose own children may stand before
 * it: of the first processes, a child may have the lower index.
 */
static bool hand_down(const struct viz_model *model, bool *knows)
{
	bool learnt = false;

	for (size_t i = 0; i < model->process_count; i++) {
		const struct viz_process *parent = model->processes[i]->parent;

		if (knows[i] || !parent || !knows[parent->index])
			continue;
		knows[i] = true;
		learnt |= model->processes[i]->before_trace;
	}
	return learnt;
}

/*
 * The live processes that know an object: its users and their descendants, as a child knows its
 * parent's queue even before it uses it.
 */
static struct wait_set *knowers_of(struct wait_graph *graph, const struct viz_channel *channel)
{
	const struct viz_model *model = graph->model;
	struct wait all = wait_set_begin(graph);
	bool *knows;

	if (!graph->knowers)
		graph->knowers = arena_array(graph->arena, model->channel_count + 1,
					     sizeof(struct wait_set *));
	if (graph->knowers[channel->index])
		return graph->knowers[channel->index];
	knows = memory_array(model->process_count + 1, sizeof(*knows));
	for (size_t i = 0; i < graph->user_counts[channel->index]; i++)
		knows[graph->users[channel->index][i]->index] = true;
	while (hand_down(model, knows))
		;
	for (size_t i = 0; i < model->process_count; i++)
		if (knows[i] && !model->processes[i]->ended)
			wait_add_ender(graph, &all, model->processes[i]);
	free(knows);
	graph->knowers[channel->index] = wait_set_new(graph, &all);
	return graph->knowers[channel->index];
}

/* True if it, or one that made it, is among those that were marked for the channel. */
static bool comes_of_marked(const struct wait_graph *graph, const struct viz_process *process,
			    const struct viz_channel *channel, bool inherits)
{
	do {
		if (graph->marked[process->index] == channel->index + 1)
			return true;
		process = process->parent;
	} while (process && inherits);
	return false;
}

const struct wait_gone *wait_gone_users(struct wait_graph *graph, const struct viz_channel *channel)
{
	const struct viz_model *model = graph->model;
	struct wait_gone *gone = map_get_uint(&graph->gone, channel->index + 1);

	if (gone)
		return gone;
	gone = arena_alloc(graph->arena, sizeof(*gone));
	*gone = (struct wait_gone){0};
	map_put_uint(graph->arena, &graph->gone, channel->index + 1, gone);
	if (!graph->marked)
		graph->marked = arena_array(graph->arena, model->process_count + 1,
					    sizeof(*graph->marked));
	for (size_t i = 0; i < graph->user_counts[channel->index]; i++)
		graph->marked[graph->users[channel->index][i]->index] = channel->index + 1;
	for (size_t i = 0; i < model->process_count; i++) {
		const struct viz_process *process = model->processes[i];
		const bool inherits = channel->mechanism != MECH_SYSV_SEM && !process->path.len &&
				      (process->before_trace ||
				       process->start_ns >= channel->at_ns);

		/* Who ended before anybody met the object had no part in it. */
		if (process->ended && process->end_ns >= channel->at_ns &&
		    comes_of_marked(graph, process, channel, inherits))
			ARENA_PUSH(graph->arena, gone->processes, gone->count, process);
	}
	return gone;
}

static void add_users(struct wait_graph *graph, struct wait *wait,
		      const struct viz_channel *channel)
{
	wait_share(graph, wait, knowers_of(graph, channel));
	wait->open |= wait->ender_count == 0;
}

/*
 * Notes objects that no process outside the trace can know: created with IPC_PRIVATE, or by a call
 * that fails if the object exists.
 */
void wait_note_made(struct wait_graph *graph, const struct viz_operation *op)
{
	enum { EXCLUSIVE = 02000, FILE_EXCLUSIVE = 0200 };
	const struct viz_channel *made = op->extra->new_fds_count ? op->extra->new_fds[0].channel
								  : op->channel;
	int64_t key = -1;
	const bool keyed = viz_operation_argument(op, "key", &key);

	if (op->role != ROLE_OPEN || !made || !viz_operation_done(op) || viz_operation_failed(op))
		return;
	if (key == 0 || (op->flags & (keyed ? EXCLUSIVE : FILE_EXCLUSIVE)))
		graph->made[made->index] = true;
}

/*
 * True if nobody can find the memory by a name: it has none, or one that memfd_create(2) gave it,
 * and its descriptor was sent to nobody.
 */
static bool is_unreachable(const struct wait_graph *graph, const struct viz_channel *memory)
{
	return !memory->name.len ||
	       (viz_bytes_begin(memory->name, "memfd:") && !graph->flights[memory->index]);
}

/* True if no process outside the trace has the memory mapped, or could map it. */
static bool memory_is_ours(const struct wait_graph *graph, const struct viz_channel *memory)
{
	if (memory->found || memory->outsider_count)
		return false;
	if (memory->mechanism == MECH_POSIX_SEM)
		return graph->made[memory->index] && wait_is_removed(graph, memory);
	return memory->mechanism == MECH_SYSV_SHM ? graph->made[memory->index]
						  : is_unreachable(graph, memory);
}

/* Adds all users of the memory that the futex lies in, since taking a free lock makes no call. */
static void wait_at_memory(struct wait_graph *graph, struct wait *wait,
			   const struct viz_channel *futex)
{
	const struct viz_channel *memory = futex->memory ? futex->memory : futex;

	add_users(graph, wait, memory);
	wait->open |= !memory_is_ours(graph, memory);
}

static struct wait_set *found_users(struct wait_graph *graph, const struct viz_channel *channel)
{
	struct wait all = wait_set_begin(graph);

	if (!graph->found)
		graph->found = arena_array(graph->arena, graph->model->channel_count + 1,
					   sizeof(struct wait_set *));
	if (graph->found[channel->index])
		return graph->found[channel->index];
	for (size_t i = 0; i < channel->glimpse->users_count; i++) {
		const struct viz_process *user = viz_model_process(
			graph->model, (uint32_t)channel->glimpse->users[i], graph->model->end_ns);

		if (user && !user->ended)
			wait_add_ender(graph, &all, user);
		else
			all.open = true;
	}
	graph->found[channel->index] = wait_set_new(graph, &all);
	return graph->found[channel->index];
}

/* Adds the users that a glance found, which are all. False if the glance could not tell. */
static bool add_found(struct wait_graph *graph, struct wait *wait,
		      const struct viz_channel *channel)
{
	if (channel->glimpse->users_known)
		wait_share(graph, wait, found_users(graph, channel));
	return channel->glimpse->users_known;
}

/*
 * A process that knows a queue's name, key or number may still open it. Who has a POSIX queue open
 * is known, also outside the trace: where nobody can open it, they are all.
 */
static void wait_at_queue(struct wait_graph *graph, struct wait *wait,
			  const struct viz_channel *channel, enum access end)
{
	const bool removed = channel->mechanism == MECH_POSIX_MQ && wait_is_removed(graph, channel);

	if (removed || (graph->whole && channel->mechanism == MECH_POSIX_MQ))
		wait_add_holders(graph, wait, channel, end);
	else if (graph->made[channel->index])
		add_users(graph, wait, channel);
	wait->open |= !removed && !graph->made[channel->index];
}

/*
 * Adds the owner of a mutex, as nobody else may unlock it: none that has ended, or is the one that
 * waits. False if the owner is not known.
 */
static bool add_owner(struct wait_graph *graph, struct wait *wait)
{
	const struct wait_owner owner = wait_mutex_owner(graph, wait->operation);

	if (owner.ended || owner.self)
		return true;
	if (!owner.thread)
		return false;
	wait_add_ender(graph, wait, owner.thread->process);
	return true;
}

void wait_at_named(struct wait_graph *graph, struct wait *wait, const struct viz_channel *channel,
		   enum access end)
{
	if (add_owner(graph, wait))
		return;
	if (add_found(graph, wait, channel))
		return;
	switch (channel->mechanism) {
	case MECH_FILE_LOCK:
		wait->open |= !wait_add_lockers(graph, wait, channel);
		break;
	case MECH_FUTEX:
	case MECH_POSIX_SEM:
		wait_at_memory(graph, wait, channel);
		break;
	default:
		wait_at_queue(graph, wait, channel, end);
	}
}
