// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Writes the evidence for pairing in an operation line: stream positions, what was delivered, the
 * waker, and the chunks and lock segments of the call.
 */
#include "user/encode/encode.h"
#include "user/encode/syscall_table.h"

/* Writes a number of a position, unless it is the same as in `before`, which may be NULL. */
#define MOVED_FIELD(json, position, before, kind, number)                                          \
	do {                                                                                       \
		if (!(before) || (position)->kind.number != (before)->kind.number)                 \
			json_field_uint(json, #number, (position)->kind.number);                   \
	} while (0)

/* With `before`, the bytes are not repeated that `queued` tells of. */
static void pipe_fields(struct json *json, const union wire_position *position,
			const union wire_position *before)
{
	MOVED_FIELD(json, position, before, pipe, head);
	MOVED_FIELD(json, position, before, pipe, tail);
	MOVED_FIELD(json, position, before, pipe, end);
	MOVED_FIELD(json, position, before, pipe, start);
	if (!before && position->pipe.bytes != WIRE_UNKNOWN)
		json_field_uint(json, "bytes", position->pipe.bytes);
}

static void tcp_fields(struct json *json, const union wire_position *position,
		       const union wire_position *before)
{
	MOVED_FIELD(json, position, before, tcp, write_seq);
	MOVED_FIELD(json, position, before, tcp, copied_seq);
	MOVED_FIELD(json, position, before, tcp, rcv_nxt);
	MOVED_FIELD(json, position, before, tcp, snd_una);
}

static void counter_fields(struct json *json, const union wire_position *position)
{
	if (!position->counter.at_ns)
		return;
	json_field_uint(json, "count", (uint32_t)position->counter.count);
	if (position->counter.count >> 32)
		json_field_uint(json, "high", position->counter.count >> 32);
	json_field_uint(json, "at_ns", position->counter.at_ns);
	if (position->counter.semaphore)
		json_field_bool(json, "semaphore", true);
}

static void line_fields(struct json *json, const union wire_position *position)
{
	json_field_uint(json, "input", position->line.input);
	json_field_uint(json, "output", position->line.output);
	json_field_uint(json, "local", position->line.local);
	if (position->line.packet)
		json_field_bool(json, "packet", true);
}

static void position_fields(struct json *json, enum mechanism mechanism,
			    const union wire_position *position, const union wire_position *before)
{
	if (mechanism == MECH_TCP)
		tcp_fields(json, position, before);
	else if (mechanism == MECH_PTY)
		line_fields(json, position);
	else if (mechanism == MECH_EVENTFD)
		counter_fields(json, position);
	else
		pipe_fields(json, position, before);
}

static void position_field(struct json *json, const char *key, enum mechanism mechanism,
			   const union wire_position *position, const union wire_position *before)
{
	json_key(json, key);
	json_object(json);
	position_fields(json, mechanism, position, before);
	json_end_object(json);
}

static void lock_field(struct json *json, enum mechanism mechanism,
		       const struct wire_details *details)
{
	json_key(json, KEY(operation, at_lock));
	json_object(json);
	json_field_uint(json, "at_ns", details->contended_ns);
	position_fields(json, mechanism, &details->at_lock, NULL);
	json_end_object(json);
}

/*
 * Writes where the stream stood when the call returned. What the call found there when it began
 * is left out if the line has that (fields.def, at_exit).
 */
static void exit_field(struct json *json, enum mechanism mechanism,
		       const struct wire_operation *operation)
{
	bool tcp = mechanism == MECH_TCP;
	bool told = operation->has & WIRE_HAS_POSITIONS && (tcp || operation->has & WIRE_HAS_ENDS);

	position_field(json, KEY(operation, at_exit), mechanism, &operation->at_exit,
		       told ? &operation->at_entry : NULL);
}

/* Writes the positions of the pipe that a transfer filled. */
static void filled_fields(struct json *json, const struct wire_operation *operation,
			  const struct wire_details *details)
{
	position_field(json, KEY(operation, sink_entry), MECH_PIPE, &details->sink_entry, NULL);
	if (operation->state == WIRE_COMPLETE)
		position_field(json, KEY(operation, sink_exit), MECH_PIPE, &details->sink_exit,
			       NULL);
}

static void bits_field(struct json *json, const char *key, uint64_t bits, unsigned count)
{
	json_key(json, key);
	json_array(json);
	for (unsigned i = 0; i < 64 && i < count; i++)
		if (bits >> i & 1)
			json_uint(json, i);
	json_end_array(json);
}

static void delivered_field(struct json *json, const struct wire_details *details)
{
	bits_field(json, KEY(operation, delivered), details->delivered, details->sent);
	if (details->refused)
		bits_field(json, KEY(operation, refused), details->refused, details->sent);
	if (details->unreached)
		json_field_uint(json, KEY(operation, unreached), details->unreached);
}

/*
 * True if delivery to the peer can be reported: not for streams, where TCP delivers later, and not
 * for netlink, where it is unknown.
 */
static bool is_datagram(enum mechanism mechanism)
{
	return mechanism != MECH_NETLINK && mechanism_info(mechanism)->policy == POLICY_DATAGRAM;
}

/*
 * Writes that a pipe is in packet mode (O_DIRECT), which is a property of the writer's descriptor.
 */
static void packets_field(struct json *json, const struct wire_operation *operation)
{
	if (syscall_info(operation->nr)->role == ROLE_SEND &&
	    operation->object.access & WIRE_ACCESS_PACKETS)
		json_field_bool(json, KEY(operation, packets), true);
}

static void waker_field(struct json *json, const struct wire_operation *operation)
{
	if (operation->woke_ns)
		json_field_uint(json, KEY(operation, woke_ns), operation->woke_ns);
	if (!(operation->has & WIRE_HAS_WAKER) || !operation->off_cpu_ns)
		return; /* woken before it slept: it had checked, and did not wait */
	json_key(json, KEY(operation, woken_by));
	json_object(json);
	json_field_uint(json, "pid", operation->woken_pid);
	if (operation->woken_tid != operation->woken_pid)
		json_field_uint(json, "tid", operation->woken_tid);
	json_field_uint(json, "operation", operation->woken_operation);
	json_field_uint(json, "at_ns", operation->woken_ns);
	json_end_object(json);
}

void evidence_fields(struct json *json, const struct wire_operation *operation,
		     const struct wire_details *details)
{
	enum mechanism mechanism = operation->object.mechanism;

	if (operation->resumed_ns)
		json_field_uint(json, KEY(operation, resumed_ns), operation->resumed_ns);
	if (operation->has & WIRE_HAS_POSITIONS)
		position_field(json, KEY(operation, at_entry), mechanism, &operation->at_entry,
			       NULL);
	if (operation->has & WIRE_HAS_CONTENDED)
		lock_field(json, operation->has & WIRE_HAS_SINK ? MECH_PIPE : mechanism, details);
	if (operation->has & (WIRE_HAS_POSITIONS | WIRE_HAS_BEGINNING) &&
	    operation->state == WIRE_COMPLETE)
		exit_field(json, mechanism, operation);
	if (operation->has & WIRE_HAS_SINK)
		filled_fields(json, operation, details);
	if (operation->has & WIRE_HAS_DELIVERED && is_datagram(mechanism))
		delivered_field(json, details);
	packets_field(json, operation);
	waker_field(json, operation);
}

void encode_chunk(struct encoder *encoder, const struct wire_chunk *chunk)
{
	struct call *call = calls_of_thread(encoder->calls, chunk->head.tid);

	if (!call || call_chunk(call, chunk))
		encoder->malformed++;
}

/* Writes the buffer of a stream's chunk; members that are 0 are left out. */
static void buffer_members(struct json *json, const struct wire_chunk *chunk)
{
	if (chunk->at)
		json_field_uint(json, "at", chunk->at);
	if (chunk->from)
		json_field_uint(json, "from", chunk->from);
	if (chunk->buffer)
		json_field_uint(json, "buffer", chunk->buffer);
	json_field_uint(json, "buffer_bytes", chunk->buffer_len);
}

static void chunk_members(struct json *json, const struct wire_chunk *chunk)
{
	json_field_uint(json, "operation", chunk->sender);
	if (chunk->message)
		json_field_uint(json, "message", chunk->message);
	if (chunk->len) {
		json_field_uint(json, "offset", chunk->offset);
		json_field_uint(json, "bytes", chunk->len);
	}
	if (chunk->buffer_len)
		buffer_members(json, chunk);
	if (chunk->at_ns && chunk->kind != WIRE_CHUNK_OR)
		json_field_uint(json, "at_ns", chunk->at_ns);
	if (chunk->kind == WIRE_CHUNK_PROVED)
		json_field_bool(json, "proved", true);
	if (chunk->kind == WIRE_CHUNK_BEFORE)
		json_field_bool(json, "before", true);
}

/* Writes the alternatives to a chunk, and returns their number. */
static size_t others_field(struct json *json, const struct wire_chunk *chunks, size_t count)
{
	size_t i = 0;

	if (!count || chunks->kind != WIRE_CHUNK_OR)
		return 0;
	json_key(json, "or");
	json_array(json);
	for (; i < count && chunks[i].kind == WIRE_CHUNK_OR; i++) {
		json_object(json);
		chunk_members(json, &chunks[i]);
		json_end_object(json);
	}
	json_end_array(json);
	return i;
}

/*
 * True if the chunks do not hold: they belong to another operation, or they were spliced and the
 * call's end does not confirm that they are all that it took.
 */
static bool is_void(const struct wire_chunk *chunk, const struct wire_operation *operation)
{
	return chunk->operation != operation->id ||
	       (chunk->kind == WIRE_CHUNK_SPLICED && !(operation->has & WIRE_HAS_TAKEN));
}

void chunks_field(struct json *json, const struct call *call,
		  const struct wire_operation *operation)
{
	if (!call->chunk_count || is_void(call->chunks, operation))
		return;
	json_key(json, KEY(operation, chunks));
	json_array(json);
	for (size_t i = 0; i < call->chunk_count;) {
		json_object(json);
		chunk_members(json, &call->chunks[i++]);
		i += others_field(json, call->chunks + i, call->chunk_count - i);
		json_end_object(json);
	}
	json_end_array(json);
}

void encode_lock_segment(struct encoder *encoder, const struct wire_lock_segment *segment)
{
	struct call *call = calls_of_thread(encoder->calls, segment->head.tid);

	if (!call || call_add_lock_segment(call, segment))
		encoder->malformed++;
}

static void lock_segments_of_kind(struct json *json, const char *key, const struct call *call,
				  enum wire_lock_segment_kind kind)
{
	bool any = false;

	for (size_t i = 0; i < call->lock_segment_count; i++) {
		if (call->lock_segments[i].kind != kind)
			continue;
		if (!any) {
			json_key(json, key);
			json_array(json);
		}
		any = true;
		json_uint(json, call->lock_segments[i].from);
		json_uint(json, call->lock_segments[i].to);
	}
	if (any)
		json_end_array(json);
}

void lock_segments_field(struct json *json, const struct call *call, uint64_t operation)
{
	if (!call->lock_segment_count || call->lock_segments[0].operation != operation)
		return;
	lock_segments_of_kind(json, KEY(operation, turns), call, WIRE_LOCK_SEGMENT_PIPE);
	lock_segments_of_kind(json, KEY(operation, turns_unsure), call, WIRE_LOCK_SEGMENT_UNSURE);
	lock_segments_of_kind(json, KEY(operation, sent_at), call, WIRE_LOCK_SEGMENT_SENT);
	lock_segments_of_kind(json, KEY(operation, received_at), call, WIRE_LOCK_SEGMENT_TAKEN);
}
