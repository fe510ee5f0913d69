// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/pair/wholes.h"

#include <stdlib.h>

#include "viz/model/builder.h"
#include "viz/pair/conversation_list.h"

/* True for a send that found no room, and whose content the trace tells. */
static bool is_refused(const struct viz_operation *op)
{
	return op->role == ROLE_SEND && viz_operation_failed(op) &&
	       (op->payload.len || op->extra->digest.len);
}

void wanted_note(struct wanted_calls *wanted, const struct viz_operation *op)
{
	if (is_refused(op)) /* all that it sends later tells whether that is lost */
		map_put_uint(wanted->arena, &wanted->refused, op->process->index, wanted);
	if (op->role == ROLE_TRANSFER && op->channel)
		map_put_uint(wanted->arena, &wanted->transferred, op->channel->index, wanted);
}

bool wanted_call(const struct wanted_calls *wanted, const struct viz_operation *op)
{
	return (op->role == ROLE_SEND && map_get_uint(&wanted->refused, op->process->index)) ||
	       (op->channel && map_get_uint(&wanted->transferred, op->channel->index));
}

/* What is to be left out, with all its calls. */
struct whole {
	struct held *held;
	struct left_out *left_out;
	const struct wanted_calls *wanted;
	struct short_channel *const *channels;
	size_t channel_count;
	const struct viz_process *goes; /* that lived shortly; NULL: none */
};

/* --- whether it may be ----------------------------------------------------------------------- */

/* The calls of a process that goes, too, need no others around them. */
static bool may_forget(const struct whole *w, const struct viz_operation *op, uint32_t references)
{
	const struct held_call *call = held_call(w->held, op);

	return call && op->uses == references && !wanted_call(w->wanted, op) &&
	       (op->process == w->goes || thread_calls_around(call->of, call->number));
}

static bool may_forget_exchange(const struct whole *w, const struct exchange *exchange)
{
	for (size_t i = 0; i < 2 && exchange->calls[i]; i++)
		if (!may_forget(w, exchange->calls[i],
				exchange_references(exchange, exchange->calls[i])))
			return false;
	return true;
}

/* One that is in no exchange: the whole's ends, connections and holdings may name it. */
static bool may_forget_plain(const struct whole *w, const struct viz_operation *op)
{
	uint32_t references = 1;

	for (size_t i = 0; i < w->channel_count; i++)
		references += short_channel_references(w->channels[i], op);
	return may_forget(w, op, references);
}

static bool may_forget_end(const struct whole *w, const struct short_channel *s)
{
	for (size_t i = 0; i < s->calls.count; i++)
		if (!may_forget_plain(w, s->calls.items[i]))
			return false;
	for (size_t i = 0; i < s->eofs.count; i++)
		if (!may_forget_plain(w, s->eofs.items[i]->receive))
			return false;
	for (size_t i = 0; i < short_channel_exchanges(s); i++)
		if (!may_forget_exchange(w, short_channel_exchange(s, i)))
			return false;
	return !s->stays;
}

static bool may_forget_channels(const struct whole *w)
{
	for (size_t i = 0; i < w->channel_count; i++)
		if (!may_forget_end(w, w->channels[i]) ||
		    (w->channels[i]->peer && !may_forget_end(w, w->channels[i]->peer)))
			return false;
	return true;
}

/* --- taking it out --------------------------------------------------------------------------- */

static void forget_call(const struct whole *w, const struct viz_operation *op)
{
	left_out_count(w->left_out, op);
	left_out_sender(op);
	held_drop_call(w->held, op);
}

/*
 * The bytes of a channel with a middle are counted, as there are those of the middle; of others a
 * finding needs none, as it asks for a thousand calls.
 */
static void forget_exchange(const struct whole *w, const struct exchange *exchange, bool counts)
{
	if (exchange->message)
		held_drop_message(w->held, exchange->message);
	for (size_t i = 0; i < 2 && exchange->calls[i]; i++) {
		if (counts && exchange->calls[i]->channel && !idle_call(exchange->calls[i]))
			left_out_add(w->left_out, exchange->calls[i]);
		forget_call(w, exchange->calls[i]);
	}
}

static void forget_holdings(const struct viz_channel *channel)
{
	for (size_t i = 0; i < channel->holding_count; i++) {
		viz_operation_drop(channel->holdings[i]->start_op);
		viz_operation_drop(channel->holdings[i]->end_op);
		channel->holdings[i]->start_op = channel->holdings[i]->end_op = NULL;
	}
}

/* What goes before the other calls, as it has references to them. */
static void forget_events(const struct whole *w, const struct short_channel *s)
{
	for (size_t i = 0; i < short_channel_exchanges(s); i++)
		forget_exchange(w, short_channel_exchange(s, i), s->left);
	for (size_t i = 0; i < s->eofs.count; i++) {
		const struct viz_operation *receive = s->eofs.items[i]->receive;

		held_drop_eof(w->held, s->eofs.items[i]);
		forget_call(w, receive);
	}
	if (s->connection)
		held_drop_connection(w->held, s->connection);
	forget_holdings(s->channel);
}

static void forget_both_events(const struct whole *w, const struct short_channel *s)
{
	forget_events(w, s);
	if (s->peer)
		forget_events(w, s->peer);
}

/* With these calls, which are in no exchange of a channel. */
static void forget_whole(const struct whole *w, struct short_calls *calls)
{
	for (size_t i = 0; i < w->channel_count; i++) {
		forget_both_events(w, w->channels[i]);
		short_channel_list_plain(w->channels[i], calls);
	}
	for (size_t i = 0; i < calls->count; i++)
		forget_call(w, calls->items[i]);
	free(calls->items);
}

/* --- channels and lives ---------------------------------------------------------------------- */

void whole_forget_channel(struct held *held, struct left_out *left_out,
			  const struct wanted_calls *wanted, struct short_channel *s)
{
	const struct whole whole = {held, left_out, wanted, &s, 1, NULL};

	if (may_forget_channels(&whole))
		forget_whole(&whole, &(struct short_calls){0});
}

/* What the process inherited of a listener, and closed by this call; NULL: nothing. */
static struct viz_holding *closed_by(const struct viz_operation *op)
{
	enum { LOOK_AT = 4096 }; /* the latest ones: those of its brothers that live on */
	const struct viz_channel *channel = op->role == ROLE_CLOSE ? op->channel : NULL;

	for (size_t i = channel ? channel->holding_count : 0, n = 0; i-- > 0 && n < LOOK_AT; n++)
		if (channel->holdings[i]->end_op == op)
			return channel->holdings[i];
	return NULL;
}

static bool may_forget_call(const struct whole *w, const struct viz_operation *op)
{
	return closed_by(op) ? may_forget(w, op, 1 + 1) : may_forget_plain(w, op);
}

/* Where its end broke off the very call that collected it, that has more references. */
static bool may_forget_taker(const struct whole *w, const struct short_life *life)
{
	const struct exchange end = {.message = life->end};

	return !life->taker || (life->taker != life->collector &&
				may_forget(w, life->taker, exchange_references(&end, life->taker)));
}

static bool may_forget_life(const struct whole *w, const struct short_life *life)
{
	for (size_t i = 0; i < life->calls.count; i++)
		if (!may_forget_call(w, life->calls.items[i]))
			return false;
	return may_forget_plain(w, life->collector) && may_forget_taker(w, life) &&
	       may_forget_channels(w);
}

/* Adds the calls of a life that are in no channel's, and takes all references to them. */
static void list_calls(const struct short_life *life, struct short_calls *calls)
{
	for (size_t i = 0; i < life->calls.count; i++) {
		struct viz_holding *holding = closed_by(life->calls.items[i]);

		if (holding) {
			viz_operation_drop(holding->end_op);
			holding->end_op = NULL;
		}
		LIST_PUSH(calls, life->calls.items[i]);
	}
	LIST_PUSH(calls, life->collector);
	if (life->taker)
		LIST_PUSH(calls, life->taker);
}

void whole_forget_life(struct held *held, struct left_out *left_out,
		       const struct wanted_calls *wanted, const struct short_life *life)
{
	const struct whole whole = {
		held, left_out, wanted, life->channels.items, life->channels.count, life->process};

	struct short_calls calls = {0};

	if (!may_forget_life(&whole, life))
		return;
	life->process->life_left_out = true;
	held_drop_message(held, life->end);
	list_calls(life, &calls);
	forget_whole(&whole, &calls);
}
