// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What a row counts as, its colour, and which signs the legend explains. */
#include "viz/render/text/picture.h"

void text_use(struct text_page *page, enum text_legend legend)
{
	page->legend |= UINT64_C(1) << legend;
}

bool text_row_is_message(const struct scene_row *row)
{
	if ((row->part == SCENE_SENT && !row->headless) || row->part == SCENE_ENTERS)
		return false;
	return row->kind == SCENE_MESSAGE || row->kind == SCENE_SIGNAL;
}

/* Returns the colour of the row's mechanism; failures are red, rows that are no messages plain. */
enum text_colour text_row_colour(const struct scene_row *row)
{
	static const unsigned char colours[MECH_COUNT] = {
		[MECH_PIPE] = TEXT_CYAN,	[MECH_FIFO] = TEXT_CYAN,
		[MECH_PTY] = TEXT_CYAN,		[MECH_UNIX_STREAM] = TEXT_GREEN,
		[MECH_UNIX_DGRAM] = TEXT_GREEN, [MECH_UNIX_SEQPACKET] = TEXT_GREEN,
		[MECH_TCP] = TEXT_YELLOW,	[MECH_UDP] = TEXT_YELLOW,
		[MECH_SIGNAL] = TEXT_MAGENTA,	[MECH_POSIX_MQ] = TEXT_BLUE,
		[MECH_SYSV_MSG] = TEXT_BLUE,	[MECH_EVENTFD] = TEXT_BLUE,
		[MECH_SYSV_SHM] = TEXT_BLUE,	[MECH_SHARED_MMAP] = TEXT_BLUE,
	};

	if (row->kind == SCENE_FAILED || row->part == SCENE_DROPPED ||
	    row->severity == SEVERITY_ERROR)
		return TEXT_RED;
	if (row->kind == SCENE_FOUND)
		return TEXT_YELLOW;
	return row->mechanism < MECH_COUNT ? (enum text_colour)colours[row->mechanism] : TEXT_PLAIN;
}
