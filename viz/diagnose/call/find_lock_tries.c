// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds who asks for a file lock without waiting, again and again, and never gets it, or gives up
 * at once: "database is locked". See fcntl(2), F_SETLK, and flock(2), LOCK_NB. The same of who
 * would make a file that serves as a lock, and finds it there: open(2), O_EXCL.
 */
#include <inttypes.h>

#include "viz/diagnose/call/retry_loops.h"
#include "viz/diagnose/core/finder.h"
#include "viz/diagnose/graph/wait_graph.h"
#include "viz/diagnose/wait/waits.h"

enum { TRIES_LEAST = 3 };

/* The refused requests of one process for one part of a file, or a lock file, since it had it. */
struct tries {
	const struct viz_operation *first, *last;
	size_t count;
};

struct search {
	struct diagnosis *d;
	struct map of_lock; /* struct tries, by what is asked for */
	struct map of_file; /* the same, by process and path of a lock file */
	struct tries **all; /* in the order of their first request */
	size_t count;
	uint64_t *moved_ns; /* by process index: when it last sent or received something */
	bool *busy;	    /* by process index: busy-wait tells of it already */
};

static struct tries *tries_at(struct search *search, struct map *map, struct viz_bytes key)
{
	struct tries *tries = map_get(map, key);
	struct arena *arena = search->d->arena;

	if (tries)
		return tries;
	tries = arena_alloc(arena, sizeof(*tries));
	map_put(arena, map, arena_bytes(arena, key.data, key.len), tries);
	ARENA_PUSH(arena, search->all, search->count, tries);
	return tries;
}

static struct tries *tries_of(struct search *search, const struct viz_operation *op)
{
	struct diagnosis *d = search->d;

	if (op->channel) {
		const uint64_t words[] = {op->process->index, op->channel->index,
					  op->extra->lock.from};

		return tries_at(search, &search->of_lock,
				(struct viz_bytes){(const char *)words, sizeof(words)});
	}
	return tries_at(search, &search->of_file,
			viz_bytes_of(format_text(d, "%zu %s", op->process->index,
						 bytes_text(d, op->extra->path))));
}

static bool locks(const struct viz_operation *op)
{
	return op->channel && op->channel->mechanism == MECH_FILE_LOCK &&
	       (op->extra->lock.mode == LOCK_MODE_SHARED ||
		op->extra->lock.mode == LOCK_MODE_EXCLUSIVE);
}

/* True if it opens what is no IPC, which is recorded of who was refused to create a file. */
static bool opens_plain_file(const struct viz_operation *op)
{
	return op->role == ROLE_OPEN && !op->channel && op->extra->path.len &&
	       (operation_is(op, "open") || operation_is(op, "openat"));
}

/* True if the text of the path names one file, as long as the working directory is the same. */
static bool names_one_file(const struct viz_operation *op)
{
	enum { AT_WORKING_DIRECTORY = -100, PATH_MOST = 255 /* of which longer ones are cut */ };
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

/* A program that does more meanwhile than print that it waits is not kept from its work. */
static bool moves(const struct viz_operation *op)
{
	if (opens_plain_file(op))
		return op->returned >= 0;
	return (op->role == ROLE_SEND || op->role == ROLE_RECEIVE) && op->returned > 0 &&
	       !operation_prints(op);
}

static void note(struct search *search, const struct viz_operation *op)
{
	const struct viz_process *process = op->process;
	struct tries *tries;

	if (moves(op))
		search->moved_ns[process->index] = op->exit_ns;
	if (!locks(op) && !makes_lock_file(op))
		return;
	tries = tries_of(search, op);
	if (!is_refused(op)) {
		*tries = (struct tries){0};
		return;
	}
	if (!tries->first || search->moved_ns[process->index] > tries->last->exit_ns) {
		tries->first = op;
		tries->count = 0;
	}
	tries->last = op;
	tries->count++;
}

static bool gave_up_with_an_error(const struct tries *tries)
{
	const struct viz_process *process = tries->last->process;

	return viz_process_failed(process) && !process->exit_signal &&
	       process->end_ns - tries->last->exit_ns < LONG_WAIT_NS;
}

static uint64_t duration_of(const struct tries *tries)
{
	return tries->last->exit_ns - tries->first->enter_ns;
}

static bool *told_as_busy(struct diagnosis *d)
{
	bool *busy = arena_array(d->arena, d->model->process_count + 1, sizeof(*busy));

	for (size_t i = 0; i < d->count; i++)
		if (d->findings[i]->row == finding_row(FINDING_BUSY_WAIT))
			busy[d->findings[i]->processes[0]->index] = true;
	return busy;
}

/* True if the one try of each of many children is told of as a loop of their parent. */
static bool is_of_loop(const struct search *search, const struct tries *tries)
{
	const struct viz_process *parent = tries->last->process->parent;

	return tries->count == 1 && parent && search->busy[parent->index];
}

static bool is_tried_again(const struct tries *tries)
{
	return tries->count >= TRIES_LEAST && duration_of(tries) >= LONG_WAIT_NS;
}

static void set_tries(struct diagnosis *d, struct finding *f, const struct tries *tries)
{
	finding_operation(d, f, tries->last);
	finding_set(d, f, "tries", "%zu", tries->count);
	finding_set(d, f, "time", "%s",
		    tries->count > 1 ? fill_phrase(d, PHRASE_WITHIN,
						   duration_text(d, duration_of(tries)), NULL, NULL)
				     : "");
}

static void report_lock(struct diagnosis *d, const struct tries *tries)
{
	const struct viz_operation *op = tries->last;
	const bool again = is_tried_again(tries);
	const struct viz_process *holder;
	struct finding *f;

	if (!again && !gave_up_with_an_error(tries))
		return;
	f = finding_fold(d, FINDING_LOCK_REFUSED, op->enter_ns, op->process, op->channel);
	if (f->times > 1) /* another part of the same file */
		return;
	holder = wait_lock_holder(d->waits, op);
	finding_process(d, f, holder);
	set_tries(d, f, tries);
	if (!again)
		f->severity = SEVERITY_NOTE;
	finding_set(d, f, "holder", "%s",
		    holder ? fill_phrase(d, PHRASE_LOCK_HAD, process_text(d, holder), NULL, NULL)
			   : "");
	finding_set(d, f, "chain", "%s", "");
	if (holder && !op->process->ended)
		finding_chain_of(d, f, holder, op->process);
}

/* True if it asked until it failed, or still asks when the trace ends, and does nothing beside. */
static bool asks_to_the_end(const struct diagnosis *d, const struct tries *tries)
{
	const struct viz_process *process = tries->last->process;
	const uint64_t end_ns = process->ended ? process->end_ns : d->end_ns;
	const uint64_t round_ns = duration_of(tries) / tries->count;

	return (process->ended ? viz_process_failed(process) : process_is_lone(process)) &&
	       end_ns - tries->last->exit_ns < LONG_WAIT_NS + 2 * round_ns;
}

static void report_file(struct diagnosis *d, const struct tries *tries)
{
	const struct viz_operation *op = tries->last;
	struct finding *f;

	if (!is_tried_again(tries))
		return;
	f = finding_add(d, FINDING_LOCK_FILE, op->enter_ns, NULL);
	finding_process(d, f, op->process);
	set_tries(d, f, tries);
	if (!asks_to_the_end(d, tries))
		f->severity = SEVERITY_NOTE;
	finding_set(d, f, "who", "%s", process_text(d, op->process));
	finding_set(d, f, "path", "%s", bytes_text(d, op->extra->path));
}

static void report(struct diagnosis *d, const struct tries *tries)
{
	if (tries->last->channel)
		report_lock(d, tries);
	else
		report_file(d, tries);
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
	search.busy = told_as_busy(d);
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
