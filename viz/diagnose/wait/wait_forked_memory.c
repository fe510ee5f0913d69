// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds processes that wait for a variable which a child by fork(2) sets in a copy of its own:
 * `while (!flag) usleep(1000);`. What such a loop looks at makes no call. One that tests for a file
 * looks the same in the trace, but not to the look at the time limit, which counts all calls.
 */
#include <signal.h>

#include "viz/diagnose/wait/forked_memory.h"
#include "viz/diagnose/wait/waits.h"

#define NAPS_LEAST 5			 /* in a row */
#define SHORT_NAP_NS (150 * MILLISECOND) /* so short ones are watched: user/glance/watch.c */
#define CLOSE_NS (5 * MILLISECOND)	 /* of a sleep until a given time the length differs */

/* --- whether it could see what others do ------------------------------------------------------ */

/* Python handles SIGINT in each program, and only to end it. */
static bool has_handlers(const struct viz_process *process)
{
	uint64_t handled = process->handled;

	if (process_is_written_in(process, "python"))
		handled &= ~(UINT64_C(1) << (SIGINT - 1));
	return handled != 0;
}

/* What is mapped for one process alone is in no trace. */
static bool maps_shared(const struct viz_operation *op)
{
	return !viz_operation_failed(op) && (operation_is(op, "mmap") || operation_is(op, "shmat"));
}

/* Fills in of all processes at once what is asked of each. */
static const struct wait_clues *clues_of(const struct diagnosis *d)
{
	const struct viz_model *model = d->model;
	struct wait_clues *clues = &d->waits->clues;

	if (clues->maps)
		return clues;
	clues->maps = arena_array(d->arena, model->process_count + 1, sizeof(*clues->maps));
	clues->executed_ns = arena_array(d->arena, model->process_count + 1,
					 sizeof(*clues->executed_ns));
	for (size_t i = 0; i < model->operation_count; i++)
		if (maps_shared(model->operations[i]))
			clues->maps[model->operations[i]->process->index] = true;
	for (size_t i = 0; i < model->process_event_count; i++) {
		const struct viz_process_event *event = model->process_events[i];

		if (event->event == PROCESS_EVENT_EXEC)
			clues->executed_ns[event->process->index] = event->at_ns;
	}
	return clues;
}

/* When the program of the process began that runs now. */
static uint64_t began_ns(const struct diagnosis *d, const struct viz_process *process)
{
	const uint64_t executed_ns = clues_of(d)->executed_ns[process->index];

	return executed_ns ? executed_ns : process->start_ns;
}

/* What was mapped before it executed its program is asked, too, though that took it away. */
static bool may_share(const struct diagnosis *d, const struct viz_process *process)
{
	for (; process; process = process->parent)
		if (clues_of(d)->maps[process->index])
			return true;
	return false;
}

static bool has_failed(const struct viz_process *process)
{
	return process->ended &&
	       (!process->status_known || process->exit_signal || process->exit_code);
}

static struct forked_copies copies_of(const struct diagnosis *d, const struct viz_process *process)
{
	const uint64_t since_ns = began_ns(d, process);
	struct forked_copies copies = {0};

	for (size_t i = 0; i < d->model->process_count; i++) {
		const struct viz_process *child = d->model->processes[i];

		if (child->start_ns < since_ns || child->path.data || has_failed(child) ||
		    !viz_process_descends(child, process))
			continue;
		copies.any_lives |= !child->ended;
		if (child->parent == process && !copies.count++)
			copies.first = child;
	}
	return copies;
}

/* Of one that tracing found, what it had mapped before is not known. */
static bool is_known(const struct viz_process *process)
{
	return !process->before_trace || process->path.data;
}

bool changes_alone(const struct diagnosis *d, const struct viz_process *process,
		   struct forked_copies *copies)
{
	*copies = (struct forked_copies){0};
	if (d->incomplete || process->ended || !process->forked || !is_known(process) ||
	    !process_is_lone(process) || has_handlers(process))
		return false;
	*copies = copies_of(d, process);
	return copies->first && !may_share(d, process);
}

void tell_unshared(struct diagnosis *d, struct finding *f, const struct viz_process *process,
		   const struct forked_copies *copies)
{
	const char *copy = process_text(d, copies->first);

	if (copies->count > 1)
		copy = joined_text(d, copy, phrase_text(PHRASE_AND, d->language),
				   more_text(d, copies->count - 1));
	finding_line(
		d, f,
		fill_phrase(d, PHRASE_UNSHARED_VARIABLE, process_text(d, process), copy, NULL));
	f->advice = advice_for(d, ADVICE_UNSHARED_VARIABLE, process);
}

/* --- loops that sleep ------------------------------------------------------------------------- */

/* Sleeps of one process, one after the other, of the same length, with no other call between. */
struct nap_run {
	const struct viz_operation *first, *last;
	uint64_t count;
};

static bool is_nap(const struct viz_operation *op)
{
	return viz_has(op, timeout_ns) && op->extra->timeout_ns &&
	       (operation_is(op, "nanosleep") || operation_is(op, "clock_nanosleep"));
}

static bool goes_on(const struct nap_run *run, const struct viz_operation *op)
{
	const uint64_t one_ns = run->count ? run->first->extra->timeout_ns : 0,
		       other_ns = op->extra->timeout_ns;

	return run->count && run->last->returned == 0 && one_ns < other_ns + CLOSE_NS &&
	       other_ns < one_ns + CLOSE_NS;
}

static void add_call(struct nap_run *run, const struct viz_operation *op)
{
	if (!is_nap(op)) {
		*run = (struct nap_run){0};
		return;
	}
	if (!goes_on(run, op))
		*run = (struct nap_run){.first = op};
	run->last = op;
	run->count += 1 + op->extra->repeats.count;
}

static struct nap_run *nap_runs(struct diagnosis *d)
{
	struct nap_run *runs = arena_array(d->arena, d->model->process_count + 1, sizeof(*runs));

	for (size_t i = 0; i < d->model->operation_count; i++) {
		const struct viz_operation *op = d->model->operations[i];

		add_call(&runs[op->process->index], op);
	}
	return runs;
}

static bool lasts(const struct diagnosis *d, const struct nap_run *run)
{
	return run->count >= NAPS_LEAST && d->end_ns - run->first->enter_ns >= LONG_WAIT_NS &&
	       (!viz_operation_done(run->last) || d->end_ns - run->last->exit_ns < LONG_WAIT_NS);
}

/* What the look saw of its calls. */
enum watched {
	WATCHED_NOT,  /* its sleeps are too long for that */
	WATCHED_NAPS, /* it only slept */
	WATCHED_ELSE, /* it made other calls, or that is not known */
};

static enum watched watched_calls(const struct viz_thread *thread)
{
	for (size_t i = 0; i < thread->calls_count; i++)
		if (!viz_bytes_equal(thread->calls[i], viz_bytes_of("clock_nanosleep()")) &&
		    !viz_bytes_equal(thread->calls[i], viz_bytes_of("nanosleep()")))
			return WATCHED_ELSE;
	return thread->naps_ns && thread->calls_count ? WATCHED_NAPS : WATCHED_ELSE;
}

static enum watched watched_of(const struct diagnosis *d, const struct nap_run *run)
{
	const struct viz_process *seen = d->looked ? viz_model_process(d->looked,
								       run->last->process->pid,
								       d->looked->trailer.at_ns)
						   : NULL;

	if (run->first->extra->timeout_ns > SHORT_NAP_NS)
		return WATCHED_NOT;
	return seen && seen->thread_count == 1 ? watched_calls(seen->threads[0]) : WATCHED_ELSE;
}

/* True if it only says that the process of the nap_run sleeps, or has just woken up. */
static bool says_less(const struct finding *f, const void *context)
{
	const struct nap_run *run = context;

	return f->severity == SEVERITY_NOTE && f->process_count &&
	       f->processes[0] == run->last->process &&
	       (f->row == finding_row(FINDING_BLOCKED) || f->row == finding_row(FINDING_RUNNING));
}

/* It may test for a file, or count, unless all its calls are known; or wait on purpose. */
static void report(struct diagnosis *d, const struct nap_run *run, enum watched watched,
		   const struct forked_copies *copies)
{
	const struct viz_process *process = run->last->process;
	struct finding *f;

	findings_drop(d, says_less, run);
	f = finding_add(d, FINDING_BUSY_WAIT, run->first->enter_ns, NULL);
	f->times = run->count;
	finding_process(d, f, process);
	finding_process(d, f, copies->first);
	finding_operation(d, f, run->last);
	finding_set(d, f, "who", "%s", process_text(d, process));
	finding_set(d, f, "call", "%s(%s)", bytes_text(d, run->last->syscall),
		    duration_text(d, run->first->extra->timeout_ns));
	finding_set(d, f, "long", "%s", duration_text(d, d->end_ns - run->first->enter_ns));
	if (watched == WATCHED_NAPS)
		finding_line(
			d, f,
			fill_phrase(d, PHRASE_NO_OTHER_CALL, process_text(d, process), NULL, NULL));
	if (watched != WATCHED_NAPS || copies->any_lives)
		f->severity = SEVERITY_NOTE;
	tell_unshared(d, f, process, copies);
}

/* A server may sleep beside the children that work for it, and rarely so short. */
static void look_into(struct diagnosis *d, const struct nap_run *run)
{
	const enum watched watched = watched_of(d, run);
	struct forked_copies copies;

	if (watched != WATCHED_ELSE && changes_alone(d, run->last->process, &copies) &&
	    (watched == WATCHED_NAPS || !copies.any_lives))
		report(d, run, watched, &copies);
}

void report_nap_loops(struct diagnosis *d)
{
	const struct nap_run *runs;

	if (d->model->trailer.why != END_REASON_TIMEOUT || !d->model->header.command_count)
		return;
	runs = nap_runs(d);
	for (size_t i = 0; i < d->model->process_count; i++)
		if (lasts(d, &runs[i]))
			look_into(d, &runs[i]);
}
