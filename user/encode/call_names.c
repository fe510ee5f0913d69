// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/encode/call_names.h"

#include <asm/unistd.h>
#include <stddef.h>

#include "user/encode/syscall_table.h"

static const char *const call_names[] = {
#define CALL(name) [__NR_##name] = #name,
#ifdef __NR_poll /* a machine that has the old calls, too */
#define OLD_CALL(name) CALL(name)
#else
#define OLD_CALL(name)
#endif
#include "user/encode/call_names.def"
#undef CALL
#undef OLD_CALL
};

const char *call_name(unsigned nr)
{
	const char *name = syscall_info(nr)->name;

	return name || nr >= sizeof(call_names) / sizeof(call_names[0]) ? name : call_names[nr];
}
