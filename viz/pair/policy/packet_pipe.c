// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Pipes in packet mode (O_DIRECT, pipe(2)): a write is divided into packets of up to a page, a read
 * takes one packet, and the part of it that does not fit the read's buffer is lost (fs/pipe.c,
 * PIPE_BUF_FLAG_PACKET).
 *
 * What splice(2), tee(2) and vmsplice(2) put there is no packet: a read takes as much of it as
 * fits, up to and including the next packet. A splice out of the pipe takes any number of packets,
 * and may take a part of one. In a pipe with such calls amounts are in bytes (packet_places.c) and
 * places are whole buffers, because the end of a packet that a read has truncated is not visible
 * any more. Bytes written without O_DIRECT may be merged with what lies before them; that is not
 * modelled.
 */
#include "viz/pair/position/spliced.h"

#define WRITE_MAX ((uint64_t)64 << 20) /* a longer write is implausible, so not divided */

/* Changes the unit of a side to packets or bytes. Places in the old unit are dropped. */
static void count_in(struct channel_traffic *traffic, struct flow_side *side, bool packets)
{
	for (size_t i = 0; i < side->count; i++) {
		side->items[i].amount = packets ? 1 : side->items[i].bytes;
		side->items[i].place.placed = false;
	}
	traffic->stream.taken_to = 0;
}

static bool is_in_bytes(const struct channel_traffic *traffic)
{
	return traffic->pipe.bytes || traffic->pipe.transfers;
}

static void add_sent(struct channel_traffic *traffic, const struct viz_operation *op,
		     uint64_t packet_len)
{
	struct flow_item item = pair_item(op);
	uint64_t left = operation_stream_bytes(op);
	bool absurd = left > WRITE_MAX || !packet_len;

	traffic->send_ambiguous |= absurd;
	for (; left; left -= item.bytes) {
		item.bytes = left < packet_len || absurd ? left : packet_len;
		item.amount = is_in_bytes(traffic) ? item.bytes : 1;
		item.place.packet = true;
		pair_side_add(&traffic->sends, &item);
		item.local += item.bytes;
		item.message++;
	}
}

static void count_bytes(struct channel_traffic *traffic)
{
	if (is_in_bytes(traffic) || !traffic->pipe.packets)
		return;
	count_in(traffic, &traffic->sends, false);
	count_in(traffic, &traffic->receives, false);
}

static void note_packet(struct channel_traffic *traffic)
{
	if (!traffic->pipe.packets) {
		count_in(traffic, &traffic->sends, !is_in_bytes(traffic));
		count_in(traffic, &traffic->receives, !is_in_bytes(traffic));
	}
	traffic->pipe.packets = true;
}

/*
 * True if the bytes were packets, or parts of them, in the pipe they were moved from: they are
 * packets here too (fs/splice.c keeps PIPE_BUF_FLAG_PACKET).
 */
static bool are_packets(struct pair_context *context, const struct viz_operation *op)
{
	return op->role == ROLE_TRANSFER && channel_is_pipe(op->channel) &&
	       pair_traffic(context, op->channel)->pipe.packets;
}

static void note_bytes(struct channel_traffic *traffic, const struct flow_item *item, bool send)
{
	bool spliced = item->op->role == ROLE_TRANSFER || (send && spliced_is(item));

	if (!item->bytes || (!send && !spliced))
		return;
	count_bytes(traffic);
	if (spliced)
		traffic->pipe.transfers = true;
	if (send && item->op->role == ROLE_TRANSFER && channel_is_pipe(item->op->channel))
		traffic->pipe.moved_in = true;
	if (send && !spliced)
		traffic->pipe.bytes = true;
}

bool pair_packet_take(struct pair_context *context, struct channel_traffic *traffic,
		      struct viz_operation *op, bool send)
{
	struct flow_item item = pair_item(op);

	if (send && op->packets) {
		note_packet(traffic);
		add_sent(traffic, op, context->model->header.page_len);
		return true;
	}
	item.bytes = operation_stream_bytes(op);
	note_bytes(traffic, &item, send);
	if (send && item.bytes && are_packets(context, op)) {
		note_packet(traffic);
		item.amount = item.bytes;
		item.place.packet = true;
		item.ambiguous = pair_traffic(context, op->channel)->pipe.bytes;
		pair_side_add(&traffic->sends, &item);
		return true;
	}
	if (send || !traffic->pipe.packets || is_in_bytes(traffic))
		return false;
	item.amount = 1;
	if (item.bytes)
		pair_side_add(&traffic->receives, &item);
	return true;
}
