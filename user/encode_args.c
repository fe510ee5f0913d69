// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The integer arguments of a call, by the names that the table gives them; how long it waits. */
#include <string.h>

#include "encode.h"

static bool next_name(const char **names, const char **name, size_t *len)
{
	if (!**names)
		return false;
	*name = *names;
	*len = strcspn(*names, ",");
	*names += *len;
	if (**names)
		++*names;
	return true;
}

/* An int in a register of 64 bits: the upper half means nothing, unless the table says long (*). */
static void arg_field(struct json *json, const char *name, size_t len, uint64_t value)
{
	bool is_long = *name == '*';
	char key[16];

	if (is_long) {
		name++;
		len--;
	}
	if (len >= sizeof(key))
		return;
	memcpy(key, name, len);
	key[len] = 0;
	json_field_int(json, key, is_long ? (int64_t)value : (int)value);
}

/* {"pid":5,"sig":10}: the arguments that the table names. */
void args_field(struct json *json, const uint64_t args[6], const char *names)
{
	const char *name;
	size_t len;

	if (!*names)
		return;
	json_key(json, KEY(operation, args));
	json_object(json);
	for (unsigned i = 0; i < 6 && next_name(&names, &name, &len); i++) {
		if (len)
			arg_field(json, name, len, args[i]);
	}
	json_end_object(json);
}

/* A moment is as long after the call began as is left until then. */
static uint64_t time_left(const struct encoder *encoder, const struct wire_operation *operation,
			  const struct wire_details *details)
{
	int64_t until = (int64_t)details->timeout_ns;

	if (details->says & WIRE_SAYS_TIMEOUT)
		return details->timeout_ns;
	if (details->says & WIRE_SAYS_UNTIL_REAL)
		until -= encoder->realtime_offset_ns;
	until -= (int64_t)operation->enter_ns;
	return until > 0 ? (uint64_t)until : 0;
}

void timeout_fields(struct encoder *encoder, const struct wire_operation *operation,
		    const struct wire_details *details)
{
	struct json *json = &encoder->json;

	if (!(details->says & WIRE_SAYS_ENDS))
		return;
	if (details->says & WIRE_SAYS_TIMED)
		json_field_bool(json, KEY(operation, timed), true);
	else
		json_field_uint(json, KEY(operation, timeout_ns),
				time_left(encoder, operation, details));
}
