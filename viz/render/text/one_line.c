// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Prints rows in one line each, for narrow or dumb terminals, as in: +41.2 ls[1201] -> wc[1202]
 * pipe 17 B "a.c\n"
 */
#include "viz/base/memory.h"
#include "viz/render/text/picture.h"

#include <stdio.h>
#include <stdlib.h>

#include "viz/base/safe_text.h"

enum { INDENT = 4 };

static void put_end(FILE *out, const struct text_page *page, const struct scene_row *row, int lane)
{
	char number[SCENE_NUMBER];

	if (lane >= 0 && !*scene_lane_number(&page->scene->lanes[lane], number))
		fputs(page->scene->lanes[lane].title, out);
	else if (lane >= 0)
		fprintf(out, "%s[%s]", page->scene->lanes[lane].title, number);
	else
		fprintf(out, "%s",
			*row->outside ? row->outside : scene_say(page->scene, "(outside)"));
}

/* Returns what became of a message that was not received at once. */
static const char *part_word(enum scene_part part)
{
	static const char *const words[] = {
		[SCENE_WHOLE] = "",
		[SCENE_SENT] = " (sent",
		[SCENE_RECEIVED] = " (received",
		[SCENE_UNREAD] = " (never received)",
		[SCENE_DROPPED] = " (lost)",
		[SCENE_ENTERS] = "",
	};

	return words[part];
}

static void put_ends(FILE *out, const struct text_page *page, const struct scene_row *row)
{
	bool to = row->to != SCENE_NOWHERE;

	if (row->from == SCENE_NOWHERE && !to)
		return;
	put_end(out, page, row, row->from == SCENE_NOWHERE ? row->to : row->from);
	if (to && row->from != SCENE_NOWHERE) {
		fputs(" -> ", out);
		put_end(out, page, row, row->to);
	}
	putc(' ', out);
}

static bool is_message(const struct scene_row *row)
{
	return row->kind == SCENE_MESSAGE || row->kind == SCENE_SIGNAL;
}

/* What is important of a message, and would be cut off, stands on further lines. */
void text_line(struct text_page *page, size_t index)
{
	const struct scene_row *row = &page->scene->rows[index];
	char *text = NULL, buf[SCENE_QUANTITY];
	size_t len = 0;
	FILE *out = memory_stream(&text, &len);

	page->depth -= row->kind == SCENE_LOOP_END && page->depth > 0;
	for (int i = 0; i < page->depth && i < TEXT_DEPTH_MOST; i++)
		fputs("  ", out);
	page->depth += row->kind == SCENE_LOOP;
	if (row->kind == SCENE_LOOP || row->kind == SCENE_LOOP_END)
		fputs(scene_say(page->scene, row->kind == SCENE_LOOP ? "loop " : "end of the loop"),
		      out);
	else if (row->kind == SCENE_IDLE)
		fputs(scene_say(page->scene, "idle for "), out);
	else if (row->from != SCENE_NOWHERE || row->to != SCENE_NOWHERE)
		fprintf(out, "+%s %s ",
			scene_say_time(page->scene, row->at_ns, page->unit_ns, 1, buf), page->unit);
	put_ends(out, page, row);
	fprintf(out, "%s%s", row->label, row->ambiguous ? "?" : "");
	if (*row->notice_label)
		fprintf(out, ", %s", row->notice_label);
	if (row->tie || (row->part != SCENE_SENT && row->part != SCENE_RECEIVED))
		fputs(scene_say(page->scene, part_word(row->part)), out);
	if (row->tie)
		fprintf(out, " #%u)", row->tie);
	if (*row->payload)
		fprintf(out, " %s", row->payload);
	if (*row->detail)
		fprintf(out, " %s", row->detail);
	memory_stream_end(out);
	text_put(&page->canvas, 0, page->canvas.width, text, text_row_colour(row));
	text_flush(&page->canvas);
	if (is_message(row) && row->important && *row->detail &&
	    text_width(&page->canvas, text) > page->canvas.width) {
		free(text);
		text = memory_format("%*s%s", INDENT, "", row->detail);
		text_paragraph(page, INDENT, TEXT_DIM, text);
	}
	free(text);
}
