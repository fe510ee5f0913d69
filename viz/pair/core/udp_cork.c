// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Goes through the sends of a UDP socket in order and gathers the datagrams that it held back. */
#include "viz/pair/core/udp_cork.h"

#include <stdlib.h>

#define DATAGRAM_MAX 0xffff /* a longer send fails before the held-back datagram is touched */

struct corks {
	struct flow_side events;  /* failed calls and setsockopt(2), in order of beginning */
	struct flow_item pending; /* the datagram that is held back */
	struct cork *cork;	  /* its sends; NULL: no datagram is held back */
	uint64_t busy_ns;	  /* when the last of its sends returned */
	const struct viz_operation *last;
	bool corked; /* UDP_CORK is set */
};

static bool is_option(const struct viz_operation *op)
{
	return viz_bytes_equal(op->extra->option, viz_bytes_of("UDP_CORK")) &&
	       operation_is(op, "setsockopt") && !viz_operation_failed(op);
}

/* True for a failed call that discards the held-back datagram: udp_flush_pending_frames(). */
static bool is_spoiler(const struct viz_operation *op, const struct viz_channel *sink)
{
	return op->channel == sink && viz_operation_failed(op) && op->requested <= DATAGRAM_MAX;
}

static struct corks *corks_of(struct channel_traffic *traffic)
{
	if (!traffic->udp.corks)
		traffic->udp.corks = memory_new(sizeof(*traffic->udp.corks));
	return traffic->udp.corks;
}

void pair_cork_call(struct pair_context *context, struct viz_operation *op)
{
	struct viz_channel *sink = is_option(op) ? op->channel : viz_operation_sink(op);
	struct channel_traffic *traffic;
	struct flow_item item = pair_item(op);

	if (!sink || sink->mechanism != MECH_UDP)
		return;
	traffic = pair_traffic(context, sink);
	if (!is_option(op) && !operation_asks_for_more(op) && !traffic->udp.corks)
		return;
	corks_of(traffic);
	pair_list_busy(context, traffic);
	if (is_option(op) || is_spoiler(op, sink))
		pair_side_add(&traffic->udp.corks->events, &item);
}

static struct pair_route route_of(const struct channel_traffic *traffic)
{
	return (struct pair_route){.mechanism = MECH_UDP, .channel = traffic->channel};
}

static void put_piece(struct pair_context *context, struct corks *corks,
		      const struct flow_item *item)
{
	const struct cork_piece piece = {item->op, item->message, item->local, item->bytes};

	ARENA_PUSH(context->arena, corks->cork->pieces, corks->cork->count, piece);
	corks->busy_ns = item->exit_ns;
	corks->last = item->op;
}

static void begin(struct pair_context *context, struct channel_traffic *traffic,
		  const struct flow_item *item)
{
	struct corks *corks = traffic->udp.corks;

	corks->cork = arena_alloc(context->arena, sizeof(*corks->cork));
	corks->pending = *item;
	corks->pending.ambiguous |=
		traffic->channel->found; /* it may have held bytes back before */
	put_piece(context, corks, item);
}

static void add(struct pair_context *context, struct corks *corks, const struct flow_item *item)
{
	/* If two threads send at once, the order of their bytes is not known. */
	corks->pending.ambiguous |= item->ambiguous ||
				    (item->op != corks->last && item->enter_ns < corks->busy_ns);
	corks->pending.bytes += item->bytes;
	put_piece(context, corks, item);
}

/* The datagram is sent by this call, whose times it gets. */
static void flush(struct corks *corks, const struct flow_item *item, struct flow_side *ready)
{
	corks->pending.datagram.cork = corks->cork;
	corks->cork->flush = item->op;
	corks->cork->flush_message = item->message;
	corks->pending.enter_ns = item->enter_ns;
	corks->pending.exit_ns = item->exit_ns;
	flow_add(ready, &corks->pending);
	corks->cork = NULL;
}

static void take_send(struct pair_context *context, struct channel_traffic *traffic,
		      const struct flow_item *item, struct flow_side *ready)
{
	struct corks *corks = traffic->udp.corks;
	/* udp_sendmsg() in net/ipv4/udp.c; udp_splice_eof() sends what sendfile(2) left. */
	bool more = corks->corked || operation_asks_for_more(item->op);

	if (!corks->cork && !more) {
		flow_add(ready, item);
		return;
	}
	if (corks->cork)
		add(context, corks, item);
	else
		begin(context, traffic, item);
	if (!more)
		flush(corks, item, ready);
}

/* Adds the message of a datagram that will never be sent. */
static void give_up(struct pair_context *context, struct channel_traffic *traffic, enum fate fate,
		    bool ambiguous)
{
	struct corks *corks = traffic->udp.corks;
	struct pair_route route = route_of(traffic);
	struct viz_message *message;

	corks->pending.datagram.cork = corks->cork;
	message = pair_add_whole(context, &route, &corks->pending, NULL);
	message->fate = fate;
	if (ambiguous || corks->pending.ambiguous || context->lost)
		message->match = MATCH_AMBIGUOUS;
	corks->cork = NULL;
}

static void take_event(struct pair_context *context, struct channel_traffic *traffic,
		       const struct flow_item *event, struct flow_side *ready)
{
	struct corks *corks = traffic->udp.corks;

	if (corks->cork && event->enter_ns < corks->busy_ns)
		corks->pending.ambiguous = true;
	if (!is_option(event->op)) {
		if (corks->cork)
			give_up(context, traffic, FATE_DISCARDED, true);
		return;
	}
	corks->corked = event->op->extra->option_value != 0;
	if (!corks->corked && corks->cork)
		flush(corks, event, ready);
}

/* Handles events and sends in order of beginning, up to the first that has not returned. */
static void join(struct pair_context *context, struct channel_traffic *traffic,
		 struct flow_side *ready)
{
	struct flow_side *sends = &traffic->sends, *events = &traffic->udp.corks->events;
	size_t s = 0, e = 0;

	while (s < sends->count || e < events->count) {
		bool event = s == sends->count ||
			     (e < events->count &&
			      events->items[e].enter_ns < sends->items[s].enter_ns);
		const struct flow_item *item = event ? &events->items[e] : &sends->items[s];

		if (item->exit_ns >= context->until_ns || item->open)
			break;
		if (event) {
			take_event(context, traffic, item, ready);
			e++;
		} else {
			take_send(context, traffic, item, ready);
			s++;
		}
	}
	flow_drop_first(sends, s);
	flow_drop_first(events, e);
}

size_t pair_cork_join(struct pair_context *context, struct channel_traffic *traffic)
{
	struct flow_side ready = {0}, rest;
	size_t count;

	if (!traffic->udp.corks)
		return traffic->sends.count;
	flow_sort(&traffic->sends);
	flow_sort(&traffic->udp.corks->events);
	join(context, traffic, &ready);
	if (pair_is_last(context) && traffic->udp.corks->cork)
		give_up(context, traffic,
			pair_is_discarded(context, traffic) ? FATE_DISCARDED : FATE_UNREAD, false);
	count = ready.count;
	rest = traffic->sends;
	traffic->sends = ready;
	for (size_t i = 0; i < rest.count; i++)
		flow_add(&traffic->sends, &rest.items[i]);
	flow_free(&rest);
	return count;
}

void pair_cork_free(struct channel_traffic *traffic)
{
	if (traffic->udp.corks)
		flow_free(&traffic->udp.corks->events);
	free(traffic->udp.corks);
}

/* Makes the message of the whole datagram that of one piece, which begins at its offset `at`. */
static void set_piece(struct viz_message *message, const struct viz_message *whole,
		      const struct cork_piece *piece, uint64_t at)
{
	const struct flow_item item = {.op = piece->op, .local = piece->local};
	uint64_t got = whole->bytes > at ? whole->bytes - at : 0, cut = whole->to.payload.len;

	message->cork = NULL;
	message->bytes = got < piece->bytes ? got : piece->bytes;
	message->cut = piece->bytes - message->bytes;
	message->from = pair_end_of(piece->op);
	message->from.offset = piece->local;
	message->from.message = piece->message;
	message->from.payload = flow_payload(&item, 0, message->bytes);
	if (whole->fate == FATE_TRUNCATED && !message->cut)
		message->fate = FATE_NONE;
	if (!whole->to.known)
		return;
	cut = cut < at ? cut : at;
	message->to.offset += at < whole->bytes ? at : whole->bytes;
	if (cut)
		message->to.payload.data += cut;
	message->to.payload.len -= cut;
	if (message->to.payload.len > message->bytes)
		message->to.payload.len = message->bytes;
}

void pair_cork_split(struct pair_context *context, struct viz_message *message)
{
	const struct cork *cork = message->cork;
	const struct viz_message whole = *message;
	uint64_t at = 0;

	for (size_t i = 0; cork && i < cork->count; i++) {
		struct viz_message *part = message;

		if (i) {
			part = pair_new(context, sizeof(*part));
			*part = whole;
			part->index = context->message_count++;
			LIST_PUSH(&context->messages, part);
		}
		set_piece(part, &whole, &cork->pieces[i], at);
		at += cork->pieces[i].bytes;
	}
}
