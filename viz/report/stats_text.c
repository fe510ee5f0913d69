// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Prints an account for a terminal: the head of the page, then the sections in order. */

#include <stdlib.h>

#include "viz/base/memory.h"
#include "viz/report/table.h"

/* --- the frame --- */

static const char *counted(struct stats_page *page, uint64_t n, const char *one, const char *many)
{
	return page_format(page, "%s %s", page_count(page, n), n == 1 ? one : many);
}

/* "4 messages", or if these are pieces "1 send, 4 receives, 4 pieces" */
static const char *traffic_words(struct stats_page *page, const struct account_traffic *traffic)
{
	if (!traffic->further)
		return counted(page, traffic->messages, page_say(page, "message"),
			       page_say(page, "messages"));
	return page_format(
		page, "%s, %s, %s",
		counted(page, traffic->sends, page_say(page, "send"), page_say(page, "sends")),
		counted(page, traffic->receives, page_say(page, "receive"),
			page_say(page, "receives")),
		counted(page, traffic->messages, page_say(page, "piece"),
			page_say(page, "pieces")));
}

static void print_command(struct stats_page *page)
{
	const struct viz_header *header = &page->report->model->header;
	const struct account *account = page->report->account;
	char *text = NULL;
	size_t len = 0;
	FILE *out = memory_stream(&text, &len);
	const char *command = "";

	for (size_t i = 0; i < header->command_count; i++)
		scene_put_word(out, header->command[i].data, header->command[i].len, i == 0);
	memory_stream_end(out);
	if (len)
		command = page_format(page, " · %s",
				      page_harmless(page, (struct viz_bytes){text, len}));
	free(text);
	page_text(page, 0, "",
		  page_format(page, "ipclens stats%s · %s (%s) · %s %s · %s", command,
			      traffic_words(page, &account->traffic),
			      page_bytes(page, account->bytes), page_count(page, account->signals),
			      account->signals == 1 ? page_say(page, "signal")
						    : page_say(page, "signals"),
			      page_duration(page, account->last_ns > account->first_ns
							  ? account->last_ns - account->first_ns
							  : 0)),
		  TEXT_BOLD);
}

static void print_clocks(struct stats_page *page)
{
	const struct viz_model *model = page->report->model;
	char buf[VIZ_CLOCK_TEXT];

	for (size_t i = 0; i < model->host_count; i++) {
		const char *text = viz_host_clock(model->hosts[i], page->report->language, buf);

		if (text)
			page_text(page, 2, "", page_harmless(page, viz_bytes_of(text)), TEXT_PLAIN);
	}
}

static const char *join(struct stats_page *page, const char *text, uint64_t n, const char *what)
{
	if (!n)
		return text;
	return page_format(page, "%s%s%s %s", text, *text ? ", " : "", page_count(page, n), what);
}

static const char *join_bytes(struct stats_page *page, const char *text, uint64_t n,
			      const char *what, uint64_t bytes)
{
	return n ? page_format(page, "%s (%s)", join(page, text, n, what), page_bytes(page, bytes))
		 : text;
}

static void print_effort(struct stats_page *page)
{
	const struct account_effort *e = &page->report->account->effort;
	uint64_t all = account_all_calls(e), unfinished = e->calls[CALL_UNFINISHED];
	const char *calls = "", *copies = "";

	calls = join(page, calls, account_crossings(e), page_say(page, "transfer data"));
	calls = join(page, calls, e->calls[CALL_LOOK], page_say(page, "look at it"));
	calls = join(page, calls, e->calls[CALL_EMPTY], page_say(page, "came back empty-handed"));
	calls = join(page, calls, e->calls[CALL_WAIT], page_say(page, "wait"));
	calls = join(page, calls, e->calls[CALL_WAKE], page_say(page, "wake others"));
	calls = join(page, calls, e->calls[CALL_OTHER], page_say(page, "open, close or arrange"));
	calls = join(page, calls, unfinished, page_say(page, "did not return"));
	page_text(page, 2, "",
		  page_format(page, page_say(page, "%s calls, %s mode switches%s%s"),
			      page_count(page, all), page_count(page, 2 * all - unfinished),
			      *calls ? ": " : "", calls),
		  TEXT_PLAIN);
	copies = join_bytes(page, copies, e->copies_to_kernel, page_say(page, "into the kernel"),
			    e->bytes_to_kernel);
	copies = join_bytes(page, copies, e->copies_from_kernel, page_say(page, "out of it"),
			    e->bytes_from_kernel);
	copies = join_bytes(page, copies, e->copies_direct,
			    page_say(page, "from process to process"), e->bytes_direct);
	page_text(
		page, 2, "",
		page_format(page, page_say(page, "%s copies%s%s%s"),
			    page_count(page, account_copies(e)), *copies ? ": " : "", copies,
			    e->bytes_uncopied
				    ? page_format(page, page_say(page, "; %s moved without a copy"),
						  page_bytes(page, e->bytes_uncopied))
				    : ""),
		TEXT_PLAIN);
}

int stats_print(FILE *out, const struct stats_report *report)
{
	struct stats_page page = {.report = report, .arena = arena_new()};

	text_canvas_begin(&page.canvas, out, report->width, report->utf8, report->colour);
	print_command(&page);
	print_effort(&page);
	print_clocks(&page);
	stats_print_pairs(&page);
	stats_print_signals(&page);
	stats_print_latency(&page);
	stats_print_waiting(&page);
	stats_print_memory(&page);
	stats_print_balance(&page);
	stats_print_kinds(&page);
	stats_print_notes(&page);
	text_canvas_end(&page.canvas);
	arena_free(page.arena);
	return ferror(out) ? -EIO : 0;
}
