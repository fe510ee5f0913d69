// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Writes the operation lines. This is the hot path: everything here runs once per system call. */
#include <errno.h>
#include <limits.h>
#include <linux/socket.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "user/encode/encode.h"
#include "user/encode/syscall_table.h"

/* The parts of the record around the operation. */
struct extra {
	const struct wire_details *details;
	const unsigned char *block;
	const unsigned char *payload;
	size_t payload_len;
};

/*
 * True for a message that found no room. Its bytes stay in the trace, as they tell whether it is
 * sent later; of a stream only what a pipe takes whole or not at all (PIPE_BUF).
 */
static bool is_refused_message(const struct wire_operation *operation, enum role role)
{
	const unsigned mechanism = operation->object.mechanism;
	const bool pipe = mechanism == MECH_PIPE || mechanism == MECH_FIFO;

	return role == ROLE_SEND && operation->returned == -EAGAIN &&
	       (pipe ? operation->requested <= PIPE_BUF
		     : mechanism_info(mechanism)->form == FORM_MESSAGE);
}

/*
 * Returns how many bytes of the payload were moved, since the payload was read before the call had
 * its result.
 */
static size_t payload_moved(const struct wire_operation *operation)
{
	const struct syscall_info *call = syscall_info(operation->nr);

	if (operation->state != WIRE_COMPLETE || call->data == DATA_PATH || is_waits(call->data) ||
	    is_call_facts(call->data) || is_control(call->data))
		return operation->payload_len;
	if (operation->returned < 0)
		return is_refused_message(operation, call->role) ? operation->payload_len : 0;
	if (call->role == ROLE_SEND && call->data != DATA_MMSG && operation->returned > 0 &&
	    (uint64_t)operation->returned < operation->payload_len)
		return (size_t)operation->returned;
	/*
	 * With MSG_TRUNC the result is the whole length, but bytes beyond the buffer's room are
	 * stale.
	 */
	if (call->role == ROLE_RECEIVE && operation->has & WIRE_HAS_REQUESTED &&
	    operation->requested < operation->payload_len)
		return (size_t)operation->requested;
	return operation->payload_len;
}

static const struct wire_operation *extra_find(struct extra *extra, const void *data, size_t len)
{
	static const struct wire_details none = {0};
	const struct wire_head *head = data;
	const struct wire_operation *operation = data;
	const unsigned char *at;

	extra->details = &none;
	if (head->kind == WIRE_DETAILED) {
		extra->details = data;
		operation = (const struct wire_operation *)(extra->details + 1);
		len -= sizeof(*extra->details);
	}
	len -= sizeof(*operation);
	at = (const unsigned char *)(operation + 1);
	if (operation->block_len > len || operation->payload_len > len - operation->block_len)
		return NULL;
	extra->block = operation->block_len ? at : NULL;
	extra->payload = at + operation->block_len;
	extra->payload_len = payload_moved(operation);
	return operation;
}

static void block_field(struct encoder *encoder, const struct wire_operation *operation,
			const struct extra *extra)
{
	struct json *json = &encoder->json;
	char text[WIRE_ADDRESS_LEN];
	size_t len;

	if (!extra->block || operation->address_len > WIRE_ADDRESS_LEN)
		return;
	if (!(operation->has & WIRE_HAS_ADDRESS))
		return;
	len = peer_text(encoder, operation, extra->block, text, sizeof(text));
	if (!len)
		return;
	json_key(json, KEY(operation, peer_address));
	address_value(encoder, extra->block, text, len);
}

static struct waits waits_of(const struct wire_operation *operation, const struct extra *extra)
{
	return (struct waits){.data = extra->payload,
			      .len = extra->payload_len,
			      .kind = syscall_info(operation->nr)->data,
			      .complete = operation->state == WIRE_COMPLETE,
			      .more = operation->has & WIRE_HAS_MORE_WAITS};
}

/* True for a send that has returned: then the line has no `requested` if it moved all of that. */
static bool is_sent(const struct wire_operation *operation, enum role role)
{
	return role == ROLE_SEND && operation->state == WIRE_COMPLETE && operation->returned >= 0;
}

static void requested_field(struct json *json, const struct wire_operation *operation,
			    enum role role)
{
	if (operation->has & WIRE_HAS_REQUESTED &&
	    !(is_sent(operation, role) && (uint64_t)operation->returned == operation->requested))
		json_field_uint(json, KEY(operation, requested), operation->requested);
}

/* A call that slept once was asleep from began_ns to resumed_ns, which needs no third number. */
static void sleep_field(struct json *json, const struct wire_operation *operation)
{
	bool told = operation->state == WIRE_COMPLETE && operation->began_ns &&
		    operation->resumed_ns;

	if (told ? operation->off_cpu_ns != operation->resumed_ns - operation->began_ns
		 : operation->off_cpu_ns)
		json_field_uint(json, KEY(operation, off_cpu_ns), operation->off_cpu_ns);
}

/* True for a call on a pipe that has returned: its line has no ends if both are the usual 1. */
static bool is_placed_in_pipe(const struct wire_operation *operation)
{
	return operation->has & WIRE_HAS_POSITIONS && operation->state == WIRE_COMPLETE &&
	       (operation->object.mechanism == MECH_PIPE ||
		operation->object.mechanism == MECH_FIFO);
}

static void ends_of_pipe_fields(struct json *json, const struct wire_operation *operation)
{
	bool usual = operation->readers == 1 && operation->writers == 1;

	if (!(operation->has & WIRE_HAS_ENDS) || (usual && is_placed_in_pipe(operation)))
		return;
	json_field_uint(json, KEY(operation, readers), operation->readers);
	json_field_uint(json, KEY(operation, writers), operation->writers);
}

/* Names the keys whose absence would else mean something. */
static void unknown_field(struct json *json, const struct wire_operation *operation, enum role role)
{
	bool requested = is_sent(operation, role) && !(operation->has & WIRE_HAS_REQUESTED);
	bool ends = is_placed_in_pipe(operation) && !(operation->has & WIRE_HAS_ENDS);

	if (!requested && !ends)
		return;
	json_key(json, KEY(operation, unknown));
	json_array(json);
	if (requested)
		json_text(json, KEY(operation, requested));
	if (ends) {
		json_text(json, KEY(operation, readers));
		json_text(json, KEY(operation, writers));
	}
	json_end_array(json);
}

/* What other keys tell is left out; viz/model/left_out.c puts it in again. */
static void numbers_fields(struct json *json, const struct wire_operation *operation,
			   const struct extra *extra, enum role role)
{
	if (operation->has & WIRE_ENTERED_BEFORE)
		json_field_bool(json, KEY(operation, entered_before), true);
	if (operation->followed)
		json_field_bool(json, KEY(operation, followed), true);
	if (operation->miscounted)
		json_field_bool(json, KEY(operation, miscounted), true);
	requested_field(json, operation, role);
	if (operation->has & WIRE_HAS_TRANSFERRED)
		json_field_uint(json, KEY(operation, transferred), extra->details->transferred);
	else if ((uint64_t)operation->returned > operation->requested && operation->returned > 0 &&
		 operation->has & WIRE_HAS_REQUESTED) /* MSG_TRUNC returns the whole length */
		json_field_uint(json, KEY(operation, transferred), operation->requested);
	sleep_field(json, operation);
	ends_of_pipe_fields(json, operation);
	unknown_field(json, operation, role);
	if (operation->has & WIRE_HAS_QUEUED)
		json_field_uint(json, KEY(operation, queued), operation->queued);
	else if (operation->has & WIRE_HAS_ENDS && operation->has & WIRE_HAS_POSITIONS &&
		 operation->at_exit.pipe.bytes != WIRE_UNKNOWN)
		json_field_uint(json, KEY(operation, queued), operation->at_exit.pipe.bytes);
}

static void type_field(struct json *json, const struct wire_operation *operation,
		       const struct extra *extra)
{
	if (!(operation->has & WIRE_HAS_TYPE))
		return;
	if (operation->object.mechanism == MECH_POSIX_MQ)
		json_field_uint(json, KEY(operation, priority), (uint64_t)extra->details->type);
	else
		json_field_int(json, KEY(operation, message_type), extra->details->type);
}

/*
 * True if `to` received the send. On UDP the kernel may have queued another sender's packet
 * meanwhile, so the destination port must match.
 */
static bool is_receiver(const struct object *to, const struct object *from,
			const struct wire_operation *operation, const struct extra *extra)
{
	uint16_t port;

	if (operation->object.mechanism != MECH_UDP)
		return true;
	if (operation->has & WIRE_HAS_ADDRESS && extra->block) {
		memcpy(&port, extra->block + 2, sizeof(port)); /* sin_port, sin6_port */
		port = (uint16_t)(port << 8 | port >> 8);
	} else {
		port = from ? from->peer_port : 0;
	}
	return port && port == to->local_port;
}

static void ends_fields(struct encoder *encoder, const struct wire_operation *operation,
			const struct extra *extra)
{
	enum mechanism mechanism = operation->object.mechanism;
	struct object *to = objects_get(encoder->objects, extra->details->to, mechanism);
	struct object *from = objects_get(encoder->objects, extra->details->from, mechanism);
	struct object *own = objects_get(encoder->objects, operation->object.object, mechanism);

	if (to && to->described && is_receiver(to, own, operation, extra))
		json_field_text(&encoder->json, KEY(operation, to), to->id);
	if (from && from->described)
		json_field_text(&encoder->json, KEY(operation, from), from->id);
}

/* Writes the caller, the call, its channel (NULL: none) and when it began. */
static void call_fields(struct encoder *encoder, const struct wire_operation *operation,
			const struct extra *extra, enum role role, const char *channel)
{
	const struct syscall_info *call = syscall_info(operation->nr);
	struct json *json = &encoder->json;

	json_field_uint(json, KEY(operation, id), operation->id);
	json_field_text(json, KEY(operation, syscall), call->name ? call->name : "unknown");
	json_field_text(json, KEY(operation, role), role_name(role));
	json_field_uint(json, KEY(operation, pid), operation->head.pid);
	if (operation->head.tid != operation->head.pid)
		json_field_uint(json, KEY(operation, tid), operation->head.tid);
	if (call->fd != ARG_NONE)
		json_field_int(json, KEY(operation, fd), operation->object.fd);
	if (channel)
		json_field_text(json, KEY(operation, channel), channel);
	if (call->data == DATA_FD)
		sink_fields(encoder, &extra->details->new_fds[0]);
	json_field_uint(json, KEY(operation, enter_ns), operation->enter_ns);
}

/* Writes the call's arguments and the bytes that they point to. */
static void data_fields(struct encoder *encoder, const struct wire_operation *operation,
			const struct extra *extra)
{
	const struct syscall_info *call = syscall_info(operation->nr);
	struct json *json = &encoder->json;
	uint64_t args[6];

	if (call->flags != ARG_NONE && call->flags < 6)
		json_field_uint(json, KEY(operation, flags),
				(uint32_t)extra->details->args[call->flags]);
	memcpy(args, extra->details->args, sizeof(args));
	args_field(json, args, call->arguments);
	timeout_fields(encoder, operation, extra->details);
	futex_fields(json, operation, extra->details);
	lease_field(json, operation);
	block_field(encoder, operation, extra);
	if (is_waits(call->data)) {
		struct waits waits = waits_of(operation, extra);
		waits_fields(encoder, &waits);
	} else if (is_call_facts(call->data)) {
		call_facts_fields(json, call->data, args, extra->payload, extra->payload_len);
	} else if (is_control(call->data)) {
		control_fields(json, call->data, args, extra->payload, extra->payload_len);
	} else {
		payload_fields(encoder, operation, extra->payload, extra->payload_len);
	}
	if (call->role == ROLE_CONTROL)
		command_fields(json, operation, args);
}

static void operation_line(struct encoder *encoder, const struct wire_operation *operation,
			   const struct extra *extra, const struct call *thread)
{
	const struct syscall_info *call = syscall_info(operation->nr);
	struct json *json = &encoder->json;
	/* Asked for first, since it may write a channel line. */
	const char *channel = channel_of(encoder, &operation->object.object,
					 operation->object.mechanism);
	enum role role = operation_role(operation, extra->details, extra->block);

	line_begin(json, RECORD_operation);
	call_fields(encoder, operation, extra, role, channel ? channel : encoder->unlinked);
	state_fields(json, operation);
	numbers_fields(json, operation, extra, role);
	if (operation->state == WIRE_PENDING && thread->asks_again)
		json_field_bool(json, KEY(operation, asks_again), true);
	evidence_fields(json, operation, extra->details);
	type_field(json, operation, extra);
	if (call->data == DATA_SEMS)
		sems_field(json, operation, extra->block);
	if (operation->object.mechanism == MECH_PROCESS_VM)
		json_field_uint(json, KEY(operation, peer_pid),
				(uint32_t)operation->object.object.number);
	data_fields(encoder, operation, extra);
	ends_fields(encoder, operation, extra);
	if (call->data != DATA_FD && (call->data != DATA_ONTO || operation->returned >= 0))
		new_fds_field(encoder, extra->details->new_fds, call->data);
	left_field(json, operation);
	rights_fields(encoder, thread, call->role);
	message_fields(encoder, operation, extra->details, thread);
	chunks_field(json, thread, operation);
	if (operation->state == WIRE_COMPLETE)
		lock_segments_field(json, thread, operation->id);
	line_end(json);
}

static bool is_reported(const struct call *call, const struct wire_operation *operation)
{
	return call->waiting && call->waiting_id == operation->id;
}

static void call_progress(struct encoder *encoder, struct call *call,
			  const struct wire_operation *operation, const void *data, size_t len)
{
	if (operation->state == WIRE_BEGIN) {
		call_wait(call, operation->id, data, len);
		return;
	}
	if (operation->state == WIRE_COMPLETE)
		encoder->operations++;
	call->interrupted = result_breaks_off(operation) ? operation->id : 0;
	call_end(call);
}

static bool makes_eventfd(const struct wire_operation *operation)
{
	const char *name = syscall_info(operation->nr)->name;

	return operation->returned >= 0 && strncmp(name, "eventfd", strlen("eventfd")) == 0;
}

static void describe_new_descriptors(struct encoder *encoder,
				     const struct wire_operation *operation,
				     const struct wire_fd new_fds[2])
{
	if (new_fds[0].mechanism == MECH_EVENTFD && makes_eventfd(operation))
		objects_renew(encoder->objects, new_fds[0].object, new_fds[0].mechanism);
	if (new_fds[0].mechanism == MECH_FIFO && new_fds[0].opens)
		objects_open(encoder->objects, &new_fds[0]);
	for (int i = 0; i < 2; i++)
		if (new_fds[i].mechanism != MECH_NONE)
			channel_of(encoder, &new_fds[i].object, new_fds[i].mechanism);
}

/*
 * True for a successful connect(2) with AF_UNSPEC: the socket's next connection is another channel.
 */
static bool ends_connection(const struct wire_operation *operation, const struct extra *extra)
{
	sa_family_t family = AF_UNSPEC;

	if (operation->state != WIRE_COMPLETE || operation->returned != 0 ||
	    operation->object.mechanism != MECH_TCP || !(operation->has & WIRE_HAS_ADDRESS) ||
	    !extra->block || operation->address_len < sizeof(family) ||
	    strcmp(syscall_info(operation->nr)->name, "connect") != 0)
		return false;
	memcpy(&family, extra->block, sizeof(family));
	return family == AF_UNSPEC;
}

/* The thread has left the call, and sleeps again in such a one: it is told as one that began so. */
static void sleeps_again(struct call *call, const struct wire_operation *operation)
{
	struct extra extra;
	struct wire_operation *begin;

	if (!is_reported(call, operation))
		return;
	begin = (struct wire_operation *)extra_find(&extra, call->waiting, call->waiting_len);
	if (begin)
		begin->enter_ns = operation->enter_ns;
}

void encode_operation(struct encoder *encoder, const void *data, size_t len)
{
	struct extra extra;
	const struct wire_operation *operation = extra_find(&extra, data, len);
	struct call *call = operation ? calls_of_thread(encoder->calls, operation->head.tid) : NULL;

	if (!call) {
		encoder->malformed++;
		return;
	}
	if (operation->state == WIRE_MOVED) {
		if (!call->asks_again)
			call_end(call);
		return;
	}
	if (operation->state == WIRE_AGAIN) {
		sleeps_again(call, operation);
		return;
	}
	encoder->now_ns = operation->exit_ns;
	calls_note_time(encoder->calls, encoder->now_ns);
	describe_new_descriptors(encoder, operation, extra.details->new_fds);
	encode_fifo_name(encoder, &extra.details->new_fds[0], extra.payload, extra.payload_len);
	if (!encode_path_taken(encoder, operation, extra.details, extra.payload, extra.payload_len))
		return;
	if (is_waits(syscall_info(operation->nr)->data)) {
		struct waits waits = waits_of(operation, &extra);
		waits_describe(encoder, &waits);
	}
	operation_line(encoder, operation, &extra, call);
	if (ends_connection(operation, &extra))
		objects_renew(encoder->objects, operation->object.object, MECH_TCP);
	encoder->unlinked = NULL;
	sides_note(encoder, operation, extra.details);
	encode_path_note(encoder, operation, extra.details, extra.block, extra.payload,
			 extra.payload_len);
	call_progress(encoder, call, operation, data, len);
}

bool encoder_knows_waiting(struct encoder *encoder, const void *data, size_t len)
{
	struct extra extra;
	const struct wire_operation *operation = extra_find(&extra, data, len);
	struct call *call = operation ? calls_of_thread(encoder->calls, operation->head.tid) : NULL;

	return !call || is_reported(call, operation);
}

struct waiting {
	struct encoder *encoder;
	uint64_t at_ns;
};

static void encode_one_waiting(void *context, struct call *call)
{
	struct waiting *waiting = context;
	struct wire_operation operation;
	struct extra extra;
	const struct wire_operation *begin = extra_find(&extra, call->waiting, call->waiting_len);

	if (!begin)
		return;
	operation = *begin;
	operation.state = WIRE_PENDING;
	operation.exit_ns = waiting->at_ns;
	operation_line(waiting->encoder, &operation, &extra, call);
}

void encode_waiting(struct encoder *encoder, uint64_t at_ns)
{
	struct waiting waiting = {encoder, at_ns};

	calls_each_waiting(encoder->calls, encode_one_waiting, &waiting);
}
