// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Prints the table of signals, and the histograms of latency. */
#include <stdlib.h>

#include "viz/base/compare.h"
#include "viz/report/table.h"

enum { HISTOGRAMS = 3, HISTOGRAM_LEAST = 8, BAR_MOST = 40, EIGHTHS = 8 };

/* --- signals --- */

static void add_signals(struct stats_page *page, struct table *table, const struct account_route *r)
{
	struct table_row *row = table_add(page, table);

	row->cells[0] = page_party(page, r->from_side, r->from, r->from_pid);
	row->cells[1] = page_party(page, r->to_side, r->to, r->to_pid);
	row->cells[2] = page_count(page, r->messages);
	row->cells[3] = page_count(page, r->effort.calls[CALL_WAKE]);
	row->cells[4] = page_quantile(page, &r->latency, 50);
	row->cells[5] = page_quantile(page, &r->latency, 95);
}

void stats_print_signals(struct stats_page *page)
{
	static const struct table_column columns[] = {
		{"from", true, false},	 {"to", true, false},	{"signals", false, false},
		{"calls", false, false}, {"p50", false, false}, {"p95", false, false},
	};
	struct table table = {columns, sizeof(columns) / sizeof(*columns), NULL, 0};
	const struct account *account = page->report->account;
	size_t max = page->report->max, left_out = 0;

	for (size_t i = 0; i < account->route_count; i++) {
		if (account->routes[i]->pair->mechanism != MECH_SIGNAL)
			continue;
		if (max && table.row_count >= max)
			left_out++;
		else
			add_signals(page, &table, account->routes[i]);
	}
	if (!table.row_count)
		return;
	page_title(page, page_say(page, "Signals"),
		   page_say(page, "times: from generation to delivery"));
	table_print(page, &table);
	page_more(page, left_out, page_say(page, "rows"));
}

/* --- histograms --- */

static void put_bar(struct stats_page *page, int at, int room, uint64_t part, uint64_t whole)
{
	int eighths = (int)((double)part / (double)whole * room * EIGHTHS + 0.5);

	if (!eighths && part)
		eighths = 1;
	for (; eighths >= EIGHTHS; eighths -= EIGHTHS)
		text_put_glyph(&page->canvas, at++, GLYPH_BAR_8, TEXT_GREEN);
	if (eighths && (page->canvas.utf8 || eighths >= EIGHTHS / 2 || !at))
		text_put_glyph(&page->canvas, at, GLYPH_BAR_1 + (enum text_glyph)(eighths - 1),
			       TEXT_GREEN);
}

static void print_bucket(struct stats_page *page, unsigned power, uint64_t in, uint64_t most,
			 uint64_t count)
{
	struct text_canvas *canvas = &page->canvas;
	const char *from = page_duration(page, power ? (uint64_t)1 << power : 0);
	const char *number = page_format(page, "%s  %s %%", page_count(page, in),
					 page_percent(page, (double)in * 100 / (double)count));
	int room = canvas->width - 32;

	if (room > BAR_MOST)
		room = BAR_MOST;
	text_put(canvas, 13 - text_width(canvas, from), 12, from, TEXT_PLAIN);
	if (room > 0)
		put_bar(page, 15, room, in, most);
	text_put(canvas, 15 + room + 1, canvas->width, number, TEXT_DIM);
	text_flush(canvas);
}

static void print_histogram(struct stats_page *page, const struct histogram *histogram)
{
	unsigned first = HISTOGRAM_POWERS, last = 0;
	uint64_t most = 0;

	for (unsigned power = 0; power < HISTOGRAM_POWERS; power++) {
		uint64_t in = histogram_in_power(histogram, power);

		if (in && power < first)
			first = power;
		last = in ? power : last;
		most = in > most ? in : most;
	}
	for (unsigned power = first; power <= last && power < HISTOGRAM_POWERS; power++)
		print_bucket(page, power, histogram_in_power(histogram, power), most,
			     histogram->count);
}

static int by_latencies(const void *a, const void *b)
{
	const struct account_route *x = *(struct account_route *const *)a;
	const struct account_route *y = *(struct account_route *const *)b;

	return COMPARE(y->latency.count, x->latency.count) ?: COMPARE(x->index, y->index);
}

static const char *latency_title(struct stats_page *page, const struct account_route *r)
{
	const char *clocks = page_clocks(page, r->from, r->to);
	const char *title = page_format(page, page_say(page, "Latency %s → %s"),
					page_party(page, r->from_side, r->from, r->from_pid),
					page_party(page, r->to_side, r->to, r->to_pid));

	return clocks ? page_format(page, "%s %s", title, clocks) : title;
}

void stats_print_latency(struct stats_page *page)
{
	const struct account *account = page->report->account;
	struct account_route **list = arena_array(page->arena, account->route_count + 1,
						  sizeof(struct account_route *));
	size_t shown = page->report->max ? HISTOGRAMS : SIZE_MAX;

	for (size_t i = 0; i < account->route_count; i++)
		list[i] = account->routes[i];
	qsort(list, account->route_count, sizeof(struct account_route *), by_latencies);
	for (size_t i = 0; i < account->route_count && i < shown; i++) {
		const struct account_route *r = list[i];

		if (r->latency.count < HISTOGRAM_LEAST)
			break;
		page_title(page, latency_title(page, r), page_channel(page, r->channel));
		print_histogram(page, &r->latency);
	}
}
