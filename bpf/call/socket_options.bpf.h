/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Records calls that set an object's properties or ask for them: socket options, a queue's
 * notification, a pipe's size; and the paths by which FIFOs and sockets are known.
 */
#ifndef BPF_CALL_SOCKET_OPTIONS_BPF_H
#define BPF_CALL_SOCKET_OPTIONS_BPF_H

#include "bpf/call/lock_files.bpf.h"
#include "bpf/core/syscall_table.bpf.h"
#include "bpf/object/describe.bpf.h"

#define F_SETPIPE_SZ 1031
#define CONTROL_LEN 16 /* bytes: a struct timeval, or the beginning of a struct sigevent */

static __always_inline void control_read(struct task_state *state, u64 from, u64 len)
{
	if (len > CONTROL_LEN)
		len = CONTROL_LEN;
	barrier_var(len);
	if (!from || len > CONTROL_LEN || bpf_probe_read_user(state->extra, len, (void *)from))
		return;
	state->operation.payload_len = len;
}

/* Sends the pipe's description again, with its new capacity. */
static __always_inline void pipe_resized(struct task_state *state, struct task_struct *task)
{
	struct wire_fd again = {};

	object_of_fd(state, &again, task, state->operation.object.fd);
}

#define AT_FDCWD -100

/* offsetof(struct sockaddr_un, sun_path) */
#define SUN_PATH_AT 2

static __always_inline bool has_working_directories(void)
{
	return KHAS(struct task_struct, fs) && KHAS(struct fs_struct, pwd.dentry) &&
	       KHAS(struct dentry, d_inode);
}

/*
 * Inode number of the directory that the path in `extra` starts from, 0 for an absolute path: paths
 * with the same text and the same start are the same path.
 */
static __always_inline u64 path_base(struct task_state *state, struct task_struct *task, s32 dirfd)
{
	u32 at = state->operation.nr == __NR_bind ? SUN_PATH_AT : 0;
	struct file *file;

	if (state->extra[at] == '/')
		return 0;
	if (dirfd == AT_FDCWD && !has_working_directories())
		return state->operation.id | 1ULL << 63; /* unlike the start of any other path */
	if (dirfd == AT_FDCWD)
		return KREAD(KREAD_IF(KREAD(KREAD_IF(task, fs), pwd.dentry), d_inode), i_ino);
	file = file_of_fd(task, dirfd);
	return file ? KREAD(KREAD(file, f_inode), i_ino) : 0;
}

static __always_inline bool is_unlink(u32 nr)
{
#ifdef __NR_unlink
	if (nr == __NR_unlink)
		return true;
#endif
	return nr == __NR_unlinkat;
}

/*
 * The descriptor of the directory that the path starts from. It is the argument before the path, if
 * there is one.
 */
static __always_inline s32 path_directory(const struct task_state *state,
					  const volatile struct syscall_row *row)
{
	return row->buf == 1 ? state->details.args[0] : AT_FDCWD;
}

/* Not static for the verifier's sake, see file_identify(). */
__noinline int path_note(struct task_state *state, s32 dirfd)
{
	if (state)
		state->details.base = path_base(state, bpf_get_current_task_btf(), dirfd);
	return 0;
}

/*
 * Notes the path of a call that makes a FIFO or socket known by it, or that removes it. Shared
 * memory and semaphores have the paths of shm_open(3) and sem_open(3), which are whole.
 */
static __always_inline void path_finish(struct task_state *state,
					const volatile struct syscall_row *row)
{
	u16 made = state->details.new_fds[0].mechanism;
	u32 nr = state->operation.nr;
	bool names = nr == __NR_bind || made == MECH_FIFO;

	if (is_refused_creation(state))
		state->met_lock_file = 1;
	if (state->operation.returned < 0)
		return;
	if (names || made == MECH_SHARED_MMAP || made == MECH_POSIX_SEM)
		paths_known = 1;
	if (!names && !is_unlink(nr))
		return;
	path_note(state, nr == __NR_bind ? AT_FDCWD : path_directory(state, row));
}

static __always_inline void control_finish(struct task_state *state, struct task_struct *task,
					   const volatile struct syscall_row *row)
{
	const u64 *args = state->details.args;
	u32 len = args[4];

	if (state->operation.returned < 0 && row->data != DATA_SETOPT)
		return;
	if (row->data == DATA_GETOPT && bpf_probe_read_user(&len, sizeof(len), (void *)args[4]))
		return;
	if (row->data == DATA_GETOPT || row->data == DATA_SETOPT)
		control_read(state, args[3], len);
	else if (row->data == DATA_NOTIFY)
		control_read(state, args[1], CONTROL_LEN);
	else if (row->data == DATA_FCNTL && (u32)args[1] == F_SETPIPE_SZ)
		pipe_resized(state, task);
}

#endif
