/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Hooks of system calls: one record for each completed call on an IPC object, and a begin record if
 * it falls asleep. The order of reads matters: enter_ns is taken last at entry and exit_ns first at
 * exit, so that the interval contains the call's effect and none of our own work.
 */
#ifndef BPF_HOOKS_SYSCALLS_BPF_H
#define BPF_HOOKS_SYSCALLS_BPF_H

#include "bpf/call/call_data.bpf.h"
#include "bpf/call/call_facts.bpf.h"
#include "bpf/call/call_object.bpf.h"
#include "bpf/call/call_record.bpf.h"
#include "bpf/call/failed_lookups.bpf.h"
#include "bpf/call/file_input.bpf.h"
#include "bpf/call/futex_owner.bpf.h"
#include "bpf/call/last_ends.bpf.h"
#include "bpf/call/lock_files.bpf.h"
#include "bpf/call/msghdr.bpf.h"
#include "bpf/call/new_descriptors.bpf.h"
#include "bpf/call/payload.bpf.h"
#include "bpf/call/pipe_fast_path.bpf.h"
#include "bpf/call/poll_waits.bpf.h"
#include "bpf/call/sleeper_slots.bpf.h"
#include "bpf/call/socket_options.bpf.h"
#include "bpf/call/stream_position.bpf.h"
#include "bpf/call/tcp_runs.bpf.h"
#include "bpf/call/timeouts.bpf.h"
#include "bpf/call/unix_splices.bpf.h"
#include "bpf/call/unseen_ways.bpf.h"
#include "bpf/call/wakers.bpf.h"
#include "bpf/call/write_segments.bpf.h"
#include "bpf/core/blind_calls.bpf.h"
#include "bpf/hooks/processes.bpf.h"
#include "bpf/hooks/signals.bpf.h"
#include "bpf/hooks/udp_receives.bpf.h"

#define ENXIO 6
#define IPC_SET 1
#define IPC_64 0x100 /* a form of its argument */
#define ENFILE 23
#define EMFILE 24
#define EINPROGRESS 115

static __always_inline void details_clear(struct wire_details *details)
{
	details->new_fds[0].mechanism = MECH_NONE;
	details->new_fds[1].mechanism = MECH_NONE;
	details->delivered = 0;
	details->refused = 0;
	details->sent = 0;
	details->valid = 0;
	details->segment_len = 0;
	details->unreached = 0;
	details->to.address = 0;
	details->from.address = 0;
}

static __always_inline void operation_clear(struct task_state *state,
					    const volatile struct syscall_row *row,
					    struct pt_regs *regs)
{
	__builtin_memset(&state->operation, 0, sizeof(state->operation));
	state->born = 0;
	details_clear(&state->details);
	state->put = state->copied = 0;
	state->buffers = buffers_begin();
	__builtin_memset(&state->segments, 0, sizeof(state->segments));
	state->role = row->role;
	state->operation.has = row->details ? WIRE_HAS_DETAILS : 0;
	syscall_arguments(regs, state->details.args);
}

static __always_inline bool moves_data(const volatile struct syscall_row *row)
{
	return row->role == ROLE_SEND || row->role == ROLE_RECEIVE;
}

/* Reads the position of the pipe that a transfer fills; false if it fills none. */
static __always_inline bool sink_read(struct task_state *state,
				      const volatile struct syscall_row *row,
				      union wire_position *position)
{
	return row->role == ROLE_TRANSFER && row->data == DATA_FD &&
	       is_pipe(state->details.new_fds[0].mechanism) &&
	       position_read(position, &state->details.new_fds[0]);
}

static __always_inline void others_begin(struct task_state *state, struct task_struct *task,
					 const volatile struct syscall_row *row)
{
	sizes_at_entry(state, row);
	waits_at_entry(state, task, row);
	call_facts_at_entry(state, row);
	timeout_look(state, row, true);
	futex_at_entry(state, task);
	parting_at_entry(state, row, state->operation.nr);
}

static __always_inline void operation_begin(struct task_state *state, struct task_struct *task,
					    struct pt_regs *regs, u32 nr)
{
	const volatile struct syscall_row *row = row_of(nr);
	struct wire_operation *operation = &state->operation;

	if (row->role == ROLE_NONE) {
		if (nr == __NR_execve || nr == __NR_execveat)
			exec_begin(state);
		return;
	}
	if (is_unwanted(regs, nr))
		return;
	operation_clear(state, row, regs);
	if (!(row->plain && pipe_recall(state, task))) {
		bool found = object_at_entry(state, task, row, nr);

		if (!replaced_at_entry(state, task, row) && !found)
			return;
		if (row->plain && is_pipe(operation->object.mechanism))
			pipe_remember(state, task);
	}
	operation->nr = nr;
	state->begun = 0;
	state->cold = 0;
	state->asleep_since_ns = 0; /* left from an earlier call whose sleep was not seen to end */
	if (row->plain)
		pipe_fast_path_begin(state, row);
	else
		others_begin(state, task, row);
	state->recording = 1;
	following_begin(state);
	operation->id = operation_number();
	if ((moves_data(row) ||
	     (row->role == ROLE_TRANSFER && is_pipe(operation->object.mechanism))) &&
	    position_read(&operation->at_entry, &operation->object))
		operation->has |= WIRE_HAS_POSITIONS;
	if (sink_read(state, row, &state->details.sink_entry))
		operation->has |= WIRE_HAS_SINK;
	lock_segment_first(state);
	runs_begin(state);
	operation->enter_ns = bpf_ktime_get_ns();
	if (takes_datagrams(state)) /* after enter_ns: only calls that overlap may take these */
		datagram_first_look(state);
	if (splices_stream(state)) /* after enter_ns for the same reason */
		taken_begin(state);
}

static __always_inline int call_entered(struct task_state *state, struct task_struct *task,
					struct pt_regs *regs, long nr)
{
	sleeper_leave(state, task);
	following_end(state);
	futex_doubt_look(state, task);
	state->recording = 0;
	state->late = 0;
	state->entered = 1;
	state->may_have_missed = is_blind();
	state->nr = NO_CALL;
	if (nr < 0 || nr >= SYSCALL_ROWS)
		return 0;
	if (syscall_is_compat(task)) {
		loss_count(LOSS_COMPAT);
		unseen_report(state, task, WIRE_UNSEEN_COMPAT);
		return 0;
	}
	state->nr = nr;
	unseen_at_entry(state, task, regs, nr);
	operation_begin(state, task, regs, nr);
	return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(call_enter, struct pt_regs *regs, long nr)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state = task_state_traced(task);

	if (!state && queues_met)
		stranger_enters(nr);
	return state ? call_entered(state, task, regs, nr) : 0;
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
	if (!drops_bytes(state))
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
	if (is_queue(operation->object.mechanism) && operation->returned < 0 && state->born)
		buffer_forget(state->born); /* the message was freed; its address may be reused */
	if (row->result == RESULT_ZERO && operation->returned == 0) {
		state->details.transferred = operation->requested;
		operation->has |= WIRE_HAS_TRANSFERRED | WIRE_HAS_DETAILS;
	}
}

/*
 * mmap(2) has returned: finds the object by the address mapped, or by the descriptor passed if the
 * look-up is not possible now.
 */
static __always_inline void mapped_finish(struct task_state *state, struct task_struct *task)
{
	struct wire_operation *operation = &state->operation;

	if (object_of_address(state, &operation->object, task, operation->returned) < 0) {
		object_of_fd(state, &operation->object, task, state->details.args[4]);
		operation->object.fd = -1;
	}
}

/* msgctl(2) with IPC_SET, which may change how much the queue may hold. */
static __always_inline bool sets_queue(const struct task_state *state)
{
	return state->operation.nr == __NR_msgctl &&
	       (state->details.args[1] & ~(u64)IPC_64) == IPC_SET;
}

/*
 * Finds an object that is known only at exit, and describes it again. Addresses and peers are known
 * only after bind, connect and the like, so there it is described whatever its digest; a first UDP
 * send binds the socket too, which shows in the digest.
 */
static __always_inline void object_finish(struct task_state *state, struct task_struct *task,
					  const volatile struct syscall_row *row)
{
	struct wire_operation *operation = &state->operation;
	struct wire_fd again = {};

	if (operation->returned >= 0 && makes_sysv(operation->nr))
		object_of_sysv(state, &operation->object, task, sysv_mechanism(operation->nr),
			       operation->returned);
	if (operation->returned >= 0 && sets_queue(state))
		object_of_sysv(state, &again, task, MECH_SYSV_MSG, state->details.args[0]);
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

/*
 * False for calls that are not recorded because of their result, such as opening a file that is not
 * IPC.
 */
static __always_inline bool is_worth_keeping(const struct task_state *state,
					     const volatile struct syscall_row *row)
{
	const struct wire_operation *operation = &state->operation;

	if (row->data == DATA_SIGACTION) /* a sigaction that only asks changes nothing */
		return operation->payload_len != 0;
	if (is_unlink(operation->nr))
		return paths_known && operation->returned == 0;
	if (row->role != ROLE_OPEN || row->fd != ARG_NONE || state->begun)
		return true;
	if (operation->nr == __NR_mq_open || sysv_mechanism(operation->nr) ||
	    operation->object.mechanism != MECH_NONE)
		return true;
	if (operation->returned == -EMFILE || operation->returned == -ENFILE)
		return !opens_file(operation->nr);
	return state->details.new_fds[0].mechanism != MECH_NONE || operation->returned == -ENXIO ||
	       follows_lock_file(state, row);
}

/*
 * Reads where a new connection begins. This identifies the connection, because initial sequence
 * numbers are random. No other thread has the new socket yet, and data that has arrived since is
 * not counted until it is read. On loopback, a connect that continues in the background
 * (EINPROGRESS) is complete by now.
 */
static __always_inline void beginning_read(struct task_state *state)
{
	struct wire_operation *operation = &state->operation;
	const struct wire_fd *begun = &operation->object;
	struct sock_common *sock = (struct sock_common *)begun->object.address;

	if (operation->returned < 0 && operation->returned != -EINPROGRESS)
		return;
	if (operation->nr == __NR_accept || operation->nr == __NR_accept4)
		begun = &state->details.new_fds[0];
	else if (operation->nr != __NR_connect || begun->mechanism != MECH_TCP)
		return;
	else if (!KHAS(struct sock_common, skc_state) || KREAD(sock, skc_state) == TCP_CLOSE)
		return; /* connect with AF_UNSPEC dissolves a connection */
	if (begun->mechanism == MECH_TCP && position_read(&operation->at_exit, begun))
		operation->has |= WIRE_HAS_BEGINNING;
}

/*
 * Reads the positions after the call. This comes before all else at its exit: what another call on
 * the same object does until then cannot be told from what it did during this one.
 */
static __always_inline void positions_at_exit(struct task_state *state,
					      const volatile struct syscall_row *row)
{
	struct wire_operation *operation = &state->operation;

	if (operation->has & WIRE_HAS_POSITIONS) {
		position_read(&operation->at_exit, &operation->object);
		position_after(operation);
	}
	if (operation->has & WIRE_HAS_SINK)
		sink_read(state, row, &state->details.sink_exit);
}

static __always_inline void others_finish(struct task_state *state, struct task_struct *task)
{
	struct wire_operation *operation = &state->operation;
	const volatile struct syscall_row *row = row_of(operation->nr);
	u32 role = role_of(state, row);

	positions_at_exit(state, row);
	if (role == ROLE_SEND)
		send_finish(state, row);
	else if (row->data == DATA_PATH && state->cold)
		path_read(state, argument(state, row->buf));
	else if ((role == ROLE_RECEIVE && operation->returned >= 0) ||
		 (row->result == RESULT_FD && row->peer != ARG_NONE && operation->returned >= 0))
		receive_finish(state, row);
	waits_at_exit(state, task, row);
	call_facts_at_exit(state, task, row);
	new_descriptors_finish(state, task, row);
	messages_finish(state, row);
	if (row->role == ROLE_CONTROL)
		control_finish(state, task, row);
	if (row->role == ROLE_CONTROL || row->role == ROLE_OPEN)
		path_finish(state, row);
	object_finish(state, task, row);
	if (row->role == ROLE_OPEN)
		beginning_read(state);
	runs_end(state);
	if (splices_stream(state))
		taken_end(state);
	lock_segment_last(state, task);
	parting_at_exit(state, task);
	if (row->role != ROLE_CLOSE)
		object_state_read(operation, task);
	if (is_worth_keeping(state, row) && futex_finish(state, task))
		operation_send(state, task, WIRE_COMPLETE);
}

static __always_inline void operation_finish(struct task_state *state, struct task_struct *task)
{
	struct wire_operation *operation = &state->operation;

	if (row_of(operation->nr)->plain && is_pipe(operation->object.mechanism))
		pipe_fast_path_finish(state, task);
	else
		others_finish(state, task);
}

/*
 * Builds the operation of a call that a thread entered before it was traced: its registers still
 * hold the arguments. False if the call is not recorded. The caller must set enter_ns.
 */
static __always_inline bool call_found(struct task_state *state, struct task_struct *task,
				       struct pt_regs *regs)
{
	struct wire_operation *operation = &state->operation;
	long nr = KREAD(regs, REGISTER_CALL);
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
	if (role_of(state, row) == ROLE_SEND)
		priority_of_send(state, row);
	timeout_look(state, row, false);
	if (glance && is_pipe(operation->object.mechanism) &&
	    position_read(&operation->at_entry, &operation->object))
		operation->has |= WIRE_HAS_POSITIONS; /* whether anything was ever moved there */
	operation->id = operation_number();
	return true;
}

/* The thread was first traced while in this call, which returns now. */
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

/*
 * An entry may have been missed, so this may be the return of another call than the one being
 * recorded: counts that one as lost.
 */
static __always_inline void call_lose(struct task_state *state, struct task_struct *task)
{
	following_end(state);
	sleeper_leave(state, task);
	if (state->peeking)
		peek_ends(state);
	if (state->late || state->recording)
		loss_count(LOSS_SKIPPED);
	state->late = state->recording = 0;
	state->nr = NO_CALL;
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
	following_end(state);
	sleeper_leave(state, task);
	if (state->peeking)
		peek_ends(state);
	operation_finish(state, task);
	state->recording = 0;
}

static __always_inline int call_left(struct task_state *state, struct task_struct *task,
				     struct pt_regs *regs, long returned)
{
	state->entered = 0;
	if (may_have_missed_calls(state)) {
		call_lose(state, task);
		return 0;
	}
	if (state->late || state->recording)
		call_finish(state, task, regs, returned);
	else if (is_file_input(state, returned))
		file_input_read(state, task, returned);
	lookup_at_exit(state, regs, returned);
	if (state->nr == __NR_rt_sigreturn)
		signal_returned(returned);
	else
		unseen_at_exit(state, task, regs, returned);
	state->nr = NO_CALL;
	return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(call_exit, struct pt_regs *regs, long returned)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state = task_state_traced(task);

	if (!state && queues_met)
		stranger_leaves();
	return state ? call_left(state, task, regs, returned)
		     : 0; /* threads that are not traced pay for the look-up only */
}

#endif
