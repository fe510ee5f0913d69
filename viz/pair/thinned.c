// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Keeps what the pairing engine reports while it reads, and forgets an exchange once it is known to
 * lie in the middle of an ordinary conversation. A call is forgotten only if nobody but this list
 * has a reference to it.
 */
#include "viz/pair/thinning.h"

#include <stdlib.h>

#include "viz/base/arena.h"
#include "viz/model/builder.h"
#include "viz/model/operation_facts.h"
#include "viz/pair/core/context.h"
#include "viz/pair/pairing.h"
#include "viz/pair/stream.h"

/* The engine releases a call at the end of the round in which it told of it, or of the next one. */
enum { ROUNDS = 2 };

/* So many exchanges stay at most at either end of a short channel, of each kind. */
enum { SHORT_ENDS = 16 };

static struct thread_calls *calls_of(struct thinning *t, const struct viz_thread *thread)
{
	struct thread_calls *calls = id_map_get(&t->threads, (uintptr_t)thread);

	if (!calls) {
		calls = memory_new(sizeof(*calls));
		id_map_put(&t->threads, (uintptr_t)thread, calls);
	}
	return calls;
}

/* True of a call that is in an exchange without a message, or was forgotten. */
static bool is_listed(const struct thinning *t, const struct viz_operation *op)
{
	const struct held_call *call = held_call(&t->held, op);

	return !call || call->listed;
}

/* --- what the engine reports ----------------------------------------------------------------- */

static void add_to_conversation(struct thinning *t, const struct exchange *exchange)
{
	struct waiting middle = {.round = t->round};

	if (conversation_add(conversation_of(&t->conversations, exchange), exchange, t->ends,
			     &middle.exchange) == PLACE_MIDDLE)
		LIST_PUSH(&t->waiting, middle);
}

static void mark(const struct thinning *t, const struct viz_operation *op)
{
	const struct held_call *call = held_call(&t->held, op);

	if (call)
		thread_calls_mark(call->of, call->number);
}

/* One in the middle of a short channel stays if it is of a rare length, and then so does that. */
static void leave_middle(struct thinning *t, const struct exchange *middle)
{
	const struct waiting waiting = {.exchange = *middle, .round = t->round};

	if (!middle->of)
		return;
	if (conversation_knows_length(conversation_of(&t->conversations, middle), middle))
		LIST_PUSH(&t->waiting, waiting);
	else
		short_channel_left(middle->of, false);
}

/* Of a signal from a timer the one call, if there is any, is what its handler interrupted. */
static void add_timer_signal(struct thinning *t, struct viz_message *message)
{
	const struct exchange exchange = {.message = message,
					  .calls = {signal_taker(message->signal)}};

	if (exchange.calls[0] && !held_call(&t->held, exchange.calls[0]))
		return;
	mark(t, exchange.calls[0]);
	add_to_conversation(t, &exchange);
}

static void add_ordinary(struct thinning *t, const struct exchange *exchange)
{
	struct exchange middle = {0};

	if (!held_call(&t->held, exchange->calls[0]) ||
	    (exchange->calls[1] && !held_call(&t->held, exchange->calls[1])))
		return;
	mark(t, exchange->calls[0]);
	mark(t, exchange->calls[1]);
	if (!short_channels_add(&t->short_channels, exchange, &middle))
		add_to_conversation(t, exchange);
	leave_middle(t, &middle);
}

/* What went through a channel that is no short one, after all, is like any other. */
static void give_up(struct thinning *t, struct short_channel *s)
{
	struct short_channel *both[] = {s, s ? s->peer : NULL};

	for (size_t k = 0; k < 2 && both[k]; k++)
		for (size_t i = 0; i < short_channel_exchanges(both[k]); i++)
			add_to_conversation(t, short_channel_exchange(both[k], i));
	short_channel_free_both(s);
}

/*
 * A channel of pieces is no short one. The hub of a piece is told to be ordinary with the last
 * piece of it.
 */
static void add_piece(struct thinning *t, const struct exchange *piece, bool complete)
{
	if (!held_call(&t->held, piece->calls[0]) || !held_call(&t->held, piece->calls[1]))
		return;
	mark(t, piece_leaf(piece));
	if (complete)
		mark(t, piece->hub);
	give_up(t, short_channels_give_up(&t->short_channels, piece->message->channel));
	add_to_conversation(t, piece);
}

/* Many channels between the same two threads are a conversation, too: of a tenth of the ends. */
static size_t short_ends(const struct thinning *t)
{
	return t->ends / 10 + 1;
}

static void add_whole(struct thinning *t, const struct exchange *exchange)
{
	struct waiting middle = {.round = t->round};

	switch (conversation_add(conversation_of(&t->conversations, exchange), exchange,
				 short_ends(t), &middle.exchange)) {
	case PLACE_FIRST:
		short_channel_free_both(exchange->whole);
		short_life_free(exchange->life);
		break;
	case PLACE_MIDDLE:
		LIST_PUSH(&t->waiting, middle);
		break;
	case PLACE_LAST:
		break;
	}
}

static void add_short(struct thinning *t, struct short_channel *s)
{
	const struct viz_operation *const peers = s->peer ? s->peer->calls.items[0] : NULL;

	if (t->packing || !short_lives_channel(&t->short_lives, s))
		add_whole(t, &(struct exchange){.calls = {s->calls.items[0], peers}, .whole = s});
}

static void watch_short_channels(struct thinning *t)
{
	struct short_channel *s;
	bool ordinary;

	while ((s = short_channels_over(&t->short_channels, &ordinary)))
		if (ordinary)
			add_short(t, s);
		else
			give_up(t, s);
}

static void add_life(struct thinning *t, struct short_life *life)
{
	const struct viz_operation *op = life->collector;

	mark(t, op);
	add_whole(t, &(struct exchange){.calls = {op}, .life = life});
}

/* Who lives on after all has had channels like any other. */
static void give_up_life(struct thinning *t, struct short_life *life)
{
	if (!life)
		return;
	for (size_t i = 0; i < life->channels.count; i++)
		add_short(t, life->channels.items[i]);
	life->channels.count = 0;
	short_life_free(life);
}

static void watch_short_lives(struct thinning *t)
{
	struct short_life *life;
	bool ordinary;

	while ((life = short_lives_over(&t->short_lives, &ordinary)))
		if (ordinary)
			add_life(t, life);
		else
			give_up_life(t, life);
}

/* Notes a call of a process that has a short life perhaps, or that collected one. */
static void watch_life(struct thinning *t, const struct viz_operation *op)
{
	struct short_life *life = short_lives_call(&t->short_lives, op);

	if (short_lives_collected(op))
		short_lives_collect(&t->short_lives, op);
	if (life && ordinary_control(op))
		mark(t, op);
	else if (ordinary_control(op))
		add_ordinary(t, &(struct exchange){.calls = {op}});
	give_up_life(t, short_lives_leave(&t->short_lives, life));
}

static int end_round(void *data)
{
	struct thinning *t = data;

	watch_short_channels(t);
	watch_short_lives(t);
	t->round++;
	if (t->round >= ROUNDS)
		forget_until(t, t->round - ROUNDS + 1);
	held_close_up(&t->held);
	return 0;
}

static bool moves_data(const struct viz_operation *op)
{
	return !viz_operation_failed(op) && (op->role == ROLE_SEND || op->role == ROLE_RECEIVE);
}

/* A wait is ordinary if its thread's next call takes or sends something, or takes a client. */
static void end_wait(struct thinning *t, struct thread_calls *calls, bool ordinary)
{
	const struct exchange wait = {.calls = {calls->wait}};

	calls->wait = NULL;
	if (wait.calls[0] && ordinary)
		add_ordinary(t, &wait);
}

/* The call got nothing, as is usual where a thread takes all that there is. */
static void end_short_run(struct thinning *t, const struct idle_run *run)
{
	for (size_t i = 0; i < run->count; i++) {
		const struct exchange exchange = {.calls = {run->first[i]}};

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
		t->held.calls.items[exchange->calls[i]->index].listed = true;
	add_ordinary(t, exchange);
}

static void watch_locks(struct thinning *t, const struct viz_operation *op)
{
	const struct viz_operation *took = lock_rounds_note(&t->rounds, op);

	semaphores_note(&t->semaphores, op);
	if (took && !is_listed(t, took))
		list_calls(t, &(struct exchange){.calls = {took, op}});
	else if (semaphore_call_is_alone(op) && semaphores_may_forget(&t->semaphores, op))
		list_calls(t, &(struct exchange){.calls = {op}});
}

static int note_beginning(void *data, const struct viz_operation *op)
{
	struct thinning *t = data;

	signal_waits_begin(&t->signal_waits, &calls_of(t, op->thread)->open, op);
	short_channels_begin(&t->short_channels, op);
	return 0;
}

static int hold_call(void *data, const struct viz_operation *op)
{
	struct thinning *t = data;
	struct thread_calls *calls = calls_of(t, op->thread);
	struct held_call call = {(struct viz_operation *)op, calls, thread_calls_add(calls), 0,
				 false};
	struct exchange middle = {0};
	bool plain;

	if (t->packing)
		t->packing->hear(t->packing->data, op);
	signal_waits_end(&t->signal_waits, &calls->open, op);
	call.run = watch_idle(t, &calls->run, op);
	held_add_call(&t->held, call);
	wanted_note(&t->wanted, op);
	plain = short_channels_call(&t->short_channels, op, &middle);
	leave_middle(t, &middle);
	if (plain)
		mark(t, op);
	else if (ordinary_change(op))
		add_ordinary(t, &(struct exchange){.calls = {op}});
	if (!t->packing)
		watch_life(t, op);
	end_wait(t, calls, plain || moves_data(op));
	watch_locks(t, op);
	give_up(t, short_channels_leave(&t->short_channels, op));
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

static void add_wake(struct thinning *t, const struct exchange *exchange)
{
	if (!is_listed(t, exchange->calls[0]) && !is_listed(t, exchange->calls[1]))
		add_ordinary(t, exchange);
	else if (!t->packing)
		lock_wakes_add(&t->lock_wakes, exchange->message);
}

static int hold_message(void *data, const struct viz_message *message)
{
	struct thinning *t = data;
	const struct viz_operation *to = message->signal ? signal_taker(message->signal)
							 : message->to.operation;
	const struct exchange exchange = {.message = held_add_message(&t->held, message),
					  .calls = {message->from.operation, to}};

	const bool is_whole = ordinary_message(message);
	struct exchange piece;
	bool complete = false;

	if (!t->packing && pieces_next(&t->pieces, exchange.message, is_whole, &piece, &complete))
		add_piece(t, &piece, complete);
	if (message->signal && !t->packing)
		mark(t, short_lives_signal(&t->short_lives, exchange.message));
	if (!t->packing && ordinary_timer_signal(message))
		add_timer_signal(t, exchange.message);
	if (is_whole || ordinary_signal(message))
		add_ordinary(t, &exchange);
	if (semaphore_message_is_ordinary(message))
		add_wake(t, &exchange);
	return 0;
}

static int hold_eof(void *data, const struct viz_eof *eof)
{
	struct thinning *t = data;

	if (short_channels_eof(&t->short_channels, held_add_eof(&t->held, eof)))
		mark(t, eof->receive);
	return 0;
}

static int hold_connection(void *data, const struct viz_connection *connection)
{
	struct thinning *t = data;

	short_channels_connection(&t->short_channels, held_add_connection(&t->held, connection));
	return 0;
}

static int hold_gap(void *data, const struct viz_gap *gap)
{
	struct thinning *t = data;

	give_up(t, short_channels_give_up(&t->short_channels, gap->channel));
	ARENA_PUSH(t->arena, t->pairing->gaps, t->pairing->gap_count,
		   copy_of(t, gap, sizeof(*gap)));
	return 0;
}

/* --- the end --------------------------------------------------------------------------------- */

static int begin(void *data, const struct viz_model *model)
{
	struct thinning *t = data;

	t->model = (struct viz_model *)model;
	t->held.model = t->model;
	t->left_out = (struct left_out){.model = t->model, .arena = t->arena};
	t->semaphores = (struct semaphores){.model = t->model, .arena = t->arena};
	t->rounds = (struct lock_rounds){.arena = t->arena};
	t->signal_waits = (struct signal_waits){.arena = t->arena};
	return 0;
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
	for (size_t i = 0; i < t->held.calls.count; i++)
		if (t->held.calls.items[i].op)
			finish_call(model, &t->held.calls.items[i]);
	held_finish(&t->held, t->pairing);
	if (t->packing)
		pairing_finish_packed(t->pairing, model->operation_count);
	return 0;
}

static void free_lists(struct thinning *t)
{
	conversation_list_free(&t->conversations);
	for (size_t i = 0; i < t->waiting.count; i++)
		if (t->waiting.items[i].exchange.of)
			short_channel_left(t->waiting.items[i].exchange.of, false);
		else if (t->waiting.items[i].exchange.whole)
			short_channel_free_both(t->waiting.items[i].exchange.whole);
		else
			short_life_free(t->waiting.items[i].exchange.life);
	for (size_t i = 0; i < t->threads.capacity; i++)
		if (t->threads.slots[i].value)
			thread_calls_free(t->threads.slots[i].value);
	id_map_free(&t->threads);
	free(t->waiting.items);
	held_free(&t->held);
	short_channels_free(&t->short_channels);
	short_lives_free(&t->short_lives);
	pieces_free(&t->pieces);
	lock_wakes_free(&t->lock_wakes);
}

static int read_stream(struct thinning *t, FILE *stream, const char *name,
		       struct progress *progress, struct viz_thinned *thinned,
		       struct viz_error *error)
{
	const struct viz_sink sink = {
		.data = t,
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

	t->arena = t->pairing->arena;
	t->held.arena = t->arena;
	t->wanted.arena = t->arena;
	t->conversations.arena = t->arena;
	err = viz_stream_collect(stream, name, &sink, &thinned->model, error);
	free_lists(t);
	thinned->pairing = err ? NULL : t->pairing;
	if (err)
		viz_pairing_free(t->pairing);
	return err;
}

int viz_thinned_read_stream(FILE *stream, const char *name, size_t ends, struct progress *progress,
			    struct viz_thinned *thinned, struct viz_error *error)
{
	struct thinning t = {.ends = ends, .pairing = pairing_new()};

	t.short_channels.ends = ends < SHORT_ENDS ? ends : SHORT_ENDS;
	return read_stream(&t, stream, name, progress, thinned, error);
}

int viz_packed_read_stream(FILE *stream, const char *name, const struct viz_packing *packing,
			   struct progress *progress, struct viz_thinned *thinned,
			   struct viz_error *error)
{
	struct thinning t = {
		.ends = packing->ends, .pairing = pairing_new_packed(), .packing = packing};

	t.short_channels.ends = packing->ends;
	return read_stream(&t, stream, name, progress, thinned, error);
}

void viz_thinned_free(struct viz_thinned *thinned)
{
	viz_pairing_free(thinned->pairing);
	viz_model_free(thinned->model);
}
