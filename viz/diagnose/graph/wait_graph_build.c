// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Builds the wait graph: collects the waits, marks the stuck ones, and finds the circles among
 * those.
 */
#include "viz/diagnose/diagnose.h"

#include "viz/diagnose/graph/wait_graph_internal.h"
#include "viz/model/first_try.h"

/* True for objects that are known by their users, not by the holders of descriptors. */
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
	const uint64_t key = viz_pair_key(process, channel);

	if (map_get_uint(&graph->using, key))
		return;
	map_put_uint(graph->arena, &graph->using, key, process);
	ARENA_PUSH(graph->arena, graph->users[channel->index], graph->user_counts[channel->index],
		   process);
}

static bool any_pending(const struct viz_model *model)
{
	for (size_t i = model->operation_count; i-- > 0;)
		if (model->operations[i]->state == STATE_PENDING)
			return true;
	return false;
}

/*
 * Notes the channel of each open descriptor, which in a glance is only found in the process's
 * table.
 */
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
	uint64_t key = sink ? viz_pair_key(op->process, sink) : 0;

	if (sink && !map_get_uint(&graph->wrote, key))
		map_put_uint(graph->arena, &graph->wrote, key, sink);
}

static void note_read(struct wait_graph *graph, const struct viz_operation *op)
{
	if (op->role == ROLE_RECEIVE && op->channel && viz_operation_done(op) && op->returned > 0)
		map_put_uint(graph->arena, &graph->took, viz_pair_key(op->process, op->channel),
			     op->channel);
}

bool wait_has_read(const struct wait_graph *graph, const struct viz_process *process,
		   const struct viz_channel *channel)
{
	return map_get_uint(&graph->took, viz_pair_key(process, channel)) != NULL;
}

bool wait_has_written(const struct wait_graph *graph, const struct viz_process *process,
		      const struct viz_channel *channel)
{
	return map_get_uint(&graph->wrote, viz_pair_key(process, channel)) != NULL;
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

static void note_own_sleepers(struct wait_graph *graph)
{
	const struct viz_model *model = graph->model;

	graph->own_sleepers = arena_array(graph->arena, model->process_count + 1,
					  sizeof(*graph->own_sleepers));
	for (size_t i = 0; i < model->process_count; i++) {
		const struct viz_process *process = model->processes[i];

		for (size_t k = process->thread_count; k-- > 0;)
			if (process->threads[k]->own && process->threads[k]->end_ns == VIZ_NEVER)
				graph->own_sleepers[i] = process->threads[k];
	}
}

static void collect(struct wait_graph *graph)
{
	const struct viz_model *model = graph->model;
	bool pending = any_pending(model);

	graph->users = arena_array(graph->arena, model->channel_count + 1, sizeof(*graph->users));
	graph->user_counts = arena_array(graph->arena, model->channel_count + 1,
					 sizeof(*graph->user_counts));
	graph->unread = arena_array(graph->arena, model->channel_count + 1, sizeof(*graph->unread));
	graph->elsewhere = arena_array(graph->arena, model->process_count + 1,
				       sizeof(*graph->elsewhere));
	graph->added = arena_array(graph->arena, model->process_count + 1, sizeof(*graph->added));
	graph->made = arena_array(graph->arena, model->channel_count + 1, sizeof(*graph->made));
	graph->removed = arena_array(graph->arena, model->channel_count + 1,
				     sizeof(*graph->removed));
	graph->locks = arena_array(graph->arena, model->channel_count + 1,
				   sizeof(struct wait_locks));
	graph->pipes = arena_array(graph->arena, model->channel_count + 1, sizeof(*graph->pipes));
	graph->told = arena_array(graph->arena, model->channel_count + 1, sizeof(*graph->told));
	graph->told_unaccepted = arena_array(graph->arena, model->channel_count + 1,
					     sizeof(*graph->told_unaccepted));
	graph->unaccepted = arena_array(graph->arena, model->channel_count + 1,
					sizeof(*graph->unaccepted));
	for (size_t i = 0; i < model->operation_count; i++) {
		const struct viz_operation *op = model->operations[i];

		if (pending) {
			note_written(graph, op);
			note_read(graph, op);
			wait_note_pipe(graph, op);
		}
		wait_note_told(graph, op);
		wait_note_lock(graph, op);
		wait_note_made(graph, op);
		wait_note_removal(graph, op);
		if (op->channel && is_named(op->channel))
			add_user(graph, op->channel, op->process);
		if (op->extra->new_fds_count && is_named(op->extra->new_fds[0].channel))
			add_user(graph, op->extra->new_fds[0].channel, op->process);
	}
	note_own_sleepers(graph);
	wait_note_ends(graph);
	wait_note_children(graph);
	wait_note_flights(graph, pending);
	note_held(graph);
	wait_note_acceptors(graph);
	note_messages(graph, pending);
}

static struct wait *add_wait(struct wait_graph *graph, const struct viz_operation *op)
{
	struct wait *wait = arena_alloc(graph->arena, sizeof(*wait));

	wait->index = graph->count;
	wait->operation = op;
	wait->process = op->process;
	wait->since_ns = first_try_ns(graph->model, op);
	wait_find_enders(graph, wait);
	wait->ready |= op->thread->state == TARGET_STATE_RUNNING; /* woken, it runs in the call */
	wait_look_at_loop(graph, wait);
	wait->open |= wait_is_unseen(graph, wait->channel);
	wait_set_join(graph, wait);
	ARENA_PUSH(graph->arena, graph->waits, graph->count, wait);
	wait->next_of_process = map_get_uint(&graph->of_process, (uintptr_t)wait->process);
	map_put_uint(graph->arena, &graph->of_process, (uintptr_t)wait->process, wait);
	map_put_uint(graph->arena, &graph->of_thread, (uintptr_t)op->thread, wait);
	return wait;
}

/*
 * The state of Tarjan's algorithm for strongly connected components, a depth-first search; the
 * members of a component lie together at the top of the stack. Its nodes are the waits and, after
 * them, the sets that several waits share.
 */
struct search {
	struct wait_graph *graph;
	size_t *order, *low; /* by node; 0: not visited */
	bool *stacked;
	size_t *stack;
	size_t depth, next;
};

/* Pops a component. A process that only waits for itself is no circle. */
static void close_circle(struct search *search, size_t root)
{
	const struct wait_graph *graph = search->graph;
	const struct viz_process *first = NULL;
	size_t from = search->depth;
	bool several = false;

	do {
		const size_t node = search->stack[--from];

		if (node >= graph->count)
			continue;
		several |= first && graph->waits[node]->process != first;
		first = graph->waits[node]->process;
	} while (search->stack[from] != root);
	if (several)
		search->graph->circle_count++;
	for (size_t i = from; i < search->depth; i++) {
		search->stacked[search->stack[i]] = false;
		if (several && search->stack[i] < graph->count)
			graph->waits[search->stack[i]]->circle = graph->circle_count;
	}
	search->depth = from;
}

static void enter(struct search *search, size_t node)
{
	search->order[node] = search->low[node] = ++search->next;
	search->stack[search->depth++] = node;
	search->stacked[node] = true;
}

static void visit_set(struct search *search, size_t node, const struct wait_set *set);

/* After the visit of a node that this one leads to, or where that was visited before. */
static void look_back(const struct search *search, size_t node, size_t to)
{
	if (search->stacked[to] && search->low[to] < search->low[node])
		search->low[node] = search->low[to];
}

/*
 * Visits a wait and then the waits of the processes that could end it. Recursion is at most as deep
 * as there are waits and sets.
 */
static void visit(struct search *search, const struct wait *wait)
{
	const struct wait_set *set = wait->set;
	const size_t shared = search->graph->count + set->index;

	enter(search, wait->index);
	if (!set->waits->next_of_set) {
		visit_set(search, wait->index, set);
	} else {
		if (!search->order[shared]) {
			enter(search, shared);
			visit_set(search, shared, set);
			if (search->low[shared] == search->order[shared])
				close_circle(search, shared);
		}
		look_back(search, wait->index, shared);
	}
	if (search->low[wait->index] == search->order[wait->index])
		close_circle(search, wait->index);
}

/* Visits the waits of a set's processes; `node` is the set or the only wait that has it. */
static void visit_set(struct search *search, size_t node, const struct wait_set *set)
{
	for (size_t k = 0; k < set->count; k++) {
		const struct wait *w = wait_of_process(search->graph, set->processes[k]);

		for (; w; w = w->next_of_process) {
			if (!w->stuck)
				continue;
			if (!search->order[w->index])
				visit(search, w);
			look_back(search, node, w->index);
		}
	}
}

static void find_circles(struct wait_graph *graph)
{
	const size_t n = graph->count + graph->set_count + 1;
	struct search search = {
		.graph = graph,
		.order = arena_array(graph->arena, n, sizeof(size_t)),
		.low = arena_array(graph->arena, n, sizeof(size_t)),
		.stacked = arena_array(graph->arena, n, sizeof(bool)),
		.stack = arena_array(graph->arena, n, sizeof(size_t)),
	};

	for (size_t i = 0; i < graph->count; i++)
		if (graph->waits[i]->stuck && !search.order[i])
			visit(&search, graph->waits[i]);
}

static void list_circles(struct wait_graph *graph)
{
	graph->circles = arena_array(graph->arena, graph->circle_count + 1,
				     sizeof(*graph->circles));
	for (size_t i = 0; i < graph->count; i++) {
		struct wait_circle *circle = &graph->circles[graph->waits[i]->circle];

		ARENA_PUSH(graph->arena, circle->waits, circle->count, graph->waits[i]);
	}
}

/* Adds a wait for each thread of the process that sleeps in vfork(2). */
static void add_vforks(struct wait_graph *graph, const struct viz_process *process)
{
	for (size_t i = 0; i < process->thread_count; i++) {
		struct viz_thread *thread = process->threads[i];
		const struct viz_operation *op = wait_of_thread(graph, thread)
							 ? NULL
							 : wait_vfork_call(graph, thread);

		if (op)
			add_wait(graph, op)->unrecorded = true;
	}
}

/* Waits beyond this number are ignored: the analysis would take too long. */
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
		    op->thread->end_ns == VIZ_NEVER && !viz_model_is_launcher(model, op->process))
			add_wait(graph, op);
	}
	for (size_t i = 0; i < model->process_count && graph->count < WAITS_MOST; i++)
		add_vforks(graph, model->processes[i]);
	wait_open_served(graph);
	wait_close_counters(graph);
	wait_take_turns(graph);
	wait_suppose_crossed(graph);
	wait_find_stuck(graph);
	wait_settle_crossed(graph);
	wait_settle_terminals(graph);
	find_circles(graph);
	list_circles(graph);
	return graph;
}
