/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From an address of the caller to the shared memory that is mapped there.
 *
 * The look needs the lock of the caller's address space (bpf_find_vma(), 5.17 and later) and does
 * not wait for it: where another thread is just changing that space, the answer is "not known".
 */
#ifndef BPF_MEMORY_H
#define BPF_MEMORY_H

#include "bpf/describe.h"

struct mapping {
	u64 address; /* looked for */
	u64 file;    /* mapped there; 0: memory of no file */
	u64 offset;  /* in that file */
	u64 flags;   /* VM_* */
};

static long mapping_visit(struct task_struct *task, struct vm_area_struct *area, void *context)
{
	struct mapping *mapping = context;

	bpf_core_read(&mapping->file, sizeof(mapping->file), &area->vm_file);
	mapping->flags = KREAD(area, vm_flags);
	mapping->offset = mapping->address - KREAD(area, vm_start) +
			  KREAD(area, vm_pgoff) * PAGE_SIZE_LEN;
	return 0;
}

/* 0, or negative where nothing is mapped there, or nobody can tell. */
static __always_inline long mapping_find(struct task_struct *task, struct mapping *mapping)
{
	return bpf_find_vma(task, mapping->address, mapping_visit, mapping, 0);
}

/* Somebody else may write it, or the caller itself can. */
static __always_inline bool is_written(struct inode *inode, u64 flags)
{
	u32 own = flags & VM_SHARED ? 1 : 0;

	return flags & VM_WRITE ||
	       KREAD(KREAD(inode, i_mapping), i_mmap_writable.counter) > (int)own;
}

/*
 * Memory made for sharing, or an ordinary file that is mapped by somebody who can write it. What
 * all only read, as the C library's tables, is no IPC.
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
 * The same as object_of_fd() for what is mapped at an address; to->fd becomes -1. Negative where
 * nobody can tell.
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
 * A word of shared memory: the memory's inode and where in it. (The verifier lets nobody compute
 * with a pointer that it knows the type of, so the inode's is read as a number.)
 */
static __always_inline void futex_identify(struct object *object, const struct mapping *mapping)
{
	u64 memory = (u64)kread_pointer(
		(void *)(mapping->file + bpf_core_field_offset(struct file, f_inode)));

	object->detail = (void *)memory;
	object->digest = object->ref.number;
	object->memory = object->mechanism;
	object->mechanism = MECH_FUTEX;
	object->ref.address = memory + mapping->offset;
	object->ref.number = WIRE_FUTEX | mapping->offset << 32 | (u32)object->ref.number;
}

/*
 * The futex at an address: a semaphore of sem_open(3) by its file, any other by its memory. False
 * where the memory is the caller's own: that is no talk between processes. Where nobody can tell,
 * the call is kept without its object.
 */
static __noinline int object_of_futex(struct task_state *state, struct wire_fd *to,
				      struct task_struct *task, u64 address)
{
	struct mapping mapping = {.address = address};
	struct object object = {};

	if (mapping_find(task, &mapping))
		return true;
	mapping_identify(&object, &mapping);
	if (object.mechanism == MECH_NONE)
		return false;
	object_announce(state, &object, mapping.file);
	if (object.mechanism != MECH_POSIX_SEM) {
		futex_identify(&object, &mapping);
		object_announce(state, &object, 0);
	}
	object_store(to, &object, -1);
	return true;
}

/* kernel/pid.c: the thread with this number as the caller counts, and the process it belongs to. */
static __always_inline u32 process_of(struct task_struct *task, u32 number)
{
	struct pid *own = KREAD(task, thread_pid);
	void *level = (char *)own + bpf_core_field_offset(struct pid, numbers) +
		      KREAD(own, level) * bpf_core_type_size(struct upid);
	struct pid_namespace *ns = kread_pointer(level + bpf_core_field_offset(struct upid, ns));
	struct pid *pid = (struct pid *)xarray_entry((u64)KREAD(ns, idr.idr_rt.xa_head), number);
	struct hlist_node *link = pid ? KREAD(pid, tasks[0].first) : 0;

	if (!link)
		return 0;
	return KREAD((struct task_struct *)((void *)link -
					    bpf_core_field_offset(struct task_struct, pid_links)),
		     tgid);
}

/* process_vm_readv(2): the memory of another process, by its pid. */
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
