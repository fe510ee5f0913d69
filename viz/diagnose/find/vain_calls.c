// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/diagnose/find/vain_calls.h"

static bool gets_nothing(const struct viz_operation *op)
{
	return operation_has_error(op, "EAGAIN") && !op->began && op->channel;
}

static bool finds_no_message(const struct viz_operation *op)
{
	return operation_has_error(op, "ENOMSG") && !op->began && op->channel;
}

/* A look with tee(2) at what lies in a pipe, which stays there. */
static bool copies_again(const struct viz_operation *op)
{
	return operation_is(op, "tee") && op->channel && !op->began && op->returned > 0;
}

/* Waitid with WNOWAIT, which leaves the status of the child where it is. */
static bool is_told_of_child(const struct viz_operation *op)
{
	enum { NOWAIT = 0x01000000 };

	return operation_is(op, "waitid") && (op->flags & NOWAIT) && op->returned == 0 &&
	       !op->began && viz_has(op, child);
}

bool vain_asks_for_process(const struct viz_operation *op)
{
	int64_t signal = -1;

	return operation_is(op, "kill") && op->returned == 0 &&
	       viz_operation_argument(op, "sig", &signal) && signal == 0;
}

static bool polls_without_waiting(const struct viz_operation *op)
{
	int64_t timeout = -1;

	if (op->role != ROLE_WAIT || op->returned != 0)
		return false;
	return viz_operation_argument(op, "timeout", &timeout)
		       ? timeout == 0
		       : operation_polls(op) && viz_has(op, timeout_ns) && !op->extra->timeout_ns;
}

/* A receive with MSG_PEEK that found something, which stays where it is. */
static bool peeks(const struct viz_operation *op)
{
	return op->role == ROLE_RECEIVE && op->channel && !op->began && op->returned > 0 &&
	       operation_only_looks(op);
}

static bool finds_end(const struct viz_operation *op)
{
	return op->role == ROLE_RECEIVE && op->channel && !op->began && operation_is_end(op) &&
	       mechanism_info(op->channel->mechanism)->form == FORM_STREAM;
}

/* A descriptor in the list is closed: POLLNVAL of poll(2), EBADF of select(2). */
static bool asks_of_closed(const struct viz_operation *op)
{
	if (!operation_polls(op))
		return false;
	for (size_t i = 0; i < op->extra->ready_count; i++)
		if (viz_wait_has(&op->extra->ready[i], NVAL))
			return true;
	return operation_has_error(op, "EBADF");
}

/* True if the call was told at once, and of objects of such mechanisms alone. */
static bool is_told_of(const struct viz_operation *op, uint64_t mechanisms)
{
	for (size_t i = 0; i < op->extra->ready_count; i++)
		if (!op->extra->ready[i].channel || !viz_wait_has(&op->extra->ready[i], IN) ||
		    !(mechanisms >> op->extra->ready[i].channel->mechanism & 1))
			return false;
	return operation_polls(op) && op->returned > 0 && !op->began && op->extra->ready_count;
}

#define BIT(mechanism) (UINT64_C(1) << MECH_##mechanism)

static bool is_told_of_count(const struct viz_operation *op)
{
	return is_told_of(op, BIT(TIMERFD) | BIT(EVENTFD));
}

static bool is_told_of_event(const struct viz_operation *op)
{
	return is_told_of(op, BIT(SIGNALFD) | BIT(INOTIFY));
}

/* A pidfd is ready from the end of its process on: pidfd_open(2). */
static bool is_told_of_process(const struct viz_operation *op)
{
	return is_told_of(op, BIT(PIDFD));
}

/* Epoll told at once of a descriptor that is no channel, perhaps since it is closed. */
static bool is_told_of_unknown(const struct viz_operation *op)
{
	return operation_polls(op) && op->channel && op->returned == 1 && !op->began &&
	       op->extra->ready_count == 1 && !op->extra->ready[0].channel;
}

/*
 * True if the call was told at once of a channel, and of nothing else: what is done about files and
 * devices the trace does not show. Of a listener another process may take what this one was told
 * of.
 */
static bool is_told(const struct viz_operation *op)
{
	for (size_t i = 0; i < op->extra->ready_count; i++)
		if (!op->extra->ready[i].channel || op->extra->ready[i].channel->listening ||
		    mechanism_info(op->extra->ready[i].channel->mechanism)->form == FORM_EVENT)
			return false;
	return operation_polls(op) && op->returned > 0 && !op->began && op->extra->ready_count;
}

static bool is_told_of_end(const struct viz_operation *op)
{
	return is_told(op) && (viz_wait_has(&op->extra->ready[0], HUP) ||
			       viz_wait_has(&op->extra->ready[0], RDHUP) ||
			       viz_wait_has(&op->extra->ready[0], ERR));
}

static bool is_told_of_room(const struct viz_operation *op)
{
	return is_told(op) && viz_wait_has(&op->extra->ready[0], OUT) &&
	       !viz_wait_has(&op->extra->ready[0], IN);
}

struct vain_kind {
	bool (*is)(const struct viz_operation *op);
	uint64_t least_ns;  /* so long a run is a fault */
	enum phrase remedy; /* PHRASE_COUNT: none of its own */
	enum vain_proof proof;
};

/* A loop may spin so for a moment, until another event comes: redis-benchmark does at its end. */
#define LASTING_NS (100 * MILLISECOND)

static const struct vain_kind kinds[] = {
	{gets_nothing, 0, PHRASE_COUNT, PROOF_NONE},
	{finds_no_message, 0, PHRASE_WITHOUT_NOWAIT, PROOF_NONE},
	{polls_without_waiting, 0, PHRASE_COUNT, PROOF_NONE},
	{copies_again, LASTING_NS, PHRASE_TAKE_WHAT_IS_COPIED, PROOF_UNTAKEN},
	{is_told_of_child, LASTING_NS, PHRASE_COLLECT_CHILD, PROOF_NONE},
	{is_told_of_count, LASTING_NS, PHRASE_READ_COUNT, PROOF_UNTAKEN},
	{is_told_of_event, LASTING_NS, PHRASE_READ_WHAT_IS_TOLD, PROOF_UNTAKEN},
	{is_told_of_process, LASTING_NS, PHRASE_CLOSE_PIDFD, PROOF_NONE},
	{is_told_of_unknown, LASTING_NS, PHRASE_DELETE_BEFORE_CLOSE, PROOF_STALE},
	{operation_finds_no_child, 0, PHRASE_WAIT_FOR_CHILD, PROOF_NONE},
	{vain_asks_for_process, 0, PHRASE_WAIT_FOR_PROCESS, PROOF_NONE},
	{peeks, 0, PHRASE_TAKE_WHAT_IS_THERE, PROOF_NONE},
	{finds_end, LASTING_NS, PHRASE_STOP_AT_END, PROOF_NONE},
	{asks_of_closed, LASTING_NS, PHRASE_TAKE_OUT_CLOSED, PROOF_NONE},
	{is_told_of_end, LASTING_NS, PHRASE_CLOSE_AT_HANGUP, PROOF_NONE},
	{is_told_of_room, LASTING_NS, PHRASE_ASK_WHEN_WRITING, PROOF_NONE},
	{is_told, LASTING_NS, PHRASE_READ_WHAT_IS_TOLD, PROOF_NONE},
};

const struct vain_kind *vain_kind_of(const struct viz_operation *op)
{
	if (!viz_operation_done(op) || !viz_has(op, returned))
		return NULL;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].is(op))
			return &kinds[i];
	return NULL;
}

const char *vain_remedy(const struct diagnosis *d, const struct vain_kind *kind)
{
	return kind->remedy != PHRASE_COUNT ? phrase_text(kind->remedy, d->language) : NULL;
}

bool vain_is_between(const struct vain_kind *kind, const struct viz_operation *op)
{
	static const char *const names[] = {"fcntl",	    "dup",   "dup2",
					    "dup3",	    "close", "rt_sigprocmask",
					    "rt_sigaction", "open",  "openat"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (kind->is == vain_asks_for_process && operation_is(op, names[i]))
			return true;
	return false;
}

enum vain_proof vain_proof_of(const struct vain_kind *kind)
{
	return kind->proof;
}

uint64_t vain_least_ns(const struct vain_kind *kind)
{
	return kind->least_ns;
}
