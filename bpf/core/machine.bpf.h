/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What differs between processors: the registers of a system call, a 32-bit call, and numbers.
 * Their names stand in vmlinux/vmlinux.h, too. To add a processor: a branch in each, and the fields
 * of its branch in vmlinux/needed.def.
 */
#ifndef BPF_CORE_MACHINE_BPF_H
#define BPF_CORE_MACHINE_BPF_H

#include "bpf/core/kernel_access.bpf.h"

#if defined(__TARGET_ARCH_x86)

#define REGISTER_CALL orig_ax /* the call's number; -1 outside of calls */
#define REGISTER_0 di
#define REGISTER_1 si
#define REGISTER_2 dx
#define REGISTER_3 r10
#define REGISTER_4 r8
#define REGISTER_5 r9
#define O_DIRECT 040000 /* asm-generic/fcntl.h */
#define TS_COMPAT 2	/* asm/thread_info.h: a 32-bit call is running */

/* True during a 32-bit program's call, whose number stands for a different call. */
static __always_inline bool syscall_is_compat(struct task_struct *task)
{
	return KREAD(task, thread_info.status) & TS_COMPAT;
}

#elif defined(__TARGET_ARCH_arm64)

#define REGISTER_CALL syscallno
#define REGISTER_0 orig_x0 /* regs[0] becomes the result before the call's exit is traced */
#define REGISTER_1 regs[1]
#define REGISTER_2 regs[2]
#define REGISTER_3 regs[3]
#define REGISTER_4 regs[4]
#define REGISTER_5 regs[5]
#define O_DIRECT 0200000      /* uapi/asm/fcntl.h */
#define TIF_32BIT (1UL << 22) /* asm/thread_info.h: the program is one of 32 bits */

static __always_inline bool syscall_is_compat(struct task_struct *task)
{
	return KREAD(task, thread_info.flags) & TIF_32BIT;
}

#endif

static __always_inline void syscall_arguments(struct pt_regs *regs, u64 args[6])
{
	args[0] = KREAD(regs, REGISTER_0);
	args[1] = KREAD(regs, REGISTER_1);
	args[2] = KREAD(regs, REGISTER_2);
	args[3] = KREAD(regs, REGISTER_3);
	args[4] = KREAD(regs, REGISTER_4);
	args[5] = KREAD(regs, REGISTER_5);
}

#endif
