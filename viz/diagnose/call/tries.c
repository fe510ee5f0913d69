// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/diagnose/call/tries.h"

#include <inttypes.h>

#include "viz/diagnose/graph/wait_graph.h"
#include "viz/diagnose/wait/waits.h"

enum { TRIES_LEAST = 3 };

bool tries_are_many(const struct tries *tries)
{
	return tries->count >= TRIES_LEAST && tries->until_ns > tries->from_ns &&
	       tries->until_ns - tries->from_ns >= LONG_WAIT_NS;
}

bool tries_to_the_end(const struct diagnosis *d, const struct tries *tries)
{
	const struct viz_process *process = tries->process;
	const uint64_t end_ns = process->ended ? process->end_ns : d->end_ns;
	const uint64_t round_ns = (tries->until_ns - tries->from_ns) / tries->count;

	return (!process->ended || (viz_process_failed(process) && !process->exit_signal)) &&
	       end_ns - tries->until_ns < LONG_WAIT_NS + 2 * round_ns;
}

/* True if the thread has slept since then, in a call that is recorded or in its own memory. */
static bool has_slept_since(const struct diagnosis *d, const struct viz_thread *thread,
			    uint64_t since_ns)
{
	if (thread->state == TARGET_STATE_BLOCKED && thread->own)
		return thread->since_ns && thread->since_ns <= since_ns;
	for (const struct wait *wait = wait_of_process(d->waits, thread->process); wait;
	     wait = wait->next_of_process)
		if (wait->operation->thread == thread)
			return wait->operation->enter_ns <= since_ns;
	return false;
}

/* Pools of threads that had nothing to do all the time, as node has, count for nothing. */
static bool is_alone(const struct diagnosis *d, const struct tries *tries)
{
	const struct viz_process *process = tries->process;
	size_t awake = 0;

	if (process->ended || process_is_lone(process))
		return true;
	for (size_t i = 0; i < process->thread_count; i++)
		awake += process->threads[i]->end_ns == VIZ_NEVER &&
			 !has_slept_since(d, process->threads[i], tries->from_ns);
	return awake <= 1;
}

bool tries_alone(const struct diagnosis *d, const struct tries *tries)
{
	return tries_to_the_end(d, tries) && is_alone(d, tries);
}

bool *tries_told_as_busy(struct diagnosis *d)
{
	bool *busy = arena_array(d->arena, d->model->process_count + 1, sizeof(*busy));

	for (size_t i = 0; i < d->count; i++)
		if (d->findings[i]->row == finding_row(FINDING_BUSY_WAIT))
			busy[d->findings[i]->processes[0]->index] = true;
	return busy;
}

void tries_set(struct diagnosis *d, struct finding *f, const struct tries *tries)
{
	const char *within = duration_text(d, tries->until_ns - tries->from_ns);

	finding_set(d, f, "tries", "%" PRIu64, tries->count);
	finding_set(d, f, "time", "%s",
		    tries->count > 1 ? fill_phrase(d, PHRASE_WITHIN, within, NULL, NULL) : "");
}

void report_lock_file(struct diagnosis *d, const struct tries *tries,
		      const struct viz_operation *last, struct viz_bytes path)
{
	struct finding *f;

	if (!tries_are_many(tries))
		return;
	f = finding_add(d, FINDING_LOCK_FILE, tries->until_ns, NULL);
	finding_process(d, f, tries->process);
	finding_operation(d, f, last);
	tries_set(d, f, tries);
	if (!tries_alone(d, tries))
		f->severity = SEVERITY_NOTE;
	finding_set(d, f, "who", "%s", process_text(d, tries->process));
	finding_set(d, f, "path", "%s", bytes_text(d, path));
}

bool opens_plain_file(const struct viz_operation *op)
{
	return op->role == ROLE_OPEN && !op->channel && op->extra->path.len &&
	       (operation_is(op, "open") || operation_is(op, "openat"));
}

bool call_moves(const struct viz_operation *op)
{
	if (opens_plain_file(op))
		return op->returned >= 0;
	return (op->role == ROLE_SEND || op->role == ROLE_RECEIVE) && op->returned > 0 &&
	       !operation_prints(op);
}
