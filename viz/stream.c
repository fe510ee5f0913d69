// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Line after line into the model and the pairing engine; a round of it whenever the trace's time
 * has gone on far enough.
 *
 * A call is in the trace when it has returned, or when it sleeps. One that is not there this long
 * after it may have begun does not exist: that is how far behind the newest line pairing follows.
 */
#include "stream.h"

#include <errno.h>

#include "model_build.h"
#include "pair_internal.h"

#define BEHIND_NS 200000000
#define ROUND_NS (BEHIND_NS / 2)

/* So many lines later a call has returned or sleeps too, however little time they took. */
#define BEHIND_LINES 65536

struct stream {
	struct model_builder builder;
	struct pair_context *pairing;
	uint64_t round_ns;  /* the newest line's time when the last round was */
	uint64_t passed_ns; /* the newest line's time BEHIND_LINES ago, or somewhat earlier */
	uint64_t next_passed_ns;
	uint64_t lines; /* since then */
};

static void put_line_in(struct stream *stream)
{
	struct model_builder *b = &stream->builder;

	if (b->operation)
		pair_add_operation(stream->pairing, b->operation);
	else if (b->signal)
		pair_add_signal_event(stream->pairing, b->signal);
	else if (b->channel)
		pair_add_channel(stream->pairing, b->channel);
}

static int settle(struct stream *stream, uint64_t until_ns)
{
	build_apply_descriptors(&stream->builder, until_ns);
	return pair_settle(stream->pairing, until_ns);
}

/* How far all is known. */
static uint64_t known_until(const struct stream *stream)
{
	uint64_t newest_ns = stream->builder.model->end_ns;
	uint64_t until_ns = newest_ns > BEHIND_NS ? newest_ns - BEHIND_NS : 0;

	return until_ns > stream->passed_ns ? until_ns : stream->passed_ns;
}

static int go_on(struct stream *stream)
{
	uint64_t newest_ns = stream->builder.model->end_ns;
	bool many = ++stream->lines >= BEHIND_LINES;

	if (!many && newest_ns < stream->round_ns + ROUND_NS)
		return 0;
	if (many) {
		stream->passed_ns = stream->next_passed_ns;
		stream->next_passed_ns = newest_ns;
		stream->lines = 0;
	}
	stream->round_ns = newest_ns;
	return settle(stream, known_until(stream));
}

static int read_lines(struct stream *stream)
{
	int result, err = 0;

	while (!err && (result = build_next(&stream->builder)) == 1) {
		put_line_in(stream);
		err = go_on(stream);
	}
	return err ? err : result;
}

static int end(struct stream *stream, const struct viz_sink *sink)
{
	int err;

	build_finish(&stream->builder);
	err = pair_settle(stream->pairing, VIZ_NEVER);
	model_live_unfinished(stream->builder.model);
	if (!err && sink->end)
		err = sink->end(sink->data, stream->builder.model);
	return err;
}

int viz_stream_read_stream(FILE *file, const char *name, const struct viz_sink *sink,
			   struct viz_error *error)
{
	struct stream stream = {.builder = {.live = true}};
	int err;

	error->text[0] = '\0';
	err = build_open(&stream.builder, file, name, error);
	stream.pairing = pair_open(stream.builder.model, sink, NULL);
	if (!err && sink->begin)
		err = sink->begin(sink->data, stream.builder.model);
	if (!err)
		err = read_lines(&stream);
	if (!err)
		err = end(&stream, sink);
	pair_close(stream.pairing);
	build_close(&stream.builder);
	model_live_free(stream.builder.model);
	viz_model_free(stream.builder.model);
	return err;
}

int viz_stream_read(const char *path, const struct viz_sink *sink, struct viz_error *error)
{
	FILE *file;
	int err;

	if (!strcmp(path, "-"))
		return viz_stream_read_stream(stdin, "stdin", sink, error);
	file = fopen(path, "re");
	if (!file) {
		err = -errno;
		snprintf(error->text, sizeof(error->text), "%s: %s", path, strerror(-err));
		return err;
	}
	err = viz_stream_read_stream(file, path, sink, error);
	fclose(file);
	return err;
}
