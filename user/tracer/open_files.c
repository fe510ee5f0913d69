// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/tracer/open_files.h"

#include <stdio.h>
#include <sys/resource.h>

#define ENOUGH 1024

void open_files_allow(void)
{
	struct rlimit limit = {0}, more = {ENOUGH, ENOUGH};

	getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_max < ENOUGH && setrlimit(RLIMIT_NOFILE, &more) == 0)
		return; /* CAP_SYS_RESOURCE */
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

void open_files_explain(char *why, size_t why_len)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= ENOUGH)
		return;
	snprintf(why, why_len,
		 "no more than %llu files may be open (ulimit -Hn), and tracing needs some "
		 "hundred; %d are enough",
		 (unsigned long long)limit.rlim_cur, ENOUGH);
}
