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

/*
 * Writes the lines of `look`, which is a file, as far as they concern the processes `pids`. False
 * if the look cannot be read, or the lines not be written.
 */
bool look_lines_write(FILE *look, const uint32_t *pids, size_t count, FILE *out);

#endif
