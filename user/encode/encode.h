/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Turns wire records into lines of the trace. Lines gather in `json` until the caller writes them
 * out and resets it. Each kind of record has a file: operation_line.c, object_line.c,
 * process_line.c, signal_line.c; dispatch.c passes each record to its encoder.
 */
#ifndef USER_ENCODE_ENCODE_H
#define USER_ENCODE_ENCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/encode/bound_paths.h"
#include "user/encode/object_ids.h"
#include "user/encode/own_pids.h"
#include "user/encode/payload_digest.h"
#include "user/encode/secrets.h"
#include "user/encode/terminal_writers.h"
#include "user/encode/thread_calls.h"
#include "user/tracer/tracer.h"
#include "viz/base/json.h"
#include "viz/format/names.h"

/* What a thread that sleeps in a futex waits for, as its process's memory tells; 0: nothing. */
struct futex_wait {
	uint64_t lock;	/* address of the mutex */
	uint32_t owner; /* the thread that holds it */
	uint32_t joins; /* the thread whose end it waits for */
};

struct encoder {
	struct json json;
	struct objects *objects;
	struct calls *calls;
	struct paths paths;
	struct terminal_writers terminals;
	const char *unlinked; /* id of the object whose name the current call removes, or NULL */
	uint64_t now_ns;      /* time of the current record */
	uint64_t operations;  /* complete operations written */
	uint64_t signals;
	uint64_t lost;
	size_t payload_len;	  /* bytes of a payload that are written at most */
	bool lets_terminals_tell; /* all that is read where several write: terminal_writers.h */
	bool hides_payload;	  /* digests are written in place of payloads */
	struct digest_salt salt;
	const struct secrets *secrets; /* what else is kept out; NULL: nothing */
	int64_t realtime_offset_ns;
	bool wants_buffers;	  /* some object has several senders or several receivers */
	struct own_pids own_pids; /* of processes that were there */
	uint64_t malformed;	  /* records that violate wire.h, which is a bug; counted as lost */
	/* In a glance: looks at the futex that the thread sleeps in; else NULL. */
	void (*futex_look)(const struct wire_thread *thread, struct futex_wait *wait);
};

int encoder_open(struct encoder *encoder); /* returns 0 or -ENOMEM */

/* Writes digests in place of payloads from now on. Returns 0 or -errno. */
int encoder_hide_payload(struct encoder *encoder);
void encoder_close(struct encoder *encoder);

/* Encodes one record of the ring. A record of unknown kind or too short counts as malformed. */
void encode_record(struct encoder *encoder, const void *data, size_t len);

/* One function for each kind of record, which has at least the length of its struct. */
void encode_operation(struct encoder *encoder, const void *data, size_t len);
void encode_object(struct encoder *encoder, const struct wire_object *object);
void encode_process(struct encoder *encoder, const struct wire_process *process, size_t len);
void encode_thread(struct encoder *encoder, const struct wire_thread *thread);
void encode_input(struct encoder *encoder, const struct wire_input *input);
void encode_failed(struct encoder *encoder, const struct wire_failed *failed);
void encode_descriptors(struct encoder *encoder, const struct wire_descriptors *descriptors);
void encode_chunk(struct encoder *encoder, const struct wire_chunk *chunk);
void encode_lock_segment(struct encoder *encoder, const struct wire_lock_segment *segment);
void encode_message(struct encoder *encoder, const struct wire_message *message);
void encode_outsider(struct encoder *encoder, const struct wire_outsider *outsider);
void encode_mapping(struct encoder *encoder, const struct wire_mapping *mapping);
void encode_stock(struct encoder *encoder, const struct wire_stock *stock);
void encode_unseen(struct encoder *encoder, const struct wire_unseen *unseen);
void encode_signal(struct encoder *encoder, const struct wire_signal *signal);

/* Writes an operation line, pending at `at_ns`, for each call that is still asleep. */
void encode_waiting(struct encoder *encoder, uint64_t at_ns);

/* Writes a lost line: `where` is the reason's name in the trace, `cpu` -1 if it is not known. */
void encode_loss(struct encoder *encoder, const char *where, int cpu, uint64_t count,
		 uint64_t at_ns);

/* Writes a pause line: the command was held for so long (CLOCK_MONOTONIC, ns). */
void encode_pause(struct encoder *encoder, uint64_t at_ns, uint64_t stood_ns);

struct header_facts {
	char *const *command; /* NULL-terminated; NULL if no command is run */
	const struct tracer_hook *hooks;
	const struct tracer_options *options;
	uint64_t start_ns;
	uint64_t processors; /* processors of the machine, which number the calls */
};

/* The first line of a trace; sets encoder->payload_len and realtime_offset_ns, too. */
void encode_header(struct encoder *encoder, const struct header_facts *facts);

struct trailer_facts {
	enum end_reason why;
	bool has_status;
	int status; /* of the command, in the encoding of wait(2) */
	uint64_t at_ns;
};

/* The last line, with the numbers of lines, operations, signals and losses. */
void encode_trailer(struct encoder *encoder, const struct trailer_facts *facts);

/* True if this begin record of an operation needs no line: it has one already, or is malformed. */
bool encoder_knows_waiting(struct encoder *encoder, const void *data, size_t len);

/* --- shared by the encoders --- */

/* Begin and end a line of this type. */
void line_begin(struct json *json, enum record record);
void line_end(struct json *json);

/*
 * Writes when a complete operation ended and what it returned, or the state of an incomplete one
 * and when it was seen.
 */
void state_fields(struct json *json, const struct wire_operation *operation);

/* True if a signal broke the call off: it returns EINTR, or is restarted. */
bool result_breaks_off(const struct wire_operation *operation);

/* Writes which sends a receive's bytes came from. */
void chunks_field(struct json *json, const struct call *call,
		  const struct wire_operation *operation);
/* Writes the payload, its digest or a path. `payload` is what the record has of it, `len` bytes. */
void payload_fields(struct encoder *encoder, const struct wire_operation *operation,
		    const unsigned char *payload, size_t len);
void lock_segments_field(struct json *json, const struct call *call, uint64_t operation);

/* Writes the lengths, addresses, flags and credentials of the messages that a call moved. */
void message_fields(struct encoder *encoder, const struct wire_operation *operation,
		    const struct wire_details *details, const struct call *call);

/* Writes the evidence for exact pairing: stream positions, messages delivered, the waker. */
void evidence_fields(struct json *json, const struct wire_operation *operation,
		     const struct wire_details *details);

/*
 * The id of an object; writes its channel line first if it has none yet. NULL if the object is
 * unknown or memory is short; else valid until encoder_close().
 */
const char *channel_of(struct encoder *encoder, const struct wire_ref *ref,
		       enum mechanism mechanism);

/* The role of a call; for calls whose role in the table depends on their arguments, by those. */
enum role operation_role(const struct wire_operation *operation, const struct wire_details *details,
			 const unsigned char *block);

/*
 * Sets encoder->wants_buffers once several threads use one side of an object, for then pairing
 * needs the kernel's buffers to be followed.
 */
void sides_note(struct encoder *encoder, const struct wire_operation *operation,
		const struct wire_details *details);

/*
 * Write the descriptors that the call made, closed, passed or received in a message, or moved its
 * bytes to.
 */
void new_fds_field(struct encoder *encoder, const struct wire_fd new_fds[2], enum data_kind data);
void left_field(struct json *json, const struct wire_operation *operation);
void rights_fields(struct encoder *encoder, const struct call *call, enum role role);
void sink_fields(struct encoder *encoder, const struct wire_fd *sink);

/* Writes [{number, change, flags}] of a semop(2). Writes nothing if `block` is NULL. */
void sems_field(struct json *json, const struct wire_operation *operation,
		const unsigned char *block);

/* Writes [{fd, channel, access}] for those entries that are IPC objects. */
void fds_value(struct encoder *encoder, const struct wire_fd *fds, size_t count);

/*
 * Writes a channel line with the full path that the caller of open(2) gave, for a FIFO's own
 * description has only the last component. Does nothing for other objects, or if the path was given
 * before.
 */
void encode_fifo_name(struct encoder *encoder, const struct wire_fd *new_fd, const void *path,
		      size_t len);

/*
 * Track the names that calls give to FIFOs, sockets and queues, and remove. encode_path_taken()
 * returns false for an unlink(2) that needs no line: it failed or is unfinished, or no object is
 * known by such a path. `block` may be NULL.
 */
void encode_path_note(struct encoder *encoder, const struct wire_operation *operation,
		      const struct wire_details *details, const unsigned char *block,
		      const void *path, size_t len);
bool encode_path_taken(struct encoder *encoder, const struct wire_operation *operation,
		       const struct wire_details *details, const void *path, size_t len);

/* Writes {"pid":5,"sig":10}, the arguments that the table of calls names in `names`. */
void args_field(struct json *json, const uint64_t args[6], const char *names);

/* Writes how long the call waits at most, in ns, if it has a timeout. */
void timeout_fields(struct encoder *encoder, const struct wire_operation *operation,
		    const struct wire_details *details);

/* Writes what lies at the futex that the call waits on, and who has it. */
void futex_fields(struct json *json, const struct wire_operation *operation,
		  const struct wire_details *details);

/* lease.c: who has the lease that an unfinished open(2) waits for; 0: it waits for none. */
uint32_t lease_awaited(const struct wire_operation *operation);
/* Of an unfinished open(2), writes who has the lease that it waits for. */
void lease_field(struct json *json, const struct wire_operation *operation);

/* What a call waits for, from its record (bpf/wire/wire.h: struct wire_wait). */
struct waits {
	const void *data;
	size_t len;
	enum data_kind kind;
	bool complete; /* the call is over, so what was ready is known */
	bool more;     /* the call had more entries than the record holds */
};

/* True for calls with such data; names their objects in lines of their own; writes the waits. */
bool is_waits(enum data_kind data);
void waits_describe(struct encoder *encoder, const struct waits *waits);
void waits_fields(struct encoder *encoder, const struct waits *waits);

/*
 * Write the details of calls about signals, children and locks (bpf/wire/wire.h: struct
 * wire_call_facts).
 */
bool is_call_facts(enum data_kind data);
void call_facts_fields(struct json *json, enum data_kind kind, const uint64_t args[6],
		       const void *data, size_t len);

/* Write socket options and queue notifications; and commands and flags by their names. */
bool is_control(enum data_kind data);
void control_fields(struct json *json, enum data_kind kind, const uint64_t args[6],
		    const void *data, size_t len);
void command_fields(struct json *json, const struct wire_operation *operation,
		    const uint64_t args[6]);

/* Writes how a process ended, from a status of wait(2). */
void status_fields(struct json *json, int status);

/*
 * Formats an address as 127.0.0.1:80, [::1]:80, /path or @abstract. Returns its length in bytes; 0
 * if there is no address, its family is unknown or it does not fit. The text of a unix address has
 * no terminating NUL.
 */
size_t address_text(char *text, size_t size, const void *sockaddr, size_t len);
/* Writes the text of an address, of which --no-args hides what is a name. */
void address_value(struct encoder *encoder, const void *sockaddr, const char *text, size_t len);
/* As address_text(), for the address of an operation; netlink's includes its socket's protocol. */
size_t peer_text(struct encoder *encoder, const struct wire_operation *operation,
		 const void *sockaddr, char *text, size_t size);
void netlink_fields(struct json *json, const struct wire_object *record);
size_t endpoint_text(char *text, size_t size, int family, const void *address, uint16_t port);

#endif
