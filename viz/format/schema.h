/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Writes the JSON Schema (draft 2020-12) of lines, of a trace or of `ipclens top`, generated from
 * the tables in viz/format.
 */
#ifndef VIZ_FORMAT_SCHEMA_H
#define VIZ_FORMAT_SCHEMA_H

#include "viz/base/json.h"
#include "viz/format/lines.h"

/* Appends the schema to `j` as one JSON object. */
void schema_write(struct json *j, const struct line_set *set);

#endif
