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

/*
 * The file for which a loop of the text tests between two pauses, and does nothing else: FILE of
 * `until [ -e FILE ]; do sleep PAUSE; done`, `while test ! -s FILE; do …`; empty: there is none.
 * *comes: it is over when there is such a file; else, as long as there is one it goes on.
 */
struct viz_bytes shell_loops_tested(struct viz_bytes text, struct viz_bytes pause, bool *comes);

/* True if this is one of them. */
bool shell_loops_until(struct viz_bytes text, struct viz_bytes command);

#endif
