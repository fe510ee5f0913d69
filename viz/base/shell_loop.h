/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the text of a shell tells of its loops that go on until a command succeeds. */
#ifndef VIZ_BASE_SHELL_LOOP_H
#define VIZ_BASE_SHELL_LOOP_H

#include "viz/base/bytes.h"

/*
 * True if the text has a loop `until COMMAND …; do` or `while ! COMMAND …; do`, whose condition
 * ends in this command, or, in a loop, `if COMMAND …; then break` or `COMMAND … && break` (or exit,
 * or return). Each further round of it tells that the command has failed.
 */
bool shell_loops_until(struct viz_bytes text, struct viz_bytes command);

#endif
