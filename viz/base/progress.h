/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A line on stderr that says how far a command is, once that has taken a second. It is there only
 * where stderr is a terminal, and it is gone before anything else is written. A thread of its own
 * writes it, so that what works has only to note a number now and then.
 *
 * All functions accept NULL, which is nobody who looks.
 */
#ifndef VIZ_BASE_PROGRESS_H
#define VIZ_BASE_PROGRESS_H

#include <stdint.h>

struct progress;

/* NULL: stderr is no terminal, or one that cannot take a line back. */
struct progress *progress_new(void);

/* From here on the line says this, which must stay valid, and for how long it has been so. */
void progress_stage(struct progress *progress, const char *what);

/* The stage has done so many of all bytes; `all` is 0 where nobody can tell. */
void progress_at(struct progress *progress, uint64_t done, uint64_t all);

/* Removes the line, so that something else can be written, until the next stage begins. */
void progress_hide(struct progress *progress);

/* Removes the line for good. */
void progress_end(struct progress *progress);

#endif
