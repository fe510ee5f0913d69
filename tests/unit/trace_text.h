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

#include "viz/stream.h"

#define TRACE_SHOWN_LEN (1 << 14)

struct trace_text {
	char data[1 << 20];
	size_t len;
	struct viz_model *model;
	struct viz_pairing *pairing;
	char shown[TRACE_SHOWN_LEN];	/* trace_messages() */
	char streamed[TRACE_SHOWN_LEN]; /* trace_stream() */
	uint64_t streamed_count;
};

/* A line, ended by a newline. */
void trace_line(struct trace_text *t, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void trace_raw(struct trace_text *t, const char *text); /* as it is */

void trace_header(struct trace_text *t);
void trace_trailer(struct trace_text *t, uint64_t at_ns);

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

/* Descriptor 5 of that process, a socket: sendto or recvfrom, in a call of 1 ns. */
void trace_socket(struct trace_text *t, unsigned id, bool sends, uint32_t pid, const char *channel,
		  uint64_t at_ns, int64_t bytes, const char *more);

struct trace_text *trace_new(void); /* with a header */
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
const char *trace_messages(struct trace_text *t); /* and checks that trace_stream() has the same */

/* The same, read piece by piece. */
const char *trace_stream(struct trace_text *t);

#endif
