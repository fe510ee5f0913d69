// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Prints the classification of channels, and notes on what is not known. */
#include "viz/account/classify.h"
#include "viz/report/table.h"

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

/* Channels of one mechanism with the same classification, printed once. */
struct kind {
	const char *words;
	const struct account_channel *first;
	uint64_t channels;
};

static void add_kind(struct stats_page *page, struct map *known, struct kind ***kinds,
		     size_t *count, const struct account_channel *channel)
{
	struct property properties[PROPERTIES_MAX];
	size_t properties_count = classify(channel, page->report->language, properties);
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
		name = page_format(page, page_say(page, "%s and %s like it"), name,
				   page_count(page, kind->channels - 1));
	page_text(page, 2, "", name, TEXT_CYAN);
	page_text(page, 4, "", strchr(kind->words, ' ') + 1, TEXT_PLAIN);
}

static void print_explained(struct stats_page *page, const struct account_channel *channel)
{
	struct property properties[PROPERTIES_MAX];
	size_t count = classify(channel, page->report->language, properties);

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

		if (!stats_stands(channel) ||
		    !classify(channel, page->report->language, properties))
			continue;
		if (page->report->max && shown == page->report->max) {
			left_out++;
			continue;
		}
		print_explained(page, channel);
		shown++;
	}
	page_more(page, left_out, page_say(page, "channels"));
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
	page_title(page, page_say(page, "What kind of communication it was"),
		   page_say(page, page->report->explain ? "and how that is known"
							: "--explain says why"));
	if (page->report->explain) {
		print_all_explained(page);
		return;
	}
	for (size_t i = 0; i < count && (!max || i < max); i++)
		print_kind(page, kinds[i]);
	page_more(page, max && count > max ? count - max : 0, page_say(page, "kinds"));
}

/* --- what is not known --- */

static void note(struct stats_page *page, const char *text)
{
	page_text(page, 4, "! ", text, TEXT_YELLOW);
}

static void note_channel(struct stats_page *page, const struct account_channel *channel)
{
	const char *why = stats_ambiguity(page->report, channel);

	if (why)
		note(page,
		     page_format(
			     page,
			     page_say(page,
				      "%s: %s of %s messages could be paired otherwise too: %s"),
			     page_channel(page, channel), page_count(page, channel->ambiguous),
			     page_count(page, channel->messages), why));
	if (channel->balance.unfinished && account_keeps_balance(channel))
		note(page,
		     page_format(page,
				 page_say(page,
					  "%s: %s were taken of a send that never returned: what "
					  "it has sent beyond that is not counted"),
				 page_channel(page, channel),
				 page_bytes(page, channel->balance.unfinished)));
	if (channel->gaps)
		note(page,
		     page_format(page,
				 page_say(page,
					  "%s: records are missing; %s %s have no certain sender"),
				 page_channel(page, channel), page_count(page, channel->gap_units),
				 mechanism_info(channel->mechanism)->form == FORM_STREAM
					 ? page_say(page, "bytes")
					 : page_say(page, "messages")));
}

static void note_unseen(struct stats_page *page)
{
	const struct viz_model *model = page->report->model;
	size_t max = page->report->max;

	for (size_t i = 0; i < model->unseen_count && (!max || i < max); i++) {
		const struct viz_unseen *unseen = model->unseen[i];

		note(page,
		     page_format(
			     page,
			     page_say(page, "%s: not all that it does is seen, nor counted (%s)"),
			     page_party(page, SIDE_PROCESS, unseen->process, 0),
			     unseen->what ? unseen_name(unseen->what) : "?"));
	}
}

static void note_pauses(struct stats_page *page)
{
	const struct viz_model *model = page->report->model;
	const char *paused = page_duration(page, model->paused_ns);

	if (model->pause_count == 1)
		note(page,
		     page_format(page,
				 page_say(page, "the command was held for %s (--lossless): waits "
						"and times include it"),
				 paused));
	else if (model->pause_count)
		note(page, page_format(page,
				       page_say(page, "the command was held %s times, %s in all "
						      "(--lossless): waits and times include that"),
				       page_count(page, model->pause_count), paused));
}

void stats_print_notes(struct stats_page *page)
{
	const struct viz_model *model = page->report->model;
	const struct account *account = page->report->account;

	page_blank(page);
	if (model->warning[page->report->language].data)
		note(page, page_harmless(page, model->warning[page->report->language]));
	if (model->lost_total)
		note(page,
		     page_format(page,
				 page_say(page, "%s records were lost: figures are too small"),
				 page_count(page, model->lost_total)));
	if (model->lost_in_ring)
		note(page, page_say(page, "with --lossless (run, record) none is lost"));
	note_pauses(page);
	note_unseen(page);
	if (!account_balances(&account->balance))
		note(page, page_say(page, "what was sent and what was received do not balance"));
	for (size_t i = 0; i < account->channel_count; i++)
		if (account->channels[i]->shown)
			note_channel(page, account->channels[i]);
}
