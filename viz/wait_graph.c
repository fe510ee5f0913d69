// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The wait graph: who can still act, who never will again, and the circles among those. */
#include "wait_graph.h"

#include "wait_graph_internal.h"

/* What has users, not holders. */
static bool is_named(const struct viz_channel *channel)
{
	switch (channel->mechanism) {
	case MECH_SYSV_MSG:
	case MECH_POSIX_MQ:
	case MECH_SYSV_SEM:
	case MECH_FILE_LOCK:
	case MECH_SYSV_SHM:
	case MECH_SHARED_MMAP:
	case MECH_POSIX_SEM:
		return true;
	default:
		return false;
	}
}

static void add_user(struct wait_graph *graph, const struct viz_channel *channel,
		     struct viz_process *process)
{
	struct viz_process **users = graph->users[channel->index];
	size_t *count = &graph->user_counts[channel->index];

	for (size_t i = *count; i-- > 0;)
		if (users[i] == process)
			return;
	ARENA_PUSH(graph->arena, graph->users[channel->index], *count, process);
}

static bool any_pending(const struct viz_model *model)
{
	for (size_t i = model->operation_count; i-- > 0;)
		if (model->operations[i]->state == STATE_PENDING)
			return true;
	return false;
}

/* In a glance, what a descriptor stands for is in its process's table alone. */
static void note_held(struct wait_graph *graph)
{
	for (size_t i = graph->model->holding_count; graph->whole && i-- > 0;) {
		const struct viz_holding *holding = graph->model->holdings[i];

		if (holding->until_ns == VIZ_NEVER)
			map_put_uint(graph->arena, &graph->held,
				     wait_fd_key(holding->process, holding->fd), holding->channel);
	}
}

static void note_written(struct wait_graph *graph, const struct viz_operation *op)
{
	struct viz_channel *sink = viz_operation_sink(op);
	uint64_t key = sink ? wait_pair_key(op->process, sink) : 0;

	if (sink && !map_get_uint(&graph->wrote, key))
		map_put_uint(graph->arena, &graph->wrote, key, sink);
}

static void note_read(struct wait_graph *graph, const struct viz_operation *op)
{
	if (op->role == ROLE_RECEIVE && op->channel && viz_operation_done(op) && op->returned > 0)
		map_put_uint(graph->arena, &graph->took, wait_pair_key(op->process, op->channel),
			     op->channel);
}

bool wait_has_read(const struct wait_graph *graph, const struct viz_process *process,
		   const struct viz_channel *channel)
{
	return map_get_uint(&graph->took, wait_pair_key(process, channel)) != NULL;
}

bool wait_has_written(const struct wait_graph *graph, const struct viz_process *process,
		      const struct viz_channel *channel)
{
	return map_get_uint(&graph->wrote, wait_pair_key(process, channel)) != NULL;
}

static void note_unread(struct wait_graph *graph, const struct viz_message *m)
{
	struct wait_unread *unread = arena_alloc(graph->arena, sizeof(*unread));

	*unread = (struct wait_unread){m, graph->unread[m->channel->index]};
	graph->unread[m->channel->index] = unread;
}

static void note_messages(struct wait_graph *graph, bool pending)
{
	const struct viz_pairing *pairing = graph->pairing;

	for (size_t i = 0; i < pairing->message_count; i++)
		wait_note_carrier(graph, pairing->messages[i]);
	for (size_t i = pairing->message_count; pending && i-- > 0;)
		if (pairing->messages[i]->channel && pairing->messages[i]->fate == FATE_UNREAD)
			note_unread(graph, pairing->messages[i]);
}

static void collect(struct wait_graph *graph)
{
	const struct viz_model *model = graph->model;
	bool pending = any_pending(model);

	graph->users = arena_array(graph->arena, model->channel_count + 1, sizeof(*graph->users));
	graph->user_counts = arena_array(graph->arena, model->channel_count + 1,
					 sizeof(*graph->user_counts));
	graph->unread = arena_array(graph->arena, model->channel_count + 1, sizeof(*graph->unread));
	graph->added = arena_array(graph->arena, model->process_count + 1, sizeof(*graph->added));
	graph->made = arena_array(graph->arena, model->channel_count + 1, sizeof(*graph->made));
	for (size_t i = 0; i < model->operation_count; i++) {
		const struct viz_operation *op = model->operations[i];

		if (pending) {
			note_written(graph, op);
			note_read(graph, op);
		}
		wait_note_made(graph, op);
		if (op->channel && is_named(op->channel))
			add_user(graph, op->channel, op->process);
		if (op->new_fds_count && is_named(op->new_fds[0].channel))
			add_user(graph, op->new_fds[0].channel, op->process);
	}
	wait_note_flights(graph, pending);
	note_held(graph);
	note_messages(graph, pending);
}

static void add_wait(struct wait_graph *graph, const struct viz_operation *op)
{
	struct wait *wait = arena_alloc(graph->arena, sizeof(*wait));

	wait->index = graph->count;
	wait->operation = op;
	wait->process = op->process;
	wait->since_ns = op->began ? op->began_ns : op->enter_ns;
	wait_find_enders(graph, wait);
	ARENA_PUSH(graph->arena, graph->waits, graph->count, wait);
	wait->next_of_process = map_get_uint(&graph->of_process, (uintptr_t)wait->process);
	map_put_uint(graph->arena, &graph->of_process, (uintptr_t)wait->process, wait);
	map_put_uint(graph->arena, &graph->of_thread, (uintptr_t)op->thread, wait);
}

static const struct wait *wait_of(const struct wait_graph *graph, const struct viz_thread *thread)
{
	return map_get_uint(&graph->of_thread, (uintptr_t)thread);
}

const struct wait *wait_of_process(const struct wait_graph *graph,
				   const struct viz_process *process)
{
	return map_get_uint(&graph->of_process, (uintptr_t)process);
}

bool wait_process_stuck(const struct wait_graph *graph, const struct viz_process *process)
{
	for (size_t i = 0; i < process->thread_count; i++) {
		const struct wait *wait;

		if (process->threads[i]->end_ns != VIZ_NEVER)
			continue;
		wait = wait_of(graph, process->threads[i]);
		if (!wait || !wait->stuck)
			return false;
	}
	return process->thread_count > 0 && !process->ended;
}

bool wait_process_acts(const struct wait_graph *graph, const struct viz_process *process)
{
	for (size_t i = 0; i < process->thread_count && !process->zombie; i++) {
		const struct wait *wait = wait_of(graph, process->threads[i]);

		if (process->threads[i]->end_ns == VIZ_NEVER &&
		    (!wait || wait->clock || wait->ready))
			return true;
	}
	return false;
}

/* Tarjan's: depth first; what reaches each other lies together at the top of the stack. */
struct search {
	struct wait_graph *graph;
	size_t *order, *low; /* of each wait, from 1 */
	bool *stacked;
	struct wait **stack;
	size_t depth, next;
};

/* A process that waits for itself alone is no circle. */
static void close_circle(struct search *search, const struct wait *root)
{
	size_t from = search->depth;
	bool several = false;

	do {
		from--;
		several |= search->stack[from]->process != root->process;
	} while (search->stack[from] != root);
	if (several)
		search->graph->circle_count++;
	for (size_t i = from; i < search->depth; i++) {
		search->stacked[search->stack[i]->index] = false;
		if (several)
			search->stack[i]->circle = search->graph->circle_count;
	}
	search->depth = from;
}

/* From a wait to the waits of the processes that could end it. As deep as there are waits. */
static void visit(struct search *search, struct wait *wait)
{
	size_t at = wait->index;

	search->order[at] = search->low[at] = ++search->next;
	search->stack[search->depth++] = wait;
	search->stacked[at] = true;
	for (size_t k = 0; k < wait->ender_count; k++) {
		const struct wait *first = wait_of_process(search->graph, wait->enders[k]);

		for (const struct wait *w = first; w; w = w->next_of_process) {
			if (!w->stuck)
				continue;
			if (!search->order[w->index])
				visit(search, search->graph->waits[w->index]);
			if (search->stacked[w->index] && search->low[w->index] < search->low[at])
				search->low[at] = search->low[w->index];
		}
	}
	if (search->low[at] == search->order[at])
		close_circle(search, wait);
}

static void find_circles(struct wait_graph *graph)
{
	const size_t n = graph->count + 1;
	struct search search = {
		.graph = graph,
		.order = arena_array(graph->arena, n, sizeof(size_t)),
		.low = arena_array(graph->arena, n, sizeof(size_t)),
		.stacked = arena_array(graph->arena, n, sizeof(bool)),
		.stack = arena_array(graph->arena, n, sizeof(struct wait *)),
	};

	for (size_t i = 0; i < graph->count; i++)
		if (graph->waits[i]->stuck && !search.order[i])
			visit(&search, graph->waits[i]);
}

/* Beyond this nobody reads the answer, and finding it would take too long. */
#define WAITS_MOST 20000

struct wait_graph *wait_graph_new(struct arena *arena, const struct viz_model *model,
				  const struct viz_pairing *pairing)
{
	struct wait_graph *graph = arena_alloc(arena, sizeof(*graph));

	*graph = (struct wait_graph){.model = model, .pairing = pairing, .arena = arena};
	graph->whole = model->trailer.present && model->trailer.why == END_REASON_GLANCE;
	collect(graph);
	for (size_t i = 0; i < model->operation_count && graph->count < WAITS_MOST; i++) {
		const struct viz_operation *op = model->operations[i];

		if (op->state == STATE_PENDING && !op->process->ended &&
		    op->thread->end_ns == VIZ_NEVER)
			add_wait(graph, op);
	}
	wait_find_stuck(graph);
	find_circles(graph);
	return graph;
}
