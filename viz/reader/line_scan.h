/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Takes the fields of a line while it is scanned, without nodes for what is a number or a string.
 * It knows lines as the tracer writes them; of any other one reader.c finds out what it says or
 * what is wrong with it.
 */
#ifndef VIZ_READER_LINE_SCAN_H
#define VIZ_READER_LINE_SCAN_H

#include "viz/reader/reader.h"

/* Forgets the values that the last line gave: it has few of all the fields. */
void line_clear(struct trace_line *line);

/* Whether all fields that a line of its record must have are given. */
bool line_has_required(const struct reader *reader, const struct trace_line *line);

/*
 * True if the line is right and its values are taken, to the same effect as by json_line_read() and
 * from its nodes. False: nothing is said; the text has not changed.
 */
bool line_scan(struct reader *reader, const char *text, size_t len, struct trace_line *line);

#endif
