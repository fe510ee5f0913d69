/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which of root's rights (capabilities(7)) this process has. */
#ifndef USER_BASE_CAPABILITY_H
#define USER_BASE_CAPABILITY_H

#include <stdbool.h>

bool capability_held(unsigned capability);

/*
 * The names of those that tracing needs and this process lacks, as "CAP_BPF and CAP_PERFMON"; NULL
 * if it has both, or CAP_SYS_ADMIN, which includes them.
 */
const char *capability_missing(void);

#endif
