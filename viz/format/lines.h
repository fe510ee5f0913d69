/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What types of lines there are, with the keys of each: in a trace, and in `ipclens top --json`. */
#ifndef VIZ_FORMAT_LINES_H
#define VIZ_FORMAT_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "viz/format/fields.h"

/* A type of line, or an object that lines have in them: a part has no key "type". */
struct line_info {
	const char *name;
	const char *help;
	const struct field_info *fields;
	size_t count;
	bool part;
};

/* The lines that one command writes. All texts live for ever. */
struct line_set {
	const char *name;  /* as `ipclens schema NAME` has it */
	const char *title; /* of the schema */
	const char *about;
	struct line_info (*line)(size_t i);
	size_t count;
};

extern const struct line_set trace_lines; /* fields.def */
extern const struct line_set top_lines;	  /* top_lines.def */

#endif
