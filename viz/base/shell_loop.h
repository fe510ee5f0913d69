/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the text of a shell tells of its loops that go on until a command succeeds. */
#ifndef VIZ_BASE_SHELL_LOOP_H
#define VIZ_BASE_SHELL_LOOP_H

#include "viz/base/bytes.h"

enum { SHELL_ROUNDS_LEAST = 3 }; /* in which a command fails before that is told */

typedef void shell_command_fn(void *context, struct viz_bytes command);

/*
 * Calls `each` for the command, without its folder, of each `until COMMAND …; do` and `while !
 * COMMAND …; do`, whose condition ends in it, and, in a loop, of `if COMMAND …; then break` and
 * `COMMAND … && break` (or exit, or return). Each further round tells that the command has failed.
 */
void shell_loops_each(struct viz_bytes text, shell_command_fn *each, void *context);

/* True if this is one of them. */
bool shell_loops_until(struct viz_bytes text, struct viz_bytes command);

#endif
