/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finds the shared memory that is mapped at an address of a process.
 *
 * The look-up needs the lock of the process's address space (bpf_find_vma(), 5.17 and later) and
 * does not wait for it: while another thread changes the mappings, the result is "not known".
 */
#ifndef BPF_OBJECT_MAPPED_MEMORY_BPF_H
#define BPF_OBJECT_MAPPED_MEMORY_BPF_H

#include "bpf/object/describe.bpf.h"

struct mapping {
	u64 address; /* the address to look up */
	u64 file;    /* the file mapped there; 0: anonymous memory */
	u64 offset;  /* byte offset of the address in that file */
	u64 flags;   /* VM_* */
};

static __always_inline bool has_mappings(void)
{
	return KHAS(struct vm_area_struct, vm_start) && KHAS(struct vm_area_struct, vm_end) &&
	       KHAS(struct vm_area_struct, vm_pgoff) && KHAS(struct vm_area_struct, vm_flags) &&
	       KHAS(struct vm_area_struct, vm_file);
}

static long mapping_visit(struct task_struct *task, struct vm_area_struct *area, void *context)
{
	struct mapping *mapping = context;

	mapping->file = KREAD_NUMBER(area, vm_file);
	mapping->flags = KREAD(area, vm_flags);
	mapping->offset = mapping->address - KREAD(area, vm_start) +
			  KREAD(area, vm_pgoff) * page_len;
	return 0;
}

/* 0 on success; negative if nothing is mapped there, or if that is not known. */
static __always_inline long mapping_find(struct task_struct *task, struct mapping *mapping)
{
	if (!has_mappings())
		return -1;
	return bpf_find_vma(task, mapping->address, mapping_visit, mapping, 0);
}

/* True if this mapping, or a shared mapping of another process, is or may become writable. */
static __always_inline bool is_written(struct inode *inode, u64 flags)
{
	u32 own = flags & VM_SHARED ? 1 : 0;

	return flags & VM_WRITE ||
	       KREAD_IF(KREAD_IF(inode, i_mapping), i_mmap_writable.counter) > (int)own;
}

/*
 * Accepts memory made for sharing, and any regular file of which a shared mapping is writable. A
 * file that all processes only read, such as the C library's tables, is not IPC.
 */
static __always_inline void mapping_identify(struct object *object, const struct mapping *mapping)
{
	struct file *file = (struct file *)mapping->file;
	struct inode *inode;

	if (!file || !(mapping->flags & VM_MAYSHARE))
		return;
	inode = KREAD(file, f_inode);
	if ((KREAD(inode, i_mode) & S_IFMT) != S_IFREG)
		return;
	file_identify(object, mapping->file);
	if (object->mechanism == MECH_NONE && is_written(inode, mapping->flags))
		memory_identify(object, mapping->file, MECH_SHARED_MMAP);
	object->access = WIRE_ACCESS_READ;
	if (mapping->flags & VM_WRITE)
		object->access |= WIRE_ACCESS_WRITE;
}

/*
 * As object_of_fd(), for what is mapped at an address; to->fd becomes -1. Negative if it is not
 * known.
 */
static __noinline int object_of_address(struct task_state *state, struct wire_fd *to,
					struct task_struct *task, u64 address)
{
	struct mapping mapping = {.address = address};
	struct object object = {};

	if (mapping_find(task, &mapping))
		return -1;
	mapping_identify(&object, &mapping);
	if (object.mechanism == MECH_NONE)
		return 0;
	object_store(to, &object, -1);
	return object_announce(state, &object, mapping.file);
}

/*
 * A futex is identified by its memory's inode and its offset there. (The verifier forbids
 * arithmetic on a pointer whose type it knows, so the inode's address is read as a number.)
 */
static __always_inline void futex_identify(struct object *object, const struct mapping *mapping)
{
	u64 memory = (u64)kread_pointer(KFIELD(mapping->file, struct file, f_inode));

	object->detail = (void *)memory;
	object->digest = object->ref.number;
	object->memory = object->mechanism;
	object->mechanism = MECH_FUTEX;
	object->ref.address = memory + mapping->offset;
	object->ref.number = WIRE_FUTEX | mapping->offset << 32 | (u32)object->ref.number;
}

/*
 * Identifies the futex at an address: a semaphore of sem_open(3) by its file, any other by its
 * memory. False if the memory is private to the process, so that it is not IPC. True with
 * to->mechanism MECH_NONE if it is not known.
 */
static __noinline int object_of_futex(struct task_state *state, struct wire_fd *to,
				      struct task_struct *task, u64 address)
{
	struct mapping mapping = {.address = address};
	struct object object = {};

	if (mapping_find(task, &mapping))
		return true;
	mapping_identify(&object, &mapping);
	if (object.mechanism == MECH_NONE) {
		state->own_futex = address;
		return false;
	}
	object_announce(state, &object, mapping.file);
	if (object.mechanism != MECH_POSIX_SEM) {
		futex_identify(&object, &mapping);
		object_announce(state, &object, 0);
	}
	object_store(to, &object, -1);
	return true;
}

/* kernel/pid.c: the thread with this number in the pid namespace of `task`; 0: none. */
static __always_inline struct task_struct *thread_of(struct task_struct *task, u32 number)
{
	struct pid_namespace *ns = KREAD_IF(upid_own(task), ns);
	struct pid *pid = (struct pid *)xarray_entry((u64)KREAD_IF(ns, idr.idr_rt.xa_head), number);
	struct hlist_node *link = pid ? KREAD_IF(pid, tasks[0].first) : 0;

	if (!link)
		return 0;
	return KHOLDER(link, struct task_struct, pid_links);
}

/* Its process, as the initial pid namespace counts; 0: none. */
static __always_inline u32 process_of(struct task_struct *task, u32 number)
{
	struct task_struct *thread = thread_of(task, number);

	return thread ? KREAD(thread, tgid) : 0;
}

/* process_vm_readv(2): identifies the memory of another process by its pid. */
static __noinline int object_of_process(struct task_state *state, struct wire_fd *to,
					struct task_struct *task, u32 number)
{
	u32 pid = process_of(task, number);
	struct object object = {.mechanism = MECH_PROCESS_VM};

	if (!pid)
		return 0;
	object.ref.address = object.ref.number = WIRE_NUMBERED | pid;
	object_store(to, &object, -1);
	return object_announce(state, &object, 0);
}

#endif
