/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * System calls: one record a completed call on an IPC object, a begin record where it falls
 * asleep. The order of the reads matters: enter_ns is taken last at entry and exit_ns first at
 * exit, so that the interval holds the call's effect and no work of ours.
 */
#ifndef BPF_CALL_H
#define BPF_CALL_H

#include "bpf/control.h"
#include "bpf/data.h"
#include "bpf/datagram.h"
#include "bpf/facts.h"
#include "bpf/made.h"
#include "bpf/message.h"
#include "bpf/operation.h"
#include "bpf/payload.h"
#include "bpf/plain.h"
#include "bpf/position.h"
#include "bpf/process.h"
#include "bpf/signal.h"
#include "bpf/sleeper.h"
#include "bpf/target.h"
#include "bpf/timeouts.h"
#include "bpf/turn.h"
#include "bpf/waits.h"
#include "bpf/waking.h"

#define ENXIO 6

static __always_inline void details_clear(struct wire_details *details)
{
	details->made[0].mechanism = MECH_NONE;
	details->made[1].mechanism = MECH_NONE;
	details->delivered = 0;
	details->refused = 0;
	details->sent = 0;
	details->says = 0;
	details->to.address = 0;
	details->from.address = 0;
}

static __always_inline void operation_clear(struct task_state *state,
					    const volatile struct syscall_row *row,
					    struct pt_regs *regs)
{
	__builtin_memset(&state->operation, 0, sizeof(state->operation));
	details_clear(&state->details);
	state->role = row->role;
	state->operation.has = row->details ? WIRE_HAS_DETAILS : 0;
	syscall_arguments(regs, state->details.args);
}

static __always_inline bool is_transfer(const volatile struct syscall_row *row)
{
	return row->role == ROLE_SEND || row->role == ROLE_RECEIVE;
}

static __always_inline void others_begin(struct task_state *state, struct task_struct *task,
					 const volatile struct syscall_row *row)
{
	sizes_at_entry(state, row);
	waits_at_entry(state, task, row);
	facts_at_entry(state, row);
	timeout_look(state, row, true);
}

static __always_inline void operation_begin(struct task_state *state, struct task_struct *task,
					    struct pt_regs *regs, u32 nr)
{
	const volatile struct syscall_row *row = row_of(nr);
	struct wire_operation *operation = &state->operation;

	if (row->role == ROLE_NONE || is_unwanted(regs, nr))
		return;
	operation_clear(state, row, regs);
	if (!(row->plain && pipe_recall(state, task))) {
		if (!object_at_entry(state, task, row, nr))
			return;
		if (row->plain && is_pipe(operation->object.mechanism))
			pipe_remember(state, task);
	}
	operation->nr = nr;
	state->begun = 0;
	state->cold = 0;
	state->asleep_since_ns = 0; /* of a call before, whose return to a processor nobody saw */
	if (row->plain)
		plain_begin(state, row);
	else
		others_begin(state, task, row);
	state->recording = 1;
	if (is_transfer(row) && position_read(&operation->at_entry, &operation->object))
		operation->has |= WIRE_HAS_POSITIONS;
	turn_first(state);
	operation->id = operation_number();
	operation->enter_ns = bpf_ktime_get_ns();
	if (takes_datagrams(state)) /* within the call: who overlaps it may take what is seen */
		datagram_first_look(state);
}

SEC("tp_btf/sys_enter")
int BPF_PROG(call_enter, struct pt_regs *regs, long nr)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state = task_state_traced(task);

	if (!state)
		return 0;
	sleeper_leave(state, task);
	state->recording = 0;
	state->late = 0;
	state->nr = NO_CALL;
	if (nr < 0 || nr >= SYSCALL_ROWS)
		return 0;
	if (syscall_is_compat(task)) {
		loss_count(LOSS_COMPAT);
		unseen_tell(state, task, WIRE_UNSEEN_COMPAT);
		return 0;
	}
	state->nr = nr;
	operation_begin(state, task, regs, nr);
	return 0;
}

static __always_inline void receive_finish(struct task_state *state,
					   const volatile struct syscall_row *row)
{
	struct wire_operation *operation = &state->operation;
	u64 len_at = argument(state, row->peer + 1), returned = operation->returned;
	u32 len = 0;

	if (row->peer != ARG_NONE && len_at && !bpf_probe_read_user(&len, 4, (void *)len_at))
		address_read(state, argument(state, row->peer), len);
	priority_of_receive(state, row);
	data_read(state, row, returned);
}

static __always_inline void send_finish(struct task_state *state,
					const volatile struct syscall_row *row)
{
	struct wire_operation *operation = &state->operation;

	if (state->cold) {
		operation->payload_len = 0;
		data_read(state, row, send_limit(state, row));
	}
	if (row->result == RESULT_ZERO && operation->returned == 0) {
		state->details.transferred = operation->requested;
		operation->has |= WIRE_HAS_TRANSFERRED | WIRE_HAS_DETAILS;
	}
}

/* Where nobody can tell what is mapped there now, the descriptor that was given may. */
static __always_inline void mapped_finish(struct task_state *state, struct task_struct *task)
{
	struct wire_operation *operation = &state->operation;

	if (object_of_address(state, &operation->object, task, operation->returned) < 0) {
		object_of_fd(state, &operation->object, task, state->details.args[4]);
		operation->object.fd = -1;
	}
}

/*
 * Addresses and peers are known only after bind, connect and the like, so these are described again
 * whatever the digest says; a first UDP send binds too, which the digest shows.
 */
static __always_inline void object_finish(struct task_state *state, struct task_struct *task,
					  const volatile struct syscall_row *row)
{
	struct wire_operation *operation = &state->operation;
	struct wire_fd again = {};

	if (operation->returned >= 0 && makes_sysv(operation->nr))
		object_of_sysv(state, &operation->object, task, sysv_mechanism(operation->nr),
			       operation->returned);
	if (operation->returned >= 0 && operation->nr == __NR_mmap)
		mapped_finish(state, task);
	if (row->fd == ARG_NONE)
		return;
	if (row->role == ROLE_OPEN)
		object_forget(state, &operation->object.object);
	if (row->role == ROLE_OPEN || operation->object.mechanism == MECH_UDP ||
	    operation->object.mechanism == MECH_NETLINK)
		object_of_fd(state, &again, task, operation->object.fd);
}

/* Most files that a program opens are not IPC, and are none of our business. */
static __always_inline bool is_worth_keeping(const struct task_state *state,
					     const volatile struct syscall_row *row)
{
	const struct wire_operation *operation = &state->operation;

	if (row->data == DATA_SIGACTION) /* a question alone changes nothing */
		return operation->payload_len != 0;
	if (is_unlink(operation->nr))
		return paths_known && operation->returned == 0;
	if (row->role != ROLE_OPEN || row->fd != ARG_NONE || state->begun)
		return true;
	if (operation->nr == __NR_mq_open || sysv_mechanism(operation->nr) ||
	    operation->object.mechanism != MECH_NONE)
		return true;
	return state->details.made[0].mechanism != MECH_NONE || operation->returned == -ENXIO;
}

static __always_inline void others_finish(struct task_state *state, struct task_struct *task)
{
	struct wire_operation *operation = &state->operation;
	const volatile struct syscall_row *row = row_of(operation->nr);
	u32 role = role_of(state, row);

	if (role == ROLE_SEND)
		send_finish(state, row);
	else if (row->data == DATA_PATH && state->cold)
		path_read(state, argument(state, row->buf));
	else if ((role == ROLE_RECEIVE && operation->returned >= 0) ||
		 (row->result == RESULT_FD && row->peer != ARG_NONE && operation->returned >= 0))
		receive_finish(state, row);
	waits_at_exit(state, task, row);
	facts_at_exit(state, task, row);
	made_finish(state, task, row);
	messages_finish(state, row);
	if (row->role == ROLE_CONTROL)
		control_finish(state, task, row);
	if (row->role == ROLE_CONTROL || row->role == ROLE_OPEN)
		path_finish(state, row);
	object_finish(state, task, row);
	if (operation->has & WIRE_HAS_POSITIONS) {
		position_read(&operation->at_exit, &operation->object);
		position_after(operation);
	}
	turn_last(state, task);
	if (row->role != ROLE_CLOSE)
		object_state_read(operation, task);
	if (is_worth_keeping(state, row))
		operation_send(state, task, WIRE_COMPLETE);
}

static __always_inline void operation_finish(struct task_state *state, struct task_struct *task)
{
	struct wire_operation *operation = &state->operation;

	if (row_of(operation->nr)->plain && is_pipe(operation->object.mechanism))
		plain_finish(state, task);
	else
		others_finish(state, task);
}

/*
 * A call that a thread entered before it was followed: its registers still hold the arguments.
 * False where it is none that we record; enter_ns is for the caller to set.
 */
static __always_inline bool call_found(struct task_state *state, struct task_struct *task,
				       struct pt_regs *regs)
{
	struct wire_operation *operation = &state->operation;
	long nr = KREAD(regs, orig_ax);
	const volatile struct syscall_row *row = row_of(nr);

	if (nr < 0 || nr >= SYSCALL_ROWS || row->role == ROLE_NONE || is_unwanted(regs, nr) ||
	    syscall_is_compat(task))
		return false;
	operation_clear(state, row, regs);
	if (!object_at_entry(state, task, row, nr))
		return false;
	operation->nr = nr;
	operation->has |= WIRE_ENTERED_BEFORE;
	requested_at_entry(state, row);
	timeout_look(state, row, false);
	operation->id = operation_number();
	return true;
}

/* A thread was followed in the midst of this call, which returns now. */
static __always_inline void late_begin(struct task_state *state, struct task_struct *task,
				       struct pt_regs *regs)
{
	state->late = 0;
	if (!call_found(state, task, regs))
		return;
	state->operation.enter_ns = state->late_ns;
	state->cold = role_of(state, row_of(state->operation.nr)) == ROLE_SEND;
	state->recording = 1;
}

static __always_inline void uring_used(struct task_state *state, struct task_struct *task,
				       long returned)
{
	if (returned >= 0)
		unseen_tell(state, task, WIRE_UNSEEN_URING);
}

static __always_inline void call_finish(struct task_state *state, struct task_struct *task,
					struct pt_regs *regs, long returned)
{
	u64 now = bpf_ktime_get_ns();

	if (state->late)
		late_begin(state, task, regs);
	if (!state->recording)
		return;
	state->operation.exit_ns = now;
	state->operation.returned = returned;
	sleeper_leave(state, task);
	if (state->peeking)
		peek_ends(state);
	operation_finish(state, task);
	state->recording = 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(call_exit, struct pt_regs *regs, long returned)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state = task_state_traced(task);

	if (!state)
		return 0; /* most of the machine: it pays for the look-up alone */
	if (state->late || state->recording)
		call_finish(state, task, regs, returned);
	if (state->nr == __NR_rt_sigreturn)
		signal_returned(returned);
	else if (state->nr == __NR_io_uring_setup || state->nr == __NR_io_uring_enter)
		uring_used(state, task, returned);
	else if (state->nr == __NR_ptrace && returned >= 0)
		unseen_tell(state, task, WIRE_UNSEEN_PTRACE);
	state->nr = NO_CALL;
	return 0;
}

#endif
