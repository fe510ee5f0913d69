// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds parents that do not collect their ended children: from a trace by what wait4 and waitid
 * told of, from a glance by the zombies that it found.
 */
#include <signal.h>

#include "viz/diagnose/wait/waits.h"

enum {
	MANY = 10,		      /* so many at once are no oversight of the moment */
	WITHOUT_REAPING = 0x01000000, /* WNOWAIT, waitid(2) */
};

/* What the trace says of each process, by its index. */
struct reaping {
	struct diagnosis *d;
	bool *collected;   /* its parent was told of its end */
	bool *executed;	   /* it has called exec */
	bool *unclear;	   /* which of its children it collected is not known, or it need not */
	bool *merged;	   /* SIGCHLD came once for its end and another child's */
	uint64_t *told_ns; /* when it last took a SIGCHLD */
};

/* True if the call told of a child. Both return 0 for none; waitid returns 0 for one, too. */
static bool told_of_child(const struct viz_operation *op)
{
	return viz_operation_done(op) && (op->returned > 0 || viz_has(op, child)) &&
	       !viz_operation_failed(op);
}

static void note_calls(struct reaping *r)
{
	const struct viz_model *model = r->d->model;

	for (size_t i = 0; i < model->process_event_count; i++)
		if (model->process_events[i]->event == PROCESS_EVENT_EXEC)
			r->executed[model->process_events[i]->process->index] = true;
	for (size_t i = 0; i < model->operation_count; i++) {
		const struct viz_operation *op = model->operations[i];

		if (op->extra->keeps_no_children)
			r->unclear[op->process->index] = true;
		if (!operation_awaits_child(op) || !told_of_child(op) ||
		    (op->flags & WITHOUT_REAPING))
			continue;
		if (op->extra->child)
			r->collected[op->extra->child->index] = true;
		else
			r->unclear[op->process->index] = true;
	}
}

/* True for the notice that a child of a process of the trace has ended. */
static bool is_end_of_child(const struct viz_signal_event *event)
{
	return event->event == SIGNAL_EVENT_GENERATE && event->number == SIGCHLD &&
	       event->origin == ORIGIN_CHILD && event->from && event->from->ended && event->to &&
	       event->from->parent == event->to && event->has_code && event->code >= CLD_EXITED &&
	       event->code <= CLD_DUMPED;
}

/* Of two notices within one signal, the first one is queued, the second one merged into it. */
static void note_merged(struct reaping *r)
{
	const struct viz_model *model = r->d->model;
	const struct viz_process **queued = arena_array(r->d->arena, model->process_count + 1,
							sizeof(struct viz_process *));

	for (size_t i = 0; i < model->signal_event_count; i++) {
		const struct viz_signal_event *event = model->signal_events[i];

		if (!is_end_of_child(event))
			continue;
		if (event->result != SIGNAL_RESULT_COALESCED) {
			queued[event->to->index] = event->from;
			continue;
		}
		r->merged[event->from->index] = true;
		if (queued[event->to->index])
			r->merged[queued[event->to->index]->index] = true;
	}
}

static void note_told(struct reaping *r, const struct viz_process *to, uint64_t at_ns)
{
	if (to && r->told_ns[to->index] < at_ns)
		r->told_ns[to->index] = at_ns;
}

static void note_signals(struct reaping *r)
{
	const struct viz_pairing *pairing = r->d->pairing;

	for (size_t i = 0; i < pairing->signal_count; i++) {
		const struct viz_signal *s = pairing->signals[i];

		if (s->number != SIGCHLD)
			continue;
		if (s->deliver && s->deliver->action == SIGNAL_ACTION_HANDLER)
			note_told(r, s->deliver->to, s->deliver->at_ns);
		if (s->accepted_by)
			note_told(r, s->accepted_by->process, s->accepted_by->exit_ns);
	}
}

/*
 * True if the process may have SA_NOCLDWAIT, which a child inherits and exec takes back. Of one
 * that ran before the trace nobody saw it.
 */
static bool is_unclear(const struct reaping *r, const struct viz_process *process)
{
	for (; process; process = process->parent) {
		if (r->unclear[process->index])
			return true;
		if (r->executed[process->index])
			return false;
	}
	return true;
}

static bool waits_for_some_child(const struct diagnosis *d, const struct viz_process *process)
{
	for (const struct wait *w = wait_of_process(d->waits, process); w; w = w->next_of_process)
		if (waits_for_child(w))
			return true;
	return false;
}

/* True if the parent had the time to collect who ended then, and is not waiting for another one. */
static bool had_time(const struct diagnosis *d, const struct viz_process *parent, uint64_t at_ns)
{
	const uint64_t until_ns = parent->ended ? parent->end_ns : d->end_ns;

	return until_ns > at_ns && until_ns - at_ns >= LONG_WAIT_NS &&
	       !waits_for_some_child(d, parent);
}

static struct finding *report(struct diagnosis *d, const struct viz_process *parent,
			      const struct viz_process *child, uint64_t at_ns)
{
	struct finding *f = finding_fold(d, FINDING_ZOMBIE, at_ns, parent, NULL);

	if (f->times == 1)
		f->severity = SEVERITY_NOTE;
	if (f->times >= MANY)
		f->severity = SEVERITY_WARNING;
	finding_process(d, f, child);
	return f;
}

/* True if the parent took a SIGCHLD since, and has ended or gone to sleep after it. */
static bool has_forgotten(const struct reaping *r, const struct viz_signal_event *event)
{
	const struct viz_process *parent = event->to;
	const struct wait *wait = wait_of_process(r->d->waits, parent);

	return r->told_ns[parent->index] >= event->at_ns &&
	       (parent->ended || (wait && wait->since_ns >= r->told_ns[parent->index]));
}

/* Two children ended within one SIGCHLD, and one of them was forgotten: the classic. */
static void report_merged(struct diagnosis *d, struct finding *f, const struct viz_process *child)
{
	enum { SHOWN = 4 };

	f->severity = SEVERITY_WARNING;
	if (f->line_count < SHOWN)
		finding_line(d, f,
			     fill_phrase(d, PHRASE_WITHIN_ONE_SIGNAL, process_text(d, child), NULL,
					 NULL));
}

static void find_in_trace(struct diagnosis *d)
{
	const size_t n = d->model->process_count + 1;
	struct reaping r = {
		.d = d,
		.collected = arena_array(d->arena, n, sizeof(bool)),
		.executed = arena_array(d->arena, n, sizeof(bool)),
		.unclear = arena_array(d->arena, n, sizeof(bool)),
		.merged = arena_array(d->arena, n, sizeof(bool)),
		.told_ns = arena_array(d->arena, n, sizeof(uint64_t)),
	};

	note_calls(&r);
	note_merged(&r);
	note_signals(&r);
	for (size_t i = 0; i < d->model->signal_event_count; i++) {
		const struct viz_signal_event *event = d->model->signal_events[i];
		struct finding *f;

		if (!is_end_of_child(event) || r.collected[event->from->index] ||
		    is_unclear(&r, event->to) || !had_time(d, event->to, event->at_ns))
			continue;
		f = report(d, event->to, event->from, event->at_ns);
		if (r.merged[event->from->index] && has_forgotten(&r, event))
			report_merged(d, f, event->from);
	}
}

/* True if a SIGCHLD that the process has not taken yet waits for it. */
static bool is_to_be_told(const struct diagnosis *d, const struct viz_process *process)
{
	for (size_t i = 0; i < d->model->signal_event_count; i++) {
		const struct viz_signal_event *event = d->model->signal_events[i];

		if (event->event == SIGNAL_EVENT_PENDING && event->number == SIGCHLD &&
		    event->to == process)
			return true;
	}
	return false;
}

/* True if no thread of the process has run for a while, though a signal would have woken it. */
static bool has_slept(const struct diagnosis *d, const struct viz_process *process)
{
	for (size_t i = 0; i < process->thread_count; i++) {
		const struct viz_thread *thread = process->threads[i];
		const struct wait *wait = wait_of_thread(d->waits, thread);
		uint64_t since_ns = wait ? wait->since_ns : thread->since_ns;

		if (thread->end_ns != VIZ_NEVER)
			continue;
		if ((!wait && thread->state != TARGET_STATE_BLOCKED) || thread->uninterruptible ||
		    d->end_ns - since_ns < LONG_WAIT_NS)
			return false;
	}
	return process->thread_count > 0;
}

/* A SIGCHLD would have woken the parent since: it was told, and did not collect the child. */
static bool was_told(const struct diagnosis *d, const struct viz_process *parent)
{
	return viz_process_handles(parent, SIGCHLD) && has_slept(d, parent) &&
	       !is_to_be_told(d, parent);
}

/* One that was found alive first has only just ended. */
static void find_in_glance(struct diagnosis *d)
{
	for (size_t i = 0; i < d->model->process_count; i++) {
		const struct viz_process *child = d->model->processes[i];
		const struct viz_process *parent =
			child->zombie ? viz_model_process(d->model, child->ppid, d->end_ns) : NULL;
		struct finding *f;

		if (!parent || child->handlers_known || waits_for_some_child(d, parent))
			continue;
		f = report(d, parent, child, child->start_ns);
		if (was_told(d, parent))
			f->severity = SEVERITY_WARNING;
	}
}

void find_zombies(struct diagnosis *d)
{
	const size_t before = d->count;

	if (d->incomplete)
		return;
	if (d->waits->whole)
		find_in_glance(d);
	else
		find_in_trace(d);
	for (size_t i = before; i < d->count; i++)
		finding_set(d, d->findings[i], "children", "%s",
			    names_text(d, d->findings[i]->processes + 1,
				       d->findings[i]->process_count - 1));
}
