/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What captures for Wireshark have in common: blocks of pcapng (draft-ietf-opsawg-pcapng) in the
 * machine's byte order, and processes as hosts: 10.x.y.z is a pid, or a thread's number, in 24
 * bits, which a name block gives its name.
 */
#ifndef VIZ_RENDER_CAPTURE_H
#define VIZ_RENDER_CAPTURE_H

#include <stdint.h>

#include "render.h"

struct capture {
	const struct scene *scene;
	FILE *out;
	bool failed; /* out of memory */
};

/* A packet of which `kept_len` bytes are in the capture; there were `len`. */
struct capture_packet {
	uint32_t interface;
	uint64_t at_ns; /* of CLOCK_MONOTONIC */
	const unsigned char *head;
	size_t head_len;
	const unsigned char *payload;
	size_t payload_len;
	uint64_t len; /* with head; at least what is kept */
	const char *comment;
};

/* A number of so many bytes, the highest first. */
void capture_put_network(FILE *out, uint32_t value, int bytes);
void capture_pad(FILE *out, size_t len); /* to a multiple of 4 */

/* What comes first, in this order: the section with `remark` (NULL: none), interfaces, names. */
void capture_put_section(struct capture *c, const char *remark);
void capture_put_interface(struct capture *c, uint16_t linktype, const char *name,
			   const char *description);
void capture_put_names(struct capture *c);

void capture_put_packet(struct capture *c, const struct capture_packet *packet);

/* When it was received, or else sent; 0: neither is known. */
uint64_t capture_time(const struct scene_message *m);

/* Of a lane, SCENE_OUTSIDE or SCENE_NOWHERE. */
uint32_t capture_address(const struct capture *c, int lane);

/* "ls [1201] → wc [1202] pipe write(1) read(0)"; for free(), NULL: out of memory. */
char *capture_comment(struct capture *c, const struct scene_message *m);

#endif
