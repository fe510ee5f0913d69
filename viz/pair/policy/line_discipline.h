/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the line discipline of a pseudo-terminal makes of the bytes that a call wrote (termios(3),
 * drivers/tty/n_tty.c). Private to viz/pair.
 */
#ifndef VIZ_PAIR_POLICY_LINE_DISCIPLINE_H
#define VIZ_PAIR_POLICY_LINE_DISCIPLINE_H

#include "viz/pair/core/flow.h"

enum line_way {
	LINE_INPUT,  /* from the master to the reader of the slave */
	LINE_OUTPUT, /* from the slave to the reader of the master */
	LINE_ECHO    /* from the master back to the reader of the master */
};

/* True if all bytes pass unchanged, and if none comes out, whatever they are. */
bool line_passes_all(enum line_way way, const struct viz_line *line);
bool line_is_silent(enum line_way way, const struct viz_line *line);

/*
 * What comes out of the first `len` bytes that `op` wrote, if the line is set as in `line`. `known`
 * is false if the result depends on more than the settings and the payload in the trace. The result
 * is allocated in `arena`.
 */
struct line_text line_pass(struct arena *arena, enum line_way way, const struct viz_line *line,
			   const struct viz_operation *op, uint64_t len);

#endif
