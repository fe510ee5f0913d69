// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds lines that a fork doubled: what lies in the buffer of stdio when a process forks is copied
 * with its memory, and parent and child both write it (fork(2), exit(3)). Nothing in the kernel
 * tells when a program printed what it writes, so this is never more than a note.
 */
#include <unistd.h>

#include "viz/diagnose/core/finder.h"
#include "viz/diagnose/wait/waits.h"

enum { LINE_MOST = 60 };

/* What is known of one process. */
struct printer {
	const struct viz_operation *first;  /* its own first write to standard output */
	const struct viz_operation *parent; /* its parent's first one since it was born */
	struct printer *children;	    /* since whose birth it has not written; by birth */
	struct printer *next;		    /* a sibling */
	const struct viz_process *process;
	uint64_t executed_ns; /* when it last began another program; 0: never */
};

/* True for what a process has written to its standard output. */
static bool is_output(const struct viz_operation *op)
{
	return op->role == ROLE_SEND && op->fd == STDOUT_FILENO && op->process &&
	       operation_is(op, "write") && viz_operation_done(op) && op->returned > 0;
}

/* Returns how many bytes the whole lines have with which both begin. */
static size_t lines_alike(struct viz_bytes one, struct viz_bytes other)
{
	size_t alike = 0;

	for (size_t i = 0; i < one.len && i < other.len && one.data[i] == other.data[i]; i++)
		if (one.data[i] == '\n')
			alike = i + 1;
	return alike;
}

/* True if the process wrote more than these bytes. */
static bool goes_on(const struct viz_operation *op, size_t alike)
{
	return (uint64_t)op->returned > alike;
}

/* Both buffers are of the program that forked: a new program begins with empty ones. */
static bool keeps_program(const struct printer *printer, const struct printer *since)
{
	return printer->executed_ns <= since->process->start_ns;
}

/*
 * Returns how many bytes of whole lines both began their output with; 0: they need not come from
 * one buffer, as where both wrote the same and no more, which is what fork() is shown with.
 */
static size_t doubled(const struct printer *printers, const struct printer *child)
{
	size_t alike;

	if (!child->first || !child->parent || child->first->channel != child->parent->channel ||
	    !keeps_program(child, child) ||
	    !keeps_program(&printers[child->process->parent->index], child) ||
	    process_is_written_in(child->process, "shell"))
		return 0;
	alike = lines_alike(child->first->payload, child->parent->payload);
	return goes_on(child->first, alike) || goes_on(child->parent, alike) ? alike : 0;
}

/* Returns the first line, or as much of it as a sentence can have. */
static struct viz_bytes line_of(struct viz_bytes text)
{
	struct viz_bytes line = {text.data, 0};

	while (line.len < LINE_MOST && line.len < text.len && text.data[line.len] != '\n')
		line.len++;
	return line;
}

static void report(struct diagnosis *d, const struct printer *child, size_t alike)
{
	const struct viz_process *parent = child->process->parent;
	struct finding *f = finding_fold(d, FINDING_DOUBLED_OUTPUT, child->first->enter_ns, parent,
					 child->first->channel);

	finding_process(d, f, parent);
	finding_process(d, f, child->process);
	finding_operation(d, f, child->parent);
	finding_operation(d, f, child->first);
	finding_set(d, f, "who", "%s", process_text(d, parent));
	finding_set(d, f, "child", "%s", process_text(d, child->process));
	finding_set(d, f, "bytes", "%s", amount_text(d, alike));
	finding_set(d, f, "line", "%s", bytes_text(d, line_of(child->first->payload)));
}

static void note_output(struct printer *printers, const struct viz_operation *op)
{
	struct printer *printer = &printers[op->process->index];

	if (!printer->first)
		printer->first = op;
	while (printer->children && printer->children->process->start_ns <= op->enter_ns) {
		printer->children->parent = op;
		printer->children = printer->children->next;
	}
}

static struct printer *all_printers(struct diagnosis *d)
{
	const struct viz_model *model = d->model;
	struct printer *printers = arena_array(d->arena, model->process_count + 1,
					       sizeof(*printers));

	for (size_t i = model->process_count; i-- > 0;) {
		struct viz_process *process = model->processes[i];
		struct printer *parent = process->parent ? &printers[process->parent->index] : NULL;

		printers[i].process = process;
		if (!parent || process->before_trace)
			continue;
		printers[i].next = parent->children;
		parent->children = &printers[i];
	}
	for (size_t i = 0; i < model->process_event_count; i++)
		if (model->process_events[i]->event == PROCESS_EVENT_EXEC)
			printers[model->process_events[i]->process->index].executed_ns =
				model->process_events[i]->at_ns;
	return printers;
}

void find_doubled_output(struct diagnosis *d)
{
	struct printer *printers = all_printers(d);

	for (size_t i = 0; i < d->model->operation_count && !d->incomplete; i++)
		if (is_output(d->model->operations[i]))
			note_output(printers, d->model->operations[i]);
	for (size_t i = 0; i < d->model->process_count && !d->incomplete; i++) {
		size_t alike = doubled(printers, &printers[i]);

		if (alike)
			report(d, &printers[i], alike);
	}
}
