// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Sleeps in vfork(2): its caller goes on when the child has called exec(2), or has ended. No record
 * tells of that call, as it is no IPC, but the look at what threads sleep in when tracing ends.
 */
#include "viz/diagnose/graph/wait_graph_internal.h"
#include "viz/diagnose/graph/wait_kinds.h"

/* posix_spawn(3) and system(3) call clone() or clone3() with CLONE_VFORK. */
static bool makes_child(struct viz_bytes call)
{
	return viz_bytes_equal(call, viz_bytes_of("vfork")) ||
	       viz_bytes_equal(call, viz_bytes_of("clone")) ||
	       viz_bytes_equal(call, viz_bytes_of("clone3"));
}

bool waits_for_exec(const struct wait *wait)
{
	return makes_child(wait->operation->syscall);
}

static bool is_child_of(const struct viz_process_event *event, const struct viz_thread *thread)
{
	return event->event == PROCESS_EVENT_FORK && !event->new_thread &&
	       event->parent == thread->process &&
	       (!event->maker_tid || event->maker_tid == thread->tid);
}

static bool has_executed(const struct viz_model *model, const struct viz_process *process)
{
	for (size_t i = model->process_event_count; i-- > 0;)
		if (model->process_events[i]->event == PROCESS_EVENT_EXEC &&
		    model->process_events[i]->process == process)
			return true;
	return false;
}

/* Returns a child that runs its parent's program, where nobody saw it being made; NULL: none. */
static const struct viz_process *copy_of(const struct viz_model *model,
					 const struct viz_process *parent)
{
	for (size_t i = model->process_count; i-- > 0;) {
		const struct viz_process *child = model->processes[i];

		if (child->parent == parent && child->before_trace && !child->ended &&
		    !child->zombie && process_is_copy(child))
			return child;
	}
	return NULL;
}

const struct viz_process *wait_vfork_child(const struct wait_graph *graph,
					   const struct viz_thread *thread)
{
	const struct viz_model *model = graph->model;

	for (size_t i = model->process_event_count; i-- > 0;) {
		const struct viz_process *child = model->process_events[i]->process;

		if (is_child_of(model->process_events[i], thread))
			return child->ended || has_executed(model, child) ? NULL : child;
	}
	return copy_of(model, thread->process);
}

const struct viz_operation *wait_vfork_call(struct wait_graph *graph, struct viz_thread *thread)
{
	struct viz_operation *op;

	if (thread->end_ns != VIZ_NEVER || thread->state != TARGET_STATE_BLOCKED ||
	    !makes_child(thread->call) || !wait_vfork_child(graph, thread))
		return NULL;
	op = arena_alloc(graph->arena, sizeof(*op));
	*op = (struct viz_operation){
		.state = STATE_PENDING,
		.role = ROLE_CONTROL,
		.fd = -1,
		.fd_out = -1,
		.syscall = thread->call,
		.process = thread->process,
		.thread = thread,
		.comm = thread->comm,
		.enter_ns = thread->since_ns,
		.exit_ns = VIZ_NEVER,
		.extra = &viz_no_extra,
	};
	return op;
}
