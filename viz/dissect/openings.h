/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which conversations are worth asking tshark about, by their first bytes. A wrong word is worse
 * than none, so bytes that do not fit exactly open nothing.
 */
#ifndef VIZ_DISSECT_OPENINGS_H
#define VIZ_DISSECT_OPENINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What one side said first: of a stream all its bytes so far, else one datagram. */
struct opening {
	const unsigned char *data;
	size_t len;	/* that are known */
	uint64_t total; /* that were sent; at least len */
	bool datagram;
};

enum opening_side {
	OPENING_NONE,
	OPENING_ASKER,
	OPENING_ANSWERER,
	OPENING_EITHER /* both begin alike: the one who connected asks */
};

/* A row of dissectors.def. */
struct dissector {
	const char *name;
	uint16_t port;
	bool anywhere;
	const char *field;
	enum opening_side (*opens)(const struct opening *opening);
};

enum {
#define DISSECTOR(id, name, port, anywhere, field) DISSECTOR_##id,
#include "viz/dissect/dissectors.def"
#undef DISSECTOR
	DISSECTORS
};

extern const struct dissector dissectors[DISSECTORS];

/*
 * The row that these bytes open, and which side sent them.
 * NULL: none, or not enough is known yet. `late`: other bytes came before.
 */
const struct dissector *opening_find(const struct opening *opening, bool late,
				     enum opening_side *side);

/* The row of a server's port; NULL: none. */
const struct dissector *opening_by_port(uint16_t port);

#endif
