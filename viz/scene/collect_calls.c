// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Collects the calls that failed, that only looked at data (MSG_PEEK), and that still waited when
 * the trace ended.
 */
#include <string.h>

#include "viz/model/operation_facts.h"
#include "viz/scene/drafts.h"

#define ERROR_QUEUE 0x2000 /* MSG_ERRQUEUE: reads errors, not the data of a peer */

/*
 * Errors that matter to the communication. Others are routine: EINPROGRESS of connect, ECHILD of
 * wait.
 */
static const char *const telling_errors[] = {
	"EPIPE",    "ECONNREFUSED", "ECONNRESET",   "ECONNABORTED", "EADDRINUSE",
	"EMSGSIZE", "E2BIG",	    "EIDRM",	    "ETIMEDOUT",    "ENOBUFS",
	"ENOTCONN", "EHOSTUNREACH", "ENETUNREACH",  "EINTR",	    "EACCES",
	"ENXIO",    "ENOTSOCK",	    "EDESTADDRREQ", "EOVERFLOW",
};

static bool is_telling(const struct viz_operation *op)
{
	for (size_t i = 0; i < sizeof(telling_errors) / sizeof(*telling_errors); i++)
		if (op->error.data && strcmp(op->error.data, telling_errors[i]) == 0)
			return true;
	return false;
}

static bool has_error(const struct viz_operation *op, const char *name)
{
	return op->error.data && strcmp(op->error.data, name) == 0;
}

/*
 * True for an open that failed and is not about IPC: EACCES may be of any file, ENXIO of a missing
 * terminal. ENXIO of a FIFO that has no reader is about IPC.
 */
static bool is_plain_file(const struct viz_operation *op)
{
	static const char devices[] = "/dev/";

	if (op->error.data && strcmp(op->error.data, "EACCES") == 0)
		return true;
	return op->extra->path.len >= sizeof(devices) - 1 &&
	       memcmp(op->extra->path.data, devices, sizeof(devices) - 1) == 0;
}

/* False if the signal killed the process: then no program sees the call's result. */
static bool has_failed(const struct viz_message *interrupter)
{
	return interrupter && !interrupter->signal->killed;
}

/*
 * Calls that wait for a signal, or for time to pass, are meant to end so. Of others that only wait,
 * the program has to know that they did not: poll(2) interrupted, a semaphore that was removed.
 */
static bool is_failed_wait(const struct viz_operation *op, const struct viz_message *interrupter)
{
	static const char *const meant[] = {"pause", "rt_sigsuspend", "rt_sigtimedwait",
					    "nanosleep", "clock_nanosleep"};

	for (size_t i = 0; i < sizeof(meant) / sizeof(*meant); i++)
		if (operation_is(op, meant[i]))
			return false;
	if (has_failed(interrupter) && !interrupter->signal->restarted)
		return true;
	return op->channel && (has_error(op, "EIDRM") || has_error(op, "ETIMEDOUT") ||
			       (has_error(op, "EAGAIN") && !operation_is(op, "futex")));
}

/* True if the call would have had to wait for data, for room, or for a connection. */
static bool would_wait(const struct viz_operation *op)
{
	return (has_error(op, "EAGAIN") || has_error(op, "ENOMSG")) && op->channel &&
	       op->channel->mechanism != MECH_PTY && !(op->flags & ERROR_QUEUE) &&
	       (op->role == ROLE_SEND || op->role == ROLE_RECEIVE || op->role == ROLE_TRANSFER ||
		op->role == ROLE_OPEN);
}

static bool is_worth(const struct scene_drafts *d, const struct viz_operation *op)
{
	if (scene_told_error(op))
		return true;
	if (!viz_operation_failed(op) || op->role == ROLE_CONTROL || op->role == ROLE_SIGNAL)
		return false;
	if (op->role == ROLE_WAIT)
		return is_failed_wait(op, d->interrupter[op->index]);
	if (op->role == ROLE_OPEN && !op->channel && is_plain_file(op))
		return false;
	if (operation_may_restart(op))
		return has_failed(d->interrupter[op->index]);
	return is_telling(op) || would_wait(op);
}

/*
 * True for a call that copied data and left it in the channel. tee(2) is no look: what it passes on
 * has rows of its own.
 */
static bool is_look(const struct viz_operation *op)
{
	return op->role == ROLE_RECEIVE && op->channel && viz_operation_done(op) &&
	       op->returned > 0 && !(op->flags & ERROR_QUEUE) && operation_only_looks(op);
}

static void collect_look(struct scene_drafts *d, const struct viz_operation *op, int lane)
{
	struct draft *draft = scene_draft(d, SCENE_NOTE, lane, SCENE_NOWHERE);

	draft->looks = true;
	draft->of.operation = op;
	draft->sent_ns = draft->received_ns = op->exit_ns;
}

/* True for an unfinished call whose process had not ended before the trace did. */
static bool is_waiting(const struct viz_operation *op)
{
	return op->state == STATE_PENDING || (op->state == STATE_BEGIN && !op->process->ended);
}

static void collect_waiting(struct scene_drafts *d, const struct viz_operation *op, int lane)
{
	struct draft *draft = scene_draft(d, SCENE_WAITING, lane, SCENE_NOWHERE);
	uint64_t seen_ns = op->extra->at_ns > op->enter_ns ? op->extra->at_ns : op->enter_ns;

	draft->of.operation = op;
	if (op->state == STATE_BEGIN && seen_ns < d->request->model->end_ns)
		seen_ns = d->request->model->end_ns;
	if (op->process->ended && seen_ns > op->process->end_ns)
		seen_ns = op->process->end_ns;
	draft->sent_ns = draft->received_ns = seen_ns;
}

static void collect_failed(struct scene_drafts *d, struct scene_failures *failures,
			   const struct viz_operation *op, int lane)
{
	if (!scene_collect_drained(d, failures, op, lane))
		scene_collect_failure(d, failures, op, lane);
}

static void collect_call(struct scene_drafts *d, struct scene_failures *failures,
			 const struct viz_operation *op)
{
	int lane = scene_lane_of_operation(d, op);

	if (lane < 0 || !scene_wants_operation(d, op))
		return;
	if (is_waiting(op))
		collect_waiting(d, op, lane);
	else if (is_look(op))
		collect_look(d, op, lane);
	else if (!scene_collect_object(d, op, lane) && is_worth(d, op))
		collect_failed(d, failures, op, lane);
	else
		scene_end_burst(failures, op);
}

/* It moved data: no row tells that. */
static void collect_packed(const struct scene_drafts *d, struct scene_failures *failures,
			   const struct viz_operation *op)
{
	if (scene_lane_of_operation(d, op) >= 0 && scene_wants_operation(d, op))
		scene_end_burst(failures, op);
}

void scene_collect_calls(struct scene_drafts *d)
{
	const struct viz_model *model = d->request->model;
	struct scene_failures failures = {
		.moved = arena_array(d->arena, model->channel_count + 1, sizeof(uint64_t))};
	const struct viz_operation *op;
	struct scene_walk walk;

	scene_find_event_loops(d);
	scene_walk_begin(&walk, d);
	while ((op = scene_walk_next(&walk))) {
		failures.number++;
		if (walk.is_packed)
			collect_packed(d, &failures, op);
		else
			collect_call(d, &failures, op);
	}
	scene_walk_end(&walk);
}
