/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The table of system calls as the BPF programs use it, made from viz/format/syscalls.def: the row
 * at index nr describes the call with that number.
 */
#ifndef BPF_CORE_SYSCALL_TABLE_BPF_H
#define BPF_CORE_SYSCALL_TABLE_BPF_H

#include <asm/unistd.h>

#include "bpf/core/machine.bpf.h"
#include "viz/format/format.h"

#define SYSCALL_ROWS 512 /* a power of two, above every number of the architectures supported */

struct syscall_row {
	u8 role; /* enum role; ROLE_NONE: the call is not recorded */
	u8 fd;
	u8 data;
	u8 buf;
	u8 len;
	u8 peer;
	u8 flags;
	u8 result;
	u8 plain;   /* read or write: the arguments are an address and a length only */
	u8 details; /* its records have details: arguments, new descriptors */
};

#define NONE ARG_NONE
#define SYSCALL(name, role, fd, data, buf, len, peer, flags, result, arguments)                    \
	[__NR_##name] = {ROLE_##role,                                                              \
			 fd,                                                                       \
			 DATA_##data,                                                              \
			 buf,                                                                      \
			 len,                                                                      \
			 peer,                                                                     \
			 flags,                                                                    \
			 RESULT_##result,                                                          \
			 flags == ARG_NONE && peer == ARG_NONE && DATA_##data == DATA_BUF,         \
			 flags != ARG_NONE ||                                                      \
				 (ROLE_##role != ROLE_SEND && ROLE_##role != ROLE_RECEIVE)},
static const volatile struct syscall_row syscall_rows[SYSCALL_ROWS] = {
#include "viz/format/syscalls.def"
};
#undef SYSCALL
#undef NONE

#endif
