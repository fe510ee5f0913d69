// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds locks on files that two had at the same time, although one of them shuts all others out. A
 * close(2) that gives locks back is not in the trace; that another got a lock before its owner gave
 * it back is. Only an owner that gives it back itself is known to have thought so long that it had
 * it. See fcntl(2), "Record locks" and "Open file description locks", and flock(2).
 */
#include <stdlib.h>

#include "viz/base/compare.h"
#include "viz/diagnose/core/finder.h"

enum { HELD_MOST = 16 }; /* of one file at once */

/* A lock that somebody believes to have, and the first that got it too. */
struct held {
	const struct viz_operation *grant, *other;
};

/* The calls that lock and unlock one file. */
struct file_calls {
	const struct viz_operation **items;
	size_t count;
};

struct search {
	struct diagnosis *d;
	struct file_calls *files; /* by the channel's index */
	struct held held[HELD_MOST];
	size_t count;
};

static bool unlocks(const struct viz_operation *op)
{
	return op->extra->lock.mode == LOCK_MODE_UNLOCK;
}

static bool is_flock(const struct viz_operation *op)
{
	return op->extra->lock.kind == LOCK_KIND_FLOCK;
}

static bool overlap(const struct viz_lock *a, const struct viz_lock *b)
{
	return a->from < b->to && b->from < a->to;
}

static bool conflict(const struct viz_lock *a, const struct viz_lock *b)
{
	return overlap(a, b) && (a->mode == LOCK_MODE_EXCLUSIVE || b->mode == LOCK_MODE_EXCLUSIVE);
}

/* A lock of a process is its own whatever descriptor is named, each other one the open file's. */
static bool same_owner(const struct viz_operation *a, const struct viz_operation *b)
{
	return a->process == b->process && a->extra->lock.kind == b->extra->lock.kind &&
	       (a->extra->lock.kind == LOCK_KIND_POSIX || a->fd == b->fd);
}

/* True if one shuts the other out; threads may share what they do not ask for in the same words. */
static bool excludes(const struct viz_operation *grant, const struct viz_operation *op)
{
	const struct viz_lock *a = &grant->extra->lock, *b = &op->extra->lock;

	if (unlocks(op) || !conflict(a, b))
		return false;
	return op->process != grant->process || (same_owner(grant, op) && a->mode == b->mode &&
						 a->from == b->from && a->to == b->to);
}

/* Whose locks do not see those of the other, or no more. */
static enum phrase cause_of(const struct held *held)
{
	if (is_flock(held->grant) != is_flock(held->other))
		return PHRASE_LOCKS_OF_TWO_KINDS;
	if (held->grant->extra->lock.kind != LOCK_KIND_POSIX)
		return PHRASE_LOCK_OF_OPEN_FILE;
	return held->grant->process == held->other->process ? PHRASE_LOCK_OF_PROCESS
							    : PHRASE_LOCK_LOST_BY_CLOSE;
}

static const char *owner_text(struct diagnosis *d, const struct held *held,
			      const struct viz_operation *op)
{
	if (held->grant->process != held->other->process)
		return process_text(d, op->process);
	return format_text(d, "%s tid %u", process_text(d, op->process), op->thread->tid);
}

static void report(struct diagnosis *d, const struct held *held)
{
	const struct viz_operation *grant = held->grant, *other = held->other;
	const char *who = owner_text(d, held, grant);
	struct finding *f = finding_fold(d, FINDING_LOCK_IN_VAIN, other->exit_ns, grant->process,
					 grant->channel);

	if (f->times > 1)
		return;
	finding_process(d, f, other->process);
	finding_operation(d, f, grant);
	finding_operation(d, f, other);
	finding_set(d, f, "who", "%s", who);
	finding_set(d, f, "other", "%s", owner_text(d, held, other));
	finding_set(d, f, "why", "%s",
		    fill_phrase(d, cause_of(held), who, is_flock(grant) ? "flock()" : "fcntl()",
				is_flock(other) ? "flock()" : "fcntl()"));
}

/* True if the lock is still believed to be had after this call of somebody. */
static bool goes_on(struct diagnosis *d, struct held *held, const struct viz_operation *op)
{
	const struct viz_operation *grant = held->grant;
	const bool own = same_owner(grant, op);

	if (!overlap(&grant->extra->lock, &op->extra->lock))
		return true;
	if (own && op->thread == grant->thread) {
		if (unlocks(op) && held->other)
			report(d, held);
		return false;
	}
	if (own && unlocks(op)) /* whose lock it gives back, only the threads know */
		return held->other && held->other->thread == op->thread;
	if (!held->other && op->enter_ns >= grant->exit_ns && excludes(grant, op))
		held->other = op;
	return true;
}

static void take_call(struct search *search, const struct viz_operation *op)
{
	size_t kept = 0;

	for (size_t i = 0; i < search->count; i++)
		if (goes_on(search->d, &search->held[i], op))
			search->held[kept++] = search->held[i];
	search->count = kept;
	if (!unlocks(op) && search->count < HELD_MOST)
		search->held[search->count++] = (struct held){.grant = op};
}

/* A lock is had when its call returns, and no more when the one that gives it back begins. */
static int by_time(const void *a, const void *b)
{
	const struct viz_operation *x = *(const struct viz_operation *const *)a;
	const struct viz_operation *y = *(const struct viz_operation *const *)b;

	return COMPARE(unlocks(x) ? x->enter_ns : x->exit_ns, unlocks(y) ? y->enter_ns : y->exit_ns)
		       ?: COMPARE(x->id, y->id);
}

static void note(struct search *search, const struct viz_operation *op)
{
	struct file_calls *file;

	if (!op->channel || op->channel->mechanism != MECH_FILE_LOCK || !viz_operation_done(op) ||
	    viz_operation_failed(op) || op->extra->lock.mode == LOCK_MODE_NONE ||
	    !op->extra->lock.placed)
		return;
	file = &search->files[op->channel->index];
	ARENA_PUSH(search->d->arena, file->items, file->count, op);
}

void find_locks_in_vain(struct diagnosis *d)
{
	struct search search = {
		.d = d,
		.files = arena_array(d->arena, d->model->channel_count + 1, sizeof(*search.files)),
	};

	for (size_t i = 0; i < d->model->operation_count && !d->incomplete; i++)
		note(&search, d->model->operations[i]);
	for (size_t i = 0; i < d->model->channel_count; i++) {
		const struct file_calls *file = &search.files[i];

		if (file->count < 3)
			continue;
		qsort(file->items, file->count, sizeof(file->items[0]), by_time);
		search.count = 0;
		for (size_t k = 0; k < file->count; k++)
			take_call(&search, file->items[k]);
	}
}
