// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/pair/thinning.h"

#include <string.h>

#include "viz/model/operation_facts.h"
#include "viz/pair/pairing.h"

static void count_left_out(struct thinning *t, const struct viz_operation *op)
{
	left_out_count(&t->left_out, op);
	if (!op->channel || viz_operation_failed(op) || idle_call(op))
		return;
	if (semaphore_call(op) || op->channel->mechanism == MECH_FILE_LOCK)
		semaphores_count(&t->semaphores, op);
	else
		left_out_add(&t->left_out, op);
}

/* The messages by which the call woke another one, or was woken. */
static void forget_wakes(struct thinning *t, const struct viz_operation *op)
{
	struct viz_message *message;

	while (op && (message = lock_wakes_remove(&t->lock_wakes, op)))
		held_drop_message(&t->held, message);
}

static void forget_call(struct thinning *t, const struct viz_operation *op)
{
	count_left_out(t, op);
	held_drop_call(&t->held, op);
}

static bool is_round(const struct exchange *exchange)
{
	return !exchange->message && exchange->calls[1];
}

/* True if nobody has a reference to the call but the list and, if there is one, its message. */
static bool may_forget(const struct thinning *t, const struct exchange *exchange,
		       const struct viz_operation *op)
{
	const struct held_call *call = held_call(&t->held, op);
	const uint32_t wakes = is_round(exchange) ? lock_wakes_references(&t->lock_wakes, op) : 0;

	return call && op->uses == exchange_references(exchange, op) + wakes &&
	       thread_calls_around(call->of, call->number) && !wanted_call(&t->wanted, op) &&
	       (is_round(exchange) ? lock_round_may_forget(&t->rounds, exchange->calls[0])
				   : semaphores_may_forget(&t->semaphores, op));
}

static bool may_forget_both(const struct thinning *t, const struct exchange *exchange)
{
	return (!exchange->calls[0] || may_forget(t, exchange, exchange->calls[0])) &&
	       (!exchange->calls[1] || may_forget(t, exchange, exchange->calls[1]));
}

/* True if it is out. */
static bool forget(struct thinning *t, const struct exchange *exchange)
{
	const struct viz_operation *one = exchange->calls[0], *other = exchange->calls[1];
	const struct viz_signal *signal = exchange_signal(exchange);

	if (signal && !signal_may_be_forgotten(&t->signal_waits, signal))
		return false;
	if (!may_forget_both(t, exchange) ||
	    (t->packing && !pairing_pack(t->pairing, exchange->message)))
		return false;
	if (exchange->message)
		held_drop_message(&t->held, exchange->message);
	forget_wakes(t, one);
	forget_wakes(t, other);
	if (one)
		forget_call(t, one);
	if (other)
		forget_call(t, other);
	return true;
}

/* A call that is forgotten is no more: who sent it is noted before. */
static void forget_middle(struct thinning *t, const struct exchange *exchange)
{
	left_out_sender(exchange->calls[0]);
	short_channel_left(exchange->of, forget(t, exchange));
}

/* The first and the last piece of the hub, which has lost all others. */
static void forget_hub(struct thinning *t, const struct exchange *first,
		       const struct exchange *last)
{
	const struct viz_operation *hub = last->hub;
	const struct held_call *call = held_call(&t->held, hub);

	if (!call || hub->uses != 1 + 2 || !ordinary_hub(hub) || wanted_call(&t->wanted, hub) ||
	    !thread_calls_around(call->of, call->number) ||
	    !may_forget(t, first, piece_leaf(first)))
		return;
	held_drop_message(&t->held, first->message);
	held_drop_message(&t->held, last->message);
	forget_call(t, piece_leaf(first));
	forget_call(t, piece_leaf(last));
	forget_call(t, hub);
}

static void forget_piece(struct thinning *t, const struct exchange *piece)
{
	struct exchange first;

	if (!may_forget(t, piece, piece_leaf(piece)))
		return;
	switch (pieces_middle(&t->pieces, piece, &first)) {
	case PIECE_LEAVES:
		held_drop_message(&t->held, piece->message);
		forget_call(t, piece_leaf(piece));
		break;
	case PIECE_WAS_LAST:
		forget_hub(t, &first, piece);
		break;
	case PIECE_STAYS:
		break;
	}
}

/* --- wholes ---------------------------------------------------------------------------------- */

static void forget_short(struct thinning *t, struct short_channel *s)
{
	if (!t->packing)
		whole_forget_channel(&t->held, &t->left_out, &t->wanted, s);
	short_channel_free_both(s);
}

/* What is known of the thread's calls, of which none is held any more. */
static void forget_thread(struct thinning *t, const struct viz_thread *thread)
{
	struct thread_calls *calls = id_map_get(&t->threads, (uintptr_t)thread);

	id_map_remove(&t->threads, (uintptr_t)thread);
	if (calls)
		thread_calls_free(calls);
}

static void forget_life(struct thinning *t, struct short_life *life)
{
	if (child_end_may_be_forgotten(&t->signal_waits, life->process->parent))
		whole_forget_life(&t->held, &t->left_out, &t->wanted, life);
	if (life->process->life_left_out)
		forget_thread(t, life->process->threads[0]);
	short_life_free(life);
}

/* --- rounds ---------------------------------------------------------------------------------- */

static void forget_repeat(struct thinning *t, const struct waiting *waiting)
{
	const struct viz_operation *op = waiting->exchange.calls[0];

	if (!held_call(&t->held, op) || op->uses != 1 || t->packing)
		return;
	idle_run_count(waiting->like, waiting->other, op);
	forget_call(t, op);
}

static void forget_waiting(struct thinning *t, const struct waiting *waiting)
{
	const struct exchange *exchange = &waiting->exchange;

	if (exchange->life)
		forget_life(t, exchange->life);
	else if (exchange->whole)
		forget_short(t, exchange->whole);
	else if (exchange->of)
		forget_middle(t, exchange);
	else if (waiting->like)
		forget_repeat(t, waiting);
	else if (exchange->hub)
		forget_piece(t, exchange);
	else
		forget(t, exchange);
}

void forget_until(struct thinning *t, uint64_t round)
{
	struct waiting_list *list = &t->waiting;
	size_t done = 0;

	for (; done < list->count && list->items[done].round < round; done++)
		forget_waiting(t, &list->items[done]);
	list->count -= done;
	if (list->count)
		memmove(list->items, list->items + done, list->count * sizeof(*list->items));
}
