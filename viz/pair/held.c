// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/pair/held.h"

#include <stdlib.h>

#include "viz/base/arena.h"
#include "viz/model/builder.h"
#include "viz/pair/core/context.h"
#include "viz/pair/pairing.h"

/* Lists are closed up once so many of their items were taken out, and half of them all. */
enum { GONE_LEAST = 4096 };

struct held_call *held_call(const struct held *h, const struct viz_operation *op)
{
	return op && op->index < h->calls.count && h->calls.items[op->index].op == op
		       ? &h->calls.items[op->index]
		       : NULL;
}

void held_add_call(struct held *h, struct held_call call)
{
	viz_operation_use(call.op);
	call.op->index = (uint32_t)h->calls.count;
	LIST_PUSH(&h->calls, call);
}

void held_drop_call(struct held *h, const struct viz_operation *op)
{
	h->calls.items[op->index].op = NULL;
	h->calls_gone++;
	viz_operation_drop(op);
}

/* --- messages -------------------------------------------------------------------------------- */

/* The model's copy of an event that the engine will free. */
static const struct viz_signal_event *event_of(const struct viz_signal_event *event)
{
	return event ? event->kept : NULL;
}

static struct viz_signal *hold_signal(struct held *h, const struct viz_signal *signal)
{
	struct viz_signal *copy = h->spare_signals.count
					  ? h->spare_signals.items[--h->spare_signals.count]
					  : arena_alloc(h->arena, sizeof(*copy));

	*copy = *signal;
	copy->generate = event_of(signal->generate);
	copy->deliver = event_of(signal->deliver);
	copy->end = event_of(signal->end);
	viz_operation_use(signal->raised_by);
	viz_operation_use(signal->accepted_by);
	viz_operation_use(signal->interrupted);
	return copy;
}

struct viz_message *held_add_message(struct held *h, const struct viz_message *message)
{
	struct viz_message *copy = h->spare_messages.count
					   ? h->spare_messages.items[--h->spare_messages.count]
					   : arena_alloc(h->arena, sizeof(*copy));

	*copy = *message;
	copy->index = h->messages.count;
	copy->cork = NULL;
	viz_operation_use(message->from.operation);
	viz_operation_use(message->to.operation);
	viz_operation_use(message->echo);
	if (message->signal)
		copy->signal = hold_signal(h, message->signal);
	LIST_PUSH(&h->messages, copy);
	return copy;
}

static void drop_event(struct held *h, const struct viz_signal_event *event)
{
	if (event)
		model_forget_signal_event(h->model, event);
}

static void drop_signal(struct held *h, const struct viz_signal *signal)
{
	viz_operation_drop(signal->raised_by);
	viz_operation_drop(signal->accepted_by);
	viz_operation_drop(signal->interrupted);
	drop_event(h, signal->generate);
	drop_event(h, signal->deliver);
	drop_event(h, signal->end);
	LIST_PUSH(&h->spare_signals, (struct viz_signal *)signal);
}

void held_drop_message(struct held *h, struct viz_message *message)
{
	viz_operation_drop(message->from.operation);
	viz_operation_drop(message->to.operation);
	viz_operation_drop(message->echo);
	if (message->signal)
		drop_signal(h, message->signal);
	h->messages.items[message->index] = NULL;
	h->messages_gone++;
	LIST_PUSH(&h->spare_messages, message);
}

/* --- ends of streams, and connections -------------------------------------------------------- */

struct viz_eof *held_add_eof(struct held *h, const struct viz_eof *eof)
{
	struct viz_eof *copy = h->spare_eofs.count ? h->spare_eofs.items[--h->spare_eofs.count]
						   : arena_alloc(h->arena, sizeof(*copy));

	*copy = *eof;
	copy->index = h->eofs.count;
	viz_operation_use(eof->receive);
	viz_operation_use(eof->closed_by);
	LIST_PUSH(&h->eofs, copy);
	return copy;
}

void held_drop_eof(struct held *h, struct viz_eof *eof)
{
	viz_operation_drop(eof->receive);
	viz_operation_drop(eof->closed_by);
	h->eofs.items[eof->index] = NULL;
	h->eofs_gone++;
	LIST_PUSH(&h->spare_eofs, eof);
}

struct viz_connection *held_add_connection(struct held *h, const struct viz_connection *connection)
{
	struct viz_connection *copy =
		h->spare_connections.count
			? h->spare_connections.items[--h->spare_connections.count]
			: arena_alloc(h->arena, sizeof(*copy));

	*copy = *connection;
	copy->index = h->connections.count;
	viz_operation_use(connection->connect);
	viz_operation_use(connection->accept);
	LIST_PUSH(&h->connections, copy);
	return copy;
}

void held_drop_connection(struct held *h, struct viz_connection *connection)
{
	viz_operation_drop(connection->connect);
	viz_operation_drop(connection->accept);
	h->connections.items[connection->index] = NULL;
	h->connections_gone++;
	LIST_PUSH(&h->spare_connections, connection);
}

/* --- closing up ------------------------------------------------------------------------------ */

static void close_up_calls(struct held *h)
{
	size_t kept = 0;

	for (size_t i = 0; i < h->calls.count; i++) {
		if (!h->calls.items[i].op)
			continue;
		h->calls.items[i].op->index = (uint32_t)kept;
		h->calls.items[kept++] = h->calls.items[i];
	}
	h->calls.count = kept;
	h->calls_gone = 0;
}

/* Closes up a list of pointers to things that know their place in it. */
#define CLOSE_UP(list, gone)                                                                       \
	do {                                                                                       \
		size_t kept_ = 0;                                                                  \
                                                                                                   \
		for (size_t i_ = 0; i_ < (list)->count; i_++) {                                    \
			if (!(list)->items[i_])                                                    \
				continue;                                                          \
			(list)->items[i_]->index = kept_;                                          \
			(list)->items[kept_++] = (list)->items[i_];                                \
		}                                                                                  \
		(list)->count = kept_;                                                             \
		*(gone) = 0;                                                                       \
	} while (0)

static bool is_sparse(size_t gone, size_t count)
{
	return gone >= GONE_LEAST && gone >= count / 2;
}

void held_close_up(struct held *h)
{
	if (is_sparse(h->calls_gone, h->calls.count))
		close_up_calls(h);
	if (is_sparse(h->messages_gone, h->messages.count))
		CLOSE_UP(&h->messages, &h->messages_gone);
	if (is_sparse(h->eofs_gone, h->eofs.count))
		CLOSE_UP(&h->eofs, &h->eofs_gone);
	if (is_sparse(h->connections_gone, h->connections.count))
		CLOSE_UP(&h->connections, &h->connections_gone);
}

/* --- the end --------------------------------------------------------------------------------- */

static void finish_messages(struct held *h, struct viz_pairing *pairing)
{
	CLOSE_UP(&h->messages, &h->messages_gone);
	pair_sort_messages(h->messages.items, h->messages.count);
	for (size_t i = 0; i < h->messages.count; i++) {
		struct viz_message *message = h->messages.items[i];

		message->index = i;
		pairing_add_message(pairing, message);
		if (message->signal)
			ARENA_PUSH(h->arena, pairing->signals, pairing->signal_count,
				   (struct viz_signal *)message->signal);
	}
	pairing_sort_signals(pairing);
}

void held_finish(struct held *h, struct viz_pairing *pairing)
{
	finish_messages(h, pairing);
	CLOSE_UP(&h->eofs, &h->eofs_gone);
	for (size_t i = 0; i < h->eofs.count; i++)
		ARENA_PUSH(h->arena, pairing->eofs, pairing->eof_count, h->eofs.items[i]);
	CLOSE_UP(&h->connections, &h->connections_gone);
	for (size_t i = 0; i < h->connections.count; i++)
		ARENA_PUSH(h->arena, pairing->connections, pairing->connection_count,
			   h->connections.items[i]);
}

void held_free(struct held *h)
{
	free(h->calls.items);
	free(h->messages.items);
	free(h->spare_messages.items);
	free(h->spare_signals.items);
	free(h->eofs.items);
	free(h->spare_eofs.items);
	free(h->connections.items);
	free(h->spare_connections.items);
}
