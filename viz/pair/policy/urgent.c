// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Urgent data (MSG_OOB of TCP and unix streams): the last byte of such a send leaves the stream if
 * it is received with MSG_OOB, and the places of all bytes behind it shift by one.
 *
 * There is one urgent byte at a time (net/ipv4/tcp_input.c: tcp_check_urg, net/unix/af_unix.c:
 * queue_oob). A later one turns the earlier one into an ordinary byte or not, depending on how far
 * the receiver had read. So a match is exact only if the urgent byte, and all bytes before it, were
 * received before the next one was sent. From the first match that is not, no place in the stream
 * is exact.
 */
#include "viz/pair/policy/urgent.h"

#define OUT_OF_BAND 0x1 /* MSG_OOB */

/* preadv2(2) and the like have flags of another meaning. */
static bool is_socket_call(const struct viz_operation *op)
{
	return op->syscall.len > 4 && (memcmp(op->syscall.data, "send", 4) == 0 ||
				       memcmp(op->syscall.data, "recv", 4) == 0);
}

bool pair_is_urgent(const struct viz_operation *op)
{
	return op->role != ROLE_TRANSFER && op->flags & OUT_OF_BAND && is_socket_call(op) &&
	       operation_stream_bytes(op) > 0;
}

/* A socket whose SO_OOBINLINE was cleared again is treated as if it had never been set. */
void pair_note_inline(struct pair_context *context, const struct viz_operation *op)
{
	struct channel_traffic *traffic;

	if (!op->channel || !viz_bytes_equal(op->extra->option, viz_bytes_of("SO_OOBINLINE")) ||
	    !viz_bytes_equal(op->syscall, viz_bytes_of("setsockopt")) || viz_operation_failed(op))
		return;
	traffic = pair_traffic(context, op->channel);
	if (!op->extra->option_value)
		traffic->urgent.inline_ns = VIZ_NEVER;
	else if (!traffic->urgent.inline_ns)
		traffic->urgent.inline_ns = op->exit_ns;
}

bool pair_stays_inline(const struct flow_side *sends, const struct channel_traffic *receiver)
{
	if (!receiver || !receiver->urgent.inline_ns)
		return false;
	for (size_t i = 0; i < sends->count; i++)
		if (sends->items[i].urgent &&
		    sends->items[i].enter_ns <= receiver->urgent.inline_ns)
			return false;
	return true;
}

/* Adds the bytes that receives from *at on took of the stream before `at_ns`. */
static void count_received(const struct flow_side *receives, size_t *at, uint64_t at_ns,
			   uint64_t *bytes)
{
	for (; *at < receives->count && receives->items[*at].exit_ns < at_ns; ++*at)
		*bytes += receives->items[*at].amount;
}

/*
 * False for a send that took less than it was given: it is unknown whether the urgent byte was
 * sent.
 */
static bool is_whole(const struct viz_operation *op)
{
	return viz_has(op, requested) && (uint64_t)op->returned == op->requested &&
	       !op->extra->lengths_count;
}

static const struct flow_item *next_urgent(const struct flow_side *side, size_t *at)
{
	for (; side && *at < side->count; ++*at)
		if (side->items[*at].urgent)
			return &side->items[(*at)++];
	return NULL;
}

void pair_add_urgent(struct pair_context *context, const struct pair_route *route,
		     const struct flow_item *send, const struct flow_item *receive)
{
	struct flow_item from;

	if (!send) {
		pair_add_whole(context, route, NULL, receive)->match = MATCH_AMBIGUOUS;
		return;
	}
	from = *send;
	from.bytes = 1;
	from.local = (uint64_t)send->op->returned - 1;
	pair_add_whole(context, route, &from, receive);
}

struct walk {
	const struct flow_side *sends, *receives;
	size_t send_at, receive_at; /* indices of the next urgent items */
	size_t sum_at, count_at;    /* indices up to which `sent` and `received` count */
	uint64_t sent, received;    /* bytes of the stream */
	bool contradicted;	    /* the order of the calls is contradicted by their positions */
};

/*
 * True if the kernel names another send, which may be missing in the trace, or if records are lost
 * and it names none.
 */
static bool may_be_another(const struct pair_context *context, const struct flow_item *send,
			   const struct viz_operation *receive)
{
	if (receive->extra->chunk_count)
		return receive->extra->chunk_count != 1 ||
		       receive->extra->chunks->operation != send->op->id;
	return context->lost;
}

/* True if `send` has the only urgent byte that there was when `receive` took it. */
static bool is_certain(const struct pair_context *context, struct walk *walk,
		       const struct flow_item *send, const struct flow_item *receive,
		       const struct flow_item *next)
{
	if (walk->contradicted || may_be_another(context, send, receive->op))
		return false;
	if (!is_whole(send->op) || receive->bytes != 1 || send->enter_ns > receive->exit_ns)
		return false;
	if (!next)
		return true;
	count_received(walk->receives, &walk->count_at, next->enter_ns, &walk->received);
	return receive->exit_ns < next->enter_ns && walk->received >= walk->sent;
}

static void sum_sent(struct walk *walk)
{
	for (; walk->sum_at < walk->send_at; walk->sum_at++)
		walk->sent += walk->sends->items[walk->sum_at].amount;
	walk->sent--;
}

static void let_all_go(struct pair_context *context, struct flow_side *side)
{
	for (size_t i = 0; i < side->count; i++)
		pair_let_go(context, side->items[i].op);
	side->count = 0;
}

/* Pairs urgent sends and urgent receives in order. */
size_t pair_urgent(struct pair_context *context, const struct pair_route *route, struct flow *flow,
		   struct flow_side *urgent)
{
	struct walk walk = {.sends = &flow->sends, .receives = &flow->receives};
	const struct flow_item *receive, *send, *next;
	size_t certain = 0;

	flow_sort(&flow->sends);
	flow_sort(&flow->receives);
	walk.contradicted = flow->ambiguous || pair_order_contradicts(flow, route->mechanism);
	if (urgent)
		flow_sort(urgent);
	receive = next_urgent(urgent, &walk.receive_at);
	send = next_urgent(&flow->sends, &walk.send_at);
	for (; send && receive; certain++) {
		sum_sent(&walk);
		next = next_urgent(&flow->sends, &walk.send_at);
		if (!is_certain(context, &walk, send, receive, next))
			break;
		pair_add_urgent(context, route, send, receive);
		send = next;
		receive = next_urgent(urgent, &walk.receive_at);
	}
	for (; receive; receive = next_urgent(urgent, &walk.receive_at))
		pair_add_urgent(context, route, NULL, receive);
	if (urgent)
		let_all_go(context, urgent);
	return certain;
}
