// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Tells records from a byte stream: all writes have one size, all reads ask for another one,
 * neither is a buffer's, and nothing in the bytes says where a record ends.
 */
#include "viz/diagnose/find/torn_records.h"

enum {
	TORN_LEAST = 3,
	BUFFER_LEAST = 512, /* from here on a power of two is a buffer's size */
	WRITE_MOST = 4096,  /* who writes so much at once empties a buffer */
};

/* What is known of a pipe. */
struct evidence {
	uint64_t written, asked; /* 0: none yet */
	bool other;		 /* some call moved, or was to move, another number of bytes */
	const struct viz_operation *read;
	uint64_t pieces;	  /* of messages, in that read */
	bool broken;		  /* one of them is not the whole message */
	bool counted;		  /* among the torn */
	uint64_t torn;		  /* reads of several messages, not all whole */
	uint64_t ends, lines;	  /* records whose last byte is known, and is a newline */
	uint64_t heads, prefixed; /* writes whose first bytes are known, and tell the length */
};

static void note_size(struct evidence *e, uint64_t *size, const struct viz_operation *op)
{
	if (!viz_has(op, requested) || op->role == ROLE_TRANSFER ||
	    (*size && *size != op->requested))
		e->other = true;
	*size = op->requested;
}

static uint64_t number_at(struct viz_bytes bytes, size_t at, size_t width, bool big_endian)
{
	uint64_t number = 0;

	for (size_t i = 0; i < width; i++)
		number = number << 8 |
			 (unsigned char)bytes.data[at + (big_endian ? i : width - 1 - i)];
	return number;
}

/* True if `length` is at this place, with or without the bytes up to its end. */
static bool is_length_at(struct viz_bytes bytes, size_t at, size_t width, uint64_t length)
{
	for (int big_endian = 0; big_endian < 2; big_endian++) {
		const uint64_t number = number_at(bytes, at, width, big_endian != 0);

		if (number && (number == length || number + at + width == length))
			return true;
	}
	return false;
}

/* True if the length stands first, or behind a type that is as wide. */
static bool tells_length(struct viz_bytes bytes, uint64_t length)
{
	for (size_t width = 2; width <= 8; width *= 2)
		for (size_t at = 0; at <= width && at + width <= bytes.len; at += width)
			if (is_length_at(bytes, at, width, length))
				return true;
	return false;
}

static void note_head(struct evidence *e, const struct viz_operation *op)
{
	if (!op->payload.len)
		return;
	e->heads++;
	e->prefixed += tells_length(op->payload, op->requested);
}

static void note_call(struct evidence *all, const struct viz_operation *op)
{
	const struct viz_channel *sink = viz_operation_sink(op);
	const struct viz_channel *source = viz_operation_source(op);

	if (channel_is_pipe(source))
		note_size(&all[source->index], &all[source->index].asked, op);
	if (!channel_is_pipe(sink))
		return;
	note_size(&all[sink->index], &all[sink->index].written, op);
	note_head(&all[sink->index], op);
	if (viz_operation_done(op) && op->returned >= 0 && (uint64_t)op->returned != op->requested)
		all[sink->index].other = true;
}

static void note_end(struct evidence *e, const struct viz_message *m)
{
	const struct viz_bytes payload = viz_message_payload(m);

	if (m->from.offset + m->bytes != m->from.operation->requested || payload.len != m->bytes)
		return;
	e->ends++;
	e->lines += payload.data[payload.len - 1] == '\n';
}

/* The pieces that one read took come one after the other. */
static void note_piece(struct evidence *e, const struct viz_message *m)
{
	if (e->read != m->to.operation) {
		e->read = m->to.operation;
		e->pieces = 0;
		e->broken = false;
		e->counted = false;
	}
	e->pieces++;
	e->broken |= m->bytes != m->from.operation->requested;
	if (e->pieces > 1 && e->broken && !e->counted) {
		e->counted = true;
		e->torn++;
	}
}

static void note_message(struct evidence *all, const struct viz_message *m)
{
	struct evidence *e;

	if (!channel_is_pipe(m->channel) || m->fate != FATE_NONE || !m->to.operation)
		return;
	e = &all[m->channel->index];
	if (!m->from.operation) { /* from before the trace, or from outside it */
		e->other = true;
	} else if (m->match == MATCH_EXACT) {
		note_piece(e, m);
		note_end(e, m);
	}
}

static bool is_buffer(uint64_t size)
{
	return size >= BUFFER_LEAST && (size & (size - 1)) == 0;
}

/* Who asks for two records or more has a buffer, which may have any size. */
static bool are_two_records(uint64_t written, uint64_t asked)
{
	return written && asked && written < WRITE_MOST && asked < 2 * written &&
	       !is_buffer(written) && !is_buffer(asked);
}

static bool are_torn(const struct evidence *e)
{
	return !e->other && e->torn >= TORN_LEAST && are_two_records(e->written, e->asked) &&
	       e->lines < e->ends && (!e->heads || e->prefixed < e->heads);
}

const struct torn_records *torn_records(struct diagnosis *d)
{
	const size_t count = d->model->channel_count;
	struct torn_records *torn = arena_array(d->arena, count + 1, sizeof(*torn));
	struct evidence *all;

	if (d->incomplete)
		return torn;
	all = arena_array(d->arena, count + 1, sizeof(*all));
	for (size_t i = 0; i < d->model->operation_count; i++)
		note_call(all, d->model->operations[i]);
	for (size_t i = 0; i < d->pairing->message_count; i++)
		note_message(all, d->pairing->messages[i]);
	for (size_t i = 0; i < count; i++)
		torn[i] = (struct torn_records){are_torn(&all[i]), all[i].written, all[i].asked};
	return torn;
}
