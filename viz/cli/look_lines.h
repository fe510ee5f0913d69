/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Makes lines of a trace (RECORD look) of a look at the machine. What is of processes that no
 * finding can be about, and of channels that none of the others has, is left out: the trace of a
 * command shall not tell of the whole machine.
 */
#ifndef VIZ_CLI_LOOK_LINES_H
#define VIZ_CLI_LOOK_LINES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Processes by their pids, as the tracer sees them: it may be in a pid namespace of its own. */
struct look_survivors {
	const uint32_t *pids;
	size_t count;
	uint32_t tracer;  /* its own pid there */
	const char *comm; /* and its name */
};

/*
 * Writes the lines of `look`, which is a file, as far as they concern the survivors. False if the
 * look cannot be read, has none of them, or the lines cannot be written.
 */
bool look_lines_write(FILE *look, const struct look_survivors *survivors, FILE *out);

#endif
