/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Lines that a trace has lost since it was written: its trailer says how many there were. A file is
 * counted before it is read, so that pairing can doubt from the start.
 */
#ifndef VIZ_MISSING_H
#define VIZ_MISSING_H

#include <stdint.h>
#include <stdio.h>

/*
 * How many operation and signal lines less than its trailer says there are; 0 without a trailer, or
 * where the stream cannot be read twice. The stream is at its beginning again.
 */
uint64_t missing_lines(FILE *stream);

#endif
