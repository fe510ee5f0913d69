// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/tracer/kernel_age.h"

#include <stdio.h>
#include <sys/utsname.h>

/* bpf_loop() and bpf_find_vma() came with this one (bpf-helpers(7)). */
enum { FIRST_MAJOR = 5, FIRST_MINOR = 17 };

bool kernel_is_too_old(const char *release)
{
	unsigned major, minor;

	if (sscanf(release, "%u.%u", &major, &minor) != 2)
		return false;
	return major < FIRST_MAJOR || (major == FIRST_MAJOR && minor < FIRST_MINOR);
}

void kernel_age_explain(char *why, size_t why_len)
{
	struct utsname system;

	if (uname(&system) == 0 && kernel_is_too_old(system.release))
		snprintf(why, why_len, "ipclens needs Linux %d.%d or later; this is %s",
			 FIRST_MAJOR, FIRST_MINOR, system.release);
}
