/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where a picture goes: how wide it is, what it can show, whether somebody looks at it page by
 * page. Reads the environment (COLUMNS, TERM, NO_COLOR, CLICOLOR_FORCE, FORCE_COLOR, the locale,
 * IPCLENS_PAGER, PAGER) and changes nothing.
 */
#ifndef VIZ_TERM_H
#define VIZ_TERM_H

#include <stdbool.h>
#include <stddef.h>

enum term_when { TERM_AUTO, TERM_ALWAYS, TERM_NEVER };

struct term {
	bool tty;
	bool dumb; /* TERM=dumb, or none: no drawing */
	bool utf8;
	bool colour;
	int width; /* columns */
	int rows;  /* 0: not known */
};

/*
 * What `fd` is. The colour's order: `colour`, NO_COLOR, CLICOLOR_FORCE or FORCE_COLOR, the
 * terminal.
 */
void term_look(struct term *term, int fd, enum term_when colour);

/* true and *when for "auto", "always", "never". */
bool term_parse_when(const char *text, enum term_when *when);

/*
 * Shows text on stdout through $IPCLENS_PAGER, $PAGER or less. false where none could be started:
 * the caller then writes it itself. A pager that is left early is no error.
 */
bool term_page(const char *text, size_t len);

#endif
