// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/dissect/capture.h"

#include <stdlib.h>
#include <string.h>

#include "viz/base/memory.h"
#include "viz/base/packet.h"

enum { PACKET_MOST = 65535, CLIENT_PORT = 40000, NS_PER_S = 1000000000 };

static void put(struct capture *capture, const void *bytes, size_t len)
{
	if (len)
		fwrite(bytes, 1, len, capture->out);
	capture->bytes += len;
}

static void put_native(struct capture *capture, uint32_t value)
{
	put(capture, &value, sizeof(value));
}

/* Times in nanoseconds; the reader learns the byte order from the magic number. */
static void put_file_header(struct capture *capture)
{
	static const uint16_t version[2] = {2, 4};

	put_native(capture, 0xa1b23c4d);
	put(capture, version, sizeof(version));
	put_native(capture, 0);
	put_native(capture, 0);
	put_native(capture, PACKET_MOST);
	put_native(capture, PACKET_LINKTYPE_RAW);
}

/* Hosts of a conversation: 10.x.y.z, the last bit is the side. */
static uint32_t host_of(const struct conversation *c, int side)
{
	return 0x0a000000u | (uint32_t)((2 * c->index + 2) & 0xfffffe) | (uint32_t)side;
}

static uint16_t port_of(const struct conversation *c, int side)
{
	if (side == c->client)
		return CLIENT_PORT;
	return c->dissector ? CAPTURE_PORT_OF(c->dissector - dissectors) : c->port;
}

static void fill_ip(unsigned char *at, const struct utterance *u, size_t len)
{
	const struct conversation *c = u->conversation;

	packet_ipv4(at, c->stream ? PACKET_PROTOCOL_TCP : PACKET_PROTOCOL_UDP, host_of(c, u->side),
		    host_of(c, !u->side), len);
}

static void fill_tcp(unsigned char *at, const struct utterance *u)
{
	const struct conversation *c = u->conversation;
	const struct packet_tcp tcp = {port_of(c, u->side), port_of(c, !u->side), c->next[u->side],
				       c->next[!u->side], PACKET_PUSH | PACKET_ACK};

	packet_tcp(at, &tcp);
}

static void fill_udp(unsigned char *at, const struct utterance *u, size_t len)
{
	packet_put(at, port_of(u->conversation, u->side), 2);
	packet_put(at + 2, port_of(u->conversation, !u->side), 2);
	packet_put(at + 4, (uint32_t)len, 2);
}

/*
 * Bytes that were not kept are told as not captured. What a packet cannot hold is left out, and
 * the next one of a stream begins behind it.
 */
static void put_packet(struct capture *capture, const struct utterance *u)
{
	unsigned char header[PACKET_IPV4_LEN + PACKET_TCP_LEN] = {0};
	size_t header_len = PACKET_IPV4_LEN +
			    (u->conversation->stream ? PACKET_TCP_LEN : PACKET_UDP_LEN);
	size_t room = PACKET_MOST - header_len;
	size_t total = u->total < room ? (size_t)u->total : room;
	size_t kept = u->len < total ? u->len : total;

	fill_ip(header, u, header_len + total);
	if (u->conversation->stream)
		fill_tcp(header + PACKET_IPV4_LEN, u);
	else
		fill_udp(header + PACKET_IPV4_LEN, u, PACKET_UDP_LEN + total);
	put_native(capture, (uint32_t)(u->at_ns / NS_PER_S));
	put_native(capture, (uint32_t)(u->at_ns % NS_PER_S));
	put_native(capture, (uint32_t)(header_len + kept));
	put_native(capture, (uint32_t)(header_len + total));
	put(capture, header, header_len);
	put(capture, u->data, kept);
}

struct capture_key capture_key_of(const struct viz_operation *call, uint32_t message, bool received)
{
	return (struct capture_key){call->id, message, received};
}

/*
 * Where records are lost, a stream's next bytes may lie anywhere in what its protocol counts, and
 * would be misread; only TCP's positions say where they are.
 */
static bool is_readable(const struct viz_model *model, const struct utterance *u)
{
	return !u->conversation->stream || u->placed || !viz_model_lacks_records(model);
}

static void capture_utterance(struct capture *capture, const struct utterance *u)
{
	struct conversation *c = u->conversation;

	if (capture->count >= CAPTURE_PACKETS_MOST || capture->bytes >= CAPTURE_BYTES_MOST) {
		capture->left_out++;
		return;
	}
	if (u->placed)
		c->next[u->side] = u->position;
	put_packet(capture, u);
	if (c->dissector)
		capture->used[c->dissector - dissectors] = true;
	LIST_PUSH(capture, ((struct capture_packet){
				   .key = capture_key_of(u->call, u->message, u->received),
				   .dissector = c->dissector,
				   .short_of = u->len < u->total && u->len < CAPTURE_ENOUGH,
			   }));
}

void capture_write(struct capture *capture, struct conversations *conversations,
		   const struct viz_model *model, const struct viz_pairing *pairing)
{
	struct utterance u;

	put_file_header(capture);
	for (size_t i = 0; i < conversations->turn_count; i++) {
		const struct conversation_turn *turn = &conversations->turns[i];
		struct conversation *c;

		if (!conversation_utterance(conversations, pairing->messages[turn->message], &u))
			continue;
		c = u.conversation;
		u.at_ns = turn->at_ns;
		if (conversation_is_asked(c) && u.at_ns >= c->from_ns && u.total &&
		    is_readable(model, &u))
			capture_utterance(capture, &u);
		c->next[u.side] += (uint32_t)u.total;
	}
}

void capture_free(struct capture *capture)
{
	free(capture->items);
}
