// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/pair/ordinary.h"

#include <stdlib.h>

#include "viz/base/memory.h"
#include "viz/model/operation_facts.h"
#include "viz/pair/short_channels.h"
#include "viz/pair/short_lives.h"

enum {
	AROUND = 4,	   /* calls of a thread before and after that are ordinary, too */
	LENGTHS_MOST = 16, /* lengths of messages that a conversation knows */
	OF_LENGTH = 8,	   /* exchanges of one length that stay, beside those at the ends */
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

/* --- conversations --------------------------------------------------------------------------- */

/* What its calls asked for and got; of a short channel or life their number, and what they sent. */
struct length {
	uint64_t bytes, requested;
	size_t count;
};

struct conversation {
	size_t count;
	struct exchange *ring; /* the last ones */
	size_t next, held;
	struct length lengths[LENGTHS_MOST];
	size_t length_count;
};

struct conversation *conversation_new(void)
{
	return memory_new(sizeof(struct conversation));
}

void conversation_free(struct conversation *conversation)
{
	for (size_t i = 0; i < conversation->held; i++) {
		short_channel_free_both(conversation->ring[i].whole);
		short_life_free(conversation->ring[i].life);
	}
	free(conversation->ring);
	free(conversation);
}

static struct length length_of(const struct exchange *exchange)
{
	const struct viz_operation *last = exchange->calls[exchange->message && exchange->calls[1]];

	if (exchange->life)
		return (struct length){short_life_bytes(exchange->life),
				       short_life_calls(exchange->life), 0};
	if (exchange->whole)
		return (struct length){short_channel_bytes(exchange->whole),
				       short_channel_calls(exchange->whole), 0};
	return (struct length){exchange->message ? exchange->message->bytes : 0, last->requested,
			       0};
}

/* One of a length that was rarely met stays; where the lengths are many, they say no more. */
static bool is_usual_length(struct conversation *c, const struct exchange *exchange)
{
	const struct length length = length_of(exchange);
	size_t i = 0;

	while (i < c->length_count &&
	       (c->lengths[i].bytes != length.bytes || c->lengths[i].requested != length.requested))
		i++;
	if (i == LENGTHS_MOST)
		return true;
	if (i == c->length_count)
		c->lengths[c->length_count++] = length;
	return c->lengths[i].count++ >= OF_LENGTH;
}

enum place conversation_add(struct conversation *c, const struct exchange *exchange, size_t ends,
			    struct exchange *middle)
{
	bool full;

	if (!is_usual_length(c, exchange) || c->count++ < ends)
		return PLACE_FIRST;
	if (!c->ring)
		c->ring = memory_array(ends, sizeof(*c->ring));
	full = c->held == ends;
	if (full)
		*middle = c->ring[c->next];
	else
		c->held++;
	c->ring[c->next] = *exchange;
	c->next = (c->next + 1) % ends;
	return full ? PLACE_MIDDLE : PLACE_LAST;
}
