// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Above and below the rows: caption, names of the lanes, legend, channels, notes. */
#include "text_page.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scene_text.h"

void text_paragraph(struct text_page *page, int indent, enum text_colour colour, const char *text)
{
	struct text_canvas *canvas = &page->canvas;
	int column = 0;

	do {
		int room = canvas->width - column;
		int len = text_break(canvas, text, room > 0 ? room : 1);
		char *line = strndup(text, (size_t)len);

		if (line)
			text_put(canvas, column, room, line, colour);
		free(line);
		text_flush(canvas);
		text += len;
		text += strspn(text, " ");
		column = indent < canvas->width / 2 ? indent : 0;
	} while (*text);
}

/* A paragraph written as to a file. NULL: out of memory, nothing is said. */
struct paragraph {
	FILE *out;
	char *text;
	size_t len;
};

static FILE *open_paragraph(struct paragraph *p)
{
	*p = (struct paragraph){0};
	p->out = open_memstream(&p->text, &p->len);
	return p->out;
}

static void close_paragraph(struct paragraph *p, struct text_page *page, int indent,
			    enum text_colour colour)
{
	if (fclose(p->out) == 0)
		text_paragraph(page, indent, colour, p->text);
	free(p->text);
}

static void put_count(FILE *out, uint64_t n, const char *one, const char *many)
{
	char buf[SCENE_QUANTITY];

	fprintf(out, " · %s %s", scene_count(n, buf), n == 1 ? one : many);
}

void text_head(struct text_page *page)
{
	const struct scene *scene = page->scene;
	char buf[SCENE_QUANTITY];
	struct paragraph p;
	FILE *out = open_paragraph(&p);

	if (!out)
		return;
	fputs("ipclens", out);
	if (*scene->command)
		fprintf(out, " · %s", scene->command);
	put_count(out, scene->process_count, "process", "processes");
	if (scene->thread_count)
		put_count(out, scene->thread_count, "thread", "threads");
	if (scene->channel_total)
		put_count(out, scene->channel_total, "channel", "channels");
	put_count(out, scene->messages, "message", "messages");
	if (scene->bytes)
		fprintf(out, " (%s)", scene_bytes(scene->bytes, buf));
	if (scene->signals)
		put_count(out, scene->signals, "signal", "signals");
	fprintf(out, " · %s", scene_duration(scene->duration_ns, buf));
	close_paragraph(&p, page, 2, TEXT_BOLD);
}

/* Lanes that have ended need no name any more. */
static bool has_box(const struct text_page *page, size_t slot, size_t row)
{
	int lane = page->layout.slots[slot].lane;
	const struct scene_lane *l = lane < 0 ? NULL : &page->scene->lanes[lane];

	return !l || !l->ended || l->last_row >= row;
}

/* What is no process has a double line. */
static const struct frame {
	enum text_glyph top_left, top_right, left, right, line, side, lane;
} frames[] = {
	{GLYPH_BOX_TOP_LEFT, GLYPH_BOX_TOP_RIGHT, GLYPH_BOX_LEFT, GLYPH_BOX_RIGHT, GLYPH_BOX_LINE,
	 GLYPH_BOX_SIDE, GLYPH_BOX_LANE},
	{GLYPH_VIA_TOP_LEFT, GLYPH_VIA_TOP_RIGHT, GLYPH_VIA_LEFT, GLYPH_VIA_RIGHT, GLYPH_VIA_LINE,
	 GLYPH_VIA_SIDE, GLYPH_VIA_LANE},
};

static const struct frame *frame_of(const struct text_page *page, const struct text_slot *slot)
{
	return &frames[slot->lane >= 0 && page->scene->lanes[slot->lane].kind >= SCENE_LANE_KERNEL];
}

static void put_box_edge(struct text_page *page, const struct text_slot *slot, bool top, bool lives)
{
	const struct frame *frame = frame_of(page, slot);
	struct text_canvas *canvas = &page->canvas;
	int right = slot->box_left + slot->box_width - 1;

	for (int c = slot->box_left; c <= right; c++)
		text_put_glyph(canvas, c, frame->line, TEXT_PLAIN);
	text_put_glyph(canvas, slot->box_left, top ? frame->top_left : frame->left, TEXT_PLAIN);
	text_put_glyph(canvas, right, top ? frame->top_right : frame->right, TEXT_PLAIN);
	if (lives)
		text_put_glyph(canvas, slot->column, frame->lane, TEXT_PLAIN);
}

/* Room for text in a box's line; its sides are drawn. */
static int put_box_sides(struct text_page *page, const struct text_slot *slot)
{
	enum text_glyph side = frame_of(page, slot)->side;

	text_put_glyph(&page->canvas, slot->box_left, side, TEXT_PLAIN);
	text_put_glyph(&page->canvas, slot->box_left + slot->box_width - 1, side, TEXT_PLAIN);
	return slot->box_width - 4;
}

/* The number tells one channel from the others: it stays longest, and its end longer. */
static void put_channel_name(struct text_page *page, const struct text_slot *slot, int room)
{
	struct text_canvas *canvas = &page->canvas;
	const char *title = page->scene->lanes[slot->lane].title;
	struct text_channel words = text_channel_words(title);
	int column = slot->box_left + 2, number = text_width(canvas, words.number);

	if (page->layout.tall || !number) {
		text_put(canvas, column, room, words.kind, TEXT_BOLD);
	} else if ((int)strcspn(title, " ") <= room) {
		text_put(canvas, column, room, title, TEXT_BOLD);
	} else {
		column += text_put(canvas, column, room - number, words.kind, TEXT_BOLD);
		text_put_end(canvas, column, room < number ? room : number, words.number,
			     TEXT_BOLD);
	}
}

/* In a low box the name gives way before the pid does. */
static void put_box_name(struct text_page *page, const struct text_slot *slot)
{
	struct text_canvas *canvas = &page->canvas;
	int room = put_box_sides(page, slot);
	int column = slot->box_left + 2;
	int number_width;
	char number[SCENE_NUMBER], shared[32];

	if (slot->lane < 0) {
		snprintf(shared, sizeof(shared), page->layout.tall ? "…%zu" : "…%zu more",
			 page->layout.grouped);
		text_put(canvas, column, room, shared, TEXT_DIM);
		return;
	}
	if (page->scene->lanes[slot->lane].kind == SCENE_LANE_CHANNEL) {
		put_channel_name(page, slot, room);
		return;
	}
	scene_lane_number(&page->scene->lanes[slot->lane], number);
	number_width = page->layout.tall || !*number ? 0 : (int)strlen(number) + 1;
	column += text_put(canvas, column, room - number_width,
			   page->scene->lanes[slot->lane].title, TEXT_BOLD);
	if (number_width)
		text_put(canvas, column + 1, number_width - 1, number, TEXT_DIM);
}

static void put_box_pid(struct text_page *page, const struct text_slot *slot)
{
	int room = put_box_sides(page, slot);
	char number[SCENE_NUMBER];

	if (slot->lane < 0) {
		text_put(&page->canvas, slot->box_left + 2, room, "more", TEXT_DIM);
		return;
	}
	if (page->scene->lanes[slot->lane].kind == SCENE_LANE_CHANNEL) {
		struct text_channel words =
			text_channel_words(page->scene->lanes[slot->lane].title);

		text_put_end(&page->canvas, slot->box_left + 2, room, words.number, TEXT_DIM);
		return;
	}
	scene_lane_number(&page->scene->lanes[slot->lane], number);
	text_put_end(&page->canvas, slot->box_left + 2, room, number, TEXT_DIM);
}

enum box_line { BOX_TOP, BOX_NAME, BOX_PID, BOX_BOTTOM };

static void put_box(struct text_page *page, size_t index, size_t row, enum box_line line)
{
	const struct scene_row *next = &page->scene->rows[row];
	const struct text_slot *slot = &page->layout.slots[index];
	bool born_here = next->kind == SCENE_FORK && next->to == slot->lane;

	switch (line) {
	case BOX_NAME:
		put_box_name(page, slot);
		break;
	case BOX_PID:
		put_box_pid(page, slot);
		break;
	default:
		put_box_edge(page, slot, line == BOX_TOP,
			     line == BOX_BOTTOM && !born_here &&
				     text_slot_lives(page, (int)index, row, TEXT_AT));
	}
}

void text_boxes(struct text_page *page, size_t row)
{
	const struct text_layout *layout = &page->layout;
	int unit = layout->time_width - 1 - text_width(&page->canvas, page->unit);

	for (enum box_line line = BOX_TOP; line <= BOX_BOTTOM; line++) {
		if (line == BOX_PID && !layout->tall)
			continue;
		for (size_t i = 0; i < layout->slot_count; i++)
			if (has_box(page, i, row))
				put_box(page, i, row, line);
		if (line == BOX_BOTTOM)
			text_put(&page->canvas, unit, layout->time_width, page->unit, TEXT_DIM);
		text_flush(&page->canvas);
	}
}

static const struct {
	const char *utf8, *ascii, *meaning;
} legend[] = {
#define LEGEND(id, utf8, ascii, meaning) [LEGEND_##id] = {utf8, ascii, meaning},
#include "text_legend.def"
#undef LEGEND
};

/* An entry is not broken. */
static void put_legend(struct text_page *page)
{
	struct text_canvas *canvas = &page->canvas;
	int column = 0;

	for (int i = 0; i < LEGEND_COUNT; i++) {
		char entry[96];

		if (!(page->legend >> i & 1))
			continue;
		snprintf(entry, sizeof(entry), "  %s %s",
			 canvas->utf8 ? legend[i].utf8 : legend[i].ascii, legend[i].meaning);
		if (column && column + text_width(canvas, entry) > canvas->width) {
			text_flush(canvas);
			column = 0;
		}
		column += text_put(canvas, column, canvas->width, entry, TEXT_DIM);
	}
	if (column)
		text_flush(canvas);
}

static void put_channel(struct text_page *page, const struct scene_channel *channel)
{
	const struct scene_row as_row = {.mechanism = channel->mechanism};
	char buf[SCENE_QUANTITY];
	struct paragraph p;
	FILE *out = open_paragraph(&p);

	if (!out)
		return;
	fprintf(out, "  %s  %s", channel->name, channel->route);
	fprintf(out, "  %s %s", scene_count(channel->messages, buf),
		channel->messages == 1 ? "message" : "messages");
	if (channel->bytes)
		fprintf(out, "  %s", scene_bytes(channel->bytes, buf));
	if (channel->latency_p50_ns != UINT64_MAX)
		fprintf(out, "  p50 %s", scene_duration(channel->latency_p50_ns, buf));
	close_paragraph(&p, page, 4, text_row_colour(&as_row));
}

static void put_hidden(struct text_page *page)
{
	char text[160];

	if (!page->hidden)
		return;
	snprintf(text, sizeof(text),
		 "  … %zu row%s (%zu message%s) among the %zu lanes that did not fit: not "
		 "drawn; "
		 "a wider --width or --pid shows more",
		 page->hidden, page->hidden == 1 ? "" : "s", page->hidden_messages,
		 page->hidden_messages == 1 ? "" : "s", page->layout.grouped);
	text_paragraph(page, 4, TEXT_YELLOW, text);
}

void text_foot(struct text_page *page)
{
	const struct scene *scene = page->scene;

	text_flush(&page->canvas);
	put_legend(page);
	for (size_t i = 0; i < scene->channel_count; i++)
		put_channel(page, &scene->channels[i]);
	put_hidden(page);
	for (size_t i = 0; i < scene->note_count; i++) {
		struct paragraph p;
		FILE *out = open_paragraph(&p);

		if (!out)
			return;
		fprintf(out, "  ! %s", scene->notes[i]);
		close_paragraph(&p, page, 4, TEXT_YELLOW);
	}
}
