// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/render/otlp/values.h"

#include <inttypes.h>
#include <stdio.h>

void otlp_hex(struct json *j, const char *key, const uint64_t *words, size_t count)
{
	char text[64] = "";

	for (size_t i = 0; i < count && i < 3; i++)
		snprintf(text + 16 * i, sizeof(text) - 16 * i, "%016" PRIx64, words[i]);
	json_field_text(j, key, text);
}

void otlp_number(struct json *j, const char *key, uint64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	json_field_text(j, key, text);
}

static void begin(struct json *j, const char *name)
{
	json_object(j);
	json_field_text(j, "key", name);
	json_key(j, "value");
	json_object(j);
}

static void end(struct json *j)
{
	json_end_object(j);
	json_end_object(j);
}

void otlp_text(struct json *j, const char *name, const char *text)
{
	if (!*text)
		return;
	begin(j, name);
	json_field_text(j, "stringValue", text);
	end(j);
}

void otlp_int(struct json *j, const char *name, uint64_t value)
{
	begin(j, name);
	otlp_number(j, "intValue", value <= INT64_MAX ? value : INT64_MAX);
	end(j);
}

void otlp_bool(struct json *j, const char *name, bool value)
{
	begin(j, name);
	json_field_bool(j, "boolValue", value);
	end(j);
}
