// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/report/table.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

#include "viz/base/memory.h"
#include "viz/model/channel_words.h"

/* --- strings --- */

static const char *keep(struct stats_page *page, char *text)
{
	const char *kept = arena_bytes(page->arena, text, strlen(text)).data;

	free(text);
	return kept;
}

const char *page_say(const struct stats_page *page, const char *english)
{
	return language_say(page->report->language, english);
}

const char *page_format(struct stats_page *page, const char *format, ...)
{
	char *text;
	va_list args;

	va_start(args, format);
	text = memory_vformat(format, args);
	va_end(args);
	return keep(page, text);
}

static const char *page_number(struct stats_page *page, const char *number)
{
	char *text = memory_format("%s", number);

	return keep(page, language_number(page->report->language, text));
}

const char *page_bytes(struct stats_page *page, uint64_t bytes)
{
	char buf[SCENE_QUANTITY];

	return page_number(page, scene_bytes(bytes, buf));
}

const char *page_duration(struct stats_page *page, uint64_t ns)
{
	char buf[SCENE_QUANTITY];

	return page_number(page, scene_duration(ns, buf));
}

const char *page_count(struct stats_page *page, uint64_t n)
{
	char buf[SCENE_QUANTITY];

	return page_number(page, scene_count(n, buf));
}

const char *page_percent(struct stats_page *page, double percent)
{
	return page_number(page, page_format(page, "%.3g", percent));
}

const char *page_quantile(struct stats_page *page, const struct histogram *durations,
			  unsigned percent)
{
	return durations->count ? page_duration(page, histogram_quantile(durations, percent)) : "-";
}

const char *page_harmless(struct stats_page *page, struct viz_bytes bytes)
{
	return bytes.data ? keep(page, scene_harmless(bytes.data, bytes.len)) : "";
}

/* In a merged trace, as its machine numbers it. */
static const char *outside_party(struct stats_page *page, uint32_t pid)
{
	const struct viz_host *host = viz_pid_host(page->report->model, pid);

	if (!host)
		return page_format(page, page_say(page, "pid %" PRIu32 " outside"), pid);
	return page_format(page, page_say(page, "pid %" PRIu32 " outside, of %s"),
			   pid - host->pid_base, page_harmless(page, host->name));
}

const char *page_party(struct stats_page *page, enum account_side side,
		       const struct viz_process *process, uint32_t pid)
{
	char number[VIZ_NUMBER], name[VIZ_NAME];

	if (side == SIDE_NOBODY)
		return page_say(page, "nobody");
	if (side == SIDE_KERNEL)
		return page_say(page, "the kernel");
	if (process)
		return page_format(
			page, "%s[%s]",
			process->comm.len
				? page_harmless(page,
						viz_process_name(process, process->comm, name))
				: "?",
			viz_process_number(process, number));
	return pid ? outside_party(page, pid) : page_say(page, "outside");
}

const char *page_clocks(struct stats_page *page, const struct viz_process *from,
			const struct viz_process *to)
{
	uint64_t wrong_ns;

	if (!viz_clocks_apart(from, to, &wrong_ns))
		return NULL;
	if (wrong_ns == VIZ_NEVER)
		return page_say(page, "of two clocks: nobody can tell how wrong");
	return page_format(page, "± %s", page_duration(page, wrong_ns));
}

/* Returns the id of the channel, with its name, key or address if it has one. */
const char *page_channel(struct stats_page *page, const struct account_channel *channel)
{
	const struct viz_channel *c = channel->channel;
	bool german = page->report->language == LANGUAGE_DE;
	char words[CHANNEL_WORDS];
	struct viz_bytes more;

	if (!c)
		return page_say(page, "signals");
	more = c->name.len ? c->name : c->key.len ? c->key : c->local_address;
	if (channel_is_private(c))
		more = viz_bytes_of(CHANNEL_PRIVATE);
	if (!more.len)
		return page_harmless(page, channel_words(c, german, words));
	return page_format(
		page, "%s %s%s", page_harmless(page, channel_words(c, german, words)),
		c->key.len && !c->name.len && !channel_is_private(c) ? page_say(page, "key ") : "",
		page_harmless(page, more));
}

/* --- lines --- */

void page_blank(struct stats_page *page)
{
	text_flush(&page->canvas);
}

void page_title(struct stats_page *page, const char *title, const char *remark)
{
	struct text_canvas *canvas = &page->canvas;
	int used;

	page_blank(page);
	used = text_put(canvas, 0, canvas->width, title, TEXT_BOLD);
	text_put(canvas, used + 2, canvas->width, remark, TEXT_DIM);
	text_flush(canvas);
}

void page_text(struct stats_page *page, int indent, const char *mark, const char *text,
	       enum text_colour colour)
{
	struct text_canvas *canvas = &page->canvas;
	int room = canvas->width - indent;

	text_put(canvas, indent - text_width(canvas, mark), room, mark, colour);
	while (*text) {
		int len = text_break(canvas, text, room);

		text_put(canvas, indent, room, page_format(page, "%.*s", len, text), colour);
		text_flush(canvas);
		text += len;
		text += strspn(text, " ");
	}
}

void page_more(struct stats_page *page, size_t left_out, const char *what)
{
	if (left_out)
		page_text(page, 2, "",
			  page_format(page, page_say(page, "… and %s more %s (--max 0 shows all)"),
				      page_count(page, left_out), what),
			  TEXT_DIM);
}

/* --- tables --- */

enum { GAP = 2, INDENT = 2, REMARK = 6, LEAST = 8 };

struct table_row *table_add(struct stats_page *page, struct table *table)
{
	struct table_row row = {0};

	ARENA_PUSH(page->arena, table->rows, table->row_count, row);
	return &table->rows[table->row_count - 1];
}

static bool has_text(const char *cell)
{
	return cell && *cell && strcmp(cell, "-") != 0;
}

/* Computes the column widths; 0 for optional columns without content. */
static void measure(const struct stats_page *page, const struct table *table, int *widths)
{
	for (size_t c = 0; c < table->column_count; c++) {
		bool useful = !table->columns[c].optional;

		widths[c] = text_width(&page->canvas, page_say(page, table->columns[c].title));
		for (size_t r = 0; r < table->row_count; r++) {
			const char *cell = table->rows[r].cells[c];
			int width = cell ? text_width(&page->canvas, cell) : 0;

			useful |= has_text(cell);
			if (width > widths[c])
				widths[c] = width;
		}
		if (!useful)
			widths[c] = 0;
	}
}

static int total_width(const struct table *table, const int *widths)
{
	int total = INDENT - GAP;

	for (size_t c = 0; c < table->column_count; c++)
		total += widths[c] ? widths[c] + GAP : 0;
	return total;
}

/* Returns the width of the widest left-aligned column that can shrink; NULL if there is none. */
static int *widest(const struct table *table, int *widths)
{
	int *found = NULL;

	for (size_t c = 0; c < table->column_count; c++)
		if (table->columns[c].left && widths[c] > LEAST && (!found || widths[c] > *found))
			found = &widths[c];
	return found;
}

/*
 * Fits the table into the page: drops optional columns from the right, then narrows text columns.
 */
static void fit(const struct stats_page *page, const struct table *table, int *widths)
{
	int over = total_width(table, widths) - page->canvas.width;
	int *wide;

	for (size_t c = table->column_count; c-- > 0 && over > 0;)
		if (table->columns[c].optional && widths[c]) {
			over -= widths[c] + GAP;
			widths[c] = 0;
		}
	for (; over > 0 && (wide = widest(table, widths)); over--)
		--*wide;
}

static void put_cell(struct stats_page *page, const struct table_column *column, int at, int width,
		     const char *cell, enum text_colour colour)
{
	int blank = width - text_width(&page->canvas, cell);

	text_put(&page->canvas, at + (column->left || blank < 0 ? 0 : blank), width, cell, colour);
}

static void print_cells(struct stats_page *page, const struct table *table, const int *widths,
			const struct table_row *row)
{
	int at = INDENT;

	for (size_t c = 0; c < table->column_count; c++) {
		const char *cell = row ? row->cells[c] : page_say(page, table->columns[c].title);

		if (!widths[c])
			continue;
		if (cell)
			put_cell(page, &table->columns[c], at, widths[c], cell,
				 row ? TEXT_PLAIN : TEXT_DIM);
		at += widths[c] + GAP;
	}
	text_flush(&page->canvas);
}

void table_print(struct stats_page *page, const struct table *table)
{
	int widths[TABLE_COLUMNS];

	measure(page, table, widths);
	fit(page, table, widths);
	print_cells(page, table, widths, NULL);
	for (size_t r = 0; r < table->row_count; r++) {
		if (table->rows[r].heading)
			page_text(page, INDENT, "", table->rows[r].heading, TEXT_CYAN);
		else if (table->rows[r].remark)
			page_text(page, REMARK, "", table->rows[r].remark, TEXT_PLAIN);
		else
			print_cells(page, table, widths, &table->rows[r]);
	}
}
