// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/cli/display_options.h"

#include <errno.h>
#include <stdio.h>

enum shown_key { OPTION_ASCII = 0x1800, OPTION_COLOR, OPTION_NO_PAGER };

static const struct argp_option options[] = {
	{"ascii", OPTION_ASCII, NULL, 0, "print ASCII characters only", 0},
	{"color", OPTION_COLOR, "WHEN", 0, "auto, always or never (auto; see also NO_COLOR)", 0},
	{"colour", OPTION_COLOR, NULL, OPTION_ALIAS, NULL, 0},
	{"no-pager", OPTION_NO_PAGER, NULL, 0, "no pager, even if it is longer than the screen", 0},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct shown_options *shown = state->input;

	switch (key) {
	case OPTION_ASCII:
		shown->ascii = true;
		return 0;
	case OPTION_COLOR:
		if (!term_parse_when(arg, &shown->colour))
			argp_error(state, "--color wants auto, always or never, not '%s'", arg);
		return 0;
	case OPTION_NO_PAGER:
		shown->no_pager = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp shown_argp = {.options = options, .parser = parse};

int shown_put(const char *text, size_t len, const struct term *term, bool pager)
{
	size_t lines = 0;

	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n';
	if (pager && term->tty && term->rows > 0 && lines >= (size_t)term->rows &&
	    term_page(text, len))
		return 0;
	return fwrite(text, 1, len, stdout) == len && fflush(stdout) == 0 ? 0 : -errno;
}
