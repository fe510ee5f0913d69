/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finds the descriptors that hold a flock(2). The lock belongs to the open file, which descriptors
 * in several processes may refer to, and the one that got it may have closed its own.
 */
#ifndef BPF_CALL_HELD_LOCKS_BPF_H
#define BPF_CALL_HELD_LOCKS_BPF_H

#include "bpf/call/call_facts.bpf.h"

#define LOCKS_MOST 256 /* most locks of one file that are looked at */

/* The locks of a file's inode, of which one may belong to this open file. */
struct lock_walk {
	struct file *file;
	u64 next; /* the next lock */
	u64 end;  /* end of the list, in the file_lock_context itself */
	bool found;
};

static long lock_visit(u32 index, void *context)
{
	struct lock_walk *walk = context;
	struct file_lock_core *lock;

	if (!walk->next || walk->next == walk->end)
		return 1;
	lock = KHOLDER(walk->next, struct file_lock_core, flc_list);
	walk->found = KREAD(lock, flc_file) == walk->file;
	walk->next = kread_word((void *)walk->next);
	return walk->found;
}

/* fs/locks.c: struct file_lock_core is 6.9 and later. */
static __always_inline bool has_lock_fields(void)
{
	return KHAS(struct inode, i_flctx) && KHAS(struct file_lock_context, flc_flock) &&
	       KHAS(struct file_lock_core, flc_list) && KHAS(struct file_lock_core, flc_file);
}

static __always_inline bool holds_flock(struct file *file, struct inode *inode)
{
	struct lock_walk walk = {.file = file};
	struct file_lock_context *locks = KREAD(inode, i_flctx);

	if (!locks)
		return false;
	walk.end = (u64)KFIELD(locks, struct file_lock_context, flc_flock);
	walk.next = kread_word((void *)walk.end);
	bpf_loop(LOCKS_MOST, lock_visit, &walk, 0);
	return walk.found;
}

/*
 * Stores in `to` the lock that the file behind this descriptor holds, if a traced call locked that
 * file; else leaves `to` as it was. Not static for the verifier's sake, see other_files.bpf.h.
 */
__noinline int lock_held_by(struct wire_fd *to, u64 file_address, u32 fd)
{
	struct file *file = (struct file *)file_address;
	struct object object = {};
	struct inode *inode;

	if (!to || !file || !has_lock_fields())
		return 0;
	inode = KREAD(file, f_inode);
	object_of_lock_on(&object, inode);
	if (holds_flock(file, inode) && bpf_map_lookup_elem(&known_objects, &object.ref))
		object_store(to, &object, fd);
	return 0;
}

#endif
