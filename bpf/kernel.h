/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reading kernel memory, and everything that differs between kernels or architectures.
 */
#ifndef BPF_KERNEL_H
#define BPF_KERNEL_H

#include "vmlinux/vmlinux.h"

#include <stdbool.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

/*
 * bpf_rdonly_cast() (6.2 and later) lets the verifier take a kernel pointer as readable, so a field
 * is a plain load; without it each read is a call of a helper, measured at twice the price.
 */
extern void *bpf_rdonly_cast(void *object, __u32 btf_id) __ksym __weak;

#define KREAD(pointer, field)                                                                      \
	({                                                                                         \
		typeof(pointer) from_ = (pointer);                                                 \
		typeof(from_->field) value_;                                                       \
		if (bpf_rdonly_cast)                                                               \
			value_ = ((typeof(from_))bpf_rdonly_cast(                                  \
					  (void *)from_, bpf_core_type_id_kernel(typeof(*from_)))) \
					 ->field;                                                  \
		else                                                                               \
			bpf_core_read(&value_, sizeof(value_), &from_->field);                     \
		value_;                                                                            \
	})

/* A field that is not a number or a pointer: read into `to` whole. */
#define KREAD_INTO(to, pointer, field) bpf_core_read((to), sizeof(*(to)), &(pointer)->field)

/*
 * Eight bytes of memory that have no structure we know, as an element of an array of pointers: read
 * as if they were the beginning of one that we do know, which is a plain load too.
 */
static __always_inline u64 kread_word(const void *from)
{
	u64 value = 0;

	if (bpf_rdonly_cast)
		return ((struct timespec64 *)bpf_rdonly_cast(
				(void *)from, bpf_core_type_id_kernel(struct timespec64)))
			->tv_sec;
	bpf_probe_read_kernel(&value, sizeof(value), from);
	return value;
}

static __always_inline void *kread_pointer(const void *from)
{
	return (void *)kread_word(from);
}

/* Keeps the compiler from forgetting a bound that the verifier has to see. */
#ifndef barrier_var
#define barrier_var(var) asm volatile("" : "+r"(var))
#endif

#define S_IFMT 00170000
#define S_IFSOCK 0140000
#define S_IFIFO 0010000
#define S_IFREG 0100000
#define S_IFCHR 0020000
#define PIPEFS_MAGIC 0x50495045 /* uapi/linux/magic.h */
#define ANON_INODE_MAGIC 0x09041934
#define MQUEUE_MAGIC 0x19800202 /* ipc/mqueue.c */
#define TMPFS_MAGIC 0x01021994
#define HUGETLBFS_MAGIC 0x958458f6
#define PID_FS_MAGIC 0x50494446 /* 6.9 and later; before, pidfds were anonymous inodes */
#define FMODE_READ 1		/* linux/fs.h */
#define FMODE_WRITE 2
#if defined(__TARGET_ARCH_x86)
#define O_DIRECT 040000 /* asm-generic/fcntl.h; other architectures have other numbers */
#endif
#define EFD_SEMAPHORE 1 /* uapi/linux/eventfd.h */
#define PAGE_SIZE_LEN 4096

#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define AF_NETLINK 16
#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_SEQPACKET 5
#define IPPROTO_TCP 6
#define IPPROTO_MPTCP 262
#define IPPROTO_UDP 17
#define TCP_LISTEN 10 /* net/tcp_states.h; AF_UNIX uses it too */
#define TCP_CLOSE_WAIT 8

#define TASK_INTERRUPTIBLE 1 /* linux/sched.h */
#define TASK_STOPPED_BIT 4   /* __TASK_STOPPED */
#define TASK_TRACED_BIT 8    /* __TASK_TRACED: a debugger stopped it */
#define TASK_DEAD 0x80
#define PF_EXITING 0x4
#define PF_KTHREAD 0x00200000
#define TS_COMPAT 2	    /* asm/thread_info.h: a 32-bit call is running */
#define SIGNAL_GROUP_EXIT 4 /* linux/sched/signal.h */
#define VM_WRITE 0x2	    /* linux/mm.h */
#define VM_SHARED 0x8	    /* a shared mapping that may become writable */
#define VM_MAYSHARE 0x80    /* any shared mapping */
#define MAP_SHARED 0x1	    /* uapi/linux/mman.h; MAP_SHARED_VALIDATE has this bit too */
#define MAP_TYPE 0xf
#define IPC_SEM_IDS 0 /* ipc/util.h */
#define IPC_MSG_IDS 1
#define IPC_SHM_IDS 2
#define IPC_INDEX_MASK 0x7fff /* ipc/util.h, IPCMNI_SHIFT */

#if defined(__TARGET_ARCH_x86)
static __always_inline void syscall_arguments(struct pt_regs *regs, u64 args[6])
{
	args[0] = KREAD(regs, di);
	args[1] = KREAD(regs, si);
	args[2] = KREAD(regs, dx);
	args[3] = KREAD(regs, r10);
	args[4] = KREAD(regs, r8);
	args[5] = KREAD(regs, r9);
}

/* The numbers of a 32-bit program's calls mean other calls. */
static __always_inline bool syscall_is_compat(struct task_struct *task)
{
	return KREAD(task, thread_info.status) & TS_COMPAT;
}
#endif

#endif
