// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The ends of streams: which close (shutdown, exit, …) made a read return 0; and their beginnings:
 * which accept met which connect.
 */
#include <errno.h>
#include <stdlib.h>

#include "pair_internal.h"

void pair_add_eof(struct pair_context *context, const struct viz_operation *receive)
{
	struct viz_pairing *pairing = context->pairing;
	struct viz_eof *eof = arena_alloc(context->arena, sizeof(*eof));

	eof->index = pairing->eof_count;
	eof->receive = receive;
	eof->channel = receive->channel;
	eof->match = MATCH_EXACT;
	ARENA_PUSH(context->arena, pairing->eofs, pairing->eof_count, eof);
}

/* Who could write to a channel, over time. */
struct writers {
	bool listed;
	bool certain;		    /* no stranger can have held an end */
	uint64_t *starts;	    /* sorted */
	struct viz_holding **ended; /* by until_ns */
	size_t start_count;
	size_t end_count;
};

/* The first shutdown of a socket, by direction; NULL: none. */
struct shutdowns {
	const struct viz_operation *read;
	const struct viz_operation *write;
};

/* Calls on a pipe that strangers might hold too, which say how many writing ends were open. */
struct counted {
	bool sorted;
	const struct viz_operation **ops; /* by exit_ns */
	size_t count;
};

struct end_context {
	struct pair_context *pair;
	struct writers *writers;     /* by channel index */
	struct shutdowns *shutdowns; /* the same */
	struct counted *counted;     /* the same */
};

enum { SHUT_READING, SHUT_WRITING, SHUT_BOTH };

static void note_shutdown(struct end_context *context, const struct viz_operation *op)
{
	struct shutdowns *first;
	int64_t how;

	if (!op->channel || op->role != ROLE_CLOSE || !viz_operation_done(op) || op->returned < 0)
		return;
	if (!viz_bytes_equal(op->syscall, viz_bytes_of("shutdown")) ||
	    !viz_operation_argument(op, "how", &how))
		return;
	first = &context->shutdowns[op->channel->index];
	if (how != SHUT_WRITING && !first->read)
		first->read = op;
	if (how != SHUT_READING && !first->write)
		first->write = op;
}

static void note_count(struct end_context *context, const struct viz_operation *op)
{
	struct counted *counted;

	if (!op->channel || op->channel->created_in_trace || !viz_operation_done(op) ||
	    !viz_has(op, writers))
		return;
	counted = &context->counted[op->channel->index];
	ARENA_PUSH(context->pair->arena, counted->ops, counted->count, op);
}

static int compare_exits(const void *a, const void *b)
{
	const struct viz_operation *x = *(const struct viz_operation *const *)a;
	const struct viz_operation *y = *(const struct viz_operation *const *)b;

	if (x->exit_ns != y->exit_ns)
		return x->exit_ns < y->exit_ns ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

/* The last one that had returned by then; NULL: none. */
static const struct viz_operation *last_counted(struct counted *counted, uint64_t at_ns)
{
	size_t low = 0, high = counted->count;

	if (!counted->sorted && counted->count)
		qsort(counted->ops, counted->count, sizeof(*counted->ops), compare_exits);
	counted->sorted = true;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (counted->ops[middle]->exit_ns <= at_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? counted->ops[low - 1] : NULL;
}

static int compare_ends(const void *a, const void *b)
{
	const struct viz_holding *x = *(struct viz_holding *const *)a;
	const struct viz_holding *y = *(struct viz_holding *const *)b;

	if (x->until_ns != y->until_ns)
		return x->until_ns < y->until_ns ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

static const struct writers *list_writers(struct end_context *context,
					  const struct viz_channel *channel)
{
	struct writers *writers = &context->writers[channel->index];
	struct arena *arena = context->pair->arena;

	if (writers->listed)
		return writers;
	writers->listed = true;
	writers->certain = channel->created_in_trace && !context->pair->lost &&
			   !context->pair->model->descriptors_cut;
	for (size_t i = 0; i < channel->holding_count; i++) {
		struct viz_holding *holding = channel->holdings[i];

		if (holding->access == ACCESS_NONE)
			writers->certain = false;
		if (!(holding->access & ACCESS_WRITE))
			continue;
		ARENA_PUSH(arena, writers->starts, writers->start_count, holding->since_ns);
		if (holding->until_ns != VIZ_NEVER)
			ARENA_PUSH(arena, writers->ended, writers->end_count, holding);
	}
	if (writers->end_count)
		qsort(writers->ended, writers->end_count, sizeof(*writers->ended), compare_ends);
	return writers;
}

static size_t count_starts(const struct writers *writers, uint64_t at_ns)
{
	size_t low = 0, high = writers->start_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (writers->starts[middle] <= at_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static size_t count_ends(const struct writers *writers, uint64_t at_ns)
{
	size_t low = 0, high = writers->end_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (writers->ended[middle]->until_ns <= at_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The one that gave up the last writing end by then; NULL: none did, or there still is one. */
static const struct viz_holding *last_writer(const struct writers *writers, uint64_t at_ns)
{
	size_t ended = count_ends(writers, at_ns);

	if (ended == 0 || count_starts(writers, at_ns) > ended)
		return NULL;
	return writers->ended[ended - 1];
}

/* Each writing end was opened by a call in this trace, not inherited from before it. */
static bool all_opened_here(const struct viz_channel *channel)
{
	for (size_t i = 0; i < channel->holding_count; i++) {
		const struct viz_holding *holding = channel->holdings[i];

		if (holding->access == ACCESS_NONE)
			return false;
		if ((holding->access & ACCESS_WRITE) &&
		    (holding->start == HOLDING_UNKNOWN || holding->start == HOLDING_EXEC))
			return false;
	}
	return true;
}

/*
 * Anybody can open a FIFO. But the kernel counts: one writing end before the close, which was the
 * one that we saw, and none after it.
 */
static bool counts_prove(struct end_context *context, const struct viz_eof *eof,
			 const struct viz_holding *holding)
{
	struct counted *counted = &context->counted[eof->channel->index];
	const struct viz_operation *before = last_counted(counted, holding->until_ns);

	return !context->pair->lost && !context->pair->model->descriptors_cut && before &&
	       before->writers == 1 && before->enter_ns >= holding->since_ns &&
	       viz_has(eof->receive, writers) && eof->receive->writers == 0 &&
	       all_opened_here(eof->channel);
}

static void ended_by_call(struct viz_eof *eof, const struct viz_operation *op)
{
	eof->closed_by = op;
	eof->ended = NULL;
	eof->process = op->process;
	eof->cause = HOLDING_CALL;
	eof->at_ns = op->enter_ns;
}

static void ended_by_holder(struct viz_eof *eof, const struct viz_holding *holding)
{
	eof->cause = holding->end;
	eof->process = holding->process;
	eof->at_ns = holding->until_ns;
	if (holding->end_op)
		eof->closed_by = holding->end_op;
	else
		eof->ended = holding->process;
}

/* Of all that could have ended the stream by then, what came first did. */
static void consider_shutdown(struct viz_eof *eof, const struct viz_operation *shutdown)
{
	if (!shutdown || shutdown->enter_ns > eof->receive->exit_ns)
		return;
	if (eof->process && eof->at_ns <= shutdown->enter_ns)
		return;
	ended_by_call(eof, shutdown);
	eof->match = MATCH_EXACT;
}

static void explain(struct end_context *context, struct viz_eof *eof)
{
	const struct viz_channel *channel = eof->channel, *source = channel;
	const struct viz_holding *holding;
	const struct writers *writers;

	if (mechanism_info(channel->mechanism)->direction == DIRECTION_TWO_WAY)
		source = pair_traffic(context->pair, channel)->peer;
	if (source) {
		writers = list_writers(context, source);
		holding = last_writer(writers, eof->receive->exit_ns);
		if (holding)
			ended_by_holder(eof, holding);
		eof->match = holding && (writers->certain || counts_prove(context, eof, holding))
				     ? MATCH_EXACT
				     : MATCH_AMBIGUOUS;
	}
	if (source && source != channel)
		consider_shutdown(eof, context->shutdowns[source->index].write);
	consider_shutdown(eof, context->shutdowns[channel->index].read);
	if (!eof->process || context->pair->lost)
		eof->match = MATCH_AMBIGUOUS;
}

static int compare_eofs(const void *a, const void *b)
{
	const struct viz_eof *x = *(struct viz_eof *const *)a;
	const struct viz_eof *y = *(struct viz_eof *const *)b;

	if (x->receive->exit_ns != y->receive->exit_ns)
		return x->receive->exit_ns < y->receive->exit_ns ? -1 : 1;
	return (x->receive->id > y->receive->id) - (x->receive->id < y->receive->id);
}

void pair_explain_eofs(struct pair_context *pair)
{
	const struct viz_model *model = pair->model;
	struct viz_pairing *pairing = pair->pairing;
	struct end_context context = {.pair = pair};

	context.writers = arena_array(pair->arena, model->channel_count + 1,
				      sizeof(*context.writers));
	context.shutdowns = arena_array(pair->arena, model->channel_count + 1,
					sizeof(*context.shutdowns));
	context.counted = arena_array(pair->arena, model->channel_count + 1,
				      sizeof(*context.counted));
	for (size_t i = 0; i < model->operation_count; i++) {
		note_shutdown(&context, model->operations[i]);
		note_count(&context, model->operations[i]);
	}
	if (pairing->eof_count)
		qsort(pairing->eofs, pairing->eof_count, sizeof(*pairing->eofs), compare_eofs);
	for (size_t i = 0; i < pairing->eof_count; i++) {
		pairing->eofs[i]->index = i;
		explain(&context, pairing->eofs[i]);
	}
}

/* connect on a stream or sequenced-packet socket; 0, or it went on in the background. */
static bool is_connect(const struct viz_operation *op)
{
	const struct mechanism_info *info;

	if (!op->channel || !viz_bytes_equal(op->syscall, viz_bytes_of("connect")))
		return false;
	info = mechanism_info(op->channel->mechanism);
	if (info->form != FORM_STREAM && op->channel->mechanism != MECH_UNIX_SEQPACKET)
		return false;
	return !viz_operation_done(op) || op->returned == 0 || op->returned == -EINPROGRESS;
}

static bool is_accept(const struct viz_operation *op)
{
	return (viz_bytes_equal(op->syscall, viz_bytes_of("accept")) ||
		viz_bytes_equal(op->syscall, viz_bytes_of("accept4"))) &&
	       op->new_fds_count > 0;
}

static struct viz_connection *add_connection(struct pair_context *context)
{
	struct viz_pairing *pairing = context->pairing;
	struct viz_connection *connection = arena_alloc(context->arena, sizeof(*connection));

	connection->index = pairing->connection_count;
	ARENA_PUSH(context->arena, pairing->connections, pairing->connection_count, connection);
	return connection;
}

/* Connects first, then each accept finds the one of its socket's peer. */
void pair_connections(struct pair_context *context)
{
	const struct viz_model *model = context->model;
	struct viz_connection **by_client = arena_array(context->arena, model->channel_count + 1,
							sizeof(*by_client));
	struct viz_connection *connection;

	for (size_t i = 0; i < model->operation_count; i++) {
		const struct viz_operation *op = model->operations[i];

		if (!is_connect(op) || by_client[op->channel->index])
			continue;
		connection = add_connection(context);
		connection->connect = op;
		connection->client = op->channel;
		connection->server = pair_traffic(context, op->channel)->peer;
		by_client[op->channel->index] = connection;
	}
	for (size_t i = 0; i < model->operation_count; i++) {
		const struct viz_operation *op = model->operations[i];
		const struct viz_channel *client;

		if (!is_accept(op))
			continue;
		client = pair_traffic(context, op->new_fds[0].channel)->peer;
		connection = client ? by_client[client->index] : NULL;
		if (!connection)
			connection = add_connection(context);
		connection->accept = op;
		connection->client = client;
		connection->server = op->new_fds[0].channel;
	}
}
