/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Identifies files that are neither pipes, sockets nor terminals: shared memory, POSIX queues,
 * eventfds and their kin. file_identify() at the end does so for any file.
 */
#ifndef BPF_OBJECT_OTHER_FILES_BPF_H
#define BPF_OBJECT_OTHER_FILES_BPF_H

#include "bpf/object/terminal.bpf.h"

/*
 * The first eight bytes of a file's name as one number, so that comparing them is one instruction.
 */
#define NAME8(a, b, c, d, e, f, g, h)                                                              \
	((u64)(a) | (u64)(b) << 8 | (u64)(c) << 16 | (u64)(d) << 24 | (u64)(e) << 32 |             \
	 (u64)(f) << 40 | (u64)(g) << 48 | (u64)(h) << 56)
#define NAME4(a, b, c, d) NAME8(a, b, c, d, 0, 0, 0, 0)
#define MASK2 0xffffULL
#define MASK4 0xffffffffULL
#define MASK6 0xffffffffffffULL

static __always_inline u64 name_start(struct dentry *dentry)
{
	u64 start = 0;

	bpf_probe_read_kernel(&start, sizeof(start), KREAD_IF(dentry, d_name.name));
	return start;
}

/* eventfd_ctx.id differs for each eventfd (fs/eventfd.c, 5.2 and later). */
static __always_inline void eventfd_identify(struct object *object, struct file *file)
{
	struct eventfd_ctx *context = KREAD(file, private_data);

	if (!KHAS(struct eventfd_ctx, id))
		return;
	u32 number = KREAD(context, id);

	barrier_var(number);
	object->mechanism = MECH_EVENTFD;
	object->detail = context;
	object->ref.address = (u64)context;
	object->ref.number = WIRE_NUMBERED | number;
}

static __always_inline void instance_forget(struct file *file)
{
	u64 address = (u64)KREAD(file, private_data);

	bpf_map_delete_elem(&instances, &address);
}

static __always_inline void instance_identify(struct object *object, struct file *file,
					      u16 mechanism)
{
	object->mechanism = mechanism;
	object->detail = KREAD(file, private_data);
	object->ref.address = (u64)object->detail;
	object->ref.number = instance_number(object->ref.address);
}

/* kernel/pid.c: the number of the process in the initial pid namespace. */
static __always_inline u32 pid_number(struct pid *pid)
{
	u32 number = 0;

	bpf_probe_read_kernel(&number, sizeof(number), KFIELD(pid, struct pid, numbers));
	return number;
}

/* kernel/pid.c: the task's number in its own pid namespace, and which that is; NULL: unknown. */
static __always_inline struct upid *upid_own(struct task_struct *task)
{
	struct pid *own = KREAD_IF(task, thread_pid);

	if (!own || !KHAS(struct pid, numbers) || !KHAS(struct pid, level))
		return 0;
	return KFIELD(own, struct pid, numbers) + KREAD(own, level) * KSIZE(struct upid);
}

/*
 * The number of the process in its own pid namespace; 0: that is the initial one, or unknown. It is
 * a function of its own as the stack of its callers has 512 bytes for all.
 */
static __noinline u32 pid_own(struct task_struct *task)
{
	struct task_struct *leader = KREAD_IF(task, group_leader);
	struct pid *own = KREAD_IF(leader, thread_pid);

	if (!own || !KREAD_IF(own, level))
		return 0;
	return KREAD_IF(upid_own(leader), nr);
}

/*
 * The number of the process in the pid namespace of the current task; 0: it has none there, or that
 * is unknown. A namespace stands at one level in all processes that are in it.
 */
static __noinline u32 pid_here(struct task_struct *task)
{
	struct task_struct *leader = KREAD_IF(task, group_leader);
	struct pid *theirs = KREAD_IF(leader, thread_pid), *ours;
	struct upid *own = upid_own(bpf_get_current_task_btf()), *at;
	u32 level;

	ours = KREAD_IF(bpf_get_current_task_btf(), thread_pid);
	if (!own || !ours || !theirs || !KHAS(struct upid, nr) || !KHAS(struct upid, ns))
		return 0;
	level = KREAD(ours, level);
	if (KREAD(theirs, level) < level)
		return 0;
	at = KFIELD(theirs, struct pid, numbers) + level * KSIZE(struct upid);
	return KREAD(at, ns) == KREAD(own, ns) ? KREAD(at, nr) : 0;
}

static __always_inline void pidfd_identify(struct object *object, struct pid *pid)
{
	if (!KHAS(struct pid, numbers))
		return;
	object->mechanism = MECH_PIDFD;
	object->ref.address = (u64)pid;
	object->ref.number = WIRE_NUMBERED | pid_number(pid);
}

/*
 * fs/anon_inodes.c: eventfds, timerfds and their kin share one inode; only the name that the kernel
 * gave the file tells which kind it is.
 */
static __always_inline void anonymous_identify(struct object *object, struct file *file)
{
	u64 name = name_start(KREAD_IF(file, f_path.dentry));

	if (name == NAME8('[', 'e', 'v', 'e', 'n', 't', 'f', 'd'))
		eventfd_identify(object, file);
	else if (name == NAME8('[', 'e', 'v', 'e', 'n', 't', 'p', 'o'))
		instance_identify(object, file, MECH_EPOLL);
	else if (name == NAME8('[', 's', 'i', 'g', 'n', 'a', 'l', 'f'))
		instance_identify(object, file, MECH_SIGNALFD);
	else if (name == NAME8('[', 't', 'i', 'm', 'e', 'r', 'f', 'd'))
		instance_identify(object, file, MECH_TIMERFD);
	else if (name == NAME8('i', 'n', 'o', 't', 'i', 'f', 'y', 0))
		instance_identify(object, file, MECH_INOTIFY);
	else if (name == NAME8('[', 'p', 'i', 'd', 'f', 'd', ']', 0))
		pidfd_identify(object, KREAD(file, private_data));
}

/* include/linux/list_bl.h: a directory entry that was unlinked is in no hash table. */
static __always_inline bool is_named_still(struct dentry *dentry)
{
	return !KHAS(struct dentry, d_hash.pprev) || KREAD_IF(dentry, d_hash.pprev) != 0;
}

/* True if the object had this name, which was removed, and has no other. */
static __always_inline bool is_removed(struct dentry *dentry)
{
	return dentry && !is_named_still(dentry) && KHAS(struct inode, i_nlink) &&
	       KHAS(struct dentry, d_inode) && KREAD_IF(dentry, d_inode) &&
	       KREAD_IF(KREAD_IF(dentry, d_inode), i_nlink) == 0;
}

/*
 * The directory entry that this element of an inode's list of aliases belongs to; NULL if the
 * kernel has neither of the known fields.
 */
static __always_inline struct dentry *entry_of_alias(struct hlist_node *alias)
{
	struct dentry___named_union *older = KHOLDER(alias, struct dentry___named_union,
						     d_u.d_alias);

	return older ? (struct dentry *)older : KHOLDER(alias, struct dentry, d_alias);
}

/*
 * The current directory entry of a file's inode. sem_open(3) makes its file under another name,
 * links it to the right one and removes the first, so that the file the maker holds open keeps the
 * removed name.
 */
static __always_inline struct dentry *name_now(struct file *file, struct inode *inode)
{
	struct dentry *dentry = KREAD_IF(file, f_path.dentry);
	struct hlist_node *alias = KREAD_IF(inode, i_dentry.first);

	for (u32 i = 0; i < 3 && alias && !is_named_still(dentry); i++) {
		struct dentry *entry = entry_of_alias(alias);

		dentry = entry ? entry : dentry;
		alias = KREAD_IF(alias, next);
	}
	return dentry;
}

/*
 * True for a file in /dev/shm: its file system is mounted on a directory called shm, or on top of
 * another file system that is.
 */
static __always_inline bool is_in_shm(struct file *file)
{
	struct vfsmount *mnt = KREAD_IF(file, f_path.mnt);
	struct mount *mount = KHOLDER(mnt, struct mount, mnt);
	u64 name = name_start(KREAD_IF(mount, mnt_mountpoint));

	if ((name & MASK2) == NAME4('/', 0, 0, 0))
		name = name_start(KREAD_IF(KREAD_IF(mount, mnt_parent), mnt_mountpoint));
	return (name & MASK4) == NAME4('s', 'h', 'm', 0);
}

/*
 * Identifies shared memory by its inode. Not static for the verifier's sake, see file_identify().
 */
__noinline int memory_identify(struct object *object, u64 file_address, u32 mechanism)
{
	struct file *file = (struct file *)file_address;
	struct inode *inode;
	struct dentry *name;

	if (!object || !file)
		return 0;
	inode = KREAD(file, f_inode);
	name = name_now(file, inode);
	object->mechanism = mechanism;
	object->detail = name;
	object->ref.address = (u64)inode;
	object->ref.number = inode_number(inode);
	object->digest = KREAD_IF(name, d_name.hash) | (u64)KREAD_IF(inode, i_size) << 32;
	return 0;
}

/*
 * mm/shmem.c, ipc/shm.c: memory without a path is in an internal file system that is not mounted,
 * and its directory entry is its own parent. The inode number of a System V segment is its id.
 */
static __always_inline void unnamed_memory_identify(struct object *object, struct file *file,
						    struct inode *inode, u64 name)
{
	if ((name & MASK4) == NAME4('S', 'Y', 'S', 'V')) {
		object->mechanism = MECH_SYSV_SHM;
		object->ref.address = (u64)inode;
		object->ref.number = WIRE_NUMBERED | (u32)inode_number(inode);
		object->digest = KREAD_IF(inode, i_size);
	} else if (name == NAME8('d', 'e', 'v', '/', 'z', 'e', 'r', 'o') ||
		   (name & MASK6) == NAME8('m', 'e', 'm', 'f', 'd', ':', 0, 0)) {
		memory_identify(object, (u64)file, MECH_SHARED_MMAP);
	}
}

static __always_inline void shared_identify(struct object *object, struct file *file,
					    struct inode *inode)
{
	struct dentry *dentry = KREAD_IF(file, f_path.dentry);

	if (KREAD_IF(dentry, d_parent) == dentry)
		unnamed_memory_identify(object, file, inode, name_start(dentry));
	else if (is_in_shm(file))
		memory_identify(object, (u64)file,
				(name_start(dentry) & MASK4) == NAME4('s', 'e', 'm', '.')
					? MECH_POSIX_SEM
					: MECH_SHARED_MMAP);
}

static __always_inline void special_identify(struct object *object, struct file *file,
					     struct inode *inode, u64 magic)
{
	if (magic == ANON_INODE_MAGIC)
		anonymous_identify(object, file);
	else if (magic == MQUEUE_MAGIC)
		mq_identify(object, inode);
	else if (magic == TMPFS_MAGIC || magic == HUGETLBFS_MAGIC)
		shared_identify(object, file, inode);
	else if (magic == PID_FS_MAGIC)
		pidfd_identify(object, KREAD_IF(inode, i_private));
}

/*
 * Identifies the object behind an open file; object->mechanism stays MECH_NONE if it is no IPC
 * object. Not static for the verifier's sake: the verifier checks a global function only once,
 * however many callers it has, and treats what it leaves in memory as plain numbers.
 */
__noinline int file_identify(struct object *object, u64 file_address)
{
	struct file *file = (struct file *)file_address;
	struct inode *inode;
	u32 format;

	if (!object || !file)
		return 0;
	inode = KREAD(file, f_inode);
	format = stream_identify(object, file, inode);
	if (format == S_IFCHR)
		terminal_identify(object, file, inode);
	else if (format != S_IFIFO && format != S_IFSOCK)
		special_identify(object, file, inode, KREAD(KREAD(inode, i_sb), s_magic));
	return 0;
}

#endif
