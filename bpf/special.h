/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Files that are neither pipes, sockets nor terminals: shared memory, POSIX queues, eventfds and
 * their kin.
 * And from any file to what is behind it.
 */
#ifndef BPF_SPECIAL_H
#define BPF_SPECIAL_H

#include "bpf/terminal.h"

/* The first eight bytes of a file's name as one number: comparing them is one instruction. */
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

	bpf_probe_read_kernel(&start, sizeof(start), KREAD(dentry, d_name.name));
	return start;
}

/* eventfd_ctx.id tells eventfds apart (fs/eventfd.c, 5.2 and later). */
static __always_inline void eventfd_identify(struct object *object, struct file *file)
{
	struct eventfd_ctx *context = KREAD(file, private_data);

	u32 number = KREAD(context, id);

	barrier_var(number);
	object->mechanism = MECH_EVENTFD;
	object->detail = context;
	object->ref.address = (u64)context;
	object->ref.number = WIRE_NUMBERED | number;
}

static __always_inline void mq_identify(struct object *object, struct inode *inode)
{
	object->mechanism = MECH_POSIX_MQ;
	object->detail = inode;
	object->ref.address = (u64)inode;
	object->ref.number = inode_number(inode);
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

/* kernel/pid.c: the process as the initial namespace counts it. */
static __always_inline u32 pid_number(struct pid *pid)
{
	u32 number = 0;

	bpf_probe_read_kernel(&number, sizeof(number),
			      (char *)pid + bpf_core_field_offset(struct pid, numbers));
	return number;
}

static __always_inline void pidfd_identify(struct object *object, struct pid *pid)
{
	object->mechanism = MECH_PIDFD;
	object->ref.address = (u64)pid;
	object->ref.number = WIRE_NUMBERED | pid_number(pid);
}

/*
 * fs/anon_inodes.c: eventfds, timerfds and their kin share one inode; only the name that the kernel
 * gave the file says which kind it is.
 */
static __always_inline void anonymous_identify(struct object *object, struct file *file)
{
	u64 name = name_start(KREAD(file, f_path.dentry));

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

/* include/linux/list_bl.h: a name that was removed (unlink) is in no hash table any more. */
static __always_inline bool is_named_still(struct dentry *dentry)
{
	return KREAD(dentry, d_hash.pprev) != 0;
}

/*
 * The name of an inode now. sem_open(3) makes its file under another name, links it to the right
 * one and removes the first: the file that the maker holds open bears that one for ever.
 */
static __always_inline struct dentry *name_now(struct file *file, struct inode *inode)
{
	struct dentry *dentry = KREAD(file, f_path.dentry);
	struct hlist_node *alias = KREAD(inode, i_dentry.first);

	for (u32 i = 0; i < 3 && alias && !is_named_still(dentry); i++) {
		dentry = (void *)alias - bpf_core_field_offset(struct dentry, d_u.d_alias);
		alias = KREAD(alias, next);
	}
	return dentry;
}

/*
 * A file in /dev/shm: its file system is mounted on something called shm, perhaps on top of
 * another that is.
 */
static __always_inline bool is_in_shm(struct file *file)
{
	struct vfsmount *mnt = KREAD(file, f_path.mnt);
	struct mount *mount = (void *)mnt - bpf_core_field_offset(struct mount, mnt);
	u64 name = name_start(KREAD(mount, mnt_mountpoint));

	if ((name & MASK2) == NAME4('/', 0, 0, 0))
		name = name_start(KREAD(KREAD(mount, mnt_parent), mnt_mountpoint));
	return (name & MASK4) == NAME4('s', 'h', 'm', 0);
}

/* Memory that its inode tells apart. Not static for the verifier's sake, see file_identify(). */
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
	object->digest = KREAD(name, d_name.hash) | (u64)KREAD(inode, i_size) << 32;
	return 0;
}

/*
 * mm/shmem.c, ipc/shm.c: memory without a name of its own lies in a file system that nobody
 * mounts, its directory entry is its own parent. Its inode number is the segment's id.
 */
static __always_inline void unnamed_memory_identify(struct object *object, struct file *file,
						    struct inode *inode, u64 name)
{
	if ((name & MASK4) == NAME4('S', 'Y', 'S', 'V')) {
		object->mechanism = MECH_SYSV_SHM;
		object->ref.address = (u64)inode;
		object->ref.number = WIRE_NUMBERED | (u32)inode_number(inode);
		object->digest = KREAD(inode, i_size);
	} else if (name == NAME8('d', 'e', 'v', '/', 'z', 'e', 'r', 'o') ||
		   (name & MASK6) == NAME8('m', 'e', 'm', 'f', 'd', ':', 0, 0)) {
		memory_identify(object, (u64)file, MECH_SHARED_MMAP);
	}
}

static __always_inline void shared_identify(struct object *object, struct file *file,
					    struct inode *inode)
{
	struct dentry *dentry = KREAD(file, f_path.dentry);

	if (KREAD(dentry, d_parent) == dentry)
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
		pidfd_identify(object, KREAD(inode, i_private));
}

/*
 * MECH_NONE in object->mechanism: not IPC. The verifier looks at a function that is not static only
 * once, whoever calls it, and takes what it leaves in memory for plain numbers.
 */
__noinline int file_identify(struct object *object, u64 file_address)
{
	struct file *file = (struct file *)file_address;
	struct inode *inode;
	u32 format;

	if (!object || !file)
		return 0;
	inode = KREAD(file, f_inode);
	format = KREAD(inode, i_mode) & S_IFMT;
	object->access = KREAD(file, f_mode) & (FMODE_READ | FMODE_WRITE);
	if (format == S_IFIFO)
		pipe_identify(object, file, inode);
	else if (format == S_IFSOCK)
		socket_identify(object, file, inode);
	else if (format == S_IFCHR)
		terminal_identify(object, file, inode);
	else
		special_identify(object, file, inode, KREAD(KREAD(inode, i_sb), s_magic));
	return 0;
}

#endif
