/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The names and roles of system calls and their arguments, from viz/format/syscalls.def. */
#ifndef USER_ENCODE_SYSCALL_TABLE_H
#define USER_ENCODE_SYSCALL_TABLE_H

#include <stdint.h>

#include "viz/format/format.h"

struct syscall_info {
	const char *name; /* NULL: a call that is not recorded */
	const char
		*arguments; /* names by position, separated by commas; empty ones are not shown */
	enum role role;
	enum data_kind data;
	uint8_t fd;    /* which argument is the descriptor, or ARG_NONE */
	uint8_t flags; /* which argument holds flags, or ARG_NONE */
};

/* Returns the call's row; never NULL. A call that is not recorded has a row without a name. */
const struct syscall_info *syscall_info(unsigned nr);

#endif
