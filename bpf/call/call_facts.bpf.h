/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reads what calls on signals, children and file locks pass in memory: sets of signals, an action,
 * a status, a range. A struct wire_call_facts is the payload of their records.
 */
#ifndef BPF_CALL_CALL_FACTS_BPF_H
#define BPF_CALL_CALL_FACTS_BPF_H

#include "bpf/core/syscall_table.bpf.h"
#include "bpf/object/describe.bpf.h"

#define F_SETLK 6
#define F_SETLKW 7
#define F_OFD_SETLK 37
#define F_OFD_SETLKW 38

struct user_sigaction { /* as the kernel has it, asm/signal.h */
	u64 handler;
	u64 flags;
	u64 restorer; /* not all processors have it, x86-64 and arm64 do */
	u64 mask;
};

struct user_flock {
	s16 type;
	s16 whence;
	s32 pad;
	s64 start;
	s64 len;
};

struct user_siginfo { /* asm-generic/siginfo.h */
	s32 number;
	s32 error;
	s32 code;
	s32 pad;
	s32 pid;
	u32 uid;
	s32 status; /* of SIGCHLD; otherwise the value sent with the signal */
};

static __always_inline struct wire_call_facts *call_facts_of(struct task_state *state)
{
	return (struct wire_call_facts *)state->extra;
}

static __always_inline struct wire_call_facts *call_facts_make(struct task_state *state)
{
	struct wire_call_facts *facts = call_facts_of(state);

	__builtin_memset(facts, 0, sizeof(*facts));
	state->operation.payload_len = sizeof(*facts);
	return facts;
}

static __always_inline void call_facts_of_set(struct task_state *state, u64 from)
{
	struct wire_call_facts *facts = call_facts_make(state);

	facts->has_set = from && !bpf_probe_read_user(&facts->set, sizeof(u64), (void *)from);
}

static __always_inline void call_facts_of_action(struct task_state *state, u64 from)
{
	struct wire_call_facts *facts;
	struct user_sigaction action;

	if (!from || bpf_probe_read_user(&action, sizeof(action), (void *)from))
		return;
	facts = call_facts_make(state);
	facts->action = action.handler > 1 ? 2 : action.handler;
	facts->flags = action.flags;
	facts->set = action.mask;
	facts->has_set = 1;
}

static __always_inline void call_facts_of_lock(struct task_state *state, u64 from)
{
	struct wire_call_facts *facts = call_facts_make(state);
	struct user_flock lock;

	if (bpf_probe_read_user(&lock, sizeof(lock), (void *)from))
		return;
	facts->lock = 1;
	facts->lock_type = lock.type;
	facts->whence = lock.whence;
	facts->start = lock.start;
	facts->len = lock.len;
}

static __always_inline bool is_lock(const struct task_state *state,
				    const volatile struct syscall_row *row)
{
	u32 cmd = state->details.args[1];

	if (row->data == DATA_FLOCK)
		return true;
	return row->data == DATA_FCNTL &&
	       (cmd == F_SETLK || cmd == F_SETLKW || cmd == F_OFD_SETLK || cmd == F_OFD_SETLKW);
}

/* Makes `object` the locks on the file with this inode. */
static __always_inline void object_of_lock_on(struct object *object, struct inode *inode)
{
	object->mechanism = MECH_FILE_LOCK;
	object->ref.address = (u64)inode;
	object->ref.number = KREAD(inode, i_ino);
	object->access = WIRE_ACCESS_READ | WIRE_ACCESS_WRITE;
}

/*
 * Identifies the file that a lock is on: any file can be locked, and only such a call makes it an
 * object.
 */
static __noinline int object_of_lock(struct task_state *state, struct wire_fd *to,
				     struct task_struct *task, u32 fd)
{
	struct file *file = file_of_fd(task, fd);
	struct object object = {};

	to->fd = fd;
	if (!file)
		return 0;
	object_of_lock_on(&object, KREAD(file, f_inode));
	object_store(to, &object, fd);
	return object_announce(state, &object, (u64)file);
}

/*
 * Reads the line's settings before a call that may change them. Not static for the verifier's sake,
 * see other_files.bpf.h.
 */
__noinline int line_at_entry(struct task_state *state)
{
	if (!state || state->operation.object.mechanism != MECH_PTY)
		return 0;
	state->operation.has |= WIRE_HAS_POSITIONS;
	return terminal_position(&state->operation.at_entry, state->operation.object.object.address,
				 state->operation.object.object.number);
}

static __always_inline void call_facts_at_entry(struct task_state *state,
						const volatile struct syscall_row *row)
{
	const u64 *args = state->details.args;

	switch (row->data) {
	case DATA_SIGSET:
		call_facts_of_set(state, args[0]);
		break;
	case DATA_SIGMASK:
		call_facts_of_set(state, args[1]);
		break;
	case DATA_SIGACTION:
		call_facts_of_action(state, args[1]);
		break;
	case DATA_FCNTL:
		if (is_lock(state, row))
			call_facts_of_lock(state, args[2]);
		break;
	case DATA_LINE:
		line_at_entry(state);
		break;
	}
}

static __always_inline void call_facts_of_status(struct task_state *state, u64 from)
{
	struct wire_call_facts *facts = call_facts_make(state);

	facts->child = state->operation.returned;
	if (from && !bpf_probe_read_user(&facts->status, 4, (void *)from))
		facts->has_status = WIRE_STATUS_WAIT;
}

static __always_inline void call_facts_of_siginfo(struct task_state *state, u64 from)
{
	struct user_siginfo info;
	struct wire_call_facts *facts;

	if (!from || bpf_probe_read_user(&info, sizeof(info), (void *)from) || !info.pid)
		return; /* WNOHANG: no child had changed its state */
	facts = call_facts_make(state);
	facts->child = info.pid;
	facts->has_status = WIRE_STATUS_CHILD;
	facts->code = info.code;
	facts->status = info.status;
}

/* Adds the signal that was taken to the set that was waited for. */
static __always_inline void call_facts_of_taken(struct task_state *state, u64 from)
{
	struct wire_call_facts *facts = call_facts_of(state);
	struct user_siginfo info;

	if (!from || state->operation.payload_len != sizeof(*facts) ||
	    bpf_probe_read_user(&info, sizeof(info), (void *)from))
		return;
	facts->has_status = WIRE_STATUS_SIGNAL;
	facts->child = info.pid;
	facts->code = info.code;
	facts->status = info.status;
}

static __always_inline void call_facts_at_exit(struct task_state *state, struct task_struct *task,
					       const volatile struct syscall_row *row)
{
	s64 returned = state->operation.returned;

	if (row->data == DATA_SIGMASK && returned == 0) {
		struct wire_call_facts *facts = call_facts_of(state);

		facts->blocked = KREAD_IF(task, blocked.sig[0]);
		facts->has_blocked = KHAS(struct task_struct, blocked.sig[0]);
	} else if (row->data == DATA_STATUS && returned > 0) {
		call_facts_of_status(state, state->details.args[1]);
	} else if (row->data == DATA_SIGSET && returned > 0) {
		call_facts_of_taken(state, state->details.args[1]);
	} else if (row->data == DATA_SIGINFO && returned == 0) {
		call_facts_of_siginfo(state, state->details.args[2]);
	}
}

#endif
