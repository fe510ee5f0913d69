/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Writes values that were read. */
#ifndef VIZ_READER_JSON_COPY_H
#define VIZ_READER_JSON_COPY_H

#include "viz/base/json.h"
#include "viz/reader/json_node.h"

/* False for a key that a line cannot have: what no reader knows may have any bytes as its key. */
bool json_copy_keeps_key(struct viz_bytes key);

/*
 * Writes any value as it is; of numbers with a fraction the whole part. Members with a key that is
 * not kept are left out.
 */
void json_copy(struct json *json, const struct json_node *node);

#endif
