// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Writes a capture for Wireshark: each object is an interface, each message a packet with the
 * payload that the trace kept, for a dissector to read. Processes have addresses (10.x.y.z is the
 * pid in 24 bits), which a name block maps to their names; sender, receiver and calls are in the
 * packet's comment. pcapng: draft-ietf-opsawg-pcapng. The packets' head: epan/exported_pdu.h of
 * Wireshark.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "viz/base/compare.h"
#include "viz/base/memory.h"
#include "viz/base/safe_text.h"
#include "viz/format/names.h"
#include "viz/render/capture/dissector.h"
#include "viz/render/capture/pcapng_blocks.h"
#include "viz/render/common/steps.h"

enum { LINKTYPE_UPPER_PDU = 252, PORT_TCP = 2, PROTOCOL_MOST = 32 };

enum tag {
	TAG_NAME = 12,
	TAG_TABLE = 14,
	TAG_SOURCE = 20,
	TAG_TARGET = 21,
	TAG_PORT_TYPE = 24,
	TAG_SOURCE_PORT = 25,
	TAG_TARGET_PORT = 26,
	TAG_VALUE = 32,
	TAG_PROTOCOL = 33 /* text of the column "Protocol" */
};

/* The last interface is for signals, which have no object. */
static void put_interfaces(struct capture *c)
{
	const struct scene *scene = c->scene;

	for (size_t i = 0; i < scene->object_count; i++)
		capture_put_interface(c, LINKTYPE_UPPER_PDU, scene->objects[i].name,
				      mechanism_info(scene->objects[i].mechanism)->name);
	capture_put_interface(c, LINKTYPE_UPPER_PDU, "signals", "signals");
}

/* --- packets --- */

static void put_tag(FILE *out, enum tag tag, const void *bytes, size_t len)
{
	size_t padded = (len + 3) / 4 * 4;

	capture_put_network(out, (uint32_t)tag, 2);
	capture_put_network(out, (uint32_t)padded, 2);
	fwrite(bytes, 1, len, out);
	capture_pad(out, len);
}

static void put_number_tag(FILE *out, enum tag tag, uint32_t value)
{
	capture_put_network(out, (uint32_t)tag, 2);
	capture_put_network(out, 4, 2);
	capture_put_network(out, value, 4);
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

		put_tag(out, TAG_PROTOCOL, name, render_cut(name, PROTOCOL_MOST));
	}
	put_number_tag(out, TAG_SOURCE, capture_address(c, m->from));
	put_number_tag(out, TAG_TARGET, capture_address(c, m->to));
	if (d.target_port) {
		put_number_tag(out, TAG_PORT_TYPE, PORT_TCP);
		put_number_tag(out, TAG_SOURCE_PORT, 0);
		put_number_tag(out, TAG_TARGET_PORT, d.target_port);
	}
	capture_put_network(out, 0, 4);
}

static void put_packet(struct capture *c, const struct scene_message *m)
{
	char *comment = capture_comment(c, m), *head = NULL;
	size_t len = 0;
	FILE *out = memory_stream(&head, &len);
	struct capture_packet packet;

	put_head(c, out, m);
	memory_stream_end(out);
	packet = (struct capture_packet){
		.interface = (uint32_t)(m->object == SCENE_NONE ? c->scene->object_count
								: m->object),
		.at_ns = capture_time(m),
		.head = (const unsigned char *)head,
		.head_len = len,
		.payload = m->payload,
		.payload_len = m->payload_len,
		.len = len + (m->bytes > m->payload_len ? m->bytes : m->payload_len),
		.comment = comment,
	};
	capture_put_packet(c, &packet);
	free(comment);
	free(head);
}

static int by_time(const void *a, const void *b)
{
	const struct scene_message *const *x = a, *const *y = b;

	return COMPARE(capture_time(*x), capture_time(*y)) ?: COMPARE(*x, *y);
}

static void put_packets(struct capture *c)
{
	size_t count = c->scene->fact_count;
	const struct scene_message **order = memory_array(count + 1,
							  sizeof(struct scene_message *));

	for (size_t i = 0; i < count; i++)
		order[i] = &c->scene->facts[i];
	qsort(order, count, sizeof(struct scene_message *), by_time);
	for (size_t i = 0; i < count; i++)
		put_packet(c, order[i]);
	free(order);
}

int render_pcapng(FILE *out, const struct scene *scene, const struct render_options *options)
{
	struct capture c = {.scene = scene, .out = out};

	(void)options;
	capture_put_section(&c, NULL);
	put_interfaces(&c);
	capture_put_names(&c);
	put_packets(&c);
	return ferror(out) ? -EIO : 0;
}
