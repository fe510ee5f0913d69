// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/report/live_lines.h"

#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "viz/base/error.h"
#include "viz/base/memory.h"
#include "viz/base/safe_text.h"
#include "viz/base/terminal.h"
#include "viz/pair/stream.h"
#include "viz/protocol/talks.h"

#define PAYLOAD_SHOWN 48
#define WAIT_MS 50

struct live {
	FILE *out;
	const struct viz_filter *filter;
	struct protocol_talks talks;
	enum language language;
	uint64_t start_ns;
	bool utf8;
};

static int begin(void *data, const struct viz_model *model)
{
	struct live *live = data;

	live->start_ns = model->header.start_ns;
	return 0;
}

static int hear(void *data, const struct viz_operation *op)
{
	struct live *live = data;

	protocol_hear(&live->talks, op);
	return 0;
}

static void put_end(const struct live *live, FILE *line, const struct viz_end *end,
		    const char *nobody)
{
	char number[VIZ_NUMBER], whole[VIZ_NAME];
	struct viz_bytes comm = viz_process_name(end->process, end->comm, whole);
	char *name = comm.data ? scene_harmless(comm.data, comm.len) : NULL;

	if (!end->known)
		fputs(language_say(live->language, nobody), line);
	else if (end->process)
		fprintf(line, "%s[%s]", name ? name : "pid",
			viz_process_number(end->process, number));
	else
		fprintf(line, "%s[%" PRIu32 "]", name ? name : "pid", end->pid);
	free(name);
}

static uint64_t time_of(const struct viz_message *m)
{
	if (m->to.timed)
		return m->signal || m->to.exit_ns == VIZ_NEVER ? m->to.enter_ns : m->to.exit_ns;
	return m->from.timed			  ? m->from.enter_ns
	       : m->signal && m->signal->generate ? m->signal->generate->at_ns
						  : 0;
}

static void put_what(const struct live *live, FILE *line, const struct viz_message *m)
{
	char *name = m->signal ? scene_harmless(m->signal->name.data, m->signal->name.len) : NULL;
	char buf[SCENE_QUANTITY];

	scene_bytes(m->bytes, buf);
	if (m->signal)
		fprintf(line, " %s", name ? name : language_say(live->language, "signal"));
	else
		fprintf(line, " %s %s", mechanism_info(m->mechanism)->name,
			language_number(live->language, buf));
	free(name);
	if (m->match != MATCH_EXACT)
		putc('?', line);
}

static void put_payload(FILE *line, const struct viz_message *m)
{
	const struct viz_bytes *bytes = m->from.payload.len ? &m->from.payload : &m->to.payload;
	size_t len = bytes->len < PAYLOAD_SHOWN ? bytes->len : PAYLOAD_SHOWN;
	const char *protocol;
	char *text = protocol_summary(m, &protocol);

	if (!text && len && m->bytes)
		text = scene_quote(bytes->data, len, m->bytes);
	if (text)
		fprintf(line, " %s", text);
	free(text);
}

static void put_line(const struct live *live, char *text)
{
	for (char *at = text; !live->utf8 && *at; at++)
		if (*at & 0x80)
			*at = '?';
	fputs(text, live->out);
	fflush(live->out);
}

/* Each line is one write, since the traced command may write to the same file. */
static int print_message(void *data, const struct viz_message *m)
{
	const struct live *live = data;
	uint64_t at_ns = time_of(m);
	char *text = NULL, at[SCENE_QUANTITY];
	size_t len = 0;
	FILE *line;

	if (!viz_filter_message(live->filter, m))
		return 0;
	line = memory_stream(&text, &len);
	snprintf(at, sizeof(at), "+%.6f ",
		 at_ns > live->start_ns ? (double)(at_ns - live->start_ns) / 1e9 : 0.0);
	fputs(language_number(live->language, at), line);
	put_end(live, line, &m->from, m->signal ? "(kernel)" : "(outside)");
	fputs(" -> ", line);
	put_end(live, line, &m->to, m->fate != FATE_NONE ? "(nobody)" : "(outside)");
	put_what(live, line, m);
	put_payload(line, m);
	if (m->fate != FATE_NONE)
		fprintf(line, " %s", language_say(live->language, fate_name(m->fate)));
	putc('\n', line);
	memory_stream_end(line);
	put_line(live, text);
	free(text);
	return 0;
}

static int print_gap(void *data, const struct viz_gap *gap)
{
	const struct live *live = data;

	if (viz_filter_channel(live->filter, gap->channel))
		fprintf(live->out,
			language_say(live->language,
				     "ipclens: %s: %" PRIu64
				     " %s have no certain sender: records are lost\n"),
			mechanism_info(gap->mechanism)->name, gap->units,
			language_say(live->language, gap->bytes ? "bytes" : "messages"));
	return 0;
}

/*
 * Waits for the header, without which there is nothing to follow. Returns false if it will not
 * come.
 */
static bool wait_for_header(FILE *trace, int ends)
{
	struct pollfd wait = {.fd = ends, .events = POLLIN};
	struct stat status;

	for (bool last = false;; last = poll(&wait, 1, WAIT_MS) > 0) {
		if (fstat(fileno(trace), &status))
			return false;
		if (status.st_size > 0 || last)
			return status.st_size > 0;
	}
}

int live_print(FILE *out, FILE *trace, int ends, const struct viz_filter *filter,
	       enum language language)
{
	struct live live = {.out = out, .filter = filter, .language = language};
	struct viz_sink sink = {.data = &live,
				.begin = begin,
				.operation = hear,
				.message = print_message,
				.gap = print_gap};
	struct viz_error error = {0};
	struct term term;
	int err;

	if (!wait_for_header(trace, ends))
		return 0;
	term_look(&term, fileno(out), TERM_NEVER);
	live.utf8 = term.utf8;
	err = viz_stream_follow_stream(trace, "the trace", ends, &sink, &error);
	protocol_talks_free(&live.talks);
	if (err)
		error_tell("ipclens: %s", *error.text ? error.text : strerror(-err));
	return err;
}
