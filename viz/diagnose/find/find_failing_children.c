// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Workers that fail before they do anything, and are started again and again: who waits for what
 * they should do waits for ever, as multiprocessing.Pool does whose initializer raises.
 */
#include <inttypes.h>

#include "viz/diagnose/find/find_waits.h"

enum {
	FAILED_LEAST = 6,    /* in a row */
	STDERR = 2,	     /* what is written up to there tells why it failed */
	LIVED_MOST_S = 1,    /* each of them */
	FAILED_LATELY_S = 2, /* the last of them, before the end */
};

#define SECOND (1000 * MILLISECOND)

/* By process index: it has received something, or sent more than messages for its user. */
static const bool *find_active(struct diagnosis *d)
{
	bool *active = arena_array(d->arena, d->model->process_count + 1, sizeof(*active));

	for (size_t i = 0; i < d->model->operation_count; i++) {
		const struct viz_operation *op = d->model->operations[i];

		if (op->returned > 0 && (op->role == ROLE_RECEIVE || op->role == ROLE_TRANSFER ||
					 (op->role == ROLE_SEND && op->fd > STDERR)))
			active[op->process->index] = true;
	}
	return active;
}

/* Children of one process that failed one after the other. */
struct failing {
	const struct viz_process *last;
	uint64_t count;
};

/* A child that runs on as its parent's copy does its work; others were started to tell something. */
static bool is_worker_that_failed(const struct viz_process *child, const bool *active)
{
	return viz_process_failed(child) && process_is_copy(child) && !active[child->index] &&
	       child->end_ns < child->start_ns + LIVED_MOST_S * SECOND;
}

static bool ended_alike(const struct viz_process *one, const struct viz_process *other)
{
	return one->exit_signal == other->exit_signal && one->exit_code == other->exit_code;
}

static struct failing find_failing(const struct diagnosis *d, const struct viz_process *parent,
				   const bool *active)
{
	struct failing failing = {0};

	for (size_t i = 0; i < d->model->process_count; i++) {
		const struct viz_process *child = d->model->processes[i];

		if (child->parent != parent || !child->ended)
			continue;
		if (!is_worker_that_failed(child, active)) {
			failing = (struct failing){0};
			continue;
		}
		if (failing.last && !ended_alike(failing.last, child))
			failing.count = 0;
		failing.last = child;
		failing.count++;
	}
	return failing;
}

bool tell_failing_children(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	struct failing failing = {0};

	if (!d->incomplete && !d->waits->whole && !wait->clock &&
	    wait->operation->role == ROLE_RECEIVE && !process_is_written_in(wait->process, "shell"))
		failing = find_failing(d, wait->process, find_active(d));
	if (failing.count < FAILED_LEAST ||
	    failing.last->end_ns + FAILED_LATELY_S * SECOND < d->end_ns)
		return false;
	finding_set(d, f, "chain", "; %s",
		    fill_phrase(d, PHRASE_FAILING_CHILDREN,
				format_text(d, "%" PRIu64, failing.count),
				process_text(d, wait->process), status_text(d, failing.last)));
	finding_process(d, f, failing.last);
	finding_set(d, f, "culprit", "%s", process_text(d, wait->process));
	f->advice = advice_for(d, ADVICE_CHILDREN_FAIL, wait->process);
	f->explained = true;
	return true;
}
