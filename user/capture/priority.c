// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/capture/priority.h"

#include <sys/resource.h>

int priority_raise(int nice)
{
	int before = getpriority(PRIO_PROCESS, 0);

	if (before > nice)
		setpriority(PRIO_PROCESS, 0, nice);
	return before;
}

void priority_restore(int nice)
{
	if (nice > PRIORITY_HOLDER)
		setpriority(PRIO_PROCESS, 0, nice);
}
