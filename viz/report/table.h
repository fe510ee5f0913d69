/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Text tables, and the page that the stats_*.c files share to print for a terminal. Private to
 * them.
 */
#ifndef VIZ_REPORT_TABLE_H
#define VIZ_REPORT_TABLE_H

#include "viz/base/canvas.h"
#include "viz/base/safe_text.h"
#include "viz/report/stats.h"

struct stats_page {
	const struct stats_report *report;
	struct text_canvas canvas;
	struct arena *arena; /* holds all strings until the page is done */
};

/* --- strings: UTF-8 without controls, see safe_text.h --- */

/* All return strings that last until the page is done. */
const char *page_say(const struct stats_page *page, const char *english)
	__attribute__((format_arg(2))); /* in the reader's language, see language_say() */
const char *page_format(struct stats_page *page, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
const char *page_harmless(struct stats_page *page, struct viz_bytes bytes);
const char *page_bytes(struct stats_page *page, uint64_t bytes);
const char *page_duration(struct stats_page *page, uint64_t ns);
const char *page_count(struct stats_page *page, uint64_t n);
const char *page_percent(struct stats_page *page, double percent); /* without its sign */

/* Returns the duration that `percent` of all do not exceed; "-" if there are none. */
const char *page_quantile(struct stats_page *page, const struct histogram *durations,
			  unsigned percent);

/* Returns "wc[802]", "outside", "pid 17 outside", "the kernel" or "nobody". */
const char *page_party(struct stats_page *page, enum account_side side,
		       const struct viz_process *process, uint32_t pid);
/*
 * Returns how wrong times between processes of two machines may be: "± 165 µs", or words; NULL for
 * processes of one machine.
 */
const char *page_clocks(struct stats_page *page, const struct viz_process *from,
			const struct viz_process *to);
const char *page_channel(struct stats_page *page, const struct account_channel *channel);

/* --- lines --- */

void page_blank(struct stats_page *page);
void page_title(struct stats_page *page, const char *title, const char *remark);

/*
 * Prints text wrapped at spaces. All lines begin at column `indent`; the first has `mark` before it
 * ("": none).
 */
void page_text(struct stats_page *page, int indent, const char *mark, const char *text,
	       enum text_colour colour);

/* Prints "… and 17 more rows (--max 0 shows all)"; nothing if `left_out` is 0. */
void page_more(struct stats_page *page, size_t left_out, const char *what);

/* --- tables --- */

enum { TABLE_COLUMNS = 12 };

/* Optional columns are left out if space is short or all their cells are empty. */
struct table_column {
	const char *title; /* in English */
	bool left;	   /* left-aligned; the widest of these shrinks if space is short */
	bool optional;
};

struct table_row {
	const char *cells[TABLE_COLUMNS]; /* NULL: empty cell */
	const char *heading;		  /* not NULL: across the line, in place of cells */
	const char *remark;		  /* likewise, a remark on the rows above */
};

struct table {
	const struct table_column *columns;
	size_t column_count;
	struct table_row *rows;
	size_t row_count;
};

/* Adds an empty row and returns it; valid until the next row is added. */
struct table_row *table_add(struct stats_page *page, struct table *table);
void table_print(struct stats_page *page, const struct table *table);

/* --- sections --- */

void stats_print_pairs(struct stats_page *page);
void stats_print_signals(struct stats_page *page);
void stats_print_latency(struct stats_page *page);
void stats_print_waiting(struct stats_page *page);
void stats_print_memory(struct stats_page *page);
void stats_print_balance(struct stats_page *page);
void stats_print_kinds(struct stats_page *page);
void stats_print_notes(struct stats_page *page);

#endif
