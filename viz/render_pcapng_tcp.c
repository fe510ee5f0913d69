// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A capture of streams for Wireshark's "Follow Stream": each conversation (a pipe, a pair of
 * sockets) as TCP that never was. Its hosts are the processes that spoke first there, its bytes
 * those of the messages, its FIN the end that a reader learned. What the trace does not have is a
 * missing segment: sequence numbers go on, and the acknowledgement of what follows covers it.
 * IPv4: RFC 791. TCP: RFC 9293.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lang/names.h"
#include "render_capture.h"
#include "render_dissector.h"
#include "render_streams.h"

enum { LINKTYPE_RAW = 101, PROTOCOL_TCP = 6 };
enum { FIN = 1, SYN = 2, PUSH = 8, ACK = 16 };
enum { HEAD = 40, SEGMENT_MOST = 65000, WINDOW = 65535 };

/* Ports: of who connected one that nobody else has, of the other one that says what is spoken. */
enum { PORT_FIRST = 1024, PORTS = 60000, PORT_NONE = 65432, PORT_HTTP = 80, PORT_PGSQL = 5432 };

struct side {
	uint32_t next;	/* its next byte's number */
	uint32_t taken; /* of the other's: up to there it has received */
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

static uint32_t add_words(uint32_t sum, const unsigned char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum += (uint32_t)bytes[i] << (i % 2 ? 0 : 8);
	return (sum & 0xffff) + (sum >> 16);
}

static uint32_t checksum_of(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

static void put(unsigned char *at, uint32_t value, int bytes)
{
	while (bytes-- > 0)
		*at++ = (unsigned char)(value >> (8 * bytes));
}

static void fill_ip(unsigned char *head, uint32_t from, uint32_t to, size_t len)
{
	memset(head, 0, HEAD);
	head[0] = 0x45;
	put(head + 2, (uint32_t)(HEAD + len), 2);
	head[6] = 0x40; /* is not in fragments */
	head[8] = 64;
	head[9] = PROTOCOL_TCP;
	put(head + 12, from, 4);
	put(head + 16, to, 4);
	put(head + 10, checksum_of(add_words(0, head, 20)), 2);
}

static void fill_tcp(unsigned char *head, const struct side *from, const struct side *to, int flags)
{
	put(head + 20, from->port, 2);
	put(head + 22, to->port, 2);
	put(head + 24, from->next, 4);
	put(head + 28, flags & ACK ? from->taken : 0, 4);
	head[32] = 5 << 4;
	head[33] = (unsigned char)flags;
	put(head + 34, WINDOW, 2);
}

static void sum_tcp(unsigned char *head, const struct segment *s)
{
	uint32_t sum = PROTOCOL_TCP + 20 + (uint32_t)s->len;

	sum = add_words(sum, head + 12, 8);
	sum = add_words(sum, head + 20, 20);
	put(head + 36, checksum_of(add_words(sum, s->payload, s->len)), 2);
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

	fill_ip(head, capture_address(&t->capture, c->lanes[s->side]),
		capture_address(&t->capture, c->lanes[!s->side]), s->len);
	fill_tcp(head, from, to, s->flags);
	sum_tcp(head, s);
	capture_put_packet(&t->capture, &packet);
	from->next += (uint32_t)s->len + (s->flags & SYN || s->flags & FIN);
}

static void acknowledge(struct tcp *t, const struct stream_event *e)
{
	struct talk *talk = &t->talks[e->conversation];

	talk->sides[!e->side].taken = talk->sides[e->side].next;
	put_segment(t, &(struct segment){.conversation = e->conversation,
					 .side = !e->side,
					 .flags = ACK,
					 .at_ns = e->at_ns});
}

/* --- events --- */

static void shake_hands(struct tcp *t, size_t conversation, uint64_t at_ns)
{
	struct talk *talk = &t->talks[conversation];
	struct segment s = {.conversation = conversation, .at_ns = at_ns, .flags = SYN};

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
	s.flags = SYN | ACK;
	put_segment(t, &s);
	talk->sides[0].taken = talk->sides[1].next;
	s.side = 0;
	s.flags = ACK;
	put_segment(t, &s);
}

static char *comment_of(struct tcp *t, const struct stream_event *e)
{
	char *said = capture_comment(&t->capture, e->message), *text = said;

	if (said && e->missing) {
		if (asprintf(&text, "%s; %" PRIu64 " bytes before it are missing", said,
			     e->missing) < 0)
			text = NULL;
	} else if (said && e->unsure) {
		if (asprintf(&text,
			     "%s; bytes before it may be missing: the trace has lost records",
			     said) < 0)
			text = NULL;
	}
	if (text != said)
		free(said);
	t->capture.failed |= !text;
	return text;
}

/* As many segments as the bytes need that the trace kept; the rest is missing. */
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
						 .flags = PUSH | ACK,
						 .at_ns = e->at_ns,
						 .payload = len ? m->payload + at : NULL,
						 .len = len,
						 .comment = at ? NULL : comment});
		at += len;
	} while (at < m->payload_len && !t->capture.failed);
	free(comment);
	if (m->bytes > m->payload_len)
		t->talks[e->conversation].sides[e->side].next +=
			(uint32_t)(m->bytes - m->payload_len);
}

static void put_event(struct tcp *t, const struct stream_event *e)
{
	struct talk *talk = &t->talks[e->conversation];
	bool gap = e->missing || e->unsure ||
		   (e->message && e->message->bytes > e->message->payload_len);

	shake_hands(t, e->conversation, e->at_ns);
	talk->sides[e->side].next += (uint32_t)(e->missing ? e->missing : e->unsure);
	if (e->message)
		put_message(t, e);
	if (e->ended)
		put_segment(t, &(struct segment){.conversation = e->conversation,
						 .side = e->side,
						 .flags = FIN | ACK,
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

/* Real ones where there are; they say what is spoken as well as those who do not guess. */
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

		capture_put_interface(&t->capture, LINKTYPE_RAW, scene->objects[object].name,
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
	for (size_t i = 0; i < t->streams.event_count && !t->capture.failed; i++)
		put_event(t, &t->streams.events[i]);
}

int render_pcapng_tcp(FILE *out, const struct scene *scene, const struct render_options *options)
{
	struct tcp t = {.capture = {.scene = scene, .out = out}};
	int err = streams_build(&t.streams, scene);

	(void)options;
	t.talks = calloc(t.streams.conversation_count + 1, sizeof(*t.talks));
	if (!err && t.talks)
		put_all(&t);
	if (!t.talks || t.capture.failed)
		err = -ENOMEM;
	free(t.talks);
	streams_free(&t.streams);
	return !err && ferror(out) ? -EIO : err;
}
