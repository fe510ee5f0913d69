// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Keeps what the pairing engine reports while it reads, and forgets an exchange once it is known to
 * lie in the middle of an ordinary conversation. A call is forgotten only if nobody but this list
 * has a reference to it.
 */
#include "viz/pair/thinned.h"

#include <stdlib.h>

#include "viz/base/arena.h"
#include "viz/model/builder.h"
#include "viz/model/operation_facts.h"
#include "viz/pair/core/context.h"
#include "viz/pair/lock_rounds.h"
#include "viz/pair/ordinary.h"
#include "viz/pair/ordinary_signals.h"
#include "viz/pair/pairing.h"
#include "viz/pair/semaphores.h"
#include "viz/pair/stream.h"

/* A call that is held; its `index` is its place in the list. */
struct held_call {
	struct viz_operation *op; /* NULL: it was forgotten */
	struct thread_calls *of;
	size_t number; /* of the thread's calls */
	uint32_t run;  /* of the thread's idle runs; 0: it is of none */
	bool listed;   /* it is, without a message, in an exchange */
};

/* An exchange in the middle of its conversation, until the engine has released its calls. */
struct waiting {
	struct exchange exchange;
	/* Or a call in the middle of an idle run: the first one like it, and that of the others. */
	const struct viz_operation *like, *other;
	uint64_t round; /* of the engine, in which it came to lie there */
};

struct held_calls LIST_OF(struct held_call);
struct waiting_list LIST_OF(struct waiting);
struct held_messages LIST_OF(struct viz_message *); /* NULL: it was forgotten */
struct spare_signals LIST_OF(struct viz_signal *);

/*
 * Whose exchanges make one conversation; of waits one thread, and the epoll instance. What is sent
 * to a queue by another type or priority is another conversation, and so is what is asked of a
 * semaphore in another way, and a signal of another sort.
 */
struct conversation_key {
	const void *from, *to, *channel;
	int64_t type; /* or what the idle call returned, or the sort of a signal */
	uint64_t priority, idle, request;
};

struct thinning {
	size_t ends;
	struct arena *arena; /* of the pairing */
	struct viz_model *model;
	struct viz_pairing *pairing;
	struct held_calls calls;
	size_t calls_forgotten;	     /* since the list was last closed up */
	uint64_t round;		     /* of the engine */
	struct waiting_list waiting; /* in order of their rounds */
	struct held_messages messages;
	size_t messages_forgotten;
	struct message_list spare; /* forgotten messages, to be used again */
	struct spare_signals spare_signals;
	struct map threads;	  /* struct thread_calls, by thread */
	struct map conversations; /* by conversation_key */
	struct map ordinary;	  /* struct viz_ordinary, by process and channel */
	struct map refused;	  /* processes by index of which a send found no room */
	struct semaphores semaphores;
	struct lock_rounds rounds;
	struct signal_waits signal_waits;
	struct map transferred; /* channels by index out of which splice(2) and its like took */
	struct conversation **talks; /* all in `conversations` */
	size_t talk_count;
	struct thread_calls **callers; /* all in `threads` */
	size_t caller_count;
};

/* Lists are closed up once so many of their items were forgotten, and half of them all. */
enum { FORGOTTEN_LEAST = 4096 };

static struct thread_calls *calls_of(struct thinning *t, const struct viz_thread *thread)
{
	struct thread_calls *calls = map_get_uint(&t->threads, (uintptr_t)thread);

	if (!calls) {
		calls = memory_new(sizeof(*calls));
		map_put_uint(t->arena, &t->threads, (uintptr_t)thread, calls);
		ARENA_PUSH(t->arena, t->callers, t->caller_count, calls);
	}
	return calls;
}

static const struct viz_signal *signal_of(const struct exchange *exchange)
{
	return exchange->message ? exchange->message->signal : NULL;
}

static struct conversation_key key_of(const struct exchange *exchange)
{
	const struct viz_operation *from = exchange->calls[0], *to = exchange->calls[1];
	const bool idle = !exchange->message && idle_call(from) && from->returned <= 0;

	return (struct conversation_key){from->thread,
					 to ? to->thread : NULL,
					 to ? to->channel : from->channel,
					 idle ? from->returned : from->extra->message_type,
					 from->extra->priority,
					 idle,
					 semaphore_call(from) ? semaphore_request(from)
							      : lock_request(from)};
}

static struct conversation_key signal_key_of(const struct viz_signal *signal)
{
	return (struct conversation_key){.from = signal->raised_by->thread,
					 .to = signal->generate->to,
					 .type = (int64_t)signal_sort(signal)};
}

static struct conversation *conversation_of(struct thinning *t, const struct exchange *exchange)
{
	const struct viz_signal *signal = signal_of(exchange);
	const struct conversation_key names = signal ? signal_key_of(signal) : key_of(exchange);
	const struct viz_bytes key = {(const char *)&names, sizeof(names)};
	struct conversation *talk = map_get(&t->conversations, key);

	if (!talk) {
		talk = conversation_new();
		map_put(t->arena, &t->conversations, key, talk);
		ARENA_PUSH(t->arena, t->talks, t->talk_count, talk);
	}
	return talk;
}

static struct held_call *held(const struct thinning *t, const struct viz_operation *op)
{
	return op && op->index < t->calls.count && t->calls.items[op->index].op == op
		       ? &t->calls.items[op->index]
		       : NULL;
}

/* True of a call that is in an exchange without a message, or was forgotten. */
static bool is_listed(const struct thinning *t, const struct viz_operation *op)
{
	const struct held_call *call = held(t, op);

	return !call || call->listed;
}

/* --- forgetting ------------------------------------------------------------------------------ */

static struct viz_ordinary *totals_of(struct thinning *t, const struct viz_operation *op)
{
	const bool receives = op->role == ROLE_RECEIVE;
	const uint64_t key = (uint64_t)op->process->index << 32 |
			     (uint64_t)op->channel->index << 1 | receives;
	struct viz_ordinary *totals = map_get_uint(&t->ordinary, key);

	if (!totals) {
		totals = arena_alloc(t->model->arena, sizeof(*totals));
		totals->process = op->process;
		totals->channel = op->channel;
		totals->receives = receives;
		map_put_uint(t->arena, &t->ordinary, key, totals);
		ARENA_PUSH(t->model->arena, t->model->ordinary, t->model->ordinary_count, totals);
	}
	return totals;
}

static void count_left_out(struct thinning *t, const struct viz_operation *op)
{
	struct viz_ordinary *totals;

	t->model->ordinary_calls++;
	op->process->thinned = true;
	if (!op->channel || idle_call(op))
		return;
	if (semaphore_call(op) || op->channel->mechanism == MECH_FILE_LOCK) {
		semaphores_count(&t->semaphores, op);
		return;
	}
	totals = totals_of(t, op);
	totals->calls++;
	totals->bytes += operation_stream_bytes(op);
	if (op->role != ROLE_RECEIVE || !viz_has(op, requested))
		return;
	totals->requested += op->requested;
	totals->shorter += (uint64_t)op->returned < op->requested;
}

static void forget_call(struct thinning *t, const struct viz_operation *op)
{
	count_left_out(t, op);
	t->calls.items[op->index].op = NULL;
	t->calls_forgotten++;
	viz_operation_drop(op);
}

/* True for a send that found no room, and whose content the trace tells. */
static bool is_refused(const struct viz_operation *op)
{
	return op->role == ROLE_SEND && viz_operation_failed(op) &&
	       (op->payload.len || op->extra->digest.len);
}

static bool is_round(const struct exchange *exchange)
{
	return !exchange->message && exchange->calls[1];
}

/* How many references the list, the message and its signal have to one of its calls. */
static uint32_t references(const struct exchange *exchange, const struct viz_operation *op)
{
	const struct viz_message *m = exchange->message;
	const struct viz_signal *s = signal_of(exchange);
	uint32_t own = 1;

	if (m)
		own += (m->from.operation == op) + (m->to.operation == op);
	if (s)
		own += (s->raised_by == op) + (s->accepted_by == op) + (s->interrupted == op);
	return own;
}

/* True if nobody has a reference to the call but the list and, if there is one, its message. */
static bool may_forget(const struct thinning *t, const struct exchange *exchange,
		       const struct viz_operation *op)
{
	const struct held_call *call = held(t, op);

	return call && op->uses == references(exchange, op) &&
	       thread_calls_around(call->of, call->number) &&
	       !(op->role == ROLE_SEND && map_get_uint(&t->refused, op->process->index)) &&
	       !(op->channel && map_get_uint(&t->transferred, op->channel->index)) &&
	       (is_round(exchange) ? lock_round_may_forget(&t->rounds, exchange->calls[0])
				   : semaphores_may_forget(&t->semaphores, op));
}

static void forget_event(struct thinning *t, const struct viz_signal_event *event)
{
	if (event)
		model_forget_signal_event(t->model, event);
}

static void forget_signal(struct thinning *t, const struct viz_signal *signal)
{
	viz_operation_drop(signal->raised_by);
	viz_operation_drop(signal->accepted_by);
	viz_operation_drop(signal->interrupted);
	forget_event(t, signal->generate);
	forget_event(t, signal->deliver);
	forget_event(t, signal->end);
	LIST_PUSH(&t->spare_signals, (struct viz_signal *)signal);
}

static void forget_message(struct thinning *t, struct viz_message *message)
{
	viz_operation_drop(message->from.operation);
	viz_operation_drop(message->to.operation);
	if (message->signal)
		forget_signal(t, message->signal);
	t->messages.items[message->index] = NULL;
	t->messages_forgotten++;
	LIST_PUSH(&t->spare, message);
}

static void forget(struct thinning *t, const struct exchange *exchange)
{
	const struct viz_operation *one = exchange->calls[0], *other = exchange->calls[1];
	const struct viz_signal *signal = signal_of(exchange);

	if (signal && !signal_may_be_forgotten(&t->signal_waits, signal))
		return;
	if (!may_forget(t, exchange, one) || (other && !may_forget(t, exchange, other)))
		return;
	if (exchange->message)
		forget_message(t, exchange->message);
	forget_call(t, one);
	if (other)
		forget_call(t, other);
}

static void forget_repeat(struct thinning *t, const struct waiting *waiting)
{
	const struct viz_operation *op = waiting->exchange.calls[0];

	if (!held(t, op) || op->uses != 1)
		return;
	idle_run_count(waiting->like, waiting->other, op);
	forget_call(t, op);
}

static bool is_sparse(size_t forgotten, size_t count)
{
	return forgotten >= FORGOTTEN_LEAST && forgotten >= count / 2;
}

static void close_up_calls(struct thinning *t)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->calls.count; i++) {
		if (!t->calls.items[i].op)
			continue;
		t->calls.items[i].op->index = (uint32_t)kept;
		t->calls.items[kept++] = t->calls.items[i];
	}
	t->calls.count = kept;
	t->calls_forgotten = 0;
}

static void close_up_messages(struct thinning *t)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->messages.count; i++) {
		if (!t->messages.items[i])
			continue;
		t->messages.items[i]->index = kept;
		t->messages.items[kept++] = t->messages.items[i];
	}
	t->messages.count = kept;
	t->messages_forgotten = 0;
}

/* The engine releases a call at the end of the round in which it told of it, or of the next one. */
enum { ROUNDS = 2 };

/* Looks at what has waited since a round before this one. */
static void forget_until(struct thinning *t, uint64_t round)
{
	struct waiting_list *list = &t->waiting;
	size_t done = 0;

	for (; done < list->count && list->items[done].round < round; done++)
		if (list->items[done].like)
			forget_repeat(t, &list->items[done]);
		else
			forget(t, &list->items[done].exchange);
	list->count -= done;
	if (list->count)
		memmove(list->items, list->items + done, list->count * sizeof(*list->items));
}

static int end_round(void *data)
{
	struct thinning *t = data;

	t->round++;
	if (t->round >= ROUNDS)
		forget_until(t, t->round - ROUNDS + 1);
	if (is_sparse(t->calls_forgotten, t->calls.count))
		close_up_calls(t);
	if (is_sparse(t->messages_forgotten, t->messages.count))
		close_up_messages(t);
	return 0;
}

/* --- what the engine reports ----------------------------------------------------------------- */

static void add_ordinary(struct thinning *t, const struct exchange *exchange)
{
	const struct held_call *one = held(t, exchange->calls[0]);
	const struct held_call *other = held(t, exchange->calls[1]);
	struct waiting middle = {.round = t->round};

	if (!one || (exchange->calls[1] && !other))
		return;
	thread_calls_mark(one->of, one->number);
	if (other)
		thread_calls_mark(other->of, other->number);
	if (conversation_add(conversation_of(t, exchange), exchange, t->ends, &middle.exchange))
		LIST_PUSH(&t->waiting, middle);
}

/* A wait is ordinary if its thread's next call takes or sends something. */
static void end_wait(struct thinning *t, struct thread_calls *calls, const struct viz_operation *op)
{
	const struct exchange wait = {NULL, {calls->wait, NULL}};

	calls->wait = NULL;
	if (wait.calls[0] && !viz_operation_failed(op) &&
	    (op->role == ROLE_SEND || op->role == ROLE_RECEIVE))
		add_ordinary(t, &wait);
}

/* The call got nothing, as is usual where a thread takes all that there is. */
static void end_short_run(struct thinning *t, const struct idle_run *run)
{
	for (size_t i = 0; i < run->count; i++) {
		const struct exchange exchange = {NULL, {run->first[i], NULL}};

		if (idle_call_is_ordinary(run->first[i]))
			add_ordinary(t, &exchange);
	}
}

static void end_run(struct thinning *t, struct idle_run *run, bool beside)
{
	if (run->count <= IDLE_RUN_ENDS && !run->beside && !beside)
		end_short_run(t, run);
	run->count = 0;
}

/* Takes the thread's next call into its idle run, if it gets nothing. Returns the run's number. */
static uint32_t watch_idle(struct thinning *t, struct idle_run *run, const struct viz_operation *op)
{
	struct waiting middle = {.round = t->round};
	const bool idle = idle_call(op), beside = idle && run->count;

	if (!idle_run_goes_on(run, op)) {
		end_run(t, run, idle);
		if (!idle)
			return 0;
		idle_run_begin(run, op, beside);
	}
	middle.exchange.calls[0] = idle_run_add(run, op, &middle.like);
	middle.other = run->kinds[middle.like == run->kinds[0]];
	if (middle.exchange.calls[0])
		LIST_PUSH(&t->waiting, middle);
	return run->number;
}

/* Adds calls that are an exchange without a message. None of them is in one yet. */
static void list_calls(struct thinning *t, const struct exchange *exchange)
{
	for (size_t i = 0; i < 2 && exchange->calls[i]; i++)
		t->calls.items[exchange->calls[i]->index].listed = true;
	add_ordinary(t, exchange);
}

static void watch_locks(struct thinning *t, const struct viz_operation *op)
{
	const struct viz_operation *took = lock_rounds_note(&t->rounds, op);

	semaphores_note(&t->semaphores, op);
	if (took && !is_listed(t, took))
		list_calls(t, &(struct exchange){NULL, {took, op}});
	else if (semaphore_call_is_alone(op) && semaphores_may_forget(&t->semaphores, op))
		list_calls(t, &(struct exchange){NULL, {op, NULL}});
}

static int note_beginning(void *data, const struct viz_operation *op)
{
	struct thinning *t = data;

	signal_waits_begin(&t->signal_waits, &calls_of(t, op->thread)->open, op);
	return 0;
}

static int hold_call(void *data, const struct viz_operation *op)
{
	struct thinning *t = data;
	struct thread_calls *calls = calls_of(t, op->thread);
	struct held_call call = {viz_operation_use(op), calls, thread_calls_add(calls), 0, false};

	signal_waits_end(&t->signal_waits, &calls->open, op);
	call.run = watch_idle(t, &calls->run, op);
	call.op->index = (uint32_t)t->calls.count;
	LIST_PUSH(&t->calls, call);
	if (is_refused(op)) /* all that it sends later tells whether that is lost */
		map_put_uint(t->arena, &t->refused, op->process->index, t);
	if (op->role == ROLE_TRANSFER && op->channel)
		map_put_uint(t->arena, &t->transferred, op->channel->index, t);
	end_wait(t, calls, op);
	watch_locks(t, op);
	if (ordinary_wait(op))
		calls->wait = op;
	return 0;
}

static void *copy_of(struct thinning *t, const void *object, size_t size)
{
	void *copy = arena_alloc(t->arena, size);

	memcpy(copy, object, size);
	return copy;
}

/* The model's copy of an event that the engine will free. */
static const struct viz_signal_event *event_of(const struct viz_signal_event *event)
{
	return event ? event->kept : NULL;
}

static struct viz_signal *hold_signal(struct thinning *t, const struct viz_signal *signal)
{
	struct viz_signal *copy = t->spare_signals.count
					  ? t->spare_signals.items[--t->spare_signals.count]
					  : arena_alloc(t->arena, sizeof(*copy));

	*copy = *signal;
	copy->generate = event_of(signal->generate);
	copy->deliver = event_of(signal->deliver);
	copy->end = event_of(signal->end);
	viz_operation_use(signal->raised_by);
	viz_operation_use(signal->accepted_by);
	viz_operation_use(signal->interrupted);
	return copy;
}

static struct viz_message *hold(struct thinning *t, const struct viz_message *message)
{
	struct viz_message *copy = t->spare.count ? t->spare.items[--t->spare.count]
						  : arena_alloc(t->arena, sizeof(*copy));

	*copy = *message;
	copy->index = t->messages.count;
	copy->cork = NULL;
	viz_operation_use(message->from.operation);
	viz_operation_use(message->to.operation);
	viz_operation_use(message->echo);
	if (message->signal)
		copy->signal = hold_signal(t, message->signal);
	LIST_PUSH(&t->messages, copy);
	return copy;
}

static int hold_message(void *data, const struct viz_message *message)
{
	struct thinning *t = data;
	const struct viz_operation *to = message->signal ? signal_taker(message->signal)
							 : message->to.operation;
	const struct exchange exchange = {hold(t, message), {message->from.operation, to}};

	if (ordinary_message(message) || ordinary_signal(message) ||
	    (semaphore_message_is_ordinary(message) && !is_listed(t, exchange.calls[0]) &&
	     !is_listed(t, exchange.calls[1])))
		add_ordinary(t, &exchange);
	return 0;
}

static int hold_eof(void *data, const struct viz_eof *eof)
{
	struct thinning *t = data;

	viz_operation_use(eof->receive);
	viz_operation_use(eof->closed_by);
	ARENA_PUSH(t->arena, t->pairing->eofs, t->pairing->eof_count,
		   copy_of(t, eof, sizeof(*eof)));
	return 0;
}

static int hold_connection(void *data, const struct viz_connection *connection)
{
	struct thinning *t = data;

	viz_operation_use(connection->connect);
	viz_operation_use(connection->accept);
	ARENA_PUSH(t->arena, t->pairing->connections, t->pairing->connection_count,
		   copy_of(t, connection, sizeof(*connection)));
	return 0;
}

static int hold_gap(void *data, const struct viz_gap *gap)
{
	struct thinning *t = data;

	ARENA_PUSH(t->arena, t->pairing->gaps, t->pairing->gap_count,
		   copy_of(t, gap, sizeof(*gap)));
	return 0;
}

/* --- the end --------------------------------------------------------------------------------- */

static int begin(void *data, const struct viz_model *model)
{
	struct thinning *t = data;

	t->model = (struct viz_model *)model;
	t->semaphores = (struct semaphores){.model = t->model, .arena = t->arena};
	t->rounds = (struct lock_rounds){.arena = t->arena};
	t->signal_waits = (struct signal_waits){.arena = t->arena};
	return 0;
}

static void finish_messages(struct thinning *t)
{
	close_up_messages(t);
	pair_sort_messages(t->messages.items, t->messages.count);
	for (size_t i = 0; i < t->messages.count; i++) {
		struct viz_message *message = t->messages.items[i];

		message->index = i;
		pairing_add_message(t->pairing, message);
		if (message->signal)
			ARENA_PUSH(t->arena, t->pairing->signals, t->pairing->signal_count,
				   (struct viz_signal *)message->signal);
	}
}

/* True if the model lacks calls between this one and the one before, other than repeats. */
static bool is_after_gap(const struct held_call *call)
{
	const struct thread_calls *of = call->of;

	return call->number != of->next_number && (!call->run || call->run != of->last_run);
}

static void finish_call(struct viz_model *model, const struct held_call *call)
{
	call->op->after_gap = is_after_gap(call);
	call->of->next_number = call->number + 1;
	call->of->last_run = call->run;
	ARENA_PUSH(model->arena, model->operations, model->operation_count, call->op);
}

static int end(void *data, const struct viz_model *of)
{
	struct thinning *t = data;
	struct viz_model *model = t->model;

	(void)of;
	forget_until(t, VIZ_NEVER);
	for (size_t i = 0; i < t->calls.count; i++)
		if (t->calls.items[i].op)
			finish_call(model, &t->calls.items[i]);
	finish_messages(t);
	pairing_sort_signals(t->pairing);
	return 0;
}

static void free_lists(struct thinning *t)
{
	for (size_t i = 0; i < t->talk_count; i++)
		conversation_free(t->talks[i]);
	for (size_t i = 0; i < t->caller_count; i++)
		thread_calls_free(t->callers[i]);
	free(t->calls.items);
	free(t->waiting.items);
	free(t->messages.items);
	free(t->spare.items);
	free(t->spare_signals.items);
}

int viz_thinned_read_stream(FILE *stream, const char *name, size_t ends, struct progress *progress,
			    struct viz_thinned *thinned, struct viz_error *error)
{
	struct thinning t = {.ends = ends, .pairing = pairing_new()};
	const struct viz_sink sink = {
		.data = &t,
		.progress = progress,
		.begin = begin,
		.begun = note_beginning,
		.operation = hold_call,
		.message = hold_message,
		.gap = hold_gap,
		.eof = hold_eof,
		.connection = hold_connection,
		.settled = end_round,
		.end = end,
	};
	int err;

	t.arena = t.pairing->arena;
	err = viz_stream_collect(stream, name, &sink, &thinned->model, error);
	free_lists(&t);
	thinned->pairing = err ? NULL : t.pairing;
	if (err)
		viz_pairing_free(t.pairing);
	return err;
}

void viz_thinned_free(struct viz_thinned *thinned)
{
	viz_pairing_free(thinned->pairing);
	viz_model_free(thinned->model);
}
