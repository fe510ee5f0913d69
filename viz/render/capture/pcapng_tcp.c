// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Writes a capture of streams for Wireshark's "Follow Stream": each conversation (a pipe, a pair of
 * sockets) as a TCP connection that never existed. Its hosts are the processes that used each side
 * first, its bytes those of the messages, its FIN the end of file that a reader saw. Bytes that the
 * trace lacks are a missing segment: sequence numbers advance, and the acknowledgement of what
 * follows covers it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "viz/base/memory.h"
#include "viz/base/packet.h"
#include "viz/format/names.h"
#include "viz/render/capture/conversations.h"
#include "viz/render/capture/dissector.h"
#include "viz/render/capture/pcapng_blocks.h"

enum { HEAD = PACKET_IPV4_LEN + PACKET_TCP_LEN, SEGMENT_MOST = 65000 };

/* Ports: the connecting side gets a unique one, the other side one that tells the protocol. */
enum { PORT_FIRST = 1024, PORTS = 60000, PORT_NONE = 65432, PORT_HTTP = 80, PORT_PGSQL = 5432 };

struct side {
	uint32_t next;	/* sequence number of its next byte */
	uint32_t taken; /* acknowledged bytes of the other side */
	uint16_t port;
};

struct talk {
	struct side sides[2];
	bool begun;
};

struct tcp {
	struct capture capture;
	struct streams streams;
	struct talk *talks;
};

struct segment {
	size_t conversation;
	int side;
	int flags;
	uint64_t at_ns;
	const unsigned char *payload;
	size_t len;
	const char *comment;
};

/* --- a segment --- */

static void fill_tcp(unsigned char *head, const struct side *from, const struct side *to, int flags)
{
	const struct packet_tcp tcp = {from->port, to->port, from->next,
				       flags & PACKET_ACK ? from->taken : 0, (unsigned)flags};

	packet_tcp(head + PACKET_IPV4_LEN, &tcp);
}

static void sum_tcp(unsigned char *head, const struct segment *s)
{
	uint32_t sum = PACKET_PROTOCOL_TCP + PACKET_TCP_LEN + (uint32_t)s->len;

	sum = packet_add(sum, head + 12, 8);
	sum = packet_add(sum, head + 20, 20);
	packet_put(head + 36, packet_checksum(packet_add(sum, s->payload, s->len)), 2);
}

static void put_segment(struct tcp *t, const struct segment *s)
{
	const struct stream_conversation *c = &t->streams.conversations[s->conversation];
	struct side *from = &t->talks[s->conversation].sides[s->side];
	struct side *to = &t->talks[s->conversation].sides[!s->side];
	unsigned char head[HEAD];
	struct capture_packet packet = {
		.interface = (uint32_t)s->conversation,
		.at_ns = s->at_ns,
		.head = head,
		.head_len = HEAD,
		.payload = s->payload,
		.payload_len = s->len,
		.len = HEAD + s->len,
		.comment = s->comment,
	};

	packet_ipv4(head, PACKET_PROTOCOL_TCP, capture_address(&t->capture, c->lanes[s->side]),
		    capture_address(&t->capture, c->lanes[!s->side]), HEAD + s->len);
	fill_tcp(head, from, to, s->flags);
	sum_tcp(head, s);
	capture_put_packet(&t->capture, &packet);
	from->next += (uint32_t)s->len + (s->flags & PACKET_SYN || s->flags & PACKET_FIN);
}

static void acknowledge(struct tcp *t, const struct stream_event *e)
{
	struct talk *talk = &t->talks[e->conversation];

	talk->sides[!e->side].taken = talk->sides[e->side].next;
	put_segment(t, &(struct segment){.conversation = e->conversation,
					 .side = !e->side,
					 .flags = PACKET_ACK,
					 .at_ns = e->at_ns});
}

/* --- events --- */

static void shake_hands(struct tcp *t, size_t conversation, uint64_t at_ns)
{
	struct talk *talk = &t->talks[conversation];
	struct segment s = {.conversation = conversation, .at_ns = at_ns, .flags = PACKET_SYN};

	if (talk->begun)
		return;
	talk->begun = true;
	if (!t->streams.conversations[conversation].from_start) {
		talk->sides[0].next = talk->sides[1].next = 1;
		talk->sides[0].taken = talk->sides[1].taken = 1;
		return;
	}
	put_segment(t, &s);
	talk->sides[1].taken = talk->sides[0].next;
	s.side = 1;
	s.flags = PACKET_SYN | PACKET_ACK;
	put_segment(t, &s);
	talk->sides[0].taken = talk->sides[1].next;
	s.side = 0;
	s.flags = PACKET_ACK;
	put_segment(t, &s);
}

static char *comment_of(struct tcp *t, const struct stream_event *e)
{
	char *comment = capture_comment(&t->capture, e->message), *text = comment;

	if (e->missing) {
		text = memory_format("%s; %" PRIu64 " bytes before it are missing", comment,
				     e->missing);
	} else if (e->may_miss_bytes) {
		text = memory_format(
			"%s; bytes before it may be missing: the trace has lost records", comment);
	}
	if (text != comment)
		free(comment);
	return text;
}

/* Writes as many segments as the kept bytes need; the rest is a missing segment. */
static void put_message(struct tcp *t, const struct stream_event *e)
{
	const struct scene_message *m = e->message;
	char *comment = comment_of(t, e);
	size_t at = 0;

	do {
		size_t len = m->payload_len - at < SEGMENT_MOST ? m->payload_len - at
								: SEGMENT_MOST;

		put_segment(t, &(struct segment){.conversation = e->conversation,
						 .side = e->side,
						 .flags = PACKET_PUSH | PACKET_ACK,
						 .at_ns = e->at_ns,
						 .payload = len ? m->payload + at : NULL,
						 .len = len,
						 .comment = at ? NULL : comment});
		at += len;
	} while (at < m->payload_len);
	free(comment);
	if (m->bytes > m->payload_len)
		t->talks[e->conversation].sides[e->side].next +=
			(uint32_t)(m->bytes - m->payload_len);
}

static void put_event(struct tcp *t, const struct stream_event *e)
{
	struct talk *talk = &t->talks[e->conversation];
	bool gap = e->missing || e->may_miss_bytes ||
		   (e->message && e->message->bytes > e->message->payload_len);

	shake_hands(t, e->conversation, e->at_ns);
	talk->sides[e->side].next += (uint32_t)(e->missing ? e->missing : e->may_miss_bytes);
	if (e->message)
		put_message(t, e);
	if (e->ended)
		put_segment(t, &(struct segment){.conversation = e->conversation,
						 .side = e->side,
						 .flags = PACKET_FIN | PACKET_ACK,
						 .at_ns = e->at_ns});
	if (gap || e->ended)
		acknowledge(t, e);
	else if (e->message && e->message->part == SCENE_WHOLE)
		talk->sides[!e->side].taken = talk->sides[e->side].next;
}

/* --- conversations --- */

static uint16_t port_of(const struct scene_message *m)
{
	const unsigned char *payload = m->payload ? m->payload : (const unsigned char *)"";
	struct render_dissector d = render_dissector(m->mechanism, payload, m->payload_len);

	if (d.table && strcmp(d.table, "tcp.port") == 0)
		return (uint16_t)d.value;
	if (d.name && strcmp(d.name, "http") == 0)
		return PORT_HTTP;
	return d.name && strcmp(d.name, "pgsql") == 0 ? PORT_PGSQL : 0;
}

/* Uses the connection's real ports if they are known: they identify the protocol, too. */
static void set_real_ports(struct tcp *t, size_t conversation)
{
	const struct stream_conversation *c = &t->streams.conversations[conversation];

	for (int side = 0; side < 2; side++) {
		const struct scene_object *object;

		if (c->objects[side] == SCENE_NONE)
			continue;
		object = &t->capture.scene->objects[c->objects[side]];
		if (object->port)
			t->talks[conversation].sides[side].port = object->port;
		if (object->peer_port)
			t->talks[conversation].sides[!side].port = object->peer_port;
	}
}

static void set_ports(struct tcp *t)
{
	for (size_t i = 0; i < t->streams.conversation_count; i++)
		t->talks[i].sides[0].port = (uint16_t)(PORT_FIRST + i % PORTS);
	for (size_t i = 0; i < t->streams.event_count; i++) {
		const struct stream_event *e = &t->streams.events[i];
		struct talk *talk = &t->talks[e->conversation];

		if (e->message && !talk->sides[1].port)
			talk->sides[1].port = port_of(e->message);
	}
	for (size_t i = 0; i < t->streams.conversation_count; i++) {
		if (!t->talks[i].sides[1].port)
			t->talks[i].sides[1].port = PORT_NONE;
		set_real_ports(t, i);
	}
}

static void put_interfaces(struct tcp *t)
{
	const struct scene *scene = t->capture.scene;

	for (size_t i = 0; i < t->streams.conversation_count; i++) {
		const size_t *objects = t->streams.conversations[i].objects;
		size_t object = objects[1] != SCENE_NONE ? objects[1] : objects[0];

		capture_put_interface(&t->capture, PACKET_LINKTYPE_RAW, scene->objects[object].name,
				      mechanism_info(scene->objects[object].mechanism)->name);
	}
}

static void put_all(struct tcp *t)
{
	char remark[96];

	snprintf(remark, sizeof(remark), "%zu messages of no stream are not in it: --as pcapng",
		 t->streams.left_out);
	capture_put_section(&t->capture, t->streams.left_out ? remark : NULL);
	put_interfaces(t);
	capture_put_names(&t->capture);
	set_ports(t);
	for (size_t i = 0; i < t->streams.event_count; i++)
		put_event(t, &t->streams.events[i]);
}

int render_pcapng_tcp(FILE *out, const struct scene *scene, const struct render_options *options)
{
	struct tcp t = {.capture = {.scene = scene, .out = out}};

	(void)options;
	streams_build(&t.streams, scene);
	t.talks = memory_array(t.streams.conversation_count + 1, sizeof(*t.talks));
	put_all(&t);
	free(t.talks);
	streams_free(&t.streams);
	return ferror(out) ? -EIO : 0;
}
