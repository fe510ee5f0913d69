// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Who talks to whom: pairs with their routes, and the histograms of latency. */
#include <inttypes.h>
#include <stdlib.h>

#include "stats_page.h"

enum { HISTOGRAMS = 3, HISTOGRAM_LEAST = 8, BAR_MOST = 40, EIGHTHS = 8 };

static int by_messages(const void *a, const void *b)
{
	const struct account_pair *x = *(struct account_pair *const *)a;
	const struct account_pair *y = *(struct account_pair *const *)b;

	if (x->messages != y->messages)
		return x->messages < y->messages ? 1 : -1;
	return (x->index > y->index) - (x->index < y->index);
}

/* The busiest first: those of signals, or all others. */
static struct account_pair **sort_pairs(struct stats_page *page, bool signals, size_t *count)
{
	const struct account *account = page->report->account;
	struct account_pair **list = arena_array(page->arena, account->pair_count + 1,
						 sizeof(struct account_pair *));

	*count = 0;
	for (size_t i = 0; i < account->pair_count; i++)
		if ((account->pairs[i]->mechanism == MECH_SIGNAL) == signals)
			list[(*count)++] = account->pairs[i];
	qsort(list, *count, sizeof(*list), by_messages);
	return list;
}

static bool talks_back(const struct account_pair *pair)
{
	for (size_t i = 1; i < pair->route_count; i++)
		if (pair->routes[i]->from == pair->b && pair->routes[0]->from == pair->a)
			return true;
	return false;
}

static void add_pair(struct stats_page *page, struct table *table, const struct account_pair *pair)
{
	struct table_row *row = table_add(page, table);

	row->heading = page_format(
		page, "%s %s %s · %s", page_party(page, pair->a_side, pair->a, pair->a_pid),
		talks_back(pair) ? "⇄" : "→", page_party(page, pair->b_side, pair->b, pair->b_pid),
		mechanism_info(pair->mechanism)->name);
}

static const char *quantile(struct stats_page *page, const struct histogram *histogram,
			    unsigned percent)
{
	return histogram->count ? page_duration(page, histogram_quantile(histogram, percent)) : "-";
}

static void add_route(struct stats_page *page, struct table *table, const struct account_route *r)
{
	struct table_row *row = table_add(page, table);
	const struct histogram *latency = &r->latency;
	bool back = r->from != r->pair->a || r->from_side != r->pair->a_side;

	row->cells[0] = page_format(page, "  %s %s%s", back ? "←" : "→",
				    page_channel(page, r->channel), r->ambiguous ? " ?" : "");
	row->cells[1] = page_count(page, r->messages);
	row->cells[2] = page_bytes(page, r->bytes);
	row->cells[3] = page_count(page, account_crossings(&r->effort));
	row->cells[4] = page_count(page, account_copies(&r->effort));
	row->cells[5] = quantile(page, latency, 50);
	row->cells[6] = quantile(page, latency, 95);
	row->cells[7] = latency->count ? page_duration(page, latency->min) : "-";
	row->cells[8] = latency->count ? page_duration(page, latency->max) : "-";
	row->cells[9] = r->effort.bytes_uncopied ? page_bytes(page, r->effort.bytes_uncopied) : "";
}

/* What its calls did besides, where there were any. */
static const char *around(struct stats_page *page, const struct account_effort *effort)
{
	const uint64_t *calls = effort->calls;

	if (!calls[CALL_EMPTY] && !calls[CALL_WAIT])
		return "";
	return page_format(page, "; besides %s empty-handed and %s waiting calls",
			   page_count(page, calls[CALL_EMPTY]), page_count(page, calls[CALL_WAIT]));
}

static void add_requests(struct stats_page *page, struct table *table,
			 const struct account_pair *pair)
{
	const struct account_effort *e = &pair->effort;
	uint64_t crossings = account_crossings(e);
	const char *times;

	if (!account_alternates(pair))
		return;
	times = pair->round_trips == 1 ? page_duration(page, pair->round_trip.min)
				       : page_format(page, "p50 %s, p95 %s, max %s",
						     quantile(page, &pair->round_trip, 50),
						     quantile(page, &pair->round_trip, 95),
						     page_duration(page, pair->round_trip.max));
	table_add(page, table)->remark = page_format(
		page,
		"request and response: %s %s, %s; %s crossings (%s mode switches), %s copies "
		"(%s into the kernel, %s out of it)%s",
		page_count(page, pair->round_trips),
		pair->round_trips == 1 ? "round trip" : "round trips", times,
		page_count(page, crossings), page_count(page, 2 * crossings),
		page_count(page, account_copies(e)), page_count(page, e->copies_to_kernel),
		page_count(page, e->copies_from_kernel), around(page, &pair->around));
}

static void add_rows(struct stats_page *page, struct table *table, const struct account_pair *pair)
{
	size_t max = page->report->max ? page->report->max : SIZE_MAX;

	add_pair(page, table, pair);
	for (size_t i = 0; i < pair->route_count && i < max; i++)
		add_route(page, table, pair->routes[i]);
	if (pair->route_count > max)
		table_add(page, table)->heading =
			page_format(page, "… and %s more channels between them",
				    page_count(page, pair->route_count - max));
	add_requests(page, table, pair);
}

void stats_print_pairs(struct stats_page *page)
{
	static const struct table_column columns[] = {
		{"", true, false},	     {"messages", false, false}, {"bytes", false, false},
		{"crossings", false, false}, {"copies", false, false},	 {"p50", false, false},
		{"p95", false, false},	     {"min", false, true},	 {"max", false, true},
		{"no copy", false, true},
	};
	struct table table = {columns, sizeof(columns) / sizeof(*columns), NULL, 0};
	size_t count, shown, max = page->report->max;
	struct account_pair **pairs = sort_pairs(page, false, &count);

	if (!count)
		return;
	page_title(page, "Who talks to whom", "times: from the send's begin to the receive's end");
	shown = max && count > max ? max : count;
	for (size_t i = 0; i < shown; i++)
		add_rows(page, &table, pairs[i]);
	table_print(page, &table);
	page_more(page, count - shown, "pairs");
}

/* --- signals --- */

static const char *signal_party(struct stats_page *page, const struct account_route *r, bool from)
{
	enum account_side side = from ? r->from_side : r->to_side;
	uint32_t pid = from ? r->from_pid : r->to_pid;

	if (from && side == SIDE_OUTSIDE && !pid)
		return "the kernel";
	return page_party(page, side, from ? r->from : r->to, pid);
}

static void add_signals(struct stats_page *page, struct table *table, const struct account_route *r)
{
	struct table_row *row = table_add(page, table);

	row->cells[0] = signal_party(page, r, true);
	row->cells[1] = signal_party(page, r, false);
	row->cells[2] = page_count(page, r->messages);
	row->cells[3] = page_count(page, r->effort.calls[CALL_WAKE]);
	row->cells[4] = quantile(page, &r->latency, 50);
	row->cells[5] = quantile(page, &r->latency, 95);
}

void stats_print_signals(struct stats_page *page)
{
	static const struct table_column columns[] = {
		{"from", true, false},	 {"to", true, false},	{"signals", false, false},
		{"calls", false, false}, {"p50", false, false}, {"p95", false, false},
	};
	struct table table = {columns, sizeof(columns) / sizeof(*columns), NULL, 0};
	size_t count, max = page->report->max, left_out = 0;
	struct account_pair **pairs = sort_pairs(page, true, &count);

	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < pairs[i]->route_count; k++) {
			if (max && table.row_count >= max)
				left_out++;
			else
				add_signals(page, &table, pairs[i]->routes[k]);
		}
	if (!table.row_count)
		return;
	page_title(page, "Signals", "times: from generation to delivery");
	table_print(page, &table);
	page_more(page, left_out, "rows");
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
	const char *number = page_format(page, "%s  %.3g %%", page_count(page, in),
					 (double)in * 100 / (double)count);
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

	if (x->latency.count != y->latency.count)
		return x->latency.count < y->latency.count ? 1 : -1;
	return (x->index > y->index) - (x->index < y->index);
}

void stats_print_latency(struct stats_page *page)
{
	const struct account *account = page->report->account;
	struct account_route **list = arena_array(page->arena, account->route_count + 1,
						  sizeof(struct account_route *));
	size_t shown = page->report->max ? HISTOGRAMS : SIZE_MAX;

	memcpy(list, account->routes, account->route_count * sizeof(*list));
	qsort(list, account->route_count, sizeof(*list), by_latencies);
	for (size_t i = 0; i < account->route_count && i < shown; i++) {
		const struct account_route *r = list[i];

		if (r->latency.count < HISTOGRAM_LEAST)
			break;
		page_title(page,
			   page_format(page, "Latency %s → %s",
				       page_party(page, r->from_side, r->from, r->from_pid),
				       page_party(page, r->to_side, r->to, r->to_pid)),
			   page_channel(page, r->channel));
		print_histogram(page, &r->latency);
	}
}
