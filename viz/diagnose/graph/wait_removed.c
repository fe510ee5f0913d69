// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Objects whose name was removed while processes still use them: a FIFO, a POSIX queue, a listening
 * unix socket, a named semaphore. No other process can come to use them.
 */
#include "viz/diagnose/core/finder.h"
#include "viz/diagnose/graph/wait_graph_internal.h"

static bool removes_name(const struct viz_operation *op)
{
	enum { REMOVE_FOLDER = 0x200 };

	return operation_is(op, "unlink") || operation_is(op, "mq_unlink") ||
	       (operation_is(op, "unlinkat") && !(op->flags & REMOVE_FOLDER));
}

void wait_note_removal(struct wait_graph *graph, const struct viz_operation *op)
{
	if (!removes_name(op) || !viz_operation_done(op) || viz_operation_failed(op))
		return;
	if (op->channel)
		graph->removed[op->channel->index] = op;
	if (op->extra->path.len)
		map_put(graph->arena, &graph->removed_paths, op->extra->path, (void *)op);
}

/*
 * sem_open(3) makes its file under another name first, and removes that: the semaphore's own name
 * is the last one that it had.
 */
static const struct viz_operation *semaphore_removal(const struct wait_graph *graph,
						     const struct viz_channel *channel)
{
	static const char folder[] = "/dev/shm/sem.";
	const struct viz_bytes name = channel->name;
	char path[sizeof(folder) + 256];
	size_t len = sizeof(folder) - 1;

	if (name.len < 2 || name.len > 256)
		return NULL;
	memcpy(path, folder, len);
	memcpy(path + len, name.data + 1, name.len - 1);
	return map_get(&graph->removed_paths, (struct viz_bytes){path, len + name.len - 1});
}

const struct viz_operation *wait_removal(const struct wait_graph *graph,
					 const struct viz_channel *channel)
{
	const struct viz_operation *op = channel->mechanism == MECH_POSIX_SEM
						 ? semaphore_removal(graph, channel)
						 : graph->removed[channel->index];

	return op && op->exit_ns >= channel->at_ns ? op : NULL;
}

const struct viz_operation *wait_path_removal(const struct wait_graph *graph,
					      const struct wait *wait)
{
	const struct viz_operation *op = wait->operation->role == ROLE_OPEN
						 ? map_get(&graph->removed_paths,
							   wait->operation->extra->path)
						 : NULL;

	return op && op->exit_ns > wait->since_ns ? op : NULL;
}

bool wait_is_removed(const struct wait_graph *graph, const struct viz_channel *channel)
{
	return channel->removed || wait_removal(graph, channel);
}
