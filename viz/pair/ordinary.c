// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/pair/ordinary.h"

#include <stdlib.h>

#include "viz/base/memory.h"
#include "viz/model/operation_facts.h"

enum {
	AROUND = 4, /* calls of a thread before and after that are ordinary, too */
};

static bool slept_at_most(const struct viz_operation *op, uint64_t ns)
{
	return op->off_cpu_ns <= ns;
}

/* Msgsnd and mq_send return 0; the trace tells what they moved. */
static uint64_t moved(const struct viz_operation *op)
{
	return op->returned ? operation_stream_bytes(op) : op->extra->transferred;
}

/* True if the call moved these bytes and no others, and has no side effects. */
static bool moved_just(const struct viz_operation *op, const struct viz_end *end, uint64_t bytes)
{
	return viz_operation_done(op) && !operation_is_multiple(op) &&
	       !viz_has(op, entered_before) && !end->offset && moved(op) == bytes &&
	       !op->extra->passed_fds_count && !op->extra->new_fds_count && !op->control_cut;
}

/* True if the call passed the one number that eventfd(2) takes. */
static bool passed_number(const struct viz_operation *op)
{
	return !viz_has(op, requested) || op->requested == sizeof(uint64_t);
}

/*
 * True for what is made for messages, no terminal and no memory; and for a number that one call
 * added to an eventfd and one took.
 */
static bool carries_messages(const struct viz_message *m)
{
	const enum form form = mechanism_info(m->mechanism)->form;

	if (m->mechanism == MECH_EVENTFD)
		return m->bytes == sizeof(uint64_t) && passed_number(m->from.operation) &&
		       passed_number(m->to.operation);
	return m->mechanism != MECH_PTY && m->mechanism != MECH_NETLINK &&
	       (form == FORM_STREAM || form == FORM_MESSAGE);
}

/* True if the call did not ask for more than it moved. */
static bool moved_all(const struct viz_operation *op)
{
	return !viz_has(op, requested) || op->requested == moved(op);
}

bool ordinary_message(const struct viz_message *m)
{
	const struct viz_operation *send = m->from.operation, *receive = m->to.operation;

	return m->channel && !m->signal && !m->echo && !m->copy && !m->cut && m->bytes &&
	       m->match == MATCH_EXACT && m->fate == FATE_NONE && send && receive &&
	       carries_messages(m) && moved_all(send) && send->role == ROLE_SEND &&
	       receive->role == ROLE_RECEIVE && !operation_only_looks(receive) &&
	       moved_just(send, &m->from, m->bytes) && moved_just(receive, &m->to, m->bytes) &&
	       !send->began && slept_at_most(send, 0) && slept_at_most(receive, ORDINARY_SLEEP_NS);
}

/* --- pieces ---------------------------------------------------------------------------------- */

enum {
	BUFFER_LEAST = 512, /* from here on a power of two is a buffer's size */
	WRITE_MOST = 4096,
};

static bool is_buffer(uint64_t size)
{
	return size >= BUFFER_LEAST && (size & (size - 1)) == 0;
}

/* True if these may be records that are torn, of which each piece is counted (torn_records.c). */
static bool may_be_records(const struct viz_operation *send, const struct viz_operation *receive)
{
	return send->requested < WRITE_MOST && receive->requested != 1 &&
	       receive->requested < 2 * send->requested && !is_buffer(send->requested) &&
	       !is_buffer(receive->requested);
}

/* True if the call moved more than these bytes, and has no side effects. */
static bool moved_more(const struct viz_operation *op, uint64_t bytes)
{
	return viz_operation_done(op) && !operation_is_multiple(op) &&
	       !viz_has(op, entered_before) && moved(op) > bytes && !op->extra->passed_fds_count &&
	       !op->extra->new_fds_count && !op->control_cut;
}

static bool is_piece(const struct viz_message *m)
{
	const struct viz_operation *send = m->from.operation, *receive = m->to.operation;

	return channel_is_pipe(m->channel) && !m->signal && !m->echo && !m->copy && !m->cut &&
	       m->bytes && m->match == MATCH_EXACT && m->fate == FATE_NONE && send && receive &&
	       send->role == ROLE_SEND && receive->role == ROLE_RECEIVE &&
	       !operation_only_looks(receive) && moved_all(send) && viz_has(send, requested) &&
	       viz_has(receive, requested) && !may_be_records(send, receive);
}

const struct viz_operation *ordinary_piece(const struct viz_message *m)
{
	const struct viz_operation *send = m->from.operation, *receive = m->to.operation;

	if (!is_piece(m))
		return NULL;
	if (moved_just(receive, &m->to, m->bytes))
		return moved_more(send, m->bytes) && slept_at_most(receive, ORDINARY_SLEEP_NS)
			       ? send
			       : NULL;
	return moved_just(send, &m->from, m->bytes) && moved_more(receive, m->bytes) &&
			       !send->began && slept_at_most(send, 0)
		       ? receive
		       : NULL;
}

bool ordinary_hub(const struct viz_operation *hub)
{
	return hub->role == ROLE_SEND ? !hub->began && slept_at_most(hub, 0)
				      : slept_at_most(hub, ORDINARY_SLEEP_NS);
}

bool ordinary_wait(const struct viz_operation *op)
{
	return operation_polls(op) && viz_operation_done(op) && op->returned > 0 &&
	       !viz_has(op, entered_before) && slept_at_most(op, ORDINARY_SLEEP_NS);
}

bool ordinary_change(const struct viz_operation *op)
{
	return operation_is(op, "epoll_ctl") && viz_operation_done(op) && !op->returned &&
	       op->extra->waits_for_count == 1 && slept_at_most(op, 0) &&
	       !viz_has(op, entered_before);
}

static bool finds_no_child_left(const struct viz_operation *op)
{
	int64_t pid = 0;

	return op->role == ROLE_WAIT && operation_is(op, "wait4") &&
	       operation_has_error(op, "ECHILD") && viz_operation_argument(op, "pid", &pid) &&
	       pid <= 0;
}

static bool sets_own_signals(const struct viz_operation *op)
{
	return op->role == ROLE_CONTROL && op->returned == 0 && !op->extra->keeps_no_children &&
	       (operation_is(op, "rt_sigprocmask") || operation_is(op, "rt_sigaction"));
}

bool ordinary_control(const struct viz_operation *op)
{
	return viz_operation_done(op) && viz_has(op, returned) &&
	       (sets_own_signals(op) || finds_no_child_left(op)) && slept_at_most(op, 0) &&
	       !op->began && !viz_has(op, entered_before);
}

uint64_t control_request(const struct viz_operation *op)
{
	uint64_t hash = viz_hash_mix(viz_bytes_hash(op->syscall), op->flags);

	for (size_t i = 0; i < op->extra->args_count; i++)
		hash = viz_hash_mix(hash, (uint64_t)op->extra->args[i].value);
	return hash;
}

/* --- the calls of a thread ------------------------------------------------------------------- */

enum { WORD_BITS = 64 };

size_t thread_calls_add(struct thread_calls *calls)
{
	const size_t needed = calls->count / WORD_BITS + 1;

	while (calls->words < needed) {
		calls->ordinary = list_grow(calls->ordinary, calls->words, &calls->capacity,
					    sizeof(*calls->ordinary));
		calls->ordinary[calls->words++] = 0;
	}
	return calls->count++;
}

void thread_calls_mark(struct thread_calls *calls, size_t number)
{
	calls->ordinary[number / WORD_BITS] |= UINT64_C(1) << number % WORD_BITS;
}

bool thread_calls_around(const struct thread_calls *calls, size_t number)
{
	if (number < AROUND || number + AROUND >= calls->count)
		return false;
	for (size_t i = number - AROUND; i <= number + AROUND; i++)
		if (!(calls->ordinary[i / WORD_BITS] >> i % WORD_BITS & 1))
			return false;
	return true;
}

void thread_calls_free(struct thread_calls *calls)
{
	free(calls->ordinary);
	free(calls);
}
