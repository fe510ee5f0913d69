// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/encode/syscall_table.h"

#include <asm/unistd.h>

#define NONE ARG_NONE
#define SYSCALL(call, call_role, fd_at, data_kind, buf, len, peer, flags_at, result, names)        \
	[__NR_##call] = {#call, names, ROLE_##call_role, DATA_##data_kind, fd_at, flags_at},
static const struct syscall_info rows[] = {
#include "viz/format/syscalls.def"
};
#undef SYSCALL
#undef NONE

const struct syscall_info *syscall_info(unsigned nr)
{
	static const struct syscall_info unknown = {.arguments = ""};

	return nr < sizeof(rows) / sizeof(rows[0]) && rows[nr].name ? &rows[nr] : &unknown;
}
