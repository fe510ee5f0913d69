/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One of the traces that are merged: a file that is read twice, line by line. */
#ifndef VIZ_MERGE_TRACE_INPUT_H
#define VIZ_MERGE_TRACE_INPUT_H

#include <sys/types.h>

#include "viz/base/arena.h"
#include "viz/reader/reader.h"

struct merge_host;

/* What its header says, and what one pass through it finds. It lives in the arena of the merge. */
struct trace_facts {
	const char *path;
	dev_t device; /* of the file */
	ino_t inode;
	struct viz_bytes name, boot_id, kernel; /* of the machine; data NULL: not told */
	uint64_t version;			/* of the format */
	uint64_t start_ns;
	int64_t realtime_offset_ns;
	uint32_t tracer;     /* 0: not told */
	uint64_t processors; /* 0: not told */
	uint64_t page_len;
	struct map hooks; /* those that were attached */
	/* By the pass: the latest time, what the trailer counts, and the lines left out. */
	uint64_t end_ns;
	uint64_t operations, signals, lost, wrong;
	enum end_reason why; /* END_REASON_NONE: there is no trailer */
	struct merge_host *host;
	const struct trace_facts *next_of_host;
	uint64_t first_processor; /* of its own, in the merged trace's */
};

struct trace_input {
	struct trace_facts *facts;
	FILE *stream;
	struct reader *reader;
	struct trace_line *line; /* the last one that was read */
	/* Its time by the machine's own clock, but never less than that of a line before. */
	uint64_t at_ns;
	uint64_t looks; /* lines of a look at its machine, which are passed over */
};

/*
 * Opens a trace, checks its header, and leaves that as the current line. 0; or -errno, with a
 * sentence in `error`, which must live as long as the input.
 */
int trace_input_open(struct trace_input *input, struct trace_facts *facts, struct viz_error *error);

/* Fills in what the header, which is the current line, says. */
void trace_input_take_header(const struct trace_input *input, struct arena *arena);

/* 1: the next line; 0: the end; -errno, with `error` set: it cannot be read any further. */
int trace_input_next(struct trace_input *input);

/* Of the current line: the object that it is, and the value of a field. */
const struct json_node *trace_input_object(const struct trace_input *input);
#define INPUT_VALUE(input, record, key) (&(input)->line->values[FIELD_##record##_##key])

void trace_input_close(struct trace_input *input);

#endif
