// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Calls that failed, that looked at data and left it where it was, and that still waited when the
 * trace ended.
 */
#include <stdlib.h>
#include <string.h>

#include "pair_internal.h"
#include "scene_draft.h"

#define ERROR_QUEUE 0x2000 /* MSG_ERRQUEUE: what is there is no data of another's */

/*
 * Failures that tell something about the conversation. The rest is everyday life: EAGAIN of
 * non-blocking calls, EINPROGRESS of connect, ECHILD of wait.
 */
static const char *const telling_errors[] = {
	"EPIPE",    "ECONNREFUSED", "ECONNRESET",   "ECONNABORTED", "EADDRINUSE",
	"EMSGSIZE", "E2BIG",	    "EIDRM",	    "ETIMEDOUT",    "ENOBUFS",
	"ENOTCONN", "EHOSTUNREACH", "ENETUNREACH",  "EINTR",	    "EACCES",
	"ENXIO",    "ENOTSOCK",	    "EDESTADDRREQ", "EOVERFLOW",
};

static bool is_restart(const struct viz_operation *op)
{
	return op->error.data && strncmp(op->error.data, "ERESTART", 8) == 0;
}

static bool is_telling(const struct viz_operation *op)
{
	for (size_t i = 0; i < sizeof(telling_errors) / sizeof(*telling_errors); i++)
		if (op->error.data && strcmp(op->error.data, telling_errors[i]) == 0)
			return true;
	return false;
}

/* EAGAIN of one that slept as long as its socket allows. */
static bool ran_out(const struct viz_operation *op)
{
	return op->error.data && strcmp(op->error.data, "EAGAIN") == 0 && viz_has(op, timeout_ns) &&
	       op->off_cpu_ns > 0;
}

/* EACCES may be of any file; ENXIO of a FIFO that nobody reads, but not of a missing terminal. */
static bool is_plain_file(const struct viz_operation *op)
{
	static const char devices[] = "/dev/";

	if (op->error.data && strcmp(op->error.data, "EACCES") == 0)
		return true;
	return op->path.len >= sizeof(devices) - 1 &&
	       memcmp(op->path.data, devices, sizeof(devices) - 1) == 0;
}

/* Of a call that a deadly signal ended, nobody sees a result. */
static bool has_failed(const struct viz_message *interrupter)
{
	return interrupter && !interrupter->signal->killed;
}

/* Calls that only wait are interrupted by design: their signal's row tells it. */
static bool is_worth(const struct scene_drafts *d, const struct viz_operation *op)
{
	if (!viz_operation_failed(op) || op->role == ROLE_WAIT || op->role == ROLE_CONTROL ||
	    op->role == ROLE_SIGNAL)
		return false;
	if (op->role == ROLE_OPEN && !op->channel && is_plain_file(op))
		return false;
	if (is_restart(op))
		return has_failed(d->interrupter[op->index]);
	return is_telling(op) || ran_out(op);
}

static bool is_same_failure(const struct draft *draft, const struct viz_operation *op, int lane)
{
	const struct viz_operation *before = draft->of.operation;

	return draft->kind == SCENE_FAILED && before->process == op->process &&
	       draft->from == lane && before->channel == op->channel &&
	       viz_bytes_equal(before->error, op->error) &&
	       viz_bytes_equal(before->syscall, op->syscall) && before->fd == op->fd;
}

/* An interrupted call returns to its program only when the handler has. */
static uint64_t seen_failing_ns(const struct viz_operation *op, const struct viz_signal *signal)
{
	const struct viz_signal_event *last = signal->end ? signal->end : signal->deliver;

	return last && last->at_ns > op->exit_ns ? last->at_ns : op->exit_ns;
}

static void collect_failed(struct scene_drafts *d, const struct viz_operation *op, int lane)
{
	const struct viz_message *m = d->interrupter[op->index];
	bool goes_on = is_restart(op) && m && m->signal->restarted;
	struct draft *draft = d->count ? &d->rows[d->count - 1] : NULL;

	if (draft && !goes_on && is_same_failure(draft, op, lane)) {
		draft->repeated++;
		return;
	}
	draft = scene_draft(d, goes_on ? SCENE_NOTE : SCENE_FAILED, lane, SCENE_NOWHERE);
	draft->of.operation = op;
	draft->told = m;
	draft->sent_ns = draft->received_ns = m ? seen_failing_ns(op, m->signal) : op->exit_ns;
}

/* A copy that is no receipt; tee(2) has its own rows, for what it sends on. */
static bool is_look(const struct viz_operation *op)
{
	return op->role == ROLE_RECEIVE && op->channel && viz_operation_done(op) &&
	       op->returned > 0 && !(op->flags & ERROR_QUEUE) && pair_only_looks(op);
}

static void collect_look(struct scene_drafts *d, const struct viz_operation *op, int lane)
{
	struct draft *draft = scene_draft(d, SCENE_NOTE, lane, SCENE_NOWHERE);

	draft->looks = true;
	draft->of.operation = op;
	draft->sent_ns = draft->received_ns = op->exit_ns;
}

/* Unfinished, and its process has not ended before the trace did. */
static bool is_waiting(const struct viz_operation *op)
{
	return op->state == STATE_PENDING || (op->state == STATE_BEGIN && !op->process->ended);
}

static void collect_waiting(struct scene_drafts *d, const struct viz_operation *op, int lane)
{
	struct draft *draft = scene_draft(d, SCENE_WAITING, lane, SCENE_NOWHERE);
	uint64_t seen_ns = op->at_ns > op->enter_ns ? op->at_ns : op->enter_ns;

	draft->of.operation = op;
	if (op->state == STATE_BEGIN && seen_ns < d->request->model->end_ns)
		seen_ns = d->request->model->end_ns;
	if (op->process->ended && seen_ns > op->process->end_ns)
		seen_ns = op->process->end_ns;
	draft->sent_ns = draft->received_ns = seen_ns;
}

void scene_collect_calls(struct scene_drafts *d)
{
	const struct viz_model *model = d->request->model;

	for (size_t i = 0; i < model->operation_count; i++) {
		const struct viz_operation *op = model->operations[i];
		int lane = scene_lane_of_operation(d, op);

		if (lane < 0 ||
		    (d->request->filter && !viz_filter_operation(d->request->filter, op)))
			continue;
		if (is_waiting(op))
			collect_waiting(d, op, lane);
		else if (is_look(op))
			collect_look(d, op, lane);
		else if (is_worth(d, op))
			collect_failed(d, op, lane);
	}
}
