// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "trace_writer.h"

#include <errno.h>
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
	*writer = (struct trace_writer){.tracer = tracer, .output = output};
	return encoder_open(&writer->encoder);
}

void trace_writer_close(struct trace_writer *writer)
{
	encoder_close(&writer->encoder);
}

void trace_writer_flush(struct trace_writer *writer)
{
	struct json *json = &writer->encoder.json;
	size_t at = 0;

	if (json->failed)
		writer->error = -ENOMEM;
	while (!writer->error && at < json->len) {
		ssize_t n = write(writer->output, json->data + at, json->len - at);
		if (n >= 0)
			at += (size_t)n;
		else if (errno != EINTR)
			writer->error = -errno;
	}
	json_reset(json);
}

static void record_write(void *context, const void *data, size_t len)
{
	struct trace_writer *writer = context;

	if (writer->error)
		return;
	encode_record(&writer->encoder, data, len);
	if (writer->encoder.json.len >= FLUSH_LEN)
		trace_writer_flush(writer);
}

static void loss_write(void *context, enum wire_loss reason, int cpu, uint64_t count)
{
	struct trace_writer *writer = context;

	if (reason == LOSS_RING)
		writer->lost_ring += count;
	encode_loss(&writer->encoder, loss_names[reason], cpu, count, monotonic_ns());
}

int trace_writer_pump(struct trace_writer *writer)
{
	int records = tracer_drain(writer->tracer, record_write, writer);

	tracer_losses(writer->tracer, loss_write, writer);
	if (writer->encoder.wants_buffers)
		tracer_follow_buffers(writer->tracer);
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
