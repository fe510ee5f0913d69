// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/render/capture/pcapng_blocks.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "viz/base/memory.h"
#include "viz/base/packet.h"
#include "viz/format/names.h"
#include "viz/render/common/steps.h"

enum block { BLOCK_SECTION = 0x0a0d0d0a, BLOCK_INTERFACE = 1, BLOCK_NAMES = 4, BLOCK_PACKET = 6 };

enum option {
	OPTION_COMMENT = 1,
	OPTION_IF_NAME = 2,
	OPTION_IF_DESCRIPTION = 3,
	OPTION_APPLICATION = 4,
	OPTION_TIME_RESOLUTION = 9
};

/* Addresses that are no process's, since pids end at 2^22. */
enum { HOST_OUTSIDE = 0, HOST_NOBODY = 0xffffff };

enum { NANOSECONDS = 9, TEXT_MOST = 400, HOST_MOST = 32, RECORD_IPV4 = 1 };

static void put_u16(FILE *out, uint16_t value)
{
	fwrite(&value, sizeof(value), 1, out);
}

static void put_u32(FILE *out, uint32_t value)
{
	fwrite(&value, sizeof(value), 1, out);
}

void capture_put_network(FILE *out, uint32_t value, int bytes)
{
	unsigned char number[sizeof(value)];

	packet_put(number, value, (size_t)bytes);
	fwrite(number, 1, (size_t)bytes, out);
}

void capture_pad(FILE *out, size_t len)
{
	for (; len % 4; len++)
		putc(0, out);
}

static void put_option(FILE *out, enum option option, const void *bytes, size_t len)
{
	put_u16(out, (uint16_t)option);
	put_u16(out, (uint16_t)len);
	fwrite(bytes, 1, len, out);
	capture_pad(out, len);
}

static void put_text_option(FILE *out, enum option option, const char *text)
{
	put_option(out, option, text, render_cut(text, TEXT_MOST));
}

static void put_end_of_options(FILE *out)
{
	put_u32(out, 0);
}

/* Writes `body` as a block, and closes and frees it. */
static void put_block(struct capture *c, enum block type, FILE *body, char **bytes, size_t *len)
{
	memory_stream_end(body);
	put_u32(c->out, (uint32_t)type);
	put_u32(c->out, (uint32_t)*len + 12);
	fwrite(*bytes, 1, *len, c->out);
	put_u32(c->out, (uint32_t)*len + 12);
	free(*bytes);
}

/* --- head: section, interfaces, names --- */

void capture_put_section(struct capture *c, const char *remark)
{
	char *bytes = NULL, *caption = render_caption(c->scene);
	size_t len = 0;
	FILE *body = memory_stream(&bytes, &len);

	put_u32(body, 0x1a2b3c4d);
	put_u16(body, 1);
	put_u16(body, 0);
	put_u32(body, UINT32_MAX); /* the section's length is not given */
	put_u32(body, UINT32_MAX);
	put_text_option(body, OPTION_COMMENT, caption);
	if (remark)
		put_text_option(body, OPTION_COMMENT, remark);
	for (size_t i = 0; i < c->scene->note_count; i++)
		put_text_option(body, OPTION_COMMENT, c->scene->notes[i]);
	put_text_option(body, OPTION_APPLICATION, "ipclens " IPCLENS_VERSION);
	put_end_of_options(body);
	put_block(c, BLOCK_SECTION, body, &bytes, &len);
	free(caption);
}

void capture_put_interface(struct capture *c, uint16_t linktype, const char *name,
			   const char *description)
{
	static const unsigned char resolution = NANOSECONDS;
	char *bytes = NULL;
	size_t len = 0;
	FILE *body = memory_stream(&bytes, &len);

	put_u16(body, linktype);
	put_u16(body, 0);
	put_u32(body, 0); /* packet length is unlimited */
	put_text_option(body, OPTION_IF_NAME, name);
	put_text_option(body, OPTION_IF_DESCRIPTION, description);
	put_option(body, OPTION_TIME_RESOLUTION, &resolution, 1);
	put_end_of_options(body);
	put_block(c, BLOCK_INTERFACE, body, &bytes, &len);
}

/*
 * Returns the tid or pid, which are unique together: no thread has the number of another process.
 */
static uint32_t number_of(const struct scene_lane *lane)
{
	return lane->tid ? lane->tid : lane->pid;
}

uint32_t capture_address(const struct capture *c, int lane)
{
	uint32_t host = lane == SCENE_OUTSIDE ? HOST_OUTSIDE : HOST_NOBODY;

	if (lane >= 0)
		host = number_of(&c->scene->lanes[lane]) & 0xffffff;
	return 10u << 24 | host;
}

/* Host names may have letters, digits and '-'. Gives how many bytes of the text it took. */
static size_t put_label(char *at, const char *text, size_t most)
{
	size_t len = strnlen(text, most);

	for (size_t i = 0; i < len; i++)
		at[i] = isalnum((unsigned char)text[i]) && !(text[i] & 0x80) ? text[i] : '-';
	at[len] = '\0';
	return len;
}

/* Writes a name like "ls.1201", or "ls.1201-ns-7" of a process in a PID namespace. */
static void put_name(FILE *out, uint32_t address, const char *title, const char *number)
{
	char name[HOST_MOST + 1 + SCENE_NUMBER];
	size_t len = put_label(name, title, HOST_MOST);

	name[len++] = '.';
	len += put_label(name + len, *number ? number : "0", SCENE_NUMBER - 1) + 1;
	put_u16(out, RECORD_IPV4);
	put_u16(out, (uint16_t)(len + 4));
	capture_put_network(out, address, 4);
	fwrite(name, 1, len, out);
	capture_pad(out, len);
}

void capture_put_names(struct capture *c)
{
	const struct scene *scene = c->scene;
	char *bytes = NULL;
	size_t len = 0;
	FILE *body = memory_stream(&bytes, &len);
	char number[SCENE_NUMBER];

	put_name(body, capture_address(c, SCENE_OUTSIDE), "not-traced", "");
	put_name(body, capture_address(c, SCENE_NOWHERE), "nobody", "");
	for (size_t i = 0; i < scene->lane_count; i++) {
		const char *tid = strchr(scene_lane_number(&scene->lanes[i], number), '/');

		put_name(body, capture_address(c, (int)i), scene->lanes[i].title,
			 tid ? tid + 1 : number);
	}
	put_u32(body, 0); /* end of records */
	put_block(c, BLOCK_NAMES, body, &bytes, &len);
}

/* --- packets --- */

uint64_t capture_time(const struct scene_message *m)
{
	if (m->received_ns != SCENE_NEVER)
		return m->received_ns;
	return m->sent_ns != SCENE_NEVER ? m->sent_ns : 0;
}

static void put_end(struct capture *c, FILE *out, int lane)
{
	char *name = lane >= 0 ? render_lane_name(&c->scene->lanes[lane]) : NULL;

	fputs(name ? name : lane == SCENE_OUTSIDE ? "(not traced)" : "(nobody)", out);
	free(name);
}

/* Returns text like "ls [1201] → wc [1202] pipe write(1) read(0), never received". */
char *capture_comment(struct capture *c, const struct scene_message *m)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = memory_stream(&text, &len);

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
	memory_stream_end(out);
	return text;
}

void capture_put_packet(struct capture *c, const struct capture_packet *packet)
{
	uint64_t ns = packet->at_ns + (uint64_t)c->scene->realtime_offset_ns;
	size_t kept_len = packet->head_len + packet->payload_len;
	char *bytes = NULL;
	size_t len = 0;
	FILE *body = memory_stream(&bytes, &len);

	put_u32(body, packet->interface);
	put_u32(body, (uint32_t)(ns >> 32));
	put_u32(body, (uint32_t)ns);
	put_u32(body, (uint32_t)kept_len);
	put_u32(body, packet->len < UINT32_MAX ? (uint32_t)packet->len : UINT32_MAX);
	fwrite(packet->head, 1, packet->head_len, body);
	if (packet->payload_len)
		fwrite(packet->payload, 1, packet->payload_len, body);
	capture_pad(body, kept_len);
	if (packet->comment)
		put_text_option(body, OPTION_COMMENT, packet->comment);
	put_end_of_options(body);
	put_block(c, BLOCK_PACKET, body, &bytes, &len);
}
