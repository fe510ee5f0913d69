// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/capture/trace_writer.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "user/tracer/ring.h"
#include "viz/base/clock.h"

#define ADDED_LEN 65536
#define FLUSH_LEN (256 * 1024) /* as many bytes of lines are worth a write(2) */

/* The name of each reason in the trace (fields.def, `where`). */
static const char *const loss_names[LOSS_COUNT] = {
	[LOSS_RING] = "ring",	    [LOSS_STORAGE] = "storage", [LOSS_COMPAT] = "32-bit",
	[LOSS_SKIPPED] = "skipped", [LOSS_FUTEX] = "futex",
};

int trace_writer_open(struct trace_writer *writer, struct tracer *tracer, int output)
{
	struct stat file;

	*writer = (struct trace_writer){.tracer = tracer, .output = output};
	writer->waits = fstat(output, &file) || !S_ISREG(file.st_mode);
	if (sleeping_open(&writer->sleeping))
		return -ENOMEM;
	return encoder_open(&writer->encoder);
}

void trace_writer_close(struct trace_writer *writer)
{
	encoder_close(&writer->encoder);
	sleeping_close(&writer->sleeping);
	compressor_free(writer->compressor);
}

int trace_writer_compress(struct trace_writer *writer)
{
	writer->compressor = compressor_new();
	return writer->compressor ? 0 : -ENOMEM;
}

/*
 * Returns how many of `len` bytes a write is certain to take without blocking: a pipe that polls as
 * writable has room for PIPE_BUF bytes.
 */
static size_t room(const struct trace_writer *writer, size_t len)
{
	struct pollfd wait = {.fd = writer->output, .events = POLLOUT};

	if (!writer->waits)
		return len;
	if (poll(&wait, 1, 0) <= 0)
		return 0;
	return len < PIPE_BUF ? len : PIPE_BUF;
}

/* Drops the written part once it is the larger part, so that each byte moves at most once. */
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

static void write_bytes(struct trace_writer *writer, const char *data, size_t len, size_t *written)
{
	size_t part;

	while (!writer->error && *written < len && (part = room(writer, len - *written))) {
		ssize_t n = write(writer->output, data + *written, part);
		if (n >= 0)
			*written += (size_t)n;
		else if (errno != EINTR)
			writer->error = -errno;
	}
}

static bool compressed_is_left(const struct trace_writer *writer)
{
	const struct compressor *compressor = writer->compressor;

	return compressor && !writer->error && compressor->written < compressor->len;
}

/* Lines go into the compressor as long as the output takes what comes out of it. */
static void write_compressed(struct trace_writer *writer)
{
	struct compressor *compressor = writer->compressor;
	const struct json *json = &writer->encoder.json;
	uint64_t now_ns = clock_now_ns();

	do {
		write_bytes(writer, compressor->data, compressor->len, &compressor->written);
	} while (!writer->error && !compressed_is_left(writer) &&
		 compressor_next(compressor, json->data, json->len, &writer->written, now_ns));
	if (compressor->failed)
		writer->error = -ENOMEM;
}

void trace_writer_flush(struct trace_writer *writer)
{
	const struct json *json = &writer->encoder.json;

	if (json->failed)
		writer->error = -ENOMEM;
	if (writer->compressor)
		write_compressed(writer);
	else
		write_bytes(writer, json->data, json->len, &writer->written);
	forget_written(writer);
}

bool trace_writer_stalled(const struct trace_writer *writer)
{
	return writer->encoder.json.len > writer->written || compressed_is_left(writer);
}

static bool is_full(const struct trace_writer *writer)
{
	return writer->encoder.json.len - writer->written >= FLUSH_LEN;
}

/*
 * A call that has slept for this long gets a line before it ends. Once a record that is this much
 * younger has left the ring, all records from before the sleep have left it, too.
 */
#define ASLEEP_LONG_NS 20000000
#define LOOK_EVERY_NS 50000000

/*
 * Records are moved for this long before other work gets its turn; the clock is read once in so
 * many records.
 */
#define BATCH_NS 10000000
#define BATCH_UNASKED 64
#define ROOM_NS 100000000	   /* limit of make_room(), where a full ring fills again at once */
#define ROOM_ALL_NS 10000000000ULL /* the same where the command is held meanwhile */

static void line_write(struct trace_writer *writer, const void *data, size_t len)
{
	if (writer->error)
		return;
	encode_record(&writer->encoder, data, len);
	if (is_full(writer))
		trace_writer_flush(writer);
}

static bool sleeper_write(void *context, const void *data, size_t len)
{
	struct trace_writer *writer = context;

	if (!encoder_knows_waiting(&writer->encoder, data, len))
		line_write(writer, data, len);
	return true;
}

/*
 * Writes the calls that fell asleep long before this record was made. If the record completes a
 * call that is held as asleep, that call needs no line of its own.
 */
static void sleepers_before(struct trace_writer *writer, const struct wire_operation *operation)
{
	if (operation->exit_ns >= ASLEEP_LONG_NS)
		sleeping_report(&writer->sleeping, operation->exit_ns - ASLEEP_LONG_NS,
				sleeper_write, writer);
	if (operation->began_ns && operation->state != WIRE_BEGIN)
		sleeping_drop(&writer->sleeping, operation->id);
}

static bool has_time(struct trace_writer *writer)
{
	if (++writer->unasked < BATCH_UNASKED)
		return true;
	writer->unasked = 0;
	return clock_now_ns() < writer->until_ns;
}

/* Returns false to stop the drain for now. */
static bool record_write(void *context, const void *data, size_t len)
{
	struct trace_writer *writer = context;
	const struct wire_operation *operation;

	if (writer->sleeping.count && (operation = operation_in(data, len)))
		sleepers_before(writer, operation);
	line_write(writer, data, len);
	return has_time(writer) && (writer->error || writer->keeps || !is_full(writer));
}

static void loss_write(void *context, enum wire_loss reason, int cpu, uint64_t count)
{
	struct trace_writer *writer = context;

	if (reason == LOSS_RING)
		writer->lost_ring += count;
	encode_loss(&writer->encoder, loss_names[reason], cpu, count, clock_now_ns());
}

static bool sleeper_note(void *context, const void *data, size_t len)
{
	struct trace_writer *writer = context;

	return sleeping_add(&writer->sleeping, data, len);
}

/*
 * Does not wait for the ring to be drained: by then the threads may be awake, and readers of the
 * trace would never learn that they slept.
 */
static void sleepers_find(struct trace_writer *writer, uint64_t now_ns)
{
	if (now_ns < writer->looked_ns + LOOK_EVERY_NS)
		return;
	writer->looked_ns = now_ns;
	tracer_each_sleeper(writer->tracer, now_ns - ASLEEP_LONG_NS, sleeper_note, writer);
}

/*
 * Marks the ring and writes the losses so far, so that they precede the records that came after
 * them.
 */
static void mark(struct trace_writer *writer, uint64_t batch_ns)
{
	writer->marked_ns = clock_now_ns();
	writer->until_ns = writer->marked_ns + batch_ns;
	ring_mark(tracer_ring(writer->tracer));
	tracer_losses(writer->tracer, loss_write, writer);
}

static int drain(struct trace_writer *writer)
{
	int records = ring_drain(tracer_ring(writer->tracer), record_write, writer);

	if (!ring_passed(tracer_ring(writer->tracer)))
		return records;
	sleeping_report(&writer->sleeping, writer->marked_ns - ASLEEP_LONG_NS, sleeper_write,
			writer);
	return records;
}

int trace_writer_pump(struct trace_writer *writer)
{
	int records;

	trace_writer_flush(writer);
	sleepers_find(writer, clock_now_ns());
	if (is_full(writer))
		return 0;
	mark(writer, BATCH_NS);
	records = drain(writer);
	if (writer->encoder.wants_buffers)
		tracer_follow_buffers(writer->tracer);
	trace_writer_flush(writer);
	return records;
}

bool trace_writer_behind(const struct trace_writer *writer)
{
	return !is_full(writer) && ring_has_much(tracer_ring(writer->tracer));
}

/*
 * Drains up to the mark. A record that is reserved but not yet submitted blocks those behind it for
 * a moment.
 */
static void drain_all(struct trace_writer *writer)
{
	const struct timespec moment = {.tv_nsec = 100000};

	writer->keeps = true;
	writer->until_ns = UINT64_MAX;
	while (drain(writer) >= 0 && !ring_passed(tracer_ring(writer->tracer)))
		nanosleep(&moment, NULL);
	trace_writer_flush(writer);
}

void trace_writer_begin(struct trace_writer *writer)
{
	mark(writer, 0);
	drain_all(writer);
	writer->keeps = false;
}

void trace_writer_make_room(struct trace_writer *writer, bool all)
{
	const struct ring *ring = tracer_ring(writer->tracer);
	uint64_t until_ns = clock_now_ns() + (all ? ROOM_ALL_NS : ROOM_NS);

	writer->keeps = true;
	while ((all ? ring_has_much(ring) : ring_is_crowded(ring)) && clock_now_ns() < until_ns) {
		mark(writer, BATCH_NS);
		drain(writer);
	}
}

uint64_t trace_writer_stop(struct trace_writer *writer)
{
	mark(writer, 0);
	tracer_each_sleeper(writer->tracer, writer->marked_ns, sleeper_note, writer);
	return clock_now_ns();
}

void trace_writer_rest(struct trace_writer *writer)
{
	drain_all(writer);
	sleeping_report(&writer->sleeping, writer->marked_ns, sleeper_write, writer);
}

void trace_writer_add(struct trace_writer *writer, int lines)
{
	struct json *json = &writer->encoder.json;
	ssize_t len = 0;

	for (off_t at = 0; lines >= 0 && json_reserve(json, ADDED_LEN); at += len) {
		char *text = json->data + json->len;

		len = pread(lines, text, ADDED_LEN, at);
		if (len <= 0)
			return;
		json->len += (size_t)len;
		for (ssize_t i = 0; i < len; i++)
			json->lines += text[i] == '\n';
	}
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
	if (writer->compressor)
		writer->compressor->ends = true;
	trace_writer_flush(writer);
}
