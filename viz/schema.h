/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The JSON Schema (draft 2020-12) of a trace's lines, made from the tables in viz/lang.
 */
#ifndef VIZ_SCHEMA_H
#define VIZ_SCHEMA_H

#include "json.h"

void schema_write(struct json *j);

#endif
