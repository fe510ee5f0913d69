// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Draws one row of the picture: time, lanes, arrow, and the details. */
#include "viz/base/memory.h"
#include "viz/render/common/steps.h"
#include "viz/render/text/picture.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/base/safe_text.h"

enum { MORE_LINES = 3 };   /* most lines for important details */
enum { PAYLOAD_MIN = 14 }; /* columns; less of a payload is useless */

static void put_time(struct text_page *page, const struct scene_row *row)
{
	char buf[SCENE_QUANTITY];
	int width = page->layout.time_width - 1;
	int decimals = page->unit_ns >= 1e6 ? 3 : 1;
	int column = page->depth < TEXT_DEPTH_MOST ? page->depth : TEXT_DEPTH_MOST;

	if (row->kind == SCENE_IDLE) {
		text_use(page, LEGEND_IDLE);
		text_put_glyph(&page->canvas, 1, GLYPH_DOTS, TEXT_DIM);
		text_put(&page->canvas, 3, width - 2, row->label, TEXT_DIM);
		return;
	}
	if (row->kind == SCENE_LOOP || row->kind == SCENE_LOOP_END) {
		text_put_glyph(&page->canvas, column,
			       row->kind == SCENE_LOOP ? GLYPH_BOX_TOP_LEFT : GLYPH_BOX_LEFT,
			       TEXT_BOLD);
		text_put(&page->canvas, column + 1, width - column - 1, row->label, TEXT_BOLD);
	}
	if (row->from == SCENE_NOWHERE && row->to == SCENE_NOWHERE)
		return;
	scene_say_time(page->scene, row->at_ns, page->unit_ns, decimals, buf);
	text_put(&page->canvas, width - text_width(&page->canvas, buf), width, buf, TEXT_DIM);
}

static bool is_shared(const struct text_page *page, int lane)
{
	int slot = text_slot_of(&page->layout, lane);

	return slot >= 0 && page->layout.slots[slot].shared;
}

/* Writes "to name[pid]" for an end in the shared slot. */
static void write_lane(struct text_page *page, FILE *out, const char *word, int lane)
{
	char number[SCENE_NUMBER];

	if (!is_shared(page, lane))
		return;
	fprintf(out, "%s %s", scene_say(page->scene, word), page->scene->lanes[lane].title);
	if (*scene_lane_number(&page->scene->lanes[lane], number))
		fprintf(out, "[%s]", number);
	fputs(" · ", out);
}

/*
 * Returns the details as one string: lanes in the shared slot, the label if it was cut, outside
 * parties, detail.
 */
static char *write_rest(struct text_page *page, const struct scene_row *row, enum text_label label)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = memory_stream(&text, &len);

	write_lane(page, out, "from", row->from);
	write_lane(page, out, "to", row->to);
	if (label != TEXT_LABEL_WHOLE)
		fprintf(out, "%s · ", row->label);
	if (*row->outside) {
		char *beside = render_beside(page->scene, row, SIZE_MAX);

		fprintf(out, "%s · ", beside);
		free(beside);
	}
	fputs(row->detail, out);
	memory_stream_end(out);
	if (!*row->detail && len >= strlen(" · "))
		text[len - strlen(" · ")] = '\0';
	return text;
}

/* Writes the payload, as much as leaves room for the rest, and then the rest. */
static void put_telling(struct text_page *page, struct text_stretch in, const struct scene_row *row,
			const char *rest)
{
	struct text_canvas *canvas = &page->canvas;
	int room = in.right - in.left;
	int rest_width = text_width(canvas, rest);
	int payload_room = room - (rest_width ? rest_width + 2 : 0);
	int column = in.left;

	if (payload_room < PAYLOAD_MIN)
		payload_room = room * 2 / 3 > PAYLOAD_MIN ? room * 2 / 3 : PAYLOAD_MIN;
	if (*row->payload) {
		column += text_put(canvas, column, payload_room < room ? payload_room : room,
				   row->payload, TEXT_PLAIN) +
			  2;
	}
	text_put(canvas, column, in.right - column, rest, TEXT_DIM);
}

static struct text_stretch free_below(struct text_page *page, size_t row, struct text_stretch in)
{
	return text_beside_braces(page, row, TEXT_BELOW, in);
}

static struct text_stretch widest_below(struct text_page *page, size_t row)
{
	return free_below(page, row,
			  text_widest(page, row, page->layout.time_width, page->canvas.width));
}

/*
 * Returns the stretch below the arrow for the details: beside the arrow's left or right end, or the
 * widest one if they do not fit there.
 */
static struct text_stretch place_below(struct text_page *page, size_t row, int need)
{
	const struct text_layout *layout = &page->layout;
	const struct scene_row *r = &page->scene->rows[row];
	int from = text_slot_of(layout, r->from);
	int to = text_slot_of(layout, r->to);
	int last = from > to ? from : to;
	int left = from < 0 || (to >= 0 && to < from) ? to : from;
	struct text_stretch in, end;

	if (last < 0)
		return widest_below(page, row);
	in = free_below(page, row,
			text_behind(page, row, layout->slots[left < 0 ? last : left].column));
	end = free_below(page, row, text_behind(page, row, layout->slots[last].column));
	if (in.right - in.left < need && end.right - end.left > in.right - in.left)
		in = end;
	if (in.right - in.left < need)
		end = widest_below(page, row);
	if (in.right - in.left < need && end.right - end.left > in.right - in.left)
		in = end;
	return in;
}

static void begin_below(struct text_page *page, size_t row, int need, struct text_stretch *in)
{
	text_put_lanes(page, row, TEXT_BELOW);
	*in = place_below(page, row, need);
	in->left++;
	if (in->right < page->canvas.width)
		in->right--;
}

/* Writes text in a few lines, the last one not yet flushed. */
static void put_lines(struct text_page *page, size_t row, struct text_stretch in, const char *text)
{
	int room = in.right - in.left;

	for (int i = 1; i < MORE_LINES; i++) {
		int len = text_break(&page->canvas, text, room > 0 ? room : 1);
		char *line;

		if (text[len] == '\0')
			break;
		line = strndup(text, (size_t)len);
		if (line)
			text_put(&page->canvas, in.left, room, line, TEXT_DIM);
		free(line);
		text_row_line(page);
		text_put_lanes(page, row, TEXT_BELOW);
		text += len;
		text += strspn(text, " ");
	}
	text_put(&page->canvas, in.left, room, text, TEXT_DIM);
}

/*
 * Writes payload and details below the arrow: on one line if they fit, else the payload first and
 * important details on further lines.
 */
static void put_below(struct text_page *page, size_t row, const char *rest)
{
	const struct scene_row *r = &page->scene->rows[row];
	int payload = text_width(&page->canvas, r->payload);
	int need = payload + text_width(&page->canvas, rest) + 4;
	struct text_stretch in;

	begin_below(page, row, need, &in);
	if (payload && in.right - in.left >= need - 2) {
		put_telling(page, in, r, rest);
	} else if (payload) {
		text_put(&page->canvas, in.left, in.right - in.left, r->payload, TEXT_PLAIN);
		if (r->important && *rest) {
			text_row_line(page);
			begin_below(page, row, need, &in);
			put_lines(page, row, in, rest);
		}
	} else {
		put_lines(page, row, in, rest);
	}
	text_row_line(page);
}

/* True if everything fits behind the last lane, on the arrow's own line. */
static bool fits_behind(struct text_page *page, size_t row, const char *rest,
			struct text_stretch *in)
{
	const struct scene_row *r = &page->scene->rows[row];
	int need = text_width(&page->canvas, r->payload) + text_width(&page->canvas, rest) + 2;
	int end = text_line_end(&page->canvas); /* a loose arrow may reach beyond the last lane */

	*in = (struct text_stretch){(end > page->layout.end ? end : page->layout.end) + 1,
				    page->canvas.width};
	return !page->layout.detail && in->right - in->left >= need;
}

/* All of it, in further lines if need be; the payload stays beside the arrow. */
static void put_important(struct text_page *page, size_t row, struct text_stretch in,
			  const char *rest)
{
	const struct scene_row *r = &page->scene->rows[row];
	int need = text_width(&page->canvas, r->payload) + text_width(&page->canvas, rest) + 2;

	if (*r->payload && (need <= in.right - in.left || !*rest)) {
		put_telling(page, in, r, rest);
		return;
	}
	if (*r->payload) {
		text_put(&page->canvas, in.left, in.right - in.left, r->payload, TEXT_PLAIN);
		text_flush(&page->canvas);
		text_put_lanes(page, row, TEXT_BELOW);
	}
	put_lines(page, row, in, rest);
}

static void put_rest(struct text_page *page, size_t row, const char *rest, enum text_label label)
{
	const struct scene_row *r = &page->scene->rows[row];
	struct text_stretch in = {page->layout.detail, page->canvas.width};
	bool has_more = *r->payload || *rest;

	if (has_more && (page->layout.detail || fits_behind(page, row, rest, &in))) {
		if (r->important)
			put_important(page, row, in, rest);
		else
			put_telling(page, in, r, rest);
		has_more = false;
	}
	text_row_line(page);
	if (text_is_birth(page, row))
		text_birth_below(page, row);
	if (has_more && (r->important || *r->payload || label == TEXT_LABEL_CUT ||
			 is_shared(page, r->from) || is_shared(page, r->to)))
		put_below(page, row, rest);
}

void text_row(struct text_page *page, size_t row)
{
	const struct scene_row *r = &page->scene->rows[row];
	char *rest;
	enum text_label label;

	page->depth -= r->kind == SCENE_LOOP_END && page->depth > 0;
	if (text_is_birth(page, row))
		text_birth_above(page, row);
	text_put_lanes(page, row, TEXT_AT);
	put_time(page, r);
	page->depth += r->kind == SCENE_LOOP;
	label = text_arrow(page, row);
	if (text_is_birth(page, row))
		text_birth_name(page, row);
	else if (r->kind == SCENE_FORK && r->to >= 0 && !is_shared(page, r->to))
		text_put_glyph(&page->canvas,
			       page->layout.slots[page->layout.slot_of[r->to]].column,
			       GLYPH_LANE_BORN, TEXT_PLAIN);
	rest = r->kind == SCENE_IDLE && !*r->detail ? NULL : write_rest(page, r, label);
	put_rest(page, row, rest ? rest : "", label);
	free(rest);
}
