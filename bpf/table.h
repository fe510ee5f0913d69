/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The table of system calls as the BPF programs use it: one row a number, made from
 * viz/lang/syscalls.def.
 */
#ifndef BPF_TABLE_H
#define BPF_TABLE_H

#include <asm/unistd.h>

#include "bpf/kernel.h"
#include "viz/lang/lang.h"

#define SYSCALL_ROWS 512 /* a power of two above every number of the architectures we know */

struct syscall_row {
	u8 role; /* ROLE_NONE: not recorded */
	u8 fd;
	u8 data;
	u8 buf;
	u8 len;
	u8 peer;
	u8 flags;
	u8 result;
	u8 plain;   /* read or write: bytes at an address, and nothing else to look at */
	u8 details; /* its records have details: arguments, descriptors that it makes */
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
#include "viz/lang/syscalls.def"
};
#undef SYSCALL
#undef NONE

#endif
