/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Tables of text, and how the stats_*.c files that print for a terminal share a page. Private to
 * them.
 */
#ifndef VIZ_STATS_PAGE_H
#define VIZ_STATS_PAGE_H

#include "scene_text.h"
#include "stats.h"
#include "text_canvas.h"

struct stats_page {
	const struct stats_report *report;
	struct text_canvas canvas;
	struct arena *arena; /* of all strings, which last until the page is done */
};

/* --- strings: UTF-8 without controls, see scene_text.h --- */

const char *page_format(struct stats_page *page, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
const char *page_harmless(struct stats_page *page, struct viz_bytes bytes);
const char *page_bytes(struct stats_page *page, uint64_t bytes);
const char *page_duration(struct stats_page *page, uint64_t ns);
const char *page_count(struct stats_page *page, uint64_t n);

/* A duration that `percent` of all do not exceed; "-" where there is none. */
const char *page_quantile(struct stats_page *page, const struct histogram *durations,
			  unsigned percent);

/* "wc[802]"; "outside", "pid 17 outside", "nobody" */
const char *page_party(struct stats_page *page, enum account_side side,
		       const struct viz_process *process, uint32_t pid);
const char *page_channel(struct stats_page *page, const struct account_channel *channel);

/* --- lines --- */

void page_blank(struct stats_page *page);
void page_title(struct stats_page *page, const char *title, const char *remark);

/* Wrapped at spaces; all lines begin at `indent`, the first has `mark` before it ("" for none). */
void page_text(struct stats_page *page, int indent, const char *mark, const char *text,
	       enum text_colour colour);

/* "… and 17 more (--max 0 shows all)" */
void page_more(struct stats_page *page, size_t left_out, const char *what);

/* --- tables --- */

enum { TABLE_COLUMNS = 12 };

/* `optional` ones are left out where room is short, or where they say nothing. */
struct table_column {
	const char *title;
	bool left; /* aligned at the left; the widest of these gives way where room is short */
	bool optional;
};

struct table_row {
	const char *cells[TABLE_COLUMNS]; /* NULL: empty */
	const char *heading;		  /* not NULL: in place of cells, all over the line */
	const char *remark;		  /* the same, of what is above it */
};

struct table {
	const struct table_column *columns;
	size_t column_count;
	struct table_row *rows;
	size_t row_count;
};

struct table_row *table_add(struct stats_page *page, struct table *table);
void table_print(struct stats_page *page, const struct table *table);

/* --- sections --- */

void stats_print_pairs(struct stats_page *page);
void stats_print_signals(struct stats_page *page);
void stats_print_latency(struct stats_page *page);
void stats_print_waiting(struct stats_page *page);
void stats_print_memory(struct stats_page *page);
void stats_print_books(struct stats_page *page);
void stats_print_kinds(struct stats_page *page);
void stats_print_notes(struct stats_page *page);

#endif
