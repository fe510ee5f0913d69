/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reads kernel memory, and hides what differs between kernels and architectures. */
#ifndef BPF_CORE_KERNEL_ACCESS_BPF_H
#define BPF_CORE_KERNEL_ACCESS_BPF_H

#include "vmlinux/vmlinux.h"

#include <stdbool.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

/*
 * bpf_rdonly_cast() (6.2 and later) makes the verifier accept a kernel pointer as readable, so
 * reading a field is a plain load. Without it each read calls a helper, which was measured to take
 * twice as long.
 *
 * All is compiled twice. With DIRECT_READS nothing is asked: a kernel that lacks this function or a
 * field refuses the programs, and the other ones are loaded instead (user/tracer/direct_object.h).
 * They ask at each read, and the kernel takes longer to remove what it does not need of that than
 * to check the rest: it moves the whole program for each piece.
 */
#ifdef DIRECT_READS
extern void *bpf_rdonly_cast(const void *object, __u32 btf_id) __ksym;
#define CAN_CAST true
#define IS_THERE(field) true
#define IS_OF_SIZE(field, size) true
/*
 * One load for fields of two structures, which the compiler might make of two reads, is refused:
 * "same insn cannot be used with different pointers".
 */
#define KEEP_APART(value) asm volatile("" : "+r"(value) : "i"(__COUNTER__))
#else
extern void *bpf_rdonly_cast(const void *object, __u32 btf_id) __ksym __weak;
#define CAN_CAST bpf_rdonly_cast
#define IS_THERE(field) bpf_core_field_exists(field)
#define IS_OF_SIZE(field, size) (bpf_core_field_size(field) == (size))
#define KEEP_APART(value)
#endif

/*
 * A field that the kernel lacks must cost only what it tells, never the whole tool.
 * - KREAD() is for fields without which nothing would be right (vmlinux/needed.def: user/ refuses a
 *   kernel that lacks one and names it), and for fields that KHAS() was asked about before.
 * - KREAD_IF() gives 0 if the kernel lacks the field. Where 0 would be misleading, ask KHAS()
 *   first.
 * The answers are constants when the program is loaded, so code for a missing field is removed
 * before the verifier sees it.
 */

#define KREAD(pointer, field)                                                                      \
	({                                                                                         \
		typeof(pointer) from_ = (pointer);                                                 \
		typeof(from_->field) value_;                                                       \
		if (CAN_CAST)                                                                      \
			value_ = ((typeof(from_))bpf_rdonly_cast(                                  \
					  (void *)from_, bpf_core_type_id_kernel(typeof(*from_)))) \
					 ->field;                                                  \
		else                                                                               \
			bpf_core_read(&value_, sizeof(value_), &from_->field);                     \
		KEEP_APART(value_);                                                                \
		value_;                                                                            \
	})

static __always_inline u64 kread_sized(const void *from, u32 size)
{
	u64 value = 0;

	bpf_probe_read_kernel(&value, size < sizeof(value) ? size : sizeof(value), from);
	return value;
}

/*
 * Reads a field, or gives 0 if the kernel lacks it. A field whose size differs from our declaration
 * is read in its own size, up to 8 bytes.
 */
#define KREAD_IF(pointer, field)                                                                   \
	({                                                                                         \
		typeof(pointer) if_ = (pointer);                                                   \
		typeof(if_->field) found_ = 0;                                                     \
		if (!IS_THERE(if_->field))                                                         \
			barrier();                                                                 \
		else if (IS_OF_SIZE(if_->field, sizeof(found_)))                                   \
			found_ = KREAD(if_, field);                                                \
		else                                                                               \
			found_ = (typeof(found_))kread_sized(&if_->field,                          \
							     bpf_core_field_size(if_->field));     \
		found_;                                                                            \
	})

/*
 * Reads a whole field that is neither a number nor a pointer into `to`, which keeps its value if
 * the kernel lacks the field.
 */
#define KREAD_INTO(to, pointer, field)                                                             \
	({                                                                                         \
		if (IS_THERE((pointer)->field))                                                    \
			bpf_core_read((to), sizeof(*(to)), &(pointer)->field);                     \
	})

#define KREAD_TEXT(to, pointer, field)                                                             \
	({                                                                                         \
		if (IS_THERE((pointer)->field))                                                    \
			bpf_core_read_str((to), sizeof(to), &(pointer)->field);                    \
	})

/*
 * Reads a pointer field as a number, because the verifier forbids arithmetic on pointers whose type
 * it knows; 0 if the kernel lacks the field.
 */
#define KREAD_NUMBER(pointer, field)                                                               \
	({                                                                                         \
		u64 number_ = 0;                                                                   \
		if (IS_THERE((pointer)->field))                                                    \
			bpf_core_read(&number_, sizeof(number_), &(pointer)->field);               \
		number_;                                                                           \
	})

/*
 * KFIELD() is the address of a field, KHOLDER() the address of the structure whose field is at
 * `pointer`; NULL if the kernel has no such field.
 */
#define KFIELD(pointer, type, field)                                                               \
	({                                                                                         \
		u64 address_ = 0;                                                                  \
		if (bpf_core_field_exists(type, field)) {                                          \
			;                                                                          \
			address_ = (u64)(pointer) + bpf_core_field_offset(type, field);            \
		}                                                                                  \
		(void *)address_;                                                                  \
	})

#define KHOLDER(pointer, type, field)                                                              \
	({                                                                                         \
		u64 address_ = 0;                                                                  \
		if (bpf_core_field_exists(type, field)) {                                          \
			;                                                                          \
			address_ = (u64)(pointer)-bpf_core_field_offset(type, field);              \
		}                                                                                  \
		(type *)address_;                                                                  \
	})

/* Size of a structure in bytes; 0 if the kernel has no such structure. */
#define KSIZE(type)                                                                                \
	({                                                                                         \
		u64 size_ = 0;                                                                     \
		if (bpf_core_type_exists(type)) {                                                  \
			;                                                                          \
			size_ = bpf_core_type_size(type);                                          \
		}                                                                                  \
		size_;                                                                             \
	})

/* True if the kernel has the field; a constant once the program is loaded. */
#define KHAS(type, field) bpf_core_field_exists(type, field)

/*
 * Reads eight bytes at an address without a known structure, as an element of an array of pointers.
 * They are read as the first field of a structure that is known, so this is a plain load too.
 */
static __always_inline u64 kread_word(const void *from)
{
	u64 value = 0;

	if (CAN_CAST && KHAS(struct timespec64, tv_sec))
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

/* Keeps the compiler from computing what follows before the check in front of it. */
#ifndef barrier
#define barrier() asm volatile("" ::: "memory")
#endif

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
#define PID_FS_MAGIC 0x50494446 /* 6.9 and later; earlier pidfds are anonymous inodes */
#define FMODE_READ 1		/* linux/fs.h */
#define FMODE_WRITE 2
#define EFD_SEMAPHORE 1 /* uapi/linux/eventfd.h */

#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define AF_NETLINK 16
#define SOCK_STREAM 1
#define SOCK_TYPE_MASK 0xf /* of type, which has SOCK_CLOEXEC and others, too (linux/net.h) */
#define SOCK_DGRAM 2
#define SOCK_SEQPACKET 5
#define IPPROTO_TCP 6
#define IPPROTO_MPTCP 262
#define IPPROTO_UDP 17
#define TCP_ESTABLISHED 1
#define TCP_LISTEN 10 /* net/tcp_states.h; AF_UNIX uses it too */
#define TCP_CLOSE 7
#define TCP_CLOSE_WAIT 8

#define TASK_INTERRUPTIBLE 1 /* linux/sched.h */
#define TASK_UNINTERRUPTIBLE 2
#define TASK_STOPPED_BIT 4 /* __TASK_STOPPED */
#define TASK_TRACED_BIT 8  /* __TASK_TRACED: a debugger stopped it */
#define TASK_DEAD 0x80
#define PF_EXITING 0x4
#define PF_KTHREAD 0x00200000
#define SIGNAL_GROUP_EXIT 4 /* linux/sched/signal.h */
#define VM_WRITE 0x2	    /* linux/mm.h */
#define VM_SHARED 0x8	    /* a shared mapping that is or may become writable */
#define VM_MAYSHARE 0x80    /* any shared mapping */
#define MAP_SHARED 0x1	    /* uapi/linux/mman.h; MAP_SHARED_VALIDATE has this bit too */
#define MAP_TYPE 0xf
#define IPC_SEM_IDS 0 /* ipc/util.h */
#define IPC_MSG_IDS 1
#define IPC_SHM_IDS 2
#define IPC_INDEX_MASK 0x7fff /* ipc/util.h, IPCMNI_SHIFT */

/*
 * Number of context switches of a thread: while it is unchanged, the thread is in the same sleep.
 */
static __always_inline u64 switches_of(struct task_struct *task)
{
	return KREAD_IF(task, nvcsw) + KREAD_IF(task, nivcsw);
}

static __always_inline bool has_switches(void)
{
	return KHAS(struct task_struct, nvcsw) && KHAS(struct task_struct, nivcsw);
}

#endif
