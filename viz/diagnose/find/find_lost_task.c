// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A worker that ended with what it had been given to do: who waits for its answer waits for ever,
 * where nobody watches over the workers (multiprocessing.Pool does not). And workers that fail
 * before they do anything, and are started again and again, as by a Pool whose initializer raises.
 */
#include <inttypes.h>

#include "viz/diagnose/find/find_waits.h"

/* Wakes, as of the lock that the workers share, are no answers. */
static bool carries_data(const struct viz_message *m)
{
	const enum policy policy = mechanism_info(m->mechanism)->policy;

	return !m->signal &&
	       (policy == POLICY_STREAM || policy == POLICY_DATAGRAM || policy == POLICY_QUEUE);
}

/* Returns when each process, by its index, last began to send something; 0: never. */
static const uint64_t *last_sent(struct diagnosis *d)
{
	const struct viz_pairing *pairing = d->waits->pairing;
	uint64_t *sent_ns = arena_array(d->arena, d->model->process_count + 1, sizeof(*sent_ns));

	for (size_t i = 0; i < pairing->message_count; i++) {
		const struct viz_message *m = pairing->messages[i];

		if (carries_data(m) && m->from.process &&
		    m->from.enter_ns > sent_ns[m->from.process->index])
			sent_ns[m->from.process->index] = m->from.enter_ns;
	}
	return sent_ns;
}

/* Notes for each process the last message to a child that failed before it sent anything else. */
static const struct viz_message **find_lost_tasks(struct diagnosis *d)
{
	const struct viz_pairing *pairing = d->waits->pairing;
	const uint64_t *sent_ns = last_sent(d);
	const struct viz_message **tasks = arena_array(d->arena, d->model->process_count + 1,
						       sizeof(struct viz_message *));

	for (size_t i = 0; i < pairing->message_count; i++) {
		const struct viz_message *m = pairing->messages[i];
		const struct viz_process *worker = m->to.process;

		if (worker && m->from.process && m->from.process == worker->parent &&
		    carries_data(m) && viz_process_failed(worker) &&
		    m->to.exit_ns > sent_ns[worker->index])
			tasks[m->from.process->index] = m;
	}
	return tasks;
}

static const char *status_text(struct diagnosis *d, const struct viz_process *process)
{
	if (process->exit_signal)
		return format_text(d, "%.*s", (int)process->signal.len, process->signal.data);
	return format_text(d, "exit %u", process->exit_code);
}

static void list_zombies(const struct diagnosis *d)
{
	struct map *zombies = &d->waits->zombies;

	d->waits->zombies_listed = true;
	for (size_t i = 0; i < d->model->process_count; i++) {
		struct viz_process *child = d->model->processes[i];

		if (child->zombie && viz_process_failed(child) &&
		    !map_get_uint(zombies, child->ppid))
			map_put_uint(d->arena, zombies, child->ppid, child);
	}
}

const struct viz_process *failed_zombie(const struct diagnosis *d, const struct viz_process *parent)
{
	if (!d->waits->whole)
		return NULL;
	if (!d->waits->zombies_listed)
		list_zombies(d);
	return map_get_uint(&d->waits->zombies, parent->pid);
}

bool tell_failed_zombie(struct diagnosis *d, struct finding *f, const struct viz_process *parent)
{
	const struct viz_process *child = failed_zombie(d, parent);

	if (!child)
		return false;
	finding_line(d, f,
		     fill_phrase(d, PHRASE_CHILD_FAILED, process_text(d, child),
				 process_text(d, parent), status_text(d, child)));
	finding_process(d, f, child);
	return true;
}

static bool tell_task(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	const struct viz_message *task;

	if (d->incomplete) /* what it sent may be among the records that were lost */
		return false;
	if (!d->waits->lost_tasks)
		d->waits->lost_tasks = find_lost_tasks(d);
	task = d->waits->lost_tasks[wait->process->index];
	if (!task)
		return false;
	finding_line(d, f,
		     fill_phrase(d, PHRASE_LOST_TASK, process_text(d, task->to.process),
				 process_text(d, wait->process), status_text(d, task->to.process)));
	finding_process(d, f, task->to.process);
	return true;
}

/* True if one of those that could end the wait is a child with the same name as the ended one. */
static bool awaits_like(const struct wait *wait, const struct viz_process *ended)
{
	for (size_t i = 0; i < wait->ender_count; i++)
		if (wait->enders[i]->parent == wait->process &&
		    viz_bytes_equal(wait->enders[i]->comm, ended->comm))
			return true;
	return false;
}

/* What the child had been given no look can tell: one of a pool of workers, as it seems. */
static bool tell_child(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	const struct viz_process *child = failed_zombie(d, wait->process);

	return child && wait->operation->role == ROLE_RECEIVE && channel_is_pipe(wait->channel) &&
	       awaits_like(wait, child) && tell_failed_zombie(d, f, wait->process);
}

bool tell_lost_task(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	if (d->waits->whole ? !tell_child(d, f, wait) : !tell_task(d, f, wait))
		return false;
	f->advice = advice_for(d, ADVICE_LOST_TASK, wait->process);
	return true;
}

/* Returns a child that could write there and failed; the first that had not written. NULL: none. */
static const struct viz_process *failed_writer(const struct diagnosis *d, const struct wait *wait)
{
	const struct viz_channel *channel = other_end(d, wait);
	const struct viz_process *found = NULL;

	for (size_t i = 0; i < channel->holding_count; i++) {
		const struct viz_holding *holding = channel->holdings[i];

		if (holding->start != HOLDING_FORK || !(holding->access & ACCESS_WRITE) ||
		    holding->process->parent != wait->process ||
		    !viz_process_failed(holding->process))
			continue;
		if (!wait_has_written(d->waits, holding->process, channel))
			return holding->process;
		found = holding->process;
	}
	return found;
}

static bool tell_writer(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	const struct viz_process *writer = d->incomplete ? NULL : failed_writer(d, wait);
	bool wrote;

	if (!writer)
		return false;
	wrote = wait_has_written(d->waits, writer, other_end(d, wait));
	finding_line(d, f,
		     fill_phrase(d, wrote ? PHRASE_WRITER_ENDED : PHRASE_WRITER_FAILED,
				 process_text(d, writer), status_text(d, writer), NULL));
	finding_process(d, f, writer);
	return true;
}

void tell_failed_writer(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	if (d->waits->whole ? !tell_failed_zombie(d, f, wait->process) : !tell_writer(d, f, wait))
		return;
	if (process_is_written_in(wait->process, "python"))
		f->advice = advice_for(d, ADVICE_WRITER_FAILED, wait->process);
}

/* --- workers that fail again and again -------------------------------------------------------- */

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

/* A child that runs on as its parent's copy does its work; others may have one of their own. */
static bool is_worker_that_failed(const struct viz_process *child, const bool *active)
{
	return viz_process_failed(child) && process_is_copy(child) && !active[child->index] &&
	       child->end_ns < child->start_ns + LIVED_MOST_S * SECOND;
}

static bool ended_alike(const struct viz_process *one, const struct viz_process *other)
{
	return one->exit_signal == other->exit_signal && one->exit_code == other->exit_code;
}

static void count_child(struct failing *failing, const struct viz_process *child,
			const bool *active)
{
	if (!is_worker_that_failed(child, active)) {
		*failing = (struct failing){0};
		return;
	}
	if (failing->last && !ended_alike(failing->last, child))
		failing->count = 0;
	failing->last = child;
	failing->count++;
}

/* Returns them by the index of their parent. */
static const struct failing *find_failing(struct diagnosis *d)
{
	const bool *active = find_active(d);
	struct failing *failing = arena_array(d->arena, d->model->process_count + 1,
					      sizeof(*failing));

	for (size_t i = 0; i < d->model->process_count; i++) {
		const struct viz_process *child = d->model->processes[i];

		if (child->parent && child->ended)
			count_child(&failing[child->parent->index], child, active);
	}
	return failing;
}

static struct failing failing_children(struct diagnosis *d, const struct wait *wait)
{
	if (!d->waits->failing)
		d->waits->failing = find_failing(d);
	return d->waits->failing[wait->process->index];
}

static void tell_failing(struct diagnosis *d, struct finding *f, const struct wait *wait,
			 uint64_t count, const char *status)
{
	finding_set(d, f, "chain", "; %s",
		    fill_phrase(d,
				d->waits->whole ? PHRASE_WATCHED_CHILDREN : PHRASE_FAILING_CHILDREN,
				format_text(d, "%" PRIu64, count), process_text(d, wait->process),
				status));
	finding_set(d, f, "culprit", "%s", process_text(d, wait->process));
	f->advice = advice_for(d, ADVICE_CHILDREN_FAIL, wait->process);
	f->explained = true;
}

/* A look tells of children that failed while it was taken. */
static bool tell_watched(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	const struct viz_process *parent = wait->process;

	if (parent->failed_children < FAILED_LEAST)
		return false;
	tell_failing(d, f, wait, parent->failed_children, bytes_text(d, parent->failed_status));
	return true;
}

bool tell_failing_children(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	struct failing failing;

	if (d->incomplete || wait->clock || wait->operation->role != ROLE_RECEIVE ||
	    process_is_written_in(wait->process, "shell"))
		return false;
	if (d->waits->whole)
		return tell_watched(d, f, wait);
	failing = failing_children(d, wait);
	if (failing.count < FAILED_LEAST ||
	    failing.last->end_ns + FAILED_LATELY_S * SECOND < d->end_ns)
		return false;
	tell_failing(d, f, wait, failing.count, status_text(d, failing.last));
	finding_process(d, f, failing.last);
	return true;
}
