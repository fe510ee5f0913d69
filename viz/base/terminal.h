/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The terminal that a picture goes to: its width, what it can show, and the pager. Reads the
 * environment (COLUMNS, TERM, NO_COLOR, CLICOLOR_FORCE, FORCE_COLOR, the locale, IPCLENS_PAGER,
 * PAGER) and changes nothing.
 */
#ifndef VIZ_BASE_TERMINAL_H
#define VIZ_BASE_TERMINAL_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum term_when { TERM_AUTO, TERM_ALWAYS, TERM_NEVER };

struct term {
	bool tty;
	bool dumb; /* TERM=dumb, or TERM is not set: do not draw */
	bool utf8;
	bool colour;
	int width; /* in columns */
	int rows;  /* 0: not known */
};

/*
 * Describes `fd`. Colour is decided by the first of these that says anything: `colour`, NO_COLOR,
 * CLICOLOR_FORCE or FORCE_COLOR, the terminal.
 */
void term_look(struct term *term, int fd, enum term_when colour);

/* True for "auto", "always" and "never", which set *when. */
bool term_parse_when(const char *text, enum term_when *when);

/*
 * Shows text on stdout through $IPCLENS_PAGER, $PAGER or less. Where the program has more rights
 * than the user who typed (caller_has_more_rights()), it is less without its shell, whatever the
 * environment says. False if none could be started: the caller must then write the text itself. A
 * pager that is left early is no error.
 */
bool term_page(const char *text, size_t len);

/*
 * The same for text that comes in parts. While it runs, SIGINT and SIGQUIT are its own. Who waits
 * for the next part can poll(2) `input` for POLLERR: the pager was left, or none was found.
 */
struct pager {
	pid_t pid;
	int input;
	struct sigaction before[3];
};
bool pager_start(struct pager *pager); /* false: then it is not to be ended */
void pager_show(const struct pager *pager, const char *text, size_t len);
/* Waits until it is left. False if none could be started: nobody has seen what was shown. */
bool pager_end(struct pager *pager);

#endif
