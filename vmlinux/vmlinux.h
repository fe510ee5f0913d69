/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The parts of kernel structures that ipclens reads. Only names matter: offsets are patched when
 * the program is loaded (see README.md here). Sizes of arrays and fields that are not named do not.
 */
#ifndef VMLINUX_VMLINUX_H
#define VMLINUX_VMLINUX_H

#include <linux/bpf.h>
#include <linux/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __s16 s16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;
typedef int pid_t;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	int counter;
} atomic_t;

struct pt_regs {
#if defined(__TARGET_ARCH_x86)
	unsigned long di;
	unsigned long si;
	unsigned long dx;
	unsigned long r10;
	unsigned long r8;
	unsigned long r9;
	unsigned long orig_ax;
#elif defined(__TARGET_ARCH_arm64)
	u64 regs[31];
	u64 orig_x0;
	s32 syscallno;
#else
#error "pt_regs of this processor: name the registers here and in bpf/core/machine.bpf.h"
#endif
};

struct ns_common {
	unsigned int inum;
};

struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct qstr {
	const unsigned char *name;
	u32 len;
	u32 hash;
};

struct super_block {
	u32 s_dev;
	unsigned long s_magic;
};

struct pipe_buffer {
	unsigned int offset;
	unsigned int len;
};

struct mutex {
	struct {
		s64 counter;
	} owner; /* atomic_long_t: a task, and flags in its three low bits */
};

struct hlist_node {
	struct hlist_node *next;
};

struct timespec64 { /* any that begins with 64 bits would do, see kread_word() */
	s64 tv_sec;
};

struct hlist_head {
	struct hlist_node *first;
};

struct hlist_bl_node {
	struct hlist_bl_node **pprev;
};

struct address_space {
	atomic_t i_mmap_writable;
};

struct pipe_inode_info {
	struct mutex mutex;
	unsigned int head; /* in an anonymous union from 6.15 on */
	unsigned int tail;
	unsigned int max_usage;
	unsigned int ring_size; /* slots of a page each; from 5.8 on, before: buffers */
	unsigned int readers;
	unsigned int writers;
	unsigned int r_counter; /* how often that side was opened */
	unsigned int w_counter;
	struct pipe_buffer *bufs;
};

struct list_head {
	struct list_head *next;
};

struct inode {
	unsigned short i_mode;
	u32 i_rdev;
	unsigned long i_ino;
	unsigned int i_nlink; /* in an anonymous union */
	s64 i_size;
	struct super_block *i_sb;
	struct address_space *i_mapping;
	struct hlist_head i_dentry;
	struct pipe_inode_info *i_pipe;
	struct file_lock_context *i_flctx;
	void *i_private;
};

struct file_lock_context {
	struct list_head flc_flock;
};

struct file_lock_core { /* 6.9 and later */
	struct list_head flc_list;
	struct file *flc_file;
};

struct dentry {
	struct hlist_bl_node d_hash;
	struct dentry *d_parent;
	struct inode *d_inode;
	struct qstr d_name;
	struct hlist_node d_alias; /* in an anonymous union: 7.1 and later */
};

struct dentry___named_union { /* to 7.0 */
	struct {
		struct hlist_node d_alias;
	} d_u;
};

struct vfsmount {
	void *mnt_root; /* not read: the structure must not be empty */
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

/* How many refer to it: 6.13 and later, and before. */
struct file___ref {
	struct {
		struct {
			s64 counter;
		} refcnt;
	} f_ref;
};

struct file___count {
	struct {
		s64 counter;
	} f_count;
};

struct file {
	unsigned int f_mode;
	unsigned int f_flags;
	struct inode *f_inode;
	struct path f_path;
	long long f_pos;
	void *private_data;
};

struct fs_struct {
	struct path pwd;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	atomic_t count;
	struct fdtable *fdt;
};

struct thread_info {
	unsigned long flags;
	u32 status; /* x86 */
};

struct mm_struct {
	unsigned long arg_start;
	unsigned long arg_end;
};

struct vm_area_struct {
	unsigned long vm_start;
	unsigned long vm_end;
	unsigned long vm_flags;
	unsigned long vm_pgoff;
	struct file *vm_file;
};

struct idr {
	struct {
		void *xa_head;
	} idr_rt;
};

struct xa_node {
	unsigned char shift;
	void *slots[64];
};

struct ipc_ids {
	struct idr ipcs_idr;
};

struct ipc_namespace {
	struct ipc_ids ids[3];
};

struct nsproxy {
	struct ipc_namespace *ipc_ns;
};

struct pid_namespace;

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct hlist_head tasks[4];
	struct upid numbers[];
};

struct pid_namespace {
	struct idr idr;
};
struct tty_struct;

struct sigpending {
	struct list_head list;
	struct {
		unsigned long sig[1];
	} signal;
};

struct signal_struct {
	atomic_t live;
	struct sigpending shared_pending;
	int nr_threads;
	struct tty_struct *tty;
	int group_exit_code;
	unsigned int flags;
};

struct sched_info {
	unsigned long long last_arrival;
};

struct task_struct {
	struct thread_info thread_info;
	unsigned int __state;
	unsigned int on_cpu; /* a byte from 7.3 on */
	unsigned int flags;
	pid_t pid;
	pid_t tgid;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct mm_struct *mm;
	struct files_struct *files;
	struct fs_struct *fs;
	struct pipe_inode_info *splice_pipe; /* of sendfile(2) */
	struct nsproxy *nsproxy;
	struct signal_struct *signal;
	struct pid *thread_pid;
	struct hlist_node pid_links[4];
	int exit_code;
	unsigned long jobctl;
	unsigned short migration_disabled;
	unsigned long nvcsw;
	unsigned long nivcsw;
	struct sched_info sched_info;
	struct {
		unsigned long sig[1];
	} blocked;
	struct sigpending pending;
	char comm[16];
};

struct bpf_iter__task {
	struct task_struct *task;
};

struct bpf_iter_meta {
	struct seq_file *seq;
	u64 seq_num;
};

struct bpf_iter__bpf_map {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
};

struct bpf_iter__task_vma {
	struct task_struct *task;
	struct vm_area_struct *vma;
};

struct bpf_iter__task_file {
	struct task_struct *task;
	u32 fd;
	struct file *file;
};

struct linux_binprm {
	const char *filename;
};

struct kmem_cache {
	const char *name;
};

struct msg_msg {
	struct list_head m_list;
	long m_type;
};

struct eventfd_ctx {
	__u64 count;
	unsigned int flags;
	int id;
};

struct rb_node {
	unsigned long __rb_parent_color;
	struct rb_node *rb_right;
	struct rb_node *rb_left;
};

struct rb_root_cached {
	struct rb_node *rb_leftmost;
};

struct epoll_filefd {
	int fd;
};

struct epoll_event {
	u32 events;
	u64 data;
};

struct epitem {
	struct rb_node rbn;
	struct epoll_filefd ffd;
	struct epoll_event event;
};

struct eventpoll {
	struct rb_root_cached rbr;
};

struct rb_root {
	struct rb_node *rb_node;
};

struct posix_msg_tree_node {
	struct rb_node rb_node;
	struct list_head msg_list;
};

struct wait_queue_entry {
	struct list_head entry;
};

struct wait_queue_head {
	struct list_head head;
};

struct socket_wq {
	struct wait_queue_head wait;
};

struct poll_table_entry {
	struct file *filp;
	struct wait_queue_entry wait;
	struct wait_queue_head *wait_address;
};

struct ext_wait_queue {
	struct task_struct *task;
	struct list_head list;
	struct msg_msg *msg;
};

struct mqueue_inode_info {
	struct inode vfs_inode;
	struct ext_wait_queue e_wait_q[2];
	struct rb_root msg_tree;
	struct {
		long mq_maxmsg;
		long mq_curmsgs;
	} attr;
};

struct kern_ipc_perm {
	int id;
	int key;
};

struct msg_queue {
	struct kern_ipc_perm q_perm;
	unsigned long q_qnum;
	unsigned long q_cbytes;
	unsigned long q_qbytes;
	struct list_head q_messages;
};

struct sem_array {
	struct kern_ipc_perm sem_perm;
	int sem_nsems;
};

struct shmid_kernel {
	struct kern_ipc_perm shm_perm;
	struct file *shm_file;
	unsigned long shm_segsz;
};

struct kernel_siginfo {
	int si_signo;
	int si_code;
	struct {
		struct {
			pid_t _pid; /* at the same place for kill, sigqueue and SIGCHLD */
		} _kill;
		struct {
			struct {
				int sival_int;
			} _sigval;
		} _rt;
	} _sifields;
};

struct sigqueue {
	struct list_head list;
	struct kernel_siginfo info;
};

struct k_sigaction {
	struct {
		void *sa_handler; /* __sighandler_t */
	} sa;
};

#pragma clang attribute pop

#include "vmlinux/socket.h"

#endif
