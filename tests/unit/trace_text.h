/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Small traces written by hand, for tests: lines are formatted as printf(3) does, with ' for ", and
 * the messages that come of them as short lines that a test can compare.
 */
#ifndef TESTS_TRACE_TEXT_H
#define TESTS_TRACE_TEXT_H

/* cmocka.h wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "viz/diagnose/diagnose.h"
#include "viz/pair/pair.h"
#include "viz/pair/stream.h"

#define TRACE_SHOWN_LEN (1 << 14)

struct trace_text {
	char data[1 << 25]; /* pages that nothing is written to cost nothing */
	size_t len;
	struct viz_model *model;
	struct viz_pairing *pairing;
	char shown[TRACE_SHOWN_LEN];	/* trace_messages() */
	char streamed[TRACE_SHOWN_LEN]; /* trace_stream() */
	uint64_t streamed_count;
	const struct shape *shape; /* of a test by trace_shapes_run() */
};

/* A line, ended by a newline. */
void trace_line(struct trace_text *t, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void trace_raw(struct trace_text *t, const char *text); /* as it is */

void trace_header(struct trace_text *t);
/* The last line, of a trace that finished or ended for that reason, with so many operations. */
void trace_trailer(struct trace_text *t, uint64_t at_ns);
void trace_ends(struct trace_text *t, uint64_t at_ns, const char *why, unsigned operations);

/* pid's first thread appears (snapshot). */
void trace_process(struct trace_text *t, uint32_t pid, const char *comm);
void trace_fork(struct trace_text *t, uint32_t parent, uint32_t pid, const char *comm,
		uint64_t at_ns);
void trace_exit(struct trace_text *t, uint32_t pid, const char *status, uint64_t at_ns);

/* `more` is ",'key':value…" or "". */
void trace_channel(struct trace_text *t, const char *id, const char *mechanism, const char *more);

/* A completed call by the process's first thread, or by `tid`. */
struct call {
	unsigned id;
	const char *syscall;
	const char *role;
	uint32_t pid;
	uint32_t tid; /* 0: pid */
	int fd;
	const char *channel; /* NULL: none */
	uint64_t enter_ns, exit_ns;
	int64_t returned;
	const char *more;
};
void trace_call(struct trace_text *t, struct call call);

/* A pipe made by pid at 2, reading end 3, writing end 4. */
void trace_pipe(struct trace_text *t, uint32_t pid, const char *id);

#define TRACE_PIPE "pipe:[7]"

/* A write to that pipe, and a read from it. */
void trace_put(struct trace_text *t, unsigned id, uint32_t pid, uint64_t enter_ns, uint64_t exit_ns,
	       int64_t bytes, const char *more);
void trace_get(struct trace_text *t, unsigned id, uint32_t pid, uint64_t enter_ns, uint64_t exit_ns,
	       int64_t bytes, const char *more);

/* Where a pipe stood when a call began and when it ended; buffers begin at their page's start. */
#define POSITIONS(head, tail, end, then_head, then_tail, then_end)                                 \
	AT("at_entry", head, tail, end, 0) AT("at_exit", then_head, then_tail, then_end, 0)
#define AT(when, head, tail, end, start)                                                           \
	",'" when "':{'head':" #head ",'tail':" #tail ",'end':" #end ",'start':" #start "}"

/* Where TCP stood then: the number of the byte to write next, and of the one to read next. */
#define SEQUENCES(written, copied, then_written, then_copied)                                      \
	",'at_entry':{'write_seq':" #written ",'copied_seq':" #copied "},"                         \
	"'at_exit':{'write_seq':" #then_written ",'copied_seq':" #then_copied "}"

/* Sockets [1] and [2] on loopback: of TCP connected (ports 4000, 80), of UDP bound (ports 1, 2). */
void trace_tcp(struct trace_text *t);
void trace_udp(struct trace_text *t);

/* A FIFO's writing end, descriptor 8, opened in a call of 1 ns. */
void trace_open_fifo(struct trace_text *t, unsigned id, uint32_t pid, const char *channel,
		     uint64_t at_ns);

/* A write of that process by descriptor 4 that is still under way when the trace ends, at 900. */
void trace_pending(struct trace_text *t, unsigned id, uint32_t pid, const char *channel,
		   uint64_t enter_ns, uint64_t requested, const char *more);

/* A close of 1 ns, and a read by descriptor 3 that finds the end of the stream in 1 ns. */
void trace_close(struct trace_text *t, unsigned id, uint32_t pid, int fd, const char *channel,
		 uint64_t at_ns, const char *more);
void trace_find_end(struct trace_text *t, unsigned id, uint32_t pid, const char *channel,
		    uint64_t at_ns);

/* Records are missing. */
void trace_lost(struct trace_text *t, uint64_t at_ns, unsigned count);

/* Descriptor 5 of that process, a socket: sendto or recvfrom, in a call of 1 ns. */
void trace_socket(struct trace_text *t, unsigned id, bool sends, uint32_t pid, const char *channel,
		  uint64_t at_ns, int64_t bytes, const char *more);

struct trace_text *trace_new(void); /* with a header */

/* Begins it anew, as the trace of a command of one word, whose tracer is process 9. */
void trace_command(struct trace_text *t, const char *command);
void trace_free(struct trace_text *t);

/* For cmocka: process 10 with that pipe and its children 20 and 30; and the end of any of them. */
int trace_pipe_set_up(void **state);
int trace_fifo_set_up(void **state);  /* the same, but it is a FIFO */
int trace_three_set_up(void **state); /* processes 10, 20 and 30 that nothing relates */
int trace_tear_down(void **state);

/* Reads what was written, which must succeed. */
const struct viz_model *trace_model(struct trace_text *t);
const struct viz_pairing *trace_pair(struct trace_text *t);

/*
 * The messages, one a line: "pipe 801>802 24 s6+0 r7+0 exact". s and r are the operations with the
 * offset in them, "-" is nobody; then match, and the fate if there is one.
 */
const char *trace_messages(struct trace_text *t); /* and checks that both of these have the same */

/* The same, read piece by piece from what may still be written, or from a file. */
const char *trace_stream(struct trace_text *t);
const char *trace_stream_of_file(struct trace_text *t);

/* Of what is diagnosed, "deadlock 10 20\\n" for each finding that is at least so severe. */
const char *trace_findings(struct trace_text *t, enum severity least);

/*
 * How severe the finding of this name is, "warning" or "note"; "" if none is diagnosed. Its text
 * must lack nothing, nor may records. `times`, if not NULL, is how often it was found.
 */
const char *trace_severity(struct trace_text *t, const char *name, uint64_t *times);

#define SHAPE_LINES_MAX 8
#define SHAPE_CALLS_MAX 8

/* A test as a row of a table: a trace, and the messages that come of it. */
struct shape {
	const char *name;
	const char *lines[SHAPE_LINES_MAX]; /* before the calls, as trace_line() has them */
	struct call calls[SHAPE_CALLS_MAX];
	const char *messages; /* as of trace_messages() */
};

/* For these lines and calls: what the functions above write that have such names and arguments. */
#define CHANNEL(id, mechanism, more)                                                               \
	"{'type':'channel','id':'" id "','at_ns':1,'mechanism':'" mechanism "'" more "}"
/* clang-format off */
#define PUTS(id, pid, enter_ns, exit_ns, bytes, more)                                              \
	{id, "write", "send", pid, 0, 4, TRACE_PIPE, enter_ns, exit_ns, bytes, more}
#define GETS(id, pid, enter_ns, exit_ns, bytes, more)                                              \
	{id, "read", "receive", pid, 0, 3, TRACE_PIPE, enter_ns, exit_ns, bytes, more}
#define SENDS(id, pid, channel, at_ns, bytes, more)                                                \
	{id, "sendto", "send", pid, 0, 5, channel, at_ns, (at_ns) + 1, bytes, more}
#define RECEIVES(id, pid, channel, at_ns, bytes, more)                                             \
	{id, "recvfrom", "receive", pid, 0, 5, channel, at_ns, (at_ns) + 1, bytes, more}
/* clang-format on */

/*
 * Each row is a test of its name, which begins with what set_up makes. It compares the messages,
 * and how many of them the pairing counts as ambiguous, unread and foreign. Returns how many
 * failed.
 */
int trace_shapes_run(const struct shape *shapes, size_t count, int (*set_up)(void **state));

#endif
