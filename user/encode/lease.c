// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Opens that wait until a lease on their file is given back (fcntl(2), F_SETLEASE). Who has it no
 * record of the call tells, but /proc/locks does (proc_locks(5)).
 */
#include <stdio.h>
#include <string.h>

#include "user/encode/encode.h"
#include "user/encode/syscall_table.h"

/* A line of /proc/locks, as "1: -> LEASE  BREAKER   READ 679 <none>:0 0 EOF". */
struct lease_line {
	bool waits; /* for the last one before it that does not */
	int pid;
};

static bool lease_parse(struct lease_line *line, const char *text)
{
	const char *lease = strstr(text, "LEASE ");

	line->waits = strstr(text, "->") != NULL;
	return lease && sscanf(lease, "%*s %*s %*s %d", &line->pid) == 1;
}

/* Returns who has the lease that the process waits for; 0: it waits for none. */
static uint32_t lease_holder(uint32_t pid)
{
	FILE *locks = fopen("/proc/locks", "re");
	struct lease_line line;
	int holder = 0, found = 0;
	char text[256];

	while (locks && !found && fgets(text, sizeof(text), locks)) {
		if (!lease_parse(&line, text))
			continue;
		if (!line.waits)
			holder = line.pid;
		else if (line.pid == (int)pid)
			found = holder;
	}
	if (locks)
		fclose(locks);
	return found > 0 ? (uint32_t)found : 0;
}

uint32_t lease_awaited(const struct wire_operation *operation)
{
	const struct syscall_info *call = syscall_info(operation->nr);

	if (operation->state == WIRE_COMPLETE || call->role != ROLE_OPEN || call->data != DATA_PATH)
		return 0;
	return lease_holder(operation->head.pid);
}

void lease_field(struct json *json, const struct wire_operation *operation)
{
	const uint32_t holder = lease_awaited(operation);

	if (holder)
		json_field_uint(json, KEY(operation, lease), holder);
}
