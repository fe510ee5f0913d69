/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Finds the object that a call acts on, from its arguments. */
#ifndef BPF_CALL_CALL_OBJECT_BPF_H
#define BPF_CALL_CALL_OBJECT_BPF_H

#include "bpf/call/call_facts.bpf.h"
#include "bpf/core/syscall_table.bpf.h"
#include "bpf/object/mapped_memory.bpf.h"

static __always_inline const volatile struct syscall_row *row_of(u32 nr)
{
	return &syscall_rows[nr & (SYSCALL_ROWS - 1)];
}

static __always_inline u64 argument(const struct task_state *state, u32 index)
{
	return index < 6 ? state->details.args[index] : 0;
}

static __always_inline bool makes_sysv(u32 nr)
{
	return nr == __NR_msgget || nr == __NR_semget || nr == __NR_shmget;
}

/* Calls that use or make a System V id. */
static const volatile u8 sysv_calls[SYSCALL_ROWS] = {
	[__NR_msgget] = MECH_SYSV_MSG,	   [__NR_msgsnd] = MECH_SYSV_MSG,
	[__NR_msgrcv] = MECH_SYSV_MSG,	   [__NR_msgctl] = MECH_SYSV_MSG,
	[__NR_semget] = MECH_SYSV_SEM,	   [__NR_semop] = MECH_SYSV_SEM,
	[__NR_semtimedop] = MECH_SYSV_SEM, [__NR_semctl] = MECH_SYSV_SEM,
	[__NR_shmget] = MECH_SYSV_SHM,	   [__NR_shmat] = MECH_SYSV_SHM,
	[__NR_shmctl] = MECH_SYSV_SHM,
};

/*
 * The mechanism of such a call; MECH_NONE for any other call. A switch over these numbers, which
 * lie side by side on arm64, becomes a bit test that 6.1 there was seen to answer wrongly.
 */
static __always_inline u16 sysv_mechanism(u32 nr)
{
	return sysv_calls[nr & (SYSCALL_ROWS - 1)];
}

#define FUTEX_COMMAND 127 /* uapi/linux/futex.h */
#define FUTEX_WAIT 0
#define FUTEX_WAIT_BITSET 9

/*
 * True for pthread_join(3), which waits until the kernel has cleared the number of a thread of the
 * same process. That is no IPC, also where the memory cannot be looked at, as another thread
 * changes the mappings. Who waits for a robust mutex has set FUTEX_WAITERS beside its owner's
 * number, so that this one is not taken for it (futex(2)).
 */
static __always_inline bool joins_thread(const struct task_state *state, struct task_struct *task)
{
	const u32 command = state->details.args[1] & FUTEX_COMMAND;

	return (command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET) &&
	       process_of(task, state->details.args[2]) == (u32)KREAD(task, tgid);
}

/* Finds objects that neither a descriptor nor an id names. False if the call is not recorded. */
static __always_inline bool object_elsewhere(struct task_state *state, struct task_struct *task,
					     u32 nr)
{
	struct wire_fd *object = &state->operation.object;
	u64 first = state->details.args[0];

	switch (nr) {
	case __NR_mmap: /* the object is known only when the call returns */
		return state->details.args[3] & MAP_SHARED;
	case __NR_munmap:
	case __NR_mremap:
	case __NR_shmdt:
		object_of_address(state, object, task, first);
		return object->mechanism != MECH_NONE;
	case __NR_futex:
		return object_of_futex(state, object, task, first) &&
		       (object->mechanism != MECH_NONE || !joins_thread(state, task));
	case __NR_process_vm_readv:
	case __NR_process_vm_writev:
		object_of_process(state, object, task, first);
		return true;
	default:
		return true;
	}
}

/* Reading and writing a file of shared memory is not counted as IPC; only using its mappings is. */
static __always_inline void plain_file_forget(struct wire_fd *object,
					      const volatile struct syscall_row *row)
{
	if ((object->mechanism == MECH_SHARED_MMAP || object->mechanism == MECH_POSIX_SEM) &&
	    (row->role == ROLE_SEND || row->role == ROLE_RECEIVE || row->role == ROLE_TRANSFER))
		object->mechanism = MECH_NONE;
}

/*
 * Finds the object at entry. True if the call acts on an IPC object, or if that is known only when
 * it returns.
 */
static __always_inline bool object_at_entry(struct task_state *state, struct task_struct *task,
					    const volatile struct syscall_row *row, u32 nr)
{
	struct wire_fd *object = &state->operation.object;
	u16 sysv = sysv_mechanism(nr);

	object->fd = -1;
	if (sysv) {
		if (!makes_sysv(nr))
			object_of_sysv(state, object, task, sysv, state->details.args[0]);
		return true;
	}
	if (row->fd == ARG_NONE)
		return object_elsewhere(state, task, nr);
	object_of_fd(state, object, task, argument(state, row->fd));
	plain_file_forget(object, row);
	if (object->mechanism == MECH_NONE && is_lock(state, row))
		object_of_lock(state, object, task, argument(state, row->fd));
	if (row->data == DATA_FD) {
		object_of_fd(state, &state->details.new_fds[0], task, argument(state, row->buf));
		plain_file_forget(&state->details.new_fds[0], row);
	}
	return object->mechanism != MECH_NONE || state->details.new_fds[0].mechanism != MECH_NONE;
}

/* Futexes that are private to a process are many, and no IPC: see snapshot_states.bpf.h. */
#define FUTEX_PRIVATE_FLAG 128

/* True for calls that are not recorded because of their arguments or the options given. */
static __always_inline bool is_unwanted(struct pt_regs *regs, u32 nr)
{
	if (nr == __NR_ioctl)
		return !is_line_control(KREAD(regs, REGISTER_1));
	return nr == __NR_futex && (!futexes || KREAD(regs, REGISTER_1) & FUTEX_PRIVATE_FLAG);
}

#endif
