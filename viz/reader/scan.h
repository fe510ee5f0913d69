/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Scans a line as the tracer writes it, several times faster than cJSON. What is rare or wrong it
 * leaves to cJSON, which decides what a line says: whatever the scanner takes, cJSON takes too, and
 * finds the same in it (tests/fuzz/fuzz_scan.c). The scanner alone keeps whole numbers of more than
 * 53 bits exact.
 */
#ifndef VIZ_READER_SCAN_H
#define VIZ_READER_SCAN_H

#include <stddef.h>

#include "viz/reader/json_node.h"

/* Readable bytes that must follow the text; the first is a NUL. */
#define SCAN_PADDING 32

#define SCAN_DEPTH_MAX 16

/*
 * The most nodes that a text of so many bytes can have: each has at least a byte and a comma or
 * bracket behind it, but for those that are still open where the text ends.
 */
#define SCAN_NODES(len) ((len) / 2 + 2 + SCAN_DEPTH_MAX)

/*
 * Scans an object and what blanks follow it. `nodes` has room for SCAN_NODES(len); the first one
 * becomes the object. Strings are unescaped and end in a NUL inside of `text`, which is changed
 * even if the result is false: then the scanner does not know this text.
 */
bool scan_object(char *text, size_t len, struct json_node *nodes);

/* Where the scanner is in a text. */
struct scan {
	char *at;
	struct json_node *free; /* the next node that is not used */
	unsigned depth;
};

/* Scans one value, with nothing before it; like scan_object(). */
bool scan_value(struct scan *s, struct json_node *node);

#endif
