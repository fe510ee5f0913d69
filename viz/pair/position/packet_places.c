// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A packet has a buffer of its own. A read takes the bytes before the next packet, as far as they
 * fit, and then as much of that packet as fits; it discards the rest of the packet (fs/pipe.c,
 * anon_pipe_read). splice(2) takes bytes, and leaves the rest of a packet in the pipe.
 */
#include "viz/pair/position/packet_places.h"

#include "viz/pair/position/placing.h"

/* True for one of several packets of a large write. */
static bool is_of_several(const struct flow_item *item)
{
	return item->place.packet && operation_stream_bytes(item->op) > PAGE_LEN;
}

/*
 * The stream offset at which the pipe stands after a read of `bytes` from `at` on; 0 if no read can
 * take that many there, since a packet ends it before.
 */
static uint64_t after_read(const struct placing *p, uint64_t at, uint64_t bytes)
{
	for (size_t i = offsets_reaching(p, at); i < p->sends && bytes; i++) {
		const struct flow_item *send = &p->flow->sends.items[i];
		uint64_t end = send->join.start + send->amount, len = at_most(end - at, bytes);

		if (send->join.start > at)
			break; /* something is missing */
		if (send->place.packet)
			return len == bytes ? end : 0;
		at += len;
		bytes -= len;
	}
	return at + bytes;
}

static uint64_t after(const struct placing *p, uint64_t at, const struct flow_item *item)
{
	if (item->op->role == ROLE_TRANSFER)
		return at + item->amount;
	return after_read(p, at, item->amount);
}

/*
 * A write goes into a buffer of its own, or is merged into the last buffer if that one was moved
 * there from another pipe; it is no packet then (fs/pipe.c, anon_pipe_write; fs/splice.c,
 * splice_pipe_to_pipe).
 */
static size_t send_options(const struct placing *p, uint64_t at, const struct flow_item *item,
			   struct place_option options[PLACE_OPTIONS])
{
	uint64_t slot = at / SLOT_LEN + 1;

	options[0] = (struct place_option){.from = slot * SLOT_LEN,
					   .after = slot * SLOT_LEN + SLOT_LEN - 1};
	options[1] = (struct place_option){.from = at, .after = at, .ragged = true};
	return !p->flow->merges || item->amount == PAGE_LEN || is_of_several(item) ? 1 : 2;
}

size_t packets_options(const struct placing *p, uint64_t at, const struct flow_item *item,
		       struct place_option options[PLACE_OPTIONS])
{
	if (p->scale == &place_pipe)
		return send_options(p, at, item, options);
	options[0] = (struct place_option){.from = at, .after = after(p, at, item)};
	return options[0].after > at;
}

static bool in_same_buffer(const struct flow_item *item, const struct flow_item *next)
{
	return next->place.to == item->place.to && next->place.from == next->place.to;
}

void packets_order(struct placing *p)
{
	struct flow_item *items = p->flow->sends.items;

	for (size_t i = 0; p->flow->packets && i < p->sends; i++) {
		/*
		 * If several packets were moved here at once, it is unknown where each of them
		 * ends. They are treated as bytes; if a read has truncated one, no order fits.
		 */
		items[i].place.packet &= items[i].place.from != items[i].place.to &&
					 items[i].place.from / SLOT_LEN ==
						 items[i].place.to / SLOT_LEN;
		if (i && in_same_buffer(&items[i - 1], &items[i]) &&
		    items[i - 1].exit_ns > items[i].enter_ns)
			items[i].ambiguous = items[i - 1].ambiguous = true;
	}
}

bool packets_may_merge(const struct placing *p, struct flow_item **items, size_t count)
{
	bool part = false, several = false;

	if (!p->flow->packets || !p->flow->merges || p->scale != &place_pipe)
		return false;
	for (size_t i = 0; i < count; i++) {
		part |= is_of_several(items[i]) && operation_stream_bytes(items[i]->op) % PAGE_LEN;
		several |= items[i]->op != items[0]->op;
	}
	return part && several;
}

void packets_cut_off(struct placing *p, const struct flow_item *receive)
{
	uint64_t end = receive->join.start + receive->amount;
	size_t i = offsets_reaching(p, end);

	if (!p->flow->packets || receive->op->role == ROLE_TRANSFER || i == p->sends)
		return;
	if (p->flow->sends.items[i].place.packet && p->flow->sends.items[i].join.start < end)
		p->flow->sends.items[i].join.used = p->flow->sends.items[i].amount;
}

void packets_report_cut(const struct placing *p, const struct flow_piece *piece,
			struct viz_message *message)
{
	const struct flow_item *send = piece->send, *receive = piece->receive;
	uint64_t end = piece->start + piece->amount;

	if (!p->flow->packets || !send || !send->place.packet ||
	    receive->op->role == ROLE_TRANSFER || end != receive->join.start + receive->amount ||
	    end == send->join.start + send->amount)
		return;
	message->cut = send->join.start + send->amount - end;
	message->fate = FATE_TRUNCATED;
}
