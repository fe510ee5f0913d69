// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Pairs a whole model in rounds of the engine and keeps all that the engine gives its sink. With
 * one round for all, the calls of the whole trace would wait to be paired at once.
 */

#include <stdlib.h>

#include "viz/pair/core/context.h"
#include "viz/pair/pairing.h"

struct collector {
	struct viz_pairing *pairing;
	struct arena *arena;
};

void pairing_add_message(struct viz_pairing *pairing, struct viz_message *message)
{
	ARENA_PUSH(pairing->arena, pairing->messages, pairing->message_count, message);
	pairing->ambiguous += message->match != MATCH_EXACT;
	pairing->unread += message->fate == FATE_UNREAD || message->fate == FATE_DISCARDED;
	pairing->foreign += !message->from.known && !message->signal && !message->echo;
}

static int collect_message(void *data, const struct viz_message *message)
{
	struct collector *collector = data;

	pairing_add_message(collector->pairing, (struct viz_message *)message);
	return 0;
}

static int collect_eof(void *data, const struct viz_eof *eof)
{
	struct collector *collector = data;

	ARENA_PUSH(collector->arena, collector->pairing->eofs, collector->pairing->eof_count,
		   (struct viz_eof *)eof);
	return 0;
}

static int collect_connection(void *data, const struct viz_connection *connection)
{
	struct collector *collector = data;

	ARENA_PUSH(collector->arena, collector->pairing->connections,
		   collector->pairing->connection_count, (struct viz_connection *)connection);
	return 0;
}

static int collect_signal(void *data, const struct viz_signal *signal)
{
	struct collector *collector = data;

	ARENA_PUSH(collector->arena, collector->pairing->signals, collector->pairing->signal_count,
		   (struct viz_signal *)signal);
	return 0;
}

/* The engine's gap is valid only during the call, so it is copied. */
static int collect_gap(void *data, const struct viz_gap *gap)
{
	struct collector *collector = data;
	struct viz_gap *copy = arena_alloc(collector->arena, sizeof(*copy));

	*copy = *gap;
	ARENA_PUSH(collector->arena, collector->pairing->gaps, collector->pairing->gap_count, copy);
	return 0;
}

/* By index: the engine passed the signals on in the order of their messages. */
static int compare_signals(const void *a, const void *b)
{
	const struct viz_signal *x = *(struct viz_signal *const *)a;
	const struct viz_signal *y = *(struct viz_signal *const *)b;

	return (x->index > y->index) - (x->index < y->index);
}

static int compare_times(const void *a, const void *b)
{
	const struct viz_channel *x = *(struct viz_channel *const *)a;
	const struct viz_channel *y = *(struct viz_channel *const *)b;

	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

static void put_channels_in(struct pair_context *context, const struct viz_model *model)
{
	size_t count = model->channel_count;
	struct viz_channel **channels = arena_array(context->round, count + 1, sizeof(*channels));

	if (count)
		memcpy(channels, model->channels, count * sizeof(*channels));
	qsort(channels, count, sizeof(*channels), compare_times);
	for (size_t i = 0; i < count; i++)
		pair_add_channel(context, channels[i]);
}

/* Puts in the signal events before that time, from the index `next` on; returns the one behind. */
static size_t put_signals_in(struct pair_context *context, const struct viz_model *model,
			     size_t next, uint64_t until_ns)
{
	for (; next < model->signal_event_count; next++) {
		if (model->signal_events[next]->at_ns >= until_ns)
			break;
		pair_add_signal_event(context, model->signal_events[next]);
	}
	return next;
}

static void put_model_in(struct pair_context *context, const struct viz_model *model)
{
	size_t signals = 0;

	put_channels_in(context, model);
	for (size_t i = 0; i < model->operation_count; i++) {
		pair_add_operation(context, model->operations[i]);
		if (i < PAIR_BEHIND || i % PAIR_ROUND)
			continue;
		signals = put_signals_in(context, model, signals, model->operations[i]->enter_ns);
		pair_settle(context, model->operations[i - PAIR_BEHIND]->enter_ns);
	}
	put_signals_in(context, model, signals, VIZ_NEVER);
	pair_settle(context, VIZ_NEVER);
}

void pairing_sort_signals(struct viz_pairing *pairing)
{
	if (pairing->signal_count)
		qsort(pairing->signals, pairing->signal_count, sizeof(*pairing->signals),
		      compare_signals);
}

struct viz_pairing *pairing_new(void)
{
	struct arena *arena = arena_new();
	struct viz_pairing *pairing = arena_alloc(arena, sizeof(*pairing));

	pairing->arena = arena;
	return pairing;
}

int viz_pair(const struct viz_model *model, struct viz_pairing **pairing)
{
	struct viz_pairing *all = pairing_new();
	struct collector collector = {.pairing = all, .arena = all->arena};
	const struct viz_sink sink = {.data = &collector,
				      .message = collect_message,
				      .gap = collect_gap,
				      .eof = collect_eof,
				      .connection = collect_connection,
				      .signal = collect_signal};
	struct pair_context *context = pair_open(model, &sink, collector.arena);

	put_model_in(context, model);
	pair_close(context);
	pairing_sort_signals(all);
	*pairing = all;
	return 0;
}

void viz_pairing_free(struct viz_pairing *pairing)
{
	if (pairing)
		arena_free(pairing->arena);
}
