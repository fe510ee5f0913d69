/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Messages as JSON lines: the output of `ipclens messages`. The keys are a contract with users
 * (documented in docs/): keys may be added, never renamed.
 */
#ifndef VIZ_REPORT_MESSAGES_JSON_H
#define VIZ_REPORT_MESSAGES_JSON_H

#include <stdio.h>

#include "viz/base/json.h"
#include "viz/message/filter.h"
#include "viz/pair/stream.h"
#include "viz/protocol/talks.h"

struct dissection;

/*
 * Writes one message as a line; with `dissect`, `protocol` and `summary` if it has words
 * (viz/protocol/talks.h).
 */
void message_write(struct json *j, const struct viz_message *message, bool dissect);

/* Prints the messages that pass the filter as they come: the data of a struct viz_sink. */
struct messages_printer {
	FILE *out;
	const struct viz_filter *filter;
	bool dissect;
	/* viz/dissect: what tshark says of a message, and its first argument; NULL: not asked. */
	const struct viz_words *(*words)(const struct dissection *, const struct viz_message *);
	const struct dissection *dissection;
	/* messages_printer_end() frees these. */
	struct json json;
	struct protocol_talks talks;
};

/* Returns the sink that prints; `printer` must outlive its use. */
struct viz_sink messages_sink(struct messages_printer *printer);

/*
 * Flushes the output. Returns `err`, the result of reading, if it is not 0, else 0 or the -errno of
 * the flush.
 */
int messages_printer_end(struct messages_printer *printer, int err);

/*
 * Writes uncertainty_ns if the two are on two machines: by how much a time between them may be
 * wrong; null: nobody can tell.
 */
void write_uncertainty(struct json *j, const struct viz_process *from,
		       const struct viz_process *to);

#endif
