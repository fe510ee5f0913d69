// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The one-line form, for narrow or dumb terminals: +41.2 ls[1201] -> wc[1202] pipe 17 B "a.c\n" */
#include "text_page.h"

#include <stdio.h>
#include <stdlib.h>

#include "scene_text.h"

static void put_end(FILE *out, const struct text_page *page, const struct scene_row *row, int lane)
{
	char number[SCENE_NUMBER];

	if (lane >= 0 && !*scene_lane_number(&page->scene->lanes[lane], number))
		fputs(page->scene->lanes[lane].title, out);
	else if (lane >= 0)
		fprintf(out, "%s[%s]", page->scene->lanes[lane].title, number);
	else
		fprintf(out, "%s", *row->outside ? row->outside : "(outside)");
}

/* What the arrow of a message that did not go straight means. */
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

void text_line(struct text_page *page, size_t index)
{
	const struct scene_row *row = &page->scene->rows[index];
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return;
	page->depth -= row->kind == SCENE_LOOP_END && page->depth > 0;
	for (int i = 0; i < page->depth && i < TEXT_DEPTH_MOST; i++)
		fputs("  ", out);
	page->depth += row->kind == SCENE_LOOP;
	if (row->kind == SCENE_LOOP || row->kind == SCENE_LOOP_END)
		fputs(row->kind == SCENE_LOOP ? "loop " : "end of the loop", out);
	else if (row->kind == SCENE_IDLE)
		fputs("idle for ", out);
	else if (row->from != SCENE_NOWHERE || row->to != SCENE_NOWHERE)
		fprintf(out, "+%.1f %s ", (double)row->at_ns / page->unit_ns, page->unit);
	put_ends(out, page, row);
	fprintf(out, "%s%s", row->label, row->ambiguous ? "?" : "");
	if (*row->told)
		fprintf(out, ", %s", row->told);
	fputs(part_word(row->part), out);
	if (row->tie)
		fprintf(out, " #%u)", row->tie);
	if (*row->payload)
		fprintf(out, " %s", row->payload);
	if (*row->detail)
		fprintf(out, " %s", row->detail);
	if (fclose(out) == 0)
		text_put(&page->canvas, 0, page->canvas.width, text, text_row_colour(row));
	free(text);
	text_flush(&page->canvas);
}
