// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A capture for Wireshark: each object is an interface, each message a packet with the bytes that
 * the trace kept, as a dissector reads them. Processes have addresses (10.x.y.z is their pid in 24
 * bits) that a name block gives their names; who sent what to whom stands in the packet's comment.
 * pcapng: draft-ietf-opsawg-pcapng. The packets' head: epan/exported_pdu.h of Wireshark.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lang/names.h"
#include "render.h"
#include "render_dissector.h"
#include "render_sequence.h"
#include "scene_text.h"

enum block { BLOCK_SECTION = 0x0a0d0d0a, BLOCK_INTERFACE = 1, BLOCK_NAMES = 4, BLOCK_PACKET = 6 };

enum option {
	OPTION_COMMENT = 1,
	OPTION_IF_NAME = 2,
	OPTION_IF_DESCRIPTION = 3,
	OPTION_APPLICATION = 4,
	OPTION_TIME_RESOLUTION = 9
};

enum tag {
	TAG_NAME = 12,
	TAG_TABLE = 14,
	TAG_SOURCE = 20,
	TAG_TARGET = 21,
	TAG_PORT_TYPE = 24,
	TAG_SOURCE_PORT = 25,
	TAG_TARGET_PORT = 26,
	TAG_VALUE = 32,
	TAG_PROTOCOL = 33 /* what the column of that name says */
};

/* Addresses of no process: pids end at 2^22. */
enum { HOST_OUTSIDE = 0, HOST_NOBODY = 0xffffff };

enum {
	LINKTYPE_UPPER_PDU = 252,
	NANOSECONDS = 9,
	TEXT_MOST = 400,
	HOST_MOST = 32,
	RECORD_IPV4 = 1,
	PORT_TCP = 2
};

struct capture {
	const struct scene *scene;
	FILE *out;
	bool failed;
};

/* --- bytes: the file in the machine's order, heads of packets in the network's --- */

static void put_u16(FILE *out, uint16_t value)
{
	fwrite(&value, sizeof(value), 1, out);
}

static void put_u32(FILE *out, uint32_t value)
{
	fwrite(&value, sizeof(value), 1, out);
}

static void put_network(FILE *out, uint32_t value, int bytes)
{
	while (bytes-- > 0)
		putc((int)(value >> (8 * bytes) & 0xff), out);
}

static void pad(FILE *out, size_t len)
{
	for (; len % 4; len++)
		putc(0, out);
}

static void put_option(FILE *out, enum option option, const void *bytes, size_t len)
{
	put_u16(out, (uint16_t)option);
	put_u16(out, (uint16_t)len);
	fwrite(bytes, 1, len, out);
	pad(out, len);
}

static void put_text_option(FILE *out, enum option option, const char *text)
{
	put_option(out, option, text, render_cut(text, TEXT_MOST));
}

static void put_end_of_options(FILE *out)
{
	put_u32(out, 0);
}

/* Writes what is in `body`, which it closes and frees. */
static void put_block(struct capture *c, enum block type, FILE *body, char **bytes, size_t *len)
{
	if (!body || fclose(body)) {
		c->failed = true;
	} else {
		put_u32(c->out, (uint32_t)type);
		put_u32(c->out, (uint32_t)*len + 12);
		fwrite(*bytes, 1, *len, c->out);
		put_u32(c->out, (uint32_t)*len + 12);
	}
	free(*bytes);
}

/* --- head: section, interfaces, names --- */

static void put_section(struct capture *c)
{
	char *bytes = NULL, *caption = render_caption(c->scene);
	size_t len = 0;
	FILE *body = open_memstream(&bytes, &len);

	c->failed |= !caption;
	if (body) {
		put_u32(body, 0x1a2b3c4d);
		put_u16(body, 1);
		put_u16(body, 0);
		put_u32(body, UINT32_MAX); /* the section's length is not told */
		put_u32(body, UINT32_MAX);
		put_text_option(body, OPTION_COMMENT, caption ? caption : "");
		for (size_t i = 0; i < c->scene->note_count; i++)
			put_text_option(body, OPTION_COMMENT, c->scene->notes[i]);
		put_text_option(body, OPTION_APPLICATION, "ipclens " IPCLENS_VERSION);
		put_end_of_options(body);
	}
	put_block(c, BLOCK_SECTION, body, &bytes, &len);
	free(caption);
}

static void put_interface(struct capture *c, const char *name, const char *description)
{
	static const unsigned char resolution = NANOSECONDS;
	char *bytes = NULL;
	size_t len = 0;
	FILE *body = open_memstream(&bytes, &len);

	if (body) {
		put_u16(body, LINKTYPE_UPPER_PDU);
		put_u16(body, 0);
		put_u32(body, 0); /* no limit to a packet's length */
		put_text_option(body, OPTION_IF_NAME, name);
		put_text_option(body, OPTION_IF_DESCRIPTION, description);
		put_option(body, OPTION_TIME_RESOLUTION, &resolution, 1);
		put_end_of_options(body);
	}
	put_block(c, BLOCK_INTERFACE, body, &bytes, &len);
}

/* The last interface is for signals, which belong to no object. */
static void put_interfaces(struct capture *c)
{
	const struct scene *scene = c->scene;

	for (size_t i = 0; i < scene->object_count; i++)
		put_interface(c, scene->objects[i].name,
			      mechanism_info(scene->objects[i].mechanism)->name);
	put_interface(c, "signals", "signals");
}

/* No thread has the number of another process. */
static uint32_t number_of(const struct scene_lane *lane)
{
	return lane->tid ? lane->tid : lane->pid;
}

static uint32_t address_of(const struct capture *c, int lane)
{
	uint32_t host = lane == SCENE_OUTSIDE ? HOST_OUTSIDE : HOST_NOBODY;

	if (lane >= 0)
		host = number_of(&c->scene->lanes[lane]) & 0xffffff;
	return 10u << 24 | host;
}

/* "ls.1201": letters, digits and - are what a host's name may have. */
static void put_name(FILE *out, uint32_t address, const char *title, uint32_t pid)
{
	char name[HOST_MOST + 16];
	size_t len = strnlen(title, HOST_MOST);

	for (size_t i = 0; i < len; i++)
		name[i] = isalnum((unsigned char)title[i]) && !(title[i] & 0x80) ? title[i] : '-';
	len += (size_t)snprintf(name + len, 16, ".%" PRIu32, pid) + 1;
	put_u16(out, RECORD_IPV4);
	put_u16(out, (uint16_t)(len + 4));
	put_network(out, address, 4);
	fwrite(name, 1, len, out);
	pad(out, len);
}

static void put_names(struct capture *c)
{
	const struct scene *scene = c->scene;
	char *bytes = NULL;
	size_t len = 0;
	FILE *body = open_memstream(&bytes, &len);

	if (body) {
		put_name(body, address_of(c, SCENE_OUTSIDE), "not-traced", 0);
		put_name(body, address_of(c, SCENE_NOWHERE), "nobody", 0);
		for (size_t i = 0; i < scene->lane_count; i++)
			put_name(body, address_of(c, (int)i), scene->lanes[i].title,
				 number_of(&scene->lanes[i]));
		put_u32(body, 0); /* end of records */
	}
	put_block(c, BLOCK_NAMES, body, &bytes, &len);
}

/* --- packets --- */

static void put_tag(FILE *out, enum tag tag, const void *bytes, size_t len)
{
	size_t padded = (len + 3) / 4 * 4;

	put_network(out, (uint32_t)tag, 2);
	put_network(out, (uint32_t)padded, 2);
	fwrite(bytes, 1, len, out);
	pad(out, len);
}

static void put_number_tag(FILE *out, enum tag tag, uint32_t value)
{
	put_network(out, (uint32_t)tag, 2);
	put_network(out, 4, 2);
	put_network(out, value, 4);
}

static void put_head(struct capture *c, FILE *out, const struct scene_message *m)
{
	const unsigned char *payload = m->payload ? m->payload : (const unsigned char *)"";
	struct render_dissector d = render_dissector(m->mechanism, payload, m->payload_len);

	if (d.table) {
		put_tag(out, TAG_TABLE, d.table, strlen(d.table));
		put_number_tag(out, TAG_VALUE, d.value);
	} else {
		put_tag(out, TAG_NAME, d.name, strlen(d.name));
	}
	if (*m->label || (d.name && strncmp(d.name, "data", 4) == 0)) {
		const char *name = *m->label ? m->label : mechanism_info(m->mechanism)->name;

		put_tag(out, TAG_PROTOCOL, name, render_cut(name, HOST_MOST));
	}
	put_number_tag(out, TAG_SOURCE, address_of(c, m->from));
	put_number_tag(out, TAG_TARGET, address_of(c, m->to));
	if (d.target_port) {
		put_number_tag(out, TAG_PORT_TYPE, PORT_TCP);
		put_number_tag(out, TAG_SOURCE_PORT, 0);
		put_number_tag(out, TAG_TARGET_PORT, d.target_port);
	}
	put_network(out, 0, 4);
}

static void put_end(struct capture *c, FILE *out, int lane)
{
	char *name = lane >= 0 ? render_lane_name(&c->scene->lanes[lane]) : NULL;

	c->failed |= lane >= 0 && !name;
	fputs(name ? name : lane == SCENE_OUTSIDE ? "(not traced)" : "(nobody)", out);
	free(name);
}

/* "ls [1201] → wc [1202] pipe write(1) read(0), never received" */
static char *comment_of(struct capture *c, const struct scene_message *m)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	put_end(c, out, m->from);
	fputs(" → ", out);
	put_end(c, out, m->to);
	fprintf(out, " %s", *m->label ? m->label : mechanism_info(m->mechanism)->name);
	if (m->send != SCENE_NONE)
		fprintf(out, " %s", c->scene->calls[m->send].name);
	if (m->receive != SCENE_NONE)
		fprintf(out, " %s", c->scene->calls[m->receive].name);
	if (m->part != SCENE_WHOLE)
		fputs(m->part == SCENE_UNREAD ? ", never received" : ", lost", out);
	if (m->ambiguous)
		fputs(", another pairing is possible", out);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

static uint64_t time_of(const struct scene_message *m)
{
	if (m->received_ns != SCENE_NEVER)
		return m->received_ns;
	return m->sent_ns != SCENE_NEVER ? m->sent_ns : 0;
}

static void put_data(struct capture *c, FILE *body, const struct scene_message *m)
{
	char *head = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&head, &len);
	uint64_t whole;

	if (out)
		put_head(c, out, m);
	if (!out || fclose(out)) {
		c->failed = true;
		free(head);
		return;
	}
	whole = len + (m->bytes > m->payload_len ? m->bytes : m->payload_len);
	put_u32(body, (uint32_t)(len + m->payload_len));
	put_u32(body, whole < UINT32_MAX ? (uint32_t)whole : UINT32_MAX);
	fwrite(head, 1, len, body);
	fwrite(m->payload ? m->payload : (const unsigned char *)"", 1, m->payload_len, body);
	pad(body, len + m->payload_len);
	free(head);
}

static void put_packet(struct capture *c, const struct scene_message *m)
{
	uint64_t ns = time_of(m) + (uint64_t)c->scene->realtime_offset_ns;
	char *bytes = NULL, *comment = comment_of(c, m);
	size_t len = 0;
	FILE *body = open_memstream(&bytes, &len);

	c->failed |= !comment;
	if (body) {
		put_u32(body,
			(uint32_t)(m->object == SCENE_NONE ? c->scene->object_count : m->object));
		put_u32(body, (uint32_t)(ns >> 32));
		put_u32(body, (uint32_t)ns);
		put_data(c, body, m);
		put_text_option(body, OPTION_COMMENT, comment ? comment : "");
		put_end_of_options(body);
	}
	put_block(c, BLOCK_PACKET, body, &bytes, &len);
	free(comment);
}

static int by_time(const void *a, const void *b)
{
	const struct scene_message *const *x = a, *const *y = b;

	if (time_of(*x) != time_of(*y))
		return time_of(*x) < time_of(*y) ? -1 : 1;
	return *x < *y ? -1 : *x > *y;
}

static int put_packets(struct capture *c)
{
	size_t count = c->scene->fact_count;
	const struct scene_message **order = calloc(count + 1, sizeof(struct scene_message *));

	if (!order)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		order[i] = &c->scene->facts[i];
	qsort(order, count, sizeof(struct scene_message *), by_time);
	for (size_t i = 0; i < count && !c->failed; i++)
		put_packet(c, order[i]);
	free(order);
	return c->failed ? -ENOMEM : 0;
}

int render_pcapng(FILE *out, const struct scene *scene, const struct render_options *options)
{
	struct capture c = {.scene = scene, .out = out};
	int err;

	(void)options;
	put_section(&c);
	put_interfaces(&c);
	put_names(&c);
	err = put_packets(&c);
	return !err && ferror(out) ? -EIO : err;
}
