/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Chooses the Wireshark dissector for a payload, by its first bytes. */
#ifndef VIZ_RENDER_CAPTURE_DISSECTOR_H
#define VIZ_RENDER_CAPTURE_DISSECTOR_H

#include <stddef.h>
#include <stdint.h>

#include "viz/format/format.h"

/* A dissector by its name or, if it cannot be requested by name, by its entry in a table. */
struct render_dissector {
	const char *name;
	const char *table; /* a table of integers; NULL: use the name */
	uint32_t value;
	uint32_t target_port; /* 0: any */
};

/* Chooses by the payload's first bytes; "data" if none fits. */
struct render_dissector render_dissector(enum mechanism mechanism, const unsigned char *bytes,
					 size_t len);

#endif
