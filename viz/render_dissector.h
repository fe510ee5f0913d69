/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which of Wireshark's dissectors can read a payload, by its first bytes. */
#ifndef VIZ_RENDER_DISSECTOR_H
#define VIZ_RENDER_DISSECTOR_H

#include <stddef.h>
#include <stdint.h>

#include "lang/lang.h"

/* A dissector by its name, or where it has none that can be asked for, by its place in a table. */
struct render_dissector {
	const char *name;
	const char *table; /* of integers; NULL: by name */
	uint32_t value;
	uint32_t target_port; /* 0: it does not matter */
};

struct render_dissector render_dissector(enum mechanism mechanism, const unsigned char *bytes,
					 size_t len);

#endif
