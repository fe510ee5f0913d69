// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Writes the integer arguments of a call, under the names in the table of calls, its timeout, and
 * what lies at the futex that it waits on.
 */
#include <string.h>

#include "user/encode/encode.h"

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

/*
 * Most arguments are ints in 64-bit registers whose upper half is undefined; a name that starts
 * with '*' denotes a long.
 */
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

/* Writes {"pid":5,"sig":10}, the arguments that the table names. */
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

/*
 * Returns the timeout in ns. If the call waits until a moment, the timeout is what is left of it
 * when the call begins; 0 if the moment has passed.
 */
static uint64_t time_left(const struct encoder *encoder, const struct wire_operation *operation,
			  const struct wire_details *details)
{
	int64_t until = (int64_t)details->timeout_ns;

	if (details->valid & WIRE_VALID_TIMEOUT)
		return details->timeout_ns;
	if (details->valid & WIRE_VALID_UNTIL_REAL)
		until -= encoder->realtime_offset_ns;
	until -= (int64_t)operation->enter_ns;
	return until > 0 ? (uint64_t)until : 0;
}

void timeout_fields(struct encoder *encoder, const struct wire_operation *operation,
		    const struct wire_details *details)
{
	struct json *json = &encoder->json;

	uint64_t left = time_left(encoder, operation, details);

	if (!(details->valid & WIRE_VALID_ENDS))
		return;
	if (details->valid & WIRE_VALID_TIMED || left > JSON_UINT_MOST)
		json_field_bool(json, KEY(operation, timed), true);
	else
		json_field_uint(json, KEY(operation, timeout_ns), left);
}

void futex_fields(struct json *json, const struct wire_operation *operation,
		  const struct wire_details *details)
{
	const uint32_t valid = details->valid;

	if (operation->object.mechanism != MECH_FUTEX &&
	    operation->object.mechanism != MECH_POSIX_SEM)
		return;
	if (valid & (WIRE_VALID_SEM | WIRE_VALID_MUTEX))
		json_field_text(json, KEY(operation, futex),
				valid & WIRE_VALID_SEM	    ? "semaphore"
				: valid & WIRE_VALID_ROBUST ? "robust-mutex"
							    : "mutex");
	if (valid & WIRE_VALID_OWNER)
		json_field_uint(json, KEY(operation, owner), details->owner);
	if (valid & WIRE_VALID_ENDED)
		json_field_bool(json, KEY(operation, owner_ended), true);
}
