/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Writes the lines of one trace as lines of the merged one: keys.def says what becomes of what. */
#ifndef VIZ_MERGE_RENAMING_H
#define VIZ_MERGE_RENAMING_H

#include "viz/base/json.h"
#include "viz/merge/clocks.h"

/* How the names of one trace become names of the merged one. */
struct renaming {
	const struct trace_facts *trace;
	size_t index;	     /* of the trace, from 0 */
	bool hosts;	     /* the traces are of several hosts */
	uint64_t processors; /* of all traces; calls are numbered by them */
	uint64_t own_processors;
	/* Channels whose ids this trace alone understands get another end, if the host has more. */
	bool shares_host;
	char *id; /* of a channel, as it is composed */
	size_t id_room;
};

void renaming_free(struct renaming *renaming);

/*
 * Writes the current line of the input. False: it holds a number that has no place in the merged
 * trace, and what was written is to be thrown away.
 */
bool renaming_line(struct renaming *renaming, const struct trace_input *input, struct json *json);

/*
 * Writes the value of a field of kind TEXT or BYTES. In a TEXT, which must be a string, bytes that
 * are not UTF-8 become '?'.
 */
void renaming_name(struct json *json, enum field field, struct viz_bytes bytes);

#endif
