// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Waits in the handler of a signal. While a handler waits, what it interrupted stands still, so
 * that it may wait for itself: for a lock that the interrupted code holds, or for children that the
 * loop should end.
 */
#include "viz/diagnose/wait/waits.h"

/* A handler that has begun and not returned, and what its thread did since. */
struct running_handler {
	const struct viz_signal *signal;
	size_t calls;
	bool left; /* perhaps by siglongjmp(3), which sets the mask; or with its program */
};

static bool is_running(const struct viz_signal *s)
{
	return s->deliver && s->deliver->to && s->deliver->action == SIGNAL_ACTION_HANDLER &&
	       !s->end;
}

/* Returns the handler that this thread, of which something is told at that time, is in; or NULL. */
static struct running_handler *handler_at(const struct wait_graph *graph, uint32_t tid,
					  const struct viz_process *process, uint64_t at_ns)
{
	struct running_handler *handler = map_get_uint(&graph->clues.handlers, tid);
	const struct viz_signal_event *begun = handler ? handler->signal->deliver : NULL;

	return begun && begun->to == process && begun->at_ns <= at_ns ? handler : NULL;
}

static void note_calls(const struct wait_graph *graph)
{
	for (size_t i = 0; i < graph->model->operation_count; i++) {
		const struct viz_operation *op = graph->model->operations[i];
		struct running_handler *handler = handler_at(graph, op->thread->tid, op->process,
							     op->enter_ns);

		if (!handler)
			continue;
		handler->calls += 1 + op->extra->repeats.count;
		handler->left |= operation_is(op, "rt_sigprocmask");
	}
}

static void note_execs(const struct wait_graph *graph)
{
	for (size_t i = 0; i < graph->model->process_event_count; i++) {
		const struct viz_process_event *event = graph->model->process_events[i];
		struct running_handler *handler =
			event->event != PROCESS_EVENT_EXEC || !event->thread
				? NULL
				: handler_at(graph, event->thread->tid, event->process,
					     event->at_ns);

		if (handler)
			handler->left = true;
	}
}

/* Fills in the innermost handler of each thread. */
static void find_handlers(struct wait_graph *graph)
{
	graph->clues.handlers_known = true;
	for (size_t i = 0; i < graph->pairing->signal_count; i++) {
		const struct viz_signal *s = graph->pairing->signals[i];
		struct running_handler *handler;

		if (!is_running(s))
			continue;
		handler = arena_alloc(graph->arena, sizeof(*handler));
		handler->signal = s;
		map_put_uint(graph->arena, &graph->clues.handlers, s->deliver->to_tid, handler);
	}
	if (!graph->clues.handlers.count)
		return;
	note_calls(graph);
	note_execs(graph);
}

/* Returns the signal in whose handler this thread has waited since then; NULL: it is in none. */
static const struct viz_signal *handler_of(const struct diagnosis *d,
					   const struct viz_thread *thread, uint64_t since_ns)
{
	enum { CALLS_MOST = 256 }; /* with more, longjmp(3) has probably left it */
	const struct running_handler *handler;

	if (d->incomplete || d->waits->whole)
		return NULL;
	if (!d->waits->clues.handlers_known)
		find_handlers(d->waits);
	handler = handler_at(d->waits, thread->tid, thread->process, since_ns);
	return handler && !handler->left && handler->calls <= CALLS_MOST ? handler->signal : NULL;
}

static const char *handler_text(struct diagnosis *d, const struct viz_thread *thread,
				uint64_t since_ns)
{
	const struct viz_signal *signal = handler_of(d, thread, since_ns);

	if (!signal)
		return NULL;
	return fill_phrase(d, PHRASE_IN_HANDLER, process_text(d, thread->process),
			   bytes_text(d, signal->name), time_text(d, signal->deliver->at_ns));
}

const char *wait_handler_text(struct diagnosis *d, const struct wait *wait)
{
	if (waits_for_signal(wait->operation)) /* so runtimes stop a thread for a while */
		return NULL;
	return handler_text(d, wait->operation->thread, wait->operation->enter_ns);
}

struct viz_bytes wait_handler_signal(const struct diagnosis *d, const struct wait *wait)
{
	const struct viz_signal *signal = handler_of(d, wait->operation->thread,
						     wait->operation->enter_ns);

	return signal ? signal->name : (struct viz_bytes){0};
}

bool sleeper_is_in_handler(const struct diagnosis *d, const struct viz_thread *thread)
{
	return handler_of(d, thread, thread->looked_ns) != NULL;
}

const char *sleeper_handler_text(struct diagnosis *d, const struct viz_thread *thread)
{
	return handler_text(d, thread, thread->looked_ns);
}
