// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "live.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scene_text.h"
#include "stream.h"
#include "term.h"

#define PAYLOAD_SHOWN 48
#define WAIT_MS 50

struct live {
	FILE *out;
	const struct viz_filter *filter;
	uint64_t start_ns;
	bool utf8;
};

static int begin(void *data, const struct viz_model *model)
{
	struct live *live = data;

	live->start_ns = model->header.start_ns;
	return 0;
}

static void put_end(FILE *line, const struct viz_end *end, const char *nobody)
{
	char *name = end->comm.data ? scene_harmless(end->comm.data, end->comm.len) : NULL;

	if (!end->known)
		fputs(nobody, line);
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

static void put_what(FILE *line, const struct viz_message *m)
{
	char *name = m->signal ? scene_harmless(m->signal->name.data, m->signal->name.len) : NULL;
	char buf[SCENE_QUANTITY];

	if (m->signal)
		fprintf(line, " %s", name ? name : "signal");
	else
		fprintf(line, " %s %s", mechanism_info(m->mechanism)->name,
			scene_bytes(m->bytes, buf));
	free(name);
	if (m->match != MATCH_EXACT)
		putc('?', line);
}

static void put_payload(FILE *line, const struct viz_message *m)
{
	const struct viz_bytes *bytes = m->from.payload.len ? &m->from.payload : &m->to.payload;
	size_t len = bytes->len < PAYLOAD_SHOWN ? bytes->len : PAYLOAD_SHOWN;
	char *text = len && m->bytes ? scene_quote(bytes->data, len, m->bytes) : NULL;

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

/* One write a line: the traced command may write there too. */
static int print_message(void *data, const struct viz_message *m)
{
	const struct live *live = data;
	uint64_t at_ns = time_of(m);
	char *text = NULL;
	size_t len = 0;
	FILE *line;

	if (!viz_filter_message(live->filter, m))
		return 0;
	line = open_memstream(&text, &len);
	if (!line)
		return -ENOMEM;
	fprintf(line, "+%.6f ",
		at_ns > live->start_ns ? (double)(at_ns - live->start_ns) / 1e9 : 0.0);
	put_end(line, &m->from, m->signal ? "(kernel)" : "(outside)");
	fputs(" -> ", line);
	put_end(line, &m->to, m->fate != FATE_NONE ? "(nobody)" : "(outside)");
	put_what(line, m);
	put_payload(line, m);
	if (m->fate != FATE_NONE)
		fprintf(line, " %s", fate_name(m->fate));
	putc('\n', line);
	if (fclose(line)) {
		free(text);
		return -ENOMEM;
	}
	put_line(live, text);
	free(text);
	return 0;
}

static int print_gap(void *data, const struct viz_gap *gap)
{
	const struct live *live = data;

	if (viz_filter_channel(live->filter, gap->channel))
		fprintf(live->out,
			"ipclens: %s: %" PRIu64 " %s have no certain sender: records are lost\n",
			mechanism_info(gap->mechanism)->name, gap->units,
			gap->bytes ? "bytes" : "messages");
	return 0;
}

/* The header is written at once; until then there is nothing to follow. false: it will not come. */
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

int live_print(FILE *out, FILE *trace, int ends, const struct viz_filter *filter)
{
	struct live live = {.out = out, .filter = filter};
	struct viz_sink sink = {
		.data = &live, .begin = begin, .message = print_message, .gap = print_gap};
	struct viz_error error = {{0}};
	struct term term;
	int err;

	if (!wait_for_header(trace, ends))
		return 0;
	term_look(&term, fileno(out), TERM_NEVER);
	live.utf8 = term.utf8;
	err = viz_stream_follow_stream(trace, "the trace", ends, &sink, &error);
	if (err)
		fprintf(out, "ipclens: %s\n", *error.text ? error.text : strerror(-err));
	return err;
}
