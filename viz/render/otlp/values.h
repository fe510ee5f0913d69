/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The values of OTLP in JSON: identities in hexadecimal, numbers of 64 bits as text, lists of
 * attributes (opentelemetry.io/docs/specs/otlp, "JSON Protobuf Encoding").
 */
#ifndef VIZ_RENDER_OTLP_VALUES_H
#define VIZ_RENDER_OTLP_VALUES_H

#include "viz/base/json.h"

void otlp_hex(struct json *j, const char *key, const uint64_t *words, size_t count);
void otlp_number(struct json *j, const char *key, uint64_t value);

/* A list of attributes is json_key("attributes"), json_array(), these, json_end_array(). */
void otlp_text(struct json *j, const char *name, const char *text); /* nothing, if it is "" */
void otlp_int(struct json *j, const char *name, uint64_t value);
void otlp_bool(struct json *j, const char *name, bool value);

#endif
