/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Shared by the captures for Wireshark: blocks of pcapng (draft-ietf-opsawg-pcapng) in the
 * machine's byte order, and processes as hosts: 10.x.y.z is a pid, or a thread's number, in 24
 * bits, which a name block maps to a name.
 */
#ifndef VIZ_RENDER_CAPTURE_PCAPNG_BLOCKS_H
#define VIZ_RENDER_CAPTURE_PCAPNG_BLOCKS_H

#include <stdint.h>

#include "viz/render/render.h"

struct capture {
	const struct scene *scene;
	FILE *out;
};

/* A packet of `len` bytes, of which head and payload are in the capture. */
struct capture_packet {
	uint32_t interface;
	uint64_t at_ns; /* CLOCK_MONOTONIC */
	const unsigned char *head;
	size_t head_len;
	const unsigned char *payload;
	size_t payload_len;
	uint64_t len; /* including the head; at least what is kept */
	const char *comment;
};

/* Writes a number of `bytes` bytes in network byte order. */
void capture_put_network(FILE *out, uint32_t value, int bytes);
void capture_pad(FILE *out, size_t len); /* pads to a multiple of 4 bytes */

/*
 * The beginning of a capture, in this order: the section, with `remark` or NULL; interfaces; names.
 */
void capture_put_section(struct capture *c, const char *remark);
void capture_put_interface(struct capture *c, uint16_t linktype, const char *name,
			   const char *description);
void capture_put_names(struct capture *c);

void capture_put_packet(struct capture *c, const struct capture_packet *packet);

/* Returns when the message was received, else when it was sent; 0 if neither is known. */
uint64_t capture_time(const struct scene_message *m);

/* Returns the address of a lane, SCENE_OUTSIDE or SCENE_NOWHERE. */
uint32_t capture_address(const struct capture *c, int lane);

/*
 * Returns text like "ls [1201] → wc [1202] pipe write(1) read(0)", which the caller releases with
 * free().
 */
char *capture_comment(struct capture *c, const struct scene_message *m);

#endif
