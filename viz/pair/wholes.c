// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/pair/wholes.h"

#include <stdlib.h>

#include "viz/model/builder.h"

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

void left_out_note(struct viz_model *model, const struct viz_operation *op)
{
	model->ordinary_calls++;
	op->process->thinned = true;
	op->process->lacks_receives |= op->role == ROLE_RECEIVE;
}

/* --- calls and events ------------------------------------------------------------------------ */

/* The calls of a process that goes, too, need no others around them. */
static bool may_forget(const struct held *held, const struct wanted_calls *wanted,
		       const struct viz_operation *op, const struct viz_process *goes)
{
	const struct held_call *call = held_call(held, op);

	return call && !wanted_call(wanted, op) &&
	       (op->process == goes || thread_calls_around(call->of, call->number));
}

static void forget_holdings(const struct viz_channel *channel)
{
	for (size_t i = 0; i < channel->holding_count; i++) {
		viz_operation_drop(channel->holdings[i]->start_op);
		viz_operation_drop(channel->holdings[i]->end_op);
		channel->holdings[i]->start_op = channel->holdings[i]->end_op = NULL;
	}
}

static void forget_events(struct held *held, const struct short_channel *s)
{
	for (size_t i = 0; i < s->exchanges.count; i++)
		if (s->exchanges.items[i].message)
			held_drop_message(held, s->exchanges.items[i].message);
	for (size_t i = 0; i < s->eofs.count; i++)
		held_drop_eof(held, s->eofs.items[i]);
	if (s->connection)
		held_drop_connection(held, s->connection);
	forget_holdings(s->channel);
}

/* What goes before the calls, as it has references to them. */
static void forget_both_events(struct held *held, const struct short_channel *s)
{
	forget_events(held, s);
	if (s->peer)
		forget_events(held, s->peer);
}

/* Whoever sent has not kept that end of the channel for nothing. */
static void note_sender(const struct viz_operation *op)
{
	const struct viz_channel *channel = op->role == ROLE_SEND ? op->channel : NULL;

	for (size_t i = 0; channel && i < channel->holding_count; i++)
		channel->holdings[i]->sent |= channel->holdings[i]->process == op->process;
}

/* Bytes are not counted: a thousand calls, as a finding needs, are on no short channel. */
static void forget_calls(struct held *held, const struct short_calls *all)
{
	for (size_t i = 0; i < all->count; i++) {
		left_out_note(held->model, all->items[i]);
		note_sender(all->items[i]);
		held_drop_call(held, all->items[i]);
	}
}

/* --- channels and lives ---------------------------------------------------------------------- */

static bool may_forget_channel(const struct held *held, const struct wanted_calls *wanted,
			       const struct short_channel *s, const struct short_calls *all)
{
	for (size_t i = 0; i < all->count; i++)
		if (!may_forget(held, wanted, all->items[i], NULL) ||
		    all->items[i]->uses != 1 + short_channel_references(s, all->items[i]))
			return false;
	return true;
}

void whole_forget_channel(struct held *held, const struct wanted_calls *wanted,
			  const struct short_channel *s)
{
	struct short_calls all = {0};

	short_channel_list(s, &all);
	if (may_forget_channel(held, wanted, s, &all)) {
		forget_both_events(held, s);
		forget_calls(held, &all);
	}
	free(all.items);
}

static bool may_forget_life(const struct held *held, const struct wanted_calls *wanted,
			    const struct short_life *life, const struct short_calls *all)
{
	for (size_t i = 0; i < all->count; i++)
		if (!may_forget(held, wanted, all->items[i], life->process) ||
		    all->items[i]->uses != 1 + short_life_references(life, all->items[i]))
			return false;
	return true;
}

void whole_forget_life(struct held *held, const struct wanted_calls *wanted,
		       const struct short_life *life)
{
	struct short_calls all = short_life_list(life);

	if (may_forget_life(held, wanted, life, &all)) {
		for (size_t i = 0; i < life->channels.count; i++)
			forget_both_events(held, life->channels.items[i]);
		life->process->life_left_out = true;
		held_drop_message(held, life->end);
		forget_calls(held, &all);
	}
	free(all.items);
}
