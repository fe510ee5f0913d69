// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The evidence in an operation line: where its stream stood, what was queued, who woke it. */
#include "encode.h"
#include "syscalls.h"

static void pipe_fields(struct json *json, const union wire_position *position)
{
	json_field_uint(json, "head", position->pipe.head);
	json_field_uint(json, "tail", position->pipe.tail);
	json_field_uint(json, "end", position->pipe.end);
	json_field_uint(json, "start", position->pipe.start);
	if (position->pipe.bytes != WIRE_UNKNOWN)
		json_field_uint(json, "bytes", position->pipe.bytes);
}

static void tcp_fields(struct json *json, const union wire_position *position)
{
	json_field_uint(json, "write_seq", position->tcp.write_seq);
	json_field_uint(json, "copied_seq", position->tcp.copied_seq);
	json_field_uint(json, "rcv_nxt", position->tcp.rcv_nxt);
	json_field_uint(json, "snd_una", position->tcp.snd_una);
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
			    const union wire_position *position)
{
	if (mechanism == MECH_TCP)
		tcp_fields(json, position);
	else if (mechanism == MECH_PTY)
		line_fields(json, position);
	else if (mechanism == MECH_EVENTFD)
		counter_fields(json, position);
	else
		pipe_fields(json, position);
}

static void position_field(struct json *json, const char *key, enum mechanism mechanism,
			   const union wire_position *position)
{
	json_key(json, key);
	json_object(json);
	position_fields(json, mechanism, position);
	json_end_object(json);
}

static void lock_field(struct json *json, enum mechanism mechanism,
		       const struct wire_details *details)
{
	json_key(json, KEY(operation, at_lock));
	json_object(json);
	json_field_uint(json, "at_ns", details->contended_ns);
	position_fields(json, mechanism, &details->at_lock);
	json_end_object(json);
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
}

/* Of a stream it says nothing: TCP's data arrives when it will. Of netlink it is not known. */
static bool is_datagram(enum mechanism mechanism)
{
	return mechanism != MECH_NETLINK && mechanism_info(mechanism)->policy == POLICY_DATAGRAM;
}

/* What the flags of the descriptor say; they are the writer's, whoever reads. */
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
		return; /* woken before it slept: it had looked, and did not wait */
	json_key(json, KEY(operation, woken_by));
	json_object(json);
	json_field_uint(json, "pid", operation->woken_pid);
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
		position_field(json, KEY(operation, at_entry), mechanism, &operation->at_entry);
	if (operation->has & WIRE_HAS_CONTENDED)
		lock_field(json, mechanism, details);
	if (operation->has & WIRE_HAS_POSITIONS && operation->state == WIRE_COMPLETE)
		position_field(json, KEY(operation, at_exit), mechanism, &operation->at_exit);
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

static void chunk_members(struct json *json, const struct wire_chunk *chunk)
{
	json_field_uint(json, "operation", chunk->sender);
	if (chunk->message)
		json_field_uint(json, "message", chunk->message);
	if (chunk->len) {
		json_field_uint(json, "offset", chunk->offset);
		json_field_uint(json, "bytes", chunk->len);
	}
	if (chunk->at_ns && chunk->kind != WIRE_CHUNK_OR)
		json_field_uint(json, "at_ns", chunk->at_ns);
	if (chunk->kind == WIRE_CHUNK_PROVED)
		json_field_bool(json, "proved", true);
}

/* What it may have taken instead; how many there are. */
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

void chunks_field(struct json *json, const struct call *call, uint64_t operation)
{
	if (!call->chunk_count || call->chunks[0].operation != operation)
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

void encode_turn(struct encoder *encoder, const struct wire_turn *turn)
{
	struct call *call = calls_of_thread(encoder->calls, turn->head.tid);

	if (!call || call_turn(call, turn))
		encoder->malformed++;
}

void turns_field(struct json *json, const struct call *call, uint64_t operation)
{
	if (!call->turn_count || call->turns[0].operation != operation)
		return;
	json_key(json, KEY(operation, turns));
	json_array(json);
	for (size_t i = 0; i < call->turn_count; i++) {
		json_uint(json, call->turns[i].from);
		json_uint(json, call->turns[i].to);
	}
	json_end_array(json);
}
