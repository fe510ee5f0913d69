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

void message_write(struct json *j, const struct viz_message *message);

/* All that the filter lets through, in order of receipt. 0 or -errno of writing. */
int messages_print(FILE *out, const struct viz_pairing *pairing, const struct viz_filter *filter);

#endif
