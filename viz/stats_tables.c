// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Waiting, bytes, what kind of communication it was, and what is not known. */
#include <inttypes.h>
#include <stdlib.h>

#include "classify.h"
#include "stats_page.h"

enum { WAKERS_SHOWN = 4, NAME_MOST = 32 };

/* --- waiting --- */

static int by_sleep(const void *a, const void *b)
{
	const struct account_end *x = *(struct account_end *const *)a;
	const struct account_end *y = *(struct account_end *const *)b;

	if (x->effort.slept_ns != y->effort.slept_ns)
		return x->effort.slept_ns < y->effort.slept_ns ? 1 : -1;
	return (x->index > y->index) - (x->index < y->index);
}

static int by_times(const void *a, const void *b)
{
	const struct account_waker *x = *(struct account_waker *const *)a;
	const struct account_waker *y = *(struct account_waker *const *)b;

	return (x->times < y->times) - (x->times > y->times);
}

static const char *wakers_of(struct stats_page *page, const struct account_end *end)
{
	const char *text = "";

	if (end->waker_count)
		qsort(end->wakers, end->waker_count, sizeof(struct account_waker *), by_times);
	for (size_t i = 0; i < end->waker_count && i < WAKERS_SHOWN; i++) {
		const struct account_waker *w = end->wakers[i];
		const char *who = w->process ? page_party(page, SIDE_PROCESS, w->process, 0)
					     : "not known";

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
	row->cells[1] = end->channel ? page_channel(page, end->channel) : "(no channel)";
	row->cells[2] = page_count(page, end->effort.sleeps);
	row->cells[3] = page_duration(page, end->effort.slept_ns);
	row->cells[4] = page_format(page, "%s%s", wakers_of(page, end),
				    waits ? ", still waits" : "");
}

/* Of calls on no channel (pause, sigsuspend, wait4) only those that a call in the trace ended. */
static bool is_sleeper(const struct account_end *end)
{
	bool told = end->channel != NULL;

	for (size_t i = 0; i < end->waker_count; i++)
		told |= end->wakers[i]->process != NULL;
	return end->shown && end->effort.slept_ns && told;
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
	page_title(page, "Waiting", "asleep in calls, and whose call ended it");
	table_print(page, &table);
	page_more(page, count - table.row_count, "rows");
}

/* --- shared memory, and what guards it --- */

static bool is_memory(const struct account_end *end)
{
	const struct mechanism_info *info;

	if (!end->channel || !end->shown)
		return false;
	info = mechanism_info(end->channel->mechanism);
	return info->form == FORM_MEMORY ||
	       (info->policy == POLICY_NONE && info->direction == DIRECTION_TWO_WAY &&
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
	page_title(page, "Shared memory and synchronisation",
		   "using mapped memory takes no call and no copy");
	table_print(page, &table);
	page_more(page, left_out, "rows");
}

/* --- bytes --- */

static const char *or_dash(struct stats_page *page, uint64_t bytes)
{
	return bytes ? page_bytes(page, bytes) : "-";
}

static const char *balance(const struct account_books *books)
{
	return account_balances(books) ? "yes" : "NO";
}

static void add_books_row(struct stats_page *page, struct table *table, const char *name,
			  const struct account_books *b, const char *peak)
{
	struct table_row *row = table_add(page, table);

	row->cells[0] = name;
	row->cells[1] = page_bytes(page, b->sent);
	row->cells[2] = page_bytes(page, b->received);
	row->cells[3] = or_dash(page, b->unread);
	row->cells[4] = or_dash(page, b->discarded + b->dropped + b->cut);
	row->cells[5] = balance(b);
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
		return page_format(page, "%s%s", most, full->peak_told ? "" : " ~");
	return page_format(page, "%s of %s", most, page_bytes(page, full->channel->capacity));
}

static bool has_books(const struct account_channel *channel)
{
	struct account_books b = stats_books(channel);

	return stats_stands(channel) && account_keeps_books(channel) &&
	       (b.sent || b.received || b.unfinished || channel->messages);
}

void stats_print_books(struct stats_page *page)
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
	size_t left_out = 0, max = page->report->max;

	for (size_t i = 0; i < account->channel_count; i++) {
		const struct account_channel *channel = account->channels[i];
		struct account_books books = stats_books(channel);

		if (!has_books(channel))
			continue;
		if (max && table.row_count >= max)
			left_out++;
		else
			add_books_row(page, &table, page_channel(page, channel), &books,
				      peak_of(page, channel));
	}
	if (!table.row_count)
		return;
	add_books_row(page, &table, "in all", &account->books, "");
	page_title(page, "Bytes", "sent = received here + unread + lost + to outside");
	table_print(page, &table);
	page_more(page, left_out, "channels");
}

/* --- kinds --- */

static const char *words_of(struct stats_page *page, const struct property *properties,
			    size_t count)
{
	const char *text = "";

	for (size_t i = 0; i < count; i++)
		text = page_format(page, "%s%s%s", text, i ? " · " : "", properties[i].value);
	return text;
}

static void print_reasons(struct stats_page *page, const struct property *properties, size_t count)
{
	for (size_t i = 0; i < count; i++)
		page_text(page, 6, "- ",
			  page_format(page, "%s: %s (%s)", properties[i].name, properties[i].value,
				      properties[i].why),
			  TEXT_PLAIN);
}

/* Channels of one mechanism that are judged alike are told once. */
struct kind {
	const char *words;
	const struct account_channel *first;
	uint64_t channels;
};

static void add_kind(struct stats_page *page, struct map *known, struct kind ***kinds,
		     size_t *count, const struct account_channel *channel)
{
	struct property properties[PROPERTIES_MAX];
	size_t properties_count = classify(channel, properties);
	const char *words;
	struct kind *kind;

	if (!properties_count)
		return;
	words = page_format(page, "%s: %s", mechanism_info(channel->mechanism)->name,
			    words_of(page, properties, properties_count));
	kind = map_get(known, viz_bytes_of(words));
	if (!kind) {
		kind = arena_alloc(page->arena, sizeof(*kind));
		kind->words = words;
		kind->first = channel;
		map_put(page->arena, known, viz_bytes_of(words), kind);
		ARENA_PUSH(page->arena, *kinds, *count, kind);
	}
	kind->channels++;
}

static void print_kind(struct stats_page *page, const struct kind *kind)
{
	const char *name = page_channel(page, kind->first);

	if (kind->channels > 1)
		name = page_format(page, "%s and %s like it", name,
				   page_count(page, kind->channels - 1));
	page_text(page, 2, "", name, TEXT_CYAN);
	page_text(page, 4, "", strchr(kind->words, ' ') + 1, TEXT_PLAIN);
}

static void print_explained(struct stats_page *page, const struct account_channel *channel)
{
	struct property properties[PROPERTIES_MAX];
	size_t count = classify(channel, properties);

	page_text(page, 2, "", page_channel(page, channel), TEXT_CYAN);
	print_reasons(page, properties, count);
}

static void print_all_explained(struct stats_page *page)
{
	const struct account *account = page->report->account;
	struct property properties[PROPERTIES_MAX];
	size_t shown = 0, left_out = 0;

	for (size_t i = 0; i < account->channel_count; i++) {
		const struct account_channel *channel = account->channels[i];

		if (!stats_stands(channel) || !classify(channel, properties))
			continue;
		if (page->report->max && shown == page->report->max) {
			left_out++;
			continue;
		}
		print_explained(page, channel);
		shown++;
	}
	page_more(page, left_out, "channels");
}

void stats_print_kinds(struct stats_page *page)
{
	const struct account *account = page->report->account;
	struct kind **kinds = NULL;
	struct map known = {0};
	size_t count = 0, max = page->report->max;

	for (size_t i = 0; i < account->channel_count; i++)
		if (stats_stands(account->channels[i]))
			add_kind(page, &known, &kinds, &count, account->channels[i]);
	if (!count)
		return;
	page_title(page, "What kind of communication it was",
		   page->report->explain ? "and how that is known" : "--explain says why");
	if (page->report->explain) {
		print_all_explained(page);
		return;
	}
	for (size_t i = 0; i < count && (!max || i < max); i++)
		print_kind(page, kinds[i]);
	page_more(page, max && count > max ? count - max : 0, "kinds");
}

/* --- what is not known --- */

static void note(struct stats_page *page, const char *text)
{
	page_text(page, 4, "! ", text, TEXT_YELLOW);
}

static void note_channel(struct stats_page *page, const struct account_channel *channel)
{
	const char *why = stats_doubt(page->report, channel);

	if (why)
		note(page,
		     page_format(page, "%s: %s of %s messages could be paired otherwise too: %s",
				 page_channel(page, channel), page_count(page, channel->ambiguous),
				 page_count(page, channel->messages), why));
	if (channel->gaps)
		note(page,
		     page_format(page, "%s: records are missing; %s %s have no certain sender",
				 page_channel(page, channel), page_count(page, channel->gap_units),
				 mechanism_info(channel->mechanism)->form == FORM_STREAM
					 ? "bytes"
					 : "messages"));
}

void stats_print_notes(struct stats_page *page)
{
	const struct viz_model *model = page->report->model;
	const struct account *account = page->report->account;

	page_blank(page);
	if (model->warning.data)
		note(page, page_harmless(page, model->warning));
	if (model->lost_total)
		note(page, page_format(page, "%s records were lost: figures are too small",
				       page_count(page, model->lost_total)));
	if (!account_balances(&account->books))
		note(page, "what was sent and what was received do not balance");
	for (size_t i = 0; i < account->channel_count; i++)
		if (account->channels[i]->shown)
			note_channel(page, account->channels[i]);
}
