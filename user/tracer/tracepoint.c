// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/tracer/tracepoint.h"

#include <stdio.h>
#include <time.h>

bool tracepoint_exists(const struct btf *btf, const char *tracepoint, int arguments)
{
	const struct btf_type *type;
	char name[128];
	int id;

	snprintf(name, sizeof(name), "btf_trace_%s", tracepoint);
	id = btf__find_by_name_kind(btf, name, BTF_KIND_TYPEDEF);
	if (id <= 0 || !arguments)
		return id > 0;
	type = btf__type_by_id(btf, btf__type_by_id(btf, (uint32_t)id)->type); /* of a pointer */
	type = btf__type_by_id(btf, type->type);
	return btf_vlen(type) > arguments; /* the first is the tracepoint's own context */
}

uint64_t kernel_tick_ns(void)
{
	struct timespec tick;

	return clock_getres(CLOCK_MONOTONIC_COARSE, &tick) ? 0 : (uint64_t)tick.tv_nsec;
}
