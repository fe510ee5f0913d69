// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Pipes in packet mode (O_DIRECT, pipe(2)): a write is cut into packets of a page, a read takes one
 * packet, and what does not fit its buffer is lost (fs/pipe.c, PIPE_BUF_FLAG_PACKET).
 *
 * What is written without O_DIRECT, or put there by splice(2), are bytes that join what lies before
 * them, and splice may take a part of a packet: where both are seen, all is counted in bytes.
 */
#include "pair_internal.h"

#define PACKET_LEN 4096
#define WRITE_MAX ((uint64_t)64 << 20) /* of a larger one the numbers are nobody's truth */

static void count_in(struct flow_side *side, bool packets)
{
	for (size_t i = 0; i < side->count; i++)
		side->items[i].amount = packets ? 1 : side->items[i].bytes;
}

static void add_sent(struct channel_traffic *traffic, const struct viz_operation *op)
{
	struct flow_item item = pair_item(op);
	uint64_t left = pair_stream_bytes(op);
	bool absurd = left > WRITE_MAX;

	traffic->send_doubt |= absurd;
	for (; left; left -= item.bytes) {
		item.bytes = left < PACKET_LEN || absurd ? left : PACKET_LEN;
		item.amount = traffic->bytes ? item.bytes : 1;
		pair_side_add(&traffic->sends, &item);
		item.local += item.bytes;
		item.message++;
	}
}

static void note_plain(struct channel_traffic *traffic)
{
	if (!traffic->bytes && traffic->packets) {
		count_in(&traffic->sends, false);
		count_in(&traffic->receives, false);
	}
	traffic->bytes = true;
}

static void note_packet(struct channel_traffic *traffic)
{
	if (traffic->transfers)
		traffic->bytes = true;
	if (!traffic->packets && !traffic->bytes)
		count_in(&traffic->receives, true);
	traffic->packets = true;
}

bool pair_packet_take(struct channel_traffic *traffic, struct viz_operation *op, bool send)
{
	struct flow_item item = pair_item(op);

	if (send && op->packets) {
		note_packet(traffic);
		add_sent(traffic, op);
		return true;
	}
	item.bytes = pair_stream_bytes(op);
	if (send && item.bytes)
		note_plain(traffic);
	if (!send && op->role == ROLE_TRANSFER && item.bytes) {
		traffic->transfers = true;
		if (traffic->packets)
			note_plain(traffic);
	}
	if (send || !traffic->packets || traffic->bytes)
		return false;
	item.amount = 1;
	if (item.bytes)
		pair_side_add(&traffic->receives, &item);
	return true;
}
