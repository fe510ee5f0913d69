// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What both ways of printing an account need: the page's frame, doubts, connections. */
#include "stats.h"

#include <errno.h>
#include <stdlib.h>

#include "stats_page.h"

bool stats_stands(const struct account_channel *channel)
{
	return channel->shown &&
	       (!channel->peer || channel->index < channel->peer->index || !channel->peer->shown);
}

struct account_books stats_books(const struct account_channel *channel)
{
	struct account_books sum = channel->books;

	if (channel->peer)
		account_add_books(&sum, &channel->peer->books);
	return sum;
}

static bool several(const struct account_channel *channel, bool senders)
{
	if (senders)
		return channel->senders > 1 || channel->threads_send;
	return channel->receivers > 1 || channel->threads_receive;
}

static bool was_there(const struct viz_channel *channel)
{
	return channel && (channel->found || (channel->peer && channel->peer->found));
}

const char *stats_doubt(const struct stats_report *report, const struct account_channel *channel)
{
	bool senders = several(channel, true) || (channel->peer && several(channel->peer, true));
	bool receivers = several(channel, false) ||
			 (channel->peer && several(channel->peer, false));

	if (!channel->ambiguous)
		return NULL;
	if (report->model->lost_total || channel->gaps)
		return "records were lost";
	if (senders && receivers)
		return "several send and several receive at once";
	if (senders)
		return "several send at once";
	if (receivers)
		return "several receive at once";
	if (was_there(channel->channel))
		return "it was in use before tracing began: it may have held data, or have other "
		       "users";
	return "what is known of the two sides contradicts itself, or is not enough";
}

/* --- the frame --- */

static void print_command(struct stats_page *page)
{
	const struct viz_header *header = &page->report->model->header;
	const struct account *account = page->report->account;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	const char *command = "";

	for (size_t i = 0; out && i < header->command_count; i++)
		scene_put_word(out, header->command[i].data, header->command[i].len, i == 0);
	if (out && fclose(out) == 0 && len)
		command = page_format(page, " · %s",
				      page_harmless(page, (struct viz_bytes){text, len}));
	free(text);
	page_text(page, 0, "",
		  page_format(page, "ipclens stats%s · %s %s (%s) · %s %s · %s", command,
			      page_count(page, account->messages),
			      account->messages == 1 ? "message" : "messages",
			      page_bytes(page, account->bytes), page_count(page, account->signals),
			      account->signals == 1 ? "signal" : "signals",
			      page_duration(page, account->last_ns > account->first_ns
							  ? account->last_ns - account->first_ns
							  : 0)),
		  TEXT_BOLD);
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

	calls = join(page, calls, account_crossings(e), "transfer data");
	calls = join(page, calls, e->calls[CALL_LOOK], "look at it");
	calls = join(page, calls, e->calls[CALL_EMPTY], "are empty-handed");
	calls = join(page, calls, e->calls[CALL_WAIT], "wait");
	calls = join(page, calls, e->calls[CALL_WAKE], "wake others");
	calls = join(page, calls, e->calls[CALL_OTHER], "open, close or arrange");
	calls = join(page, calls, unfinished, "did not return");
	page_text(page, 2, "",
		  page_format(page, "%s calls, %s mode switches%s%s", page_count(page, all),
			      page_count(page, 2 * all - unfinished), *calls ? ": " : "", calls),
		  TEXT_PLAIN);
	copies = join_bytes(page, copies, e->copies_to_kernel, "into the kernel",
			    e->bytes_to_kernel);
	copies = join_bytes(page, copies, e->copies_from_kernel, "out of it", e->bytes_from_kernel);
	copies = join_bytes(page, copies, e->copies_direct, "from process to process",
			    e->bytes_direct);
	page_text(page, 2, "",
		  page_format(page, "%s copies%s%s%s", page_count(page, account_copies(e)),
			      *copies ? ": " : "", copies,
			      e->bytes_uncopied ? page_format(page, "; %s moved without a copy",
							      page_bytes(page, e->bytes_uncopied))
						: ""),
		  TEXT_PLAIN);
}

int stats_print(FILE *out, const struct stats_report *report)
{
	struct stats_page page = {.report = report, .arena = arena_new()};
	int err = text_canvas_begin(&page.canvas, out, report->width, report->utf8, report->colour);

	if (!err) {
		print_command(&page);
		print_effort(&page);
		stats_print_pairs(&page);
		stats_print_signals(&page);
		stats_print_latency(&page);
		stats_print_waiting(&page);
		stats_print_memory(&page);
		stats_print_books(&page);
		stats_print_kinds(&page);
		stats_print_notes(&page);
		text_canvas_end(&page.canvas);
		err = ferror(out) ? -EIO : 0;
	}
	arena_free(page.arena);
	return err;
}
