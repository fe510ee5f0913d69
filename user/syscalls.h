/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Names of system calls and of their arguments, from viz/lang/syscalls.def. */
#ifndef USER_SYSCALLS_H
#define USER_SYSCALLS_H

#include <stdint.h>

#include "viz/lang/lang.h"

struct syscall_info {
	const char *name; /* NULL: not one that we record */
	const char
		*arguments; /* names by position, separated by commas; empty ones are not shown */
	enum role role;
	enum data_kind data;
	uint8_t fd;    /* which argument is the descriptor, or ARG_NONE */
	uint8_t flags; /* which argument holds flags, or ARG_NONE */
};

/* Never NULL. */
const struct syscall_info *syscall_info(unsigned nr);

#endif
