/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Messages as JSON, one a line: what `ipclens messages` prints. The keys are a contract with its
 * users (docs/ has them): add, never rename.
 */
#ifndef VIZ_MESSAGES_H
#define VIZ_MESSAGES_H

#include <stdio.h>

#include "filter.h"
#include "json.h"
#include "stream.h"

void message_write(struct json *j, const struct viz_message *message);

/* Prints what the filter lets through, as it comes: data of a struct viz_sink. */
struct messages_printer {
	FILE *out;
	const struct viz_filter *filter;
	struct json json; /* messages_printer_end() frees it */
};

struct viz_sink messages_sink(struct messages_printer *printer);

/* Flushes. `err` is what reading gave; returns it, or -errno of the flush. */
int messages_printer_end(struct messages_printer *printer, int err);

#endif
