// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Puts line after line into the model and the pairing engine, and runs a round of pairing whenever
 * the time of the trace has advanced far enough.
 *
 * A call gets its line when it returns or when it goes to sleep. A thread that has lost its
 * processor within a call (a loaded machine, a container that has used up its share of CPU time, a
 * virtual machine that its host does not run) does neither, and its line comes late: a message that
 * it has sent would be taken for one from outside. So pairing follows the newest line at a
 * distance, and a call whose line has not come by then is taken not to have begun before that time.
 * Of a regular file, from which nobody waits for the next message, the distance is a number of
 * lines; of a trace that is being written it is BEHIND_NS, but no more than that number of lines.
 */
#include "viz/pair/stream.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "viz/base/error.h"
#include "viz/model/builder.h"
#include "viz/pair/core/context.h"

#define BEHIND_NS 1000000000ULL
#define ROUND_NS 400000000ULL

/*
 * While following: the time between two looks for new lines, and the number of looks in vain after
 * which no line of an earlier call is expected any more.
 */
#define WAIT_MS 50
#define IDLE_WAITS (400 / WAIT_MS)

struct stream {
	struct model_builder builder;
	struct pair_context *pairing;
	uint64_t round_ns;  /* the newest line's time at the last round */
	uint64_t passed_ns; /* the newest line's time PAIR_BEHIND lines ago, or a little earlier */
	uint64_t next_passed_ns[PAIR_BEHIND / PAIR_ROUND]; /* the same, a few lines later each */
	uint64_t lines;					   /* read since these were set */
	const struct viz_sink *sink;
	bool written; /* it may be that somebody waits for each message: no regular file */
	bool follow;
	int ends;	/* follow: a descriptor that is readable once the writer is done */
	bool ending;	/* follow: `ends` is readable, so no more lines will be written */
	unsigned waits; /* follow: looks in vain since the last line */
	int err;	/* follow: the result of a round that was run while waiting */
};

static int settle(struct stream *stream, uint64_t until_ns)
{
	build_apply_descriptors(&stream->builder, until_ns);
	return pair_settle(stream->pairing, until_ns);
}

/* All calls that began before the returned time are in the model. */
static uint64_t known_until(const struct stream *stream)
{
	uint64_t newest_ns = stream->builder.model->end_ns;
	uint64_t until_ns = stream->written && newest_ns > BEHIND_NS ? newest_ns - BEHIND_NS : 0;

	return until_ns > stream->passed_ns ? until_ns : stream->passed_ns;
}

/* PAIR_ROUND lines have been read since this was called last. */
static void pass_lines(struct stream *stream, uint64_t newest_ns)
{
	const size_t last = PAIR_BEHIND / PAIR_ROUND - 1;

	stream->passed_ns = stream->next_passed_ns[0];
	memmove(stream->next_passed_ns, stream->next_passed_ns + 1,
		last * sizeof(*stream->next_passed_ns));
	stream->next_passed_ns[last] = newest_ns;
	stream->lines = 0;
}

static int go_on(struct stream *stream)
{
	uint64_t newest_ns = stream->builder.model->end_ns;
	bool many = ++stream->lines >= PAIR_ROUND;

	if (!many && (!stream->written || newest_ns < stream->round_ns + ROUND_NS))
		return 0;
	if (many)
		pass_lines(stream, newest_ns);
	stream->round_ns = newest_ns;
	if (known_until(stream) <= stream->pairing->settled_ns)
		return 0;
	return settle(stream, known_until(stream));
}

/*
 * Runs a round up to the newest line. It is called when no line has come for so long that each
 * earlier call has either returned or got its begin line.
 */
static int settle_idle(struct stream *stream)
{
	int err = settle(stream, stream->builder.model->end_ns + 1);

	if (!err && stream->sink->idle)
		err = stream->sink->idle(stream->sink->data);
	return err;
}

/*
 * Called by the reader at the end of what has been written so far: waits for more. False if no more
 * will come.
 */
static bool wait_for_more(void *data)
{
	struct stream *stream = data;
	struct pollfd wait = {.fd = stream->ends, .events = POLLIN};

	if (stream->builder.model->trailer.present || stream->err || stream->ending)
		return false;
	if (poll(&wait, 1, WAIT_MS) > 0) {
		stream->ending = true; /* a last look: lines may have come just before */
		return true;
	}
	if (stream->pairing && ++stream->waits == IDLE_WAITS)
		stream->err = settle_idle(stream);
	return !stream->err;
}

static int read_lines(struct stream *stream)
{
	int result, err = 0;

	while (!err && (result = build_next(&stream->builder)) == 1) {
		stream->waits = 0;
		pair_add_line(stream->pairing, &stream->builder);
		err = go_on(stream);
	}
	if (!err)
		err = stream->err;
	return err ? err : result;
}

static int end(struct stream *stream, const struct viz_sink *sink)
{
	int err;

	progress_stage(sink->progress, "pairing messages");
	build_finish(&stream->builder);
	err = pair_settle(stream->pairing, VIZ_NEVER);
	model_live_unfinished(stream->builder.model);
	progress_hide(sink->progress);
	if (!err && sink->end)
		err = sink->end(sink->data, stream->builder.model);
	if (!err && stream->builder.collects)
		build_finish_lists(&stream->builder);
	return err;
}

/* The caller frees the model of stream->builder. */
static int read_all(struct stream *stream, FILE *file, const char *name, struct viz_error *error)
{
	const struct viz_sink *sink = stream->sink;
	int err;

	error->text[0] = '\0';
	stream->builder.progress = sink->progress;
	if (stream->follow) { /* even the first line may still be missing */
		stream->builder.more = wait_for_more;
		stream->builder.more_data = stream;
	}
	err = build_open(&stream->builder, file, name, error);
	stream->pairing = pair_open(stream->builder.model, sink, NULL);
	if (stream->builder.collects)
		stream->pairing->texts = stream->builder.model->arena;
	if (!err && sink->begin)
		err = sink->begin(sink->data, stream->builder.model);
	if (!err)
		err = read_lines(stream);
	if (!err)
		err = end(stream, sink);
	progress_hide(sink->progress);
	pair_close(stream->pairing);
	build_close(&stream->builder);
	return err;
}

static bool is_regular(FILE *file)
{
	struct stat stat;
	int fd = fileno(file);

	return fd >= 0 && fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode);
}

int viz_stream_read_stream(FILE *file, const char *name, const struct viz_sink *sink,
			   struct viz_error *error)
{
	struct stream stream = {.builder = {.live = true, .forgets_closes = !sink->eof},
				.sink = sink,
				.written = !is_regular(file)};
	int err = read_all(&stream, file, name, error);

	viz_model_free(stream.builder.model);
	return err;
}

int viz_stream_collect(FILE *file, const char *name, const struct viz_sink *sink,
		       struct viz_model **model, struct viz_error *error)
{
	struct stream stream = {.builder = {.live = true, .collects = true}, .sink = sink};
	int err = read_all(&stream, file, name, error);

	*model = err ? NULL : stream.builder.model;
	if (err)
		viz_model_free(stream.builder.model);
	return err;
}

int viz_stream_open(const char *path, FILE **file, struct viz_error *error)
{
	int err;

	*file = strcmp(path, "-") ? fopen(path, "re") : stdin;
	if (*file)
		return 0;
	err = -errno;
	snprintf(error->text, sizeof(error->text), "%s: %s", path, error_reason(-err));
	return err;
}

void viz_stream_close(FILE *file)
{
	if (file != stdin)
		fclose(file);
}

const char *viz_stream_name(const char *path)
{
	return strcmp(path, "-") ? path : "stdin";
}

int viz_stream_read(const char *path, const struct viz_sink *sink, struct viz_error *error)
{
	FILE *file;
	int err = viz_stream_open(path, &file, error);

	if (err)
		return err;
	err = viz_stream_read_stream(file, viz_stream_name(path), sink, error);
	viz_stream_close(file);
	return err;
}

int viz_stream_follow_stream(FILE *file, const char *name, int ends, const struct viz_sink *sink,
			     struct viz_error *error)
{
	struct stream stream = {.builder = {.live = true, .forgets_closes = !sink->eof},
				.sink = sink,
				.written = true,
				.follow = true,
				.ends = ends};
	int err = read_all(&stream, file, name, error);

	viz_model_free(stream.builder.model);
	return err;
}

int viz_stream_follow(const char *path, const struct viz_sink *sink, struct viz_error *error)
{
	sigset_t set, before;
	FILE *file;
	int signals, err = viz_stream_open(path, &file, error);

	if (err)
		return err;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, &before);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	err = signals < 0
		      ? -errno
		      : viz_stream_follow_stream(file, viz_stream_name(path), signals, sink, error);
	if (signals >= 0)
		close(signals);
	sigprocmask(SIG_SETMASK, &before, NULL);
	viz_stream_close(file);
	return err;
}
