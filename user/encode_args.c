// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The integer arguments of a call, by the names that the table of calls gives them. */
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
