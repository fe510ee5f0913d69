// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Prints the pairs of processes with their routes. Several connections of one pair are summed up.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "viz/base/compare.h"
#include "viz/report/table.h"

enum { ROUTES_SHOWN = 4 };

/* All communication between two processes through one mechanism. */
struct talk {
	const struct account_pair *pair; /* its only one, or `sum`; `a` sent first */
	struct account_pair *sum;	 /* has the routes of all its pairs; NULL: there is one */
	size_t connections;
};

/* Whose talk it is. The two are in an order of their own, and padding is cleared. */
struct talk_key {
	struct talk_party {
		const struct viz_process *process;
		uint64_t side, pid;
	} parties[2];
	uint64_t mechanism;
};

struct talks {
	struct talk **list;
	size_t count;
	struct map known;
};

/* Returns a key that does not depend on which process sent first. */
static struct talk_key talk_key(const struct account_pair *pair)
{
	const struct talk_party a = {pair->a, pair->a_side, pair->a_pid};
	const struct talk_party b = {pair->b, pair->b_side, pair->b_pid};
	const bool swap = memcmp(&a, &b, sizeof(a)) > 0;

	return (struct talk_key){{swap ? b : a, swap ? a : b}, pair->mechanism};
}

static struct talk *find_talk(struct stats_page *page, struct talks *talks,
			      const struct account_pair *pair)
{
	const struct talk_key key = talk_key(pair);
	const struct viz_bytes bytes = {(const char *)&key, sizeof(key)};
	struct talk *talk = map_get(&talks->known, bytes);

	if (talk)
		return talk;
	talk = arena_alloc(page->arena, sizeof(*talk));
	map_put(page->arena, &talks->known, bytes, talk);
	ARENA_PUSH(page->arena, talks->list, talks->count, talk);
	return talk;
}

static void add_to_sum(struct stats_page *page, struct account_pair *sum,
		       const struct account_pair *pair)
{
	sum->messages += pair->messages;
	sum->bytes += pair->bytes;
	account_merge_effort(&sum->effort, &pair->effort);
	account_merge_effort(&sum->around, &pair->around);
	sum->turns += pair->turns;
	sum->crossed += pair->crossed;
	sum->round_trips += pair->round_trips;
	sum->asker_slept += pair->asker_slept;
	histogram_merge(page->arena, &sum->round_trip, &pair->round_trip);
	for (size_t i = 0; i < pair->route_count; i++)
		ARENA_PUSH(page->arena, sum->routes, sum->route_count, pair->routes[i]);
}

/* A sum that has the first pair already. */
static struct account_pair *new_sum(struct stats_page *page, const struct account_pair *first)
{
	struct account_pair *sum = arena_alloc(page->arena, sizeof(*sum));

	*sum = (struct account_pair){
		.index = first->index,
		.a = first->a,
		.b = first->b,
		.a_side = first->a_side,
		.b_side = first->b_side,
		.a_pid = first->a_pid,
		.b_pid = first->b_pid,
		.mechanism = first->mechanism,
	};
	add_to_sum(page, sum, first);
	return sum;
}

static void add_to_talk(struct stats_page *page, struct talk *talk, const struct account_pair *pair)
{
	if (!talk->connections++) {
		talk->pair = pair;
		return;
	}
	if (!talk->sum)
		talk->pair = talk->sum = new_sum(page, talk->pair);
	add_to_sum(page, talk->sum, pair);
}

static int by_messages(const void *a, const void *b)
{
	const struct account_pair *x = (*(struct talk *const *)a)->pair;
	const struct account_pair *y = (*(struct talk *const *)b)->pair;

	return COMPARE(y->messages, x->messages) ?: COMPARE(x->index, y->index);
}

/* Collects the pairs, the busiest first, without signals, which have a table of their own. */
static struct talks collect_talks(struct stats_page *page)
{
	const struct account *account = page->report->account;
	struct talks talks = {0};

	for (size_t i = 0; i < account->pair_count; i++)
		if (account->pairs[i]->mechanism != MECH_SIGNAL)
			add_to_talk(page, find_talk(page, &talks, account->pairs[i]),
				    account->pairs[i]);
	if (talks.count)
		qsort(talks.list, talks.count, sizeof(*talks.list), by_messages);
	return talks;
}

/* --- rows --- */

static bool goes_back(const struct talk *talk, const struct account_route *r)
{
	return r->from_side != talk->pair->a_side || r->from != talk->pair->a ||
	       r->from_pid != talk->pair->a_pid;
}

static bool talks_back(const struct talk *talk)
{
	for (size_t i = 0; i < talk->pair->route_count; i++)
		if (goes_back(talk, talk->pair->routes[i]))
			return true;
	return false;
}

static void add_heading(struct stats_page *page, struct table *table, const struct talk *talk)
{
	const struct account_pair *p = talk->pair;
	const char *connections = "", *clocks = page_clocks(page, p->a, p->b);

	if (clocks)
		clocks = page_format(page, page_say(page, ", latency %s"), clocks);
	if (talk->connections > 1)
		connections = page_format(page, page_say(page, ", %s connections"),
					  page_count(page, talk->connections));
	table_add(page, table)->heading = page_format(
		page, "%s %s %s · %s%s%s", page_party(page, p->a_side, p->a, p->a_pid),
		talks_back(talk) ? "⇄" : "→", page_party(page, p->b_side, p->b, p->b_pid),
		mechanism_info(p->mechanism)->name, connections, clocks ? clocks : "");
}

static void add_route(struct stats_page *page, struct table *table, const struct account_route *r,
		      bool back, const char *name)
{
	struct table_row *row = table_add(page, table);
	const struct histogram *latency = &r->latency;

	row->cells[0] = page_format(page, "  %s %s%s", back ? "←" : "→", name,
				    r->ambiguous ? " ?" : "");
	row->cells[1] = page_count(page, r->messages);
	row->cells[2] = page_bytes(page, r->bytes);
	row->cells[3] = page_count(page, account_crossings(&r->effort));
	row->cells[4] = page_count(page, account_copies(&r->effort));
	row->cells[5] = page_quantile(page, latency, 50);
	row->cells[6] = page_quantile(page, latency, 95);
	row->cells[7] = latency->count ? page_duration(page, latency->min) : "-";
	row->cells[8] = latency->count ? page_duration(page, latency->max) : "-";
	row->cells[9] = r->effort.bytes_uncopied ? page_bytes(page, r->effort.bytes_uncopied) : "";
	row->cells[10] = r->traffic.further ? page_count(page, r->traffic.sends) : "";
	row->cells[11] = r->traffic.further ? page_count(page, r->traffic.receives) : "";
}

static void add_sum(struct stats_page *page, struct table *table, const struct talk *talk,
		    bool back)
{
	struct account_route sum = {0};
	size_t count = 0;

	for (size_t i = 0; i < talk->pair->route_count; i++) {
		const struct account_route *r = talk->pair->routes[i];

		if (goes_back(talk, r) != back)
			continue;
		count++;
		sum.messages += r->messages;
		account_merge_traffic(&sum.traffic, &r->traffic);
		sum.bytes += r->bytes;
		sum.ambiguous += r->ambiguous;
		account_merge_effort(&sum.effort, &r->effort);
		histogram_merge(page->arena, &sum.latency, &r->latency);
	}
	if (count)
		add_route(page, table, &sum, back,
			  page_format(page,
				      page_say(page, count == 1 ? "%s channel" : "%s channels"),
				      page_count(page, count)));
}

static void add_routes(struct stats_page *page, struct table *table, const struct talk *talk)
{
	const struct account_pair *p = talk->pair;

	if (p->route_count > ROUTES_SHOWN && page->report->max) {
		add_sum(page, table, talk, false);
		add_sum(page, table, talk, true);
		return;
	}
	for (size_t i = 0; i < p->route_count; i++)
		add_route(page, table, p->routes[i], goes_back(talk, p->routes[i]),
			  page_channel(page, p->routes[i]->channel));
}

/* Returns a text about the pair's other calls, or an empty string. */
static const char *around(struct stats_page *page, const struct account_effort *effort)
{
	const uint64_t *calls = effort->calls;

	if (!calls[CALL_EMPTY] && !calls[CALL_WAIT])
		return "";
	return page_format(page, page_say(page, "; besides %s empty-handed and %s waiting calls"),
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
				       : page_format(page, page_say(page, "p50 %s, p95 %s, max %s"),
						     page_quantile(page, &pair->round_trip, 50),
						     page_quantile(page, &pair->round_trip, 95),
						     page_duration(page, pair->round_trip.max));
	table_add(page, table)->remark = page_format(
		page,
		page_say(page, "request and response: %s %s, %s; %s crossings (%s mode switches), "
			       "%s copies (%s into the kernel, %s out of it)%s"),
		page_count(page, pair->round_trips),
		page_say(page, pair->round_trips == 1 ? "round trip" : "round trips"), times,
		page_count(page, crossings), page_count(page, 2 * crossings),
		page_count(page, account_copies(e)), page_count(page, e->copies_to_kernel),
		page_count(page, e->copies_from_kernel), around(page, &pair->around));
}

void stats_print_pairs(struct stats_page *page)
{
	static const struct table_column columns[] = {
		{"", true, false},	     {"messages", false, false}, {"bytes", false, false},
		{"crossings", false, false}, {"copies", false, false},	 {"p50", false, false},
		{"p95", false, false},	     {"min", false, true},	 {"max", false, true},
		{"no copy", false, true},    {"sends", false, true},	 {"receives", false, true},
	};
	struct table table = {columns, sizeof(columns) / sizeof(*columns), NULL, 0};
	struct talks talks = collect_talks(page);
	size_t shown = talks.count, max = page->report->max;

	if (!talks.count)
		return;
	page_title(page, page_say(page, "Who talks to whom"),
		   page_say(page, "times: from the send's begin to the receive's end"));
	if (max && shown > max)
		shown = max;
	for (size_t i = 0; i < shown; i++) {
		add_heading(page, &table, talks.list[i]);
		add_routes(page, &table, talks.list[i]);
		add_requests(page, &table, talks.list[i]->pair);
	}
	table_print(page, &table);
	page_more(page, talks.count - shown, page_say(page, "pairs"));
}
