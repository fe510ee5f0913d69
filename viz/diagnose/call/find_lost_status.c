// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds processes that asked how a child of theirs ended, and were told that there is none: the
 * kernel kept no status, as SIGCHLD was ignored (wait(2)), or another wait had collected it.
 */
#include "viz/diagnose/call/misuse.h"

/* Returns the one process that the failed wait was for; NULL: none, or it is not known. */
static const struct viz_process *process_asked_for(const struct diagnosis *d,
						   const struct viz_operation *op)
{
	int64_t pid = 0;

	if (!operation_is(op, "wait4") || !operation_has_error(op, "ECHILD") || !op->process ||
	    !viz_operation_argument(op, "pid", &pid) || pid <= 0 || pid > UINT32_MAX)
		return NULL;
	return viz_model_process(d->model, (uint32_t)pid, op->enter_ns);
}

/* Only of a parent that is in the trace is it known that it is another process. */
static void report_stranger(struct diagnosis *d, const struct viz_operation *op,
			    const struct viz_process *stranger)
{
	if (!stranger->parent || stranger == op->process)
		return;
	report_misuse(d, FINDING_MISUSE, op,
		      fill_phrase(d, PHRASE_NOT_ITS_CHILD, process_text(d, stranger),
				  process_text(d, stranger->parent), NULL),
		      phrase_text(PHRASE_CURE_STRANGER, d->language));
}

/* Returns, by process index, the wait that collected the process's status; NULL: none did. */
static const struct viz_operation **collectors(struct diagnosis *d)
{
	const struct viz_operation **by = calls_array(d->arena, d->model->process_count);

	for (size_t i = 0; i < d->model->operation_count; i++) {
		const struct viz_operation *op = d->model->operations[i];

		if (op->extra->child && op->role == ROLE_WAIT)
			by[op->extra->child->index] = op;
	}
	return by;
}

/* True for a wait for any child. Who asked for just this one before was told how it ended. */
static bool collects_any(const struct viz_operation *op)
{
	int64_t pid = 0;

	return operation_is(op, "wait4") && viz_operation_argument(op, "pid", &pid) && pid <= 0;
}

static void report(struct diagnosis *d, const struct viz_operation *op,
		   const struct viz_process *child, const struct viz_operation *collector)
{
	struct finding *f = finding_fold(d, FINDING_STATUS_LOST, op->enter_ns, op->process, NULL);

	/* A handler that waits for any child may well note what each status was. */
	if (collector)
		f->severity = SEVERITY_NOTE;
	finding_process(d, f, child);
	if (f->times > 1)
		return;
	finding_operation(d, f, collector);
	finding_operation(d, f, op);
	finding_set(d, f, "who", "%s", process_text(d, op->process));
	finding_set(d, f, "child", "%s", process_text(d, child));
	finding_set(d, f, "why", "%s",
		    collector ? phrase_text(PHRASE_COLLECTED_BEFORE, d->language)
			      : phrase_text(PHRASE_KEPT_NO_STATUS, d->language));
}

void find_lost_status(struct diagnosis *d)
{
	const struct viz_operation **by = NULL;

	for (size_t i = 0; i < d->model->operation_count && !d->incomplete; i++) {
		const struct viz_operation *op = d->model->operations[i];
		const struct viz_process *child = process_asked_for(d, op);

		if (child && child->parent != op->process)
			report_stranger(d, op, child);
		if (!child || child->parent != op->process || child->end_ns > op->exit_ns ||
		    child->life_left_out)
			continue;
		by = by ? by : collectors(d);
		if (!by[child->index] || collects_any(by[child->index]))
			report(d, op, child, by[child->index]);
	}
}
