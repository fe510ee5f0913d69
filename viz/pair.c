// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "pair.h"

#include <stdlib.h>

#include "pair_internal.h"

#define PEEK 0x2	   /* MSG_PEEK */
#define ERROR_QUEUE 0x2000 /* MSG_ERRQUEUE */
#define TRUNC 0x20	   /* MSG_TRUNC */
#define COPY 040000	   /* MSG_COPY of msgrcv */

static bool is_socket(const struct viz_channel *channel)
{
	const struct mechanism_info *info = mechanism_info(channel->mechanism);

	return info->addressing == ADDRESSING_DIRECT && info->form <= FORM_MESSAGE;
}

bool pair_only_looks(const struct viz_operation *op)
{
	if (op->role == ROLE_TRANSFER)
		return viz_bytes_equal(op->syscall, viz_bytes_of("tee"));
	if (op->channel->mechanism == MECH_SYSV_MSG)
		return (op->flags & COPY) != 0;
	return is_socket(op->channel) && op->syscall.len > 4 &&
	       memcmp(op->syscall.data, "recv", 4) == 0 && (op->flags & (PEEK | ERROR_QUEUE)) != 0;
}

/* 0 where not all are known. */
static uint64_t sum_lengths(const struct viz_operation *op)
{
	uint64_t sum = 0;

	if (op->lengths_count < (uint64_t)op->returned)
		return 0;

	for (size_t i = 0; i < op->lengths_count; i++)
		sum += op->lengths[i];
	return sum;
}

bool pair_is_multiple(const struct viz_operation *op)
{
	return viz_bytes_equal(op->syscall, viz_bytes_of("sendmmsg")) ||
	       viz_bytes_equal(op->syscall, viz_bytes_of("recvmmsg"));
}

/* TCP with MSG_TRUNC takes bytes away without copying them: only the result counts those. */
uint64_t pair_stream_bytes(const struct viz_operation *op)
{
	if (!viz_operation_done(op) || op->returned <= 0)
		return 0;
	if (op->role == ROLE_RECEIVE && (op->flags & TRUNC) && is_socket(op->channel))
		return (uint64_t)op->returned;
	if (viz_has(op, transferred))
		return op->transferred;
	if (pair_is_multiple(op))
		return sum_lengths(op);
	return (uint64_t)op->returned;
}

struct flow_item pair_item(const struct viz_operation *op)
{
	return (struct flow_item){
		.op = op,
		.enter_ns = op->enter_ns,
		.exit_ns = op->exit_ns,
		.open = !viz_operation_done(op),
	};
}

struct viz_end pair_end_of(const struct viz_operation *op)
{
	return (struct viz_end){
		.known = true,
		.process = op->process,
		.pid = op->process->pid,
		.tid = op->thread->tid,
		.comm = op->comm,
		.operation = op,
		.timed = true,
		.enter_ns = op->enter_ns,
		.exit_ns = op->exit_ns,
	};
}

struct viz_message *pair_add_message(struct pair_context *context, const struct pair_route *route)
{
	struct viz_message *message = arena_alloc(context->arena, sizeof(*message));
	struct viz_pairing *pairing = context->pairing;

	message->mechanism = route->mechanism;
	message->channel = route->channel;
	message->typed = route->typed;
	message->match = MATCH_EXACT;
	ARENA_PUSH(context->arena, pairing->messages, pairing->message_count, message);
	return message;
}

static struct viz_end item_end_of(const struct flow_item *item, uint64_t offset, uint64_t bytes)
{
	struct viz_end end;

	if (!item)
		return (struct viz_end){0};
	end = pair_end_of(item->op);
	end.offset = item->local + offset;
	if (item->line && offset < item->line->len)
		end.offset = item->line->origin[offset];
	end.message = item->message;
	end.payload = flow_payload(item, offset, bytes);
	return end;
}

/* What was received of what was sent; a shorter buffer cuts the rest off. */
struct viz_message *pair_add_whole(struct pair_context *context, const struct pair_route *route,
				   const struct flow_item *send, const struct flow_item *receive)
{
	struct viz_message *message = pair_add_message(context, route);

	message->bytes = receive ? receive->bytes : send->bytes;
	message->from = item_end_of(send, 0, message->bytes);
	message->to = item_end_of(receive, 0, message->bytes);
	message->type = send ? send->type : receive->type;
	if (!send || !receive || send->open || receive->bytes >= send->bytes)
		return message;
	message->fate = FATE_TRUNCATED;
	message->cut = send->bytes - receive->bytes;
	return message;
}

static struct viz_message *add_part(struct pair_context *context, const struct pair_route *route,
				    const struct flow_piece *piece)
{
	struct viz_message *message = pair_add_message(context, route);
	const struct flow_item *send = piece->send, *receive = piece->receive;
	uint64_t sent_at = send ? piece->start - send->start : 0;
	uint64_t received_at = receive ? piece->start - receive->start : 0;

	message->bytes = piece->amount;
	message->from = item_end_of(send, sent_at, piece->amount);
	message->to = item_end_of(receive, received_at, piece->amount);
	return message;
}

static void add_piece(struct pair_context *context, const struct flow *flow,
		      const struct pair_route *route, const struct flow_piece *piece)
{
	const struct flow_item *send = piece->send, *receive = piece->receive;
	struct viz_message *message;

	if (!receive && send->op->role == ROLE_OPEN)
		return; /* what a counter held from its birth is no message until it is read */
	if (!receive && (send->open || send->echo))
		return; /* nobody knows whether it sent anything */
	if (flow->whole)
		message = pair_add_whole(context, route, send, receive);
	else
		message = add_part(context, route, piece);
	if (send && send->echo) {
		message->echo = send->op;
		message->from = (struct viz_end){0};
	}
	if (route->values) {
		message->bytes = send ? send->bytes : receive->bytes;
		message->from.offset = message->to.offset = 0;
	}
	if (flow->doubt || (send && send->doubt) || (receive && receive->doubt))
		message->match = MATCH_AMBIGUOUS;
	if (!receive && !route->outside)
		message->fate = pair_traffic(context, route->channel)->gone ? FATE_DISCARDED
									    : FATE_UNREAD;
}

void pair_flow(struct pair_context *context, struct flow *flow, const struct pair_route *route)
{
	struct flow_piece *pieces;
	size_t count;

	if (flow->whole)
		pair_take_named(context, flow, route);
	flow->doubt |= context->lost;
	pieces = flow_join(context->arena, flow, &count);
	for (size_t i = 0; i < count; i++)
		add_piece(context, flow, route, &pieces[i]);
}

bool pair_ever_held(const struct viz_channel *channel, enum access access)
{
	for (size_t i = 0; i < channel->holding_count; i++)
		if (channel->holdings[i]->access & access)
			return true;
	return false;
}

static void list_push(struct pair_context *context, struct operation_list *list,
		      struct viz_operation *op)
{
	ARENA_PUSH(context->arena, list->items, list->count, op);
}

/* In order of enter_ns, as the model has them. */
static void collect_traffic(struct pair_context *context)
{
	const struct viz_model *model = context->model;

	context->traffic = arena_array(context->arena, model->channel_count + 1,
				       sizeof(*context->traffic));
	for (size_t i = 0; i < model->operation_count; i++) {
		struct viz_operation *op = model->operations[i];
		const struct viz_channel *sink = viz_operation_sink(op);
		const struct viz_channel *source = viz_operation_source(op);

		if (sink)
			list_push(context, &pair_traffic(context, sink)->sends, op);
		if (source && viz_operation_done(op) && !pair_only_looks(op))
			list_push(context, &pair_traffic(context, source)->receives, op);
	}
}

static void claim_peer(struct pair_context *context, struct viz_channel *channel,
		       struct viz_channel *peer)
{
	struct channel_traffic *mine = pair_traffic(context, channel);
	struct channel_traffic *other = peer ? pair_traffic(context, peer) : NULL;

	if (!peer || peer == channel || mine->peer || other->peer)
		return;
	mine->peer = peer;
	other->peer = channel;
}

/* What the first operation that names another socket says. */
static struct viz_channel *named_peer(const struct channel_traffic *traffic)
{
	for (size_t i = 0; i < traffic->sends.count; i++)
		if (traffic->sends.items[i]->to)
			return traffic->sends.items[i]->to;
	for (size_t i = 0; i < traffic->receives.count; i++)
		if (traffic->receives.items[i]->from)
			return traffic->receives.items[i]->from;
	return NULL;
}

/*
 * Two by two: what the kernel names first, then addresses. Datagram sockets need no peer: many
 * may be connected to one.
 */
static void find_peers(struct pair_context *context)
{
	const struct viz_model *model = context->model;

	for (int pass = 0; pass < 3; pass++) {
		for (size_t i = 0; i < model->channel_count; i++) {
			struct viz_channel *channel = model->channels[i];
			struct viz_channel *peer = channel->peer;

			if ((!is_socket(channel) && channel->mechanism != MECH_PTY) ||
			    channel->listening)
				continue;
			if (pair_policy(channel) != POLICY_STREAM &&
			    channel->mechanism != MECH_UNIX_SEQPACKET)
				continue;
			if (pass == 1)
				peer = named_peer(&context->traffic[i]);
			else if (pass == 2)
				peer = address_book_opposite(context->addresses, channel);
			claim_peer(context, channel, peer);
		}
	}
}

/* When it was received, or VIZ_NEVER; a handler that never returned counts from its delivery. */
static uint64_t receipt_ns(const struct viz_message *message)
{
	if (!message->to.timed)
		return VIZ_NEVER;
	return message->to.exit_ns != VIZ_NEVER ? message->to.exit_ns : message->to.enter_ns;
}

static uint64_t sending_ns(const struct viz_message *message)
{
	if (message->signal && message->signal->generate)
		return message->signal->generate->at_ns;
	return message->from.timed ? message->from.enter_ns : 0;
}

static uint64_t receiver_id(const struct viz_message *message)
{
	return message->to.operation ? message->to.operation->id : 0;
}

static int compare_messages(const void *a, const void *b)
{
	const struct viz_message *x = *(struct viz_message *const *)a;
	const struct viz_message *y = *(struct viz_message *const *)b;

	if (receipt_ns(x) != receipt_ns(y))
		return receipt_ns(x) < receipt_ns(y) ? -1 : 1;
	if (x->to.timed && receiver_id(x) != receiver_id(y))
		return receiver_id(x) < receiver_id(y) ? -1 : 1;
	if (x->to.timed && x->to.offset != y->to.offset)
		return x->to.offset < y->to.offset ? -1 : 1;
	if (sending_ns(x) != sending_ns(y))
		return sending_ns(x) < sending_ns(y) ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

static void number_messages(struct viz_pairing *pairing)
{
	for (size_t i = 0; i < pairing->message_count; i++)
		pairing->messages[i]->index = i;
	if (pairing->message_count)
		qsort(pairing->messages, pairing->message_count, sizeof(*pairing->messages),
		      compare_messages);
	for (size_t i = 0; i < pairing->message_count; i++) {
		struct viz_message *message = pairing->messages[i];

		message->index = i;
		message->id = i + 1;
		pairing->ambiguous += message->match != MATCH_EXACT;
		pairing->unread += message->fate == FATE_UNREAD || message->fate == FATE_DISCARDED;
		pairing->foreign += !message->from.known && !message->signal && !message->echo;
	}
}

int viz_pair(const struct viz_model *model, struct viz_pairing **pairing)
{
	struct arena *arena = arena_new();
	struct pair_context context = {.model = model, .arena = arena};

	context.pairing = arena_alloc(arena, sizeof(*context.pairing));
	context.pairing->arena = arena;
	context.lost = model->lost_total > 0;
	context.addresses = address_book_new(arena, model);
	collect_traffic(&context);
	find_peers(&context);
	pair_find_gone(&context);
	pair_streams(&context);
	pair_terminals(&context);
	pair_datagrams(&context);
	pair_queues(&context);
	pair_counters(&context);
	pair_signals(&context);
	pair_explain_eofs(&context);
	pair_connections(&context);
	number_messages(context.pairing);
	*pairing = context.pairing;
	return 0;
}

void viz_pairing_free(struct viz_pairing *pairing)
{
	if (pairing)
		arena_free(pairing->arena);
}
