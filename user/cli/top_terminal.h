/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The terminal of `ipclens top`, by ncurses: it shows pages (viz/top/screen.h) and reads keys. */
#ifndef USER_CLI_TOP_TERMINAL_H
#define USER_CLI_TOP_TERMINAL_H

#include "viz/base/terminal.h"
#include "viz/top/screen.h"

/*
 * Takes stdin and stdout, until top_terminal_close() or the program's end; once in a program's
 * life. False: TERM is none that ncurses knows.
 */
bool top_terminal_open(const struct term *term);
void top_terminal_close(void);

/* Gives the terminal back for a while: what others print then stays on it. */
void top_terminal_leave(void);
void top_terminal_return(void);

/* Asks how large the terminal is now. */
void top_terminal_measure(int *rows, int *width);

void top_terminal_draw(const struct top_page *page);

/* The next key that was typed; false: none is left. Does not wait. */
bool top_terminal_key(uint32_t *key);

#endif
