// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds children that could not execute a program, and then went on in the code of their parent:
 * exec(3) returns only if it fails, and whoever does not end there is a second parent.
 */
#include <inttypes.h>

#include "viz/diagnose/process/failed_execs.h"
#include "viz/diagnose/wait/waits.h"

/* What a child did after its exec failed. */
struct afterwards {
	const struct viz_failed *failed;
	const struct viz_operation *first; /* that a child which ends at once does not do */
	bool wrote;			   /* other than to standard error */
	bool silent;			   /* it wrote nothing at all */
	bool forked;
};

/* A shell reads a file without a #! line itself, in the child that could not execute it. */
static bool is_script_of_shell(const struct viz_process *process, const struct viz_failed *failed)
{
	return viz_bytes_equal(failed->error, viz_bytes_of("ENOEXEC")) &&
	       process_is_written_in(process->parent, "shell");
}

/* The last exec that failed, of a process that lives in the code it was forked in. */
static const struct viz_failed *failed_exec(const struct viz_process *process)
{
	if (!process->parent || process->before_trace || process->path.len)
		return NULL;
	for (size_t i = 0; i < process->thread_count; i++)
		if (process->threads[i]->unexecuted &&
		    !is_script_of_shell(process, process->threads[i]->unexecuted))
			return process->threads[i]->unexecuted;
	return NULL;
}

/* A child that ends tells why: in words, or to its parent, through a pipe. */
static void note_call(struct afterwards *after, const struct viz_operation *op)
{
	const bool waits = operation_is(op, "wait4") || operation_is(op, "waitid");

	if (op->enter_ns < after->failed->at_ns)
		return;
	after->silent &= op->role != ROLE_SEND;
	after->wrote |= op->role == ROLE_SEND && op->fd != 2 && op->returned > 0;
	if (!after->first && (waits || (op->role == ROLE_RECEIVE && op->channel)))
		after->first = op;
}

/* Shells end such a child with status 126 or 127, and say so where standard error goes. */
static bool ended_as_it_should(const struct viz_process *process)
{
	enum { NOT_EXECUTABLE = 126, NOT_FOUND = 127 };

	return process->ended && process->status_known && !process->exit_signal &&
	       (process->exit_code == NOT_EXECUTABLE || process->exit_code == NOT_FOUND);
}

static bool went_on(const struct diagnosis *d, const struct viz_process *process,
		    const struct afterwards *after)
{
	if (ended_as_it_should(process))
		return false;
	if (after->first || after->forked)
		return true;
	if (process->ended)
		return viz_process_succeeded(process) && after->wrote;
	return lasted_ns(d, after->failed->at_ns) >= LONG_WAIT_NS;
}

/* What a child may do on purpose that found no program: it does the work itself, and ends well. */
static bool may_be_meant(const struct viz_process *process, const struct afterwards *after)
{
	return viz_process_succeeded(process) && !after->forked;
}

static const char *reason_text(struct diagnosis *d, struct viz_bytes error)
{
	static const struct {
		const char *error;
		enum phrase reason;
	} reasons[] = {
		{"ENOENT", PHRASE_NO_SUCH_PROGRAM},
		{"EACCES", PHRASE_MAY_NOT_EXECUTE},
		{"ENOEXEC", PHRASE_NO_PROGRAM},
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (viz_bytes_equal(error, viz_bytes_of(reasons[i].error)))
			return phrase_text(reasons[i].reason, d->language);
	return bytes_text(d, error);
}

/* The path; of one that was sought in several folders, those of PATH, the name. */
static const char *program_text(struct diagnosis *d, const struct viz_failed *failed)
{
	return bytes_text(d, failed->tries > 1 ? viz_base_name(failed->path) : failed->path);
}

const char *failed_exec_text(struct diagnosis *d, const struct viz_process *process)
{
	const struct viz_failed *failed = failed_exec(process);

	return failed ? fill_phrase(d, PHRASE_COULD_NOT_EXECUTE, process_text(d, process),
				    program_text(d, failed), reason_text(d, failed->error))
		      : NULL;
}

static bool ended_in_silence(const struct viz_process *process, const struct afterwards *after)
{
	return process->ended && after->silent && process->status_known && !process->exit_signal &&
	       process->exit_code && !ended_as_it_should(process);
}

static void report(struct diagnosis *d, const struct viz_process *process,
		   const struct afterwards *after)
{
	const bool on = went_on(d, process, after);
	struct finding *f;

	if (!on && !ended_in_silence(process, after))
		return;
	f = finding_fold_kind(d, FINDING_EXEC_FAILED, on, after->failed->at_ns, process->parent,
			      NULL);
	finding_process(d, f, process);
	finding_operation(d, f, after->first);
	if (f->times > 1)
		return;
	if (!on || may_be_meant(process, after))
		f->severity = SEVERITY_NOTE;
	finding_set(d, f, "child", "%s", process_text(d, process));
	finding_set(d, f, "program", "%s", program_text(d, after->failed));
	finding_set(d, f, "why", "%s", reason_text(d, after->failed->error));
	finding_set(
		d, f, "then", "%s",
		on ? fill_phrase(d, PHRASE_WENT_ON, process_text(d, process->parent), NULL, NULL)
		   : fill_phrase(d, PHRASE_ENDED_WITH,
				 format_text(d, "%" PRIu32, process->exit_code), NULL, NULL));
}

void find_failed_execs(struct diagnosis *d)
{
	const size_t count = d->model->process_count;
	struct afterwards *all = arena_array(d->arena, count + 1, sizeof(*all));

	if (d->incomplete)
		return;
	for (size_t i = 0; i < count; i++)
		all[i] = (struct afterwards){.failed = failed_exec(d->model->processes[i]),
					     .silent = true};
	for (size_t i = 0; i < count; i++) {
		const struct viz_process *process = d->model->processes[i];

		if (process->parent && all[process->parent->index].failed)
			all[process->parent->index].forked |=
				process->start_ns >= all[process->parent->index].failed->at_ns;
	}
	for (size_t i = 0; i < d->model->operation_count; i++)
		if (all[d->model->operations[i]->process->index].failed)
			note_call(&all[d->model->operations[i]->process->index],
				  d->model->operations[i]);
	for (size_t i = 0; i < count; i++)
		if (all[i].failed)
			report(d, d->model->processes[i], &all[i]);
}
