/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Counts the lines that a trace has lost since it was written, by comparing it with its trailer. A
 * file is counted before it is read, so that pairing can treat matches as ambiguous from the start.
 */
#ifndef VIZ_READER_LINE_COUNT_H
#define VIZ_READER_LINE_COUNT_H

#include <stdint.h>
#include <stdio.h>

/*
 * How many operation and signal lines are missing, compared with the trailer. 0 without a trailer,
 * or if the stream is no regular file at its beginning. Leaves the stream at its beginning.
 */
uint64_t missing_lines(FILE *stream);

#endif
