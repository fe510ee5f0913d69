// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds loops, of shells mostly, that start a program again and again which asks once, gets nothing
 * and ends: `until flock -n …; do :; done`, `until nc -z …`. Nothing in them waits.
 */
#include <errno.h>
#include <inttypes.h>

#include "viz/diagnose/find/vain_calls.h"
#include "viz/diagnose/graph/connect_results.h"
#include "viz/diagnose/graph/wait_graph.h"
#include "viz/diagnose/wait/forked_memory.h"

enum {
	CHILDREN_LEAST = 50, /* in a row */
	LOOP_LEAST_NS = 500 * MILLISECOND,
	PERIOD_MOST_NS = 50 *
			 MILLISECOND, /* from the start of one to that of the next, on average */
	PAUSE_MOST_NS = 10 * MILLISECOND, /* between two of them, on average */
};

/* What a process asked for in vain, last. */
struct attempt {
	const struct viz_operation *op; /* NULL: nothing */
	const struct viz_channel *channel;
	uint64_t of; /* the same for the same object */
	bool fails;  /* the program tells so by its status: kill(1) does if it succeeds */
	enum phrase remedy;
};

/* Children of one process that asked for the same, one after the other. */
struct child_run {
	const struct viz_process *first, *last;
	struct attempt attempt;
	uint64_t count, lived_ns;
};

static bool is_refused_connect(const struct diagnosis *d, const struct viz_operation *op)
{
	const struct connect_result *later;

	if (!operation_is(op, "connect"))
		return false;
	later = connect_result_of(&d->waits->connects, op);
	return operation_has_error(op, "ECONNREFUSED") ||
	       (later && !later->given_up && later->error == ECONNREFUSED);
}

static struct attempt attempt_of(const struct diagnosis *d, const struct viz_operation *op)
{
	int64_t pid = 0;

	if (op->channel && op->channel->mechanism == MECH_FILE_LOCK &&
	    operation_has_error(op, "EAGAIN"))
		return (struct attempt){op, op->channel, op->channel->index, true,
					PHRASE_LOCK_THAT_WAITS};
	if (is_refused_connect(d, op))
		return (struct attempt){op, NULL, viz_bytes_hash(op->extra->peer_address), true,
					PHRASE_PAUSE_BETWEEN_TRIES};
	if (vain_asks_for_process(op) && viz_operation_argument(op, "pid", &pid))
		return (struct attempt){op, NULL, (uint64_t)pid, false, PHRASE_WAIT_FOR_PROCESS};
	return (struct attempt){0};
}

/* By process index: what it asked for in vain, last. */
static struct attempt *attempts(struct diagnosis *d)
{
	struct attempt *list = arena_array(d->arena, d->model->process_count + 1, sizeof(*list));

	for (size_t i = 0; i < d->model->operation_count; i++) {
		const struct viz_operation *op = d->model->operations[i];
		const struct attempt attempt = attempt_of(d, op);

		if (attempt.op)
			list[op->process->index] = attempt;
	}
	return list;
}

/* True if the child came after the others, and for the same. */
static bool goes_on(const struct child_run *run, const struct viz_process *child,
		    const struct attempt *attempt)
{
	return run->count && attempt->op && run->attempt.of == attempt->of &&
	       viz_bytes_equal(run->attempt.op->syscall, attempt->op->syscall) &&
	       child->start_ns >= run->last->end_ns;
}

/* The words of the command, as it was started. */
static const char *command_text(struct diagnosis *d, const struct viz_process *process)
{
	const char *words = NULL;

	for (size_t i = 0; i < process->args_count; i++)
		words = joined_text(d, words, " ", bytes_text(d, process->args[i]));
	return words ? words : process_text(d, process);
}

/* Of a lock: who had it when it was asked for last. */
static void tell_holder(struct diagnosis *d, struct finding *f, const struct attempt *attempt)
{
	const struct viz_process *holder = attempt->channel
						   ? wait_lock_holder(d->waits, attempt->op)
						   : NULL;

	if (!holder)
		return;
	finding_process(d, f, holder);
	finding_line(d, f,
		     fill_phrase(d, PHRASE_ONLY_UNLOCK, channel_text(d, attempt->channel),
				 process_text(d, holder), "1"));
}

static void end_run(struct diagnosis *d, struct child_run *run)
{
	const uint64_t from_ns = run->count ? run->first->start_ns : 0;
	const uint64_t long_ns = run->count ? run->last->end_ns - from_ns : 0;
	struct finding *f;

	if (run->count >= CHILDREN_LEAST && long_ns >= LOOP_LEAST_NS &&
	    long_ns <= run->count * PERIOD_MOST_NS &&
	    long_ns <= run->lived_ns + run->count * PAUSE_MOST_NS) {
		f = finding_fold(d, FINDING_BUSY_WAIT, from_ns, run->first->parent,
				 run->attempt.channel);
		f->times += run->count - 1;
		finding_operation(d, f, run->attempt.op);
		finding_set(d, f, "call", "%s", command_text(d, run->last));
		finding_set(d, f, "long", "%s", duration_text(d, long_ns));
		f->advice = phrase_text(run->attempt.remedy, d->language);
		tell_holder(d, f, &run->attempt);
	}
	*run = (struct child_run){0};
}

static bool ended_in_vain(const struct viz_process *process, const struct attempt *attempt)
{
	return attempt->op && process->ended && process->status_known && !process->exit_signal &&
	       process->end_ns >= process->start_ns && attempt->fails == (process->exit_code != 0);
}

static void add_child(struct diagnosis *d, struct child_run *run, const struct viz_process *child,
		      const struct attempt *attempt)
{
	const bool in_vain = ended_in_vain(child, attempt);

	if (!in_vain || !goes_on(run, child, attempt))
		end_run(d, run);
	if (!in_vain)
		return;
	if (!run->count++)
		run->first = child;
	run->last = child;
	run->attempt = *attempt;
	run->lived_ns += child->end_ns - child->start_ns;
}

void find_busy_children(struct diagnosis *d)
{
	const struct attempt *list;
	struct child_run *runs;

	if (d->incomplete)
		return;
	list = attempts(d);
	runs = arena_array(d->arena, d->model->process_count + 1, sizeof(*runs));
	for (size_t i = 0; i < d->model->process_count; i++) {
		const struct viz_process *child = d->model->processes[i];

		if (child->parent && !child->before_trace)
			add_child(d, &runs[child->parent->index], child, &list[i]);
	}
	for (size_t i = 0; i < d->model->process_count; i++)
		end_run(d, &runs[i]);
	report_sleep_loops(d);
	report_nap_loops(d);
}
