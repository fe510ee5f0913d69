/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From wire records to lines of the trace. Lines gather in `json` until the caller writes them out
 * and resets it. One file a kind of record: encode_operation.c, encode_object.c, encode_process.c,
 * encode_signal.c; encode.c sends each record to its own.
 */
#ifndef USER_ENCODE_H
#define USER_ENCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "calls.h"
#include "digest.h"
#include "objects.h"
#include "paths.h"
#include "tracer.h"
#include "viz/json.h"
#include "viz/lang/names.h"

struct encoder {
	struct json json;
	struct objects *objects;
	struct calls *calls;
	struct paths paths;
	const char *unlinked; /* id of the object whose name the call in hand takes away */
	uint64_t now_ns;      /* of the record in hand */
	uint64_t operations;  /* complete ones written */
	uint64_t signals;
	uint64_t lost;
	size_t payload_len; /* bytes of a payload that are written, at the most */
	bool hides_payload; /* digests are written instead */
	struct digest_salt salt;
	int64_t realtime_offset_ns;
	bool wants_buffers; /* some object has two senders or two receivers */
	bool wants_frees;   /* some UDP socket has two receivers */
	uint64_t malformed; /* records that were not what wire.h says: a bug, counted as lost */
};

int encoder_open(struct encoder *encoder); /* 0 or -ENOMEM */

/* From now on digests are written in place of payloads. 0 or -errno. */
int encoder_hide_payload(struct encoder *encoder);
void encoder_close(struct encoder *encoder);

/* One record of the ring. */
void encode_record(struct encoder *encoder, const void *data, size_t len);

void encode_operation(struct encoder *encoder, const void *data, size_t len);
void encode_object(struct encoder *encoder, const struct wire_object *object);
void encode_process(struct encoder *encoder, const struct wire_process *process, size_t len);
void encode_descriptors(struct encoder *encoder, const struct wire_descriptors *descriptors);
void encode_chunk(struct encoder *encoder, const struct wire_chunk *chunk);
void encode_turn(struct encoder *encoder, const struct wire_turn *turn);
void encode_message(struct encoder *encoder, const struct wire_message *message);
void encode_outsider(struct encoder *encoder, const struct wire_outsider *outsider);
void encode_mapping(struct encoder *encoder, const struct wire_mapping *mapping);
void encode_unseen(struct encoder *encoder, const struct wire_unseen *unseen);
void encode_signal(struct encoder *encoder, const struct wire_signal *signal);

/* Each call that sleeps, once more, as pending at `at_ns`. */
void encode_waiting(struct encoder *encoder, uint64_t at_ns);

/* `reason` is an enum wire_loss; `cpu` -1 where it is not known. */
void encode_loss(struct encoder *encoder, const char *where, int cpu, uint64_t count,
		 uint64_t at_ns);

struct header_facts {
	char *const *command; /* NULL-terminated; NULL where none is run */
	const struct tracer_hook *hooks;
	const struct tracer_options *options;
	uint64_t start_ns;
	uint64_t processors; /* that number the calls */
};

void encode_header(struct encoder *encoder, const struct header_facts *facts);

struct trailer_facts {
	enum end_reason why;
	bool has_status;
	int status; /* of the command, as wait(2) gives it */
	uint64_t at_ns;
};

void encode_trailer(struct encoder *encoder, const struct trailer_facts *facts);

/* Whether this begin record of an operation has its line already. */
bool encoder_knows_waiting(struct encoder *encoder, const void *data, size_t len);

/* --- shared by the encoders --- */

void line_begin(struct json *json, enum record record);
void line_end(struct json *json);

/* When it ended and what it returned; or in which state it was seen, and when. */
void state_fields(struct json *json, const struct wire_operation *operation);

/* A signal comes first: the call returns EINTR, or runs again. */
bool result_breaks_off(const struct wire_operation *operation);

/* Which sends a receive's bytes came from. */
void chunks_field(struct json *json, const struct call *call, uint64_t operation);
/* `payload` is all that the record has of it. */
void payload_fields(struct encoder *encoder, const struct wire_operation *operation,
		    const unsigned char *payload, size_t len);
void turns_field(struct json *json, const struct call *call, uint64_t operation);

/* What the messages of a call were: their lengths and addresses, flags and credentials. */
void message_fields(struct json *json, const struct wire_operation *operation,
		    const struct wire_details *details, const struct call *call);

/* What makes pairing exact: positions of the stream, messages queued, the waker. */
void evidence_fields(struct json *json, const struct wire_operation *operation,
		     const struct wire_details *details);

/* The id of an object, its channel line written first where it has none yet. NULL where unknown. */
const char *channel_of(struct encoder *encoder, const struct wire_ref *ref,
		       enum mechanism mechanism);

/* What a call does to its channel, where the table's word for it depends on the arguments. */
enum role operation_role(const struct wire_operation *operation, const struct wire_details *details,
			 const unsigned char *block);

/* Whether following the kernel's buffers is worth while now: encoder->wants_buffers. */
void sides_note(struct encoder *encoder, const struct wire_operation *operation,
		const struct wire_details *details);

/* Descriptors that the call made, passed or was given in a message, or put its bytes into. */
void made_field(struct encoder *encoder, const struct wire_fd made[2]);
void rights_fields(struct encoder *encoder, const struct call *call, enum role role);
void sink_fields(struct encoder *encoder, const struct wire_fd *sink);

/* [{number, change, flags}] of a semop; `block` may be NULL. */
void sems_field(struct json *json, const struct wire_operation *operation,
		const unsigned char *block);

/* [{fd, channel, access}]: the entries that are IPC objects. */
void fds_value(struct encoder *encoder, const struct wire_fd *fds, size_t count);

/* A FIFO's own description has only the last part of its path: the caller of open knew it all. */
void encode_fifo_name(struct encoder *encoder, const struct wire_fd *made, const void *path,
		      size_t len);

/*
 * Names that calls give to FIFOs, sockets and queues; and take away. False where the path is none
 * of those that we know: then the call is none of our business. `block` may be NULL.
 */
void encode_path_note(struct encoder *encoder, const struct wire_operation *operation,
		      const struct wire_details *details, const unsigned char *block,
		      const void *path, size_t len);
bool encode_path_taken(struct encoder *encoder, const struct wire_operation *operation,
		       const struct wire_details *details, const void *path, size_t len);

/* {"pid":5,"sig":10}: the arguments that the table of calls names. */
void args_field(struct json *json, const uint64_t args[6], const char *names);

/* How long it is ready to wait. */
void timeout_fields(struct encoder *encoder, const struct wire_operation *operation,
		    const struct wire_details *details);

/* What a call waits for, as its record has it (bpf/wire.h: struct wire_wait). */
struct waits {
	const void *data;
	size_t len;
	enum data_kind kind;
	bool complete; /* the call is over: what was ready is known */
	bool more;     /* there were more than the record holds */
};

bool is_waits(enum data_kind data);
void waits_describe(struct encoder *encoder, const struct waits *waits);
void waits_fields(struct encoder *encoder, const struct waits *waits);

/* What calls about signals, children and locks say (bpf/wire.h: struct wire_facts). */
bool is_facts(enum data_kind data);
void facts_fields(struct json *json, enum data_kind kind, const uint64_t args[6], const void *data,
		  size_t len);

/* Options of sockets, the notification of a queue; commands and flags by their names. */
bool is_control(enum data_kind data);
void control_fields(struct json *json, enum data_kind kind, const uint64_t args[6],
		    const void *data, size_t len);
void command_fields(struct json *json, const struct wire_operation *operation,
		    const uint64_t args[6]);

/* Fields that name how a process ended, from a status of wait(2). */
void status_fields(struct json *json, int status);

/* 127.0.0.1:80, [::1]:80, /path or @abstract; 0 where it has none or the family is unknown. */
size_t address_text(char *text, size_t size, const void *sockaddr, size_t len);
/* The address of an operation, as address_text(); netlink's with its socket's protocol. */
size_t peer_text(struct encoder *encoder, const struct wire_operation *operation,
		 const void *sockaddr, char *text, size_t size);
void netlink_fields(struct json *json, const struct wire_object *record);
size_t endpoint_text(char *text, size_t size, int family, const void *address, uint16_t port);

#endif
