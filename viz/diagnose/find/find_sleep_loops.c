// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds shells that do nothing but start sleep(1) again and again when the time limit ends them, as
 * `until [ -s FILE ]; do sleep 0.2; done` does: what such a loop asks for in between makes no call
 * that is traced.
 */
#include "viz/base/shell_loop.h"
#include "viz/diagnose/find/vain_calls.h"
#include "viz/diagnose/graph/wait_graph.h"

enum { SLEEPS_LEAST = 5 }; /* in a row */

/* Children of one process that only sleep, one after the other, with the same words. */
struct sleep_run {
	const struct viz_process *first, *last;
	uint64_t count;
};

static bool only_sleeps(const struct viz_process *child)
{
	return viz_bytes_equal(viz_base_name(child->path), viz_bytes_of("sleep")) &&
	       child->args_count > 1 &&
	       (!child->ended || (child->status_known && !child->exit_signal && !child->exit_code));
}

/* The limit came when it was made, and it may be the next one to sleep. */
static bool is_about_to_execute(const struct diagnosis *d, const struct viz_process *child)
{
	return !child->ended && !child->args_count && child->start_ns < d->end_ns &&
	       d->end_ns - child->start_ns < LONG_WAIT_NS;
}

static bool goes_on(const struct sleep_run *run, const struct viz_process *child)
{
	return run->count && run->last->ended && child->start_ns >= run->last->end_ns &&
	       viz_bytes_equal(run->last->args[1], child->args[1]);
}

static void add_child(const struct diagnosis *d, struct sleep_run *run,
		      const struct viz_process *child)
{
	if (is_about_to_execute(d, child))
		return;
	if (!only_sleeps(child)) {
		*run = (struct sleep_run){0};
		return;
	}
	if (!goes_on(run, child))
		*run = (struct sleep_run){child, child, 0};
	run->last = child;
	run->count++;
}

/* Marks the processes that have moved anything since their children only sleep. */
static bool *find_movers(struct diagnosis *d, const struct sleep_run *runs)
{
	bool *moved = arena_array(d->arena, d->model->process_count + 1, sizeof(*moved));

	for (size_t i = 0; i < d->model->operation_count; i++) {
		const struct viz_operation *op = d->model->operations[i];
		const struct sleep_run *run = &runs[op->process->index];

		if (run->count && op->enter_ns >= run->first->start_ns && op->channel &&
		    (op->role == ROLE_SEND || op->role == ROLE_RECEIVE) && op->returned > 0)
			moved[op->process->index] = true;
	}
	return moved;
}

/* The file that the shell looked for once a round until now, as the kernel saw it; or nothing. */
static struct viz_bytes sought_file(const struct viz_process *shell, const struct sleep_run *run)
{
	const struct viz_failed *sought = shell->thread_count ? shell->threads[0]->sought : NULL;

	if (!sought || !viz_bytes_equal(sought->error, viz_bytes_of("ENOENT")) ||
	    sought->tries + 2 < run->count || sought->at_ns + LONG_WAIT_NS < run->last->start_ns)
		return (struct viz_bytes){0};
	return sought->path;
}

/*
 * The file for which the shell tests between its pauses, also one that is there, which the script
 * of sh -c tells; empty: it does otherwise.
 */
static struct viz_bytes tested_file(const struct viz_process *shell, const struct sleep_run *run)
{
	struct viz_bytes file = sought_file(shell, run);
	bool comes;

	for (size_t i = 1; i < shell->args_count && !file.len; i++)
		file = shell_loops_tested(shell->args[i], run->last->args[1], &comes);
	return file;
}

/* Without the text of the loop it may do what makes no call that is traced: it is only a note. */
static void report(struct diagnosis *d, const struct viz_process *shell,
		   const struct sleep_run *run)
{
	struct finding *f = finding_fold(d, FINDING_BUSY_WAIT, run->first->start_ns, shell, NULL);
	const struct viz_bytes file = tested_file(shell, run);

	f->times += run->count - 1;
	finding_set(d, f, "call", "sleep %s", bytes_text(d, run->last->args[1]));
	finding_set(d, f, "long", "%s", duration_text(d, d->end_ns - run->first->start_ns));
	if (file.len)
		finding_line(d, f,
			     fill_phrase(d, PHRASE_TESTS_FOR_FILE, process_text(d, shell),
					 bytes_text(d, file), NULL));
	else
		f->severity = SEVERITY_NOTE;
	f->advice = phrase_text(PHRASE_TELL_INSTEAD_OF_TEST, d->language);
}

void report_sleep_loops(struct diagnosis *d)
{
	const size_t count = d->model->process_count;
	struct sleep_run *runs = arena_array(d->arena, count + 1, sizeof(*runs));
	const bool *moved;

	if (d->model->trailer.why != END_REASON_TIMEOUT || !d->model->header.command_count)
		return;
	for (size_t i = 0; i < count; i++)
		if (d->model->processes[i]->parent && !d->model->processes[i]->before_trace)
			add_child(d, &runs[d->model->processes[i]->parent->index],
				  d->model->processes[i]);
	moved = find_movers(d, runs);
	for (size_t i = 0; i < count; i++)
		if (runs[i].count >= SLEEPS_LEAST && !moved[i] && !d->model->processes[i]->ended &&
		    d->end_ns - runs[i].first->start_ns >= 2 * LONG_WAIT_NS &&
		    (!runs[i].last->ended || d->end_ns - runs[i].last->end_ns < LONG_WAIT_NS))
			report(d, d->model->processes[i], &runs[i]);
}
