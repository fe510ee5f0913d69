// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tracepoint.h"

#include <stdio.h>

bool tracepoint_exists(const struct btf *btf, const char *tracepoint, int arguments)
{
	const struct btf_type *type;
	char name[128];
	int id;

	snprintf(name, sizeof(name), "btf_trace_%s", tracepoint);
	id = btf__find_by_name_kind(btf, name, BTF_KIND_TYPEDEF);
	if (id <= 0 || !arguments)
		return id > 0;
	type = btf__type_by_id(btf, btf__type_by_id(btf, (uint32_t)id)->type); /* a pointer */
	type = btf__type_by_id(btf, type->type);
	return btf_vlen(type) > arguments; /* the first is the tracepoint's own */
}
