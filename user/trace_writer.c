// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "trace_writer.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FLUSH_LEN (256 * 1024) /* bytes of lines that are worth a write(2) */

/* What the trace calls each reason (fields.def, `where`). */
static const char *const loss_names[LOSS_COUNT] = {
	[LOSS_RING] = "ring",
	[LOSS_STORAGE] = "storage",
	[LOSS_COMPAT] = "32-bit",
};

uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

int trace_writer_open(struct trace_writer *writer, struct tracer *tracer, int output)
{
	struct stat file;

	*writer = (struct trace_writer){.tracer = tracer, .output = output};
	writer->waits = fstat(output, &file) || !S_ISREG(file.st_mode);
	return encoder_open(&writer->encoder);
}

void trace_writer_close(struct trace_writer *writer)
{
	encoder_close(&writer->encoder);
}

/* How much a write takes for sure without waiting: a pipe that has room has it for this much. */
static size_t room(const struct trace_writer *writer, size_t len)
{
	struct pollfd wait = {.fd = writer->output, .events = POLLOUT};

	if (!writer->waits)
		return len;
	if (poll(&wait, 1, 0) <= 0)
		return 0;
	return len < PIPE_BUF ? len : PIPE_BUF;
}

/* What is written goes when it is more than what is left, so that each byte moves but once. */
static void forget_written(struct trace_writer *writer)
{
	struct json *json = &writer->encoder.json;

	if (writer->error || writer->written == json->len) {
		json_reset(json);
		writer->written = 0;
	} else if (writer->written > json->len / 2) {
		json->len -= writer->written;
		memmove(json->data, json->data + writer->written, json->len);
		writer->written = 0;
	}
}

void trace_writer_flush(struct trace_writer *writer)
{
	struct json *json = &writer->encoder.json;
	size_t len;

	if (json->failed)
		writer->error = -ENOMEM;
	while (!writer->error && writer->written < json->len &&
	       (len = room(writer, json->len - writer->written))) {
		ssize_t n = write(writer->output, json->data + writer->written, len);
		if (n >= 0)
			writer->written += (size_t)n;
		else if (errno != EINTR)
			writer->error = -errno;
	}
	forget_written(writer);
}

bool trace_writer_stalled(const struct trace_writer *writer)
{
	return writer->encoder.json.len > writer->written;
}

static bool is_full(const struct trace_writer *writer)
{
	return writer->encoder.json.len - writer->written >= FLUSH_LEN;
}

/* false: no more of them now. */
static bool record_write(void *context, const void *data, size_t len)
{
	struct trace_writer *writer = context;

	if (writer->error)
		return true;
	encode_record(&writer->encoder, data, len);
	if (is_full(writer))
		trace_writer_flush(writer);
	return writer->keeps || !is_full(writer);
}

static void loss_write(void *context, enum wire_loss reason, int cpu, uint64_t count)
{
	struct trace_writer *writer = context;

	if (reason == LOSS_RING)
		writer->lost_ring += count;
	encode_loss(&writer->encoder, loss_names[reason], cpu, count, monotonic_ns());
}

/*
 * Asleep for this long, a call is worth a line before it ends. What came before it, in its own
 * thread or of what its line speaks, has left the ring.
 */
#define ASLEEP_LONG_NS 20000000
#define LOOK_EVERY_NS 50000000

static bool sleeper_write(void *context, const void *data, size_t len)
{
	struct trace_writer *writer = context;

	return encoder_knows_waiting(&writer->encoder, data, len) ||
	       record_write(writer, data, len);
}

static void sleepers_write(struct trace_writer *writer)
{
	if (writer->drained_ns < writer->looked_ns + LOOK_EVERY_NS || is_full(writer))
		return; /* what stalls has left in the ring what came before */
	writer->looked_ns = writer->drained_ns;
	tracer_each_sleeper(writer->tracer, writer->drained_ns - ASLEEP_LONG_NS, sleeper_write,
			    writer);
}

void trace_writer_last_sleepers(struct trace_writer *writer)
{
	tracer_each_sleeper(writer->tracer, writer->drained_ns, sleeper_write, writer);
}

int trace_writer_pump(struct trace_writer *writer)
{
	int records;

	trace_writer_flush(writer);
	if (is_full(writer) && !writer->keeps)
		return 0;
	writer->drained_ns = monotonic_ns();
	records = tracer_drain(writer->tracer, record_write, writer);
	tracer_losses(writer->tracer, loss_write, writer);
	if (writer->encoder.wants_buffers)
		tracer_follow_buffers(writer->tracer, writer->encoder.wants_frees);
	sleepers_write(writer);
	trace_writer_flush(writer);
	return records;
}

void trace_writer_end(struct trace_writer *writer, const struct trailer_facts *facts)
{
	struct encoder *encoder = &writer->encoder;
	uint64_t skipped = tracer_skipped(writer->tracer);

	if (skipped)
		encode_loss(encoder, "skipped", -1, skipped, facts->at_ns);
	if (encoder->malformed)
		encode_loss(encoder, "decoder", -1, encoder->malformed, facts->at_ns);
	encode_trailer(encoder, facts);
	trace_writer_flush(writer);
}
