/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Writes the trace: drains the tracer through the encoder into a file, and accounts for lost
 * records.
 */
#ifndef USER_CAPTURE_TRACE_WRITER_H
#define USER_CAPTURE_TRACE_WRITER_H

#include "user/encode/encode.h"
#include "user/tracer/held_sleepers.h"
#include "viz/base/compressor.h"

struct trace_writer {
	struct encoder encoder;
	struct tracer *tracer;
	int output;
	struct compressor *compressor; /* between the encoder and the output; NULL: none */
	struct sleeping sleeping;
	uint64_t looked_ns; /* when threads asleep were last looked for */
	uint64_t marked_ns; /* when the ring was last marked */
	uint64_t until_ns;  /* the current batch of records ends at this time */
	unsigned unasked;   /* records since the clock was last read */
	size_t written;	    /* bytes of the encoder's lines that are written, or in compression */
	bool waits;	    /* the output is no regular file: its reader may be slow */
	bool keeps;	    /* lines gather in memory without limit, however slow the reader is */
	uint64_t lost_ring; /* records that found no room in the ring */
	int error;	    /* -errno of a failed write: nothing is written after it */
};

/*
 * `tracer` and `output` stay the caller's. Returns 0 or -ENOMEM; trace_writer_close() is to be
 * called in either case.
 */
int trace_writer_open(struct trace_writer *writer, struct tracer *tracer, int output);
void trace_writer_close(struct trace_writer *writer);

/* What is written is compressed, from the first line on. Returns 0 or -ENOMEM. */
int trace_writer_compress(struct trace_writer *writer);

/*
 * Moves what the ring holds to the output, as fast as its reader takes it. If the reader is slow,
 * records wait in the ring, and those that find no room there are counted as lost. Returns within
 * some milliseconds, so that the caller can do its other work: the number of records moved, or
 * -errno.
 */
int trace_writer_pump(struct trace_writer *writer);

/* True if there is enough in the ring to call trace_writer_pump() again at once. */
bool trace_writer_behind(const struct trace_writer *writer);

/* Moves all that the ring holds now; lines that the output does not take stay in memory. */
void trace_writer_begin(struct trace_writer *writer);

/*
 * The end of a trace takes three steps. make_room() drains a crowded ring, so that the last
 * snapshot fits: for 100 ms at most, or with `all` until it is nearly empty, 10 s at most. stop()
 * fixes and returns the trace's last moment (CLOCK_MONOTONIC, in ns) and notes the calls asleep
 * then; the traced processes may be ended after it. rest() moves all records from before that
 * moment.
 */
void trace_writer_make_room(struct trace_writer *writer, bool all);
uint64_t trace_writer_stop(struct trace_writer *writer);
void trace_writer_rest(struct trace_writer *writer);

/* Writes as many of the encoder's lines as the output takes without blocking. */
void trace_writer_flush(struct trace_writer *writer);

/* True if lines are left: the output must become writable first. */
bool trace_writer_stalled(const struct trace_writer *writer);

/* Adds lines that are whole, from the beginning of the file on; -1: none. */
void trace_writer_add(struct trace_writer *writer, int lines);

/* Writes the counts of runs that the kernel skipped and of malformed records, then the trailer. */
void trace_writer_end(struct trace_writer *writer, const struct trailer_facts *facts);

#endif
