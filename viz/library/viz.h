/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The viewer as a library: it reads a trace that ipclens recorded, pairs sends with receives, looks
 * for faults, and hands out what it found. docs/library.md shows how to compile a program that uses
 * it; docs/examples/visit.c is one.
 *
 *	struct ipclens_trace *trace;
 *	struct ipclens_about about;
 *	struct ipclens_message message;
 *	struct ipclens_error error;
 *
 *	if (ipclens_open("lab.ndjson", NULL, &trace, &error))
 *		... error.text says what is wrong, with file and line
 *	ipclens_get_about(trace, &about);
 *	for (size_t i = 0; i < about.message_count; i++)
 *		if (ipclens_get_message(trace, i, &message))
 *			... message.bytes_len, message.from.pid, ...
 *	ipclens_close(trace);
 *
 * Lifetime. Whatever a getter hands out (names, payloads, lists) is borrowed from the trace and
 * lives until ipclens_close(). Strings of tables (`mechanism`, `fate`, `id`) live for ever. The
 * library keeps no pointer to what the caller passes in, and needs no file once it is open.
 *
 * Threads. An open trace does not change: any number of threads may call getters at once, if none
 * of them closes it. Several threads may open traces of their own at once; for this, nobody may
 * call cJSON_InitHooks() meanwhile.
 *
 * Units. A member whose name ends in _ns is in nanoseconds; points in time are of the traced
 * machine's CLOCK_MONOTONIC. A member whose name ends in _len is in bytes. `pid` is a process,
 * `tid` a thread, as the machine's first pid namespace numbers them. A pid may be used again by
 * another process, an index is not: compare processes by index.
 *
 * Hostile input. A trace may be damaged or forged, and traced programs choose their names and data.
 * Any sequence of bytes gives either a trace or an error. For an open trace this holds: each index
 * is IPCLENS_NONE or below its count; `text` of a name is safe to print; each pointer holds as many
 * bytes as its length says. Everything else is what the trace claims: times need not ascend, and
 * `bytes_len` may be more than the payload that the trace has kept. Time and memory grow with the
 * size of the trace, which is held in memory as a whole, and takes about four times as much there
 * as in its file: whoever takes traces from strangers should limit their size.
 *
 * Certainty. A message whose `match` is IPCLENS_MATCH_EXACT has no other pairing that the trace
 * allows. What cannot be known is announced: as IPCLENS_MATCH_AMBIGUOUS, as a gap, or by `complete`
 * and `warning` of struct ipclens_about.
 *
 * Memory. Where none is left, the library says so on stderr and ends the process with status 1,
 * as the viewer does. Otherwise it prints nothing, changes no signal, locale or environment, and
 * starts no thread.
 *
 * Later versions may add members at the end of these structs and new words to `mechanism`, `fate`
 * and `id`; compile a program anew for a new library.
 */
#ifndef VIZ_LIBRARY_VIZ_H
#define VIZ_LIBRARY_VIZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

#define IPCLENS_NONE SIZE_MAX	 /* an index of nothing: not in the trace, or not known */
#define IPCLENS_NEVER UINT64_MAX /* a time that did not come within the trace */

struct ipclens_trace;

struct ipclens_error {
	uint64_t line;	/* of the trace, from 1; 0: the error is of no line */
	char text[512]; /* a sentence, as "lab.ndjson:7: is not a JSON object" */
};

/* How to open a trace; zeroed memory, or NULL in its place, stands for the defaults. */
struct ipclens_options {
	const char *language; /* of findings: "en" or "de"; NULL: "en" */
};

/*
 * A name as the trace has it, in two forms. `text` is for people: valid UTF-8 in which control
 * characters, invisible characters and stray bytes are written as \n, \x1b, \u202e; it is never
 * NULL, and "" where there is no name. `bytes` is what the program gave, and may hold anything, NUL
 * included; it is NULL where there is no name. A NUL follows either; its length leaves that out.
 */
struct ipclens_name {
	const char *text;
	size_t text_len;
	const char *bytes;
	size_t bytes_len;
};

/* What the trace says of itself, and how much is in it. */
struct ipclens_about {
	uint64_t version;	  /* of the trace's format */
	struct ipclens_name tool; /* what recorded it, as "ipclens 0.1.0" */
	struct ipclens_name kernel;
	struct ipclens_name machine; /* as uname(1) names it: "x86_64" */
	struct ipclens_name host;
	uint64_t start_ns;
	uint64_t end_ns;	    /* the latest time in the trace */
	int64_t realtime_offset_ns; /* added to a point in time it gives CLOCK_REALTIME */
	bool complete;	     /* false: records are missing, so what is not there proves nothing */
	uint64_t lost;	     /* records that the tracer could not keep */
	const char *warning; /* a sentence where the trace is cut off or damaged; else NULL */
	size_t process_count;
	size_t channel_count;
	size_t operation_count;
	size_t message_count;
	size_t ambiguous_count; /* messages whose match is not exact */
	size_t gap_count;
	size_t finding_count;
};

/* One process from its birth to its end. They are in order of appearance. */
struct ipclens_process {
	uint32_t pid;
	uint32_t parent_pid; /* 0: not known */
	size_t parent; /* index of a process, none that descends from this one; or IPCLENS_NONE */
	struct ipclens_name comm; /* the last name of its first thread */
	struct ipclens_name path; /* of the program that it executed last */
	uint64_t start_ns;	  /* its birth, or when the tracer first saw it */
	uint64_t end_ns;	  /* or IPCLENS_NEVER */
	bool before_trace;	  /* it was there when tracing began, or its birth was not seen */
	bool status_known;	  /* the next two hold */
	int exit_signal;	  /* the signal that ended it; 0: it exited by itself, with */
	uint32_t exit_code;
};

/* A kernel object through which processes communicate. They are in order of appearance. */
struct ipclens_channel {
	struct ipclens_name id;	  /* as "pipe:[40211]": unique in the trace */
	const char *mechanism;	  /* "pipe", "unix-stream", …: docs/trace-format.md lists them */
	struct ipclens_name name; /* of a FIFO, a queue, a bound unix socket */
	struct ipclens_name local_address; /* of a socket */
	struct ipclens_name peer_address;
	size_t peer; /* the channel at the other end of a socket or terminal; or IPCLENS_NONE */
	uint64_t capacity_len; /* 0: not known */
	uint64_t at_ns;	       /* when it was first known */
};

/* One system call. They are in order of their beginnings. */
struct ipclens_operation {
	uint64_t id; /* as `ipclens messages` says it; unique in the trace */
	struct ipclens_name syscall;
	size_t process;	    /* index; or IPCLENS_NONE */
	uint32_t tid;	    /* 0: not known */
	int32_t fd;	    /* -1: none. Of a transfer (splice, sendfile): its source */
	int32_t fd_out;	    /* of a transfer: its sink; else -1 */
	size_t channel;	    /* index of what `fd`, or the call itself, names; or IPCLENS_NONE */
	size_t channel_out; /* the same of `fd_out` */
	uint64_t enter_ns;
	uint64_t exit_ns;	   /* IPCLENS_NEVER: it had not returned when the trace ended */
	bool returned_known;	   /* the next two hold */
	int64_t returned;	   /* what the kernel returned: negative is -errno */
	struct ipclens_name error; /* its name, as "EAGAIN" */
};

/* One side of a message. */
struct ipclens_end {
	bool known;	/* false: outside the trace, or nobody; then pid, tid and comm are empty */
	size_t process; /* index; IPCLENS_NONE: the trace does not know this pid */
	uint32_t pid;
	uint32_t tid;
	struct ipclens_name comm; /* the name of the thread when it called */
	size_t operation;	  /* index of the call that sent or received; or IPCLENS_NONE */
	uint64_t part;		  /* sendmmsg, recvmmsg: which of the call's messages, from 0 */
	bool timed; /* the next three hold: this side's call or signal is in the trace */
	uint64_t enter_ns;
	uint64_t exit_ns;    /* IPCLENS_NEVER: unfinished */
	uint64_t offset_len; /* how many of the call's bytes stand before this message's */
	const char *payload; /* what the trace kept of the message's bytes; NULL: nothing */
	size_t payload_len;
};

/* A process that is outside the trace, as far as it can be named. */
struct ipclens_outsider {
	uint32_t pid;
	struct ipclens_name comm;
};

#define IPCLENS_OUTSIDERS_MOST 8

enum ipclens_match {
	IPCLENS_MATCH_EXACT = 1, /* no other pairing is possible */
	IPCLENS_MATCH_AMBIGUOUS, /* the evidence allows another pairing too */
};

/*
 * A send and a receive that share bytes, a signal, or something sent that nobody received. They are
 * in order of receipt; those that nobody received follow in order of sending, and where they are
 * many some come earlier.
 */
struct ipclens_message {
	uint64_t id;	       /* from 1, in this order */
	const char *mechanism; /* "pipe", "signal", … */
	size_t channel; /* a socket: where it was queued, else the sender's; or IPCLENS_NONE */
	uint64_t bytes_len;
	struct ipclens_end from;
	struct ipclens_end to;
	enum ipclens_match match;
	const char *fate; /* "unread", "truncated", "handled", …; NULL: it was received whole */
	uint64_t cut_len; /* of a truncated one: bytes that were sent and not received */
	bool typed;	  /* the next one holds */
	int64_t type;	  /* System V: the message's type; POSIX: its priority */
	struct ipclens_name signal; /* "SIGUSR1"; no name: the message is no signal */
	size_t echo; /* index of the write that a terminal echoed so; or IPCLENS_NONE */
	/* Who may be at the end that is not known: those processes, or that address. */
	struct ipclens_outsider outsiders[IPCLENS_OUTSIDERS_MOST];
	size_t outsider_count;
	struct ipclens_name outside_address;
};

/* Records are missing here: nobody can tell who received what. */
struct ipclens_gap {
	size_t channel; /* index */
	uint64_t from_ns;
	uint64_t to_ns;	    /* IPCLENS_NEVER: until the end of the trace */
	uint64_t bytes_len; /* of a stream: how many bytes have no certain sender */
	uint64_t messages;  /* of other channels: how many messages */
};

enum ipclens_severity {
	IPCLENS_SEVERITY_NOTE = 1, /* worth knowing */
	IPCLENS_SEVERITY_WARNING,  /* probably a fault */
	IPCLENS_SEVERITY_ERROR,	   /* the program hangs, dies or loses data by it */
};

/* What is wrong in the trace. They come worst first. All their texts are safe to print. */
struct ipclens_finding {
	const char *id; /* "deadlock", "no-eof", …: docs/findings.md explains them */
	enum ipclens_severity severity;
	uint64_t at_ns;
	size_t channel;		 /* index; or IPCLENS_NONE */
	const size_t *processes; /* indices */
	size_t process_count;
	const size_t *operations; /* indices */
	size_t operation_count;
	const char *text; /* a sentence */
	size_t text_len;
	const char *advice;
	size_t advice_len;
	const char *const *evidence; /* sentences */
	size_t evidence_count;
};

/*
 * Reads the trace `path` ("-" is stdin) to its end, pairs its messages and looks for faults. It
 * returns 0 and sets *trace, which ipclens_close() frees; or it returns -errno, sets *trace to NULL
 * and *error to a sentence that names file and line. -EBADMSG: this is no trace;
 * -EINVAL: the options are wrong; others: as open(2) and read(2) say. A trace that was cut off or
 * holds wrong lines is no error: what can be read is, and `warning` says what is missing.
 */
int ipclens_open(const char *path, const struct ipclens_options *options,
		 struct ipclens_trace **trace, struct ipclens_error *error);

/*
 * The same from an open stream, which stays open and is read to its end; `name` stands for it in
 * errors. A regular file at offset 0 is read twice, to count what it has lost; any other stream is
 * read once, from where it stands.
 */
int ipclens_open_stream(FILE *stream, const char *name, const struct ipclens_options *options,
			struct ipclens_trace **trace, struct ipclens_error *error);

/* Frees the trace and all that was handed out of it. NULL is fine. */
void ipclens_close(struct ipclens_trace *trace);

void ipclens_get_about(const struct ipclens_trace *trace, struct ipclens_about *about);

/*
 * Each fills its struct. False where there is no such index (IPCLENS_NONE is none): the struct then
 * has zeros, indices of nothing and names that are "".
 */
bool ipclens_get_process(const struct ipclens_trace *trace, size_t index,
			 struct ipclens_process *process);
bool ipclens_get_channel(const struct ipclens_trace *trace, size_t index,
			 struct ipclens_channel *channel);
bool ipclens_get_operation(const struct ipclens_trace *trace, size_t index,
			   struct ipclens_operation *operation);
bool ipclens_get_message(const struct ipclens_trace *trace, size_t index,
			 struct ipclens_message *message);
bool ipclens_get_gap(const struct ipclens_trace *trace, size_t index, struct ipclens_gap *gap);
bool ipclens_get_finding(const struct ipclens_trace *trace, size_t index,
			 struct ipclens_finding *finding);

/* The library's version, as "0.1.0". */
const char *ipclens_version(void);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
