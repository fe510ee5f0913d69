// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Prints the tables of waiting, of shared memory and its synchronisation, and of bytes. */
#include <inttypes.h>
#include <stdlib.h>

#include "viz/base/compare.h"
#include "viz/report/table.h"

enum { WAKERS_SHOWN = 4 };

/* --- waiting --- */

static int by_sleep(const void *a, const void *b)
{
	const struct account_end *x = *(struct account_end *const *)a;
	const struct account_end *y = *(struct account_end *const *)b;

	return COMPARE(y->effort.slept_ns, x->effort.slept_ns) ?: COMPARE(x->index, y->index);
}

static int by_times(const void *a, const void *b)
{
	const struct account_waker *x = *(struct account_waker *const *)a;
	const struct account_waker *y = *(struct account_waker *const *)b;

	return COMPARE(y->times, x->times);
}

static const char *wakers_of(struct stats_page *page, const struct account_end *end)
{
	const char *text = "";

	if (end->waker_count)
		qsort(end->wakers, end->waker_count, sizeof(struct account_waker *), by_times);
	for (size_t i = 0; i < end->waker_count && i < WAKERS_SHOWN; i++) {
		const struct account_waker *w = end->wakers[i];
		const char *who = w->process ? page_party(page, SIDE_PROCESS, w->process, 0)
					     : page_say(page, "not known");

		text = page_format(page, "%s%s%s %s×", text, i ? ", " : "", who,
				   page_count(page, w->times));
	}
	if (end->waker_count > WAKERS_SHOWN)
		text = page_format(page, "%s, …", text);
	return text;
}

static void add_sleeper(struct stats_page *page, struct table *table, const struct account_end *end)
{
	struct table_row *row = table_add(page, table);
	bool waits = end->waits_since_ns != VIZ_NEVER;

	row->cells[0] = page_party(page, SIDE_PROCESS, end->process, 0);
	row->cells[1] = end->channel ? page_channel(page, end->channel)
				     : page_say(page, "(no channel)");
	row->cells[2] = page_count(page, end->effort.sleeps);
	row->cells[3] = page_duration(page, end->effort.slept_ns);
	row->cells[4] = page_format(page, "%s%s", wakers_of(page, end),
				    waits ? page_say(page, ", still waits") : "");
}

/*
 * Selects the ends to list. Ends without a channel (pause, sigsuspend, wait4) are listed only if a
 * process in the trace woke them.
 */
static bool is_sleeper(const struct account_end *end)
{
	bool known = end->channel != NULL;

	for (size_t i = 0; i < end->waker_count; i++)
		known |= end->wakers[i]->process != NULL;
	return end->shown && end->effort.slept_ns && known;
}

void stats_print_waiting(struct stats_page *page)
{
	static const struct table_column columns[] = {{"process", true, false},
						      {"at", true, false},
						      {"sleeps", false, false},
						      {"asleep", false, false},
						      {"woken by", true, false}};
	struct table table = {columns, sizeof(columns) / sizeof(*columns), NULL, 0};
	const struct account *account = page->report->account;
	struct account_end **list = arena_array(page->arena, account->end_count + 1,
						sizeof(struct account_end *));
	size_t count = 0, max = page->report->max;

	for (size_t i = 0; i < account->end_count; i++)
		if (is_sleeper(account->ends[i]))
			list[count++] = account->ends[i];
	if (!count)
		return;
	qsort(list, count, sizeof(*list), by_sleep);
	for (size_t i = 0; i < count && (!max || i < max); i++)
		add_sleeper(page, &table, list[i]);
	page_title(page, page_say(page, "Waiting"),
		   page_say(page, "asleep in calls, and who ended that"));
	table_print(page, &table);
	page_more(page, count - table.row_count, page_say(page, "rows"));
}

/* --- shared memory, and what guards it --- */

static bool is_memory(const struct account_end *end)
{
	const struct mechanism_info *info;

	if (!end->channel || !end->shown)
		return false;
	info = mechanism_info(end->channel->mechanism);
	return info->form == FORM_MEMORY ||
	       ((info->policy == POLICY_NONE || info->policy == POLICY_WAKE) &&
		info->direction == DIRECTION_TWO_WAY &&
		end->effort.calls[CALL_WAIT] + end->effort.calls[CALL_WAKE] > 0);
}

static void add_memory(struct stats_page *page, struct table *table, const struct account_end *end)
{
	struct table_row *row = table_add(page, table);
	bool memory = mechanism_info(end->channel->mechanism)->form == FORM_MEMORY;
	uint64_t size = end->channel->channel ? end->channel->channel->capacity : 0;

	row->cells[0] = page_channel(page, end->channel);
	row->cells[1] = page_party(page, SIDE_PROCESS, end->process, 0);
	row->cells[2] = memory && size ? page_bytes(page, size) : "";
	row->cells[3] = page_count(page, account_copies(&end->effort));
	row->cells[4] = memory ? "" : page_count(page, end->effort.calls[CALL_WAIT]);
	row->cells[5] = memory ? "" : page_count(page, end->effort.calls[CALL_WAKE]);
	row->cells[6] = memory ? "" : page_duration(page, end->effort.slept_ns);
}

void stats_print_memory(struct stats_page *page)
{
	static const struct table_column columns[] = {
		{"object", true, false},  {"process", true, false}, {"size", false, false},
		{"copies", false, false}, {"waits", false, false},  {"wakes", false, false},
		{"asleep", false, false},
	};
	struct table table = {columns, sizeof(columns) / sizeof(*columns), NULL, 0};
	const struct account *account = page->report->account;
	size_t left_out = 0, max = page->report->max;

	for (size_t i = 0; i < account->end_count; i++) {
		if (!is_memory(account->ends[i]))
			continue;
		if (max && table.row_count >= max)
			left_out++;
		else
			add_memory(page, &table, account->ends[i]);
	}
	if (!table.row_count)
		return;
	page_title(page, page_say(page, "Shared memory and synchronisation"),
		   page_say(page, "using mapped memory takes no call and no copy"));
	table_print(page, &table);
	page_more(page, left_out, page_say(page, "rows"));
}

/* --- bytes --- */

static const char *or_dash(struct stats_page *page, uint64_t bytes)
{
	return bytes ? page_bytes(page, bytes) : "-";
}

static const char *balance_verdict(const struct stats_page *page,
				   const struct account_balance *balance)
{
	return account_balances(balance) ? page_say(page, "yes") : page_say(page, "NO");
}

static void add_balance_row(struct stats_page *page, struct table *table, const char *name,
			    const struct account_balance *b, const struct account_lost *lost,
			    const char *peak)
{
	struct table_row *row = table_add(page, table);

	row->cells[0] = name;
	row->cells[1] = page_bytes(page, b->sent);
	row->cells[2] = page_bytes(page, b->received);
	row->cells[3] = or_dash(page, lost->unread);
	row->cells[4] = or_dash(page, lost->discarded + lost->dropped + lost->cut);
	row->cells[5] = balance_verdict(page, b);
	row->cells[6] = peak;
	row->cells[7] = or_dash(page, b->to_outside);
	row->cells[8] = or_dash(page, b->from_outside);
}

static const char *peak_of(struct stats_page *page, const struct account_channel *channel)
{
	bool queue = mechanism_info(channel->mechanism)->policy == POLICY_QUEUE;
	const struct account_channel *full = channel;
	const char *most;

	if (channel->peer && channel->peer->peak > channel->peak)
		full = channel->peer;
	if (!full->peak)
		return "-";
	most = queue ? page_count(page, full->peak) : page_bytes(page, full->peak);
	if (queue || !full->channel->capacity)
		return page_format(page, "%s%s", most, full->peak_reported ? "" : " ~");
	return page_format(page, page_say(page, "%s of %s"), most,
			   page_bytes(page, full->channel->capacity));
}

static bool has_balance(const struct account_channel *channel)
{
	struct account_balance b = stats_balance(channel);

	return stats_stands(channel) && account_keeps_balance(channel) &&
	       (b.sent || b.received || b.unfinished || channel->messages);
}

void stats_print_balance(struct stats_page *page)
{
	static const struct table_column columns[] = {
		{"channel", true, false},      {"sent", false, false},
		{"received", false, false},    {"unread", false, false},
		{"lost", false, false},	       {"balance", true, false},
		{"most in it", false, true},   {"to outside", false, true},
		{"from outside", false, true},
	};
	struct table table = {columns, sizeof(columns) / sizeof(*columns), NULL, 0};
	const struct account *account = page->report->account;
	const struct account_balance *b = &account->balance;
	const struct account_lost all = {b->unread, b->discarded, b->dropped, b->cut};
	size_t left_out = 0, max = page->report->max;

	for (size_t i = 0; i < account->channel_count; i++) {
		const struct account_channel *channel = account->channels[i];
		struct account_balance balance = stats_balance(channel);
		struct account_lost lost = stats_lost(channel);

		if (!has_balance(channel))
			continue;
		if (max && table.row_count >= max)
			left_out++;
		else
			add_balance_row(page, &table, page_channel(page, channel), &balance, &lost,
					peak_of(page, channel));
	}
	if (!table.row_count)
		return;
	add_balance_row(page, &table, page_say(page, "in all"), b, &all, "");
	page_title(page, page_say(page, "Bytes"),
		   page_say(page, "sent = received here + unread + lost + to outside"));
	table_print(page, &table);
	page_more(page, left_out, page_say(page, "channels"));
}
