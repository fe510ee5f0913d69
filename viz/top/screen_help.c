// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/top/screen_state.h"

/* 18 lines, so that all is seen on a terminal of 24. */
static const struct {
	const char *key; /* or the head of a column */
	const char *text;
} lines[] = {
	{"Up Down", "select a pair; also PgUp, PgDn, Home and End"},
	{"Enter", "open it: its channels, how long calls sleep, sizes of messages"},
	{"d", "trace its processes for some seconds, and see the picture"},
	{"/", "show the pairs whose names contain what you type; Esc: all"},
	{"Left Right < >", "sort by the next column; 1 to 9: by that column"},
	{"r", "reverse the order; Space: end the interval now"},
	{"Esc q", "go back; in the table q ends ipclens top; so does Ctrl-C"},
	{"", ""},
	{"FROM TO", "who sends and receives; ?: not seen, or elsewhere"},
	{"", "2 senders: they share a channel; who met whom is not counted"},
	{"MSG/S BYTES/S", "what was sent; of a sender not seen, what was received"},
	{"WAIT WAIT", "share of time that the sender, the receiver slept in calls"},
	{"FULL", "the fullest channel: slots of a pipe, messages of a POSIX"},
	{"", "queue, bytes of a System V queue or a socket; -: not known"},
	{"", ""},
	{"", "Numbers are of the last interval alone, per second."},
};

enum { KEYS_WIDTH = 15, LINES = sizeof(lines) / sizeof(lines[0]) };

void screen_help_draw(const struct top_screen *screen, struct screen_sheet *sheet)
{
	sheet_put(sheet, 0, 11, "ipclens top", TEXT_BOLD);
	sheet_put(sheet, 13, screen->width, screen_say(screen, "who talks to whom now"),
		  TEXT_PLAIN);
	sheet_line(sheet, TOP_PLAIN);
	sheet_line(sheet, TOP_PLAIN);
	for (int i = 0; i < LINES && sheet_room(sheet) > 0; i++) {
		sheet_put(sheet, 0, KEYS_WIDTH - 1, screen_say(screen, lines[i].key), TEXT_CYAN);
		sheet_put(sheet, KEYS_WIDTH, screen->width, screen_say(screen, lines[i].text),
			  TEXT_PLAIN);
		sheet_line(sheet, TOP_PLAIN);
	}
}
