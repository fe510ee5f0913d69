/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From records to a file: drains the tracer through the encoder, keeps account of what was lost. */
#ifndef USER_TRACE_WRITER_H
#define USER_TRACE_WRITER_H

#include "encode.h"

struct trace_writer {
	struct encoder encoder;
	struct tracer *tracer;
	int output;
	uint64_t looked_ns;  /* when we last looked for threads asleep */
	uint64_t drained_ns; /* what was recorded before this moment is out of the ring */
	size_t written;	     /* of the encoder's lines */
	bool waits;	     /* the output is no file: who reads it may be slow */
	bool keeps;	     /* the end: all goes into memory, whoever may be slow */
	uint64_t lost_ring;  /* records that found no room in the ring */
	int error;	     /* -errno of a write that failed: nothing is written after it */
};

int trace_writer_open(struct trace_writer *writer, struct tracer *tracer, int output);
void trace_writer_close(struct trace_writer *writer);

/*
 * Moves what the ring holds to the file, as far as whoever reads it keeps up: else the records wait
 * in the ring, and those that find no room there are counted. Gives the number of records.
 */
int trace_writer_pump(struct trace_writer *writer);

/* Begin lines of all calls that sleep and have none yet: for the end, once the ring is empty. */
void trace_writer_last_sleepers(struct trace_writer *writer);

/* Writes out the lines that the encoder holds, as many as are taken without waiting. */
void trace_writer_flush(struct trace_writer *writer);

/* Lines are left: the output must become writable first. */
bool trace_writer_stalled(const struct trace_writer *writer);

/* What the kernel skipped and what we could not decode, then the trailer. */
void trace_writer_end(struct trace_writer *writer, const struct trailer_facts *facts);

uint64_t monotonic_ns(void);

#endif
