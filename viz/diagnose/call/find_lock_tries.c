// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds who asks for a file lock without waiting, again and again, and never gets it, or gives up
 * at once: "database is locked". See fcntl(2), F_SETLK, and flock(2), LOCK_NB. The same of who
 * would make a file that serves as a lock, and finds it there: open(2), O_EXCL.
 */
#include <inttypes.h>

#include "viz/diagnose/call/retry_loops.h"
#include "viz/diagnose/call/tries.h"
#include "viz/diagnose/graph/wait_graph.h"
#include "viz/diagnose/wait/waits.h"

/* The refused requests of one process for one part of a file, or a lock file, since it had it. */
struct refusals {
	const struct viz_operation *first, *last;
	size_t count;
};

struct search {
	struct diagnosis *d;
	struct map of_lock;    /* struct refusals, by what is asked for */
	struct map of_file;    /* the same, by process and path of a lock file */
	struct refusals **all; /* in the order of their first request */
	size_t count;
	uint64_t *moved_ns; /* by process index: when it last sent or received something */
	bool *busy;	    /* by process index: busy-wait tells of it already */
};

static struct refusals *refusals_at(struct search *search, struct map *map, struct viz_bytes key)
{
	struct refusals *refusals = map_get(map, key);
	struct arena *arena = search->d->arena;

	if (refusals)
		return refusals;
	refusals = arena_alloc(arena, sizeof(*refusals));
	map_put(arena, map, arena_bytes(arena, key.data, key.len), refusals);
	ARENA_PUSH(arena, search->all, search->count, refusals);
	return refusals;
}

static struct refusals *refusals_of(struct search *search, const struct viz_operation *op)
{
	struct diagnosis *d = search->d;

	if (op->channel) {
		const uint64_t words[] = {op->process->index, op->channel->index,
					  op->extra->lock.from};

		return refusals_at(search, &search->of_lock,
				   (struct viz_bytes){(const char *)words, sizeof(words)});
	}
	return refusals_at(search, &search->of_file,
			   viz_bytes_of(format_text(d, "%zu %s", op->process->index,
						    bytes_text(d, op->extra->path))));
}

static bool locks(const struct viz_operation *op)
{
	return op->channel && op->channel->mechanism == MECH_FILE_LOCK &&
	       (op->extra->lock.mode == LOCK_MODE_SHARED ||
		op->extra->lock.mode == LOCK_MODE_EXCLUSIVE);
}

/* True if the text of the path names one file, as long as the working directory is the same. */
static bool names_one_file(const struct viz_operation *op)
{
	enum { AT_WORKING_DIRECTORY = -100 };
	int64_t directory = AT_WORKING_DIRECTORY;

	viz_operation_argument(op, "dirfd", &directory);
	return op->extra->path.len < PATH_MOST &&
	       (directory == AT_WORKING_DIRECTORY || *op->extra->path.data == '/');
}

/* A call that makes a lock file, or is refused since it is there. */
static bool makes_lock_file(const struct viz_operation *op)
{
	enum { CREATE_EXCLUSIVELY = 0300 };

	return opens_plain_file(op) && names_one_file(op) &&
	       (op->flags & CREATE_EXCLUSIVELY) == CREATE_EXCLUSIVELY;
}

static bool is_refused(const struct viz_operation *op)
{
	return operation_has_error(op, op->channel ? "EAGAIN" : "EEXIST");
}

static void note(struct search *search, const struct viz_operation *op)
{
	const struct viz_process *process = op->process;
	struct refusals *refusals;

	if (call_moves(op))
		search->moved_ns[process->index] = op->exit_ns;
	if (!locks(op) && !makes_lock_file(op))
		return;
	refusals = refusals_of(search, op);
	if (!is_refused(op)) {
		*refusals = (struct refusals){0};
		return;
	}
	if (!refusals->first || search->moved_ns[process->index] > refusals->last->exit_ns) {
		refusals->first = op;
		refusals->count = 0;
	}
	refusals->last = op;
	refusals->count++;
}

static bool gave_up_with_an_error(const struct refusals *refusals)
{
	const struct viz_process *process = refusals->last->process;

	return viz_process_failed(process) && !process->exit_signal &&
	       process->end_ns - refusals->last->exit_ns < LONG_WAIT_NS;
}

static struct tries tries_in(const struct refusals *refusals)
{
	return (struct tries){
		.process = refusals->last->process,
		.from_ns = refusals->first->enter_ns,
		.until_ns = refusals->last->exit_ns,
		.count = refusals->count,
	};
}

/* True if the one try of each of many children is told of as a loop of their parent. */
static bool is_of_loop(const struct search *search, const struct refusals *refusals)
{
	const struct viz_process *parent = refusals->last->process->parent;

	return refusals->count == 1 && parent && search->busy[parent->index];
}

static void report_lock(struct diagnosis *d, const struct refusals *refusals)
{
	const struct viz_operation *op = refusals->last;
	const struct tries tries = tries_in(refusals);
	const bool again = tries_are_many(&tries);
	const struct viz_process *holder;
	struct finding *f;

	if (!again && !gave_up_with_an_error(refusals))
		return;
	f = finding_fold(d, FINDING_LOCK_REFUSED, op->enter_ns, op->process, op->channel);
	if (f->times > 1) /* another part of the same file */
		return;
	holder = wait_lock_holder(d->waits, op);
	finding_process(d, f, holder);
	finding_operation(d, f, op);
	tries_set(d, f, &tries);
	if (!again)
		f->severity = SEVERITY_NOTE;
	finding_set(d, f, "holder", "%s",
		    holder ? fill_phrase(d, PHRASE_LOCK_HAD, process_text(d, holder), NULL, NULL)
			   : "");
	finding_set(d, f, "chain", "%s", "");
	if (holder && !op->process->ended)
		finding_chain_of(d, f, holder, op->process);
}

static void report_file(struct diagnosis *d, const struct refusals *refusals)
{
	const struct tries tries = tries_in(refusals);

	report_lock_file(d, &tries, refusals->last, refusals->last->extra->path);
}

static void report(struct diagnosis *d, const struct refusals *refusals)
{
	if (refusals->last->channel)
		report_lock(d, refusals);
	else
		report_file(d, refusals);
}

/* --- in a glance, which has no calls but those that were counted ------------------------------ */

/* True if the holder has slept for a second: one that works will give the lock back. */
static bool is_kept(const struct diagnosis *d, const struct viz_process *holder)
{
	return holder && (process_is_stopped(holder) || process_sleeps_elsewhere(d, holder, NULL));
}

static void report_watched(struct diagnosis *d, const struct viz_process *process)
{
	const struct viz_process *holder =
		process->refused_by ? viz_model_process(d->model, process->refused_by, VIZ_NEVER)
				    : NULL;
	struct finding *f = finding_add(d, FINDING_LOCK_REFUSED, d->end_ns, NULL);

	finding_process(d, f, process);
	finding_process(d, f, holder);
	if (!is_kept(d, holder))
		f->severity = SEVERITY_NOTE;
	finding_set(d, f, "who", "%s", process_text(d, process));
	finding_set(d, f, "channel", "%s", bytes_text(d, process->refused_lock));
	finding_set(d, f, "tries", "%" PRIu64, process->refused_times);
	finding_set(
		d, f, "time", "%s",
		fill_phrase(d, PHRASE_WITHIN, duration_text(d, process->refused_ns), NULL, NULL));
	finding_set(d, f, "holder", "%s",
		    holder ? fill_phrase(d, PHRASE_LOCK_HAD, process_text(d, holder), NULL, NULL)
			   : "");
	finding_set(d, f, "chain", "%s", "");
	if (holder)
		finding_chain_of(d, f, holder, process);
}

void find_lock_tries(struct diagnosis *d)
{
	struct search search = {
		.d = d,
		.moved_ns = arena_array(d->arena, d->model->process_count + 1, sizeof(uint64_t)),
	};

	if (!d->incomplete)
		report_retry_loops(d);
	search.busy = tries_told_as_busy(d);
	for (size_t i = 0; i < d->model->operation_count && !d->incomplete; i++)
		if (viz_operation_done(d->model->operations[i]))
			note(&search, d->model->operations[i]);
	for (size_t i = 0; i < d->model->process_count; i++)
		if (d->model->processes[i]->refused_times)
			report_watched(d, d->model->processes[i]);
	for (size_t i = 0; i < search.count; i++)
		if (search.all[i]->count && !is_of_loop(&search, search.all[i]))
			report(d, search.all[i]);
}
