/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From records to a file: drains the tracer through the encoder, keeps account of what was lost. */
#ifndef USER_TRACE_WRITER_H
#define USER_TRACE_WRITER_H

#include "encode.h"

struct trace_writer {
	struct encoder encoder;
	struct tracer *tracer;
	int output;
	uint64_t lost_ring; /* records that found no room in the ring */
	int error;	    /* -errno of a write that failed: nothing is written after it */
};

int trace_writer_open(struct trace_writer *writer, struct tracer *tracer, int output);
void trace_writer_close(struct trace_writer *writer);

/* Moves what the ring holds to the file. Gives the number of records. */
int trace_writer_pump(struct trace_writer *writer);

/* Writes out the lines that the encoder holds. */
void trace_writer_flush(struct trace_writer *writer);

/* What the kernel skipped and what we could not decode, then the trailer. */
void trace_writer_end(struct trace_writer *writer, const struct trailer_facts *facts);

uint64_t monotonic_ns(void);

#endif
