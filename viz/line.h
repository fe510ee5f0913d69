/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The line discipline between the ends of a pseudo-terminal (termios(3), drivers/tty/n_tty.c): what
 * it makes of the bytes that a call wrote. Private to the pair_*.c files.
 */
#ifndef VIZ_LINE_H
#define VIZ_LINE_H

#include "arena.h"
#include "model.h"

enum line_way {
	LINE_INPUT,  /* from the master to who reads the slave */
	LINE_OUTPUT, /* from the slave to who reads the master */
	LINE_ECHO    /* from the master back to who reads the master */
};

struct line_text {
	bool known;		/* false: more than these settings decides, or a byte is missing */
	bool changed;		/* false: the bytes pass as they are, `len` is all that holds */
	uint64_t len;		/* bytes that come out */
	struct viz_bytes bytes; /* what comes out, as far as it is known */
	uint32_t *origin;	/* of each of them, the byte that it was made of */
};

/* What comes out of the `len` bytes that `op` wrote. */
struct line_text line_pass(struct arena *arena, enum line_way way, const struct viz_line *line,
			   const struct viz_operation *op, uint64_t len);

bool line_text_equal(const struct line_text *a, const struct line_text *b);

#endif
